/*
 * giving.c - work that goes to a rank before it asks
 *
 * Looks into the pool, with the engine's lock: a rank that is told, and then
 * asks, gets the same task a moment later.
 */
#include "world.h"

#include "base/clock.h"
#include "pool/pool_priv.h"

/* The last rank has nothing to do, and this one knows it. */
static bool last_is_idle(struct world *w)
{
    const struct rpt_owner *owner = &w->pool->owner;

    return owner->idle != NULL && owner->idle[w->size - 1].want > 0 &&
           owner->n_nudged == 0;
}

static void give_unasked(struct world *w)
{
    struct rpt_engine *engine = rpt__comm_engine(rpt__pool_comm(w->pool));
    const struct rpt_owner *owner = &w->pool->owner;
    double limit = rpt__now_s() + 30;
    rpt_task_t *task = task_new("where", NULL, 0);
    const rpt_task_t *tasks[] = { task };
    rpt_future_t *future = NULL;
    const rpt_result_t *result;

    hold_each(w->pool);
    gate_open(OWN_GATE(w->size - 1));
    rpt__engine_lock(engine);
    while (!last_is_idle(w) && rpt__now_s() < limit) {
        rpt__engine_unlock(engine);
        rpt_pool_wait(w->pool, 1e-3);
        rpt__engine_lock(engine);
    }
    CHECK(last_is_idle(w));
    CHECK(rpt__pool_submit(w->pool, tasks, 1, &future) == RPT_OK);
    if (owner->n_ready > 0) { /* only the thread that waits may send */
        rpt__engine_poll(engine);
    }
    CHECK(owner->n_ready == 0 && owner->n_nudged == 0);
    rpt__engine_unlock(engine);
    result = ended(future, RPT_OUTCOME_OK);
    CHECK(result != NULL && result->rank == w->size - 1);
    rpt_future_destroy(future);
    rpt_task_destroy(task);
}

static void a_rank_that_is_known_to_be_idle_gets_work_unasked(void)
{
    drive(2, 7, "pool.slots=1", give_unasked);
}

const struct pool_test giving_tests[] = {
    TEST_FROM(2, a_rank_that_is_known_to_be_idle_gets_work_unasked),
    TEST_END,
};
