/*
 * report.c - what this rank tells the owners of the tasks it runs
 *
 * Starts, output and ends are gathered in one buffer for each owner and sent
 * when the loop has come round, or earlier when a buffer is large.  A task that
 * ended before the loop came round is never said to have started.
 */
#include "pool/pool_priv.h"

#include "base/clock.h"
#include "base/error.h"

enum { REPORT_BYTES = 28 * 1024 };

static struct rpt_buf *report_to(struct rpt_pool *pool, int member)
{
    struct rpt_worker *w = &pool->worker;
    struct rpt_buf *out = &w->out[member];
    struct rpt_pool_head head = { pool->generation, 0 };

    if (out->bytes == 0) {
        rpt__buf_add(out, &head, sizeof head);
        w->out_dirty[w->n_dirty++] = member;
    }
    return out;
}

static void send_out(struct rpt_pool *pool, int member)
{
    struct rpt_buf *out = &pool->worker.out[member];

    if (out->failed) {
        rpt__pool_broken(pool, rpt__buf_status(out));
    } else if (out->bytes > 0) {
        rpt__pool_send(pool, member, RPT_TAG_POOL_RESULT, out->data,
                       out->bytes);
    }
    if (out->capacity > 4 * REPORT_BYTES) {
        rpt__buf_free(out); /* one large output is no reason to keep much */
    }
    rpt__buf_clear(out);
}

static void report(struct rpt_pool *pool, const struct rpt_item *item,
                   enum rpt_report what)
{
    struct rpt_buf *out = report_to(pool, pool->member_of[item->owner]);

    rpt__buf_u8(out, (uint8_t)what);
    rpt__buf_u32(out, item->token);
}

static void announce(struct rpt_pool *pool)
{
    struct rpt_worker *w = &pool->worker;
    struct rpt_item *item;

    TAILQ_FOREACH (item, &w->running, link) {
        if (item->announced) {
            continue;
        }
        item->announced = true;
        if (item->job != NULL) {
            rpt__owner_started(pool, item->job);
        } else {
            report(pool, item, RPT_REPORT_START);
        }
    }
    w->n_unannounced = 0;
}

void rpt__worker_flush(struct rpt_pool *pool)
{
    struct rpt_worker *w = &pool->worker;

    if (w->n_unannounced > 0) {
        announce(pool);
    }
    for (int i = 0; i < w->n_dirty; i++) {
        send_out(pool, w->out_dirty[i]);
    }
    w->n_dirty = 0;
}

void rpt__worker_output(struct rpt_pool *pool, struct rpt_item *item,
                        int stream, const void *data, size_t bytes)
{
    if (item->job != NULL) {
        rpt__job_output(pool, item->job, stream, data, bytes);
        return;
    }
    report(pool, item, stream == 1 ? RPT_REPORT_STDOUT : RPT_REPORT_STDERR);
    rpt__buf_blob(report_to(pool, pool->member_of[item->owner]), data, bytes);
}

static void learn(struct rpt_pool *pool, double duration_s)
{
    double *mean = &pool->worker.mean_s;

    *mean = *mean > 0 ? *mean + 0.1 * (duration_s - *mean) : duration_s;
}

static void stop_running(struct rpt_worker *w, struct rpt_item *item)
{
    TAILQ_REMOVE(&w->running, item, link);
    w->n_running--;
    w->n_unannounced -= !item->announced;
}

void rpt__worker_unstart(struct rpt_pool *pool, struct rpt_item *item)
{
    stop_running(&pool->worker, item);
    rpt__slots_give(pool, item);
    item->slot = -1;
    item->ran = false;
    item->received_s = rpt__now_s();
    rpt__worker_requeue(pool, item);
}

void rpt__worker_postpone(struct rpt_pool *pool, struct rpt_item *item)
{
    rpt__worker_unstart(pool, item);
    rpt__slots_retire(pool);
}

void rpt__worker_finish(struct rpt_pool *pool, struct rpt_item *item,
                        struct rpt_end *end)
{
    struct rpt_worker *w = &pool->worker;

    if (item->state == RPT_ITEM_RUNNING) {
        stop_running(w, item);
    }
    if (w->n_running == 0 && w->n_retired > 0) {
        rpt__slots_restore(pool); /* or a task that needs all would wait */
    }
    if (item->ran) {
        learn(pool, end->duration_s);
        w->ran++;
        w->busy_s += end->duration_s * item->spec->slots;
    }
    rpt__slots_give(pool, item);
    rpt__worker_unpark(pool);
    if (item->by_shutdown && end->outcome != RPT_OUTCOME_OK) {
        end->by_shutdown = true;
        end->outcome = RPT_OUTCOME_CANCELLED;
        end->message = "ended because the pool was shut down";
    }
    end->rank = rpt__comm_rank(pool->comm);
    end->attempts = item->attempt;
    rpt__saving_count(item, end);
    if (item->job != NULL && item->kind != RPT_KIND_GANG) {
        rpt__job_attempt_ended(pool, item->job, end);
    } else {
        struct rpt_buf *out;

        report(pool, item, RPT_REPORT_END);
        out = report_to(pool, pool->member_of[item->owner]);
        rpt__attempt_pack(out, end);
        if (out->bytes > REPORT_BYTES) {
            rpt__worker_flush(pool);
        }
    }
    rpt__item_release(pool, item);
}
