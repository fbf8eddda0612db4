/*
 * test_cli_bench.c - what repartir bench makes of times
 */
#include "harness.h"

#include "cli/bench/bench.h"

#include <string.h>

static const struct bench_machine machine = { .n_ranks = 4,
                                              .n_nodes = 2,
                                              .copy_rate = 3e9,
                                              .buffers = "private",
                                              .mpi = "An \"MPI\" <&>" };

/* Two sizes: the MPI takes 8 and 2 times as long, our plain call half. */
static struct bench_series series_of(const char *row, int n_sides)
{
    return (struct bench_series){
        .row = row,
        .operation = "allreduce",
        .n_sides = n_sides,
        .n_points = 2,
        .points = { { .bytes = 4, .seconds = { 8e-6, 1e-6, 0.5e-6 } },
                    { .bytes = 1 << 20,
                      .seconds = { 4e-3, 2e-3, 1e-3 },
                      .ring_rate = 5e8,
                      .bound_s = 1e-3 } }
    };
}

static void expect_text(struct text *text, const char *wanted)
{
    CU_ASSERT_STRING_EQUAL(text->data, wanted);
    text_free(text);
}

static void the_table_has_ratios_and_the_part_of_the_bound(void)
{
    struct bench_series series = series_of("coll", 2);
    struct text text = { NULL, 0, 0 };

    bench_add_point(&text, &series, &series.points[0]);
    bench_add_point(&text, &series, &series.points[1]);
    expect_text(
        &text,
        "           4         8.00         1.00     8.00\n"
        "     1048576      4000.00      2000.00     2.00  0.50 of the bound, "
        "a ring sends 500.0 MB/s\n");
}

static void the_summary_is_geometric(void)
{
    struct bench_series series = series_of("coll", 2);
    struct text text = { NULL, 0, 0 };

    bench_add_summary(&text, &series);
    expect_text(&text, "MPI / ours: geometric mean 4.00, least 2.00\n\n");
}

static void a_plan_is_compared_with_two(void)
{
    struct bench_series series = series_of("plan", 3);
    struct text text = { NULL, 0, 0 };

    bench_add_point(&text, &series, &series.points[0]);
    bench_add_summary(&text, &series);
    expect_text(&text,
                "           4         8.00         1.00     8.00         0.50"
                "     0.50\n"
                "MPI / ours: geometric mean 4.00, least 2.00\n"
                "blocking / ours: geometric mean 0.50, least 0.50\n\n");
}

static void csv_leaves_out_what_was_not_measured(void)
{
    struct bench_series coll = series_of("coll", 2),
                        plan = series_of("plan", 3);
    struct text text = { NULL, 0, 0 };

    bench_add_csv(&text, &machine, &coll, &coll.points[0]);
    bench_add_csv(&text, &machine, &plan, &plan.points[1]);
    expect_text(&text, "coll,allreduce,4,2,private,4,8.000,1.000,,\n"
                       "plan,allreduce,4,2,private,1048576,4000.000,2000.000,"
                       "1000.000,1000.000\n");
}

static void json_is_a_line(void)
{
    struct bench_series series = series_of("coll", 2);
    struct text text = { NULL, 0, 0 };

    bench_add_json(&text, &machine, &series, &series.points[1]);
    expect_text(&text,
                "{\"row\":\"coll\",\"operation\":\"allreduce\",\"ranks\":4,"
                "\"nodes\":2,\"buffers\":\"private\",\"bytes\":1048576,"
                "\"mpi_us\":4000.000,\"ours_us\":2000.000,"
                "\"bound_us\":1000.000,\"ring_bytes_per_s\":500000000,"
                "\"copy_bytes_per_s\":3000000000,\"pull_bytes_per_s\":0,"
                "\"mpi\":\"An \\\"MPI\\\" <&>\"}\n");
}

static int count(const char *text, const char *word)
{
    int n = 0;

    for (; (text = strstr(text, word)) != NULL; text++) {
        n++;
    }
    return n;
}

static void the_plot_has_a_panel_for_each_series(void)
{
    struct bench_series both[2] = { series_of("coll", 2),
                                    series_of("coll", 2) };
    struct text text = { NULL, 0, 0 };

    bench_add_svg(&text, &machine, both, 2);
    CU_ASSERT_EQUAL(count(text.data, "<g "), 2);
    CU_ASSERT_EQUAL(count(text.data, "</g>"), 2);
    CU_ASSERT_EQUAL(count(text.data, "<polyline class=\"mpi\""), 2);
    CU_ASSERT_EQUAL(count(text.data, "<polyline class=\"ours\""), 4);
    CU_ASSERT_EQUAL(count(text.data, "An \"MPI\" &lt;&amp;>: 4 ranks on 2"), 1);
    CU_ASSERT_EQUAL(count(text.data, "prefers-color-scheme:dark"), 1);
    text_free(&text);
}

/* From 1 us to 10 ms there are four decades of 170 pixels in all, from the
 * bottom at 204; the ends of the sizes are those of the axis. */
static void times_are_on_a_logarithmic_axis(void)
{
    struct bench_series series = series_of("coll", 2);
    struct text text = { NULL, 0, 0 };

    series.points[0].seconds[BENCH_OURS] = 1e-6;
    series.points[0].seconds[BENCH_MPI] = 1e-5;
    series.points[1].seconds[BENCH_OURS] = 1e-3;
    series.points[1].seconds[BENCH_MPI] = 0.99e-2;
    bench_add_svg(&text, &machine, &series, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(text.data, "<polyline class=\"ours\" "
                                             "points=\"62.0,204.0 "
                                             "312.0,76.5\"/>"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text.data, "points=\"62.0,161.5 "));
    text_free(&text);
}

static void a_single_point_is_in_the_middle(void)
{
    struct bench_series series = series_of("coll", 2);
    struct text text = { NULL, 0, 0 };

    series.n_points = 1;
    series.points[0].bytes = 0;
    bench_add_svg(&text, &machine, &series, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(text.data, "points=\"187.0,"));
    CU_ASSERT_PTR_NULL(strstr(text.data, "nan"));
    CU_ASSERT_PTR_NULL(strstr(text.data, "inf"));
    text_free(&text);
}

int main(int argc, char *argv[])
{
    static const struct rpt_test tests[] = {
        RPT_TEST(the_table_has_ratios_and_the_part_of_the_bound),
        RPT_TEST(the_summary_is_geometric),
        RPT_TEST(a_plan_is_compared_with_two),
        RPT_TEST(csv_leaves_out_what_was_not_measured),
        RPT_TEST(json_is_a_line),
        RPT_TEST(the_plot_has_a_panel_for_each_series),
        RPT_TEST(times_are_on_a_logarithmic_axis),
        RPT_TEST(a_single_point_is_in_the_middle),
        RPT_TEST_END,
    };

    return rpt_test_main("test_cli_bench", tests, 60, argc, argv);
}
