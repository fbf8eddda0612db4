/*
 * gangs.c - functions on several ranks at once
 */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a member of a gang is to do. */
struct order {
    int n_ranks;
    int counter; /* counted up by every member */
    int gate;    /* waited for, unless -1 */
    int fails;   /* this rank of the gang returns 3; -1: none */
};

static int member(rpt_call_t *call, void *user)
{
    const struct world *w = user;
    rpt_group_t *group = rpt_call_group(call);
    struct order order;
    size_t bytes;
    int rank = rpt_group_rank(group), out[2];

    memcpy(&order, rpt_call_input(call, &bytes), sizeof order);
    CHECK(bytes == sizeof order);
    CHECK(rpt_group_size(group) == order.n_ranks);
    CHECK(rank >= 0 && rank < order.n_ranks);
    CHECK(rpt_group_world_rank(group, rank) == w->rank);
    for (int r = 1; r < order.n_ranks; r++) {
        CHECK(rpt_group_world_rank(group, r) !=
              rpt_group_world_rank(group, r - 1));
    }
    count_up(order.counter);
    CHECK(rpt_group_barrier(group) == RPT_OK);
    /* The barrier held until all members were there. */
    CHECK(count_of(order.counter) >= (uint32_t)order.n_ranks);
    CHECK(rpt_group_barrier(group) == RPT_OK);
    CHECK(order.gate < 0 || gate_pass(order.gate, 60));
    out[0] = rank;
    out[1] = w->rank;
    CHECK(rpt_call_set_output(call, out, sizeof out) == RPT_OK);
    return rank == order.fails ? 3 : 0;
}

static void register_member(struct world *w)
{
    CHECK(rpt_pool_register(w->pool, "member", member, w) == RPT_OK);
}

static rpt_task_t *gang_of(int n, int counter, int gate, int fails)
{
    struct order order = { n, counter, gate, fails };
    rpt_task_t *task = task_new("member", &order, sizeof order);

    CHECK(rpt_task_set_gang(task, n) == RPT_OK);
    return task;
}

static void one_of_each_size(struct world *w)
{
    for (int n = 1; n <= w->size; n++) {
        rpt_future_t *future = submit(w->pool, gang_of(n, n, -1, -1));
        const rpt_result_t *result = ended(future, RPT_OUTCOME_OK);
        int out[2];

        if (result != NULL && CHECK(result->output_bytes == sizeof out)) {
            memcpy(out, result->output, sizeof out);
            CHECK(out[0] == 0 && out[1] == result->rank);
            CHECK(result->attempts == 1 && result->exit_code == 0);
        }
        CHECK(count_of(n) == (uint32_t)n);
        rpt_future_destroy(future);
    }
}

static void a_gang_has_its_ranks_at_once_and_the_output_of_rank_0(void)
{
    drive_with(register_member, 1, 7, NULL, one_of_each_size);
}

/* set_gang before and after set_function is the same, also for one rank. */
static void small_gangs(struct world *w)
{
    struct order order = { 1, 0, -1, -1 };
    rpt_task_t *before, *after = task_new("member", &order, sizeof order);

    CHECK(rpt_task_create(&before) == RPT_OK);
    CHECK(rpt_task_set_gang(before, 1) == RPT_OK);
    CHECK(rpt_task_set_function(before, "member", &order, sizeof order) ==
          RPT_OK);
    CHECK(rpt_task_set_gang(after, 1) == RPT_OK);
    ends(submit(w->pool, before), RPT_OUTCOME_OK);
    ends(submit(w->pool, after), RPT_OUTCOME_OK);
    /* What becomes a program is a gang no longer. */
    CHECK(rpt_task_create(&before) == RPT_OK);
    CHECK(rpt_task_set_gang(before, w->size + 1) == RPT_OK);
    CHECK(rpt_task_set_shell(before, "true") == RPT_OK);
    ends(submit(w->pool, before), RPT_OUTCOME_OK);
}

static void a_gang_of_one_is_a_gang(void)
{
    drive_with(register_member, 1, 3, NULL, small_gangs);
}

static void many_at_once(struct world *w)
{
    enum { N = 60 };
    rpt_future_t *futures[N];

    for (int i = 0; i < N; i++) {
        futures[i] = submit(
            w->pool, gang_of(1 + i % w->size, i, -1, i % 5 == 4 ? 0 : -1));
        submit_quietly(w->pool, task_int("count", 100));
    }
    for (int i = 0; i < N; i++) {
        const rpt_result_t *result = ended(
            futures[i], i % 5 == 4 ? RPT_OUTCOME_FAILED : RPT_OUTCOME_OK);

        CHECK(result != NULL && result->exit_code == (i % 5 == 4 ? 3 : 0));
        CHECK(count_of(i) == (uint32_t)(1 + i % w->size));
        rpt_future_destroy(futures[i]);
    }
    wait_all(w->pool);
    CHECK(count_of(100) == N);
}

static void more_gangs_than_fit_take_turns(void)
{
    drive_with(register_member, 1, 7, "pool.slots=1", many_at_once);
    drive_with(register_member, 1, 7, "pool.slots=3", many_at_once);
}

/* All ranks submit gangs of all sizes and ordinary tasks. */
static void gangs_from_everywhere(struct world *w)
{
    CHECK(pool_open(w, NULL) == RPT_OK);
    register_member(w);
    for (int i = 0; i < 20; i++) {
        submit_quietly(w->pool, gang_of(1 + (i + w->rank) % w->size,
                                        20 * w->rank + i, -1, -1));
        submit_quietly(w->pool, task_int("count", 500));
    }
    CHECK(rpt_pool_drain(w->pool) == RPT_OK);
    for (int i = 0; i < 20; i++) {
        CHECK(count_of(20 * w->rank + i) ==
              (uint32_t)(1 + (i + w->rank) % w->size));
    }
    CHECK(count_of(500) == 20 * (uint32_t)w->size);
    rpt_pool_destroy(w->pool);
}

static void every_rank_may_submit_gangs(void)
{
    on_all(1, 7, "pool.slots=2", gangs_from_everywhere);
}

static void one_fails(struct world *w)
{
    int last = w->size - 1;
    rpt_future_t *future = submit(w->pool, gang_of(w->size, 0, -1, last));
    const rpt_result_t *result = ended(future, RPT_OUTCOME_FAILED);
    rpt_task_t *again;

    if (result != NULL) {
        CHECK(result->exit_code == 3 && result->rank == last);
        CHECK(strcmp(result->message, "function \"member\" returned 3") == 0);
    }
    rpt_future_destroy(future);
    again = gang_of(w->size, 1, -1, last);
    CHECK(rpt_task_set_retries(again, 2) == RPT_OK);
    future = submit(w->pool, again);
    result = ended(future, RPT_OUTCOME_FAILED);
    CHECK(result != NULL && result->attempts == 3);
    CHECK(count_of(1) == 3 * (uint32_t)w->size);
    rpt_future_destroy(future);
}

static void one_member_that_fails_fails_the_gang(void)
{
    drive_with(register_member, 1, 4, "pool.backoff_s=1ms", one_fails);
}

static void register_on_0(struct world *w)
{
    if (w->rank == 0) {
        register_member(w);
    }
}

static void lack_function(struct world *w)
{
    rpt_future_t *future = submit(w->pool, gang_of(w->size, 0, -1, -1));
    const rpt_result_t *result = ended(future, RPT_OUTCOME_FAILED);

    CHECK(result != NULL && result->exit_code == -1 &&
          strstr(result->message, "not registered") != NULL);
    rpt_future_destroy(future);
    CHECK(count_of(0) == 0);
    /* The slots are free again on all ranks. */
    hold(w->pool, w->size, 1);
}

static void a_gang_without_its_function_somewhere_fails_before_it_runs(void)
{
    drive_with(register_on_0, 2, 7, "pool.slots=1", lack_function);
}

static void too_large(struct world *w)
{
    rpt_task_t *wide = gang_of(1, 0, -1, -1);

    CHECK_ERROR(RPT_ERR_UNSUPPORTED,
                try_submit(w->pool, gang_of(w->size + 1, 0, -1, -1)));
    CHECK(strstr(rpt_last_error()->what, "can never run") != NULL);
    CHECK(rpt_task_set_slots(wide, 3) == RPT_OK);
    CHECK_ERROR(RPT_ERR_UNSUPPORTED, try_submit(w->pool, wide));
    CHECK(stats_of(w->pool).submitted == 0);
}

static void too_large_a_gang_is_refused(void)
{
    drive_with(register_member, 1, 4, "pool.slots=2", too_large);
}

/* Two slots on every rank; one is held everywhere, so that the gang waits
 * until all are free; nothing else may slip in before it for ever. */
static void wide_gang(struct world *w)
{
    rpt_task_t *task = gang_of(w->size, 1, -1, -1);
    rpt_future_t *gang;

    hold(w->pool, 2 * w->size, 0);
    CHECK(rpt_task_set_slots(task, 2) == RPT_OK);
    gang = submit(w->pool, task);
    for (int i = 0; i < 50; i++) {
        submit_quietly(w->pool, task_int("count", 2));
    }
    CHECK(rpt_future_wait(gang, 0.01) == RPT_PENDING);
    CHECK(count_of(1) == 0);
    gate_open(0);
    ends(gang, RPT_OUTCOME_OK);
    wait_all(w->pool);
    CHECK(count_of(1) == (uint32_t)w->size && count_of(2) == 50);
}

static void a_gang_of_all_slots_waits_for_them(void)
{
    drive_with(register_member, 1, 7, "pool.slots=2", wide_gang);
}

/* Narrow tasks that submit themselves again do not keep a gang out. */
static int narrow(rpt_call_t *call, void *user)
{
    (void)user;
    if (count_of(0) == 0 && is_young(10)) {
        submit_quietly(rpt_call_pool(call), task_new("narrow", NULL, 0));
    }
    return 0;
}

static void register_narrow(struct world *w)
{
    register_member(w);
    CHECK(rpt_pool_register(w->pool, "narrow", narrow, NULL) == RPT_OK);
}

static void gang_in_stream(struct world *w)
{
    for (int i = 0; i < 4 * w->size; i++) {
        submit_quietly(w->pool, task_new("narrow", NULL, 0));
    }
    ends(submit(w->pool, gang_of(w->size, 0, -1, -1)), RPT_OUTCOME_OK);
    wait_all(w->pool);
    CHECK(is_young(10));
}

static void a_gang_runs_in_a_stream_of_narrow_tasks(void)
{
    drive_with(register_narrow, 1, 4, "pool.slots=2", gang_in_stream);
}

/* Two gangs that fit beside each other do not wait for each other. */
static void side_by_side(struct world *w)
{
    rpt_future_t *first, *second;

    if (!any_thread_may_call()) {
        return; /* there a gang runs in the thread that waits: in this one */
    }
    first = submit(w->pool, gang_of(2, 0, 0, -1));
    wait_count(w->pool, 0, 2);
    second = submit(w->pool, gang_of(2, 1, -1, -1));
    ends(second, RPT_OUTCOME_OK);
    CHECK(rpt_future_wait(first, 0) == RPT_PENDING);
    gate_open(0);
    ends(first, RPT_OUTCOME_OK);
}

static void gangs_that_fit_run_side_by_side(void)
{
    drive_with(register_member, 4, 7, "pool.slots=1", side_by_side);
}

/* ---- cancelling ---- */

static void cancel_before(struct world *w)
{
    rpt_future_t *gang;
    const rpt_result_t *result;

    hold(w->pool, 1, 0); /* so that the gang cannot have all ranks */
    gang = submit_as(w->pool, gang_of(w->size, 1, -1, -1), "gang");
    CHECK(rpt_future_wait(gang, 0.02) == RPT_PENDING);
    CHECK(rpt_pool_cancel(w->pool, "gang") == RPT_OK);
    result = ended(gang, RPT_OUTCOME_CANCELLED);
    CHECK(result != NULL && result->rank == -1);
    rpt_future_destroy(gang);
    CHECK(rpt_pool_cancel(w->pool, "gang") == RPT_END);
    /* What was reserved is free again once the arbiter has heard of it. */
    gate_open(0);
    ends(submit(w->pool, gang_of(w->size, 2, -1, -1)), RPT_OUTCOME_OK);
    CHECK(count_of(1) == 0 && count_of(2) == (uint32_t)w->size);
}

static void a_gang_that_waits_is_cancelled(void)
{
    drive_with(register_member, 1, 7, "pool.slots=1", cancel_before);
}

static int until_told(rpt_call_t *call, void *user)
{
    (void)user;
    count_up(0);
    while (!rpt_call_cancelled(call)) {
        if (gate_pass(0, 1e-3)) {
            return 1;
        }
    }
    return 5;
}

static void register_until_told(struct world *w)
{
    CHECK(rpt_pool_register(w->pool, "told", until_told, w) == RPT_OK);
}

static void cancel_running(struct world *w)
{
    rpt_task_t *task = task_new("told", NULL, 0);
    rpt_future_t *gang;
    const rpt_result_t *result;

    CHECK(rpt_task_set_gang(task, w->size) == RPT_OK);
    CHECK(rpt_task_set_retries(task, 3) == RPT_OK);
    gang = submit(w->pool, task);
    if (any_thread_may_call()) {
        wait_count(w->pool, 0, (uint32_t)w->size);
    } /* else it would run in this thread, which could cancel nothing */
    CHECK(rpt_future_cancel(gang) == RPT_OK);
    result = ended(gang, RPT_OUTCOME_CANCELLED);
    CHECK(!any_thread_may_call() || (result != NULL && result->exit_code == 5));
    rpt_future_destroy(gang);
    /* Time is over: the same. */
    if (any_thread_may_call()) {
        task = task_new("told", NULL, 0);
        CHECK(rpt_task_set_gang(task, w->size) == RPT_OK);
        CHECK(rpt_task_set_timeout(task, 0.05) == RPT_OK);
        ends(submit(w->pool, task), RPT_OUTCOME_TIMEOUT);
    }
}

static void a_gang_that_runs_is_told(void)
{
    drive_with(register_until_told, 1, 4, NULL, cancel_running);
}

static void stop_gangs(struct world *w)
{
    rpt_future_t *futures[5];
    uint64_t dropped = 0;

    if (!any_thread_may_call()) {
        return;
    }
    for (int i = 0; i < 5; i++) {
        rpt_task_t *task = task_new("told", NULL, 0);

        CHECK(rpt_task_set_gang(task, w->size) == RPT_OK);
        futures[i] = submit(w->pool, task);
    }
    wait_count(w->pool, 0, (uint32_t)w->size);
    CHECK(rpt_pool_shutdown(w->pool, RPT_SHUTDOWN_NOW, 0, &dropped) == RPT_OK);
    w->closed = true;
    CHECK(dropped == 5);
    for (int i = 0; i < 5; i++) {
        ends(futures[i], RPT_OUTCOME_CANCELLED);
    }
}

static void a_shutdown_ends_gangs(void)
{
    drive_with(register_until_told, 1, 7, "pool.slots=1", stop_gangs);
}

/* A gang whose function submits ordinary tasks. */
static int gang_parent(rpt_call_t *call, void *user)
{
    (void)user;
    submit_quietly(rpt_call_pool(call), task_int("count", 0));
    return rpt_group_barrier(rpt_call_group(call)) == RPT_OK ? 0 : 1;
}

static void submit_in_gangs(struct world *w)
{
    CHECK(pool_open(w, NULL) == RPT_OK);
    CHECK(rpt_pool_register(w->pool, "parent", gang_parent, w) == RPT_OK);
    if (w->rank == 0) {
        for (int i = 0; i < 10; i++) {
            rpt_task_t *task = task_new("parent", NULL, 0);

            CHECK(rpt_task_set_gang(task, w->size) == RPT_OK);
            submit_quietly(w->pool, task);
        }
    }
    CHECK(rpt_pool_drain(w->pool) == RPT_OK);
    CHECK(count_of(0) == 10 * (uint32_t)w->size);
    rpt_pool_destroy(w->pool);
}

static void members_of_gangs_may_submit(void)
{
    on_all(1, 7, NULL, submit_in_gangs);
}

const struct pool_test gangs_tests[] = {
    TEST(a_gang_has_its_ranks_at_once_and_the_output_of_rank_0),
    TEST(a_gang_of_one_is_a_gang),
    TEST(more_gangs_than_fit_take_turns),
    TEST(every_rank_may_submit_gangs),
    TEST(one_member_that_fails_fails_the_gang),
    TEST_FROM(2, a_gang_without_its_function_somewhere_fails_before_it_runs),
    TEST(too_large_a_gang_is_refused),
    TEST(a_gang_of_all_slots_waits_for_them),
    TEST(a_gang_runs_in_a_stream_of_narrow_tasks),
    TEST_FROM(4, gangs_that_fit_run_side_by_side),
    TEST(a_gang_that_waits_is_cancelled),
    TEST(a_gang_that_runs_is_told),
    TEST(a_shutdown_ends_gangs),
    TEST(members_of_gangs_may_submit),
    TEST_END,
};
