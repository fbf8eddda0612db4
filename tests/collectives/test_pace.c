/*
 * test_pace.c - which way to move data is tried, found, and tried again
 *
 * With a clock that goes as the test says.
 */
#include "collectives/engine/pace.h"

#include "base/clock.h"

#include "harness.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static double moment_s;

static double now(void)
{
    return moment_s;
}

enum { SMALL, LARGE = RPT_N_PACES - 1 };

static struct rpt_pace paces[RPT_N_PACES];

/* A call that takes one time or the other; whether it went past the caches. */
static bool call(int which, double usual_s, double past_s)
{
    struct rpt_trial trial = rpt__pace_begin(paces, which);

    rpt__pace_settle(&trial, false);
    moment_s += trial.is_past ? past_s : usual_s;
    rpt__pace_end(&trial);
    return trial.is_past;
}

static int count_past(int which, int n, double usual_s, double past_s)
{
    int n_past = 0;

    for (int i = 0; i < n; i++) {
        n_past += call(which, usual_s, past_s);
    }
    return n_past;
}

/* The first calls may touch pages of the program itself. */
static void begin(void)
{
    count_past(SMALL, 32, 1, 2);
    memset(paces, 0, sizeof paces);
    rpt__clock_set(now);
}

static void each_size_has_its_pace(void)
{
    CU_ASSERT_EQUAL(rpt__pace_of(0), -RPT_PACE_LEAST);
    CU_ASSERT_TRUE(rpt__pace_of(4095) < 0);
    CU_ASSERT_EQUAL(rpt__pace_of(4096), 0);
    CU_ASSERT_EQUAL(rpt__pace_of(8191), 0);
    CU_ASSERT_EQUAL(rpt__pace_of(8192), 1);
    CU_ASSERT_EQUAL(rpt__pace_of((size_t)1 << 24), RPT_N_PACES - 1);
    CU_ASSERT_EQUAL(rpt__pace_of(SIZE_MAX), RPT_N_PACES - 1);
}

static void the_faster_way_is_taken(void)
{
    begin();
    CU_ASSERT_EQUAL(count_past(SMALL, 32, 1, 2), 6);
    CU_ASSERT_EQUAL(count_past(SMALL, 900, 1, 2), 6);
    begin();
    CU_ASSERT_EQUAL(count_past(SMALL, 32, 2, 1), 26);
    CU_ASSERT_EQUAL(count_past(SMALL, 900, 2, 1), 894);
    rpt__clock_set(NULL);
}

static void a_large_one_is_tried_twice(void)
{
    begin();
    CU_ASSERT_EQUAL(count_past(LARGE, 32, 1, 2), 4);
    begin();
    CU_ASSERT_EQUAL(count_past(LARGE, 32, 2, 1), 28);
    rpt__clock_set(NULL);
}

static void a_rank_that_has_moved_finds_out(void)
{
    begin();
    count_past(SMALL, 2048, 1, 2);
    CU_ASSERT_EQUAL(count_past(SMALL, 1024, 2, 1), 1018);
    rpt__clock_set(NULL);
}

static void one_slow_call_decides_nothing(void)
{
    begin();
    for (int i = 0; i < 32; i++) {
        bool is_slow = i == 9 || i == 10; /* of those that go as usual */

        call(SMALL, is_slow ? 100 : 1, 2);
    }
    CU_ASSERT_TRUE(paces[SMALL].is_usual);
    rpt__clock_set(NULL);
}

/* As an application that brings new memory to the first n of those calls that
 * go past the caches; the others take twice the time. */
static void touch_new_pages(int n, int n_calls)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    int n_past = 0;

    begin();
    for (int i = 0; i < n_calls; i++) {
        struct rpt_trial trial = rpt__pace_begin(paces, LARGE);
        bool is_new = trial.way == RPT_WAY_PAST && n_past++ < n;

        rpt__pace_settle(&trial, false);
        if (is_new) {
            char *memory = mmap(NULL, page, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

            CU_ASSERT_NOT_EQUAL_FATAL(memory, MAP_FAILED);
            *memory = 1;
            munmap(memory, page);
        }
        moment_s += is_new ? 100 : trial.is_past ? 1 : 2;
        rpt__pace_end(&trial);
    }
    rpt__clock_set(NULL);
}

static void a_call_that_touched_new_pages_is_tried_again(void)
{
    touch_new_pages(5, 8);
    CU_ASSERT_FALSE(paces[LARGE].is_usual);
    CU_ASSERT_EQUAL(paces[LARGE].n_again, 4);
    touch_new_pages(1000, 16); /* the second trial takes what comes */
    CU_ASSERT_TRUE(paces[LARGE].is_usual);
    CU_ASSERT_EQUAL(paces[LARGE].n_again, 7);
}

/* A call that the kernel reads in when it is to try that, or never; whether it
 * was to try. */
static bool call_kernel(int which, double kernel_s, bool can)
{
    struct rpt_trial trial = rpt__pace_begin(paces, which);
    bool tries = trial.way == RPT_WAY_KERNEL;

    rpt__pace_settle(&trial, tries && can);
    moment_s += tries ? kernel_s : 1;
    rpt__pace_end(&trial);
    return tries;
}

static int count_kernel(int which, int n, double kernel_s, bool can)
{
    int n_tries = 0;

    for (int i = 0; i < n; i++) {
        n_tries += call_kernel(which, kernel_s, can);
    }
    return n_tries;
}

static void the_kernel_is_tried_when_memory_is_warm(void)
{
    begin();
    CU_ASSERT_EQUAL(count_kernel(SMALL, 32, 0.5, true), 0);
    CU_ASSERT_EQUAL(count_kernel(SMALL, 900, 0.5, true), 6);
    CU_ASSERT_DOUBLE_EQUAL(paces[SMALL].kernel_s, 0.5, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(rpt__pace_stored_s(&paces[SMALL]), 1, 1e-9);
    CU_ASSERT_EQUAL(count_kernel(SMALL, 1024, 0.7, true), 6);
    CU_ASSERT_DOUBLE_EQUAL(paces[SMALL].kernel_s, 0.7, 1e-9);
    CU_ASSERT_EQUAL(count_kernel(LARGE, 890, 2, true), 14);
    CU_ASSERT_DOUBLE_EQUAL(paces[LARGE].kernel_s, 2, 1e-9);
    rpt__clock_set(NULL);
}

static void what_went_another_way_tells_nothing(void)
{
    struct rpt_trial trial;

    begin();
    CU_ASSERT_EQUAL(count_kernel(SMALL, 900, 0.5, false), 6);
    CU_ASSERT_TRUE(paces[SMALL].kernel_s > 1e9);
    CU_ASSERT_DOUBLE_EQUAL(rpt__pace_stored_s(&paces[SMALL]), 1, 1e-9);
    begin();
    do {
        trial = rpt__pace_begin(paces, SMALL);
    } while (trial.pace == NULL);
    rpt__pace_settle(&trial, true); /* others wanted it so */
    rpt__pace_end(&trial);
    CU_ASSERT_TRUE(paces[SMALL].past_s > 1e9);
    CU_ASSERT_TRUE(paces[SMALL].kernel_s > 1e9);
    rpt__clock_set(NULL);
}

/* Whether a call that its caller left for so long has told something. */
static bool tells(double away_s)
{
    struct rpt_trial trial;

    begin();
    do {
        trial = rpt__pace_begin(paces, SMALL);
    } while (trial.pace == NULL);
    rpt__pace_settle(&trial, false);
    moment_s += 1;
    rpt__pace_leave(&trial);
    moment_s += away_s;
    rpt__pace_return(&trial);
    moment_s += 1;
    rpt__pace_end(&trial);
    rpt__clock_set(NULL);
    return paces[SMALL].past_s < 1e9;
}

static void a_caller_that_was_away_tells_nothing(void)
{
    CU_ASSERT_TRUE(tells(0));
    CU_ASSERT_FALSE(tells(1));
}

static const struct rpt_test tests[] = {
    RPT_TEST(each_size_has_its_pace),
    RPT_TEST(the_faster_way_is_taken),
    RPT_TEST(a_large_one_is_tried_twice),
    RPT_TEST(a_rank_that_has_moved_finds_out),
    RPT_TEST(one_slow_call_decides_nothing),
    RPT_TEST(a_call_that_touched_new_pages_is_tried_again),
    RPT_TEST(the_kernel_is_tried_when_memory_is_warm),
    RPT_TEST(what_went_another_way_tells_nothing),
    RPT_TEST(a_caller_that_was_away_tells_nothing),
    RPT_TEST_END
};

int main(int argc, char *argv[])
{
    return rpt_test_main("test_pace", tests, 60, argc, argv);
}
