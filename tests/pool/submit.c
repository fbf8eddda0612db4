/*
 * submit.c - queue limits, batches, and the numbers of a pool
 */
#include "world.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fill_queue(struct world *w)
{
    rpt_task_t *two[2] = { task_new("noop", NULL, 0),
                           task_new("noop", NULL, 0) };

    for (int i = 0; i < 10; i++) {
        submit_quietly(w->pool, task_pair("gate", 0, 0));
    }
    CHECK_ERROR(RPT_ERR_FULL, try_submit(w->pool, task_new("noop", NULL, 0)));
    CHECK_ERROR(RPT_ERR_FULL,
                rpt_pool_submit_batch(w->pool, (const rpt_task_t *const *)two,
                                      2, NULL));
    CHECK(stats_of(w->pool).submitted == 10);
    gate_open(0);
    wait_all(w->pool);
    CHECK(rpt_pool_submit_batch(w->pool, (const rpt_task_t *const *)two, 2,
                                NULL) == RPT_OK);
    wait_all(w->pool);
    rpt_task_destroy(two[0]);
    rpt_task_destroy(two[1]);
}

static void a_full_queue_is_an_error_when_asked_for(void)
{
    drive(1, 4, "pool.queue_limit=10 pool.queue_full=error", fill_queue);
}

static int note_queue(rpt_call_t *call, void *user)
{
    rpt_pool_stats_t stats;
    const struct world *w = user;

    (void)call;
    if (w->rank == 0) {
        stats = stats_of(w->pool);
        CHECK(stats.submitted - stats.ended <= 10);
    }
    count_up(0);
    return 0;
}

static void register_note(struct world *w)
{
    CHECK(rpt_pool_register(w->pool, "note", note_queue, w) == RPT_OK);
}

static void wait_for_room(struct world *w)
{
    for (int i = 0; i < 500; i++) {
        rpt_pool_stats_t stats;

        submit_quietly(w->pool, task_new("note", NULL, 0));
        stats = stats_of(w->pool);
        CHECK(stats.submitted - stats.ended <= 10);
    }
    wait_all(w->pool);
    CHECK(count_of(0) == 500);
}

static void a_full_queue_makes_the_submitter_wait(void)
{
    drive_with(register_note, 1, 4, "pool.queue_limit=10", wait_for_room);
}

/* It waits in a thread; then the pool is stopped. */
static void *submit_into_full(void *arg)
{
    struct world *w = arg;

    count_up(1);
    CHECK_ERROR(RPT_ERR_SHUTDOWN,
                try_submit(w->pool, task_new("noop", NULL, 0)));
    return NULL;
}

static void stop_while_it_waits(struct world *w)
{
    pthread_t thread;

    if (!any_thread_may_call()) {
        return;
    }
    submit_quietly(w->pool, task_int("until_cancelled", 0));
    wait_count(w->pool, 0, 1);
    pthread_create(&thread, NULL, submit_into_full, w);
    CHECK(count_reaches(1, 1, 30));
    rpt_pool_wait(w->pool, 0.02); /* most likely it waits by now */
    CHECK(rpt_pool_shutdown(w->pool, RPT_SHUTDOWN_NOW, 0, NULL) == RPT_OK);
    w->closed = true;
    pthread_join(thread, NULL);
}

static void a_submitter_that_waits_is_told_of_the_shutdown(void)
{
    drive(1, 3, "pool.queue_limit=1", stop_while_it_waits);
}

/* ---- batches ---- */

static void submit_batches(struct world *w)
{
    enum { N = 1000 };
    rpt_task_t *tasks[N];
    rpt_future_t *futures[N];

    for (int i = 0; i < N; i++) {
        futures[i] = NULL;
        tasks[i] = task_int("count", 0);
    }
    CHECK(rpt_pool_submit_batch(w->pool, (const rpt_task_t *const *)tasks, N,
                                futures) == RPT_OK);
    CHECK(rpt_pool_submit_batch(w->pool, (const rpt_task_t *const *)tasks, N,
                                NULL) == RPT_OK);
    CHECK(rpt_pool_submit_batch(w->pool, NULL, 0, NULL) == RPT_OK);
    CHECK(rpt_future_wait_all(futures, N, 60) == RPT_OK);
    for (int i = 0; i < N; i++) {
        ends(futures[i], RPT_OUTCOME_OK);
        rpt_task_destroy(tasks[i]);
    }
    wait_all(w->pool);
    CHECK(count_of(0) == 2 * N);
}

static void a_batch_runs_whole(void)
{
    drive(1, 4, NULL, submit_batches);
}

/* One task of the batch is wrong: the status, and nothing was submitted. */
static void refuse(struct world *w, rpt_task_t *wrong, rpt_status_t status,
                   const char *named)
{
    rpt_task_t *tasks[3] = { task_int("log", 1), wrong, task_int("log", 2) };
    rpt_future_t *futures[3] = { NULL, NULL, NULL };

    CHECK(rpt_task_set_id(tasks[0], "a") == RPT_OK);
    CHECK_ERROR(status,
                rpt_pool_submit_batch(w->pool, (const rpt_task_t *const *)tasks,
                                      3, futures));
    CHECK(strstr(rpt_last_error()->what, named) != NULL);
    for (int i = 0; i < 3; i++) {
        CHECK(futures[i] == NULL);
        rpt_task_destroy(tasks[i]);
    }
    CHECK(stats_of(w->pool).submitted == 0);
}

static void refuse_batches(struct world *w)
{
    rpt_task_t *same = task_int("log", 3), *wide = task_int("log", 3);
    rpt_task_t *empty;

    CHECK(rpt_task_create(&empty) == RPT_OK);
    CHECK(rpt_task_set_id(same, "a") == RPT_OK);
    CHECK(rpt_task_set_slots(wide, 1000) == RPT_OK);
    refuse(w, task_new("stranger", NULL, 0), RPT_ERR_NOT_FOUND, "stranger");
    refuse(w, same, RPT_ERR_EXISTS, "\"a\"");
    refuse(w, wide, RPT_ERR_UNSUPPORTED, "");
    refuse(w, empty, RPT_ERR_INVALID, "");
    wait_all(w->pool);
    CHECK(log_length() == 0);
    ends(submit_as(w->pool, task_int("log", 4), "a"), RPT_OUTCOME_OK);
}

static void a_batch_with_one_bad_task_is_refused_whole(void)
{
    drive(1, 3, NULL, refuse_batches);
}

/* ---- numbers ---- */

static void count_everything(struct world *w)
{
    rpt_pool_stats_t stats = stats_of(w->pool);
    double busy;

    CHECK(stats.size == sizeof stats);
    CHECK(stats.slots == 2 && stats.total_slots == 2 * w->size);
    CHECK(stats.submitted == 0 && stats.queued == 0 && stats.running == 0 &&
          stats.ended == 0 && stats.ran_here == 0);
    hold(w->pool, 2 * w->size, 0);
    for (int i = 0; i < 5; i++) {
        submit_quietly(w->pool, task_int("fail", i));
    }
    wait_running(w->pool, 2 * (uint64_t)w->size);
    stats = stats_of(w->pool);
    CHECK(stats.submitted == 2 * (uint64_t)w->size + 5);
    CHECK(stats.queued == 5 && stats.ended == 0);
    gate_open(0);
    wait_all(w->pool);
    stats = stats_of(w->pool);
    CHECK(stats.queued == 0 && stats.running == 0);
    CHECK(stats.ended == stats.submitted);
    CHECK(stats.by_outcome[RPT_OUTCOME_OK] == 2 * (uint64_t)w->size + 1);
    CHECK(stats.by_outcome[RPT_OUTCOME_FAILED] == 4);
    CHECK(stats.retried == 0 && stats.resumed == 0);
    CHECK(stats.ran_here >= 2 && stats.ran_here <= stats.ended);
    CHECK(stats.busy_s > 0);
    busy = stats.busy_s;
    stats.busy_s = -1;
    stats.size = offsetof(rpt_pool_stats_t, busy_s); /* of an older program */
    CHECK(rpt_pool_stats(w->pool, &stats) == RPT_OK && stats.busy_s < 0);
    CHECK(stats_of(w->pool).busy_s >= busy);
}

static void the_numbers_add_up(void)
{
    drive(1, 7, "pool.slots=2", count_everything);
}

const struct pool_test submit_tests[] = {
    TEST(a_full_queue_is_an_error_when_asked_for),
    TEST(a_full_queue_makes_the_submitter_wait),
    TEST(a_submitter_that_waits_is_told_of_the_shutdown),
    TEST(a_batch_runs_whole),
    TEST(a_batch_with_one_bad_task_is_refused_whole),
    TEST(the_numbers_add_up),
    TEST_END,
};
