/*
 * test_left.c - calls that nobody waits for, in groups that are destroyed
 */
#include "job.h"

#include <stdlib.h>
#include <string.h>

enum { MANY = 1 << 20 }; /* more than any way to another rank takes at once */

static rpt_coll_t sum_of(const int in[], int out[])
{
    return (rpt_coll_t){ .kind = RPT_COLL_ALLREDUCE,
                         .in = in,
                         .out = out,
                         .count = MANY,
                         .type = RPT_TYPE_I32,
                         .op = RPT_OP_SUM };
}

/* Starts a sum and does not want it any more. */
static void begin(rpt_group_t *group, const rpt_coll_t *coll, bool keeps)
{
    rpt_plan_t *plan = NULL;

    if (keeps) {
        CHECK(rpt_coll_start(group, coll, &plan) == RPT_OK);
    } else {
        CHECK(rpt_plan_create(group, coll, &plan) == RPT_OK);
        CHECK(rpt_plan_start(plan) == RPT_OK);
    }
    rpt_plan_destroy(plan);
}

/* ---- the others are told ---- */

static _Atomic uint32_t gone, told;

static void the_last_leaves(rpt_group_t *world)
{
    int rank = rpt_group_rank(world), size = rpt_group_size(world);
    int *x = calloc(2 * (size_t)MANY, sizeof *x);
    rpt_coll_t sum = sum_of(x, x + MANY);
    rpt_group_t *group = NULL;

    CHECK(rpt_group_split(world, 0, 0, &group) == RPT_OK);
    CHECK(rpt_barrier(group) == RPT_OK);
    if (rank == size - 1) {
        begin(group, &sum, size % 2 == 0);
        begin(group, &sum, false); /* behind the other one */
        rpt_group_destroy(group);
        count_up(&gone);
        await(&told, (uint32_t)size - 1);
    } else {
        await(&gone, 1);
        CHECK(rpt_allreduce(group, sum.in, sum.out, MANY, RPT_TYPE_I32,
                            RPT_OP_SUM) == RPT_ERR_MISMATCH);
        CHECK(strstr(rpt_last_error()->what, "destroyed its group") != NULL);
        CHECK(strstr(rpt_last_error()->why, "after 1 of them") != NULL);
        count_up(&told);
        rpt_group_destroy(group);
    }
    CHECK(rpt_barrier(world) == RPT_OK);
    free(x);
}

static void who_leaves_a_call_tells_those_that_wait(void)
{
    static const char *const layouts[][5] = {
        { "coll.deadline_s", "20", NULL },
        { "coll.deadline_s", "20", "topo.virtual_nodes", "2", NULL },
        { "coll.deadline_s", "20", "comm.shared_bytes", "0", NULL },
    };

    for (int n = rpt_test_is_short() ? 3 : 2; n <= 3; n++) {
        for (size_t k = 0; k < 3; k++) {
            struct job job = { .fn = the_last_leaves };

            gone = told = 0;
            run_job(n, layouts[k], &job);
        }
    }
}

/* ---- nothing is left ---- */

/* Rank 0 begins alone, so that its calls are not over. */
static void leave_often(rpt_group_t *world, int n, int *x)
{
    rpt_coll_t sum = sum_of(x, x + MANY);

    for (int i = 0; i < n; i++) {
        rpt_group_t *group = NULL;

        CHECK(rpt_group_split(world, 0, 0, &group) == RPT_OK);
        CHECK(rpt_barrier(group) == RPT_OK);
        if (rpt_group_rank(world) == 0) {
            begin(group, &sum, true);
            begin(group, &sum, false);
        }
        rpt_group_destroy(group);
        CHECK(rpt_barrier(world) == RPT_OK);
    }
}

static void leave(rpt_group_t *world)
{
    enum { FEW = 20, ROOM = 256 };
    int *x = calloc(2 * (size_t)MANY, sizeof *x);
    size_t before, after;

    leave_often(world, FEW, x);
    before = rpt_test_heap_bytes();
    CHECK(rpt_barrier(world) == RPT_OK);
    leave_often(world, FEW, x);
    after = rpt_test_heap_bytes();
    CHECK(rpt_barrier(world) == RPT_OK);
    CHECK(after < before + (size_t)FEW * ROOM);
    free(x);
}

static void groups_that_go_leave_nothing(void)
{
    static const char *const by_messages[] = { "comm.shared_bytes", "0", NULL };
    struct job job = { .fn = leave };

    run_job(2, NULL, &job);
    run_job(2, by_messages, &job); /* some come when their group is gone */
}

static const struct rpt_test tests[] = {
    RPT_TEST(who_leaves_a_call_tells_those_that_wait),
    RPT_TEST(groups_that_go_leave_nothing),
    RPT_TEST_END,
};

int main(int argc, char *argv[])
{
    return rpt_test_main("left calls", tests, 100, argc, argv);
}
