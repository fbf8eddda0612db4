/*
 * test_reducer.c - reducers of ranks that are threads
 *
 * On one node, on two that share nothing, and on one without shared memory for
 * collectives.
 */
#include "allocations.h"
#include "fixture.h"
#include "harness.h"
#include "reducing.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct job {
    void (*fn)(rpt_group_t *group);
};

static rpt_status_t do_job(rpt_context_t *context, void *user)
{
    const struct job *job = user;

    job->fn(rpt_group_world(context));
    return RPT_OK;
}

static void run_job(int n, const char *const settings[],
                    void (*fn)(rpt_group_t *group))
{
    rpt_options_t *options = options_with(settings);
    struct job job = { fn };

    CU_ASSERT_EQUAL(rpt_local_run(n, options, do_job, &job), RPT_OK);
    rpt_options_destroy(options);
}

static void on_all_layouts(void (*fn)(rpt_group_t *group))
{
    static const int sizes[] = { 1, 2, 3, 4, 7 };
    static const char *const one[] = { NULL };
    static const char *const two[] = { "topo.virtual_nodes", "2", NULL };
    static const char *const none[] = { "comm.shared_bytes", "0", NULL };
    static const char *const *const layouts[] = { one, two, none };

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (size_t k = 0; k < 3; k++) {
            run_job(sizes[i], layouts[k], fn);
        }
    }
}

#define ON_ALL_LAYOUTS(name, fn)                                               \
    static void name(void)                                                     \
    {                                                                          \
        on_all_layouts(fn);                                                    \
    }

ON_ALL_LAYOUTS(lists_of_every_shape_are_reduced, lists_of_every_shape)
ON_ALL_LAYOUTS(arrays_may_be_marked_in_any_order, rounds_in_any_order)
ON_ALL_LAYOUTS(reducers_do_not_disturb_each_other, several_reducers_at_once)
ON_ALL_LAYOUTS(what_is_complete_begins_at_once, buckets_begin_before_the_wait)
ON_ALL_LAYOUTS(errors_of_bf16_are_within_the_bound, sums_as_bf16)
ON_ALL_LAYOUTS(nan_and_infinity_stay_so_as_bf16, special_numbers_as_bf16)
ON_ALL_LAYOUTS(wrong_marks_are_told_and_lose_nothing, marks_that_are_wrong)
ON_ALL_LAYOUTS(lists_that_differ_are_an_error_on_all, lists_that_differ)
ON_ALL_LAYOUTS(what_one_rank_cannot_all_are_told, one_rank_that_cannot)
ON_ALL_LAYOUTS(who_gives_a_round_up_ends_it, one_rank_that_gives_up)

/* ---- a list that begins with nothing ---- */

static void sum_behind_an_empty_array(rpt_group_t *group)
{
    float size = (float)rpt_group_size(group), x = 1, other = 10;
    rpt_reducer_array_t lists[][2] = { { { &other, 0 }, { &x, 1 } },
                                       { { NULL, 0 }, { &x, 1 } } };
    rpt_reducer_config_t config = { .type = RPT_TYPE_F32, .op = RPT_OP_SUM };

    for (size_t i = 0; i < 2; i++) {
        rpt_reducer_t *reducer = NULL;

        x = 1;
        CHECK(rpt_reducer_create(group, &config, lists[i], 2, &reducer) ==
              RPT_OK);
        if (reducer != NULL) {
            CHECK(rpt_reducer_ready_all(reducer) == RPT_OK);
            CHECK(rpt_reducer_wait(reducer) == RPT_OK);
        }
        CHECK(x == size);
        CHECK(other == 10);
        rpt_reducer_destroy(reducer);
    }
}

ON_ALL_LAYOUTS(a_list_may_begin_with_an_empty_array, sum_behind_an_empty_array)

/* ---- all bits, any layout ---- */

static float kept[2000];

static void sum_reproducibly(rpt_group_t *group)
{
    enum { N = 2000 };
    float *x = malloc(N * sizeof *x);
    rpt_reducer_array_t arrays[] = { { x, 20 }, { x + 20, N - 20 } };
    rpt_reducer_config_t config = { .type = RPT_TYPE_F32,
                                    .op = RPT_OP_AVERAGE };
    rpt_reducer_t *reducer = NULL;

    for (int i = 0; i < N; i++) {
        x[i] = 1.0F / (float)(1 + i + 77 * rpt_group_rank(group));
    }
    CHECK(rpt_reducer_create(group, &config, arrays, 2, &reducer) == RPT_OK);
    CHECK(rpt_reducer_ready_all(reducer) == RPT_OK);
    CHECK(rpt_reducer_wait(reducer) == RPT_OK);
    if (rpt_group_rank(group) == 0 && kept[0] <= 0) {
        memcpy(kept, x, sizeof kept);
    }
    CHECK(rpt_barrier(group) == RPT_OK);
    CHECK(memcmp(kept, x, sizeof kept) == 0);
    rpt_reducer_destroy(reducer);
    free(x);
}

static void reproducible_bits_do_not_depend_on_the_layout(void)
{
    static const char *const layouts[][5] = {
        { "coll.reproducible", "yes", NULL },
        { "coll.reproducible", "yes", "topo.virtual_nodes", "3", NULL },
        { "coll.reproducible", "yes", "comm.shared_bytes", "0", NULL }
    };

    kept[0] = 0;
    for (size_t k = 0; k < 3; k++) {
        run_job(5, layouts[k], sum_reproducibly);
    }
}

/* ---- memory ---- */

static void count_allocations(rpt_group_t *group)
{
    static const size_t counts[] = { 10, 20, 5000, 7, 30 };
    float *x[5];
    rpt_reducer_array_t arrays[5];
    rpt_reducer_config_t config = { .type = RPT_TYPE_F32,
                                    .wire = RPT_WIRE_BF16,
                                    .bucket_bytes = 100 };
    rpt_reducer_t *reducer = NULL;
    unsigned before = rpt_test_n_allocated;

    for (int i = 0; i < 5; i++) {
        x[i] = calloc(counts[i], sizeof **x);
        arrays[i] = (rpt_reducer_array_t){ x[i], counts[i] };
    }
    CHECK(rpt_reducer_create(group, &config, arrays, 5, &reducer) == RPT_OK);
    CHECK(rpt_test_n_allocated > before); /* it does count */
    for (int round = 0; round < 100; round++) {
        before = rpt_test_n_allocated;
        for (size_t i = 0; i < 5; i++) {
            CHECK(rpt_reducer_ready(reducer, (i * 2) % 5) == RPT_OK);
        }
        CHECK(rpt_reducer_wait(reducer) == RPT_OK);
        CHECK(rpt_test_n_allocated == before || round < 5);
    }
    rpt_reducer_destroy(reducer);
    for (int i = 0; i < 5; i++) {
        free(x[i]);
    }
}

static void a_round_on_one_node_allocates_nothing(void)
{
    static const char *const one[] = { NULL };

    run_job(1, one, count_allocations);
    run_job(3, one, count_allocations);
}

/* Buckets for which no shared memory is left are ordinary memory. */
static void without_shared_memory_it_is_right(void)
{
    static const char *const little[] = { "comm.shared_bytes", "1MiB", NULL };

    run_job(3, little, rounds_in_any_order);
}

/* More in buckets than the node shares: half of that stays for others. */
static void want_too_much(rpt_group_t *group)
{
    enum { N = 40, COUNT = 1 << 18 };
    struct rpt_area *area = rpt__comm_area(rpt__group_comm(group));
    float *x = calloc((size_t)N * COUNT, sizeof *x);
    rpt_reducer_array_t arrays[N];
    rpt_reducer_config_t config = { .type = RPT_TYPE_F32 };
    rpt_reducer_t *reducer = NULL;
    size_t used;

    for (size_t i = 0; i < N; i++) {
        arrays[i] = (rpt_reducer_array_t){ x + i * COUNT, COUNT };
        x[i * COUNT] = (float)i;
    }
    CHECK(rpt_reducer_create(group, &config, arrays, N, &reducer) == RPT_OK);
    CHECK(rpt_barrier(group) == RPT_OK);
    used = rpt__area_used(area); /* of 64 MiB; ranks may take one at once */
    CHECK(used >= 24 << 20 && used <= 40 << 20);
    CHECK(rpt_reducer_ready_all(reducer) == RPT_OK);
    CHECK(rpt_reducer_wait(reducer) == RPT_OK);
    for (size_t i = 0; i < N; i++) {
        CHECK(fabs(x[i * COUNT] - 2.0 * (double)i) < 0.1);
    }
    CHECK(rpt_barrier(group) == RPT_OK);
    rpt_reducer_destroy(reducer);
    free(x);
}

static void buckets_leave_shared_memory_to_others(void)
{
    static const char *const settings[] = { "comm.shared_bytes", "64MiB",
                                            NULL };

    run_job(2, settings, want_too_much);
}

/* ---- ranks that are missing ---- */

static _Atomic uint32_t gate;

static void the_last_is_missing(rpt_group_t *group)
{
    int rank = rpt_group_rank(group), size = rpt_group_size(group);
    double x[4] = { 0 }, y[4] = { 0 };
    rpt_reducer_array_t arrays[] = { { x, 4 }, { y, 4 } };
    rpt_reducer_config_t config = { .type = RPT_TYPE_F64, .bucket_bytes = 1 };
    rpt_reducer_t *reducer = NULL;
    char name[24];

    snprintf(name, sizeof name, "rank %d", size - 1);
    CHECK(rpt_reducer_create(group, &config, arrays, 2, &reducer) == RPT_OK);
    if (rank == size - 1) {
        await(&gate, (uint32_t)size - 1);
        CHECK(rpt_reducer_ready_all(reducer) == RPT_OK);
        CHECK(rpt_reducer_wait(reducer) < RPT_OK);
    } else {
        CHECK(rpt_reducer_ready_all(reducer) == RPT_OK);
        CHECK(rpt_reducer_wait(reducer) == RPT_ERR_TIMEOUT);
        CHECK(strstr(rpt_last_error()->what, name) != NULL);
        CHECK(rpt_reducer_ready(reducer, 1) == RPT_OK); /* not both */
        CHECK(rpt_reducer_wait(reducer) == RPT_ERR_STATE);
        CHECK(strstr(rpt_last_error()->why, name) != NULL);
        count_up(&gate);
    }
    rpt_reducer_destroy(reducer);
}

static void a_deadline_names_the_missing(void)
{
    static const char *const layouts[][5] = {
        { "coll.deadline_s", "300ms", NULL },
        { "coll.deadline_s", "300ms", "topo.virtual_nodes", "4", NULL },
        { "coll.deadline_s", "300ms", "comm.shared_bytes", "0", NULL },
    };

    for (int n = 2; n <= 4; n++) {
        for (size_t k = 0; k < 3; k++) {
            gate = 0;
            run_job(n, layouts[k], the_last_is_missing);
        }
    }
}

/* The last one destroys its reducer after one round, the others begin another:
 * not a word of the group that nobody has made. */
static void the_last_makes_a_round_less(rpt_group_t *group)
{
    int rank = rpt_group_rank(group), size = rpt_group_size(group);
    double x[4] = { 0 };
    rpt_reducer_array_t arrays[] = { { x, 4 } };
    rpt_reducer_config_t config = { .type = RPT_TYPE_F64 };
    rpt_reducer_t *reducer = NULL;
    char name[64];

    snprintf(name, sizeof name, "rank %d has destroyed its reducer", size - 1);
    CHECK(rpt_reducer_create(group, &config, arrays, 1, &reducer) == RPT_OK);
    CHECK(rpt_reducer_ready_all(reducer) == RPT_OK);
    CHECK(rpt_reducer_wait(reducer) == RPT_OK);
    if (rank < size - 1) {
        CHECK(rpt_reducer_ready_all(reducer) == RPT_OK);
        CHECK(rpt_reducer_wait(reducer) == RPT_ERR_MISMATCH);
        CHECK(strstr(rpt_last_error()->what, name) != NULL);
        CHECK(strstr(rpt_last_error()->why, "rounds") != NULL);
        CHECK(strstr(rpt_last_error()->hint, "rpt_reducer_destroy") != NULL);
    }
    rpt_reducer_destroy(reducer);
    CHECK(rpt_barrier(group) == RPT_OK);
}

static void who_destroys_a_reducer_too_early_is_named(void)
{
    static const char *const layouts[][5] = {
        { "coll.deadline_s", "20", NULL },
        { "coll.deadline_s", "20", "topo.virtual_nodes", "2", NULL },
        { "coll.deadline_s", "20", "comm.shared_bytes", "0", NULL },
    };

    for (size_t k = 0; k < 3; k++) {
        run_job(3, layouts[k], the_last_makes_a_round_less);
    }
}

/* ---- an algorithm that is none ---- */

static void force_no_algorithm(rpt_group_t *group)
{
    double x[4] = { 1, 2, 3, 4 };
    rpt_reducer_array_t arrays[] = { { x, 4 } };
    rpt_reducer_config_t config = { .type = RPT_TYPE_F64 };
    rpt_reducer_t *reducer = NULL;
    rpt_status_t status = rpt_reducer_create(group, &config, arrays, 1,
                                             &reducer);

    CHECK(status == RPT_ERR_NOT_FOUND);
    CHECK(strstr(rpt_last_error()->what, "no-such") != NULL);
    CHECK(reducer == NULL);
}

static void an_algorithm_that_is_none_is_told_at_once(void)
{
    static const char *const settings[] = { "coll.allreduce.algorithm",
                                            "no-such", NULL };

    run_job(3, settings, force_no_algorithm);
}

static const struct rpt_test tests[] = {
    RPT_TEST(lists_of_every_shape_are_reduced),
    RPT_TEST(a_list_may_begin_with_an_empty_array),
    RPT_TEST(arrays_may_be_marked_in_any_order),
    RPT_TEST(reducers_do_not_disturb_each_other),
    RPT_TEST(what_is_complete_begins_at_once),
    RPT_TEST(errors_of_bf16_are_within_the_bound),
    RPT_TEST(nan_and_infinity_stay_so_as_bf16),
    RPT_TEST(wrong_marks_are_told_and_lose_nothing),
    RPT_TEST(lists_that_differ_are_an_error_on_all),
    RPT_TEST(what_one_rank_cannot_all_are_told),
    RPT_TEST(who_gives_a_round_up_ends_it),
    RPT_TEST(reproducible_bits_do_not_depend_on_the_layout),
    RPT_TEST(a_round_on_one_node_allocates_nothing),
    RPT_TEST(without_shared_memory_it_is_right),
    RPT_TEST(buckets_leave_shared_memory_to_others),
    RPT_TEST(a_deadline_names_the_missing),
    RPT_TEST(who_destroys_a_reducer_too_early_is_named),
    RPT_TEST(an_algorithm_that_is_none_is_told_at_once),
    RPT_TEST_END,
};

int main(int argc, char *argv[])
{
    return rpt_test_main("collectives reducer", tests, 900, argc, argv);
}
