/*
 * futures.c - waiting for results, in all the ways there are
 */
#include "world.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void look_and_wait(struct world *w)
{
    rpt_future_t *future = submit(w->pool, task_pair("gate", 0, 0));
    const rpt_result_t *result = NULL;

    CHECK(rpt_future_wait(future, 0) == RPT_PENDING);
    CHECK(rpt_future_wait(future, 0.01) == RPT_PENDING);
    CHECK(rpt_future_result(future, &result) == RPT_PENDING);
    CHECK(result == NULL);
    CHECK(rpt_pool_wait(w->pool, 0) == RPT_PENDING);
    CHECK(rpt_pool_wait(w->pool, 0.01) == RPT_PENDING);
    gate_open(0);
    CHECK(rpt_future_wait(future, -1) == RPT_OK);
    CHECK(rpt_future_wait(future, 0) == RPT_OK);
    CHECK(rpt_future_result(future, &result) == RPT_OK && result != NULL);
    CHECK(rpt_pool_wait(w->pool, -1) == RPT_OK);
    CHECK(rpt_pool_wait(w->pool, 0) == RPT_OK);
    rpt_future_destroy(future);
}

static void a_wait_looks_waits_a_while_or_for_ever(void)
{
    drive(1, 7, NULL, look_and_wait);
}

static void wait_any(struct world *w)
{
    rpt_future_t *f[4] = { NULL, submit(w->pool, task_pair("gate", 0, 0)), NULL,
                           submit(w->pool, task_pair("gate", 1, 1)) };
    size_t index = 99;

    CHECK(rpt_future_wait_any(f, 4, 0, &index) == RPT_PENDING);
    CHECK(rpt_future_wait_any(f, 4, 0.01, &index) == RPT_PENDING);
    CHECK(index == 99);
    wait_count(w->pool, 0, 1);
    wait_count(w->pool, 1, 1);
    gate_open(1);
    CHECK(rpt_future_wait_any(f, 4, 30, &index) == RPT_OK && index == 3);
    CHECK(rpt_future_wait_any(f, 4, 0, &index) == RPT_OK && index == 3);
    rpt_future_destroy(f[3]);
    f[3] = NULL;
    gate_open(0);
    CHECK(rpt_future_wait_any(f, 4, -1, &index) == RPT_OK && index == 1);
    rpt_future_destroy(f[1]);
    f[1] = NULL;
    index = 99;
    CHECK(rpt_future_wait_any(f, 4, 30, &index) == RPT_END && index == 99);
    CHECK(rpt_future_wait_any(NULL, 0, 30, &index) == RPT_END);
}

static void the_first_of_several_is_found(void)
{
    drive(1, 4, "pool.slots=2", wait_any);
}

static void wait_for_all(struct world *w)
{
    rpt_future_t *f[4] = { submit(w->pool, task_pair("gate", 0, 0)), NULL,
                           submit(w->pool, task_new("noop", NULL, 0)), NULL };

    CHECK(rpt_future_wait_all(f, 4, 0) == RPT_PENDING);
    CHECK(rpt_future_wait_all(f, 4, 0.01) == RPT_PENDING);
    f[1] = f[0]; /* twice the same */
    f[3] = f[2];
    CHECK(rpt_future_wait_all(f, 4, 0.01) == RPT_PENDING);
    gate_open(0);
    CHECK(rpt_future_wait_all(f, 4, 30) == RPT_OK);
    CHECK(rpt_future_wait_all(f, 4, 0) == RPT_OK);
    CHECK(rpt_future_wait_all(NULL, 0, 0) == RPT_OK);
    CHECK(rpt_future_wait_all(f + 1, 0, 0) == RPT_OK);
    rpt_future_destroy(f[0]);
    rpt_future_destroy(f[2]);
    f[0] = f[1] = NULL;
    CHECK(rpt_future_wait_all(f, 2, 0) == RPT_OK);
}

static void all_of_several_are_waited_for(void)
{
    drive(1, 4, "pool.slots=2", wait_for_all);
}

/* Four gates that are opened in another order than that of submission. */
static void next_in_order(struct world *w)
{
    static const int order[] = { 2, 0, 3, 1 };
    rpt_future_t *f[4], *next = NULL;

    CHECK(rpt_pool_next(w->pool, -1, &next) == RPT_END && next == NULL);
    for (int i = 0; i < 4; i++) {
        f[i] = submit(w->pool, task_pair("gate", i, i));
    }
    CHECK(rpt_pool_next(w->pool, 0, &next) == RPT_PENDING);
    CHECK(rpt_pool_next(w->pool, 0.01, &next) == RPT_PENDING && next == NULL);
    for (int i = 0; i < 4; i++) {
        gate_open(order[i]);
        CHECK(rpt_future_wait(f[order[i]], 30) == RPT_OK);
    }
    for (int i = 0; i < 4; i++) {
        CHECK(rpt_pool_next(w->pool, 30, &next) == RPT_OK);
        CHECK(next == f[order[i]]);
    }
    CHECK(rpt_pool_next(w->pool, -1, &next) == RPT_END);
    for (int i = 0; i < 4; i++) {
        rpt_future_destroy(f[i]);
    }
    /* One that is gone is not given, nor one that never was. */
    f[0] = submit(w->pool, task_new("noop", NULL, 0));
    f[1] = submit(w->pool, task_new("noop", NULL, 0));
    submit_quietly(w->pool, task_new("noop", NULL, 0));
    ends(f[0], RPT_OUTCOME_OK);
    CHECK(rpt_pool_next(w->pool, 30, &next) == RPT_OK && next == f[1]);
    CHECK(rpt_pool_next(w->pool, 30, &next) == RPT_END);
    rpt_future_destroy(f[1]);
}

static void futures_come_in_the_order_of_ending(void)
{
    drive(1, 4, "pool.slots=4", next_in_order);
}

static void forget(struct world *w)
{
    rpt_future_t *future = submit(w->pool, task_pair("gate", 0, 0));

    for (int i = 0; i < 50; i++) {
        rpt_future_destroy(submit(w->pool, task_int("count", 1)));
    }
    rpt_future_destroy(future);
    rpt_future_destroy(NULL);
    CHECK(rpt_pool_next(w->pool, -1, &future) == RPT_END);
    gate_open(0);
    wait_all(w->pool);
    CHECK(count_of(1) == 50);
}

static void a_task_goes_on_without_its_future(void)
{
    drive(1, 4, NULL, forget);
}

/* ---- several threads ---- */

enum { THREADS = 4, EACH = 300 };

static void *wait_in_thread(void *arg)
{
    rpt_pool_t *pool = arg;

    for (int i = 0; i < EACH; i++) {
        rpt_future_t *future = submit(pool, task_int("count", 0));

        CHECK(rpt_future_wait(future, 60) == RPT_OK);
        rpt_future_destroy(future);
    }
    return NULL;
}

static void wait_in_threads(struct world *w)
{
    pthread_t threads[THREADS];

    if (!any_thread_may_call()) {
        return;
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_create(&threads[i], NULL, wait_in_thread, w->pool);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    CHECK(count_of(0) == THREADS * EACH);
}

static void threads_submit_and_wait_side_by_side(void)
{
    drive(1, 4, NULL, wait_in_threads);
}

static void *take_in_thread(void *arg)
{
    rpt_pool_t *pool = arg;
    rpt_future_t *future;
    rpt_status_t status;

    while ((status = rpt_pool_next(pool, 60, &future)) == RPT_OK) {
        count_up(1);
        rpt_future_destroy(future);
    }
    CHECK(status == RPT_END);
    return NULL;
}

static void take_in_threads(struct world *w)
{
    pthread_t threads[THREADS];
    rpt_future_t *gate;

    if (!any_thread_may_call()) {
        return;
    }
    gate = submit(w->pool, task_pair("gate", 0, 0));
    for (int i = 0; i < THREADS * EACH; i++) {
        submit(w->pool, task_new("noop", NULL, 0));
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_create(&threads[i], NULL, take_in_thread, w->pool);
    }
    CHECK(count_reaches(1, THREADS * EACH, 60));
    gate_open(0);
    CHECK(count_reaches(1, THREADS * EACH + 1, 60));
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    CHECK(gate != NULL && count_of(1) == THREADS * EACH + 1);
}

static void threads_take_each_future_once(void)
{
    drive(1, 4, "pool.slots=2", take_in_threads);
}

/* ---- callbacks ---- */

struct seen {
    rpt_pool_t *pool;
    int n;
    uint8_t of[1000];
};

static void see(const rpt_result_t *result, void *user)
{
    struct seen *seen = user;
    int number = atoi(result->id);

    seen->n++;
    if (CHECK(number >= 1 && number <= 1000)) {
        seen->of[number - 1]++;
    }
}

static void call_back(struct world *w)
{
    struct seen seen;
    rpt_future_t *kept;

    memset(&seen, 0, sizeof seen);
    CHECK(rpt_pool_on_result(w->pool, see, &seen) == RPT_OK);
    kept = submit(w->pool, task_int("count", 0)); /* both ways */
    for (int i = 1; i < 1000; i++) {
        submit_quietly(w->pool, i % 10 == 0 ? task_int("fail", i)
                                            : task_int("count", 0));
    }
    wait_all(w->pool);
    CHECK(seen.n == 1000);
    for (int i = 0; i < 1000; i++) {
        CHECK(seen.of[i] == 1);
    }
    ends(kept, RPT_OUTCOME_OK);
    CHECK(rpt_pool_on_result(w->pool, NULL, NULL) == RPT_OK);
    ends(submit(w->pool, task_int("count", 0)), RPT_OUTCOME_OK);
    CHECK(seen.n == 1000);
}

static void every_result_is_given_once(void)
{
    drive(1, 7, NULL, call_back);
}

static void submit_more(const rpt_result_t *result, void *user)
{
    struct seen *seen = user;

    (void)result;
    seen->n++;
    if (seen->n <= 500) {
        submit_quietly(seen->pool, task_new("noop", NULL, 0));
        submit_quietly(seen->pool, task_int("count", 0));
    }
}

static void submit_in_callback(struct world *w)
{
    struct seen seen;

    memset(&seen, 0, sizeof seen);
    seen.pool = w->pool;
    CHECK(rpt_pool_on_result(w->pool, submit_more, &seen) == RPT_OK);
    submit_quietly(w->pool, task_new("noop", NULL, 0));
    wait_all(w->pool);
    CHECK(seen.n == 1001 && count_of(0) == 500);
    CHECK(rpt_pool_on_result(w->pool, NULL, NULL) == RPT_OK);
}

static void callbacks_may_submit_more(void)
{
    drive(1, 4, NULL, submit_in_callback);
}

static void wait_inside(const rpt_result_t *result, void *user)
{
    struct seen *seen = user;

    seen->n++;
    if (strcmp(result->id, "first") == 0) {
        ends(submit_as(seen->pool, task_int("count", 0), "inner"),
             RPT_OUTCOME_OK);
        CHECK(seen->n == 1); /* its own callback comes after this one */
    }
}

static void wait_in_callback(struct world *w)
{
    struct seen seen;

    memset(&seen, 0, sizeof seen);
    seen.pool = w->pool;
    CHECK(rpt_pool_on_result(w->pool, wait_inside, &seen) == RPT_OK);
    ends(submit_as(w->pool, task_new("noop", NULL, 0), "first"),
         RPT_OUTCOME_OK);
    wait_all(w->pool);
    CHECK(seen.n == 2 && count_of(0) == 1);
    CHECK(rpt_pool_on_result(w->pool, NULL, NULL) == RPT_OK);
}

static void a_callback_may_wait(void)
{
    drive(1, 4, NULL, wait_in_callback);
}

const struct pool_test futures_tests[] = {
    TEST(a_wait_looks_waits_a_while_or_for_ever),
    TEST(the_first_of_several_is_found),
    TEST(all_of_several_are_waited_for),
    TEST(futures_come_in_the_order_of_ending),
    TEST(a_task_goes_on_without_its_future),
    TEST(threads_submit_and_wait_side_by_side),
    TEST(threads_take_each_future_once),
    TEST(every_result_is_given_once),
    TEST(callbacks_may_submit_more),
    TEST(a_callback_may_wait),
    TEST_END,
};
