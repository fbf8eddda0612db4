/*
 * faults.c - keepers that are killed or missing, ranks that are slow, and very
 * many tasks
 */
#include "world.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The parent of a program is its keeper.  The first attempt of one task kills
 * it: that task and others come back, none is lost. */
static void kill_keeper(struct world *w)
{
    enum { N = 40 };
    char line[2 * TEXT_BYTES];
    rpt_future_t *killer, *others[N];
    const rpt_result_t *result;

    snprintf(line, sizeof line,
             "mkdir %s 2>/dev/null && kill -9 $PPID && exit 1; echo ok",
             scratch_path("first"));
    for (int i = 0; i < N / 2; i++) {
        others[i] = submit(w->pool, task_shell("echo other"));
    }
    killer = submit(w->pool, task_shell(line));
    for (int i = N / 2; i < N; i++) {
        others[i] = submit(w->pool, task_shell("echo other"));
    }
    result = ended(killer, RPT_OUTCOME_OK);
    CHECK(stdout_is(result, "ok\n"));
    CHECK(result != NULL && result->attempts == 2);
    rpt_future_destroy(killer);
    for (int i = 0; i < N; i++) {
        CHECK(stdout_is(ended(others[i], RPT_OUTCOME_OK), "other\n"));
        rpt_future_destroy(others[i]);
    }
    CHECK(stats_of(w->pool).retried >= 1);
}

static void programs_come_back_when_their_keeper_is_killed(void)
{
    drive(1, 4, "pool.slots=2 pool.backoff_s=1ms log.level=0", kill_keeper);
}

static void kill_keeper_always(struct world *w)
{
    rpt_future_t *future = submit(w->pool, task_shell("kill -9 $PPID"));
    const rpt_result_t *result = ended(future, RPT_OUTCOME_LOST);

    CHECK(result != NULL && result->attempts == 2 && result->exit_code == -1 &&
          strstr(result->message, "keeper") != NULL);
    rpt_future_destroy(future);
    ends(submit(w->pool, task_shell("exit 0")), RPT_OUTCOME_OK);
}

static void a_program_that_always_kills_its_keeper_is_lost(void)
{
    drive(1, 2, "pool.backoff_s=1ms log.level=0", kill_keeper_always);
}

static void no_keeper(struct world *w)
{
    rpt_future_t *future = submit(w->pool, task_shell("exit 0"));
    const rpt_result_t *result = ended(future, RPT_OUTCOME_FAILED);

    CHECK(result != NULL && strstr(result->message, "keeper") != NULL);
    rpt_future_destroy(future);
    ends(submit(w->pool, task_int("count", 0)), RPT_OUTCOME_OK);
}

static void without_a_keeper_programs_fail_and_functions_run(void)
{
    drive(1, 2, "pool.keeper=/no/such/keeper", no_keeper);
}

/* ---- slow ranks ---- */

/* Short until it is asked to wait at the gate. */
static int moody(rpt_call_t *call, void *user)
{
    int waits;

    (void)user;
    memcpy(&waits, rpt_call_input(call, NULL), sizeof waits);
    if (!waits) {
        count_up(0);
        return 0;
    }
    count_up(1);
    return CHECK(gate_pass(0, 60)) ? 0 : 1;
}

static void register_moody(struct world *w)
{
    CHECK(rpt_pool_register(w->pool, "moody", moody, NULL) == RPT_OK);
}

/* Ranks learn that tasks are short and fetch many ahead; then one takes long:
 * what it has fetched is run by others. */
static void get_stuck(struct world *w, const char *function)
{
    enum { N = 600 };
    rpt_task_t *tasks[N];

    for (int i = 0; i < N; i++) {
        submit_quietly(w->pool, task_int("moody", 0));
    }
    wait_all(w->pool);
    for (int i = 0; i < N; i++) {
        tasks[i] = i != 20                          ? task_int("moody", 0)
                   : strcmp(function, "moody") == 0 ? task_int("moody", 1)
                                                    : task_pair("gate", 0, 1);
    }
    CHECK(rpt_pool_submit_batch(w->pool, (const rpt_task_t *const *)tasks, N,
                                NULL) == RPT_OK);
    wait_count(w->pool, 0, 2 * N - 1);
    CHECK(count_of(1) == 1);
    gate_open(0);
    wait_all(w->pool);
    for (int i = 0; i < N; i++) {
        rpt_task_destroy(tasks[i]);
    }
}

static void stuck_in_gate(struct world *w)
{
    get_stuck(w, "gate");
}

static void stuck_in_moody(struct world *w)
{
    get_stuck(w, "moody");
}

static void a_rank_that_is_stuck_gives_fetched_tasks_back(void)
{
    drive_with(register_moody, 2, 4, "pool.slots=1 pool.prefetch_us=1000000",
               stuck_in_gate);
}

static void a_short_function_may_be_long_for_once(void)
{
    drive_with(register_moody, 2, 4, "pool.slots=1 pool.prefetch_us=1000000",
               stuck_in_moody);
    drive_with(register_moody, 1, 4, "pool.slots=2", stuck_in_moody);
}

/* ---- very many ---- */

static void on_result(const rpt_result_t *result, void *user)
{
    uint64_t *n = user;

    *n += result->outcome == RPT_OUTCOME_OK;
}

static void run_very_many(struct world *w)
{
    enum { N = 100000 };
    rpt_task_t *task = task_int("count", 0);
    rpt_pool_stats_t stats;
    uint64_t n_results = 0;

    CHECK(rpt_pool_on_result(w->pool, on_result, &n_results) == RPT_OK);
    for (int i = 0; i < N; i++) {
        rpt_pool_submit(w->pool, task, NULL);
    }
    CHECK(rpt_pool_wait(w->pool, 100) == RPT_OK);
    CHECK(count_of(0) == N && n_results == N);
    stats = stats_of(w->pool);
    CHECK(stats.submitted == N && stats.ended == N);
    rpt_task_destroy(task);
    CHECK(rpt_pool_on_result(w->pool, NULL, NULL) == RPT_OK);
}

static void a_hundred_thousand_tasks_are_counted_once_each(void)
{
    drive(1, 2, NULL, run_very_many);
    drive(4, 4, NULL, run_very_many);
}

const struct pool_test faults_tests[] = {
    TEST(programs_come_back_when_their_keeper_is_killed),
    TEST(a_program_that_always_kills_its_keeper_is_lost),
    TEST(without_a_keeper_programs_fail_and_functions_run),
    TEST_FROM(2, a_rank_that_is_stuck_gives_fetched_tasks_back),
    TEST(a_short_function_may_be_long_for_once),
    TEST(a_hundred_thousand_tasks_are_counted_once_each),
    TEST_END,
};
