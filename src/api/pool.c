/*
 * pool.c - the public functions of pools and futures: look at the arguments,
 * take the lock, make one call down
 */
#include "api/api.h"

#include "base/error.h"

#include <math.h>

static struct rpt_engine *engine_of(const rpt_pool_t *pool)
{
    return rpt__comm_engine(rpt__pool_comm(pool));
}

/* The status of one call with the pool's lock held. */
#define LOCKED(pool, call)                                                     \
    do {                                                                       \
        struct rpt_engine *engine = engine_of(pool);                           \
        rpt_status_t status_;                                                  \
                                                                               \
        rpt__engine_lock(engine);                                              \
        status_ = (call);                                                      \
        rpt__engine_unlock(engine);                                            \
        return status_;                                                        \
    } while (0)

/* Ends a call that may wait for tasks when a task makes it. */
#define RPT_REQUIRE_OUTSIDE()                                                  \
    do {                                                                       \
        if (rpt__functions_inside()) {                                         \
            return inside_a_task(__func__);                                    \
        }                                                                      \
    } while (0)

static rpt_status_t inside_a_task(const char *function)
{
    rpt__fail(RPT_ERR_STATE, "%s: a task must not wait for tasks", function);
    rpt__fail_why("it holds its slot meanwhile, and all slots might be held "
                  "by tasks that wait");
    rpt__fail_hint("submit what is to follow as a task that depends on the "
                   "others (rpt_task_add_dependency())");
    return RPT_ERR_STATE;
}

rpt_status_t rpt_pool_create(rpt_context_t *context, rpt_group_t *group,
                             rpt_pool_t **pool_out)
{
    struct rpt_engine *engine;
    rpt_status_t status;

    RPT_REQUIRE(context != NULL && pool_out != NULL, "NULL argument");
    RPT_REQUIRE(group == NULL || rpt__group_comm(group) == context->comm,
                "the group belongs to another context");
    if (context->n_pools > 0) {
        rpt__fail(RPT_ERR_STATE, "the context has a pool already");
        rpt__fail_hint("destroy it first, or make the second pool in a "
                       "context of its own");
        return RPT_ERR_STATE;
    }
    engine = rpt__comm_engine(context->comm);
    rpt__engine_lock(engine);
    status = rpt__pool_create(context->comm,
                              group != NULL ? group : context->world,
                              &context->n_pools, pool_out);
    rpt__engine_unlock(engine);
    return status;
}

void rpt_pool_destroy(rpt_pool_t *pool)
{
    struct rpt_engine *engine;

    if (pool == NULL) {
        return;
    }
    engine = engine_of(pool);
    rpt__engine_lock(engine);
    rpt__pool_destroy(pool);
    rpt__engine_unlock(engine);
}

rpt_status_t rpt_pool_register(rpt_pool_t *pool, const char *name,
                               rpt_task_fn fn, void *user)
{
    RPT_REQUIRE(pool != NULL && fn != NULL, "pool or fn is NULL");
    RPT_REQUIRE(name != NULL && name[0] != '\0', "the name is missing");
    LOCKED(pool, rpt__pool_register(pool, name, fn, user));
}

rpt_status_t rpt_pool_check(rpt_pool_t *pool, const rpt_task_t *task)
{
    RPT_REQUIRE(pool != NULL && task != NULL, "pool or task is NULL");
    LOCKED(pool, rpt__pool_check(pool, task));
}

rpt_status_t rpt_pool_submit(rpt_pool_t *pool, const rpt_task_t *task,
                             rpt_future_t **future_out)
{
    RPT_REQUIRE(pool != NULL && task != NULL, "pool or task is NULL");
    LOCKED(pool, rpt__pool_submit(pool, &task, 1, future_out));
}

rpt_status_t rpt_pool_submit_batch(rpt_pool_t *pool,
                                   const rpt_task_t *const tasks[],
                                   size_t n_tasks, rpt_future_t **futures_out)
{
    RPT_REQUIRE(pool != NULL && (tasks != NULL || n_tasks == 0),
                "pool or tasks is NULL");
    for (size_t i = 0; i < n_tasks; i++) {
        RPT_REQUIRE(tasks[i] != NULL, "a task of the batch is NULL");
    }
    LOCKED(pool, rpt__pool_submit(pool, tasks, n_tasks, futures_out));
}

rpt_status_t rpt_pool_serve(rpt_pool_t *pool)
{
    RPT_REQUIRE(pool != NULL, "pool is NULL");
    RPT_REQUIRE_OUTSIDE();
    LOCKED(pool, rpt__pool_serve(pool));
}

rpt_status_t rpt_pool_drain(rpt_pool_t *pool)
{
    RPT_REQUIRE(pool != NULL, "pool is NULL");
    RPT_REQUIRE_OUTSIDE();
    LOCKED(pool, rpt__pool_drain(pool));
}

static rpt_status_t set_on_result(rpt_pool_t *pool, rpt_result_fn fn,
                                  void *user)
{
    rpt__pool_on_result(pool, fn, user);
    return RPT_OK;
}

rpt_status_t rpt_pool_on_result(rpt_pool_t *pool, rpt_result_fn fn, void *user)
{
    RPT_REQUIRE(pool != NULL, "pool is NULL");
    LOCKED(pool, set_on_result(pool, fn, user));
}

static rpt_status_t set_on_output(rpt_pool_t *pool, rpt_output_fn fn,
                                  void *user)
{
    rpt__pool_on_output(pool, fn, user);
    return RPT_OK;
}

rpt_status_t rpt_pool_on_output(rpt_pool_t *pool, rpt_output_fn fn, void *user)
{
    RPT_REQUIRE(pool != NULL, "pool is NULL");
    LOCKED(pool, set_on_output(pool, fn, user));
}

rpt_status_t rpt_pool_wait(rpt_pool_t *pool, double timeout_s)
{
    RPT_REQUIRE(pool != NULL && !isnan(timeout_s), "bad argument");
    RPT_REQUIRE_OUTSIDE();
    LOCKED(pool, rpt__pool_wait(pool, timeout_s));
}

rpt_status_t rpt_pool_cancel(rpt_pool_t *pool, const char *id)
{
    RPT_REQUIRE(pool != NULL && id != NULL, "pool or id is NULL");
    LOCKED(pool, rpt__pool_cancel(pool, id));
}

static rpt_status_t read_stats(rpt_pool_t *pool, rpt_pool_stats_t *stats)
{
    rpt__pool_stats(pool, stats);
    return RPT_OK;
}

rpt_status_t rpt_pool_stats(rpt_pool_t *pool, rpt_pool_stats_t *stats)
{
    RPT_REQUIRE(pool != NULL && stats != NULL, "pool or stats is NULL");
    RPT_REQUIRE(stats->size >= sizeof(size_t), "stats->size is not set");
    LOCKED(pool, read_stats(pool, stats));
}

rpt_status_t rpt_pool_shutdown(rpt_pool_t *pool, rpt_shutdown_t how,
                               double grace_s, uint64_t *n_dropped_out)
{
    RPT_REQUIRE(pool != NULL, "pool is NULL");
    RPT_REQUIRE(how >= RPT_SHUTDOWN_GRACEFUL && how <= RPT_SHUTDOWN_NOW,
                "no such way to stop");
    RPT_REQUIRE(grace_s >= 0, "the grace is 0 s or more");
    RPT_REQUIRE_OUTSIDE();
    LOCKED(pool, rpt__pool_shutdown(pool, how, grace_s, n_dropped_out));
}

rpt_status_t rpt_pool_next(rpt_pool_t *pool, double timeout_s,
                           rpt_future_t **future_out)
{
    RPT_REQUIRE(pool != NULL && future_out != NULL && !isnan(timeout_s),
                "bad argument");
    RPT_REQUIRE_OUTSIDE();
    LOCKED(pool, rpt__pool_next(pool, timeout_s, future_out));
}

/* ---- futures ---- */

static rpt_status_t wait_for(rpt_future_t *const futures[], size_t n,
                             size_t n_wanted, double timeout_s)
{
    rpt_future_t *first = NULL;

    if (timeout_s != 0) {
        RPT_REQUIRE_OUTSIDE();
    }
    for (size_t i = 0; i < n && first == NULL; i++) {
        first = futures[i];
    }
    if (first == NULL || n_wanted == 0) {
        return RPT_OK;
    }
    LOCKED(rpt__future_pool(first),
           rpt__future_wait(futures, n, n_wanted, timeout_s));
}

static size_t count(rpt_future_t *const futures[], size_t n)
{
    size_t there = 0;

    for (size_t i = 0; i < n; i++) {
        there += futures[i] != NULL;
    }
    return there;
}

rpt_status_t rpt_future_wait(rpt_future_t *future, double timeout_s)
{
    RPT_REQUIRE(future != NULL && !isnan(timeout_s), "bad argument");
    return wait_for(&future, 1, 1, timeout_s);
}

rpt_status_t rpt_future_wait_all(rpt_future_t *const futures[],
                                 size_t n_futures, double timeout_s)
{
    RPT_REQUIRE((futures != NULL || n_futures == 0) && !isnan(timeout_s),
                "bad argument");
    return wait_for(futures, n_futures, count(futures, n_futures), timeout_s);
}

rpt_status_t rpt_future_wait_any(rpt_future_t *const futures[],
                                 size_t n_futures, double timeout_s,
                                 size_t *index_out)
{
    rpt_status_t status;

    RPT_REQUIRE((futures != NULL || n_futures == 0) && index_out != NULL &&
                    !isnan(timeout_s),
                "bad argument");
    if (count(futures, n_futures) == 0) {
        return RPT_END;
    }
    status = wait_for(futures, n_futures, 1, timeout_s);
    if (status != RPT_OK) {
        return status;
    }
    for (size_t i = 0; i < n_futures; i++) {
        if (futures[i] != NULL) {
            struct rpt_engine *engine = engine_of(rpt__future_pool(futures[i]));
            bool done;

            rpt__engine_lock(engine);
            done = rpt__future_done(futures[i]);
            rpt__engine_unlock(engine);
            if (done) {
                *index_out = i;
                return RPT_OK;
            }
        }
    }
    return rpt__fail(RPT_ERR_INTERNAL, "a task ended, but no future says so");
}

static rpt_status_t read_result(rpt_future_t *future,
                                const rpt_result_t **result_out)
{
    const rpt_result_t *result = rpt__future_result(future);

    if (result == NULL) {
        return RPT_PENDING;
    }
    *result_out = result;
    return RPT_OK;
}

rpt_status_t rpt_future_result(rpt_future_t *future,
                               const rpt_result_t **result_out)
{
    RPT_REQUIRE(future != NULL && result_out != NULL, "NULL argument");
    LOCKED(rpt__future_pool(future), read_result(future, result_out));
}

rpt_status_t rpt_future_cancel(rpt_future_t *future)
{
    RPT_REQUIRE(future != NULL, "future is NULL");
    LOCKED(rpt__future_pool(future), rpt__future_cancel(future));
}

void rpt_future_destroy(rpt_future_t *future)
{
    struct rpt_engine *engine;

    if (future == NULL) {
        return;
    }
    engine = engine_of(rpt__future_pool(future));
    rpt__engine_lock(engine);
    rpt__future_destroy(future);
    rpt__engine_unlock(engine);
}
