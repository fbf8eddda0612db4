/*
 * arguments.c - what every function answers to bad arguments
 */
#include "world.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INVALID(call) CHECK_ERROR(RPT_ERR_INVALID, (call))

static void bad_tasks(struct world *w)
{
    static const char *const none[] = { NULL }, *const empty[] = { "", NULL },
                             *const good[] = { "true", NULL };
    rpt_task_t *task = NULL;
    char text[40];

    (void)w;
    INVALID(rpt_task_create(NULL));
    CHECK(rpt_task_create(&task) == RPT_OK);
    rpt_task_destroy(NULL);
    INVALID(rpt_task_set_program(NULL, good));
    INVALID(rpt_task_set_program(task, NULL));
    INVALID(rpt_task_set_program(task, none));
    INVALID(rpt_task_set_program(task, empty));
    INVALID(rpt_task_set_shell(NULL, "true"));
    INVALID(rpt_task_set_shell(task, NULL));
    INVALID(rpt_task_set_function(NULL, "noop", NULL, 0));
    INVALID(rpt_task_set_function(task, NULL, NULL, 0));
    INVALID(rpt_task_set_function(task, "", NULL, 0));
    INVALID(rpt_task_set_function(task, "noop", NULL, 1));
    INVALID(rpt_task_set_gang(NULL, 1));
    INVALID(rpt_task_set_gang(task, 0));
    INVALID(rpt_task_set_id(NULL, "a"));
    INVALID(rpt_task_set_id(task, ""));
    INVALID(rpt_task_set_env(NULL, "A", "b"));
    INVALID(rpt_task_set_env(task, NULL, "b"));
    INVALID(rpt_task_set_env(task, "", "b"));
    INVALID(rpt_task_set_env(task, "A=B", "b"));
    INVALID(rpt_task_set_cwd(NULL, "/"));
    INVALID(rpt_task_set_cwd(task, ""));
    INVALID(rpt_task_set_stdin(NULL, "a", 1));
    INVALID(rpt_task_set_stdin(task, NULL, 1));
    INVALID(rpt_task_set_output(NULL, RPT_OUTPUT_CAPTURE));
    INVALID(rpt_task_set_output(task, (rpt_output_t)4));
    INVALID(rpt_task_set_output_files(NULL, "a", "b"));
    INVALID(rpt_task_set_priority(NULL, RPT_PRIORITY_LOW));
    INVALID(rpt_task_set_priority(task, (rpt_priority_t)3));
    INVALID(rpt_task_set_timeout(NULL, 1));
    INVALID(rpt_task_set_timeout(task, -1));
    INVALID(rpt_task_set_timeout(task, (double)NAN));
    INVALID(rpt_task_set_timeout(task, (double)INFINITY));
    INVALID(rpt_task_set_retries(NULL, 1));
    INVALID(rpt_task_set_retries(task, -1));
    INVALID(rpt_task_set_slots(NULL, 1));
    INVALID(rpt_task_set_slots(task, 0));
    INVALID(rpt_task_set_memory(NULL, 1));
    INVALID(rpt_task_set_memory(task, UINT64_MAX));
    INVALID(rpt_task_set_resource(NULL, "gpu", 1));
    INVALID(rpt_task_set_resource(task, NULL, 1));
    INVALID(rpt_task_set_resource(task, "", 1));
    INVALID(rpt_task_set_resource(task, "1gpu", 1));
    INVALID(rpt_task_set_resource(task, "g=1", 1));
    INVALID(rpt_task_set_resource(task, "gpu", -1));
    memset(text, 'a', sizeof text);
    text[32] = '\0';
    INVALID(rpt_task_set_resource(task, text, 1));
    for (int i = 0; i < 16; i++) {
        snprintf(text, sizeof text, "r%d", i);
        CHECK(rpt_task_set_resource(task, text, 1) == RPT_OK);
    }
    CHECK(rpt_task_set_resource(task, "r0", 2) == RPT_OK);
    INVALID(rpt_task_set_resource(task, "one_more", 1));
    INVALID(rpt_task_add_dependency(NULL, "a"));
    INVALID(rpt_task_add_dependency(task, NULL));
    INVALID(rpt_task_add_dependency(task, ""));
    CHECK(rpt_task_set_program(task, good) == RPT_OK);
    INVALID(rpt_task_set_gang(task, 2)); /* only functions */
    rpt_task_destroy(task);
    CHECK(strcmp(rpt_outcome_name(RPT_OUTCOME_OK), "ok") == 0);
    CHECK(strcmp(rpt_outcome_name(RPT_OUTCOME_LOST), "lost") == 0);
    CHECK(rpt_outcome_name((rpt_outcome_t)99) != NULL);
}

static void setters_refuse_bad_values(void)
{
    on_all(1, 1, NULL, bad_tasks);
}

static int never(rpt_call_t *call, void *user)
{
    (void)call;
    (void)user;
    return 1;
}

static void bad_pools(struct world *w)
{
    rpt_pool_t *pool = NULL;
    rpt_pool_stats_t stats = { .size = 0 };
    rpt_task_t *task = task_new("noop", NULL, 0), *empty = NULL;
    const rpt_task_t *tasks[2] = { task, NULL };

    CHECK(rpt_task_create(&empty) == RPT_OK);
    INVALID(rpt_pool_create(NULL, NULL, &pool));
    INVALID(rpt_pool_create(w->context, NULL, NULL));
    INVALID(rpt_pool_register(NULL, "f", never, NULL));
    INVALID(rpt_pool_register(w->pool, NULL, never, NULL));
    INVALID(rpt_pool_register(w->pool, "", never, NULL));
    INVALID(rpt_pool_register(w->pool, "f", NULL, NULL));
    CHECK_ERROR(RPT_ERR_EXISTS,
                rpt_pool_register(w->pool, "noop", never, NULL));
    INVALID(rpt_pool_check(NULL, task));
    INVALID(rpt_pool_check(w->pool, NULL));
    INVALID(rpt_pool_check(w->pool, empty));
    INVALID(rpt_pool_submit(NULL, task, NULL));
    INVALID(rpt_pool_submit(w->pool, NULL, NULL));
    INVALID(rpt_pool_submit(w->pool, empty, NULL));
    INVALID(rpt_pool_submit_batch(NULL, tasks, 1, NULL));
    INVALID(rpt_pool_submit_batch(w->pool, NULL, 1, NULL));
    INVALID(rpt_pool_submit_batch(w->pool, tasks, 2, NULL));
    INVALID(rpt_pool_serve(NULL));
    INVALID(rpt_pool_drain(NULL));
    INVALID(rpt_pool_on_result(NULL, NULL, NULL));
    INVALID(rpt_pool_on_output(NULL, NULL, NULL));
    INVALID(rpt_pool_wait(NULL, 0));
    INVALID(rpt_pool_wait(w->pool, (double)NAN));
    INVALID(rpt_pool_cancel(NULL, "a"));
    INVALID(rpt_pool_cancel(w->pool, NULL));
    INVALID(rpt_pool_stats(NULL, &stats));
    INVALID(rpt_pool_stats(w->pool, NULL));
    INVALID(rpt_pool_stats(w->pool, &stats));
    INVALID(rpt_pool_shutdown(NULL, RPT_SHUTDOWN_NOW, 0, NULL));
    INVALID(rpt_pool_shutdown(w->pool, (rpt_shutdown_t)3, 0, NULL));
    INVALID(rpt_pool_shutdown(w->pool, RPT_SHUTDOWN_DRAIN, -1, NULL));
    INVALID(rpt_pool_shutdown(w->pool, RPT_SHUTDOWN_DRAIN, (double)NAN, NULL));
    rpt_pool_destroy(NULL);
    CHECK(stats_of(w->pool).submitted == 0);
    rpt_task_destroy(task);
    rpt_task_destroy(empty);
}

static void pools_refuse_bad_arguments(void)
{
    drive(1, 2, NULL, bad_pools);
}

static void bad_futures(struct world *w)
{
    rpt_future_t *future = submit(w->pool, task_new("noop", NULL, 0));
    const rpt_result_t *result;
    size_t index;

    INVALID(rpt_future_wait(NULL, 0));
    INVALID(rpt_future_wait(future, (double)NAN));
    INVALID(rpt_future_wait_all(NULL, 1, 0));
    INVALID(rpt_future_wait_all(&future, 1, (double)NAN));
    INVALID(rpt_future_wait_any(NULL, 1, 0, &index));
    INVALID(rpt_future_wait_any(&future, 1, 0, NULL));
    INVALID(rpt_future_wait_any(&future, 1, (double)NAN, &index));
    INVALID(rpt_pool_next(NULL, 0, &future));
    INVALID(rpt_pool_next(w->pool, 0, NULL));
    INVALID(rpt_pool_next(w->pool, (double)NAN, &future));
    INVALID(rpt_future_result(NULL, &result));
    INVALID(rpt_future_result(future, NULL));
    INVALID(rpt_future_cancel(NULL));
    ends(future, RPT_OUTCOME_OK);
}

static void futures_refuse_bad_arguments(void)
{
    drive(1, 2, NULL, bad_futures);
}

static int look(rpt_call_t *call, void *user)
{
    size_t bytes = 99;
    int n = 99;

    (void)user;
    CHECK(rpt_call_input(NULL, &bytes) == NULL && bytes == 0);
    CHECK(rpt_call_input(NULL, NULL) == NULL);
    INVALID(rpt_call_set_output(NULL, "a", 1));
    INVALID(rpt_call_set_output(call, NULL, 1));
    INVALID(rpt_call_set_message(NULL, "a"));
    INVALID(rpt_call_set_message(call, NULL));
    CHECK(rpt_call_cancelled(NULL) == 0);
    CHECK(rpt_call_attempt(NULL) == 0);
    CHECK(rpt_call_resource(NULL, "gpu", &n) == NULL && n == 0);
    CHECK(rpt_call_resource(call, NULL, &n) == NULL && n == 0);
    CHECK(rpt_call_resource(call, "gpu", NULL) == NULL);
    CHECK(rpt_call_pool(NULL) == NULL);
    CHECK(rpt_call_group(NULL) == NULL);
    return 0;
}

static void register_look(struct world *w)
{
    CHECK(rpt_pool_register(w->pool, "look", look, NULL) == RPT_OK);
}

static void look_from_inside(struct world *w)
{
    ends(submit(w->pool, task_new("look", NULL, 0)), RPT_OUTCOME_OK);
}

static void calls_survive_bad_arguments(void)
{
    drive_with(register_look, 1, 2, NULL, look_from_inside);
}

static rpt_status_t nothing(rpt_context_t *context, void *user)
{
    (void)context;
    return *(const rpt_status_t *)user;
}

/* Three ranks; `user` asks for a fourth. */
static rpt_status_t ask_for_a_rank(rpt_context_t *context, void *user)
{
    int order[2] = { -1, -1 }, rank = rpt_context_rank(context);

    CHECK(rpt_context_order(context, rank, order) == RPT_OK);
    CHECK(order[0] >= 0 && order[1] >= 0 && order[0] + order[1] == 3 - rank);
    CHECK(order[0] != rank && order[1] != rank && order[0] != order[1]);
    return rank == *(const int *)user ? rpt_context_order(context, 3, order)
                                      : RPT_OK;
}

/* What a thread's rank failed with is the error of who ran it. */
static void errors_of_local_ranks_are_kept(void)
{
    for (int rank = 0; rank < 3; rank++) {
        CHECK(rpt_local_run(3, NULL, ask_for_a_rank, &rank) == RPT_ERR_INVALID);
        CHECK(rpt_last_error()->status == RPT_ERR_INVALID);
        CHECK(rpt_last_error()->rank == rank);
        CHECK(rpt_last_error()->n_ranks == 3);
        CHECK(strstr(rpt_last_error()->what, "no such rank") != NULL ||
              strstr(rpt_last_error()->why, "no such rank") != NULL);
    }
}

static void bad_contexts(struct world *w)
{
    rpt_context_t *context = NULL;
    rpt_level_t level;
    rpt_group_t *group = NULL;
    rpt_status_t ok = RPT_OK, end = RPT_END;
    char *text = NULL;
    int order[8];

    CHECK_ERROR(RPT_ERR_VERSION,
                rpt_context_create_local_v(1, NULL, 0, &context));
    CHECK(context == NULL);
    INVALID(rpt_context_create_local(0, NULL, &context));
    INVALID(rpt_context_create_local(4097, NULL, &context));
    INVALID(rpt_context_create_local(1, NULL, NULL));
    INVALID(rpt_local_run(1, NULL, NULL, NULL));
    INVALID(rpt_local_run(0, NULL, nothing, &ok));
    CHECK(rpt_local_run(3, NULL, nothing, &end) == RPT_END);
    rpt_context_destroy(NULL);
    CHECK(rpt_context_rank(NULL) == -1 && rpt_context_size(NULL) == 0);
    CHECK(rpt_context_n_nodes(NULL) == 0);
    CHECK(rpt_context_progresses(NULL) == 0);
    CHECK(!any_thread_may_call() || rpt_context_progresses(w->context));
    CHECK(rpt_context_node_of(NULL, 0) == -1);
    CHECK(rpt_context_node_of(w->context, w->size) == -1);
    CHECK(rpt_context_node_of(w->context, -1) == -1);
    CHECK(rpt_context_host_of(w->context, w->size) == NULL);
    CHECK(rpt_context_host_of(w->context, -1) == NULL);
    CHECK(rpt_context_host_of(NULL, 0) == NULL);
    INVALID(rpt_context_level(NULL, 0, 0, &level));
    INVALID(rpt_context_level(w->context, 0, w->size, &level));
    INVALID(rpt_context_level(w->context, -1, 0, &level));
    INVALID(rpt_context_level(w->context, 0, 0, NULL));
    INVALID(rpt_context_order(NULL, 0, order));
    INVALID(rpt_context_order(w->context, w->size, order));
    INVALID(rpt_context_order(w->context, 0, NULL));
    INVALID(rpt_context_describe(NULL, &text));
    INVALID(rpt_context_describe(w->context, NULL));
    CHECK(rpt_group_world(NULL) == NULL);
    INVALID(rpt_group_split(NULL, 0, 0, &group));
    INVALID(rpt_group_split(rpt_group_world(w->context), 0, 0, NULL));
    INVALID(rpt_group_barrier(NULL));
    rpt_group_destroy(NULL);
    rpt_group_destroy(rpt_group_world(w->context)); /* left alone */
    CHECK(rpt_group_rank(NULL) == -1 && rpt_group_size(NULL) == 0);
    CHECK(rpt_group_world_rank(NULL, 0) == -1);
    CHECK(rpt_group_world_rank(rpt_group_world(w->context), w->size) == -1);
    CHECK(rpt_group_size(rpt_group_world(w->context)) == w->size);
}

static void contexts_and_groups_refuse_bad_arguments(void)
{
    on_all(1, 2, NULL, bad_contexts);
}

/* A group of another context is no group for a pool of this one. */
static void foreign_group(struct world *w)
{
    rpt_context_t *other = NULL;
    rpt_pool_t *pool = NULL;

    CHECK(rpt_context_create_local(1, NULL, &other) == RPT_OK);
    INVALID(rpt_pool_create(w->context, rpt_group_world(other), &pool));
    CHECK(pool == NULL);
    rpt_context_destroy(other);
}

static void a_group_of_another_context_is_refused(void)
{
    on_all(1, 2, NULL, foreign_group);
}

static void bad_setting(struct world *w, rpt_status_t wanted)
{
    rpt_pool_t *pool = NULL;

    CHECK_ERROR(wanted, rpt_pool_create(w->context, NULL, &pool));
    CHECK(pool == NULL);
}

static void parse_error(struct world *w)
{
    bad_setting(w, RPT_ERR_PARSE);
}

static void bad_options_are_refused_on_all_ranks(void)
{
    on_all(1, 3, "pool.queue_full=maybe", parse_error);
    on_all(1, 3, "pool.resources=gpu", parse_error);
    on_all(1, 3, "pool.resources=gpu=x", parse_error);
    on_all(1, 3, "pool.resources==1", parse_error);
    on_all(1, 3, "pool.resources=gpu=1;tape=2", parse_error);
    on_all(1, 3, "pool.resources=gpu=-1", parse_error);
}

const struct pool_test arguments_tests[] = {
    TEST(setters_refuse_bad_values),
    TEST(pools_refuse_bad_arguments),
    TEST(futures_refuse_bad_arguments),
    TEST(calls_survive_bad_arguments),
    TEST(errors_of_local_ranks_are_kept),
    TEST(contexts_and_groups_refuse_bad_arguments),
    TEST(a_group_of_another_context_is_refused),
    TEST(bad_options_are_refused_on_all_ranks),
    TEST_END,
};
