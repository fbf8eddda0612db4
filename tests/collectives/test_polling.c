/*
 * test_polling.c - ranks that only ask, and never wait, learn the same
 *
 * A program may call nothing but rpt_plan_test() and rpt_reducer_test(), as one
 * that calls MPI_Test does: ranks that are missing, and ranks that make other
 * calls, must be told to it too.
 */
#include "job.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Asks until it is over. */
static rpt_status_t poll_for(rpt_plan_t *plan)
{
    rpt_status_t status;

    while ((status = rpt_plan_test(plan)) == RPT_PENDING) {
        sched_yield();
    }
    return status;
}

static rpt_plan_t *started(rpt_group_t *group, const rpt_coll_t *coll)
{
    rpt_plan_t *plan = NULL;

    CHECK(rpt_coll_start(group, coll, &plan) == RPT_OK);
    return plan;
}

static rpt_coll_t sum_of(const double in[], double out[], size_t count)
{
    return (rpt_coll_t){ .kind = RPT_COLL_ALLREDUCE,
                         .in = in,
                         .out = out,
                         .count = count,
                         .type = RPT_TYPE_F64,
                         .op = RPT_OP_SUM };
}

/* ---- ranks that are missing ---- */

static _Atomic uint32_t gate;
static size_t count;

static void the_last_is_missing(rpt_group_t *group)
{
    int rank = rpt_group_rank(group), size = rpt_group_size(group);
    double *x = calloc(2 * count, sizeof *x);
    rpt_coll_t coll = sum_of(x, x + count, count);
    char name[24];

    snprintf(name, sizeof name, "rank %d on", size - 1);
    if (rank == size - 1) {
        await(&gate, (uint32_t)size - 1);
        CHECK(rpt_barrier(group) < RPT_OK);
    } else {
        rpt_plan_t *first = started(group, &coll);
        rpt_plan_t *second = started(group, &coll);

        CHECK(poll_for(first) == RPT_ERR_TIMEOUT);
        CHECK(strstr(rpt_last_error()->what, name) != NULL);
        CHECK(poll_for(second) < RPT_OK);
        rpt_plan_destroy(first);
        rpt_plan_destroy(second);
        count_up(&gate);
        CHECK(rpt_barrier(group) == RPT_ERR_STATE);
    }
    free(x);
}

static const char *const deadlines[][5] = {
    { "coll.deadline_s", "300ms", NULL },
    { "coll.deadline_s", "300ms", "topo.virtual_nodes", "4", NULL },
    { "comm.deadline_s", "300ms", "comm.shared_bytes", "0", NULL },
};

static void who_asks_is_told_who_is_missing(void)
{
    static const size_t counts[] = { 1, 100000 };

    for (int n = 2; n <= 4; n++) {
        for (size_t k = 0; k < 6; k++) {
            struct job job = { .fn = the_last_is_missing };

            gate = 0;
            count = counts[k / 3];
            run_job(n, deadlines[k % 3], &job);
        }
    }
}

/* The one that is asked for waits behind another, for which nobody asks. */
static void only_the_second_is_asked_for(rpt_group_t *group)
{
    int rank = rpt_group_rank(group), size = rpt_group_size(group);
    double x[2] = { 0 };
    rpt_coll_t coll = sum_of(x, x + 1, 1);

    if (rank == size - 1) {
        await(&gate, (uint32_t)size - 1);
        CHECK(rpt_barrier(group) < RPT_OK);
    } else {
        rpt_plan_t *first = started(group, &coll);
        rpt_plan_t *second = started(group, &coll);

        CHECK(poll_for(second) == RPT_ERR_TIMEOUT);
        CHECK(poll_for(first) < RPT_OK);
        rpt_plan_destroy(first);
        rpt_plan_destroy(second);
        count_up(&gate);
    }
}

static void what_waits_behind_another_is_asked_for_too(void)
{
    for (size_t k = 0; k < 3; k++) {
        struct job job = { .fn = only_the_second_is_asked_for };

        gate = 0;
        run_job(3, deadlines[k], &job);
    }
}

static void the_last_has_no_reducer(rpt_group_t *group)
{
    int rank = rpt_group_rank(group), size = rpt_group_size(group);
    double x[4] = { 0 }, y[4] = { 0 };
    rpt_reducer_array_t arrays[] = { { x, 4 }, { y, 4 } };
    rpt_reducer_config_t config = { .type = RPT_TYPE_F64, .bucket_bytes = 1 };
    rpt_reducer_t *reducer = NULL;
    char name[24];

    snprintf(name, sizeof name, "rank %d on", size - 1);
    CHECK(rpt_reducer_create(group, &config, arrays, 2, &reducer) == RPT_OK);
    if (rank == size - 1) {
        await(&gate, (uint32_t)size - 1);
    } else {
        CHECK(rpt_reducer_ready_all(reducer) == RPT_OK);
        while (rpt_reducer_test(reducer) == RPT_PENDING) {
            sched_yield();
        }
        CHECK(rpt_reducer_wait(reducer) == RPT_ERR_TIMEOUT);
        CHECK(strstr(rpt_last_error()->what, name) != NULL);
        count_up(&gate);
    }
    rpt_reducer_destroy(reducer);
}

static void who_asks_a_reducer_is_told_too(void)
{
    for (size_t k = 0; k < 3; k++) {
        struct job job = { .fn = the_last_has_no_reducer };

        gate = 0;
        run_job(3, deadlines[k], &job);
    }
}

static void the_last_is_late(rpt_group_t *group)
{
    int rank = rpt_group_rank(group), size = rpt_group_size(group);
    double x[2] = { 1 };
    rpt_coll_t coll = sum_of(x, x + 1, 1);
    rpt_plan_t *plan;

    if (rank == size - 1) {
        await_warning();
    }
    plan = started(group, &coll);
    CHECK(poll_for(plan) == RPT_OK);
    CHECK(x[1] == size);
    rpt_plan_destroy(plan);
}

static void who_asks_is_warned(void)
{
    static const char *const layouts[][5] = {
        { "comm.warn_s", "200ms", NULL },
        { "comm.warn_s", "200ms", "topo.virtual_nodes", "4", NULL },
    };

    for (size_t k = 0; k < 2; k++) {
        struct job job = { .fn = the_last_is_late };

        watch_warnings();
        run_job(4, layouts[k], &job);
        CU_ASSERT(strstr(last_warning(), "waits for rank 3") != NULL);
        stop_watching();
    }
}

/* In a group whose ranks are numbered backwards. */
static void the_first_is_missing_from_a_group(rpt_group_t *world)
{
    int rank = rpt_group_rank(world), size = rpt_group_size(world);
    double x[2] = { 0 };
    rpt_coll_t coll = sum_of(x, x + 1, 1);
    rpt_group_t *group = NULL;

    CHECK(rpt_group_split(world, 0, size - rank, &group) == RPT_OK);
    if (rank == 0) {
        await(&gate, (uint32_t)size - 1);
    } else {
        rpt_plan_t *plan = started(group, &coll);

        CHECK(poll_for(plan) == RPT_ERR_TIMEOUT);
        CHECK(strstr(rpt_last_error()->what, "for rank 2 on ") != NULL);
        CHECK(strstr(rpt_last_error()->what, " (rank 0 of all)") != NULL);
        CHECK(strstr(rpt_last_error()->hint, "raise coll.deadline_s") != NULL);
        rpt_plan_destroy(plan);
        count_up(&gate);
    }
    rpt_group_destroy(group);
}

static void the_missing_of_a_group_are_named_in_the_world_too(void)
{
    for (size_t k = 0; k < 3; k++) {
        struct job job = { .fn = the_first_is_missing_from_a_group };

        gate = 0;
        run_job(3, deadlines[k], &job);
    }
}

/* A plan is asked for long after its start: its patience begins then.  The time
 * is what is tested: it passes the deadline. */
static void ranks_ask_late(rpt_group_t *group)
{
    struct timespec pause = { .tv_sec = 2, .tv_nsec = 200000000 };
    double x[2] = { 1 };
    rpt_coll_t coll = sum_of(x, x + 1, 1);
    rpt_plan_t *plan = NULL;

    if (rpt_group_rank(group) == 0) {
        plan = started(group, &coll);
        nanosleep(&pause, NULL);
        count_up(&gate);
    } else {
        await(&gate, 1);
        plan = started(group, &coll);
    }
    CHECK(poll_for(plan) == RPT_OK);
    rpt_plan_destroy(plan);
}

static void time_counts_from_the_first_question(void)
{
    static const char *const layout[] = { "coll.deadline_s", "2", NULL };
    struct job job = { .fn = ranks_ask_late };

    gate = 0;
    run_job(2, layout, &job);
}

/* ---- ranks that make other calls ---- */

enum { N_CALLS = 5 };
static int another_call;

/* What the last rank does while the others sum. */
static rpt_coll_t call_of(bool is_last, double x[])
{
    rpt_coll_t coll = sum_of(x, x + 4000, 4);

    if (!is_last) {
        return coll;
    }
    switch (another_call) {
    case 0:
        coll.count = 3;
        break;
    case 1:
        coll.count = 4000;
        break;
    case 2:
        coll.op = RPT_OP_MAX;
        break;
    case 3:
        coll.kind = RPT_COLL_ALLTOALL;
        break;
    default:
        coll.kind = RPT_COLL_BROADCAST;
        coll.in = NULL;
        coll.out = x;
        coll.root = 0;
    }
    return coll;
}

/* The start may fail: another rank has found it. */
static rpt_status_t start_and_poll(rpt_group_t *group, const rpt_coll_t *coll)
{
    rpt_plan_t *plan = NULL;
    rpt_status_t status = rpt_coll_start(group, coll, &plan);

    if (status == RPT_OK) {
        status = poll_for(plan);
        rpt_plan_destroy(plan);
    }
    return status;
}

static void one_calls_another_operation(rpt_group_t *group)
{
    bool is_last = rpt_group_rank(group) == rpt_group_size(group) - 1;
    double *x = calloc(40000, sizeof *x);
    rpt_coll_t coll = call_of(is_last, x), sum = sum_of(x, x + 4000, 4);
    rpt_status_t first = start_and_poll(group, &coll);
    rpt_status_t second = start_and_poll(group, &sum);

    CHECK(first == RPT_OK || first == RPT_ERR_MISMATCH);
    CHECK(first == RPT_ERR_MISMATCH || second == RPT_ERR_MISMATCH);
    CHECK(second < RPT_OK);
    free(x);
}

static void who_asks_is_told_of_other_calls(void)
{
    static const char *const layouts[][5] = {
        { "comm.warn_s", "0", NULL },
        { "comm.warn_s", "0", "topo.virtual_nodes", "4", NULL },
        { "comm.warn_s", "0", "comm.shared_bytes", "0", NULL },
    };

    for (int n = 2; n <= 4; n++) {
        for (size_t k = 0; k < 3; k++) {
            for (another_call = 0; another_call < N_CALLS; another_call++) {
                struct job job = { .fn = one_calls_another_operation };

                run_job(n, layouts[k], &job);
            }
        }
    }
}

/* Nothing but this rank's telling where it is would end it. */
static void one_is_in_a_call_of_the_group(rpt_group_t *group)
{
    bool is_last = rpt_group_rank(group) == rpt_group_size(group) - 1;
    double x[2] = { 0 };
    rpt_coll_t coll = sum_of(x, x + 1, 1);

    if (is_last) {
        CHECK(rpt_group_barrier(group) == RPT_ERR_MISMATCH);
    } else {
        rpt_plan_t *plan = started(group, &coll);

        CHECK(poll_for(plan) == RPT_ERR_MISMATCH);
        CHECK(strstr(rpt_last_error()->what, "calls rpt_group_barrier") !=
              NULL);
        rpt_plan_destroy(plan);
    }
}

static void who_asks_is_told_of_calls_of_the_group(void)
{
    static const char *const layouts[][5] = {
        { "comm.warn_s", "0", NULL },
        { "comm.warn_s", "0", "topo.virtual_nodes", "3", NULL },
        { "comm.warn_s", "0", "comm.shared_bytes", "0", NULL },
    };

    for (size_t k = 0; k < 3; k++) {
        struct job job = { .fn = one_is_in_a_call_of_the_group };

        run_job(3, layouts[k], &job);
    }
}

/* Rank 0 gives rank 2 another count than rank 1 does, which is found in the
 * next call; rank 2 is still in the first one, or comes later. */
static void the_root_is_behind(rpt_group_t *group)
{
    enum { N = 20051 };
    int rank = rpt_group_rank(group);
    float *x = calloc(2 * N, sizeof *x);
    rpt_status_t status = RPT_OK;

    if (rank == 2) {
        await(&gate, 1);
    }
    for (int i = 0; i < 4 && status == RPT_OK; i++) {
        rpt_coll_t coll = { .kind = RPT_COLL_REDUCE,
                            .in = x,
                            .out = x + N,
                            .count = i > 0        ? 1162
                                     : rank == 0 ? (size_t)N
                                                 : 51,
                            .type = RPT_TYPE_F32,
                            .op = RPT_OP_SUM,
                            .root = i == 0 ? 2 : 0 };

        status = start_and_poll(group, &coll);
        CHECK(status == RPT_OK || status == RPT_ERR_MISMATCH);
    }
    CHECK(status == RPT_ERR_MISMATCH);
    count_up(&gate);
    free(x);
}

static void who_asks_in_a_call_before_is_told_too(void)
{
    static const char *const layout[] = { "comm.warn_s", "0", NULL };
    struct job job = { .fn = the_root_is_behind };

    gate = 0;
    run_job(3, layout, &job);
}

static const struct rpt_test tests[] = {
    RPT_TEST(who_asks_is_told_who_is_missing),
    RPT_TEST(what_waits_behind_another_is_asked_for_too),
    RPT_TEST(who_asks_a_reducer_is_told_too),
    RPT_TEST(who_asks_is_warned),
    RPT_TEST(the_missing_of_a_group_are_named_in_the_world_too),
    RPT_TEST(time_counts_from_the_first_question),
    RPT_TEST(who_asks_is_told_of_other_calls),
    RPT_TEST(who_asks_is_told_of_calls_of_the_group),
    RPT_TEST(who_asks_in_a_call_before_is_told_too),
    RPT_TEST_END,
};

int main(int argc, char *argv[])
{
    return rpt_test_main("collectives polling", tests, 600, argc, argv);
}
