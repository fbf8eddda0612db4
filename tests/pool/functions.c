/*
 * functions.c - C functions as tasks: what goes in, what comes out
 */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void echo_sizes(struct world *w)
{
    static const size_t sizes[] = { 0, 1, 7, 120, 129, 4096, 100000, 3 << 20 };
    enum { N = sizeof sizes / sizeof *sizes };
    rpt_future_t *futures[N];
    char *data = malloc(3 << 20);

    for (int i = 0; i < 3 << 20; i++) {
        data[i] = (char)(i * 31 + i / 251);
    }
    for (int i = 0; i < N; i++) {
        futures[i] = submit(w->pool, task_new("echo", data, sizes[i]));
    }
    for (int i = 0; i < N; i++) {
        const rpt_result_t *result = ended(futures[i], RPT_OUTCOME_OK);

        if (result != NULL && CHECK(result->output_bytes == sizes[i])) {
            CHECK(memcmp(result->output, data, sizes[i]) == 0);
            CHECK(sizes[i] == 0 || (uintptr_t)result->output % 16 == 0);
        }
        rpt_future_destroy(futures[i]);
    }
    free(data);
}

static void input_comes_back_as_output(void)
{
    drive(1, 7, NULL, echo_sizes);
}

static void look_at_result(struct world *w)
{
    rpt_future_t *future = submit_as(w->pool, task_int("where", 0), "here");
    const rpt_result_t *result = ended(future, RPT_OUTCOME_OK);
    int rank;

    if (result == NULL) {
        return;
    }
    CHECK(strcmp(result->id, "here") == 0);
    CHECK(result->exit_code == 0 && result->signal == 0);
    CHECK(result->attempts == 1 && result->resumed == 0);
    if (CHECK(result->output_bytes == sizeof rank)) {
        memcpy(&rank, result->output, sizeof rank);
        CHECK(result->rank == rank);
        CHECK(strcmp(result->host, rpt_context_host_of(w->context, rank)) == 0);
    }
    CHECK(result->start_time > 1.5e9);
    CHECK(result->duration_s >= 0 && result->duration_s < 60);
    CHECK(strcmp(result->message, "") == 0);
    CHECK(result->stdout_bytes == 0 && result->stderr_bytes == 0);
    rpt_future_destroy(future);
}

static void a_result_says_where_and_when(void)
{
    drive(1, 7, NULL, look_at_result);
}

static void fail_with(struct world *w)
{
    static const int codes[] = { 1, 3, 255, -7, 100000 };

    for (int i = 0; i < 5; i++) {
        rpt_future_t *future = submit(w->pool, task_int("fail", codes[i]));
        const rpt_result_t *result = ended(future, RPT_OUTCOME_FAILED);

        if (result != NULL) {
            CHECK(result->exit_code == codes[i]);
            CHECK(strcmp(result->message, "asked to fail") == 0);
        }
        rpt_future_destroy(future);
    }
}

static void another_return_value_is_a_failure_with_a_message(void)
{
    drive(1, 7, NULL, fail_with);
}

static int fail_silently(rpt_call_t *call, void *user)
{
    (void)user;
    (void)rpt_call_set_output(call, "half", 4);
    return 4;
}

static void register_mute(struct world *w)
{
    CHECK(rpt_pool_register(w->pool, "mute", fail_silently, NULL) == RPT_OK);
}

static void see_mute_fail(struct world *w)
{
    rpt_future_t *future = submit(w->pool, task_new("mute", NULL, 0));
    const rpt_result_t *result = ended(future, RPT_OUTCOME_FAILED);

    if (result != NULL) {
        CHECK(strcmp(result->message, "function \"mute\" returned 4") == 0);
        CHECK(result->output_bytes == 4); /* kept all the same */
    }
    rpt_future_destroy(future);
}

static void a_failure_without_words_is_described(void)
{
    drive_with(register_mute, 1, 4, NULL, see_mute_fail);
}

static int look_at_call(rpt_call_t *call, void *user)
{
    const struct world *w = user;
    int n = 7;

    CHECK(rpt_call_attempt(call) == 1);
    CHECK(rpt_call_cancelled(call) == 0);
    CHECK(rpt_call_group(call) == NULL);
    CHECK(rpt_call_resource(call, "gpu", &n) == NULL && n == 0);
    CHECK(rpt_call_pool(call) == w->pool);
    CHECK(rpt_call_input(call, NULL) != NULL);
    CHECK_ERROR(RPT_ERR_INVALID, rpt_call_set_output(call, NULL, 1));
    CHECK_ERROR(RPT_ERR_INVALID, rpt_call_set_message(call, NULL));
    CHECK(rpt_call_set_output(call, "first", 5) == RPT_OK);
    return rpt_call_set_output(call, "last", 4) == RPT_OK ? 0 : 1;
}

static void register_look(struct world *w)
{
    CHECK(rpt_pool_register(w->pool, "look", look_at_call, w) == RPT_OK);
}

static void look_inside(struct world *w)
{
    rpt_future_t *future = submit(w->pool, task_new("look", "x", 1));
    const rpt_result_t *result = ended(future, RPT_OUTCOME_OK);

    CHECK(result != NULL && result->output_bytes == 4 &&
          memcmp(result->output, "last", 4) == 0);
    rpt_future_destroy(future);
}

static void a_function_knows_its_call_and_its_last_output_counts(void)
{
    drive_with(register_look, 1, 4, NULL, look_inside);
}

static void submit_unknown(struct world *w)
{
    CHECK_ERROR(RPT_ERR_NOT_FOUND,
                try_submit(w->pool, task_new("nobody", NULL, 0)));
    CHECK(strstr(rpt_last_error()->what, "nobody") != NULL);
    CHECK(stats_of(w->pool).submitted == 0);
}

static void an_unknown_function_is_refused(void)
{
    drive(1, 3, NULL, submit_unknown);
}

static void register_on_0(struct world *w)
{
    if (w->rank == 0) {
        CHECK(rpt_pool_register(w->pool, "only 0", fail_silently, NULL) ==
              RPT_OK);
    }
}

static void lack_elsewhere(struct world *w)
{
    rpt_future_t *future;
    const rpt_result_t *result;

    hold_each(w->pool);
    future = submit(w->pool, task_new("only 0", NULL, 0));
    CHECK(rpt_future_wait(future, 0) == RPT_PENDING);
    gate_open(OWN_GATE(1));
    result = ended(future, RPT_OUTCOME_FAILED);
    if (result != NULL) {
        CHECK(result->rank == 1);
        CHECK(result->exit_code == -1);
        CHECK(strstr(result->message, "has not registered") != NULL);
    }
    rpt_future_destroy(future);
}

static void a_function_that_the_running_rank_lacks_is_a_failure(void)
{
    drive_with(register_on_0, 2, 7, "pool.slots=1", lack_elsewhere);
}

/* A rank that has made the pool, but not yet registered its functions, takes
 * no tasks: even when its other threads already drive the library. */
static void register_late(struct world *w)
{
    CHECK(rpt_pool_create(w->context, NULL, &w->pool) == RPT_OK);
    if (w->rank > 0) {
        CHECK(gate_pass(0, 60));
        register_all(w, w->pool);
        CHECK(rpt_pool_serve(w->pool) == RPT_OK);
    } else {
        rpt_future_t *futures[8];

        register_all(w, w->pool);
        hold(w->pool, 1, 1); /* its own slot */
        for (int i = 0; i < 8; i++) {
            futures[i] = submit(w->pool, task_int("where", 0));
        }
        CHECK(rpt_pool_wait(w->pool, 0.02) == RPT_PENDING);
        CHECK(stats_of(w->pool).ended == 0);
        gate_open(0);
        for (int i = 0; i < 8; i++) {
            const rpt_result_t *result = ended(futures[i], RPT_OUTCOME_OK);

            CHECK(result != NULL && result->rank > 0);
            rpt_future_destroy(futures[i]);
        }
        gate_open(1);
        CHECK(rpt_pool_shutdown(w->pool, RPT_SHUTDOWN_GRACEFUL, 0, NULL) ==
              RPT_OK);
    }
    rpt_pool_destroy(w->pool);
}

static void a_rank_takes_no_task_before_it_serves(void)
{
    on_all(2, 7, "pool.slots=1", register_late);
}

static void submit_twice(struct world *w)
{
    rpt_task_t *task = task_new("echo", "abc", 3);
    rpt_future_t *futures[2] = { NULL, NULL };
    const rpt_result_t *result;

    CHECK(rpt_pool_submit(w->pool, task, &futures[0]) == RPT_OK);
    CHECK(rpt_task_set_function(task, "echo", "defg", 4) == RPT_OK);
    CHECK(rpt_pool_submit(w->pool, task, &futures[1]) == RPT_OK);
    rpt_task_destroy(task);
    result = ended(futures[0], RPT_OUTCOME_OK);
    CHECK(result != NULL && result->output_bytes == 3);
    result = ended(futures[1], RPT_OUTCOME_OK);
    CHECK(result != NULL && result->output_bytes == 4);
    rpt_future_destroy(futures[0]);
    rpt_future_destroy(futures[1]);
}

static void a_task_is_copied_and_may_be_submitted_again(void)
{
    drive(1, 4, NULL, submit_twice);
}

static void count_many(struct world *w)
{
    enum { N = 20000 };
    rpt_pool_stats_t stats;

    for (int i = 0; i < N; i++) {
        submit_quietly(w->pool, task_int("count", i % 7));
    }
    wait_all(w->pool);
    for (int i = 0; i < 7; i++) {
        CHECK(count_of(i) == (uint32_t)(N - i + 6) / 7);
    }
    stats = stats_of(w->pool);
    CHECK(stats.ended == N && stats.by_outcome[RPT_OUTCOME_OK] == N);
}

static void twenty_thousand_tasks_run_once_each(void)
{
    drive(1, 7, NULL, count_many);
}

const struct pool_test functions_tests[] = {
    TEST(input_comes_back_as_output),
    TEST(a_result_says_where_and_when),
    TEST(another_return_value_is_a_failure_with_a_message),
    TEST(a_failure_without_words_is_described),
    TEST(a_function_knows_its_call_and_its_last_output_counts),
    TEST(an_unknown_function_is_refused),
    TEST_FROM(2, a_function_that_the_running_rank_lacks_is_a_failure),
    TEST_FROM(2, a_rank_takes_no_task_before_it_serves),
    TEST(a_task_is_copied_and_may_be_submitted_again),
    TEST(twenty_thousand_tasks_run_once_each),
    TEST_END,
};
