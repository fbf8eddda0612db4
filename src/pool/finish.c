/*
 * finish.c - what becomes of a job when an attempt has ended
 *
 * It is tried again, or its result is journalled, counted, put where the user
 * finds it (future, callback), and those who waited for it are let go.
 */
#include "pool/pool_priv.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

static void hand_over(struct rpt_pool *pool, struct rpt_job *job,
                      const struct rpt_end *end)
{
    struct rpt_future *future = job->future;
    struct rpt_end full = *end;
    struct rpt_box *box;
    char buffer[32];

    if (future == NULL && pool->on_result == NULL) {
        return;
    }
    if (full.host == NULL && full.rank >= 0) {
        full.host = rpt__map_host_of(rpt__comm_map(pool->comm), full.rank);
    }
    box = rpt__box_make(rpt__job_id(pool, job, buffer), &full);
    if (box == NULL) {
        rpt__pool_broken(pool, RPT_ERR_NOMEM);
        return;
    }
    if (pool->on_result != NULL) {
        box->n_users++;
        STAILQ_INSERT_TAIL(&pool->deliver, box, link);
    }
    if (future != NULL) {
        box->n_users++;
        future->box = box;
        future->job = NULL;
        TAILQ_INSERT_TAIL(&pool->ended_futures, future, link);
        future->listed = true;
        if (future->waiter != NULL) {
            future->waiter->n_missing -= future->waiter->n_missing > 0;
        }
    }
    rpt__box_release(box);
}

void rpt__job_end(struct rpt_pool *pool, struct rpt_job *job,
                  const struct rpt_end *given)
{
    struct rpt_end full = *given, *end = &full;

    if (!end->resumed) {
        end->checkpoints = job->checkpoints;
        end->wasted_s = job->wasted_s;
    }
    rpt__queue_remove(pool, job);
    if (job->started) {
        pool->owner.running--;
    }
    if (pool->resume != NULL && !end->resumed && !end->by_shutdown) {
        rpt__resume_ended(pool, job, end);
    }
    pool->owner.ended++;
    pool->owner.by_outcome[end->outcome]++;
    if (end->outcome == RPT_OUTCOME_OK && job->spec->checkpoint_s > 0 &&
        !pool->checkpoint_keep) {
        rpt__remover_add(pool, job);
    }
    hand_over(pool, job, end);
    job->future = NULL;
    if (job->name != NULL) {
        rpt__name_ended(pool, job->name, end->outcome);
    }
    if (job->n_waits > 0) {
        job->state = RPT_JOB_GHOST;
    } else {
        rpt__job_release(pool, job);
    }
}

void rpt__job_end_without_run(struct rpt_pool *pool, struct rpt_job *job,
                              rpt_outcome_t outcome, const char *message)
{
    struct rpt_end end = {
        .outcome = outcome,
        .exit_code = -1,
        .attempts = job->attempts,
        .rank = -1,
        .message = message,
    };

    rpt__job_end(pool, job, &end);
}

/* Notes an attempt that does not end the task, if it began. */
static void note_attempt(struct rpt_pool *pool, const struct rpt_job *job,
                         const struct rpt_end *end)
{
    if (pool->resume != NULL && end->start_time > 0) {
        rpt__resume_attempted(pool, job, end);
    }
}

static bool worth_a_retry(const struct rpt_end *end)
{
    return end->outcome == RPT_OUTCOME_FAILED ||
           end->outcome == RPT_OUTCOME_SIGNALED ||
           end->outcome == RPT_OUTCOME_TIMEOUT;
}

void rpt__job_attempt_ended(struct rpt_pool *pool, struct rpt_job *job,
                            const struct rpt_end *end)
{
    bool retry = worth_a_retry(end) && job->retries > 0;

    job->checkpoints += end->checkpoints;
    job->wasted_s += end->wasted_s;
    pool->owner.checkpoints += end->checkpoints;
    pool->owner.restored += end->restored > 0;
    pool->owner.wasted_s += end->wasted_s;
    if (end->by_shutdown) {
        pool->owner.dropped++;
        note_attempt(pool, job, end);
    }
    if (job->cancelled || end->by_shutdown || pool->ending.stopping) {
        rpt__job_end(pool, job, end);
        return;
    }
    /* What ran it went away: not the task's fault, so that costs no retry,
     * once. */
    if (end->outcome == RPT_OUTCOME_LOST && !job->was_lost) {
        job->was_lost = 1;
        retry = true;
    } else if (retry) {
        job->retries--;
    }
    if (!retry) {
        rpt__job_end(pool, job, end);
        return;
    }
    note_attempt(pool, job, end);
    if (job->started) {
        pool->owner.running--;
        job->started = 0;
    }
    pool->owner.retried++;
    rpt__gang_forget(pool, job);
    rpt__queue_retry(pool, job);
}

rpt_status_t rpt__job_cancel(struct rpt_pool *pool, struct rpt_job *job)
{
    struct {
        struct rpt_pool_head head;
        uint32_t token;
    } message = { { pool->generation, 0 }, job->index };

    if (job->cancelled) {
        return RPT_OK;
    }
    if (job->state != RPT_JOB_GIVEN) {
        rpt__job_end_without_run(pool, job, RPT_OUTCOME_CANCELLED,
                                 "cancelled before it started");
        return RPT_OK;
    }
    job->cancelled = 1;
    if (job->gang != NULL) {
        rpt__gang_cancel(pool, job);
        return RPT_OK;
    }
    return rpt__pool_send(pool, pool->member_of[job->rank], RPT_TAG_POOL_CANCEL,
                          &message, sizeof message);
}

void rpt__job_output(struct rpt_pool *pool, struct rpt_job *job, int stream,
                     const void *data, size_t bytes)
{
    struct rpt_end chunk = { .stdout_data = data, .stdout_bytes = bytes };
    struct rpt_box *box;
    char buffer[32];

    if (pool->on_output == NULL) {
        return;
    }
    box = rpt__box_make(rpt__job_id(pool, job, buffer), &chunk);
    if (box == NULL) {
        rpt__pool_broken(pool, RPT_ERR_NOMEM);
        return;
    }
    box->stream = stream;
    STAILQ_INSERT_TAIL(&pool->deliver, box, link);
}
