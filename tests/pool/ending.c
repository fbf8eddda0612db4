/*
 * ending.c - shutting down: gracefully, draining, now
 */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void shut_down(struct world *w, rpt_shutdown_t how, double grace_s,
                      uint64_t n_dropped)
{
    uint64_t n = 999;

    CHECK(rpt_pool_shutdown(w->pool, how, grace_s, &n) == RPT_OK);
    CHECK(n == n_dropped);
    w->closed = true;
    CHECK_ERROR(RPT_ERR_SHUTDOWN,
                try_submit(w->pool, task_new("noop", NULL, 0)));
    CHECK(rpt_pool_wait(w->pool, 0) == RPT_OK);
}

static void finish_all(struct world *w)
{
    rpt_future_t *last = NULL;

    for (int i = 0; i < 300; i++) {
        rpt_future_destroy(last);
        last = submit(w->pool, task_int("count", 0));
    }
    shut_down(w, RPT_SHUTDOWN_GRACEFUL, 0, 0);
    CHECK(count_of(0) == 300);
    ends(last, RPT_OUTCOME_OK);
}

static void a_graceful_shutdown_runs_everything_first(void)
{
    drive(1, 7, NULL, finish_all);
}

static void open_gate(const rpt_result_t *result, void *user)
{
    (void)user;
    if (result->outcome == RPT_OUTCOME_CANCELLED) {
        gate_open(0);
        gate_open(1);
    }
}

/* What runs waits at a gate, which the first result of a dropped task opens:
 * by then the shutdown is under way. */
static void drain_some(struct world *w)
{
    rpt_future_t *running, *queued[20];

    hold(w->pool, w->size - 1, 0);
    running = submit(w->pool, task_pair("gate", 0, 0));
    wait_count(w->pool, 0, (uint32_t)w->size);
    for (int i = 0; i < 20; i++) {
        queued[i] = submit(w->pool, task_int("log", i));
    }
    CHECK(rpt_pool_on_result(w->pool, open_gate, NULL) == RPT_OK);
    shut_down(w, RPT_SHUTDOWN_DRAIN, 60, 20);
    ends(running, RPT_OUTCOME_OK);
    for (int i = 0; i < 20; i++) {
        const rpt_result_t *result = ended(queued[i], RPT_OUTCOME_CANCELLED);

        CHECK(result != NULL && strstr(result->message, "shut down") != NULL &&
              result->attempts == 0);
        rpt_future_destroy(queued[i]);
    }
    CHECK(log_length() == 0);
}

static void a_drain_lets_end_what_runs_and_drops_the_rest(void)
{
    drive(1, 7, "pool.slots=1", drain_some);
}

static void run_for_ever(struct world *w, rpt_future_t *futures[], int n)
{
    for (int i = 0; i < n; i++) {
        futures[i] = submit(w->pool, i % 2 == 0 ? task_int("until_cancelled", 1)
                                                : task_shell("sleep 1000"));
    }
    wait_running(w->pool, (uint64_t)n);
}

static void check_cancelled(rpt_future_t *futures[], int n)
{
    for (int i = 0; i < n; i++) {
        const rpt_result_t *result = ended(futures[i], RPT_OUTCOME_CANCELLED);

        CHECK(result != NULL && strstr(result->message, "shut down") != NULL &&
              result->attempts == 1 && result->rank >= 0);
        rpt_future_destroy(futures[i]);
    }
}

static void drain_a_while(struct world *w)
{
    rpt_future_t *futures[16];

    run_for_ever(w, futures, 2 * w->size);
    shut_down(w, RPT_SHUTDOWN_DRAIN, 0.05, 2 * (uint64_t)w->size);
    check_cancelled(futures, 2 * w->size);
}

static void after_the_grace_a_drain_ends_what_still_runs(void)
{
    drive(1, 4, "pool.slots=2", drain_a_while);
}

static void stop_now(struct world *w)
{
    rpt_future_t *futures[16], *queued[50];

    run_for_ever(w, futures, 2 * w->size);
    for (int i = 0; i < 50; i++) {
        queued[i] = submit(w->pool, task_int("log", i));
    }
    shut_down(w, RPT_SHUTDOWN_NOW, 0, 2 * (uint64_t)w->size + 50);
    check_cancelled(futures, 2 * w->size);
    for (int i = 0; i < 50; i++) {
        ends(queued[i], RPT_OUTCOME_CANCELLED);
    }
    CHECK(log_length() == 0);
}

static void a_shutdown_now_ends_everything(void)
{
    drive(1, 7, "pool.slots=2", stop_now);
}

/* Every state that a job can be in while nobody runs it. */
static void stop_those_who_wait(struct world *w)
{
    rpt_task_t *after = task_int("log", 1), *gang = task_int("log", 2),
               *again = task_int("fail_first", 1);
    rpt_future_t *f[5];

    CHECK(rpt_task_set_retries(again, 1) == RPT_OK);
    f[3] = submit(w->pool, again);
    wait_log(w->pool, 1); /* it waits for its second attempt */
    f[0] = submit_as(w->pool, task_int("until_cancelled", 0), "runs");
    wait_count(w->pool, 0, 1);
    hold(w->pool, w->size - 1, 1);
    CHECK(rpt_task_add_dependency(after, "runs") == RPT_OK);
    f[1] = submit(w->pool, after);
    CHECK(rpt_task_set_gang(gang, w->size) == RPT_OK);
    f[2] = submit(w->pool, gang);
    f[4] = submit(w->pool, task_int("log", 3));
    rpt_pool_wait(w->pool, 0.01);
    CHECK(rpt_pool_on_result(w->pool, open_gate, NULL) == RPT_OK);
    shut_down(w, RPT_SHUTDOWN_NOW, 0, 5);
    for (int i = 0; i < 5; i++) {
        ends(f[i], RPT_OUTCOME_CANCELLED);
    }
    CHECK(log_length() == 1);
}

static void a_shutdown_drops_tasks_that_wait_for_whatever(void)
{
    drive(1, 4, "pool.slots=1 pool.backoff_s=1h", stop_those_who_wait);
}

static void stop_a_rush(struct world *w)
{
    enum { N = 20000 };
    rpt_pool_stats_t stats;
    uint64_t dropped = 0;

    for (int i = 0; i < N; i++) {
        submit_quietly(w->pool, task_int("count", 0));
    }
    CHECK(rpt_pool_shutdown(w->pool, RPT_SHUTDOWN_DRAIN, 30, &dropped) ==
          RPT_OK);
    w->closed = true;
    stats = stats_of(w->pool);
    CHECK(stats.ended == N && stats.queued == 0 && stats.running == 0);
    CHECK(stats.by_outcome[RPT_OUTCOME_OK] == count_of(0));
    CHECK(stats.by_outcome[RPT_OUTCOME_CANCELLED] == dropped);
    CHECK(count_of(0) + dropped == N);
}

static void a_drain_in_a_rush_loses_nothing(void)
{
    drive(1, 7, NULL, stop_a_rush);
}

/* All ranks submit, and all shut down. */
static void stop_together(struct world *w, rpt_shutdown_t how)
{
    uint64_t dropped = 99;

    CHECK(pool_open(w, NULL) == RPT_OK);
    for (int i = 0; i < 200; i++) {
        submit_quietly(w->pool, task_int("count", w->rank));
    }
    meet(w); /* or the first one stops the others' submissions */
    CHECK(rpt_pool_shutdown(w->pool, how, 1, &dropped) == RPT_OK);
    CHECK(count_of(w->rank) + dropped == 200);
    CHECK(how != RPT_SHUTDOWN_GRACEFUL || dropped == 0);
    CHECK_ERROR(RPT_ERR_SHUTDOWN,
                try_submit(w->pool, task_new("noop", NULL, 0)));
    rpt_pool_destroy(w->pool);
}

static void stop_gracefully(struct world *w)
{
    stop_together(w, RPT_SHUTDOWN_GRACEFUL);
}

static void stop_drained(struct world *w)
{
    stop_together(w, RPT_SHUTDOWN_DRAIN);
}

static void stop_at_once(struct world *w)
{
    stop_together(w, RPT_SHUTDOWN_NOW);
}

static void all_ranks_may_shut_down_together(void)
{
    on_all(1, 7, NULL, stop_gracefully);
    on_all(1, 7, NULL, stop_drained);
    on_all(1, 7, NULL, stop_at_once);
}

/* Those who served are closed too; nobody may begin again. */
static void after_the_end(struct world *w)
{
    CHECK(pool_open(w, NULL) == RPT_OK);
    if (w->rank == 0) {
        CHECK(rpt_pool_shutdown(w->pool, RPT_SHUTDOWN_GRACEFUL, 0, NULL) ==
              RPT_OK);
    } else {
        CHECK(rpt_pool_serve(w->pool) == RPT_OK);
    }
    CHECK_ERROR(RPT_ERR_SHUTDOWN,
                try_submit(w->pool, task_new("noop", NULL, 0)));
    CHECK_ERROR(RPT_ERR_SHUTDOWN, rpt_pool_serve(w->pool));
    CHECK_ERROR(RPT_ERR_SHUTDOWN, rpt_pool_drain(w->pool));
    CHECK_ERROR(RPT_ERR_SHUTDOWN,
                rpt_pool_shutdown(w->pool, RPT_SHUTDOWN_NOW, 0, NULL));
    rpt_pool_destroy(w->pool);
}

static void after_the_end_every_call_says_so(void)
{
    on_all(1, 4, NULL, after_the_end);
}

/* One rank stops all, with tasks left, while the others drain. */
static void stop_under_drain(struct world *w)
{
    uint64_t n = 999;

    CHECK(pool_open(w, NULL) == RPT_OK);
    for (int i = 0; i < 50; i++) {
        submit_quietly(w->pool, task_pair("gate", 3, 5));
    }
    meet(w);
    if (w->rank == 0) {
        wait_count(w->pool, 5, 1);
        gate_open(3); /* those that run may end; to stop all may come late */
        CHECK(rpt_pool_shutdown(w->pool, RPT_SHUTDOWN_NOW, 0, NULL) == RPT_OK);
    } else {
        rpt_status_t status = rpt_pool_drain(w->pool);

        CHECK(status == RPT_OK || status == RPT_ERR_SHUTDOWN);
        CHECK_ERROR(RPT_ERR_SHUTDOWN,
                    try_submit(w->pool, task_new("noop", NULL, 0)));
        CHECK(rpt_pool_shutdown(w->pool, RPT_SHUTDOWN_NOW, 0, &n) == RPT_OK);
        CHECK(n <= 50 && (n == 0 || status == RPT_ERR_SHUTDOWN));
    }
    CHECK_ERROR(RPT_ERR_SHUTDOWN,
                rpt_pool_shutdown(w->pool, RPT_SHUTDOWN_NOW, 0, NULL));
    rpt_pool_destroy(w->pool);
}

/* The tasks that run never end by themselves, so that some must be dropped. */
static void stop_certainly(struct world *w)
{
    uint64_t n = 0;

    CHECK(pool_open(w, NULL) == RPT_OK);
    submit_quietly(w->pool, task_int("until_cancelled", 1));
    meet(w);
    if (w->rank == 0) {
        wait_count(w->pool, 1, 1);
        CHECK(rpt_pool_shutdown(w->pool, RPT_SHUTDOWN_NOW, 0, &n) == RPT_OK);
        CHECK(n == 1);
    } else {
        CHECK_ERROR(RPT_ERR_SHUTDOWN, rpt_pool_drain(w->pool));
        CHECK(rpt_pool_shutdown(w->pool, RPT_SHUTDOWN_NOW, 0, &n) == RPT_OK);
        CHECK(n == 1);
    }
    rpt_pool_destroy(w->pool);
}

/* A graceful end that only one rank has asked for so far. */
static void end_under_drain(struct world *w)
{
    CHECK(pool_open(w, NULL) == RPT_OK);
    for (int i = 0; i < 50; i++) {
        submit_quietly(w->pool, task_int("count", 0));
    }
    if (w->rank != 0) {
        CHECK(rpt_pool_drain(w->pool) == RPT_OK);
    }
    CHECK(rpt_pool_shutdown(w->pool, RPT_SHUTDOWN_GRACEFUL, 0, NULL) == RPT_OK);
    CHECK(count_of(0) == (uint32_t)(50 * w->size));
    meet(w);
    rpt_pool_destroy(w->pool);
}

static void ranks_that_drain_may_be_stopped_by_another(void)
{
    on_all(2, 7, NULL, stop_under_drain);
    on_all(2, 7, NULL, stop_certainly);
    on_all(2, 7, NULL, end_under_drain);
}

/* In driver mode a drain waits for the tasks of tasks, and all go on. */
static void drain_and_go_on(struct world *w)
{
    for (int i = 1; i <= 3; i++) {
        submit_quietly(w->pool, task_int("tree", 4));
        CHECK(rpt_pool_drain(w->pool) == RPT_OK);
        CHECK(count_of(0) == (uint32_t)(121 * i));
    }
}

static int grow(rpt_call_t *call, void *user)
{
    size_t bytes = 0;
    const int *depth = rpt_call_input(call, &bytes);

    (void)user;
    count_up(0);
    for (int i = 0; *depth > 0 && i < 3; i++) {
        submit_quietly(rpt_call_pool(call), task_int("tree", *depth - 1));
    }
    return 0;
}

static void register_tree(struct world *w)
{
    CHECK(rpt_pool_register(w->pool, "tree", grow, NULL) == RPT_OK);
}

static void a_driver_may_drain_and_go_on(void)
{
    drive_with(register_tree, 1, 7, NULL, drain_and_go_on);
}

/* ---- from inside a callback ---- */

static void end_inside(const rpt_result_t *result, void *user)
{
    struct world *w = user;

    (void)result;
    CHECK_ERROR(RPT_ERR_STATE, rpt_pool_drain(w->pool));
    CHECK_ERROR(RPT_ERR_STATE, rpt_pool_serve(w->pool));
    CHECK_ERROR(RPT_ERR_STATE,
                rpt_pool_shutdown(w->pool, RPT_SHUTDOWN_NOW, 0, NULL));
    count_up(1);
}

static void callback_that_ends(struct world *w)
{
    CHECK(rpt_pool_on_result(w->pool, end_inside, w) == RPT_OK);
    submit_quietly(w->pool, task_new("noop", NULL, 0));
    wait_all(w->pool);
    CHECK(count_of(1) == 1);
    CHECK(rpt_pool_on_result(w->pool, NULL, NULL) == RPT_OK);
}

static void a_callback_cannot_end_the_pool(void)
{
    drive(1, 4, NULL, callback_that_ends);
}

/* No work at all. */
static void nothing_to_do(struct world *w)
{
    CHECK(rpt_pool_wait(w->pool, -1) == RPT_OK);
    shut_down(w, w->size % 2 == 0 ? RPT_SHUTDOWN_NOW : RPT_SHUTDOWN_GRACEFUL, 0,
              0);
}

static void a_pool_without_tasks_ends_too(void)
{
    drive(1, 7, NULL, nothing_to_do);
}

const struct pool_test ending_tests[] = {
    TEST(a_graceful_shutdown_runs_everything_first),
    TEST(a_drain_lets_end_what_runs_and_drops_the_rest),
    TEST(after_the_grace_a_drain_ends_what_still_runs),
    TEST(a_shutdown_now_ends_everything),
    TEST(a_shutdown_drops_tasks_that_wait_for_whatever),
    TEST(a_drain_in_a_rush_loses_nothing),
    TEST(all_ranks_may_shut_down_together),
    TEST(after_the_end_every_call_says_so),
    TEST_FROM(2, ranks_that_drain_may_be_stopped_by_another),
    TEST(a_driver_may_drain_and_go_on),
    TEST(a_callback_cannot_end_the_pool),
    TEST(a_pool_without_tasks_ends_too),
    TEST_END,
};
