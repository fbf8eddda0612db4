/*
 * watch.c - programs with checkpoints: a thread for each looks after its files
 *
 *   thread   opens the folder, restores, makes a scratch folder    OPENED
 *   poller   starts the program; signals it every interval         RUNS
 *   thread   looks for COMMIT ten times a second; takes the files
 *   poller   the program has ended: the thread is told             ENDING
 *   thread   looks once more, closes                               CLOSED
 *   poller   reports the end that was kept so long, frees the slot
 *
 * When the pool stops, a program that has not started goes back to its owner.
 * One that was asked to save then, and does not end well, has not failed: its
 * signal may have ended it.
 *
 * All that may take long (files are read, hashed, synced) is the thread's, and
 * the engine goes on.  Between the two there is a phase, under the watch's own
 * lock, and the bell.
 */
#include "pool/saving_priv.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/thread.h"
#include "io/checkpoint/talk.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOOK_S 0.1

enum phase { OPENING, OPENED, RUNS, ENDING, CLOSED };

struct rpt_watch {
    TAILQ_ENTRY(rpt_watch) link; /* in worker.watches */
    struct rpt_pool *pool;
    struct rpt_item *item;
    char name[RPT_SAVING_NAME_BYTES];
    const char *host;
    int rank, n_ranks;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    enum phase phase;
    /* the thread's until OPENED, then the poller's to read */
    struct rpt_solo *solo;
    rpt_status_t opened;
    struct rpt_buf error;
    const char *scratch;
    uint64_t iteration;
    double none_s; /* the thread's: when there was no COMMIT */
    /* under the lock */
    uint64_t n_commits;
    double saved_s; /* the last save that was tried, 0: none */
    double state_s; /* COMMIT of the last one that was committed */
    /* the poller's */
    double signal_s;
    bool goes_back; /* it was not started, and the pool stops */
    bool told;      /* that the pool stops, by a signal       */
    struct rpt_buf end;
    bool is_postponed;
    char why_postponed[256];
};

/* ---- the thread ---- */

static enum phase phase_of(struct rpt_watch *w)
{
    enum phase phase;

    pthread_mutex_lock(&w->lock);
    phase = w->phase;
    pthread_mutex_unlock(&w->lock);
    return phase;
}

static void set_phase(struct rpt_watch *w, enum phase phase)
{
    pthread_mutex_lock(&w->lock);
    w->phase = phase;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

/* Sleeps, but not once it is told to end. */
static enum phase rest(struct rpt_watch *w, double seconds)
{
    struct timespec until = rpt__deadline_after(seconds);
    enum phase phase;

    pthread_mutex_lock(&w->lock);
    while (w->phase != ENDING &&
           pthread_cond_timedwait(&w->changed, &w->lock, &until) == 0) {
    }
    phase = w->phase;
    pthread_mutex_unlock(&w->lock);
    return phase;
}

static rpt_status_t open_folder(struct rpt_watch *w)
{
    const struct rpt_pool *pool = w->pool;
    double limit_s = rpt__now_s() + RPT_SAVING_WAIT_S;
    rpt_status_t status;

    do {
        status = rpt__solo_open(pool->checkpoint_dir, w->name,
                                rpt__comm_options(pool->comm), w->host,
                                &w->solo);
    } while (status == RPT_ERR_BUSY && rpt__now_s() < limit_s &&
             rest(w, RPT_SAVING_LOOK_S) != ENDING);
    if (status == RPT_OK) {
        status = rpt__solo_restore(w->solo, &w->iteration);
        status = status == RPT_END ? RPT_OK : status;
    }
    return status == RPT_OK ? rpt__solo_scratch(w->solo, &w->scratch) : status;
}

static void warn(const struct rpt_watch *w, uint64_t iteration)
{
    const rpt_error_t *error = rpt_last_error();

    rpt__log(RPT_LOG_WARN,
             "task %s: the checkpoint of iteration %llu was not written: "
             "%s (%s)",
             w->name, (unsigned long long)iteration, error->what,
             error->why[0] != '\0' ? error->why : error->hint);
}

static void look(struct rpt_watch *w, bool is_over)
{
    uint64_t iteration = 0;
    double age_s = (double)-INFINITY, now_s = rpt__now_s(), state_s;
    rpt_status_t status = rpt__solo_wanted(w->solo, is_over, &iteration,
                                           &age_s);

    /* The work from COMMIT on is lost with the program, also what it did while
     * this is saved.  Clocks of disks are not believed beyond the time when it
     * was seen that there is none. */
    state_s = fmax(w->none_s, now_s - fmax(age_s, 0));
    if (isinf(age_s)) {
        w->none_s = now_s;
    }

    if (status == RPT_PENDING) {
        return;
    }
    if (status == RPT_OK) {
        status = rpt__solo_take(w->solo, iteration);
    } else {
        rpt__solo_reject(w->solo);
    }
    if (status != RPT_OK) {
        warn(w, iteration);
    }
    now_s = w->none_s = rpt__now_s();
    pthread_mutex_lock(&w->lock);
    w->saved_s = now_s;
    w->n_commits += status == RPT_OK;
    w->state_s = status == RPT_OK ? state_s : w->state_s;
    pthread_mutex_unlock(&w->lock);
}

static void *run(void *arg)
{
    struct rpt_watch *w = arg;
    rpt_status_t status;
    enum phase phase;

    rpt__identify(w->rank, w->n_ranks, w->host);
    status = open_folder(w);
    if (status != RPT_OK) {
        rpt__error_pack(&w->error);
    }
    pthread_mutex_lock(&w->lock);
    w->opened = status;
    w->phase = w->phase == OPENING ? OPENED : w->phase;
    pthread_mutex_unlock(&w->lock);
    rpt__engine_ring(w->pool->engine);
    do {
        phase = rest(w, LOOK_S);
        if (status == RPT_OK && phase != OPENED) {
            look(w, phase == ENDING);
        }
    } while (phase != ENDING);
    rpt__solo_close(w->solo);
    set_phase(w, CLOSED);
    rpt__engine_ring(w->pool->engine);
    return NULL;
}

/* ---- the poller ---- */

static struct rpt_watch *make(struct rpt_pool *pool, struct rpt_item *item)
{
    struct rpt_watch *w = calloc(1, sizeof *w);

    if (w == NULL) {
        rpt__fail_nomem(sizeof *w);
        return NULL;
    }
    w->pool = pool;
    w->item = item;
    w->rank = rpt__comm_rank(pool->comm);
    w->n_ranks = rpt__comm_size(pool->comm);
    w->host = rpt__map_host_of(rpt__comm_map(pool->comm), w->rank);
    w->signal_s = (double)INFINITY;
    rpt__saving_item_name(item, w->name);
    pthread_mutex_init(&w->lock, NULL);
    rpt__cond_init(&w->changed);
    return w;
}

static void release(struct rpt_watch *w)
{
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->lock);
    rpt__buf_free(&w->error);
    rpt__buf_free(&w->end);
    free(w);
}

static void fail_start(struct rpt_item *item, struct rpt_end *end,
                       rpt_status_t status)
{
    *end = (struct rpt_end){
        .outcome = status == RPT_ERR_STATE ? RPT_OUTCOME_LOST
                                           : RPT_OUTCOME_FAILED,
        .exit_code = -1,
        .start_time = item->start_time,
        .message = rpt_last_error()->what,
    };
}

void rpt__watch_start(struct rpt_pool *pool, struct rpt_item *item)
{
    struct rpt_watch *w = make(pool, item);
    int error = w != NULL ? rpt__thread_start(&w->thread, run, w) : ENOMEM;
    struct rpt_end end;

    if (error != 0) {
        rpt__fail_errno(RPT_ERR_SYSTEM, error,
                        "cannot start the thread that takes the checkpoints "
                        "of a task");
        if (w != NULL) {
            release(w);
        }
        fail_start(item, &end, RPT_ERR_SYSTEM);
        rpt__worker_finish(pool, item, &end);
        return;
    }
    item->saved->watch = w;
    TAILQ_INSERT_TAIL(&pool->worker.watches, w, link);
}

bool rpt__watch_runs(const struct rpt_item *item)
{
    return item->saved->watch != NULL && phase_of(item->saved->watch) == RUNS;
}

void rpt__watch_ended(struct rpt_item *item, const struct rpt_end *end)
{
    struct rpt_watch *w = item->saved->watch;

    rpt__attempt_pack(&w->end, end);
    if (w->end.failed) {
        rpt__pool_broken(w->pool, rpt__buf_status(&w->end));
    }
    set_phase(w, ENDING);
}

void rpt__watch_postpone(struct rpt_item *item, const char *message)
{
    struct rpt_watch *w = item->saved->watch;

    w->is_postponed = true;
    snprintf(w->why_postponed, sizeof w->why_postponed, "%s", message);
    set_phase(w, ENDING);
}

/* The pool stops before the program has started: it runs in another job. */
static void give_back(struct rpt_watch *w)
{
    w->goes_back = true;
    set_phase(w, ENDING);
}

/* The folder is open, or could not be. */
static void begin(struct rpt_watch *w)
{
    struct rpt_item *item = w->item;
    struct rpt_reader reader = rpt__reader(w->error.data, w->error.bytes);
    rpt_status_t status = w->opened;
    struct rpt_end end;

    if (item->cancelled) {
        end = (struct rpt_end){ .outcome = RPT_OUTCOME_CANCELLED,
                                .exit_code = -1,
                                .start_time = item->start_time,
                                .message = "cancelled before it started" };
        rpt__watch_ended(item, &end);
        return;
    }
    if (status != RPT_OK) {
        rpt__error_unpack(&reader);
    } else {
        item->saved->scratch = w->scratch;
        item->saved->files = rpt__solo_files(w->solo);
        item->saved->iteration = w->iteration;
        item->saved->begun_s = rpt__now_s();
        set_phase(w, RUNS);
        w->signal_s = item->saved->begun_s + item->spec->checkpoint_s;
        status = rpt__program_run(w->pool, item);
    }
    if (status != RPT_OK) {
        fail_start(item, &end, status);
        rpt__watch_ended(item, &end);
    }
}

/* A program that has just saved is asked an interval later. */
static void ask(struct rpt_watch *w, double now_s)
{
    const struct rpt_pool *pool = w->pool;
    double interval_s = w->item->spec->checkpoint_s, saved_s;
    bool hurry = atomic_load(&w->item->call.hurry) != 0 &&
                 !w->item->saved->hurried;

    pthread_mutex_lock(&w->lock);
    saved_s = w->saved_s;
    pthread_mutex_unlock(&w->lock);
    if (!hurry && now_s < saved_s + interval_s) {
        w->signal_s = saved_s + interval_s;
        return;
    }
    w->item->saved->hurried |= hurry;
    w->signal_s = now_s + interval_s;
    if (pool->checkpoint_signal != 0 && pool->worker.keeper != NULL) {
        w->told |= hurry;
        rpt__keeper_signal(pool->worker.keeper, (uint64_t)(uintptr_t)w->item,
                           pool->checkpoint_signal);
    }
}

static void close_watch(struct rpt_watch *w)
{
    struct rpt_pool *pool = w->pool;
    struct rpt_item *item = w->item;
    struct rpt_reader reader = rpt__reader(w->end.data, w->end.bytes);
    struct rpt_end end;

    pthread_join(w->thread, NULL);
    TAILQ_REMOVE(&pool->worker.watches, w, link);
    item->saved->watch = NULL;
    item->saved->scratch = item->saved->files = NULL;
    item->saved->n_commits = w->n_commits;
    item->saved->commit_s = w->state_s;
    if (w->told && !item->cancelled) {
        item->by_shutdown = true;
    }
    if (w->goes_back) {
        rpt__worker_unstart(pool, item);
        rpt__worker_give_back(pool, false);
    } else if (w->is_postponed) {
        rpt__program_postpone(pool, item, w->why_postponed);
    } else if (rpt__attempt_unpack(&reader, &end)) {
        rpt__worker_finish(pool, item, &end);
    }
    release(w);
}

int rpt__watches_poll(struct rpt_pool *pool)
{
    struct rpt_watch *w = TAILQ_FIRST(&pool->worker.watches), *next;
    double now_s = w != NULL ? rpt__now_s() : 0;
    int n = 0;

    for (; w != NULL; w = next) {
        enum phase phase = phase_of(w);

        next = TAILQ_NEXT(w, link);
        if (phase <= OPENED && pool->ending.stopping && !w->item->cancelled) {
            give_back(w);
            n++;
        } else if (phase == OPENED) {
            begin(w);
            n++;
        } else if (phase == CLOSED) {
            close_watch(w);
            n++;
        } else if (phase == RUNS && (now_s >= w->signal_s ||
                                     (atomic_load(&w->item->call.hurry) != 0 &&
                                      !w->item->saved->hurried))) {
            ask(w, now_s);
            n++;
        }
    }
    return n;
}

double rpt__watches_next_s(const struct rpt_pool *pool)
{
    struct rpt_watch *w;
    double next_s = (double)INFINITY;

    /* One whose program has ended is asked no more; its thread rings. */
    TAILQ_FOREACH (w, &pool->worker.watches, link) {
        if (phase_of(w) == RUNS && w->signal_s < next_s) {
            next_s = w->signal_s;
        }
    }
    return next_s;
}

void rpt__watches_stop(struct rpt_pool *pool)
{
    struct rpt_watch *w;

    while ((w = TAILQ_FIRST(&pool->worker.watches)) != NULL) {
        pthread_mutex_lock(&w->lock);
        if (w->phase != CLOSED) {
            w->phase = ENDING;
        }
        pthread_cond_broadcast(&w->changed);
        pthread_mutex_unlock(&w->lock);
        rpt__engine_unlock(pool->engine); /* it may be writing */
        pthread_join(w->thread, NULL);
        rpt__engine_lock(pool->engine);
        TAILQ_REMOVE(&pool->worker.watches, w, link);
        w->item->saved->watch = NULL;
        release(w);
    }
}
