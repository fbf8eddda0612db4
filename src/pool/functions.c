/*
 * functions.c - C functions as tasks: who runs them
 *
 * A function whose runs were short so far is run by the leader itself, many in
 * one go, without the lock: no change of thread, so that a task costs well
 * under a microsecond.  Should one take long for once, the engine thread
 * stands in after 2 ms (engine.h).  All others are run by threads, one a slot,
 * made when first needed.  A thread that has finished one turns the loop
 * once and takes the next itself.
 */
#include "pool/pool_priv.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/thread.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RUNS_TO_KNOW = 3 };
#define SHORT_S 20e-6
#define BATCH_S 150e-6 /* after this long the leader looks around again */
#define LATE_S 1e-3    /* after this long others do it for it */

/* ---- the registry ---- */

struct rpt_function *rpt__function_find(struct rpt_pool *pool, uint64_t hash)
{
    struct rpt_function *f = pool->worker.functions;

    while (f != NULL && f->hash != hash) {
        f = f->next;
    }
    return f;
}

rpt_status_t rpt__pool_register(struct rpt_pool *pool, const char *name,
                                rpt_task_fn fn, void *user)
{
    uint64_t hash = rpt__function_hash(name);
    struct rpt_function *f;

    if (rpt__function_find(pool, hash) != NULL) {
        rpt__fail(RPT_ERR_EXISTS, "function \"%s\" is registered already",
                  name);
        rpt__fail_hint("give each function a name of its own");
        return RPT_ERR_EXISTS;
    }
    f = calloc(1, sizeof *f);
    if (f == NULL || (f->name = strdup(name)) == NULL) {
        free(f);
        return rpt__fail_nomem(sizeof *f);
    }
    f->hash = hash;
    f->fn = fn;
    f->user = user;
    f->next = pool->worker.functions;
    pool->worker.functions = f;
    return RPT_OK;
}

bool rpt__function_is_short(const struct rpt_function *function)
{
    return function->n_runs >= RUNS_TO_KNOW && function->mean_s < SHORT_S;
}

static void learn(struct rpt_function *function, double duration_s)
{
    double *mean = &function->mean_s;

    *mean = function->n_runs++ > 0 ? *mean + 0.2 * (duration_s - *mean)
                                   : duration_s;
}

/* ---- running ---- */

static _Thread_local int inside;

bool rpt__functions_inside(void)
{
    return inside > 0;
}

static void run(struct rpt_item *item)
{
    inside++;
    item->exit_code = item->function->fn(&item->call, item->function->user);
    if (item->saved != NULL) {
        rpt__saving_end(item);
    }
    inside--;
}

static void describe_end(const struct rpt_item *item, struct rpt_end *end,
                         char message[128])
{
    memset(end, 0, sizeof *end);
    end->exit_code = item->exit_code;
    end->start_time = item->start_time;
    end->duration_s = item->duration_s;
    end->output = item->call.output.data;
    end->output_bytes = item->call.output.bytes;
    end->message = item->call.message;
    if (item->exit_code == 0) {
        end->outcome = RPT_OUTCOME_OK;
        return;
    }
    end->outcome = item->timed_out   ? RPT_OUTCOME_TIMEOUT
                   : item->cancelled ? RPT_OUTCOME_CANCELLED
                                     : RPT_OUTCOME_FAILED;
    if (end->message == NULL) {
        snprintf(message, 128, "function \"%.64s\" returned %d",
                 item->function->name, item->exit_code);
        end->message = message;
    }
}

static void finish(struct rpt_pool *pool, struct rpt_item *item)
{
    char message[128];
    struct rpt_end end;

    learn(item->function, item->duration_s);
    describe_end(item, &end, message);
    if (item->kind == RPT_KIND_GANG) {
        rpt__gang_run_end(pool, item);
    }
    rpt__worker_finish(pool, item, &end);
}

static bool is_short(struct rpt_pool *pool, struct rpt_item *item)
{
    if (item->kind != RPT_KIND_FUNCTION || item->spec->slots != 1 ||
        item->spec->n_needs > 0 || item->spec->memory_mib > 0 ||
        item->spec->timeout_s > 0 || item->spec->checkpoint_s > 0) {
        return false;
    }
    if (item->function == NULL) {
        item->function = rpt__function_find(pool, item->spec->function);
    }
    return item->function != NULL && rpt__function_is_short(item->function);
}

static bool may_run_inline(const struct rpt_pool *pool)
{
    return !pool->ending.stopping && rpt__engine_can_release(pool->engine);
}

bool rpt__functions_inline(struct rpt_pool *pool, struct rpt_item *item)
{
    return may_run_inline(pool) && is_short(pool, item);
}

static void gather(struct rpt_pool *pool, struct rpt_batch *batch)
{
    batch->n = 0;
    while (batch->n < RPT_BATCH) {
        struct rpt_item *item = rpt__worker_next(pool);

        if (item == NULL || !is_short(pool, item)) {
            break;
        }
        rpt__worker_unqueue(pool, item);
        batch->items[batch->n++] = item;
    }
    batch->end = batch->n;
    batch->n_finished = 0;
    batch->began_s = rpt__now_s();
    atomic_store(&batch->next, 0);
}

/* Without the lock. */
static void run_batch(struct rpt_batch *batch, int n)
{
    double wall = rpt__wall_s(), begin = rpt__now_s(), now = begin;
    int i;

    while (now - begin < BATCH_S &&
           (i = atomic_fetch_add(&batch->next, 1)) < n) {
        struct rpt_item *item = batch->items[i];

        item->start_s = now;
        item->start_time = wall + (now - begin);
        run(item);
        now = rpt__now_s();
        item->duration_s = now - item->start_s;
    }
}

static void finish_batch(struct rpt_pool *pool, int n)
{
    struct rpt_batch *batch = &pool->worker.batch;

    while (batch->n_finished < n) {
        struct rpt_item *item = batch->items[batch->n_finished++];

        item->state = RPT_ITEM_ENDED;
        item->ran = true;
        finish(pool, item);
    }
}

int rpt__functions_rescue(struct rpt_pool *pool)
{
    struct rpt_batch *batch = &pool->worker.batch;
    int n_begun, n;

    if (batch->n == 0) {
        return 0;
    }
    n_begun = atomic_exchange(&batch->next, batch->n);
    n_begun = n_begun < batch->end ? n_begun : batch->end;
    n = batch->end - n_begun;
    while (batch->end > n_begun) {
        rpt__worker_return(pool, batch->items[--batch->end]);
    }
    finish_batch(pool, n_begun - 1); /* the last one may still run */
    return n;
}

int rpt__functions_run_inline(struct rpt_pool *pool)
{
    struct rpt_worker *w = &pool->worker;
    struct rpt_batch *batch = &w->batch;
    int n_run;

    if (batch->n > 0 && rpt__now_s() > batch->began_s + LATE_S) {
        return rpt__functions_rescue(pool);
    }
    if (w->free.slots < 1 || !may_run_inline(pool)) {
        return 0;
    }
    gather(pool, batch);
    if (batch->n == 0) {
        return 0;
    }
    w->free.slots--;
    w->n_running++;
    rpt__engine_release(pool->engine);
    run_batch(batch, batch->n);
    rpt__engine_reclaim(pool->engine);
    w->n_running--;
    w->free.slots++;
    n_run = atomic_load(&batch->next);
    n_run = n_run < batch->end ? n_run : batch->end;
    while (batch->end > n_run) {
        struct rpt_item *item = batch->items[--batch->end];

        if (pool->ending.stopping) {
            rpt__worker_return(pool, item);
        } else {
            rpt__worker_requeue(pool, item);
        }
    }
    finish_batch(pool, n_run);
    batch->n = 0;
    return n_run;
}

/* ---- threads ---- */

/* Between two tasks the thread turns the loop once itself: the leader may have
 * to wait for a core, and so would all who wait for its answers. */
static void look_around(struct rpt_pool *pool, struct rpt_item *item)
{
    struct rpt_worker *w = &pool->worker;
    uint64_t ended = pool->owner.ended;

    w->n_coming_threads++;
    finish(pool, item);
    rpt__engine_poll(pool->engine);
    w->n_coming_threads--;
    if (pool->owner.ended != ended || TAILQ_EMPTY(&w->to_threads)) {
        rpt__engine_tell(pool->engine);
        rpt__engine_ring(pool->engine);
    }
}

static void run_in_thread(struct rpt_pool *pool, struct rpt_item *item)
{
    struct rpt_worker *w = &pool->worker;

    item->start_s = rpt__now_s(); /* waking the thread was not the task's */
    rpt__engine_unlock(pool->engine);
    if (item->kind == RPT_KIND_GANG) {
        rpt__gang_prepare(item);
    }
    run(item);
    item->duration_s = rpt__now_s() - item->start_s;
    rpt__engine_lock(pool->engine);
    if (rpt__comm_any_thread(pool->comm)) {
        look_around(pool, item);
    } else {
        /* Only the waiting thread may send. */
        TAILQ_REMOVE(&w->running, item, link);
        w->n_running--;
        w->n_unannounced -= !item->announced;
        item->state = RPT_ITEM_ENDED;
        TAILQ_INSERT_TAIL(&w->finished, item, link);
        rpt__engine_ring(pool->engine);
    }
}

static void *thread_main(void *arg)
{
    struct rpt_pool *pool = arg;
    struct rpt_worker *w = &pool->worker;

    rpt__engine_lock(pool->engine);
    for (;;) {
        struct rpt_item *item = TAILQ_FIRST(&w->to_threads);

        if (item != NULL) {
            TAILQ_REMOVE(&w->to_threads, item, thread_link);
            w->n_to_threads--;
            run_in_thread(pool, item);
        } else if (w->stop_threads) {
            break;
        } else {
            w->n_idle_threads++;
            rpt__engine_cond_wait(pool->engine, &w->work);
            w->n_idle_threads--;
        }
    }
    rpt__engine_unlock(pool->engine);
    return NULL;
}

static rpt_status_t add_thread(struct rpt_pool *pool)
{
    struct rpt_worker *w = &pool->worker;
    int error;

    if (w->threads == NULL) {
        w->threads = calloc((size_t)w->total.slots, sizeof *w->threads);
        if (w->threads == NULL) {
            return rpt__fail_nomem(sizeof *w->threads);
        }
    }
    error = rpt__thread_start(&w->threads[w->n_threads], thread_main, pool);
    if (error != 0) {
        return rpt__fail_errno(RPT_ERR_SYSTEM, error,
                               "cannot start a thread for tasks");
    }
    w->n_threads++;
    return RPT_OK;
}

void rpt__functions_to_thread(struct rpt_pool *pool, struct rpt_item *item)
{
    struct rpt_worker *w = &pool->worker;

    TAILQ_INSERT_TAIL(&w->to_threads, item, thread_link);
    w->n_to_threads++;
    if (w->n_to_threads <= w->n_coming_threads) {
        return; /* a thread that is here already takes it */
    }
    if (w->n_idle_threads > 0) {
        pthread_cond_signal(&w->work);
    } else if (w->n_threads < w->total.slots && add_thread(pool) != RPT_OK &&
               w->n_threads == 0) {
        rpt__pool_broken(pool, RPT_ERR_SYSTEM);
    }
}

int rpt__functions_collect(struct rpt_pool *pool)
{
    struct rpt_item *item;
    int n = 0;

    while ((item = TAILQ_FIRST(&pool->worker.finished)) != NULL) {
        TAILQ_REMOVE(&pool->worker.finished, item, link);
        finish(pool, item);
        n++;
    }
    return n;
}

void rpt__functions_stop(struct rpt_pool *pool)
{
    struct rpt_worker *w = &pool->worker;
    struct rpt_function *f;

    w->stop_threads = true;
    pthread_cond_broadcast(&w->work);
    rpt__engine_unlock(pool->engine);
    for (int i = 0; i < w->n_threads; i++) {
        pthread_join(w->threads[i], NULL);
    }
    rpt__engine_lock(pool->engine);
    free(w->threads);
    w->threads = NULL;
    w->n_threads = 0;
    while ((f = w->functions) != NULL) {
        w->functions = f->next;
        free(f->name);
        free(f);
    }
}

/* ---- gangs that only the waiting thread may run ---- */

void rpt__functions_run_waiting(struct rpt_pool *pool)
{
    struct rpt_item *item = rpt__gangs_next_waiting(pool);

    if (item == NULL) {
        return;
    }
    TAILQ_REMOVE(&pool->worker.to_waiting, item, thread_link);
    rpt__engine_unlock(pool->engine);
    rpt__gang_prepare(item);
    run(item);
    item->duration_s = rpt__now_s() - item->start_s;
    rpt__engine_lock(pool->engine);
    finish(pool, item);
}

/* ---- the kind ---- */

static void start(struct rpt_pool *pool, struct rpt_item *item)
{
    struct rpt_end end = { .outcome = RPT_OUTCOME_FAILED, .exit_code = -1 };

    if (item->function == NULL) {
        item->function = rpt__function_find(pool, item->spec->function);
    }
    if (item->function != NULL) {
        rpt__functions_to_thread(pool, item);
        return;
    }
    end.start_time = item->start_time;
    end.message = "this rank has not registered the function";
    rpt__worker_finish(pool, item, &end);
}

static void cancel(struct rpt_pool *pool, struct rpt_item *item)
{
    (void)pool;
    (void)item; /* the function is told by rpt_call_cancelled() */
}

const struct rpt_kind_ops rpt__kind_function = {
    .size = sizeof(struct rpt_kind_ops),
    .name = "function",
    .summary = "a C function, run by a thread of the rank",
    .start = start,
    .cancel = cancel,
};
