/*
 * round.c - arrays get ready, buckets begin, and all of them are waited for
 *
 * A bucket begins when nothing of it is missing and all before it have begun.
 * A plan that fails does not keep the others from beginning: other ranks may
 * have begun them already.  What fails is kept for the wait.
 */
#include "collectives/reducer/reducer.h"

#include "base/clock.h"
#include "base/error.h"

#include <stdio.h>

static rpt_status_t locked(struct rpt_reducer *reducer,
                           rpt_status_t (*question)(struct rpt_group *group))
{
    struct rpt_engine *engine = rpt__comm_engine(reducer->comm);
    rpt_status_t status;

    rpt__engine_lock(engine);
    status = question(reducer->group);
    rpt__engine_unlock(engine);
    return status;
}

/* The last error of this thread is that of the round, if it is the first. */
static void keep_failure(struct rpt_reducer *reducer, rpt_status_t status)
{
    const rpt_error_t *error = rpt_last_error();

    if (reducer->status == RPT_OK) {
        reducer->status = status;
        snprintf(reducer->what, sizeof reducer->what, "%s", error->what);
        snprintf(reducer->why, sizeof reducer->why, "%s", error->why);
        snprintf(reducer->hint, sizeof reducer->hint, "%s", error->hint);
    }
}

/* ---- buckets ---- */

/* Whose turn it is. */
static void begin_buckets(struct rpt_reducer *reducer)
{
    while (reducer->n_started < reducer->n_buckets &&
           reducer->buckets[reducer->n_started].n_missing == 0) {
        struct rpt_bucket *bucket = &reducer->buckets[reducer->n_started];
        rpt_status_t status = rpt__plan_start(bucket->plan);

        bucket->is_running = status == RPT_OK;
        if (status != RPT_OK) {
            keep_failure(reducer, status);
        }
        reducer->n_started++;
        reducer->n_early += reducer->n_ready < reducer->n_parts;
    }
}

/* Its plan is over. */
static void end_bucket(struct rpt_reducer *reducer, struct rpt_bucket *bucket,
                       rpt_status_t status)
{
    bucket->is_running = false;
    bucket->is_good = status == RPT_OK;
    if (bucket->is_good) {
        return;
    }
    if (rpt_last_error()->status != status) { /* another thread's */
        rpt__fail(status, "a bucket of a reducer was not reduced: %s",
                  rpt_status_text(status));
    }
    keep_failure(reducer, status);
}

/* They end in the order in which they begin. */
static void look_at_buckets(struct rpt_reducer *reducer,
                            rpt_status_t (*look)(struct rpt_plan *plan))
{
    for (; reducer->n_over < reducer->n_started; reducer->n_over++) {
        struct rpt_bucket *bucket = &reducer->buckets[reducer->n_over];

        if (bucket->is_running) {
            rpt_status_t status = look(bucket->plan);

            if (status == RPT_PENDING) {
                return;
            }
            end_bucket(reducer, bucket, status);
        }
    }
}

/* ---- ready ---- */

static void mark(struct rpt_reducer *reducer, struct rpt_part *part)
{
    part->is_ready = true;
    reducer->n_ready++;
    if (part->count > 0) {
        /* Here, since the caller has just written it: it is in a cache. */
        rpt__reducer_pack(reducer, part);
        reducer->buckets[part->bucket].n_missing--;
    }
    begin_buckets(reducer);
}

rpt_status_t rpt__reducer_ready(struct rpt_reducer *reducer, size_t index)
{
    if (index >= reducer->n_parts) {
        return rpt__fail(RPT_ERR_INVALID,
                         "there is no array %zu, the reducer has %zu", index,
                         reducer->n_parts);
    }
    if (reducer->parts[index].is_ready) {
        rpt__fail(RPT_ERR_STATE, "array %zu is marked as ready already", index);
        rpt__fail_hint("each array is marked once, then comes "
                       "rpt_reducer_wait()");
        return RPT_ERR_STATE;
    }
    mark(reducer, &reducer->parts[index]);
    look_at_buckets(reducer, rpt__plan_look);
    return RPT_OK;
}

void rpt__reducer_ready_all(struct rpt_reducer *reducer)
{
    for (size_t i = 0; i < reducer->n_parts; i++) {
        if (!reducer->parts[i].is_ready) {
            mark(reducer, &reducer->parts[i]);
        }
    }
    look_at_buckets(reducer, rpt__plan_look);
}

/* ---- test, wait ---- */

static bool is_marked(const struct rpt_reducer *reducer)
{
    return reducer->n_ready == reducer->n_parts;
}

rpt_status_t rpt__reducer_test(struct rpt_reducer *reducer)
{
    look_at_buckets(reducer, rpt__plan_test);
    if (rpt__group_is_failed(reducer->group)) {
        return RPT_OK;
    }
    return is_marked(reducer) && reducer->n_over == reducer->n_buckets
               ? RPT_OK
               : RPT_PENDING;
}

static rpt_status_t name_missing(const struct rpt_reducer *reducer)
{
    size_t i = 0;

    while (reducer->parts[i].is_ready) {
        i++;
    }
    rpt__fail(RPT_ERR_STATE, "array %zu of a reducer is not marked as ready",
              i);
    rpt__fail_why("%zu of %zu are marked in this round", reducer->n_ready,
                  reducer->n_parts);
    rpt__fail_hint("mark the others with rpt_reducer_ready(), and wait again");
    return RPT_ERR_STATE;
}

void rpt__reducer_reset(struct rpt_reducer *reducer)
{
    for (size_t i = 0; i < reducer->n_parts; i++) {
        reducer->parts[i].is_ready = false;
    }
    for (size_t i = 0; i < reducer->n_buckets; i++) {
        reducer->buckets[i].n_missing = reducer->buckets[i].n_parts;
        reducer->buckets[i].is_good = false;
    }
    reducer->n_ready = reducer->n_started = reducer->n_over = 0;
    reducer->n_early = 0;
    reducer->status = RPT_OK;
}

static void finish_buckets(struct rpt_reducer *reducer)
{
    for (size_t i = 0; i < reducer->n_started; i++) {
        struct rpt_bucket *bucket = &reducer->buckets[i];

        if (bucket->is_running) {
            end_bucket(reducer, bucket, rpt__plan_wait(bucket->plan));
        }
        if (bucket->is_good) {
            rpt__reducer_unpack(reducer, bucket);
        }
    }
}

rpt_status_t rpt__reducer_wait(struct rpt_reducer *reducer)
{
    double began_s = rpt__now_s();
    rpt_status_t status;
    size_t n_over;

    look_at_buckets(reducer, rpt__plan_test);
    if (!is_marked(reducer)) {
        if (!rpt__group_is_failed(reducer->group)) {
            return name_missing(reducer);
        }
        keep_failure(reducer, locked(reducer, rpt__group_status));
    }
    n_over = reducer->n_over;
    finish_buckets(reducer);
    status = reducer->status;
    if (status == RPT_OK) {
        reducer->n_rounds++;
        reducer->n_early_ever += reducer->n_early;
        reducer->n_over_early += n_over;
        reducer->wait_s += rpt__now_s() - began_s;
    } else {
        rpt__fail(status, "%s", reducer->what);
        rpt__fail_why("%s", reducer->why);
        rpt__fail_hint("%s", reducer->hint);
    }
    rpt__reducer_reset(reducer);
    return status;
}
