/*
 * future.c - waiting for tasks of this rank
 */
#include "pool/pool_priv.h"

#include "base/error.h"

#include <stdlib.h>

struct rpt_pool *rpt__future_pool(const rpt_future_t *future)
{
    return future->pool;
}

bool rpt__future_done(const rpt_future_t *future)
{
    return future->job == NULL;
}

const rpt_result_t *rpt__future_result(const rpt_future_t *future)
{
    return future->job == NULL ? &future->box->result : NULL;
}

static bool none_missing(void *arg)
{
    const struct rpt_waiter *waiter = arg;

    return waiter->n_missing == 0;
}

rpt_status_t rpt__future_wait(rpt_future_t *const futures[], size_t n,
                              size_t n_wanted, double timeout_s)
{
    struct rpt_waiter waiter = { n_wanted };
    struct rpt_pool *pool = NULL;
    rpt_status_t status = RPT_OK;

    for (size_t i = 0; i < n; i++) {
        if (futures[i] == NULL) {
            continue;
        }
        pool = futures[i]->pool;
        if (futures[i]->job == NULL) {
            waiter.n_missing -= waiter.n_missing > 0;
        } else if (futures[i]->waiter == &waiter) {
            waiter.n_missing -= waiter.n_missing > 1; /* given twice */
        } else {
            futures[i]->waiter = &waiter;
        }
    }
    if (pool != NULL) {
        status = rpt__pool_wait_for(pool, none_missing, &waiter, timeout_s);
    }
    for (size_t i = 0; i < n; i++) {
        if (futures[i] != NULL) {
            futures[i]->waiter = NULL;
        }
    }
    return status;
}

rpt_status_t rpt__future_cancel(rpt_future_t *future)
{
    if (future->job == NULL) {
        return RPT_END;
    }
    rpt__engine_ring(future->pool->engine);
    return rpt__job_cancel(future->pool, future->job);
}

void rpt__future_destroy(rpt_future_t *future)
{
    struct rpt_pool *pool = future->pool;

    if (future->job != NULL) {
        future->job->future = NULL;
    }
    if (future->listed) {
        TAILQ_REMOVE(&pool->ended_futures, future, link);
    }
    if (!future->given) {
        pool->n_futures--;
    }
    rpt__box_release(future->box);
    free(future);
}

static bool one_ended(void *arg)
{
    const struct rpt_pool *pool = arg;

    return !TAILQ_EMPTY(&pool->ended_futures) || pool->n_futures == 0;
}

rpt_status_t rpt__pool_next(struct rpt_pool *pool, double timeout_s,
                            rpt_future_t **future_out)
{
    rpt_status_t status = rpt__pool_wait_for(pool, one_ended, pool, timeout_s);
    rpt_future_t *future = TAILQ_FIRST(&pool->ended_futures);

    if (status != RPT_OK) {
        return status;
    }
    if (future == NULL) {
        return RPT_END;
    }
    TAILQ_REMOVE(&pool->ended_futures, future, link);
    future->listed = false;
    future->given = true;
    pool->n_futures--;
    *future_out = future;
    return RPT_OK;
}
