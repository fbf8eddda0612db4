/*
 * spmd.c - every rank submits; tasks submit tasks; one drain after another
 */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void submit_everywhere(struct world *w)
{
    enum { N = 500 };
    rpt_pool_stats_t stats;

    CHECK(pool_open(w, NULL) == RPT_OK);
    for (int round = 1; round <= 4; round++) {
        for (int i = 0; i < N; i++) {
            submit_quietly(w->pool, task_int("count", w->rank));
        }
        CHECK(rpt_pool_drain(w->pool) == RPT_OK);
        /* Those of all ranks have ended, not only the own ones. */
        for (int r = 0; r < w->size; r++) {
            CHECK(count_of(r) >= (uint32_t)(round * N));
        }
    }
    stats = stats_of(w->pool);
    CHECK(stats.submitted == 4 * N && stats.ended == 4 * N);
    CHECK(count_of(w->rank) == 4 * N);
    rpt_pool_destroy(w->pool);
}

static void every_rank_submits_and_drains_again_and_again(void)
{
    on_all(1, 7, NULL, submit_everywhere);
}

/* A node of depth d has three children of depth d - 1. */
static int tree(rpt_call_t *call, void *user)
{
    int depth;

    (void)user;
    memcpy(&depth, rpt_call_input(call, NULL), sizeof depth);
    count_up(0);
    for (int i = 0; depth > 0 && i < 3; i++) {
        submit_quietly(rpt_call_pool(call), task_int("tree", depth - 1));
    }
    return 0;
}

static void register_tree(struct world *w)
{
    CHECK(rpt_pool_register(w->pool, "tree", tree, NULL) == RPT_OK);
}

static void grow_trees(struct world *w)
{
    CHECK(pool_open(w, NULL) == RPT_OK);
    register_tree(w);
    submit_quietly(w->pool, task_int("tree", 6));
    CHECK(rpt_pool_drain(w->pool) == RPT_OK);
    CHECK(count_of(0) == 1093 * (uint32_t)w->size); /* (3^7 - 1) / 2 each */
    rpt_pool_destroy(w->pool);
}

static void trees_of_tasks_are_drained_whole(void)
{
    on_all(1, 7, NULL, grow_trees);
}

static void grow_one(struct world *w)
{
    submit_quietly(w->pool, task_int("tree", 7));
    CHECK(rpt_pool_shutdown(w->pool, RPT_SHUTDOWN_GRACEFUL, 0, NULL) == RPT_OK);
    w->closed = true;
    CHECK(count_of(0) == 3280);
}

static void a_graceful_shutdown_waits_for_what_tasks_submit(void)
{
    drive_with(register_tree, 1, 7, NULL, grow_one);
}

/* One rank submits, on every rank in turn, and all drain; often, so that ranks
 * that are late meet those that are early. */
static void drain_often(struct world *w)
{
    CHECK(pool_open(w, NULL) == RPT_OK);
    for (int i = 0; i < 200; i++) {
        if (i % w->size == w->rank) {
            submit_quietly(w->pool, task_int("count", i));
        }
        CHECK(rpt_pool_drain(w->pool) == RPT_OK);
        CHECK(count_of(i) == 1);
    }
    rpt_pool_destroy(w->pool);
}

static void many_drains_follow_each_other(void)
{
    on_all(1, 7, NULL, drain_often);
}

/* The last rank is still in a callback of the first drain when the others are
 * in the second: that must wait for it, and for what it submits first. */
static void dawdle(const rpt_result_t *result, void *user)
{
    (void)user;
    (void)result;
    gate_pass(0, 0.1); /* opened when the second drain is over */
}

static void drain_twice(struct world *w)
{
    CHECK(pool_open(w, NULL) == RPT_OK);
    if (w->rank == w->size - 1) {
        CHECK(rpt_pool_on_result(w->pool, dawdle, NULL) == RPT_OK);
        submit_quietly(w->pool, task_int("count", 0));
    }
    CHECK(rpt_pool_drain(w->pool) == RPT_OK);
    if (w->rank == w->size - 1) {
        CHECK(rpt_pool_on_result(w->pool, NULL, NULL) == RPT_OK);
        submit_quietly(w->pool, task_int("count", 1));
    }
    CHECK(rpt_pool_drain(w->pool) == RPT_OK);
    CHECK(count_of(1) == 1);
    gate_open(0);
    rpt_pool_destroy(w->pool);
}

static void a_rank_that_is_late_is_waited_for(void)
{
    on_all(1, 7, NULL, drain_twice);
}

static void submit_one_more(const rpt_result_t *result, void *user)
{
    struct world *w = user;

    (void)result;
    gate_pass(1, 0.01); /* never: gives others time to end too early */
    if (count_of(w->rank) < 20) {
        submit_quietly(w->pool, task_int("count", w->rank));
    }
}

static void drain_with_callbacks(struct world *w)
{
    CHECK(pool_open(w, NULL) == RPT_OK);
    CHECK(rpt_pool_on_result(w->pool, submit_one_more, w) == RPT_OK);
    submit_quietly(w->pool, task_int("count", w->rank));
    CHECK(rpt_pool_drain(w->pool) == RPT_OK);
    for (int r = 0; r < w->size; r++) {
        CHECK(count_of(r) == 20);
    }
    rpt_pool_destroy(w->pool);
}

static void a_drain_waits_for_what_callbacks_submit(void)
{
    on_all(1, 4, NULL, drain_with_callbacks);
}

/* ---- who drives ---- */

static void submit_some(struct world *w)
{
    rpt_future_t *future = submit_as(w->pool, task_int("where", 0), "a");
    const rpt_result_t *result;
    char id[32];

    ends(future, RPT_OUTCOME_OK);
    future = submit(w->pool, task_shell("echo $RPT_TASK_ID"));
    result = ended(future, RPT_OUTCOME_OK);
    snprintf(id, sizeof id, "%d:2\n", w->rank);
    CHECK(result != NULL && strncmp(result->id, id, strlen(result->id)) == 0);
    CHECK(stdout_is(result, id));
    rpt_future_destroy(future);
    for (int i = 0; i < 500; i++) {
        submit_quietly(w->pool, task_int("count", 0));
    }
    wait_all(w->pool);
    CHECK(count_of(0) == 500);
}

static void another_rank_may_drive(void)
{
    drive_from(1, 2, 7, NULL, submit_some);
}

const struct pool_test spmd_tests[] = {
    TEST(every_rank_submits_and_drains_again_and_again),
    TEST(trees_of_tasks_are_drained_whole),
    TEST(a_graceful_shutdown_waits_for_what_tasks_submit),
    TEST(many_drains_follow_each_other),
    TEST(a_rank_that_is_late_is_waited_for),
    TEST(a_drain_waits_for_what_callbacks_submit),
    TEST_FROM(2, another_rank_may_drive),
    TEST_END,
};
