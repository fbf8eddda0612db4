/*
 * ends.c - time limits and retries
 */
#include "world.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static rpt_task_t *limited(rpt_task_t *task, double seconds)
{
    CHECK(rpt_task_set_timeout(task, seconds) == RPT_OK);
    return task;
}

static rpt_task_t *retried(rpt_task_t *task, int retries)
{
    CHECK(rpt_task_set_retries(task, retries) == RPT_OK);
    return task;
}

/* ---- time limits ---- */

static void sleep_too_long(struct world *w)
{
    rpt_future_t *future = submit(
        w->pool, limited(task_shell("echo begun; sleep 1000"), 2));
    const rpt_result_t *result = ended(future, RPT_OUTCOME_TIMEOUT);

    if (result != NULL) {
        CHECK(result->duration_s >= 2 && result->duration_s < 30);
        CHECK(strstr(result->message, "time limit of 2 s") != NULL);
        CHECK(stdout_is(result, "begun\n"));
    }
    rpt_future_destroy(future);
    ends(submit(w->pool, limited(task_shell("exit 0"), 60)), RPT_OUTCOME_OK);
}

static void a_program_over_its_time_is_ended(void)
{
    drive(1, 3, NULL, sleep_too_long);
}

/* Its child, too, and both ignore TERM; gives the child, 0 when the time was
 * over before the program had begun. */
static long ignore_term_for(struct world *w, double seconds)
{
    char line[2 * TEXT_BYTES];
    const char *path = scratch_path("child");
    rpt_future_t *future;
    const rpt_result_t *result;
    char *text;
    long child;

    snprintf(line, sizeof line,
             "trap '' TERM; sleep 1000 & echo $! >%s; wait; sleep 1000", path);
    future = submit(w->pool, limited(task_shell(line), seconds));
    result = ended(future, RPT_OUTCOME_TIMEOUT);
    text = read_file(path);
    child = text != NULL ? atol(text) : 0;
    CHECK(result != NULL && (child == 0 || result->signal == SIGKILL));
    rpt_future_destroy(future);
    free(text);
    return child;
}

static void ignore_term(struct world *w)
{
    long child = 0;

    for (double seconds = 0.2; child == 0 && seconds < 60; seconds *= 10) {
        child = ignore_term_for(w, seconds);
    }
    CHECK(child > 0 && process_ends(child));
}

static void a_program_that_ignores_term_is_killed_with_its_children(void)
{
    drive(1, 2, "pool.grace_s=50ms", ignore_term);
}

static void run_too_long(struct world *w)
{
    rpt_future_t *future = submit(
        w->pool, limited(task_int("until_cancelled", 0), 0.05));
    const rpt_result_t *result = ended(future, RPT_OUTCOME_TIMEOUT);

    CHECK(result != NULL && result->exit_code == 5 &&
          result->duration_s >= 0.05);
    rpt_future_destroy(future);
    CHECK(stats_of(w->pool).by_outcome[RPT_OUTCOME_TIMEOUT] == 1);
}

static void a_function_is_told_that_its_time_is_over(void)
{
    drive(1, 4, NULL, run_too_long);
}

/* ---- retries ---- */

static void fail_twice(struct world *w)
{
    rpt_future_t *future = submit(w->pool,
                                  retried(task_int("fail_first", 2), 5));
    const rpt_result_t *result = ended(future, RPT_OUTCOME_OK);

    CHECK(result != NULL && result->attempts == 3 && result->exit_code == 0);
    rpt_future_destroy(future);
    CHECK(log_length() == 3);
    CHECK(stats_of(w->pool).retried == 2);
}

static void a_task_is_tried_until_it_succeeds(void)
{
    drive(1, 7, "pool.backoff_s=1ms", fail_twice);
}

static void fail_always(struct world *w)
{
    rpt_future_t *future = submit(
        w->pool, retried(task_shell("echo $RPT_TASK_ATTEMPT; exit 9"), 3));
    const rpt_result_t *result = ended(future, RPT_OUTCOME_FAILED);

    CHECK(result != NULL && result->attempts == 4 && result->exit_code == 9);
    CHECK(stdout_is(result, "4\n")); /* of the last attempt */
    rpt_future_destroy(future);
    CHECK(stats_of(w->pool).retried == 3);

    future = submit(w->pool, retried(task_shell("kill -9 $$"), 1));
    result = ended(future, RPT_OUTCOME_SIGNALED);
    CHECK(result != NULL && result->attempts == 2);
    rpt_future_destroy(future);

    future = submit(w->pool,
                    retried(limited(task_shell("sleep 1000"), 0.05), 1));
    result = ended(future, RPT_OUTCOME_TIMEOUT);
    CHECK(result != NULL && result->attempts == 2);
    rpt_future_destroy(future);
}

static void the_last_attempt_counts(void)
{
    drive(1, 3, "pool.backoff_s=1ms", fail_always);
}

/* Both slots are free; the second attempt goes to the other rank. */
static void avoid_first_rank(struct world *w)
{
    for (int i = 0; i < 10; i++) {
        ends(submit(w->pool, retried(task_int("fail_first", 1), 1)),
             RPT_OUTCOME_OK);
        CHECK(log_length() == 2 * (i + 1));
        CHECK(log_at(2 * i) != log_at(2 * i + 1));
    }
}

static void a_retry_goes_to_another_rank(void)
{
    drive(2, 7, "pool.slots=1 pool.backoff_s=1ms", avoid_first_rank);
}

/* All other ranks are busy: the same rank takes it again, after a while. */
static void same_rank_again(struct world *w)
{
    int last = w->size - 1;
    rpt_future_t *future;

    hold_each(w->pool);
    future = submit(w->pool, retried(task_int("fail_first", 1), 1));
    gate_open(OWN_GATE(last));
    ends(future, RPT_OUTCOME_OK);
    CHECK(log_length() == 2 && log_at(0) == last && log_at(1) == last);
}

static void a_retry_comes_back_when_the_others_are_busy(void)
{
    drive(1, 4, "pool.slots=1 pool.backoff_s=1ms", same_rank_again);
}

static int stamp(rpt_call_t *call, void *user)
{
    struct timespec now;

    (void)user;
    clock_gettime(CLOCK_MONOTONIC, &now);
    log_add((int32_t)((now.tv_sec % 100000) * 10000 + now.tv_nsec / 100000));
    return rpt_call_attempt(call) < 4 ? 1 : 0;
}

static void register_stamp(struct world *w)
{
    CHECK(rpt_pool_register(w->pool, "stamp", stamp, NULL) == RPT_OK);
}

/* Units of 0.1 ms; the waits are 20, 40 and 80 ms at least. */
static void back_off(struct world *w)
{
    ends(submit(w->pool, retried(task_new("stamp", NULL, 0), 3)),
         RPT_OUTCOME_OK);
    if (CHECK(log_length() == 4)) {
        CHECK(log_at(1) - log_at(0) >= 200);
        CHECK(log_at(2) - log_at(1) >= 400);
        CHECK(log_at(3) - log_at(2) >= 800);
    }
}

static void each_retry_waits_twice_as_long(void)
{
    drive_with(register_stamp, 1, 3, "pool.backoff_s=20ms", back_off);
}

static void retry_many(struct world *w)
{
    enum { N = 100 };
    rpt_pool_stats_t stats;

    for (int i = 0; i < N; i++) {
        submit_quietly(w->pool, retried(task_int("fail_first", i % 3), 2));
    }
    wait_all(w->pool);
    stats = stats_of(w->pool);
    CHECK(stats.by_outcome[RPT_OUTCOME_OK] == N);
    CHECK(stats.retried == 33 + 2 * 33);
    CHECK(log_length() == N + 33 + 2 * 33);
    CHECK(stats.running == 0 && stats.queued == 0);
}

static void many_tasks_are_retried_and_counted(void)
{
    drive(1, 7, "pool.backoff_s=1ms", retry_many);
}

const struct pool_test ends_tests[] = {
    TEST(a_program_over_its_time_is_ended),
    TEST(a_program_that_ignores_term_is_killed_with_its_children),
    TEST(a_function_is_told_that_its_time_is_over),
    TEST(a_task_is_tried_until_it_succeeds),
    TEST(the_last_attempt_counts),
    TEST_FROM(2, a_retry_goes_to_another_rank),
    TEST(a_retry_comes_back_when_the_others_are_busy),
    TEST(each_retry_waits_twice_as_long),
    TEST(many_tasks_are_retried_and_counted),
    TEST_END,
};
