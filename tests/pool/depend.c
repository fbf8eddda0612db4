/*
 * depend.c - tasks that wait for other tasks
 */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A task with an id that starts after others. */
static rpt_task_t *after(rpt_task_t *task, const char *id, const char *first,
                         const char *second)
{
    if (id != NULL) {
        CHECK(rpt_task_set_id(task, id) == RPT_OK);
    }
    if (first != NULL) {
        CHECK(rpt_task_add_dependency(task, first) == RPT_OK);
    }
    if (second != NULL) {
        CHECK(rpt_task_add_dependency(task, second) == RPT_OK);
    }
    return task;
}

static rpt_task_t *log_after(int number, const char *id, const char *first,
                             const char *second)
{
    return after(task_int("log", number), id, first, second);
}

static void one_after_the_other(struct world *w)
{
    submit_quietly(w->pool,
                   after(task_pair("gate", 0, 0), "first", NULL, NULL));
    submit_quietly(w->pool, log_after(2, "second", "first", NULL));
    submit_quietly(w->pool, log_after(3, "third", "second", "first"));
    wait_count(w->pool, 0, 1);
    CHECK(rpt_pool_wait(w->pool, 0) == RPT_PENDING);
    CHECK(log_length() == 0);
    CHECK(stats_of(w->pool).queued == 2);
    gate_open(0);
    wait_all(w->pool);
    CHECK(log_length() == 2 && log_at(0) == 2 && log_at(1) == 3);
}

static void a_task_starts_after_those_it_names(void)
{
    drive(1, 7, NULL, one_after_the_other);
}

static void a_diamond(struct world *w)
{
    rpt_task_t *tasks[4] = { log_after(4, "d", "b", "c"),
                             log_after(3, "c", "a", NULL),
                             log_after(2, "b", "a", NULL),
                             log_after(1, "a", NULL, NULL) };
    rpt_future_t *futures[4] = { NULL };

    CHECK(rpt_pool_submit_batch(w->pool, (const rpt_task_t *const *)tasks, 4,
                                futures) == RPT_OK);
    CHECK(rpt_future_wait_all(futures, 4, 30) == RPT_OK);
    for (int i = 0; i < 4; i++) {
        ends(futures[i], RPT_OUTCOME_OK);
        rpt_task_destroy(tasks[i]);
    }
    CHECK(log_length() == 4 && log_at(0) == 1 && log_at(3) == 4);
}

static void a_batch_may_name_later_tasks(void)
{
    drive(1, 7, NULL, a_diamond);
}

static void release_in_order(struct world *w)
{
    enum { N = 8 };

    hold_each(w->pool);
    submit_quietly(w->pool, log_after(-1, "root", NULL, NULL));
    for (int i = 0; i < N; i++) {
        submit_quietly(w->pool, log_after(i, NULL, "root", NULL));
    }
    gate_open(OWN_GATE(0));
    wait_all_but(w->pool, (uint64_t)w->size - 1);
    if (CHECK(log_length() == N + 1)) {
        for (int i = 0; i <= N; i++) {
            CHECK(log_at(i) == i - 1);
        }
    }
}

static void those_who_waited_start_in_the_order_of_submission(void)
{
    drive(1, 4, "pool.slots=1", release_in_order);
}

static void fail_and_skip(struct world *w)
{
    enum { N = 5 };
    rpt_future_t *futures[N];
    rpt_future_t *other;
    const rpt_result_t *result;

    futures[0] = submit_as(w->pool, task_int("fail", 3), "0");
    for (int i = 1; i < N; i++) {
        char id[16], before[16];

        snprintf(id, sizeof id, "%d", i);
        snprintf(before, sizeof before, "%d", i - 1);
        futures[i] = submit(w->pool, log_after(i, id, before, NULL));
    }
    other = submit(w->pool, log_after(99, NULL, NULL, NULL));
    ends(futures[0], RPT_OUTCOME_FAILED);
    for (int i = 1; i < N; i++) {
        result = ended(futures[i], RPT_OUTCOME_SKIPPED);
        CHECK(result != NULL && result->attempts == 0 && result->rank == -1 &&
              result->exit_code == -1 && result->message[0] != '\0');
        rpt_future_destroy(futures[i]);
    }
    ends(other, RPT_OUTCOME_OK);
    CHECK(log_length() == 1);
    CHECK(stats_of(w->pool).by_outcome[RPT_OUTCOME_SKIPPED] == N - 1);
}

static void a_failure_skips_all_that_follows(void)
{
    drive(1, 7, NULL, fail_and_skip);
}

static void depend_on_ended(struct world *w)
{
    ends(submit_as(w->pool, task_new("noop", NULL, 0), "good"), RPT_OUTCOME_OK);
    ends(submit_as(w->pool, task_int("fail", 1), "bad"), RPT_OUTCOME_FAILED);
    ends(submit(w->pool, log_after(1, NULL, "good", NULL)), RPT_OUTCOME_OK);
    ends(submit(w->pool, log_after(2, NULL, "bad", NULL)), RPT_OUTCOME_SKIPPED);
    ends(submit(w->pool, log_after(3, "x", "good", "bad")),
         RPT_OUTCOME_SKIPPED);
    ends(submit(w->pool, log_after(4, NULL, "x", "good")), RPT_OUTCOME_SKIPPED);
    CHECK(log_length() == 1 && log_at(0) == 1);
}

static void those_that_have_ended_count_as_they_ended(void)
{
    drive(1, 4, NULL, depend_on_ended);
}

/* One of the two that it waits for fails, the other still runs: it is skipped
 * at once, and what is left of it does no harm. */
static void fail_one_of_two(struct world *w)
{
    rpt_future_t *gate = submit(
        w->pool, after(task_pair("gate", 0, 0), "slow", NULL, NULL));
    rpt_future_t *bad = submit(w->pool,
                               after(task_int("fail", 1), "bad", NULL, NULL));
    rpt_future_t *third = submit(w->pool, log_after(1, "t", "slow", "bad"));

    ends(bad, RPT_OUTCOME_FAILED);
    ends(third, RPT_OUTCOME_SKIPPED);
    CHECK(rpt_future_wait(gate, 0) == RPT_PENDING);
    gate_open(0);
    ends(gate, RPT_OUTCOME_OK);
    CHECK(log_length() == 0);
    CHECK(rpt_pool_cancel(w->pool, "t") == RPT_END);
}

static void one_failure_is_enough_to_be_skipped(void)
{
    drive(1, 4, "pool.slots=2", fail_one_of_two);
}

static void name_strangers(struct world *w)
{
    CHECK_ERROR(RPT_ERR_NOT_FOUND,
                try_submit(w->pool, log_after(1, "a", "stranger", NULL)));
    CHECK(strstr(rpt_last_error()->what, "\"stranger\"") != NULL &&
          strstr(rpt_last_error()->what, "\"a\"") != NULL);
    /* Nothing is left of it. */
    ends(submit(w->pool, log_after(1, "a", NULL, NULL)), RPT_OUTCOME_OK);
    CHECK_ERROR(RPT_ERR_EXISTS,
                try_submit(w->pool, log_after(2, "a", NULL, NULL)));
    CHECK(strstr(rpt_last_error()->what, "\"a\"") != NULL);
    CHECK(stats_of(w->pool).submitted == 1);
}

static void unknown_and_used_ids_are_refused(void)
{
    drive(1, 3, NULL, name_strangers);
}

/* n tasks, each after the next one, the last after the first. */
static void try_cycle(struct world *w, int n)
{
    rpt_task_t *tasks[8];
    rpt_future_t *futures[8];

    for (int i = 0; i < n; i++) {
        char id[16], before[16];

        snprintf(id, sizeof id, "c%d", i);
        snprintf(before, sizeof before, "c%d", (i + 1) % n);
        tasks[i] = log_after(i, id, before, NULL);
    }
    tasks[n] = log_after(n, NULL, "c0", NULL); /* no part of it */
    CHECK_ERROR(RPT_ERR_CYCLE,
                rpt_pool_submit_batch(w->pool, (const rpt_task_t *const *)tasks,
                                      (size_t)n + 1, futures));
    CHECK(strstr(rpt_last_error()->why, "\"c0\"") != NULL);
    CHECK(stats_of(w->pool).submitted == 0);
    for (int i = 0; i <= n; i++) {
        rpt_task_destroy(tasks[i]);
    }
}

static void cycles(struct world *w)
{
    try_cycle(w, 1);
    try_cycle(w, 2);
    try_cycle(w, 5);
    /* All the ids are free again. */
    for (int i = 0; i < 5; i++) {
        char id[16];

        snprintf(id, sizeof id, "c%d", i);
        ends(submit(w->pool, log_after(i, id, NULL, NULL)), RPT_OUTCOME_OK);
    }
}

static void cycles_of_any_length_are_refused(void)
{
    drive(1, 3, NULL, cycles);
}

/* A failed batch that waits for a running task leaves nothing behind there. */
static void undo_batch(struct world *w)
{
    rpt_future_t *gate = submit(
        w->pool, after(task_pair("gate", 0, 0), "old", NULL, NULL));
    rpt_task_t *tasks[3] = { log_after(1, "n1", "old", NULL),
                             log_after(2, "n2", "old", "n1"),
                             log_after(3, "n3", "old", "nobody") };

    CHECK_ERROR(RPT_ERR_NOT_FOUND,
                rpt_pool_submit_batch(w->pool, (const rpt_task_t *const *)tasks,
                                      3, NULL));
    CHECK(rpt_pool_submit_batch(w->pool, (const rpt_task_t *const *)tasks, 2,
                                NULL) == RPT_OK);
    gate_open(0);
    wait_all(w->pool);
    CHECK(log_length() == 2 && log_at(0) == 1 && log_at(1) == 2);
    for (int i = 0; i < 3; i++) {
        rpt_task_destroy(tasks[i]);
    }
    rpt_future_destroy(gate);
}

static void a_refused_batch_leaves_nothing_behind(void)
{
    drive(1, 3, NULL, undo_batch);
}

static void chain(struct world *w, const char *function, int input,
                  rpt_outcome_t outcome)
{
    enum { N = 20000 };
    rpt_task_t **tasks = calloc(N, sizeof(rpt_task_t *));

    for (int i = 0; i < N; i++) {
        char id[16], before[16];

        snprintf(id, sizeof id, "%d", i);
        snprintf(before, sizeof before, "%d", i - 1);
        tasks[i] = i > 0 ? after(task_new("noop", NULL, 0), id, before, NULL)
                         : after(task_int(function, input), id, NULL, NULL);
    }
    CHECK(rpt_pool_submit_batch(w->pool, (const rpt_task_t *const *)tasks, N,
                                NULL) == RPT_OK);
    wait_all(w->pool);
    CHECK(stats_of(w->pool).by_outcome[outcome] >= N - 1);
    for (int i = 0; i < N; i++) {
        rpt_task_destroy(tasks[i]);
    }
    free(tasks);
}

static void good_chain(struct world *w)
{
    chain(w, "log", 1, RPT_OUTCOME_OK);
}

static void bad_chain(struct world *w)
{
    chain(w, "fail", 1, RPT_OUTCOME_SKIPPED);
}

static void a_chain_of_20000_runs(void)
{
    drive(1, 3, NULL, good_chain);
}

static void a_chain_of_20000_is_skipped(void)
{
    drive(1, 3, NULL, bad_chain);
}

static void cancel_waiting(struct world *w)
{
    rpt_future_t *gate = submit(
        w->pool, after(task_pair("gate", 0, 0), "g", NULL, NULL));
    rpt_future_t *middle = submit(w->pool, log_after(1, "m", "g", NULL));
    rpt_future_t *last = submit(w->pool, log_after(2, "l", "m", NULL));

    CHECK(rpt_pool_cancel(w->pool, "m") == RPT_OK);
    ends(middle, RPT_OUTCOME_CANCELLED);
    ends(last, RPT_OUTCOME_SKIPPED);
    CHECK(rpt_pool_cancel(w->pool, "m") == RPT_END);
    gate_open(0);
    ends(gate, RPT_OUTCOME_OK);
    CHECK(log_length() == 0);
}

static void a_waiting_task_is_cancelled_and_what_follows_skipped(void)
{
    drive(1, 4, NULL, cancel_waiting);
}

/* A retry that succeeds is a success for those who wait. */
static void retry_then_go_on(struct world *w)
{
    rpt_task_t *first = after(task_int("fail_first", 2), "f", NULL, NULL);
    rpt_future_t *next;

    CHECK(rpt_task_set_retries(first, 2) == RPT_OK);
    submit_quietly(w->pool, first);
    next = submit(w->pool, after(task_int("count", 5), NULL, "f", NULL));
    ends(next, RPT_OUTCOME_OK);
    CHECK(log_length() == 3 && count_of(5) == 1);
}

static void those_who_wait_see_only_the_last_attempt(void)
{
    drive(1, 4, "pool.backoff_s=1ms", retry_then_go_on);
}

const struct pool_test depend_tests[] = {
    TEST(a_task_starts_after_those_it_names),
    TEST(a_batch_may_name_later_tasks),
    TEST(those_who_waited_start_in_the_order_of_submission),
    TEST(a_failure_skips_all_that_follows),
    TEST(those_that_have_ended_count_as_they_ended),
    TEST(one_failure_is_enough_to_be_skipped),
    TEST(unknown_and_used_ids_are_refused),
    TEST(cycles_of_any_length_are_refused),
    TEST(a_refused_batch_leaves_nothing_behind),
    TEST(a_chain_of_20000_runs),
    TEST(a_chain_of_20000_is_skipped),
    TEST(a_waiting_task_is_cancelled_and_what_follows_skipped),
    TEST(those_who_wait_see_only_the_last_attempt),
    TEST_END,
};
