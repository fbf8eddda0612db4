/*
 * state.c - looking into a state directory, and leaving requests in it
 */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATE "pool.state_dir=@/state journal.commit_s=0"

static rpt_state_t *state_of(void)
{
    rpt_state_t *state = NULL;

    CHECK(rpt_state_open(scratch_path("state"), &state) == RPT_OK);
    return state;
}

static const rpt_state_task_t *task_named(const rpt_state_t *state,
                                          const char *id)
{
    const rpt_state_task_t *task = NULL;

    for (size_t i = 0; rpt_state_task(state, i, &task) == RPT_OK; i++) {
        if (strcmp(task->id, id) == 0) {
            return task;
        }
    }
    CHECK(false); /* the task is known */
    return NULL;
}

static void look_while_it_runs(struct world *w)
{
    rpt_state_t *state;
    const rpt_state_summary_t *sum;
    const rpt_state_task_t *task = NULL;
    rpt_task_t *after = task_int("count", 1);

    ends(submit_as(w->pool, task_int("fail", 3), "bad"), RPT_OUTCOME_FAILED);
    ends(submit(w->pool, task_int("count", 1)), RPT_OUTCOME_OK);
    rpt_future_destroy(submit_as(w->pool, task_pair("gate", 0, 0), "runs"));
    CHECK(rpt_task_add_dependency(after, "runs") == RPT_OK);
    CHECK(rpt_task_set_id(after, "waits") == RPT_OK);
    submit_quietly(w->pool, after);
    wait_running(w->pool, 1);
    state = state_of();
    sum = rpt_state_summary(state);
    CHECK(sum->size == sizeof *sum && sum->running == 1);
    CHECK(sum->pid == (int)getpid() && sum->epoch == 1);
    CHECK(strcmp(sum->host, rpt_context_host_of(w->context, 0)) == 0);
    CHECK(sum->n_tasks == 4 && sum->n_queued == 1 && sum->n_running == 1);
    CHECK(sum->by_outcome[RPT_OUTCOME_OK] == 1 &&
          sum->by_outcome[RPT_OUTCOME_FAILED] == 1);
    CHECK(rpt_state_task(state, 0, &task) == RPT_OK);
    CHECK(task->size == sizeof *task && strcmp(task->id, "bad") == 0);
    CHECK(strcmp(task->status, "failed") == 0 && task->exit_code == 3);
    CHECK(task->signal == 0 && task->attempts == 1 && task->rank >= 0);
    CHECK(strcmp(task->host, rpt_context_host_of(w->context, task->rank)) == 0);
    CHECK(task->start_time > 1.5e9 && task->duration_s >= 0);
    CHECK(rpt_state_task(state, 1, &task) == RPT_OK);
    CHECK(strcmp(task->id, "2") == 0 && strcmp(task->status, "ok") == 0);
    task = task_named(state, "runs");
    CHECK(task != NULL && strcmp(task->status, "running") == 0 &&
          task->start_time > 1.5e9 && task->attempts == 1 &&
          task->exit_code == -1 && task->rank >= 0);
    task = task_named(state, "waits");
    CHECK(task != NULL && strcmp(task->status, "queued") == 0 &&
          task->attempts == 0 && task->rank == -1 && task->start_time <= 0 &&
          strcmp(task->host, "") == 0);
    CHECK(rpt_state_task(state, 4, &task) == RPT_END);
    rpt_state_close(state);
    gate_open(0);
}

static void look_after_it(struct world *w)
{
    rpt_state_t *state;
    const rpt_state_summary_t *sum;
    const rpt_state_task_t *task;

    job(w, w->size, look_while_it_runs);
    if (w->rank == 0) {
        state = state_of();
        sum = rpt_state_summary(state);
        CHECK(sum->running == 0 && sum->epoch == 1 && sum->n_tasks == 4);
        CHECK(sum->n_running == 0 && sum->n_queued == 0);
        CHECK(sum->by_outcome[RPT_OUTCOME_OK] == 3);
        task = task_named(state, "runs");
        CHECK(task != NULL && strcmp(task->status, "ok") == 0);
        rpt_state_close(state);
    }
}

static void a_directory_shows_the_job_while_it_runs_and_afterwards(void)
{
    on_all(1, 4, STATE, look_after_it);
}

/* What a stopped job leaves is queued; the tasks of all ranks are seen. */
static void drop_some(struct world *w)
{
    CHECK(pool_open(w, NULL) == RPT_OK);
    for (int i = 0; i < 10; i++) {
        submit_quietly(w->pool, task_int("count", i));
    }
    CHECK(rpt_pool_drain(w->pool) == RPT_OK);
    submit_quietly(w->pool, task_int("until_cancelled", 100));
    meet(w);
    CHECK(rpt_pool_shutdown(w->pool, RPT_SHUTDOWN_NOW, 0, NULL) == RPT_OK);
    rpt_pool_destroy(w->pool);
    meet(w);
    if (w->rank == 0) {
        rpt_state_t *state = state_of();
        const rpt_state_summary_t *sum = rpt_state_summary(state);

        CHECK(sum->n_tasks == 11 * (uint64_t)w->size);
        CHECK(sum->n_queued == (uint64_t)w->size);
        CHECK(sum->by_outcome[RPT_OUTCOME_OK] == 10 * (uint64_t)w->size);
        rpt_state_close(state);
    }
}

static void tasks_of_all_ranks_are_seen_and_dropped_ones_are_queued(void)
{
    on_all(1, 4, STATE, drop_some);
}

static void nothing_there(struct world *w)
{
    rpt_state_t *state = NULL;
    const rpt_state_task_t *task;
    char *kind = NULL, *text = NULL;
    size_t bytes;

    CHECK_ERROR(RPT_ERR_INVALID, rpt_state_open(NULL, &state));
    CHECK_ERROR(RPT_ERR_INVALID, rpt_state_open("x", NULL));
    CHECK_ERROR(RPT_ERR_NOT_FOUND,
                rpt_state_open(scratch_path("none"), &state));
    CHECK(strstr(rpt_last_error_text(), "none") != NULL);
    if (w->rank == 0) {
        CHECK(mkdir(scratch_path("empty"), 0700) == 0);
        CHECK_ERROR(RPT_ERR_NOT_FOUND,
                    rpt_state_open(scratch_path("empty"), &state));
    }
    CHECK(state == NULL);
    CHECK(rpt_state_summary(NULL) == NULL);
    CHECK_ERROR(RPT_ERR_INVALID, rpt_state_task(NULL, 0, &task));
    rpt_state_close(NULL);
    CHECK_ERROR(RPT_ERR_NOT_FOUND,
                rpt_state_request(scratch_path("none"), "cancel", "a", 1));
    CHECK_ERROR(RPT_ERR_INVALID, rpt_state_request(NULL, "cancel", "a", 1));
    CHECK_ERROR(RPT_ERR_INVALID, rpt_state_request("x", NULL, "a", 1));
    CHECK_ERROR(RPT_ERR_INVALID, rpt_state_request("x", "cancel", NULL, 1));
    CHECK_ERROR(RPT_ERR_INVALID, rpt_state_request("x", "dance", "a", 1));
    CHECK_ERROR(RPT_ERR_INVALID, rpt_state_close_requests(NULL, 1));
    CHECK_ERROR(RPT_ERR_INVALID, rpt_state_close_requests("x", 0));
    CHECK_ERROR(RPT_ERR_NOT_FOUND,
                rpt_state_close_requests(scratch_path("none"), 1));
    CHECK_ERROR(RPT_ERR_INVALID,
                rpt_state_read_request(NULL, 1, &kind, &text, &bytes));
    CHECK_ERROR(RPT_ERR_INVALID,
                rpt_state_read_request("x", 0, &kind, &text, &bytes));
    CHECK_ERROR(RPT_ERR_INVALID,
                rpt_state_read_request("x", 1, NULL, &text, &bytes));
    CHECK_ERROR(RPT_ERR_INVALID,
                rpt_state_read_request("x", 1, &kind, NULL, &bytes));
    CHECK_ERROR(RPT_ERR_INVALID,
                rpt_state_read_request("x", 1, &kind, &text, NULL));
    CHECK(kind == NULL && text == NULL);
}

static void what_is_no_state_directory_is_refused(void)
{
    on_all(1, 1, NULL, nothing_there);
}

static void check_request(uint64_t number, const char *kind, const char *text,
                          size_t bytes)
{
    char *got_kind = NULL, *got_text = NULL;
    size_t got_bytes = 0;

    if (CHECK(rpt_state_read_request(scratch_path("state"), number, &got_kind,
                                     &got_text, &got_bytes) == RPT_OK)) {
        CHECK(strcmp(got_kind, kind) == 0);
        CHECK(got_bytes == bytes && memcmp(got_text, text, bytes) == 0);
        CHECK(got_text[bytes] == '\0');
    }
    free(got_kind);
    free(got_text);
}

static void leave_requests(struct world *w)
{
    const char *state = scratch_path("state");
    char *kind = NULL, *text = NULL;
    size_t bytes;

    ends(submit(w->pool, task_new("noop", NULL, 0)), RPT_OUTCOME_OK);
    CHECK(rpt_state_read_request(state, 1, &kind, &text, &bytes) == RPT_END);
    CHECK(rpt_state_request(state, "cancel", "a\nb\n", 4) == RPT_OK);
    CHECK(rpt_state_request(state, "submit", "echo \0 x\n", 9) == RPT_OK);
    CHECK(rpt_state_request(state, "submit", NULL, 0) == RPT_OK);
    check_request(1, "cancel", "a\nb\n", 4);
    check_request(2, "submit", "echo \0 x\n", 9);
    check_request(3, "submit", "", 0);
    CHECK(rpt_state_read_request(state, 4, &kind, &text, &bytes) == RPT_END);
    CHECK(kind == NULL && text == NULL);
}

static void next_job(struct world *w)
{
    (void)w;
    check_request(2, "submit", "echo \0 x\n", 9); /* it reads all of them */
    CHECK(rpt_state_request(scratch_path("state"), "cancel", "c", 1) == RPT_OK);
    check_request(4, "cancel", "c", 1);
}

static void requests(struct world *w)
{
    job(w, w->size, leave_requests);
    if (w->rank == 0) {
        CHECK_ERROR(RPT_ERR_STATE,
                    rpt_state_request(scratch_path("state"), "cancel", "a", 1));
    }
    meet(w);
    job(w, w->size, next_job);
}

static void requests_are_read_in_the_order_in_which_they_came(void)
{
    on_all(1, 2, STATE, requests);
}

const struct pool_test state_tests[] = {
    TEST(a_directory_shows_the_job_while_it_runs_and_afterwards),
    TEST(tasks_of_all_ranks_are_seen_and_dropped_ones_are_queued),
    TEST(what_is_no_state_directory_is_refused),
    TEST(requests_are_read_in_the_order_in_which_they_came),
    TEST_END,
};
