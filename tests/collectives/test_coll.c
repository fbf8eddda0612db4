/*
 * test_coll.c - collective operations of ranks that are threads
 *
 * On one node, on two that share nothing, and on one without shared memory for
 * collectives: other algorithms each time.
 */
#include "again.h"
#include "buffers.h"
#include "job.h"
#include "operations.h"

#include "collectives/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void on_all_layouts(void (*fn)(rpt_group_t *group))
{
    static const int sizes[] = { 1, 2, 3, 4, 7 };
    static const char *const one[] = { NULL };
    static const char *const two[] = { "topo.virtual_nodes", "2", NULL };
    static const char *const none[] = { "comm.shared_bytes", "0", NULL };
    static const char *const full[] = { "coll.check", "full", NULL };
    static const char *const *const layouts[] = { one, two, none, full };

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (size_t k = 0; k < 4; k++) {
            struct job job = { .fn = fn };

            /* 4 ranks on two nodes, 7 on one. */
            if (rpt_test_is_short() && sizes[i] > 3 && (i + k) % 4 != 0) {
                continue;
            }
            run_job(sizes[i], layouts[k], &job);
        }
    }
}

#define ON_ALL_LAYOUTS(name, fn)                                               \
    static void name(void)                                                     \
    {                                                                          \
        on_all_layouts(fn);                                                    \
    }

ON_ALL_LAYOUTS(every_operation_is_right, every_operation)
ON_ALL_LAYOUTS(every_form_is_right, every_form_of_call)
ON_ALL_LAYOUTS(types_and_operators_are_right, every_type_and_operator)
ON_ALL_LAYOUTS(what_is_alone_is_not_made_0_or_1, logical_operators)
ON_ALL_LAYOUTS(operators_of_users_keep_the_order, operators_of_users)
ON_ALL_LAYOUTS(blocks_may_differ, blocks_of_different_sizes)
ON_ALL_LAYOUTS(calls_in_any_order_are_right, random_calls)
ON_ALL_LAYOUTS(groups_do_not_disturb_each_other, several_groups_at_once)
ON_ALL_LAYOUTS(many_may_be_under_way, many_started_at_once)
ON_ALL_LAYOUTS(groups_may_come_and_go, groups_come_and_go)
ON_ALL_LAYOUTS(ranks_agree_to_the_bit, all_ranks_have_the_same_bits)
ON_ALL_LAYOUTS(calls_by_turns_are_right, calls_by_turns)
ON_ALL_LAYOUTS(calls_of_all_kinds_may_follow_each_other, calls_of_all_kinds)
ON_ALL_LAYOUTS(a_stage_stays_in_its_block, stages_move)
ON_ALL_LAYOUTS(a_number_of_an_operator_may_come_again,
               operators_one_after_another)
ON_ALL_LAYOUTS(nan_and_zero_are_as_in_a_loop, special_numbers)

/* ---- every algorithm ---- */

static const char *const *forced(rpt_coll_kind_t kind, const char *name)
{
    static char option[64];
    static const char *settings[3];

    snprintf(option, sizeof option, "coll.%s.algorithm", rpt_coll_name(kind));
    if (strchr(option, '-') != NULL) {
        *strchr(option, '-') = '_'; /* reduce-scatter */
    }
    settings[0] = option;
    settings[1] = name;
    return settings;
}

/* Of the one that is forced; the small ones it can do all. */
static rpt_coll_kind_t forced_kind;
static _Atomic int n_forced;

static void calls_of_the_forced(rpt_group_t *group)
{
    double in[12], out[12];
    int rank = rpt_group_rank(group), size = rpt_group_size(group);
    rpt_coll_t coll = { .kind = forced_kind,
                        .in = in,
                        .out = out,
                        .count = forced_kind == RPT_COLL_ALLREDUCE ||
                                         forced_kind == RPT_COLL_REDUCE ||
                                         forced_kind == RPT_COLL_BROADCAST
                                     ? 12
                                     : 3,
                        .type = RPT_TYPE_F64 };
    rpt_plan_t *plan;
    rpt_status_t status;
    char *text;

    for (int i = 0; i < 12; i++) {
        in[i] = rank;
        out[i] = rank;
    }
    status = rpt_plan_create(group, &coll, &plan);
    if (status == RPT_ERR_UNSUPPORTED || status == RPT_ERR_NOT_FOUND) {
        return;
    }
    n_forced++;
    CHECK(status == RPT_OK);
    CHECK(rpt_plan_explain(plan, &text) == RPT_OK);
    CHECK(strstr(text, rpt_coll_name(forced_kind)) != NULL);
    free(text);
    for (int i = 0; i < 3; i++) {
        CHECK(rpt_plan_start(plan) == RPT_OK);
        CHECK(rpt_plan_wait(plan) == RPT_OK);
    }
    rpt_plan_destroy(plan);
    if (forced_kind == RPT_COLL_ALLREDUCE) {
        CHECK((int)out[11] == size * (size - 1) / 2);
    }
}

static void a_forced_algorithm_is_taken(void)
{
    for (int kind = 0; kind <= RPT_COLL_EXSCAN; kind++) {
        static const char *const names[] = {
            "copy",      "flat",          "sliced", "doubling",
            "halving",   "direct",        "ring",   "staged",
            "circulant", "binomial",      "linear", "chain",
            "pairwise",  "dissemination", "bruck",  "scattered",
            "two-level", "multi-leader",  "pulled", "mixed"
        };

        forced_kind = (rpt_coll_kind_t)kind;
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            struct job job = { .fn = calls_of_the_forced };
            rpt_options_t *options = options_with(
                forced(forced_kind, names[i]));
            bool on_nodes = strchr(names[i], '-') != NULL;
            rpt_status_t status = rpt_options_set(options, "topo.virtual_nodes",
                                                  on_nodes ? "2" : "1");

            CU_ASSERT_EQUAL(status, RPT_OK);

            status = rpt_local_run(4, options, do_job, &job);
            CU_ASSERT_EQUAL(status, RPT_OK);
            rpt_options_destroy(options);
        }
    }
    CU_ASSERT(n_forced >= 4 * 45);
}

/* ---- buffers that all can read ---- */

static void on_all_areas(void (*fn)(rpt_context_t *context))
{
    static const char *const sizes[] = { "1GiB", "1MiB", "0" };

    for (int n = 1; n <= 7; n += n < 4 ? 1 : 3) {
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            const char *const settings[] = { "comm.shared_bytes", sizes[i],
                                             NULL };
            struct job job = { .with_context = fn };

            run_job(n, settings, &job);
        }
    }
}

static void buffers_are_read_where_they_are(void)
{
    on_all_areas(shared_buffers);
}

static void buffers_may_come_and_go(void)
{
    on_all_areas(buffers_come_and_go);
}

static void an_empty_part_needs_no_buffer_to_be_pulled(void)
{
    static const char *const settings[] = { "coll.gather.algorithm", "pulled",
                                            NULL };
    struct job job = { .with_context = empty_parts_need_no_buffer };

    for (int n = 2; n <= 7; n++) {
        run_job(n, settings, &job);
    }
}

/* ---- the same bits in any layout ---- */

static void bits_do_not_depend_on_the_layout(void)
{
    static const char *const layouts[][7] = {
        { "coll.reproducible", "yes", NULL },
        { "coll.reproducible", "yes", "topo.virtual_nodes", "2", NULL },
        { "coll.reproducible", "yes", "topo.virtual_nodes", "3", NULL },
        { "coll.reproducible", "yes", "comm.shared_bytes", "0", NULL },
        { "coll.reproducible", "yes", "coll.stage_bytes", "4096", NULL },
    };

    for (int n = 1; n <= 7; n += 3) {
        struct job first = { .bits = reproducible_bits };

        run_job(n, layouts[0], &first);
        for (size_t k = 1; k < sizeof layouts / sizeof *layouts; k++) {
            struct job other = { .bits = reproducible_bits };

            run_job(n, layouts[k], &other);
            CU_ASSERT(memcmp(first.found, other.found,
                             (size_t)n * sizeof *first.found) == 0);
        }
    }
}

static void order_matters(rpt_group_t *group)
{
    double x = 1, y = 0;

    CHECK(rpt_allreduce(group, &x, &y, 1, RPT_TYPE_F64, RPT_OP_SUM) ==
          RPT_ERR_UNSUPPORTED);
    CHECK(strstr(rpt_last_error()->why, "reproducible") != NULL);
}

static void a_forced_one_that_is_not_reproducible_is_an_error(void)
{
    static const char *const settings[] = { "coll.reproducible", "yes",
                                            "coll.allreduce.algorithm",
                                            "doubling", NULL };
    struct job job = { .fn = order_matters };

    run_job(4, settings, &job);
}

static void no_such_algorithm(rpt_group_t *group)
{
    double x = 1, y = 0;

    CHECK(rpt_allreduce(group, &x, &y, 1, RPT_TYPE_F64, RPT_OP_SUM) ==
          RPT_ERR_NOT_FOUND);
}

static void an_unknown_algorithm_is_an_error(void)
{
    static const char *const settings[] = { "coll.allreduce.algorithm",
                                            "doubleing", NULL };
    struct job job = { .fn = no_such_algorithm };

    run_job(2, settings, &job);
}

/* ---- bad arguments ---- */

static void expect_text(const char *text)
{
    CHECK(strstr(rpt_last_error_text(), text) != NULL);
}

static void the_function_is_named(rpt_group_t *group)
{
    double x[1] = { 0 }, y[1];
    size_t one[1] = { 1 };
    rpt_coll_t coll = { .kind = (rpt_coll_kind_t)77 };
    rpt_plan_t *plan = NULL;

    CHECK(rpt_allreduce(NULL, x, y, 1, RPT_TYPE_F64, RPT_OP_SUM) ==
          RPT_ERR_INVALID);
    expect_text("rpt_allreduce: bad argument");
    CHECK(rpt_alltoallv(group, x, one, NULL, y, NULL, NULL, RPT_TYPE_F64) ==
          RPT_ERR_INVALID);
    expect_text("out_counts is NULL");
    CHECK(rpt_plan_create(group, &coll, &plan) == RPT_ERR_INVALID);
    expect_text("there is no operation 77");
    coll = (rpt_coll_t){ .kind = RPT_COLL_REDUCE_SCATTER,
                         .in = x,
                         .out = y,
                         .type = RPT_TYPE_F64,
                         .counts = one,
                         .offsets = one };
    CHECK(rpt_plan_create(group, &coll, &plan) == RPT_ERR_INVALID);
    expect_text("one behind the other");
}

static void a_bad_call_is_named(void)
{
    struct job job = { .fn = the_function_is_named };

    run_job(1, NULL, &job);
}

static void arguments_of_one_rank(rpt_group_t *group)
{
    double x[8] = { 0 }, y[8];
    void *nowhere = (void *)(intptr_t)RPT_IN_PLACE;
    size_t huge[1] = { SIZE_MAX / 2 }, counts[2] = { 4, 2 };
    rpt_plan_t *plan = NULL;
    rpt_coll_t coll = { .kind = RPT_COLL_ALLREDUCE,
                        .in = x,
                        .out = y,
                        .count = 8,
                        .type = RPT_TYPE_F64 };
    const rpt_type_t f64 = RPT_TYPE_F64;
    char *text = NULL;
    rpt_op_t op;

    CHECK(rpt_allreduce(NULL, x, y, 8, f64, RPT_OP_SUM) == RPT_ERR_INVALID);
    CHECK(rpt_allreduce(group, NULL, y, 8, f64, RPT_OP_SUM) == RPT_ERR_INVALID);
    CHECK(rpt_allreduce(group, x, NULL, 8, f64, RPT_OP_SUM) == RPT_ERR_INVALID);
    CHECK(rpt_allreduce(group, x, x + 1, 4, f64, RPT_OP_SUM) ==
          RPT_ERR_INVALID);
    CHECK(rpt_allreduce(group, x, y, 8, (rpt_type_t)99, RPT_OP_SUM) ==
          RPT_ERR_INVALID);
    CHECK(rpt_allreduce(group, x, y, 8, f64, (rpt_op_t)99) == RPT_ERR_INVALID);
    CHECK(rpt_allreduce(group, x, y, 8, f64, RPT_OP_USER_0) == RPT_ERR_INVALID);
    CHECK(rpt_allreduce(group, x, y, 8, f64, RPT_OP_BIT_AND) ==
          RPT_ERR_UNSUPPORTED);
    CHECK(rpt_allreduce(group, x, y, SIZE_MAX / 2, f64, RPT_OP_SUM) ==
          RPT_ERR_OVERFLOW);
    CHECK(rpt_scan(group, x, y, 8, f64, RPT_OP_AVERAGE) == RPT_ERR_UNSUPPORTED);
    CHECK(rpt_reduce(group, x, y, 8, f64, RPT_OP_SUM, 1) == RPT_ERR_INVALID);
    CHECK(rpt_broadcast(group, NULL, 8, f64, 0) == RPT_ERR_INVALID);
    CHECK(rpt_broadcast(group, x, 8, f64, -1) == RPT_ERR_INVALID);
    CHECK(rpt_scatter(group, RPT_IN_PLACE, y, 8, f64, 0) == RPT_ERR_INVALID);
    CHECK(rpt_scatter(group, x, NULL, 8, f64, 0) == RPT_OK);
    CHECK(rpt_scatter(group, x, nowhere, 8, f64, 0) == RPT_ERR_INVALID);
    CHECK(rpt_scatter(group, x, NULL, 4, f64, 0) == RPT_OK);
    CHECK(rpt_scatter(group, x, x + 1, 4, f64, 0) == RPT_ERR_INVALID);
    CHECK(rpt_allreduce(group, x, nowhere, 8, f64, RPT_OP_SUM) ==
          RPT_ERR_INVALID);
    CHECK(rpt_broadcast(group, nowhere, 8, f64, 0) == RPT_ERR_INVALID);
    CHECK(rpt_allgatherv(group, x, y, NULL, NULL, f64) == RPT_ERR_INVALID);
    CHECK(rpt_gatherv(group, x, y, NULL, NULL, f64, 0) == RPT_ERR_INVALID);
    CHECK(rpt_scatterv(group, x, y, NULL, NULL, f64, 0) == RPT_ERR_INVALID);
    CHECK(rpt_reduce_scatter(group, x, y, NULL, f64, RPT_OP_SUM) ==
          RPT_ERR_INVALID);
    CHECK(rpt_reduce_scatter(group, x, y, huge, f64, RPT_OP_SUM) ==
          RPT_ERR_OVERFLOW);
    CHECK(rpt_alltoallv(group, x, NULL, NULL, y, NULL, NULL, f64) ==
          RPT_ERR_INVALID);
    CHECK(rpt_alltoallv(group, x, counts, NULL, y, counts + 1, NULL, f64) ==
          RPT_ERR_INVALID);
    CHECK(rpt_barrier(NULL) == RPT_ERR_INVALID);
    CHECK(rpt_plan_create(group, &coll, NULL) == RPT_ERR_INVALID);
    coll.offsets = huge;
    CHECK(rpt_plan_create(group, &coll, &plan) == RPT_ERR_INVALID);
    coll.offsets = NULL;
    coll.kind = (rpt_coll_kind_t)77;
    CHECK(rpt_plan_create(group, &coll, &plan) == RPT_ERR_INVALID);
    coll.kind = RPT_COLL_ALLTOALL;
    coll.counts = huge;
    CHECK(rpt_coll_start(group, &coll, &plan) == RPT_ERR_INVALID);
    CHECK(plan == NULL);
    CHECK(rpt_plan_start(NULL) == RPT_ERR_INVALID);
    CHECK(rpt_plan_test(NULL) == RPT_ERR_INVALID);
    CHECK(rpt_plan_wait(NULL) == RPT_ERR_INVALID);
    CHECK(rpt_plan_explain(NULL, NULL) == RPT_ERR_INVALID);
    CHECK(rpt_op_create(NULL, NULL, 0, &op) == RPT_ERR_INVALID);
    coll = (rpt_coll_t){ .type = RPT_TYPE_F64, .count = 3 };
    CHECK(rpt_coll_explain(NULL, 1, 1, NULL, &text) == RPT_ERR_INVALID);
    CHECK(rpt_coll_explain(&coll, 1, 1, NULL, NULL) == RPT_ERR_INVALID);
    CHECK(rpt_coll_explain(&coll, 0, 1, NULL, &text) == RPT_ERR_INVALID);
    CHECK(rpt_coll_explain(&coll, 2, 3, NULL, &text) == RPT_ERR_INVALID);
    coll.root = 2;
    CHECK(rpt_coll_explain(&coll, 2, 1, NULL, &text) == RPT_ERR_INVALID);
    coll.root = 1;
    CHECK(rpt_coll_explain(&coll, 2, 1, NULL, &text) == RPT_OK);
    CHECK(strstr(text, "steps of rank 0") != NULL);
    free(text);
    rpt_plan_destroy(NULL);
    rpt_op_destroy(RPT_OP_SUM);
}

/* One array for both: input at even places, output at odd ones; `shift` 1 puts
 * them on each other. */
enum { MOST_RANKS = 8 };

struct gaps {
    double both[2 * MOST_RANKS + 1];
    size_t ones[MOST_RANKS], even[MOST_RANKS], odd[MOST_RANKS];
};

static void begin_gaps(struct gaps *gaps, int rank, int size, size_t shift)
{
    for (int r = 0; r < size; r++) {
        gaps->ones[r] = 1;
        gaps->even[r] = 2 * (size_t)r;
        gaps->odd[r] = 2 * (size_t)r + 1 - shift;
        gaps->both[2 * r] = 10 * rank + r;
        gaps->both[2 * r + 1] = -1;
    }
}

/* What was read is as it was, and from rank r came 10r + what. */
static void check_gaps(const struct gaps *gaps, int rank, int size, int what)
{
    for (int r = 0; r < size; r++) {
        CHECK(gaps->both[2 * r] == 10 * rank + r);
        CHECK(gaps->both[2 * r + 1] == 10 * r + what);
    }
}

static void blocks_in_gaps(rpt_group_t *group)
{
    int rank = rpt_group_rank(group), size = rpt_group_size(group);
    const rpt_type_t f64 = RPT_TYPE_F64;
    struct gaps g;

    begin_gaps(&g, rank, size, 0);
    CHECK(rpt_alltoallv(group, g.both, g.ones, g.even, g.both, g.ones, g.odd,
                        f64) == RPT_OK);
    check_gaps(&g, rank, size, rank);
    begin_gaps(&g, rank, size, 0);
    CHECK(rpt_allgatherv(group, g.both + 2 * (size - 1), g.both, g.ones, g.odd,
                         f64) == RPT_OK);
    check_gaps(&g, rank, size, size - 1);
    begin_gaps(&g, rank, size, 0);
    CHECK(rpt_gatherv(group, g.both + 2 * (size - 1), g.both, g.ones, g.odd,
                      f64, 0) == RPT_OK);
    if (rank == 0) {
        check_gaps(&g, rank, size, size - 1);
    }
    begin_gaps(&g, rank, size, 0);
    CHECK(rpt_scatterv(group, g.both, g.both + 1, g.ones, g.even, f64, 0) ==
          RPT_OK);
    CHECK(g.both[1] == rank && g.both[0] == 10 * rank);

    /* On all ranks alike, so that none waits for another. */
    begin_gaps(&g, rank, size, 1);
    CHECK(rpt_alltoallv(group, g.both, g.ones, g.even, g.both, g.ones, g.odd,
                        f64) == RPT_ERR_INVALID);
    CHECK(rpt_allgatherv(group, g.both + 2 * ((rank + 1) % size), g.both,
                         g.ones, g.odd,
                         f64) == (size == 1 ? RPT_OK : RPT_ERR_INVALID));
}

static void input_may_lie_in_gaps_of_the_output(void)
{
    on_all_layouts(blocks_in_gaps);
}

static void bad_arguments_are_told(void)
{
    struct job job = { .fn = arguments_of_one_rank };

    run_job(1, NULL, &job);
    CU_ASSERT_STRING_EQUAL(rpt_coll_name(RPT_COLL_EXSCAN), "exscan");
    CU_ASSERT_STRING_EQUAL(rpt_coll_name((rpt_coll_kind_t)77), "unknown");
}

static void start_twice(rpt_group_t *group)
{
    int rank = rpt_group_rank(group), sum = 0;
    rpt_coll_t coll = { .kind = RPT_COLL_ALLREDUCE,
                        .in = &rank,
                        .out = &sum,
                        .count = 1,
                        .type = RPT_TYPE_I32 };
    rpt_plan_t *plan, *barrier;

    CHECK(rpt_plan_create(group, &coll, &plan) == RPT_OK);
    CHECK(rpt_plan_test(plan) == RPT_OK); /* never started */
    CHECK(rpt_plan_wait(plan) == RPT_OK);
    CHECK(rpt_plan_start(plan) == RPT_OK);
    CHECK(rpt_plan_start(plan) == RPT_ERR_STATE);
    CHECK(rpt_plan_wait(plan) == RPT_OK);
    CHECK(sum == rpt_group_size(group) * (rpt_group_size(group) - 1) / 2);
    coll.kind = RPT_COLL_BARRIER;
    CHECK(rpt_plan_create(group, &coll, &barrier) == RPT_OK);
    CHECK(rpt_plan_start(plan) == RPT_OK);
    rpt_plan_destroy(plan); /* goes on without its owner */
    CHECK(rpt_plan_start(barrier) == RPT_OK);
    CHECK(rpt_plan_wait(barrier) == RPT_OK);
    rpt_plan_destroy(barrier);
    CHECK(sum == rpt_group_size(group) * (rpt_group_size(group) - 1) / 2);
}

/* Nobody calls the library, and it is done all the same. */
static void start_and_look_only(rpt_group_t *group)
{
    int n = rpt_group_size(group);
    int rank = rpt_group_rank(group);
    int sum;
    rpt_coll_t coll = { .kind = RPT_COLL_ALLREDUCE,
                        .in = &rank,
                        .out = &sum,
                        .count = 1,
                        .type = RPT_TYPE_I32 };
    rpt_plan_t *plan;

    CHECK(rpt_plan_create(group, &coll, &plan) == RPT_OK);
    for (int i = 0; i < 3; i++) {
        sum = -1;
        CHECK(rpt_barrier(group) == RPT_OK);
        CHECK(rpt_plan_start(plan) == RPT_OK);
        for (int k = 0;
             k < 10000 && atomic_load(&plan->run.state) != RPT_RUN_OVER; k++) {
            usleep(1000);
        }
        CHECK(sum == n * (n - 1) / 2);
        CHECK(rpt_plan_wait(plan) == RPT_OK);
    }
    rpt_plan_destroy(plan);
}

static void a_started_one_needs_no_further_call(void)
{
    on_all_layouts(start_and_look_only);
}

/* Another call comes before the first one is waited for. */
static void call_between_start_and_wait(rpt_group_t *group)
{
    int n = rpt_group_size(group), rank = rpt_group_rank(group);
    int sum = 0, other = 0, third = 0;
    rpt_coll_t coll = { .kind = RPT_COLL_ALLREDUCE,
                        .in = &rank,
                        .out = &sum,
                        .count = 1,
                        .type = RPT_TYPE_I32 };
    rpt_plan_t *plan, *second;

    for (int i = 0; i < 200; i++) {
        sum = other = third = -1;
        coll.out = &sum;
        CHECK(rpt_coll_start(group, &coll, &plan) == RPT_OK);
        CHECK(rpt_scan(group, &rank, &other, 1, RPT_TYPE_I32, RPT_OP_SUM) ==
              RPT_OK);
        coll.out = &third;
        CHECK(rpt_coll_start(group, &coll, &second) == RPT_OK);
        CHECK(rpt_plan_wait(i % 2 == 0 ? plan : second) == RPT_OK);
        CHECK(rpt_plan_wait(i % 2 == 0 ? second : plan) == RPT_OK);
        CHECK(sum == n * (n - 1) / 2 && third == sum);
        CHECK(other == rank * (rank + 1) / 2);
        rpt_plan_destroy(plan);
        rpt_plan_destroy(second);
    }
}

static void calls_may_come_in_between(void)
{
    on_all_layouts(call_between_start_and_wait);
}

static void a_plan_is_started_once_at_a_time(void)
{
    on_all_layouts(start_twice);
}

static void add_nothing(void *to, const void *with, size_t count,
                        rpt_type_t type, void *user)
{
    (void)to;
    (void)with;
    (void)count;
    (void)type;
    (void)user;
}

static void take_all_operators(rpt_group_t *group)
{
    enum { N = RPT_OP_USER_LAST - RPT_OP_USER_0 + 1 };
    static rpt_op_t ops[N + 1];
    int n = 0;

    (void)group;
    while (n <= N && rpt_op_create(add_nothing, NULL, 1, &ops[n]) == RPT_OK) {
        n++;
    }
    CHECK(n == N && rpt_last_error()->status == RPT_ERR_FULL);
    while (n-- > 0) {
        rpt_op_destroy(ops[n]);
    }
    CHECK(rpt_op_create(add_nothing, NULL, 1, &ops[0]) == RPT_OK);
    rpt_op_destroy(ops[0]);
}

static void there_is_an_end_to_operators(void)
{
    struct job job = { .fn = take_all_operators };

    run_job(1, NULL, &job);
}

/* ---- memory ---- */

static void more_groups_than_memory(rpt_group_t *group)
{
    enum { N = 40 };
    rpt_group_t *groups[N];
    int one = 1, sum;

    for (int i = 0; i < N; i++) {
        CHECK(rpt_group_split(group, 0, 0, &groups[i]) == RPT_OK);
        sum = 0;
        CHECK(rpt_allreduce(groups[i], &one, &sum, 1, RPT_TYPE_I32,
                            RPT_OP_SUM) == RPT_OK);
        CHECK(sum == rpt_group_size(group));
    }
    for (int i = 0; i < N; i++) {
        rpt_group_destroy(groups[i]);
    }
}

static void without_room_there_are_messages(void)
{
    static const char *const settings[] = { "comm.shared_bytes", "16MiB",
                                            NULL };
    struct job job = { .fn = more_groups_than_memory };

    run_job(3, settings, &job);
}

/* ---- large ones ---- */

enum { LARGE_CALLS = 6 };

static int large_value(int rank, int call, size_t i)
{
    return (int)((i + (size_t)call) % 1013) + rank;
}

static rpt_status_t call_large(rpt_group_t *group, int call, const int *in,
                               int *out, size_t count)
{
    int root = rpt_group_size(group) - 1;

    switch (call % 3) {
    case 0:
        return rpt_allreduce(group, in, out, count, RPT_TYPE_I32, RPT_OP_SUM);
    case 1:
        return rpt_reduce(group, in, out, count, RPT_TYPE_I32, RPT_OP_SUM,
                          root);
    default:
        return rpt_scan(group, in, out, count, RPT_TYPE_I32, RPT_OP_SUM);
    }
}

/* How many ranks add to the output of this one. */
static int n_large_inputs(rpt_group_t *group, int call)
{
    int rank = rpt_group_rank(group), size = rpt_group_size(group);

    return call % 3 == 0   ? size
           : call % 3 == 1 ? (rank == size - 1 ? size : 0)
                           : rank + 1;
}

/* Several calls of each: the ways to store are tried by turns. */
static void large_sums_of(rpt_group_t *group, size_t count, bool in_place)
{
    int rank = rpt_group_rank(group);
    int *in = calloc(count, sizeof *in), *out = calloc(count, sizeof *out);

    for (int call = 0; call < 3 * LARGE_CALLS; call++) {
        int n = n_large_inputs(group, call);
        int *from = in_place && n > 0 ? out : in;
        size_t n_wrong = 0;

        for (size_t i = 0; i < count; i++) {
            from[i] = large_value(rank, call, i);
        }
        CHECK(call_large(group, call, from == out ? RPT_IN_PLACE : in, out,
                         count) == RPT_OK);
        for (size_t i = 0; n > 0 && i < count; i++) {
            n_wrong += out[i] != n * large_value(0, call, i) + n * (n - 1) / 2;
        }
        CHECK(n_wrong == 0);
    }
    free(in);
    free(out);
}

static void large_sums(rpt_group_t *group)
{
    static const size_t counts[] = { 300007, 2200003 }; /* 1.2 and 8.8 MB */

    for (size_t k = 0; k < 2; k++) {
        large_sums_of(group, counts[k], false);
        large_sums_of(group, counts[k], true);
    }
}

/* Outputs go past the caches then.  Threads read each other's buffers, but not
 * if another algorithm is forced. */
static void large_sums_are_right(void)
{
    static const char *const layouts[][3] = { { NULL },
                                              { "topo.virtual_nodes", "2" },
                                              { "coll.check", "full" },
                                              { "coll.allreduce.algorithm",
                                                "sliced" } };

    for (size_t k = 0; k < 4; k++) {
        for (int n = k < 2 ? 1 : 2; n < 4; n++) {
            struct job job = { .fn = large_sums };

            run_job(n, layouts[k], &job);
        }
    }
}

static void one_above_two_gigabytes(rpt_group_t *group)
{
    size_t n = ((size_t)1 << 31) + 5;
    unsigned char *data = malloc(n);
    int rank = rpt_group_rank(group);

    CHECK(data != NULL);
    if (data == NULL) {
        return;
    }
    memset(data, rank + 1, n);
    CHECK(rpt_allreduce(group, RPT_IN_PLACE, data, n, RPT_TYPE_U8,
                        RPT_OP_SUM) == RPT_OK);
    CHECK(data[0] == 3 && data[n / 2] == 3 && data[n - 1] == 3);
    free(data);
}

static void counts_above_two_to_the_31_are_right(void)
{
    static const char *const layouts[][3] = { { NULL },
                                              { "topo.virtual_nodes", "2" } };

    if (getenv("RPT_TEST_LONG") == NULL) {
        rpt_test_skip("needs 4 GiB and a minute; RPT_TEST_LONG=1 runs it");
        return;
    }
    for (size_t k = 0; k < 2; k++) {
        struct job job = { .fn = one_above_two_gigabytes };

        run_job(2, layouts[k], &job);
    }
}

static const struct rpt_test tests[] = {
    RPT_TEST(every_operation_is_right),
    RPT_TEST(every_form_is_right),
    RPT_TEST(types_and_operators_are_right),
    RPT_TEST(what_is_alone_is_not_made_0_or_1),
    RPT_TEST(operators_of_users_keep_the_order),
    RPT_TEST(blocks_may_differ),
    RPT_TEST(calls_in_any_order_are_right),
    RPT_TEST(groups_do_not_disturb_each_other),
    RPT_TEST(many_may_be_under_way),
    RPT_TEST(groups_may_come_and_go),
    RPT_TEST(ranks_agree_to_the_bit),
    RPT_TEST(nan_and_zero_are_as_in_a_loop),
    RPT_TEST(calls_by_turns_are_right),
    RPT_TEST(calls_of_all_kinds_may_follow_each_other),
    RPT_TEST(a_stage_stays_in_its_block),
    RPT_TEST(a_number_of_an_operator_may_come_again),
    RPT_TEST(buffers_are_read_where_they_are),
    RPT_TEST(buffers_may_come_and_go),
    RPT_TEST(an_empty_part_needs_no_buffer_to_be_pulled),
    RPT_TEST(a_forced_algorithm_is_taken),
    RPT_TEST(bits_do_not_depend_on_the_layout),
    RPT_TEST(a_forced_one_that_is_not_reproducible_is_an_error),
    RPT_TEST(an_unknown_algorithm_is_an_error),
    RPT_TEST(input_may_lie_in_gaps_of_the_output),
    RPT_TEST(bad_arguments_are_told),
    RPT_TEST(a_bad_call_is_named),
    RPT_TEST(a_plan_is_started_once_at_a_time),
    RPT_TEST(a_started_one_needs_no_further_call),
    RPT_TEST(calls_may_come_in_between),
    RPT_TEST(there_is_an_end_to_operators),
    RPT_TEST(without_room_there_are_messages),
    RPT_TEST(large_sums_are_right),
    RPT_TEST(counts_above_two_to_the_31_are_right),
    RPT_TEST_END,
};

int main(int argc, char *argv[])
{
    return rpt_test_main("collectives operations", tests, 900, argc, argv);
}
