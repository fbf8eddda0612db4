/*
 * groups.c - pools over some of the ranks, side by side and one after another
 */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void work_in_half(struct world *w, rpt_group_t *half, int counter)
{
    rpt_future_t *future;
    const rpt_result_t *result;

    CHECK(pool_open(w, half) == RPT_OK);
    if (rpt_group_rank(half) > 0) {
        CHECK(rpt_pool_serve(w->pool) == RPT_OK);
        rpt_pool_destroy(w->pool);
        return;
    }
    future = submit_as(w->pool, task_int("where", 0), "same in both halves");
    result = ended(future, RPT_OUTCOME_OK);
    CHECK(result != NULL && result->rank % 2 == w->rank % 2);
    rpt_future_destroy(future);
    for (int i = 0; i < 300; i++) {
        submit_quietly(w->pool, task_int("count", counter));
    }
    CHECK(stats_of(w->pool).total_slots == rpt_group_size(half));
    wait_all(w->pool);
    CHECK(count_of(counter) == 300);
    CHECK(rpt_pool_shutdown(w->pool, RPT_SHUTDOWN_GRACEFUL, 0, NULL) == RPT_OK);
    rpt_pool_destroy(w->pool);
}

/* Ranks of the halves are in reverse order, so that the last one drives. */
static void halve(struct world *w)
{
    rpt_group_t *half = NULL;

    CHECK(rpt_group_split(rpt_group_world(w->context), w->rank % 2, -w->rank,
                          &half) == RPT_OK);
    work_in_half(w, half, w->rank % 2);
    rpt_group_destroy(half);
    meet(w);
}

static void two_pools_work_in_two_halves(void)
{
    on_all(1, 7, "pool.slots=1", halve);
}

static void leave_some_out(struct world *w)
{
    rpt_group_t *group = NULL;

    CHECK(rpt_group_split(rpt_group_world(w->context),
                          w->rank == 0 ? RPT_COLOR_NONE : 0, 0,
                          &group) == RPT_OK);
    CHECK((group == NULL) == (w->rank == 0));
    if (group != NULL) {
        CHECK(pool_open(w, group) == RPT_OK);
        submit_quietly(w->pool, task_int("count", 0));
        CHECK(rpt_pool_drain(w->pool) == RPT_OK);
        CHECK(count_of(0) == (uint32_t)w->size - 1);
        rpt_pool_destroy(w->pool);
        rpt_group_destroy(group);
    }
    meet(w);
}

static void a_rank_may_be_left_out(void)
{
    on_all(2, 7, NULL, leave_some_out);
}

/* Messages of an old pool that are still under way must not reach a new one:
 * some tasks are dropped, their ranks late. */
static void one_after_another(struct world *w)
{
    for (int i = 0; i < 12; i++) {
        uint64_t dropped = 0;

        CHECK(pool_open(w, NULL) == RPT_OK);
        if (w->rank == i % w->size) {
            for (int k = 0; k < 100; k++) {
                submit_quietly(w->pool, task_int("count", i));
            }
            CHECK(rpt_pool_shutdown(w->pool,
                                    i % 3 == 0 ? RPT_SHUTDOWN_NOW
                                               : RPT_SHUTDOWN_GRACEFUL,
                                    0, &dropped) == RPT_OK);
            CHECK(count_of(i) + dropped == 100);
            CHECK(i % 3 == 0 || dropped == 0);
        } else {
            CHECK(rpt_pool_serve(w->pool) == RPT_OK);
        }
        rpt_pool_destroy(w->pool);
    }
}

static void a_pool_follows_a_pool(void)
{
    on_all(1, 7, NULL, one_after_another);
}

/* World, halves, world: numbers of pools differ between the halves. */
static void mix_groups(struct world *w)
{
    rpt_group_t *half = NULL;

    CHECK(rpt_group_split(rpt_group_world(w->context), w->rank % 2, w->rank,
                          &half) == RPT_OK);
    for (int i = 0; i < 1 + 2 * (w->rank % 2); i++) {
        CHECK(pool_open(w, half) == RPT_OK);
        submit_quietly(w->pool, task_int("count", w->rank % 2));
        CHECK(rpt_pool_drain(w->pool) == RPT_OK);
        rpt_pool_destroy(w->pool);
    }
    CHECK(pool_open(w, NULL) == RPT_OK);
    submit_quietly(w->pool, task_int("count", 2));
    CHECK(rpt_pool_drain(w->pool) == RPT_OK);
    CHECK(count_of(2) == (uint32_t)w->size);
    CHECK(count_of(0) == (uint32_t)(w->size + 1) / 2);
    CHECK(count_of(1) == 3 * (uint32_t)(w->size / 2));
    rpt_pool_destroy(w->pool);
    rpt_group_destroy(half);
}

static void pools_of_several_groups_take_turns(void)
{
    on_all(2, 7, NULL, mix_groups);
}

static void two_at_once(struct world *w)
{
    rpt_pool_t *second = NULL;

    CHECK(pool_open(w, NULL) == RPT_OK);
    CHECK_ERROR(RPT_ERR_STATE, rpt_pool_create(w->context, NULL, &second));
    CHECK(second == NULL);
    CHECK(rpt_pool_drain(w->pool) == RPT_OK);
    rpt_pool_destroy(w->pool);
    CHECK(pool_open(w, NULL) == RPT_OK);
    CHECK(rpt_pool_drain(w->pool) == RPT_OK);
    rpt_pool_destroy(w->pool);
}

static void a_second_pool_at_the_same_time_is_refused(void)
{
    on_all(1, 4, NULL, two_at_once);
}

/* A pool of a failed creation leaves room for another one. */
static void never_mind(struct world *w)
{
    rpt_pool_t *pool = NULL;

    for (int i = 0; i < 3; i++) {
        CHECK_ERROR(RPT_ERR_PARSE, rpt_pool_create(w->context, NULL, &pool));
    }
}

static void a_failed_creation_leaves_nothing_behind(void)
{
    on_all(1, 4, "pool.resources=?", never_mind);
}

const struct pool_test groups_tests[] = {
    TEST(two_pools_work_in_two_halves),
    TEST_FROM(2, a_rank_may_be_left_out),
    TEST(a_pool_follows_a_pool),
    TEST_FROM(2, pools_of_several_groups_take_turns),
    TEST(a_second_pool_at_the_same_time_is_refused),
    TEST(a_failed_creation_leaves_nothing_behind),
    TEST_END,
};
