/*
 * test_misfit.c - ranks that make different calls, and ranks that do not come
 */
#include "giving.h"
#include "job.h"

#include "base/error.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- ranks that disagree, ranks that are missing ---- */

/* What the last rank calls while the others sum 4 elements. */
static int another_call;
enum { N_OTHER_CALLS = 6 };

static rpt_status_t call_another(rpt_group_t *group, double x[], double y[])
{
    size_t counts[8] = { 1, 1, 1, 1, 1, 1, 1, 1 };

    switch (another_call) {
    case 0: /* other flags */
        return rpt_allreduce(group, x, y, 3, RPT_TYPE_F64, RPT_OP_SUM);
    case 1: /* other blocks */
        return rpt_allreduce(group, x, y, 4000, RPT_TYPE_F64, RPT_OP_SUM);
    case 2:
        return rpt_allreduce(group, x, y, 4, RPT_TYPE_F64, RPT_OP_MAX);
    case 3:
        return rpt_barrier(group);
    case 4: /* messages */
        return rpt_alltoallv(group, x, counts, NULL, y, counts, NULL,
                             RPT_TYPE_F64);
    default:
        return rpt_broadcast(group, x, 4, RPT_TYPE_F64, 0);
    }
}

static void one_calls_another_operation(rpt_group_t *group)
{
    int rank = rpt_group_rank(group), size = rpt_group_size(group);
    double *x = calloc(8000, sizeof *x), *y = x + 4000;
    rpt_status_t first, second;

    first = rank == size - 1
                ? call_another(group, x, y)
                : rpt_allreduce(group, x, y, 4, RPT_TYPE_F64, RPT_OP_SUM);
    second = rpt_allreduce(group, x, y, 4, RPT_TYPE_F64, RPT_OP_SUM);
    CHECK(first == RPT_ERR_MISMATCH || second == RPT_ERR_MISMATCH);
    CHECK(second < RPT_OK);
    CHECK(rpt_barrier(group) == RPT_ERR_STATE);
    CHECK(strstr(rpt_last_error()->why, "rank") != NULL);
    free(x);
}

static void different_calls_are_an_error_on_all(void)
{
    static const char *const layouts[][3] = { { NULL },
                                              { "topo.virtual_nodes", "4" },
                                              { "comm.shared_bytes", "0" } };

    for (int n = 2; n <= 4; n++) {
        for (size_t k = 0; k < 3; k++) {
            for (int other = 0; other < N_OTHER_CALLS; other++) {
                struct job job = { .fn = one_calls_another_operation };

                another_call = other;
                run_job(n, layouts[k], &job);
            }
        }
    }
}

/* What the last rank calls, and what the others do: none waits for all. */
static rpt_status_t part(rpt_group_t *group, double x[], double y[],
                         bool is_last)
{
    int root = is_last ? rpt_group_size(group) - 1 : 0;

    switch (another_call) {
    case 0: /* all give, nobody takes */
        return rpt_broadcast(group, x, 4, RPT_TYPE_F64, root);
    case 1:
        return rpt_reduce(group, x, y, 5, RPT_TYPE_F64, RPT_OP_SUM, root);
    case 2:
        return rpt_gather(group, x, y, 300, RPT_TYPE_F64, root);
    case 3:
        return rpt_scatter(group, x, y, 4, RPT_TYPE_F64, root);
    case 4:
        return is_last ? rpt_broadcast(group, x, 4, RPT_TYPE_F64, root)
                       : rpt_scan(group, x, y, 4, RPT_TYPE_F64, RPT_OP_SUM);
    case 5: /* elements that differ in bytes */
        return rpt_broadcast(group, x, 1,
                             RPT_TYPE_OPAQUE(is_last ? 1 << 17 : 1 << 16), 0);
    default: /* some expect what others do not send */
        return rpt_alltoall(group, x, y, is_last ? 0 : 2, RPT_TYPE_F64);
    }
}
enum { N_PARTS = 7 };

static void one_has_another_part(rpt_group_t *group)
{
    bool is_last = rpt_group_rank(group) == rpt_group_size(group) - 1;
    double *x = calloc(1 << 15, sizeof *x), *y = x + (1 << 14);
    rpt_status_t first = part(group, x, y, is_last), second;

    CHECK(first == RPT_OK || first == RPT_ERR_MISMATCH);
    second = rpt_allreduce(group, x, y, 4, RPT_TYPE_F64, RPT_OP_SUM);
    CHECK(first == RPT_ERR_MISMATCH || second == RPT_ERR_MISMATCH);
    CHECK(second < RPT_OK);
    if (second == RPT_ERR_MISMATCH) {
        CHECK(strstr(rpt_last_error()->what, "rank") != NULL);
    }
    free(x);
}

/* Where each rank waits for others than it should, this is told after 2 s. */
static void different_parts_are_an_error_on_all(void)
{
    static const char *const layouts[][3] = { { NULL },
                                              { "topo.virtual_nodes", "2" },
                                              { "comm.shared_bytes", "0" } };

    for (int n = 2; n <= 3; n++) {
        for (size_t k = 0; k < 3; k++) {
            for (another_call = 0; another_call < N_PARTS; another_call++) {
                struct job job = { .fn = one_has_another_part };

                run_job(n, layouts[k], &job);
            }
        }
    }
}

/* Rank 0 waits; the others are done, and call nothing until they know. */
static void one_waits_in_vain(rpt_group_t *group)
{
    int rank = rpt_group_rank(group);
    double x[8] = { 0 }, y[8];
    rpt_status_t status = rpt_alltoall(group, x, y, rank == 0 ? 2 : 0,
                                       RPT_TYPE_F64);

    if (rank == 0) {
        CHECK(status == RPT_ERR_MISMATCH);
        return;
    }
    CHECK(status == RPT_OK || status == RPT_ERR_MISMATCH);
    while (!rpt__group_is_failed(group)) {
        sched_yield();
    }
    CHECK(rpt_barrier(group) ==
          (status == RPT_OK ? RPT_ERR_MISMATCH : RPT_ERR_STATE));
}

static void who_is_done_answers_those_that_wait(void)
{
    static const char *const none[] = { "comm.shared_bytes", "0", NULL };

    for (int n = 2; n <= 3; n++) {
        struct job job = { .fn = one_waits_in_vain };

        run_job(n, none, &job);
    }
}

/* ---- calls of different kinds ---- */

/* What the last rank calls, or (odd) all others, while the rest sums. */
static rpt_status_t call_of_group(rpt_group_t *group, double x[])
{
    rpt_reducer_config_t config = { .type = RPT_TYPE_F64 };
    rpt_reducer_array_t array = { x, 4 };
    rpt_reducer_t *reducer = NULL;
    rpt_group_t *half = NULL;

    switch (another_call / 2) {
    case 0:
        return rpt_group_barrier(group);
    case 1:
        return rpt_group_split(group, 0, 0, &half);
    default:
        return rpt_reducer_create(group, &config, &array, 1, &reducer);
    }
}
enum { N_CALLS_OF_GROUPS = 6 };

static void one_is_in_a_call_of_another_kind(rpt_group_t *group)
{
    static const char *const names[] = { "calls rpt_group_barrier",
                                         "calls rpt_group_split",
                                         "calls rpt_reducer_create" };
    bool is_last = rpt_group_rank(group) == rpt_group_size(group) - 1;
    double x[8] = { 0 };
    char name[24];

    CHECK(rpt_barrier(group) == RPT_OK);
    CHECK(rpt_group_barrier(group) == RPT_OK);
    CHECK((is_last == (another_call % 2 == 0)
               ? call_of_group(group, x)
               : rpt_allreduce(group, x, x + 4, 4, RPT_TYPE_F64, RPT_OP_SUM)) ==
          RPT_ERR_MISMATCH);
    snprintf(name, sizeof name, "rank %d calls", rpt_group_size(group) - 1);
    CHECK(strstr(rpt_last_error()->what, name) != NULL);
    CHECK(strstr(rpt_last_error()->what, names[another_call / 2]) != NULL);
    CHECK(strstr(rpt_last_error()->what, "calls allreduce of f64") != NULL);
    CHECK(strstr(rpt_last_error()->why, "the same calls") != NULL);
    CHECK(strstr(rpt_last_error()->hint, "coll.check=full") != NULL);
    CHECK(rpt_barrier(group) == RPT_ERR_STATE);
    CHECK(rpt_group_barrier(group) == RPT_ERR_STATE);
}

static void calls_of_different_kinds_are_an_error_on_all(void)
{
    static const char *const layouts[][7] = {
        { "comm.deadline_s", "2", NULL },
        { "comm.deadline_s", "2", "topo.virtual_nodes", "3", NULL },
        { "comm.deadline_s", "2", "comm.shared_bytes", "0", NULL },
    };

    for (int n = 2; n <= 3; n++) {
        for (size_t k = 0; k < 3; k++) {
            for (another_call = 0; another_call < N_CALLS_OF_GROUPS;
                 another_call++) {
                struct job job = { .fn = one_is_in_a_call_of_another_kind };

                run_job(n, layouts[k], &job);
            }
        }
    }
}

/* Nothing else would end it. */
static void calls_of_different_kinds_are_found_without_a_deadline(void)
{
    static const char *const layout[] = { "comm.warn_s", "0", NULL };

    for (another_call = 0; another_call < N_CALLS_OF_GROUPS; another_call++) {
        struct job job = { .fn = one_is_in_a_call_of_another_kind };

        run_job(3, layout, &job);
    }
}

/* Rank 1 has given and went on to the next call; it is in an operation there,
 * and so is rank 0, but in the first one. */
static void one_has_given_before(rpt_group_t *group)
{
    int rank = rpt_group_rank(group), x = 1;

    if (rank == 1) {
        CHECK(rpt_broadcast(group, &x, 1, RPT_TYPE_I32, 1) == RPT_OK);
        CHECK(rpt_broadcast(group, &x, 1, RPT_TYPE_I32, 0) == RPT_ERR_MISMATCH);
    } else {
        CHECK(rpt_group_barrier(group) == RPT_ERR_MISMATCH);
    }
    CHECK(strstr(rpt_last_error()->what,
                 "rank 1 calls broadcast of i32, operator none, root 1") !=
          NULL);
    CHECK(strstr(rpt_last_error()->what, "rank 0 calls rpt_group_barrier") !=
          NULL);
}

static void the_call_that_took_the_place_of_another_is_named(void)
{
    static const char *const layouts[][5] = {
        { "comm.deadline_s", "2", NULL },
        { "comm.deadline_s", "2", "comm.shared_bytes", "0", NULL },
    };

    for (size_t k = 0; k < 2; k++) {
        struct job job = { .fn = one_has_given_before };

        run_job(2, layouts[k], &job);
    }
}

/* ---- a rank that is still in a good call ---- */

static _Atomic uint32_t told;

/* Rank 2 waits for rank 3 in the first call, when rank 0 finds that rank 1
 * makes another second one. */
static void two_part_when_one_is_behind(rpt_group_t *group)
{
    int rank = rpt_group_rank(group), x[8] = { 0 }, y[8] = { 0 };
    size_t in[4] = { 0, 0, rank == 3, 0 }, out[4] = { 0, 0, 0, rank == 2 };

    x[0] = 7;
    if (rank == 3) {
        await(&told, 1);
    }
    CHECK(rpt_alltoallv(group, x, in, NULL, y, out, NULL, RPT_TYPE_I32) ==
          RPT_OK);
    CHECK(y[0] == (rank == 2 ? 7 : 0));
    CHECK(rpt_broadcast(group, x, rank == 1 ? 5 : 4, RPT_TYPE_I32, 1) ==
          RPT_ERR_MISMATCH);
    if (rank == 0) {
        count_up(&told);
    }
    CHECK(rpt_barrier(group) == RPT_ERR_STATE);
}

static void a_call_before_the_misfit_goes_on(void)
{
    static const char *const layouts[][5] = {
        { "coll.broadcast.algorithm", "binomial", "comm.shared_bytes", "0",
          NULL },
        { "coll.broadcast.algorithm", "binomial", "topo.virtual_nodes", "4",
          NULL },
    };

    for (size_t k = 0; k < 2; k++) {
        struct job job = { .fn = two_part_when_one_is_behind };

        told = 0;
        run_job(4, layouts[k], &job);
    }
}

/* Rank 0 starts the second call when what rank 2 sent in it is there already,
 * and waits for it with the first one open.  Rank 1 gives nothing in that
 * before it knows that the second will not fit. */
static void one_waits_for_the_second_first(rpt_group_t *group)
{
    int rank = rpt_group_rank(group), x = 7, y = 0, z[8] = { 0 };
    size_t in[3] = { rank == 1, 0, 0 }, out[3] = { 0, rank == 0, 0 };
    const rpt_coll_t first = { .kind = RPT_COLL_ALLTOALL,
                               .in = &x,
                               .out = &y,
                               .type = RPT_TYPE_I32,
                               .counts = in,
                               .out_counts = out };
    const rpt_coll_t second = { .kind = RPT_COLL_BROADCAST,
                                .out = z,
                                .count = rank == 2 ? 5 : 4,
                                .type = RPT_TYPE_I32,
                                .root = 2 };
    rpt_group_t *pair = NULL;
    rpt_plan_t *plans[2];

    CHECK(rpt_group_split(group, rank == 1, 0, &pair) == RPT_OK);
    CHECK(rpt_plan_create(group, &first, &plans[0]) == RPT_OK);
    CHECK(rpt_plan_create(group, &second, &plans[1]) == RPT_OK);
    while (rank == 1 && !rpt__group_is_failed(group)) {
        sched_yield();
    }
    CHECK(rpt_plan_start(plans[0]) == RPT_OK);
    CHECK(rank != 0 || rpt_barrier(pair) == RPT_OK);
    if (rank != 1) {
        CHECK(rpt_plan_start(plans[1]) == RPT_OK);
    }
    CHECK(rank != 2 || rpt_barrier(pair) == RPT_OK);
    CHECK((rank != 1 ? rpt_plan_wait(plans[1]) : rpt_plan_start(plans[1])) ==
          RPT_ERR_MISMATCH);
    CHECK(rpt_plan_wait(plans[0]) == RPT_OK);
    CHECK(y == (rank == 0 ? 7 : 0));
    rpt_plan_destroy(plans[0]);
    rpt_plan_destroy(plans[1]);
    rpt_group_destroy(pair);
}

static void an_open_call_before_the_misfit_goes_on(void)
{
    static const char *const layout[] = { "coll.broadcast.algorithm",
                                          "binomial", "comm.shared_bytes", "0",
                                          NULL };
    struct job job = { .fn = one_waits_for_the_second_first };

    run_job(3, layout, &job);
}

/* ---- a rank that has destroyed its group ---- */

static bool goes_late; /* when the others have waited and said so */

/* All ranks but the last sum twice; that one once, and waits until the others
 * know. */
static void one_destroys_its_group(rpt_group_t *world)
{
    int rank = rpt_group_rank(world), size = rpt_group_size(world), sum = 0;
    rpt_group_t *group = NULL;
    char name[64];

    CHECK(rpt_group_split(world, 0, 0, &group) == RPT_OK);
    CHECK(rpt_allreduce(group, &rank, &sum, 1, RPT_TYPE_I32, RPT_OP_SUM) ==
          RPT_OK);
    CHECK(sum == size * (size - 1) / 2);
    if (rank == size - 1) {
        if (goes_late) {
            await_warning();
        }
        rpt_group_destroy(group);
        await(&told, (uint32_t)size - 1);
        CHECK(rpt_barrier(world) == RPT_OK);
        return;
    }
    CHECK(rpt_allreduce(group, &rank, &sum, 1, RPT_TYPE_I32, RPT_OP_SUM) ==
          RPT_ERR_MISMATCH);
    snprintf(name, sizeof name, "rank %d has destroyed its group", size - 1);
    CHECK(strstr(rpt_last_error()->what, name) != NULL);
    CHECK(strstr(rpt_last_error()->why, "after 1 of them") != NULL);
    CHECK(strstr(rpt_last_error()->hint, "rpt_group_destroy") != NULL);
    count_up(&told);
    CHECK(rpt_barrier(group) == RPT_ERR_STATE);
    rpt_group_destroy(group);
    CHECK(rpt_barrier(world) == RPT_OK);
}

/* The one that is gone says so, long before the deadline. */
static void who_destroyed_its_group_tells_those_that_wait(void)
{
    static const char *const layouts[][5] = {
        { "coll.deadline_s", "20", NULL },
        { "coll.deadline_s", "20", "topo.virtual_nodes", "2", NULL },
        { "coll.deadline_s", "20", "comm.shared_bytes", "0", NULL },
    };

    for (int n = 2; n <= 4; n++) {
        for (size_t k = 0; k < 3; k++) {
            struct job job = { .fn = one_destroys_its_group };

            told = 0;
            goes_late = false;
            run_job(n, layouts[k], &job);
        }
    }
}

/* Rank 0 gives; once the other is gone, until its blocks are full. */
static void one_stops_taking(rpt_group_t *world)
{
    enum { MORE = 64 }; /* than there are blocks */
    int rank = rpt_group_rank(world), x = 1, n = 0;
    rpt_group_t *group = NULL;
    rpt_status_t status;

    CHECK(rpt_group_split(world, 0, 0, &group) == RPT_OK);
    CHECK(rpt_broadcast(group, &x, 1, RPT_TYPE_I32, 0) == RPT_OK);
    if (rank == 1) {
        rpt_group_destroy(group);
        await(&told, 1);
        CHECK(rpt_barrier(world) == RPT_OK);
        return;
    }
    do {
        status = rpt_broadcast(group, &x, 1, RPT_TYPE_I32, 0);
    } while (status == RPT_OK && ++n < MORE);
    CHECK(status == RPT_ERR_MISMATCH);
    count_up(&told);
    rpt_group_destroy(group);
    CHECK(rpt_barrier(world) == RPT_OK);
}

/* It waits for its block, and for no rank by name; and there is no warning and
 * no deadline, before which all say where they are. */
static void who_waits_for_its_block_is_told_too(void)
{
    static const char *const layout[] = { "comm.warn_s", "0", NULL };
    struct job job = { .fn = one_stops_taking };

    told = 0;
    run_job(2, layout, &job);
}

static void who_destroys_its_group_while_others_wait_tells_them(void)
{
    static const char *const layouts[][7] = {
        { "coll.deadline_s", "20", "comm.warn_s", "200ms", NULL },
        { "coll.deadline_s", "20", "comm.warn_s", "200ms", "topo.virtual_nodes",
          "2", NULL },
        { "coll.deadline_s", "20", "comm.warn_s", "200ms", "comm.shared_bytes",
          "0", NULL },
    };

    for (size_t k = 0; k < 3; k++) {
        struct job job = { .fn = one_destroys_its_group };

        told = 0;
        goes_late = true;
        watch_warnings();
        run_job(3, layouts[k], &job);
        stop_watching();
    }
}

static void nobody_gets_a_result(rpt_group_t *group)
{
    int rank = rpt_group_rank(group), size = rpt_group_size(group);
    double *x = calloc(8000, sizeof *x), *y = x + 4000;

    for (int i = 0; i < 8000; i++) {
        x[i] = 1 + i;
    }
    CHECK((rank == size - 1 ? call_another(group, x, y)
                            : rpt_allreduce(group, x, y, 4, RPT_TYPE_F64,
                                            RPT_OP_SUM)) == RPT_ERR_MISMATCH);
    for (int i = 0; i < 8000; i++) {
        CHECK(x[i] == 1 + i);
    }
    free(x);
}

static void a_full_check_finds_them_before_data_moves(void)
{
    static const char *const layouts[][5] = {
        { "coll.check", "full", NULL },
        { "coll.check", "full", "topo.virtual_nodes", "2", NULL },
        { "coll.check", "full", "comm.shared_bytes", "0", NULL },
    };

    for (int n = 2; n <= 7; n++) {
        for (size_t k = 0; k < 3; k++) {
            for (int other = 0; other < N_OTHER_CALLS; other++) {
                struct job job = { .fn = nobody_gets_a_result };

                another_call = other;
                run_job(n, layouts[k], &job);
            }
        }
    }
}

/* The failure is found while nobody waits. */
static void a_failure_is_found_meanwhile(rpt_group_t *group)
{
    int rank = rpt_group_rank(group);
    double x[4] = { 0 }, y[4];
    rpt_coll_t coll = { .kind = RPT_COLL_ALLREDUCE,
                        .in = x,
                        .out = y,
                        .count = rank == 0 ? 3 : 4,
                        .type = RPT_TYPE_F64,
                        .op = RPT_OP_SUM };
    rpt_plan_t *plan = NULL;

    CHECK(rpt_coll_start(group, &coll, &plan) == RPT_OK);
    while (!rpt__group_is_failed(group)) {
        sched_yield();
    }
    CHECK(rpt_plan_test(NULL) == RPT_ERR_INVALID); /* the last error is this */
    CHECK(rpt_plan_wait(plan) == RPT_ERR_MISMATCH);
    CHECK(strstr(rpt_last_error()->what, "calls allreduce") != NULL);
    rpt_plan_destroy(plan);
}

static void a_wait_tells_what_was_found_before(void)
{
    static const char *const layouts[][3] = { { NULL },
                                              { "topo.virtual_nodes", "2" },
                                              { "comm.shared_bytes", "0" } };

    for (size_t k = 0; k < 3; k++) {
        struct job job = { .fn = a_failure_is_found_meanwhile };

        run_job(2, layouts[k], &job);
    }
}

static void a_check_has_a_name(void)
{
    static const char *const odd[] = { "coll.check", "much", NULL };
    rpt_options_t *options = options_with(odd);
    struct job job = { .fn = nobody_gets_a_result };

    CU_ASSERT_EQUAL(rpt_local_run(2, options, do_job, &job), RPT_ERR_PARSE);
    CU_ASSERT_STRING_EQUAL(rpt_last_error()->hint, "give usual or full");
    rpt_options_destroy(options);
}

static _Atomic uint32_t gate;
static size_t count;

static void the_last_is_missing(rpt_group_t *group)
{
    int rank = rpt_group_rank(group), size = rpt_group_size(group);
    int *x = calloc(2 * count, sizeof *x);
    rpt_status_t status;
    char name[24];

    snprintf(name, sizeof name, "rank %d", size - 1);
    if (rank == size - 1) { /* others' buffers are gone, or soon */
        await(&gate, (uint32_t)size - 1);
    }
    status = rpt_allreduce(group, x, x + count, count, RPT_TYPE_I32,
                           RPT_OP_SUM);
    if (rank == size - 1) {
        CHECK(status < RPT_OK || (count == 1 && rpt_barrier(group) < RPT_OK));
        CHECK(status != RPT_ERR_PEER); /* it is told what it was */
    } else {
        CHECK(status == RPT_ERR_TIMEOUT);
        CHECK(strstr(rpt_last_error()->what, name) != NULL);
        free(x);
        count_up(&gate);
        CHECK(rpt_barrier(group) == RPT_ERR_STATE);
        return;
    }
    free(x);
}

/* In a large call the ranks of a node meet first. */
static void a_deadline_names_the_missing(void)
{
    static const size_t counts[] = { 1, 100000 };
    static const char *const layouts[][5] = {
        { "coll.deadline_s", "300ms", NULL },
        { "coll.deadline_s", "300ms", "topo.virtual_nodes", "4", NULL },
        { "comm.deadline_s", "300ms", "comm.shared_bytes", "0", NULL },
    };

    for (int n = 2; n <= 4; n++) {
        for (size_t k = 0; k < 6; k++) {
            struct job job = { .fn = the_last_is_missing };

            gate = 0;
            count = counts[k / 3];
            run_job(n, layouts[k % 3], &job);
        }
    }
}

/* Another thread of rank 0 turns its loop. */
static bool the_others_are_done(void *arg)
{
    _Atomic uint32_t *is_inside = arg;

    if (atomic_load(is_inside) == 0) {
        count_up(is_inside);
    }
    return atomic_load(&gate) > 0;
}

static _Atomic uint32_t n_inside;

static void *turn_the_loop(void *arg)
{
    struct rpt_engine *engine = arg;

    rpt__engine_lock(engine);
    CHECK(rpt__engine_wait(engine, the_others_are_done, &n_inside, -1) ==
          RPT_OK);
    rpt__engine_unlock(engine);
    return NULL;
}

/* Rank 0 knows that call 1000 will not fit, and waits in call 0 for rank 1. */
static void one_waits_past_the_deadline(rpt_group_t *group)
{
    struct rpt_engine *engine = rpt__comm_engine(rpt__group_comm(group));
    int rank = rpt_group_rank(group), sum = 0;
    pthread_t thread;

    if (rank == 1) {
        await(&gate, 1);
        CHECK(rpt_barrier(group) == RPT_ERR_MISMATCH);
        return;
    }
    pthread_create(&thread, NULL, turn_the_loop, engine);
    await(&n_inside, 1);
    rpt__engine_lock(engine);
    rpt__fail(RPT_ERR_MISMATCH, "a call that does not fit");
    rpt__group_spoil(group, RPT_ERR_MISMATCH, 1000);
    rpt__engine_unlock(engine);
    CHECK(rpt_allreduce(group, &rank, &sum, 1, RPT_TYPE_I32, RPT_OP_SUM) ==
          RPT_ERR_MISMATCH);
    CHECK(strstr(rpt_last_error()->what, "does not fit") != NULL);
    CHECK(rpt_last_error()->hint[0] == '\0');
    count_up(&gate);
    rpt__engine_ring(engine);
    pthread_join(thread, NULL);
}

/* It does not wait for ever, whoever turns the loop, and is not told of the
 * deadline. */
static void who_is_late_in_a_failed_group_says_why_it_failed(void)
{
    static const char *const layouts[][5] = {
        { "coll.deadline_s", "300ms", NULL },
        { "coll.deadline_s", "300ms", "topo.virtual_nodes", "2", NULL },
        { "coll.deadline_s", "300ms", "comm.shared_bytes", "0", NULL },
    };

    for (size_t k = 0; k < 3; k++) {
        struct job job = { .fn = one_waits_past_the_deadline };

        gate = n_inside = 0;
        run_job(2, layouts[k], &job);
    }
}

/* Rank 1 has sent its part and waits in the next call, rank 0 still in this. */
static void the_last_is_missing_from_two_calls(rpt_group_t *group)
{
    int rank = rpt_group_rank(group), sum = 0;
    rpt_status_t status = RPT_OK;
    const char *what;

    if (rank == 2) {
        await(&gate, 2);
        CHECK(rpt_barrier(group) < RPT_OK);
        return;
    }
    status = rpt_reduce(group, &rank, &sum, 1, RPT_TYPE_I32, RPT_OP_SUM, 0);
    if (rank == 1) {
        CHECK(status == RPT_OK);
        status = rpt_barrier(group);
    }
    CHECK(status == RPT_ERR_TIMEOUT);
    what = rpt_last_error()->what;
    CHECK(strstr(what, "rank 2 on") != NULL);
    CHECK(strstr(what, rank == 0 ? "rank 1 on" : "rank 0 on") == NULL);
    count_up(&gate);
}

static void only_the_missing_are_named_by_ranks_in_different_calls(void)
{
    static const char *const layout[] = { "coll.deadline_s",
                                          "400ms",
                                          "topo.virtual_nodes",
                                          "3",
                                          "coll.reduce.algorithm",
                                          "binomial",
                                          NULL };
    struct job job = { .fn = the_last_is_missing_from_two_calls };

    gate = 0;
    run_job(3, layout, &job);
}

static void the_last_is_late(rpt_group_t *group)
{
    int rank = rpt_group_rank(group), size = rpt_group_size(group), sum = 0;

    if (rank == size - 1) {
        await_warning();
    }
    CHECK(rpt_allreduce(group, &rank, &sum, 1, RPT_TYPE_I32, RPT_OP_SUM) ==
          RPT_OK);
    CHECK(sum == size * (size - 1) / 2);
}

static void a_warning_names_the_late(void)
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

static const struct rpt_test tests[] = {
    RPT_TEST(different_calls_are_an_error_on_all),
    RPT_TEST(different_parts_are_an_error_on_all),
    RPT_TEST(who_waits_for_nobody_is_told_in_the_next_call),
    RPT_TEST(who_waits_for_some_is_told_in_the_next_call),
    RPT_TEST(who_gives_again_names_who_did_not_come),
    RPT_TEST(who_ends_a_call_knows_that_all_have_begun_the_one_before),
    RPT_TEST(every_second_call_by_messages_compares_what_ranks_call),
    RPT_TEST(who_is_done_answers_those_that_wait),
    RPT_TEST(calls_of_different_kinds_are_an_error_on_all),
    RPT_TEST(calls_of_different_kinds_are_found_without_a_deadline),
    RPT_TEST(the_call_that_took_the_place_of_another_is_named),
    RPT_TEST(a_call_before_the_misfit_goes_on),
    RPT_TEST(an_open_call_before_the_misfit_goes_on),
    RPT_TEST(who_destroyed_its_group_tells_those_that_wait),
    RPT_TEST(who_waits_for_its_block_is_told_too),
    RPT_TEST(who_destroys_its_group_while_others_wait_tells_them),
    RPT_TEST(a_full_check_finds_them_before_data_moves),
    RPT_TEST(a_wait_tells_what_was_found_before),
    RPT_TEST(a_check_has_a_name),
    RPT_TEST(a_deadline_names_the_missing),
    RPT_TEST(who_is_late_in_a_failed_group_says_why_it_failed),
    RPT_TEST(only_the_missing_are_named_by_ranks_in_different_calls),
    RPT_TEST(a_warning_names_the_late),
    RPT_TEST_END,
};

int main(int argc, char *argv[])
{
    return rpt_test_main("collectives misfit", tests, 900, argc, argv);
}
