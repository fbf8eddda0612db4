/*
 * order.c - which task starts next
 *
 * All slots are held by gates; when one is freed, tasks run there one after
 * another, and the board's log shows in which order.
 */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void submit_log(rpt_pool_t *pool, int number, rpt_priority_t priority)
{
    rpt_task_t *task = task_int("log", number);

    CHECK(rpt_task_set_priority(task, priority) == RPT_OK);
    submit_quietly(pool, task);
}

static void check_log(const int expected[], int n)
{
    if (CHECK(log_length() == n)) {
        for (int i = 0; i < n; i++) {
            CHECK(log_at(i) == expected[i]);
        }
    }
}

static void mix_priorities(struct world *w, int free_rank)
{
    static const int expected[] = { 20, 21, 10, 11, 0, 1 };

    hold_each(w->pool);
    for (int i = 0; i < 2; i++) {
        submit_log(w->pool, 0 + i, RPT_PRIORITY_LOW);
        submit_log(w->pool, 10 + i, RPT_PRIORITY_NORMAL);
        submit_log(w->pool, 20 + i, RPT_PRIORITY_HIGH);
    }
    CHECK(log_length() == 0);
    gate_open(OWN_GATE(free_rank));
    wait_all_but(w->pool, (uint64_t)w->size - 1);
    check_log(expected, 6);
}

static void mix_here(struct world *w)
{
    mix_priorities(w, 0);
}

static void mix_elsewhere(struct world *w)
{
    mix_priorities(w, w->size - 1);
}

static void high_comes_before_normal_before_low(void)
{
    drive(1, 7, "pool.slots=1", mix_here);
}

static void priorities_count_on_other_ranks_too(void)
{
    drive(2, 7, "pool.slots=1", mix_elsewhere);
}

static void submit_in_order(struct world *w)
{
    enum { N = 500 };

    hold_each(w->pool);
    for (int i = 0; i < N; i++) {
        submit_log(w->pool, i, RPT_PRIORITY_NORMAL);
    }
    gate_open(OWN_GATE(w->size - 1));
    wait_all_but(w->pool, (uint64_t)w->size - 1);
    if (CHECK(log_length() == N)) {
        for (int i = 0; i < N; i++) {
            CHECK(log_at(i) == i);
        }
    }
}

static void equals_start_in_the_order_of_submission(void)
{
    drive(1, 7, "pool.slots=1", submit_in_order);
}

/* Needs put tasks into different queues; the oldest of all comes first. */
static void submit_mixed(struct world *w)
{
    enum { N = 60 };

    hold_each(w->pool);
    for (int i = 0; i < N; i++) {
        rpt_task_t *task = task_int("log", i);

        CHECK(rpt_task_set_memory(task, (uint64_t)(i % 3)) == RPT_OK);
        submit_quietly(w->pool, task);
    }
    gate_open(OWN_GATE(0));
    wait_all_but(w->pool, (uint64_t)w->size - 1);
    if (CHECK(log_length() == N)) {
        for (int i = 0; i < N; i++) {
            CHECK(log_at(i) == i);
        }
    }
}

static void tasks_of_different_needs_keep_their_order(void)
{
    drive(1, 4, "pool.slots=1", submit_mixed);
}

/* As many classes as tasks, in three priorities. */
static void submit_all_different(struct world *w)
{
    enum { N = 3000 };
    int at = 0;

    hold_each(w->pool);
    for (int i = 0; i < N; i++) {
        rpt_task_t *task = task_int("log", i);

        CHECK(rpt_task_set_memory(task, (uint64_t)(1 + i * 7 % N)) == RPT_OK);
        submit_quietly(w->pool, task);
    }
    gate_open(OWN_GATE(0));
    wait_all_but(w->pool, (uint64_t)w->size - 1);
    while (at < N && at < log_length() && log_at(at) == at) {
        at++;
    }
    CHECK(at == N);
}

static void a_class_for_each_task_keeps_their_order(void)
{
    drive(1, 2, "pool.slots=1 pool.memory=4GiB", submit_all_different);
}

/* A high task submits the next one before it ends, so that there is always
 * one; the others must get their turn all the same. */
static int high_for_ever(rpt_call_t *call, void *user)
{
    rpt_task_t *task;

    (void)user;
    if (log_length() == 2 || !is_young(10)) {
        return 0;
    }
    task = task_new("high", NULL, 0);
    CHECK(rpt_task_set_priority(task, RPT_PRIORITY_HIGH) == RPT_OK);
    submit_quietly(rpt_call_pool(call), task);
    return 0;
}

static void register_high(struct world *w)
{
    CHECK(rpt_pool_register(w->pool, "high", high_for_ever, NULL) == RPT_OK);
}

static void keep_high(struct world *w)
{
    rpt_task_t *task = task_new("high", NULL, 0);

    hold_each(w->pool);
    CHECK(rpt_task_set_priority(task, RPT_PRIORITY_HIGH) == RPT_OK);
    submit_quietly(w->pool, task);
    submit_log(w->pool, 1, RPT_PRIORITY_LOW);
    submit_log(w->pool, 2, RPT_PRIORITY_NORMAL);
    gate_open(OWN_GATE(0));
    wait_all_but(w->pool, (uint64_t)w->size - 1);
    CHECK(log_length() == 2 && log_at(0) == 2 && log_at(1) == 1);
    CHECK(is_young(10));
}

static void low_ones_run_although_high_ones_keep_coming(void)
{
    drive_with(register_high, 1, 4, "pool.slots=1", keep_high);
}

/* High and normal ones keep coming: the lowest gets its turn too. */
static int both_for_ever(rpt_call_t *call, void *user)
{
    (void)user;
    for (int p = RPT_PRIORITY_HIGH;
         log_length() < 1 && is_young(20) && p <= RPT_PRIORITY_NORMAL; p++) {
        rpt_task_t *task = task_new("both", NULL, 0);

        if (stats_of(rpt_call_pool(call)).queued > 100) {
            rpt_task_destroy(task);
            break;
        }
        CHECK(rpt_task_set_priority(task, (rpt_priority_t)p) == RPT_OK);
        submit_quietly(rpt_call_pool(call), task);
    }
    return 0;
}

static void register_both(struct world *w)
{
    CHECK(rpt_pool_register(w->pool, "both", both_for_ever, NULL) == RPT_OK);
}

static void keep_both(struct world *w)
{
    for (int i = 0; i < 50; i++) {
        rpt_task_t *task = task_new("both", NULL, 0);

        CHECK(rpt_task_set_priority(task, (rpt_priority_t)(i % 2)) == RPT_OK);
        submit_quietly(w->pool, task);
    }
    submit_log(w->pool, 1, RPT_PRIORITY_LOW);
    wait_all(w->pool);
    CHECK(log_length() == 1 && is_young(20));
}

static void the_lowest_run_although_all_others_keep_coming(void)
{
    drive_with(register_both, 1, 2, "pool.slots=1", keep_both);
}

/* The same with programs, whose slots are freed by another process. */
static void mix_programs(struct world *w)
{
    const char *path = scratch_path("order");
    char line[TEXT_BYTES + 64], *text;

    hold_each(w->pool);
    for (int i = 0; i < 6; i++) {
        rpt_task_t *task;

        snprintf(line, sizeof line, "printf %d >>%s", i, path);
        task = task_shell(line);
        CHECK(rpt_task_set_priority(task, (rpt_priority_t)(2 - i % 3)) ==
              RPT_OK);
        submit_quietly(w->pool, task);
    }
    gate_open(OWN_GATE(0));
    wait_all_but(w->pool, (uint64_t)w->size - 1);
    text = read_file(path);
    CHECK(text != NULL && strcmp(text, "251403") == 0);
    free(text);
}

static void programs_start_by_priority(void)
{
    drive(1, 3, "pool.slots=1", mix_programs);
}

const struct pool_test order_tests[] = {
    TEST(high_comes_before_normal_before_low),
    TEST_FROM(2, priorities_count_on_other_ranks_too),
    TEST(equals_start_in_the_order_of_submission),
    TEST(tasks_of_different_needs_keep_their_order),
    TEST(low_ones_run_although_high_ones_keep_coming),
    TEST(the_lowest_run_although_all_others_keep_coming),
    TEST(a_class_for_each_task_keeps_their_order),
    TEST(programs_start_by_priority),
    TEST_END,
};
