/*
 * inside.c - what a task's function may do with the pool that runs it: submit,
 * but not wait
 */
#include "world.h"

#include <string.h>

/* Calls with a limit come first: those without one are only made when these
 * were refused, or they might wait for ever. */
static bool check_limited(rpt_pool_t *pool, rpt_future_t *future)
{
    rpt_future_t *next = NULL;
    size_t index = 99;
    bool good = CHECK_ERROR(RPT_ERR_STATE, rpt_pool_wait(pool, 0.01)) &&
                CHECK(strstr(rpt_last_error()->what, "rpt_pool_wait") != NULL);

    good &= CHECK_ERROR(RPT_ERR_STATE, rpt_pool_wait(pool, 0));
    good &= CHECK_ERROR(RPT_ERR_STATE, rpt_pool_next(pool, 0.01, &next));
    good &= CHECK_ERROR(RPT_ERR_STATE, rpt_future_wait(future, 0.01));
    good &= CHECK_ERROR(RPT_ERR_STATE, rpt_future_wait_all(&future, 1, 0.01));
    good &= CHECK_ERROR(RPT_ERR_STATE,
                        rpt_future_wait_any(&future, 1, 0.01, &index));
    return CHECK(next == NULL && index == 99) && good;
}

static void check_unlimited(rpt_pool_t *pool, rpt_future_t *future)
{
    uint64_t n_dropped = 99;

    CHECK_ERROR(RPT_ERR_STATE, rpt_pool_wait(pool, -1));
    CHECK_ERROR(RPT_ERR_STATE, rpt_future_wait(future, -1));
    CHECK_ERROR(RPT_ERR_STATE, rpt_pool_serve(pool));
    CHECK_ERROR(RPT_ERR_STATE, rpt_pool_drain(pool));
    for (int how = RPT_SHUTDOWN_GRACEFUL; how <= RPT_SHUTDOWN_NOW; how++) {
        CHECK_ERROR(RPT_ERR_STATE, rpt_pool_shutdown(pool, (rpt_shutdown_t)how,
                                                     0, &n_dropped));
    }
    CHECK(n_dropped == 99);
}

static int call_all(rpt_call_t *call, void *user)
{
    rpt_pool_t *pool = rpt_call_pool(call);
    rpt_task_t *task = task_int("count", 0);
    rpt_future_t *future = NULL;
    rpt_status_t status;

    (void)user;
    CHECK(rpt_pool_submit(pool, task, &future) == RPT_OK);
    CHECK(rpt_pool_submit_batch(pool, (const rpt_task_t *const *)&task, 1,
                                NULL) == RPT_OK);
    rpt_task_destroy(task);
    if (CHECK(future != NULL)) {
        if (check_limited(pool, future)) {
            check_unlimited(pool, future);
        }
        status = rpt_future_wait(future, 0); /* only looks */
        CHECK(status == RPT_OK || status == RPT_PENDING);
    }
    rpt_future_destroy(future);
    return 0;
}

static void register_call_all(struct world *w)
{
    CHECK(rpt_pool_register(w->pool, "call all", call_all, NULL) == RPT_OK);
}

/* Often enough that some run in the thread that waits, and in gangs, of which
 * the same holds. */
static void wait_in_tasks(struct world *w)
{
    enum { N = 20 };
    rpt_task_t *gang = task_new("call all", NULL, 0);

    for (int i = 0; i < N; i++) {
        submit_quietly(w->pool, task_new("call all", NULL, 0));
    }
    CHECK(rpt_task_set_gang(gang, w->size) == RPT_OK);
    ends(submit(w->pool, gang), RPT_OUTCOME_OK);
    wait_all(w->pool); /* here it is allowed, still */
    CHECK(rpt_pool_shutdown(w->pool, RPT_SHUTDOWN_GRACEFUL, 0, NULL) == RPT_OK);
    w->closed = true;
    CHECK(count_of(0) == 2 * (N + (uint32_t)w->size));
}

static void a_task_may_submit_but_not_wait(void)
{
    drive_with(register_call_all, 1, 4, NULL, wait_in_tasks);
}

/* Those it submits wait at a gate, so that the queue of its rank is full with
 * the fourth at the latest. */
static int fill_queue(rpt_call_t *call, void *user)
{
    rpt_task_t *task = task_pair("gate", 0, 0);
    rpt_status_t status = RPT_OK;
    int n = 0;

    (void)user;
    while (n < 4 && status == RPT_OK) {
        status = rpt_pool_submit(rpt_call_pool(call), task, NULL);
        n += status == RPT_OK;
    }
    CHECK_ERROR(RPT_ERR_FULL, status);
    CHECK(n == 2 || n == 3); /* it may be one of them itself */
    rpt_task_destroy(task);
    return 0;
}

static void register_fill_queue(struct world *w)
{
    CHECK(rpt_pool_register(w->pool, "fill", fill_queue, NULL) == RPT_OK);
}

static void fill_in_task(struct world *w)
{
    ends(submit(w->pool, task_new("fill", NULL, 0)), RPT_OUTCOME_OK);
}

static void a_task_is_told_of_a_full_queue(void)
{
    drive_with(register_fill_queue, 1, 4, "pool.slots=1 pool.queue_limit=3",
               fill_in_task);
}

const struct pool_test inside_tests[] = {
    TEST(a_task_may_submit_but_not_wait),
    TEST(a_task_is_told_of_a_full_queue),
    TEST_END,
};
