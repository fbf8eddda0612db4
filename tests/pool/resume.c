/*
 * resume.c - a job that goes on where an earlier one left off
 *
 * All jobs of a test use one state directory, one after another, over all or
 * some of the ranks.
 */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATE "pool.state_dir=@/state"

/* The result of a task, known from before or not. */
static const rpt_result_t *result_of(rpt_future_t *future,
                                     rpt_outcome_t outcome, int resumed)
{
    const rpt_result_t *result = ended(future, outcome);

    CHECK(result != NULL && result->resumed == resumed);
    return result;
}

static void result_is(rpt_future_t *future, rpt_outcome_t outcome, int resumed)
{
    result_of(future, outcome, resumed);
    rpt_future_destroy(future);
}

/* ---- with ids ---- */

static void run_by_id(struct world *w)
{
    static char data[100000];
    bool again = gate_pass(0, 0);
    rpt_future_t *future;
    const rpt_result_t *result;

    memset(data, 'x', sizeof data);
    future = submit_as(w->pool, task_new("echo", data, sizeof data), "echo");
    result = result_of(future, RPT_OUTCOME_OK, again);
    CHECK(result != NULL && result->output_bytes == sizeof data &&
          memcmp(result->output, data, sizeof data) == 0 &&
          (uintptr_t)result->output % 16 == 0);
    rpt_future_destroy(future);
    future = submit_as(w->pool, task_shell("echo out; echo err >&2; exit 7"),
                       "program");
    result = result_of(future, RPT_OUTCOME_FAILED, again);
    CHECK(stdout_is(result, "out\n") && stderr_is(result, "err\n"));
    CHECK(result != NULL && result->exit_code == 7 && result->attempts == 1 &&
          result->rank >= 0 && result->host[0] != '\0' &&
          result->start_time > 1.5e9 && result->duration_s > 0 &&
          result->max_rss_kib > 0 &&
          strcmp(result->message, "exit code 7") == 0 &&
          strcmp(result->id, "program") == 0);
    rpt_future_destroy(future);
    future = submit_as(w->pool, task_shell("kill -9 $$"), "killed");
    result = result_of(future, RPT_OUTCOME_SIGNALED, again);
    CHECK(result != NULL && result->signal == 9);
    rpt_future_destroy(future);
    result_is(submit_as(w->pool, task_int("count", 0), "count"), RPT_OUTCOME_OK,
              again);
    CHECK(count_of(0) == 1);
    CHECK(stats_of(w->pool).resumed == (again ? 4 : 0));
    gate_open(0);
}

static void same_ranks(struct world *w)
{
    job(w, w->size, run_by_id);
    job(w, w->size, run_by_id);
    job(w, 1, run_by_id);
    job(w, w->size, run_by_id);
}

static void results_with_ids_come_back_whole(void)
{
    on_all(1, 4, STATE, same_ranks);
}

/* ---- without ids ---- */

static void run_some(struct world *w, int n, int n_known)
{
    int resumed = 0;

    for (int i = 0; i < n; i++) {
        rpt_future_t *future = submit(w->pool, task_int("count", 0));
        const rpt_result_t *result = ended(future, RPT_OUTCOME_OK);

        resumed += result != NULL && result->resumed;
        rpt_future_destroy(future);
    }
    CHECK(resumed == n_known);
    CHECK(stats_of(w->pool).resumed == (uint64_t)n_known);
}

static void run_3(struct world *w)
{
    run_some(w, 3, 0);
    result_is(submit(w->pool, task_int("count", 1)), RPT_OUTCOME_OK, 0);
}

static void run_5(struct world *w)
{
    result_is(submit(w->pool, task_int("count", 1)), RPT_OUTCOME_OK, 1);
    result_is(submit(w->pool, task_new("count", "\1\0\0\0", 4)), RPT_OUTCOME_OK,
              0);
    result_is(submit(w->pool, task_shell("exit 0")), RPT_OUTCOME_OK, 0);
    for (int i = 0; i < 5; i++) {
        result_is(submit(w->pool, task_int("count", 0)), RPT_OUTCOME_OK, i < 3);
    }
}

static void repeat(struct world *w)
{
    job(w, w->size, run_3);
    job(w, w->size, run_5);
    if (w->rank == 0) {
        CHECK(count_of(0) == 5 && count_of(1) == 2);
    }
}

static void the_same_work_counts_as_often_as_it_was_done(void)
{
    on_all(1, 4, STATE, repeat);
}

/* Every rank submits the same four tasks; then fewer ranks submit as many. */
static void submit_same(struct world *w, rpt_group_t *group, int n)
{
    CHECK(pool_open(w, group) == RPT_OK);
    for (int i = 0; i < n; i++) {
        submit_quietly(w->pool, task_int("count", 0));
    }
    CHECK(rpt_pool_drain(w->pool) == RPT_OK);
    rpt_pool_destroy(w->pool);
}

static void fewer_ranks(struct world *w)
{
    rpt_group_t *few = NULL;
    int n_few = (w->size + 1) / 2;

    CHECK(rpt_group_split(rpt_group_world(w->context),
                          w->rank < n_few ? 0 : RPT_COLOR_NONE, 0,
                          &few) == RPT_OK);
    submit_same(w, NULL, 4);
    CHECK(count_of(0) == 4 * (uint32_t)w->size);
    meet(w);
    if (few != NULL) {
        /* What rank r + n had is taken over by rank r. */
        submit_same(w, few, w->rank + n_few < w->size ? 8 : 4);
    }
    meet(w);
    CHECK(count_of(0) == 4 * (uint32_t)w->size);
    submit_same(w, NULL, 4);
    CHECK(count_of(0) == 4 * (uint32_t)w->size);
    submit_same(w, NULL, 5);
    CHECK(count_of(0) == 5 * (uint32_t)w->size);
    rpt_group_destroy(few);
}

static void fewer_ranks_take_over_the_work_of_all(void)
{
    on_all(1, 7, STATE, fewer_ranks);
}

/* Another rank drives the second job: ids belong to nobody. */
static void run_ids(struct world *w)
{
    bool again = gate_pass(0, 0);

    for (int i = 0; i < 20; i++) {
        char id[16];

        snprintf(id, sizeof id, "t%d", i);
        result_is(submit_as(w->pool, task_int("count", i), id), RPT_OUTCOME_OK,
                  again);
    }
    gate_open(0);
}

static void other_driver(struct world *w)
{
    rpt_group_t *reversed = NULL;

    CHECK(rpt_group_split(rpt_group_world(w->context), 0, -w->rank,
                          &reversed) == RPT_OK);
    job(w, w->size, run_ids);
    CHECK(pool_open(w, reversed) == RPT_OK);
    if (rpt_group_rank(reversed) == 0) {
        run_ids(w);
    }
    CHECK(rpt_pool_drain(w->pool) == RPT_OK);
    rpt_pool_destroy(w->pool);
    rpt_group_destroy(reversed);
    for (int i = 0; i < 20; i++) {
        CHECK(count_of(i) == 1);
    }
}

static void another_rank_may_resume(void)
{
    on_all(1, 4, STATE, other_driver);
}

/* ---- failed, skipped, dropped ---- */

static void fail_then_not(struct world *w, bool retried)
{
    bool again = gate_pass(0, 0);
    char line[2 * TEXT_BYTES];
    rpt_task_t *next = task_int("count", 0);
    rpt_future_t *first;
    int known = gate_pass(1, 0); /* the third job */

    snprintf(line, sizeof line, "test -e %s", scratch_path("good"));
    CHECK(rpt_task_add_dependency(next, "first") == RPT_OK);
    first = submit_as(w->pool, task_shell(line), "first");
    if (again && retried) {
        result_is(first, RPT_OUTCOME_OK, known);
        result_is(submit(w->pool, next), RPT_OUTCOME_OK, known);
        gate_open(1);
    } else {
        result_is(first, RPT_OUTCOME_FAILED, again);
        result_is(submit(w->pool, next), RPT_OUTCOME_SKIPPED, 0);
    }
    write_file(scratch_path("good"), "");
    gate_open(0);
}

static void not_retried(struct world *w)
{
    fail_then_not(w, false);
}

static void retried(struct world *w)
{
    fail_then_not(w, true);
}

static void twice_not_retried(struct world *w)
{
    job(w, w->size, not_retried);
    job(w, w->size, not_retried);
    CHECK(count_of(0) == 0);
}

static void twice_retried(struct world *w)
{
    job(w, w->size, retried);
    job(w, w->size, retried);
    job(w, w->size, retried); /* the later result counts */
    CHECK(count_of(0) == 1);
}

static void failed_tasks_stay_failed(void)
{
    on_all(1, 3, STATE, twice_not_retried);
}

static void failed_tasks_run_again_when_asked_for(void)
{
    on_all(1, 3, STATE " pool.retry_failed=yes", twice_retried);
}

static void be_stopped(struct world *w)
{
    char line[2 * TEXT_BYTES];
    bool again = gate_pass(0, 0);
    rpt_task_t *last = task_int("count", 1);
    rpt_future_t *f[4];
    uint64_t dropped = 0;

    snprintf(line, sizeof line, "test -e %s || sleep 1000",
             scratch_path("good"));
    CHECK(rpt_task_add_dependency(last, "runs") == RPT_OK);
    f[0] = submit_as(w->pool, task_shell(line), "runs");
    if (!again) {
        wait_running(w->pool, 1);
        hold(w->pool, w->size - 1, 3);
    }
    f[1] = submit_as(w->pool, task_int("count", 0), "queued");
    f[2] = submit_as(w->pool, last, "waits");
    f[3] = submit_as(w->pool, task_int("count", 2), "cancelled");
    if (!again) {
        CHECK(rpt_pool_cancel(w->pool, "cancelled") == RPT_OK);
        gate_open(0);
        gate_open(3);
        CHECK(rpt_pool_shutdown(w->pool, RPT_SHUTDOWN_NOW, 0, &dropped) ==
              RPT_OK);
        w->closed = true;
        write_file(scratch_path("good"), "");
        CHECK(dropped >= 2 && dropped <= 3);
        result_is(f[0], RPT_OUTCOME_CANCELLED, 0);
        rpt_future_destroy(f[1]);
        result_is(f[2], RPT_OUTCOME_CANCELLED, 0);
        result_is(f[3], RPT_OUTCOME_CANCELLED, 0);
    } else {
        result_is(f[0], RPT_OUTCOME_OK, 0);
        ends(f[1], RPT_OUTCOME_OK);
        result_is(f[2], RPT_OUTCOME_OK, 0);
        result_is(f[3], RPT_OUTCOME_CANCELLED, 1);
    }
}

static void stop_and_go_on(struct world *w)
{
    job(w, w->size, be_stopped);
    job(w, w->size, be_stopped);
    CHECK(count_of(0) == 1 && count_of(1) == 1 && count_of(2) == 0);
}

static void what_was_dropped_runs_in_the_next_job(void)
{
    on_all(1, 4, STATE " pool.slots=1", stop_and_go_on);
}

/* A known result lets those go that wait, in a batch in any order. */
static void batch_of_known(struct world *w)
{
    rpt_task_t *tasks[3] = { task_int("count", 0), task_int("count", 1),
                             task_int("count", 2) };
    rpt_future_t *futures[3];

    CHECK(rpt_task_set_id(tasks[0], "c") == RPT_OK);
    CHECK(rpt_task_set_id(tasks[1], "b") == RPT_OK);
    CHECK(rpt_task_set_id(tasks[2], gate_pass(0, 0) ? "new" : "a") == RPT_OK);
    CHECK(rpt_task_add_dependency(tasks[0], "b") == RPT_OK);
    if (!gate_pass(0, 0)) {
        CHECK(rpt_task_add_dependency(tasks[1], "a") == RPT_OK);
    } else {
        CHECK(rpt_task_add_dependency(tasks[2], "c") == RPT_OK);
    }
    CHECK(rpt_pool_submit_batch(w->pool, (const rpt_task_t *const *)tasks, 3,
                                futures) == RPT_OK);
    for (int i = 0; i < 3; i++) {
        result_is(futures[i], RPT_OUTCOME_OK, gate_pass(0, 0) && i < 2);
        rpt_task_destroy(tasks[i]);
    }
    gate_open(0);
}

static void batches(struct world *w)
{
    job(w, w->size, batch_of_known);
    job(w, w->size, batch_of_known);
    CHECK(count_of(0) == 1 && count_of(1) == 1 && count_of(2) == 2);
}

static void known_results_let_others_go(void)
{
    on_all(1, 3, STATE, batches);
}

/* Small journals that are rewritten at every start. */
static void run_more(struct world *w)
{
    int known = (int)count_of(300) * 10;

    for (int i = 0; i < known + 10; i++) {
        char id[16];

        snprintf(id, sizeof id, "%d", i);
        result_is(submit_as(w->pool, task_int("count", i), id), RPT_OUTCOME_OK,
                  i < known);
    }
    count_up(300);
}

static void many_jobs(struct world *w)
{
    for (int i = 0; i < 5; i++) {
        job(w, 1 + i % w->size, run_more);
    }
    for (int i = 0; i < 50; i++) {
        CHECK(count_of(i) == 1);
    }
}

static void many_jobs_on_one_directory_keep_what_is_known(void)
{
    on_all(1, 3, STATE " journal.compact_bytes=4KiB", many_jobs);
}

const struct pool_test resume_tests[] = {
    TEST(results_with_ids_come_back_whole),
    TEST(the_same_work_counts_as_often_as_it_was_done),
    TEST(fewer_ranks_take_over_the_work_of_all),
    TEST(another_rank_may_resume),
    TEST(failed_tasks_stay_failed),
    TEST(failed_tasks_run_again_when_asked_for),
    TEST(what_was_dropped_runs_in_the_next_job),
    TEST(known_results_let_others_go),
    TEST(many_jobs_on_one_directory_keep_what_is_known),
    TEST_END,
};
