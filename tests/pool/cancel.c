/*
 * cancel.c - taking tasks back
 */
#include "world.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void cancel_queued(struct world *w)
{
    rpt_future_t *named, *nameless;
    const rpt_result_t *result;

    hold_each(w->pool);
    named = submit_as(w->pool, task_int("log", 1), "queued");
    nameless = submit(w->pool, task_int("log", 2));
    CHECK(rpt_pool_cancel(w->pool, "queued") == RPT_OK);
    result = ended(named, RPT_OUTCOME_CANCELLED);
    CHECK(result != NULL && result->attempts == 0 && result->rank == -1 &&
          result->exit_code == -1 && result->message[0] != '\0');
    CHECK(rpt_pool_cancel(w->pool, "queued") == RPT_END);
    CHECK(rpt_future_cancel(named) == RPT_END);
    CHECK(rpt_future_cancel(nameless) == RPT_OK);
    ends(nameless, RPT_OUTCOME_CANCELLED);
    rpt_future_destroy(named);
    for (int r = 0; r < w->size; r++) {
        gate_open(OWN_GATE(r));
    }
    wait_all(w->pool);
    CHECK(log_length() == 0);
    CHECK(stats_of(w->pool).by_outcome[RPT_OUTCOME_CANCELLED] == 2);
}

static void a_queued_task_never_starts(void)
{
    drive(1, 7, "pool.slots=1", cancel_queued);
}

static void cancel_by_number(struct world *w)
{
    rpt_future_t *future;
    char id[32];

    hold_each(w->pool);
    future = submit(w->pool, task_int("log", 1));
    snprintf(id, sizeof id, "%d", w->size + 1);
    CHECK(rpt_pool_cancel(w->pool, id) == RPT_OK);
    ends(future, RPT_OUTCOME_CANCELLED);
    CHECK_ERROR(RPT_ERR_NOT_FOUND, rpt_pool_cancel(w->pool, "stranger"));
    CHECK(strstr(rpt_last_error()->what, "stranger") != NULL);
}

static void a_task_without_id_is_cancelled_by_its_number(void)
{
    drive(1, 3, "pool.slots=1", cancel_by_number);
}

static void cancel_programs(struct world *w)
{
    enum { N = 4 };
    rpt_future_t *futures[N];
    const char *path = scratch_path("begun");
    char line[2 * TEXT_BYTES];

    snprintf(line, sizeof line, "echo >%s.$RPT_TASK_ID; sleep 1000", path);
    for (int i = 0; i < N; i++) {
        char id[16];

        snprintf(id, sizeof id, "p%d", i);
        futures[i] = submit_as(w->pool, task_shell(line), id);
    }
    wait_running(w->pool, N);
    for (int i = 0; i < N; i++) {
        char id[16];
        const rpt_result_t *result;

        snprintf(id, sizeof id, "p%d", i);
        CHECK(rpt_pool_cancel(w->pool, id) == RPT_OK);
        CHECK(rpt_pool_cancel(w->pool, id) == RPT_OK); /* twice */
        result = ended(futures[i], RPT_OUTCOME_CANCELLED);
        CHECK(result != NULL && result->signal == SIGTERM &&
              result->attempts == 1 && result->rank >= 0);
        CHECK(rpt_pool_cancel(w->pool, id) == RPT_END);
        rpt_future_destroy(futures[i]);
    }
}

static void a_running_program_is_ended(void)
{
    drive(1, 3, "pool.slots=4", cancel_programs);
}

static void cancel_functions(struct world *w)
{
    rpt_future_t *futures[8];

    for (int i = 0; i < w->size; i++) {
        futures[i] = submit(w->pool, task_int("until_cancelled", 0));
    }
    wait_count(w->pool, 0, (uint32_t)w->size);
    for (int i = 0; i < w->size; i++) {
        const rpt_result_t *result;

        CHECK(rpt_future_cancel(futures[i]) == RPT_OK);
        result = ended(futures[i], RPT_OUTCOME_CANCELLED);
        CHECK(result != NULL && result->exit_code == 5);
        rpt_future_destroy(futures[i]);
    }
}

static void a_running_function_is_told(void)
{
    drive(1, 7, "pool.slots=1", cancel_functions);
}

/* One that does not look, and returns 0, has succeeded. */
static void cancel_deaf(struct world *w)
{
    rpt_future_t *future = submit(w->pool, task_pair("gate", 0, 0));

    wait_count(w->pool, 0, 1);
    CHECK(rpt_future_cancel(future) == RPT_OK);
    gate_open(0);
    ends(future, RPT_OUTCOME_OK);
}

static void a_function_that_does_not_look_may_succeed(void)
{
    drive(1, 3, NULL, cancel_deaf);
}

/* A cancelled task is not tried again; one that waits for its retry ends. */
static void cancel_retries(struct world *w)
{
    rpt_task_t *task = task_int("until_cancelled", 0);
    rpt_future_t *future;
    const rpt_result_t *result;

    CHECK(rpt_task_set_retries(task, 3) == RPT_OK);
    future = submit(w->pool, task);
    wait_count(w->pool, 0, 1);
    CHECK(rpt_future_cancel(future) == RPT_OK);
    result = ended(future, RPT_OUTCOME_CANCELLED);
    CHECK(result != NULL && result->attempts == 1);
    rpt_future_destroy(future);

    task = task_int("fail_first", 1);
    CHECK(rpt_task_set_retries(task, 3) == RPT_OK);
    future = submit(w->pool, task);
    while (stats_of(w->pool).retried == 0 && count_of(1) < 30000) {
        rpt_pool_wait(w->pool, 1e-3);
        count_up(1);
    }
    CHECK(rpt_future_cancel(future) == RPT_OK);
    result = ended(future, RPT_OUTCOME_CANCELLED);
    CHECK(result != NULL && result->attempts == 1);
    rpt_future_destroy(future);
    CHECK(log_length() == 1);
}

static void a_cancelled_task_is_not_tried_again(void)
{
    drive(1, 4, "pool.backoff_s=1h", cancel_retries);
}

/* Many short ones, cancelled while ranks fetch and run them: each ends once,
 * and a cancelled one ran at most if it had been started. */
static void cancel_in_the_rush(struct world *w)
{
    enum { N = 2000 };
    rpt_future_t **futures = calloc(N, sizeof(rpt_future_t *));
    rpt_pool_stats_t stats;
    uint64_t ok = 0, cancelled = 0;

    for (int i = 0; i < N; i++) {
        futures[i] = submit(w->pool, task_int("count", 0));
    }
    for (int i = N; i-- > 0;) {
        rpt_status_t status = rpt_future_cancel(futures[i]);

        CHECK(status == RPT_OK || status == RPT_END);
    }
    for (int i = 0; i < N; i++) {
        const rpt_result_t *result;

        CHECK(rpt_future_wait(futures[i], 30) == RPT_OK);
        CHECK(rpt_future_result(futures[i], &result) == RPT_OK);
        ok += result->outcome == RPT_OUTCOME_OK;
        cancelled += result->outcome == RPT_OUTCOME_CANCELLED;
        rpt_future_destroy(futures[i]);
    }
    CHECK(ok + cancelled == N && count_of(0) == ok);
    stats = stats_of(w->pool);
    CHECK(stats.by_outcome[RPT_OUTCOME_OK] == ok &&
          stats.by_outcome[RPT_OUTCOME_CANCELLED] == cancelled &&
          stats.ended == N);
    free(futures);
}

static void tasks_cancelled_in_a_rush_end_once(void)
{
    drive(1, 7, NULL, cancel_in_the_rush);
}

/* Tasks seem short, so that ranks fetch some ahead; then all of them wait at
 * the gate.  Some are cancelled where they were fetched to: they never started,
 * and their results say so. */
static void cancel_fetched(struct world *w)
{
    enum { N = 40 };
    rpt_future_t *futures[N];
    int n_started = 0;

    for (int i = 0; i < 400; i++) {
        submit_quietly(w->pool, task_int("count", 1));
    }
    wait_all(w->pool);
    for (int i = 0; i < N; i++) {
        futures[i] = submit(w->pool, task_pair("gate", 0, 0));
    }
    wait_count(w->pool, 0, (uint32_t)w->size);
    for (int i = 0; i < N; i++) {
        CHECK(rpt_future_cancel(futures[i]) == RPT_OK);
    }
    gate_open(0);
    wait_all(w->pool);
    for (int i = 0; i < N; i++) {
        const rpt_result_t *result = NULL;

        CHECK(rpt_future_result(futures[i], &result) == RPT_OK);
        if (result->outcome == RPT_OUTCOME_CANCELLED) {
            CHECK(result->attempts == 0 && result->rank == -1);
        } else {
            CHECK(result->outcome == RPT_OUTCOME_OK && result->attempts == 1);
            n_started++;
        }
        rpt_future_destroy(futures[i]);
    }
    CHECK(n_started == (int)count_of(0));
}

static void a_fetched_task_that_is_cancelled_never_started(void)
{
    drive(1, 4, "pool.slots=1 pool.prefetch_us=1000000", cancel_fetched);
}

const struct pool_test cancel_tests[] = {
    TEST(a_queued_task_never_starts),
    TEST(a_task_without_id_is_cancelled_by_its_number),
    TEST(a_running_program_is_ended),
    TEST(a_running_function_is_told),
    TEST(a_function_that_does_not_look_may_succeed),
    TEST(a_cancelled_task_is_not_tried_again),
    TEST(tasks_cancelled_in_a_rush_end_once),
    TEST(a_fetched_task_that_is_cancelled_never_started),
    TEST_END,
};
