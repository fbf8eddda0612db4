/*
 * test_cli_tune.c - what repartir tune makes of times
 */
#include "harness.h"

#include "cli/tune.h"

#include <string.h>

/* Times of two algorithms by size, in microseconds; < 0: it cannot. */
static struct tune_series series_of(rpt_coll_kind_t kind, int n_points,
                                    const double times[][2])
{
    struct tune_series series = { .kind = kind,
                                  .n_algorithms = 2,
                                  .n_points = n_points };

    for (int k = 0; k < n_points; k++) {
        series.points[k].bytes = (size_t)4 << 2 * k;
        for (int i = 0; i < 2; i++) {
            series.points[k].seconds[i] = 1e-6 * times[k][i];
        }
    }
    tune_choose(&series);
    return series;
}

static void expect_rules(const struct tune_series *series, const char *wanted)
{
    struct text text = { NULL, 0, 0 };

    tune_rules(&text, series, (struct tune_layout){ 4, 2 });
    CU_ASSERT_STRING_EQUAL(text.data != NULL ? text.data : "", wanted);
    text_free(&text);
}

/* Of all-reduce the first ones are copy and flat. */
static void a_rule_goes_half_way_to_the_next_size(void)
{
    static const double times[][2] = { { 1, 2 }, { 1, 2 }, { 3, 2 }, { 9, 8 } };
    struct tune_series series = series_of(RPT_COLL_ALLREDUCE, 4, times);

    expect_rules(&series, "allreduce ranks=4 nodes=2 bytes=0-32 -> copy\n"
                          "allreduce ranks=4 nodes=2 bytes=33- -> flat\n");
}

static void one_that_is_always_best_needs_no_sizes(void)
{
    static const double times[][2] = { { 3, 2 }, { 3, 2 } };
    struct tune_series series = series_of(RPT_COLL_ALLREDUCE, 2, times);

    expect_rules(&series, "allreduce ranks=4 nodes=2 -> flat\n");
}

static void what_may_be_noise_makes_no_rule(void)
{
    static const double times[][2] = { { 1, 2 }, { 1.04, 1 }, { 1, 2 } };
    struct tune_series series = series_of(RPT_COLL_ALLREDUCE, 3, times);

    expect_rules(&series, "allreduce ranks=4 nodes=2 -> copy\n");
}

static void one_that_cannot_is_not_kept(void)
{
    static const double times[][2] = { { 1, 2 }, { -1, 2 }, { -1, -1 } };
    struct tune_series series = series_of(RPT_COLL_ALLREDUCE, 3, times);

    expect_rules(&series, "allreduce ranks=4 nodes=2 bytes=0-8 -> copy\n"
                          "allreduce ranks=4 nodes=2 bytes=9-32 -> flat\n");
}

/* The library obeys no other with such buffers. */
static void with_shared_buffers_only_the_reader_makes_rules(void)
{
    int reader = tune_reader(RPT_COLL_ALLREDUCE);
    struct tune_series series = { .kind = RPT_COLL_ALLREDUCE,
                                  .shared = true,
                                  .n_points = 3 };
    struct text text = { NULL, 0, 0 };

    CU_ASSERT_STRING_EQUAL(rpt_coll_algorithm(RPT_COLL_ALLREDUCE, reader),
                           "pulled");
    CU_ASSERT_EQUAL(tune_reader(RPT_COLL_BARRIER), -1);
    series.points[0].bytes = 65536;
    series.points[1].bytes = 262144;
    series.points[2].bytes = 1048576;
    series.points[0].best = series.points[2].best = reader;
    series.points[1].best = 1;
    expect_rules(&series, "allreduce ranks=4 nodes=2 bytes=0-131072 -> pulled"
                          "  # where all can read the buffers\n"
                          "allreduce ranks=4 nodes=2 bytes=524289- -> pulled"
                          "  # where all can read the buffers\n");
    tune_table(&text, &series, (struct tune_layout){ 4, 1 });
    CU_ASSERT_PTR_NOT_NULL(strstr(text.data, "on 1 node, buffers that all"));
    text_free(&text);
}

static void shared_buffers_matter_from_32_kib_on(void)
{
    const struct tune_layout layout = { 4, 1 };
    struct tune_series series = { .kind = RPT_COLL_ALLREDUCE, .shared = true };

    tune_sizes(&series, layout, 1 << 20);
    CU_ASSERT_EQUAL(series.n_points, 3);
    CU_ASSERT_EQUAL(series.points[0].bytes, 65536);
    tune_sizes(&series, layout, 16384);
    CU_ASSERT_EQUAL(series.n_points, 0);
    series.kind = RPT_COLL_GATHER; /* blocks of 16 KiB are 64 KiB */
    tune_sizes(&series, layout, 65536);
    CU_ASSERT_EQUAL(series.n_points, 1);
    CU_ASSERT_EQUAL(series.points[0].bytes, 16384);
}

static void sizes_end_where_buffers_do(void)
{
    const struct tune_layout layout = { 4, 1 };
    struct tune_series series = { .kind = RPT_COLL_ALLREDUCE };

    tune_sizes(&series, layout, 1024);
    CU_ASSERT_EQUAL(series.n_points, 5);
    CU_ASSERT_EQUAL(series.points[4].bytes, 1024);
    series.kind = RPT_COLL_ALLTOALL;
    tune_sizes(&series, layout, 1024);
    CU_ASSERT_EQUAL(series.n_points, 4);
    CU_ASSERT_EQUAL(series.points[3].bytes, 256);
    tune_sizes(&series, layout, 0);
    CU_ASSERT_EQUAL(series.n_points, 1);
    series.kind = RPT_COLL_BARRIER;
    tune_sizes(&series, layout, 1024);
    CU_ASSERT_EQUAL(series.n_points, 1);
    CU_ASSERT_EQUAL(series.points[0].bytes, 0);
    series.kind = RPT_COLL_SCAN;
    tune_sizes(&series, layout, SIZE_MAX);
    CU_ASSERT_EQUAL(series.n_points, 31);
}

static void the_table_shows_who_can_and_who_wins(void)
{
    static const double times[][2] = { { 1.25, 2 }, { -1, 3 } };
    struct tune_series series = series_of(RPT_COLL_ALLREDUCE, 2, times);
    struct text text = { NULL, 0, 0 };

    tune_table(&text, &series, (struct tune_layout){ 4, 2 });
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text.data, "allreduce, 4 ranks on 2 nodes, microseconds\n"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text.data, "*         1.25           2.00\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text.data, " - *         3.00\n"));
    text_clear(&text);
    series.points[0].seconds[0] = -1;
    tune_table(&text, &series, (struct tune_layout){ 4, 1 });
    CU_ASSERT_PTR_NULL(strstr(text.data, "copy"));
    text_free(&text);
}

int main(int argc, char *argv[])
{
    static const struct rpt_test tests[] = {
        RPT_TEST(a_rule_goes_half_way_to_the_next_size),
        RPT_TEST(one_that_is_always_best_needs_no_sizes),
        RPT_TEST(what_may_be_noise_makes_no_rule),
        RPT_TEST(one_that_cannot_is_not_kept),
        RPT_TEST(with_shared_buffers_only_the_reader_makes_rules),
        RPT_TEST(shared_buffers_matter_from_32_kib_on),
        RPT_TEST(sizes_end_where_buffers_do),
        RPT_TEST(the_table_shows_who_can_and_who_wins),
        RPT_TEST_END,
    };

    return rpt_test_main("test_cli_tune", tests, 60, argc, argv);
}
