/*
 * resources.c - slots, memory and named units: never more in use than there
 * are, and nobody starves
 *
 * Functions mark on the board what they have, by rank, and unmark it.
 */
#include "world.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_RANKS = 8,
    MAX_UNITS = 8,
    USED = 0 /* by rank */,
    UNITS = MAX_RANKS /* by rank and unit */
};

static int use(rpt_call_t *call, void *user)
{
    const struct world *w = user;
    int slots, n;
    const int *units = rpt_call_resource(call, "gpu", &n);
    _Atomic uint32_t *used = &board->count[USED + w->rank];
    _Atomic uint32_t *unit = &board->count[UNITS + w->rank * MAX_UNITS];

    memcpy(&slots, rpt_call_input(call, NULL), sizeof slots);
    CHECK(atomic_fetch_add(used, (uint32_t)slots) + (uint32_t)slots <= 4);
    CHECK((units != NULL) == (n > 0));
    /* The units of the ranks of a host are numbered through. */
    for (int i = 0; i < n; i++) {
        CHECK(units[i] / 3 == w->rank);
        CHECK(atomic_exchange(&unit[units[i] % 3], 1) == 0);
    }
    for (int i = 0; i < 20; i++) {
        sched_yield();
    }
    for (int i = 0; i < n; i++) {
        atomic_store(&unit[units[i] % 3], 0);
    }
    atomic_fetch_sub(used, (uint32_t)slots);
    return 0;
}

static void register_use(struct world *w)
{
    CHECK(rpt_pool_register(w->pool, "use", use, w) == RPT_OK);
}

static rpt_task_t *task_use(int slots, int units)
{
    rpt_task_t *task = task_int("use", slots);

    CHECK(rpt_task_set_slots(task, slots) == RPT_OK);
    CHECK(units == 0 || rpt_task_set_resource(task, "gpu", units) == RPT_OK);
    return task;
}

static void use_much(struct world *w)
{
    enum { N = 400 };

    for (int i = 0; i < N; i++) {
        submit_quietly(w->pool, task_use(1 + i % 3, i / 3 % 4));
    }
    wait_all(w->pool);
    CHECK(stats_of(w->pool).by_outcome[RPT_OUTCOME_OK] == N);
}

static void no_more_is_in_use_than_there_is(void)
{
    drive_with(register_use, 1, 7, "pool.slots=4 pool.resources=gpu=3",
               use_much);
}

static rpt_task_t *need(rpt_task_t *task, int slots, uint64_t mib,
                        const char *name, int units)
{
    CHECK(rpt_task_set_slots(task, slots) == RPT_OK);
    CHECK(rpt_task_set_memory(task, mib) == RPT_OK);
    CHECK(name == NULL || rpt_task_set_resource(task, name, units) == RPT_OK);
    return task;
}

static rpt_status_t try_need(struct world *w, int slots, uint64_t mib,
                             const char *name, int units)
{
    return try_submit(w->pool,
                      need(task_new("noop", NULL, 0), slots, mib, name, units));
}

static rpt_status_t check_need(struct world *w, int slots, const char *name)
{
    rpt_task_t *task = need(task_new("noop", NULL, 0), slots, 0, name, 1);
    rpt_status_t status = rpt_pool_check(w->pool, task);

    rpt_task_destroy(task);
    return status;
}

static void ask_too_much(struct world *w)
{
    CHECK(check_need(w, 2, "gpu") == RPT_OK);
    CHECK_ERROR(RPT_ERR_UNSUPPORTED, check_need(w, 3, "gpu"));
    CHECK_ERROR(RPT_ERR_UNSUPPORTED, check_need(w, 1, "gpus"));
    CHECK_ERROR(RPT_ERR_UNSUPPORTED, try_need(w, 3, 0, NULL, 0));
    CHECK(strstr(rpt_last_error()->why, "3 of at most 2") != NULL);
    CHECK_ERROR(RPT_ERR_UNSUPPORTED, try_need(w, 1, 101, NULL, 0));
    CHECK_ERROR(RPT_ERR_UNSUPPORTED, try_need(w, 1, 0, "gpu", 3));
    CHECK_ERROR(RPT_ERR_UNSUPPORTED, try_need(w, 1, 0, "gpus", 1));
    CHECK(strstr(rpt_last_error()->what, "\"gpus\"") != NULL);
    CHECK(stats_of(w->pool).submitted == 0);
    CHECK(try_need(w, 2, 100, "gpu", 2) == RPT_OK);
    CHECK(try_need(w, 1, 0, "gpu", 0) == RPT_OK);
    CHECK(try_need(w, 1, 0, "gpus", 0) == RPT_OK);
    wait_all(w->pool);
    CHECK(stats_of(w->pool).by_outcome[RPT_OUTCOME_OK] == 3);
}

static void what_no_rank_has_is_refused(void)
{
    drive(1, 4, "pool.slots=2 pool.memory=100MiB pool.resources=gpu=2,tape=1",
          ask_too_much);
}

static void look_at_variables(struct world *w)
{
    rpt_task_t *task = need(
        task_shell("echo $RPT_RESOURCE_GPU $CUDA_VISIBLE_DEVICES "
                   "$RPT_RESOURCE_TAPE $(ulimit -v)"),
        1, 2048, "gpu", 2);
    const rpt_result_t *result;
    rpt_future_t *future;
    char text[64];

    CHECK(rpt_task_set_resource(task, "tape", 1) == RPT_OK);
    future = submit(w->pool, task);
    result = ended(future, RPT_OUTCOME_OK);
    if (result != NULL) {
        int r = result->rank;

        snprintf(text, sizeof text, "%d,%d %d,%d %d 2097152\n", 2 * r,
                 2 * r + 1, 2 * r, 2 * r + 1, r);
        CHECK(stdout_is(result, text));
    }
    rpt_future_destroy(future);
}

static void a_program_is_told_its_units_and_limited_to_its_memory(void)
{
    unsetenv("CUDA_VISIBLE_DEVICES"); /* of whoever runs the tests */
    drive(1, 3, "pool.memory=4GiB pool.resources=gpu=2,tape=1",
          look_at_variables);
}

/* Two tasks of 60 MiB do not fit into 100 MiB, although slots are free. */
static void reserve_memory(struct world *w)
{
    rpt_future_t *first[MAX_RANKS], *second;

    for (int i = 0; i < w->size; i++) {
        first[i] = submit(w->pool,
                          need(task_pair("gate", 0, 0), 1, 60, NULL, 0));
    }
    wait_count(w->pool, 0, (uint32_t)w->size);
    second = submit(w->pool, need(task_pair("gate", 0, 1), 1, 60, NULL, 0));
    ends(submit(w->pool, need(task_int("count", 2), 1, 40, NULL, 0)),
         RPT_OUTCOME_OK);
    CHECK(count_of(1) == 0 && count_of(2) == 1);
    gate_open(0);
    ends(second, RPT_OUTCOME_OK);
    for (int i = 0; i < w->size; i++) {
        ends(first[i], RPT_OUTCOME_OK);
    }
}

static void memory_is_reserved(void)
{
    drive(1, 4, "pool.slots=2 pool.memory=100MiB", reserve_memory);
}

/* ---- nobody starves ---- */

/* Submits itself again until the wide one ran, or for too long. */
static int narrow(rpt_call_t *call, void *user)
{
    (void)user;
    if (log_length() == 0 && is_young(10)) {
        submit_quietly(rpt_call_pool(call), task_new("narrow", NULL, 0));
    }
    return 0;
}

static void register_narrow(struct world *w)
{
    CHECK(rpt_pool_register(w->pool, "narrow", narrow, NULL) == RPT_OK);
}

static void stream_of_narrow(struct world *w)
{
    for (int i = 0; i < 4 * w->size; i++) {
        submit_quietly(w->pool, task_new("narrow", NULL, 0));
    }
    submit_quietly(w->pool, need(task_int("log", 1), 2, 0, NULL, 0));
    wait_all(w->pool);
    CHECK(log_length() == 1);
    CHECK(is_young(10));
}

static void a_wide_task_runs_in_a_stream_of_narrow_ones(void)
{
    drive_with(register_narrow, 1, 4, "pool.slots=2", stream_of_narrow);
}

/* Half of every rank is held; a task that needs all of a rank waits.  What is
 * submitted then still runs, a good number of times. */
static void narrow_beside_wide(struct world *w)
{
    rpt_future_t *wide;

    hold_wide(w->pool, w->size, 2, 0);
    wide = submit(w->pool, need(task_int("log", 1), 3, 0, NULL, 0));
    for (int i = 0; i < 20; i++) {
        ends(submit(w->pool, task_int("count", 1)), RPT_OUTCOME_OK);
    }
    CHECK(count_of(1) == 20 && log_length() == 0);
    gate_open(0);
    ends(wide, RPT_OUTCOME_OK);
}

static void narrow_tasks_run_while_a_wide_one_waits(void)
{
    drive(1, 4, "pool.slots=3", narrow_beside_wide);
}

/* What waits for a unit holds up nobody who does not need one. */
static void plain_beside_needy(struct world *w)
{
    rpt_future_t *holders[MAX_RANKS], *needy[MAX_RANKS];

    for (int i = 0; i < w->size; i++) {
        holders[i] = submit(w->pool,
                            need(task_pair("gate", 0, 0), 1, 0, "gpu", 1));
    }
    wait_count(w->pool, 0, (uint32_t)w->size);
    for (int i = 0; i < w->size; i++) {
        needy[i] = submit(w->pool, need(task_int("log", i), 1, 0, "gpu", 1));
    }
    for (int i = 0; i < 200; i++) {
        ends(submit(w->pool, task_int("count", 1)), RPT_OUTCOME_OK);
    }
    CHECK(count_of(1) == 200 && log_length() == 0);
    gate_open(0);
    for (int i = 0; i < w->size; i++) {
        ends(holders[i], RPT_OUTCOME_OK);
        ends(needy[i], RPT_OUTCOME_OK);
    }
}

static void plain_tasks_run_while_others_wait_for_a_unit(void)
{
    drive(1, 4, "pool.slots=2 pool.resources=gpu=1", plain_beside_needy);
}

/* A stream of tasks with one unit each does not starve one that needs two. */
static int with_unit(rpt_call_t *call, void *user)
{
    (void)user;
    if (log_length() == 0 && is_young(10)) {
        submit_quietly(rpt_call_pool(call),
                       need(task_new("unit", NULL, 0), 1, 0, "gpu", 1));
    }
    return 0;
}

static void register_unit(struct world *w)
{
    CHECK(rpt_pool_register(w->pool, "unit", with_unit, NULL) == RPT_OK);
}

static void stream_of_units(struct world *w)
{
    for (int i = 0; i < 4 * w->size; i++) {
        submit_quietly(w->pool,
                       need(task_new("unit", NULL, 0), 1, 0, "gpu", 1));
    }
    submit_quietly(w->pool, need(task_int("log", 1), 1, 0, "gpu", 2));
    wait_all(w->pool);
    CHECK(log_length() == 1);
    CHECK(is_young(10));
}

static void a_task_with_two_units_runs_in_a_stream_of_ones(void)
{
    drive_with(register_unit, 1, 4, "pool.slots=4 pool.resources=gpu=2",
               stream_of_units);
}

/* The rank that submits has work of its own that does not fit there now; its
 * free slot still serves others. */
static void serve_others(struct world *w)
{
    CHECK(pool_open(w, NULL) == RPT_OK);
    if (w->rank == 0) {
        hold_wide(w->pool, w->size, 2, 0);
        submit_quietly(w->pool, need(task_int("log", 1), 3, 0, NULL, 0));
        count_up(5); /* the others may begin */
    } else if (w->rank == 1) {
        submit_quietly(w->pool, task_new("noop", NULL, 0)); /* it takes part */
        wait_count(w->pool, 5, 1);
        for (int i = 0; i < 10; i++) {
            submit_quietly(w->pool, task_int("count", 1));
        }
        wait_count(w->pool, 1, 10);
        gate_open(0);
    }
    CHECK(rpt_pool_drain(w->pool) == RPT_OK);
    CHECK(log_length() == 1);
    rpt_pool_destroy(w->pool);
}

static void own_work_that_does_not_fit_leaves_room_for_others(void)
{
    on_all(2, 4, "pool.slots=3", serve_others);
}

/* Ranks have run many short tasks and fetched ahead; what an owner knows of
 * their free slots is old by then.  A wide task must find its rank all the
 * same: each time only one rank has both slots free. */
static void find_the_free_rank(struct world *w)
{
    for (int i = 0; i < 20; i++) {
        int rank = i % w->size;
        rpt_future_t *wide;
        const rpt_result_t *result;

        for (int k = 0; k < 200; k++) {
            submit_quietly(w->pool, task_int("count", 0));
        }
        wait_all(w->pool);
        hold_each(w->pool);
        wide = submit(w->pool, need(task_int("log", i), 2, 0, NULL, 0));
        gate_open(OWN_GATE(rank));
        result = ended(wide, RPT_OUTCOME_OK);
        CHECK(result != NULL && result->rank == rank);
        rpt_future_destroy(wide);
        for (int r = 0; r < w->size; r++) {
            gate_open(OWN_GATE(r));
        }
        wait_all(w->pool);
        for (int r = 0; r < w->size; r++) {
            atomic_store(&board->gate[OWN_GATE(r)], 0);
        }
    }
}

static void a_wide_task_finds_its_rank_after_many_short_ones(void)
{
    drive(1, 4, "pool.slots=2", find_the_free_rank);
}

const struct pool_test resources_tests[] = {
    TEST(no_more_is_in_use_than_there_is),
    TEST(what_no_rank_has_is_refused),
    TEST(a_program_is_told_its_units_and_limited_to_its_memory),
    TEST(memory_is_reserved),
    TEST(a_wide_task_runs_in_a_stream_of_narrow_ones),
    TEST(narrow_tasks_run_while_a_wide_one_waits),
    TEST(a_wide_task_finds_its_rank_after_many_short_ones),
    TEST(plain_tasks_run_while_others_wait_for_a_unit),
    TEST(a_task_with_two_units_runs_in_a_stream_of_ones),
    TEST_FROM(2, own_work_that_does_not_fit_leaves_room_for_others),
    TEST_END,
};
