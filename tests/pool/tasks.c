/*
 * tasks.c - the functions of every pool of the tests, and tasks that run them
 */
#include "world.h"

#include "base/clock.h"
#include "base/futex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- functions ---- */

static const void *input_of(rpt_call_t *call, size_t bytes)
{
    size_t got;
    const void *input = rpt_call_input(call, &got);

    return CHECK(got == bytes) ? input : NULL;
}

static int input_int(rpt_call_t *call)
{
    const void *input = input_of(call, sizeof(int));
    int value = 0;

    if (input != NULL) {
        memcpy(&value, input, sizeof value);
    }
    return value;
}

static int noop(rpt_call_t *call, void *user)
{
    (void)call;
    (void)user;
    return 0;
}

static int echo(rpt_call_t *call, void *user)
{
    size_t bytes;
    const void *input = rpt_call_input(call, &bytes);

    (void)user;
    return rpt_call_set_output(call, input, bytes) == RPT_OK ? 0 : 1;
}

static int log_(rpt_call_t *call, void *user)
{
    (void)user;
    log_add(input_int(call));
    return 0;
}

static int count(rpt_call_t *call, void *user)
{
    (void)user;
    count_up(input_int(call));
    return 0;
}

static int gate(rpt_call_t *call, void *user)
{
    struct pair pair = { 0, 0 };
    const void *input = input_of(call, sizeof pair);

    (void)user;
    if (input == NULL) {
        return 1;
    }
    memcpy(&pair, input, sizeof pair);
    count_up(pair.b);
    return CHECK(gate_pass(pair.a, 60)) ? 0 : 1;
}

static int own_gate(rpt_call_t *call, void *user)
{
    const struct world *world = user;

    count_up(input_int(call));
    return CHECK(gate_pass(OWN_GATE(world->rank), 60)) ? 0 : 1;
}

static int fail(rpt_call_t *call, void *user)
{
    (void)user;
    CHECK(rpt_call_set_message(call, "asked to fail") == RPT_OK);
    return input_int(call);
}

static int fail_first(rpt_call_t *call, void *user)
{
    const struct world *world = user;

    log_add(world->rank);
    return rpt_call_attempt(call) <= input_int(call) ? 1 : 0;
}

static int until_cancelled(rpt_call_t *call, void *user)
{
    _Atomic uint32_t never = 0;
    double limit = rpt__now_s() + 60;

    (void)user;
    count_up(input_int(call));
    while (!rpt_call_cancelled(call) && rpt__now_s() < limit) {
        rpt__futex_wait(&never, 0, 1e-3);
    }
    return CHECK(rpt_call_cancelled(call)) ? 5 : 1;
}

static int where(rpt_call_t *call, void *user)
{
    const struct world *world = user;

    return rpt_call_set_output(call, &world->rank, sizeof world->rank);
}

void register_all(struct world *world, rpt_pool_t *pool)
{
    static const struct {
        const char *name;
        rpt_task_fn fn;
    } all[] = {
        { "noop", noop },
        { "echo", echo },
        { "log", log_ },
        { "count", count },
        { "gate", gate },
        { "own_gate", own_gate },
        { "fail", fail },
        { "fail_first", fail_first },
        { "until_cancelled", until_cancelled },
        { "where", where },
    };

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        CHECK(rpt_pool_register(pool, all[i].name, all[i].fn, world) == RPT_OK);
    }
}

/* ---- tasks ---- */

static rpt_task_t *fresh(void)
{
    rpt_task_t *task = NULL;

    CHECK(rpt_task_create(&task) == RPT_OK);
    return task;
}

rpt_task_t *task_new(const char *function, const void *input, size_t bytes)
{
    rpt_task_t *task = fresh();

    CHECK(rpt_task_set_function(task, function, input, bytes) == RPT_OK);
    return task;
}

rpt_task_t *task_int(const char *function, int input)
{
    return task_new(function, &input, sizeof input);
}

rpt_task_t *task_pair(const char *function, int a, int b)
{
    struct pair pair = { a, b };

    return task_new(function, &pair, sizeof pair);
}

rpt_task_t *task_shell(const char *line)
{
    rpt_task_t *task = fresh();

    CHECK(rpt_task_set_shell(task, line) == RPT_OK);
    return task;
}

rpt_future_t *submit(rpt_pool_t *pool, rpt_task_t *task)
{
    rpt_future_t *future = NULL;
    rpt_status_t status = rpt_pool_submit(pool, task, &future);

    if (status != RPT_OK) {
        printf("  %s\n", rpt_last_error_text());
    }
    CHECK(status == RPT_OK);
    rpt_task_destroy(task);
    return future;
}

rpt_future_t *submit_as(rpt_pool_t *pool, rpt_task_t *task, const char *id)
{
    CHECK(rpt_task_set_id(task, id) == RPT_OK);
    return submit(pool, task);
}

void submit_quietly(rpt_pool_t *pool, rpt_task_t *task)
{
    CHECK(rpt_pool_submit(pool, task, NULL) == RPT_OK);
    rpt_task_destroy(task);
}

rpt_status_t try_submit(rpt_pool_t *pool, rpt_task_t *task)
{
    rpt_status_t status = rpt_pool_submit(pool, task, NULL);

    rpt_task_destroy(task);
    return status;
}

void hold_wide(rpt_pool_t *pool, int n, int slots, int gate_number)
{
    uint32_t before = count_of(gate_number);

    for (int i = 0; i < n; i++) {
        rpt_task_t *task = task_pair("gate", gate_number, gate_number);

        CHECK(rpt_task_set_slots(task, slots) == RPT_OK);
        submit_quietly(pool, task);
    }
    wait_count(pool, gate_number, before + (uint32_t)n);
}

void hold(rpt_pool_t *pool, int n, int gate_number)
{
    hold_wide(pool, n, 1, gate_number);
}

void hold_each(rpt_pool_t *pool)
{
    int n = stats_of(pool).total_slots;
    uint32_t before = count_of(N_COUNTS - 1);

    for (int i = 0; i < n; i++) {
        submit_quietly(pool, task_int("own_gate", N_COUNTS - 1));
    }
    wait_count(pool, N_COUNTS - 1, before + (uint32_t)n);
}
