/*
 * test_pace.c - which way to store is tried, found, and tried again
 *
 * With a clock that goes as the test says.
 */
#include "collectives/engine/pace.h"

#include "base/clock.h"

#include "harness.h"

static double moment_s;

static double now(void)
{
    return moment_s;
}

/* A call that takes one time or the other; whether it went past the caches. */
static bool call(struct rpt_pace *pace, double usual_s, double past_s)
{
    struct rpt_trial trial = rpt__pace_begin(pace);

    moment_s += trial.is_past ? past_s : usual_s;
    rpt__pace_end(&trial);
    return trial.is_past;
}

static int count_past(struct rpt_pace *pace, int n, double usual_s,
                      double past_s)
{
    int n_past = 0;

    for (int i = 0; i < n; i++) {
        n_past += call(pace, usual_s, past_s);
    }
    return n_past;
}

static void each_size_has_its_pace(void)
{
    CU_ASSERT_EQUAL(rpt__pace_of(0), -RPT_PACE_LEAST);
    CU_ASSERT_TRUE(rpt__pace_of(8191) < 0);
    CU_ASSERT_EQUAL(rpt__pace_of(8192), 0);
    CU_ASSERT_EQUAL(rpt__pace_of(16383), 0);
    CU_ASSERT_EQUAL(rpt__pace_of(16384), 1);
    CU_ASSERT_EQUAL(rpt__pace_of((size_t)1 << 24), RPT_N_PACES - 1);
    CU_ASSERT_EQUAL(rpt__pace_of(SIZE_MAX), RPT_N_PACES - 1);
}

static void the_faster_way_is_taken(void)
{
    struct rpt_pace near = { 0 }, far = { 0 };

    rpt__clock_set(now);
    CU_ASSERT_EQUAL(count_past(&near, 64, 1, 2), 4);
    CU_ASSERT_EQUAL(count_past(&near, 900, 1, 2), 4);
    CU_ASSERT_EQUAL(count_past(&far, 64, 2, 1), 60);
    CU_ASSERT_EQUAL(count_past(&far, 900, 2, 1), 896);
    rpt__clock_set(NULL);
}

static void a_rank_that_has_moved_finds_out(void)
{
    struct rpt_pace pace = { 0 };

    rpt__clock_set(now);
    count_past(&pace, 2048, 1, 2);
    CU_ASSERT_EQUAL(count_past(&pace, 1024, 2, 1), 1020);
    rpt__clock_set(NULL);
}

static void one_slow_call_decides_nothing(void)
{
    struct rpt_pace pace = { 0 };

    rpt__clock_set(now);
    for (int i = 0; i < 64; i++) {
        bool is_slow = i == 5 || i == 6; /* of those that go as usual */

        call(&pace, is_slow ? 100 : 1, 2);
    }
    CU_ASSERT_TRUE(pace.is_usual);
    rpt__clock_set(NULL);
}

static const struct rpt_test tests[] = {
    RPT_TEST(each_size_has_its_pace), RPT_TEST(the_faster_way_is_taken),
    RPT_TEST(a_rank_that_has_moved_finds_out),
    RPT_TEST(one_slow_call_decides_nothing), RPT_TEST_END
};

int main(int argc, char *argv[])
{
    return rpt_test_main("test_pace", tests, 60, argc, argv);
}
