/*
 * engine.c - the one lock and the one loop of a context
 *
 * See engine.h for the picture.  The states of the lead:
 *
 *   led        some thread turns the loop; the others wait on `changed`
 *   released   the leader runs a user's function and has given up the lock
 *   deputy     the engine thread turns the loop in its place
 *
 * Spinning before sleeping adapts: a spin that found something makes the next
 * one longer, and a short sleep as long as it may be; a spin that found nothing
 * makes it shorter, so that idle ranks and ranks that wait for processes do not
 * burn cores that others could use.
 */
#include "comm/engine.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/fence.h"
#include "base/futex.h"
#include "base/thread.h"

#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define STUCK_S 2e-3  /* a released function longer than this is watched */
#define WATCH_S 0.1   /* so long after the last release we stop watching */
#define LINGER_S 1e-3 /* a user's thread may be away so long and come back */
#define SPIN_MIN_S 0.5e-6
#define SHORT_SLEEP_S 100e-6
#define YIELD_S 20e-6 /* most time given to those who want the lock      */

struct rpt_engine {
    pthread_mutex_t lock;
    pthread_cond_t changed;   /* users' threads that do not lead wait here */
    pthread_cond_t aside;     /* the engine thread, while it does not lead */
    _Atomic int n_contenders; /* threads between asking and having the lock */
    struct rpt_poller *pollers;
    struct rpt_bell *bell;

    bool led;
    bool released;
    bool deputy;
    bool leader_is_user; /* and has time */
    pthread_t leader;
    double released_at;
    int n_followers;
    int n_users;    /* user threads inside rpt__engine_wait() */
    double left_at; /* when the last of them left          */

    pthread_t thread;
    bool has_thread;
    bool watching; /* the thread looks every few milliseconds by itself */
    bool stop;

    bool must_fence; /* before it sleeps */
    double spin_max_s;
    double spin_s;
    double now_s; /* rpt__engine_now() */

    rpt_status_t status; /* other than RPT_OK: broken, and why */
    char *what, *why, *hint;

    int rank, n_ranks;
    char host[128];
};

rpt_status_t rpt__engine_create(const rpt_options_t *options,
                                struct rpt_bell *bell, bool is_crowded,
                                int rank, int n_ranks, const char *host,
                                struct rpt_engine **engine_out)
{
    struct rpt_engine *engine = calloc(1, sizeof *engine);
    pthread_mutexattr_t mutex_kind;

    if (engine == NULL) {
        return rpt__fail_nomem(sizeof *engine);
    }
    pthread_mutexattr_init(&mutex_kind);
    pthread_mutexattr_settype(&mutex_kind, PTHREAD_MUTEX_ADAPTIVE_NP);
    pthread_mutex_init(&engine->lock, &mutex_kind);
    pthread_mutexattr_destroy(&mutex_kind);
    rpt__cond_init(&engine->changed);
    rpt__cond_init(&engine->aside);
    engine->bell = bell;
    engine->rank = rank;
    engine->n_ranks = n_ranks;
    strncpy(engine->host, host, sizeof engine->host - 1);
    if (!is_crowded) {
        engine->spin_max_s = 1e-6 * (double)rpt__option_integer(
                                        options, RPT_OPT_COMM_SPIN_US);
    }
    engine->spin_s = engine->spin_max_s;
    *engine_out = engine;
    return RPT_OK;
}

static void stop_thread(struct rpt_engine *engine)
{
    if (!engine->has_thread) {
        return;
    }
    rpt__engine_lock(engine);
    engine->stop = true;
    pthread_cond_signal(&engine->aside);
    rpt__engine_unlock(engine);
    rpt__engine_ring(engine);
    pthread_join(engine->thread, NULL);
    engine->has_thread = false;
}

void rpt__engine_destroy(struct rpt_engine *engine)
{
    if (engine == NULL) {
        return;
    }
    stop_thread(engine);
    pthread_cond_destroy(&engine->changed);
    pthread_cond_destroy(&engine->aside);
    pthread_mutex_destroy(&engine->lock);
    free(engine->what);
    free(engine->why);
    free(engine->hint);
    free(engine);
}

void rpt__engine_lock(struct rpt_engine *engine)
{
    if (pthread_mutex_trylock(&engine->lock) != 0) {
        atomic_fetch_add(&engine->n_contenders, 1);
        pthread_mutex_lock(&engine->lock);
        atomic_fetch_sub(&engine->n_contenders, 1);
    }
    if (rpt__identity() != engine->rank) {
        rpt__identify(engine->rank, engine->n_ranks, engine->host);
    }
}

void rpt__engine_unlock(struct rpt_engine *engine)
{
    pthread_mutex_unlock(&engine->lock);
}

void rpt__engine_cond_wait(struct rpt_engine *engine, pthread_cond_t *cond)
{
    pthread_cond_wait(cond, &engine->lock);
}

void rpt__engine_add(struct rpt_engine *engine, struct rpt_poller *poller)
{
    struct rpt_poller **end = &engine->pollers;

    while (*end != NULL) {
        end = &(*end)->next;
    }
    poller->next = NULL;
    *end = poller;
}

void rpt__engine_remove(struct rpt_engine *engine, struct rpt_poller *poller)
{
    struct rpt_poller **link = &engine->pollers;

    while (*link != NULL && *link != poller) {
        link = &(*link)->next;
    }
    if (*link != NULL) {
        *link = poller->next;
    }
}

void rpt__engine_ring(struct rpt_engine *engine)
{
    rpt__bell_ring(engine->bell);
}

void rpt__engine_fence_sleep(struct rpt_engine *engine)
{
    engine->must_fence = true;
}

void rpt__engine_tell(struct rpt_engine *engine)
{
    if (engine->n_followers > 0) {
        pthread_cond_broadcast(&engine->changed);
    }
}

bool rpt__engine_has_followers(const struct rpt_engine *engine)
{
    return engine->n_followers > 0;
}

double rpt__engine_now(const struct rpt_engine *engine)
{
    return engine->now_s;
}

int rpt__engine_poll(struct rpt_engine *engine)
{
    int n = 0;

    engine->now_s = rpt__now_s();
    for (struct rpt_poller *p = engine->pollers; p != NULL; p = p->next) {
        n += p->poll(p);
    }
    if (n > 0) {
        rpt__engine_tell(engine);
    }
    return n;
}

/* Those who want the lock get it now; a mutex alone would give it back to the
 * thread that has just released it. */
static void let_others_in(struct rpt_engine *engine)
{
    if (atomic_load_explicit(&engine->n_contenders, memory_order_relaxed) > 0) {
        double limit = rpt__now_s() + YIELD_S;

        rpt__engine_unlock(engine);
        do {
            sched_yield();
        } while (atomic_load(&engine->n_contenders) > 0 &&
                 rpt__now_s() < limit);
        rpt__engine_lock(engine);
    }
}

static double next_moment(const struct rpt_engine *engine, double limit)
{
    double next = limit;

    for (struct rpt_poller *p = engine->pollers; p != NULL; p = p->next) {
        double own = p->next_s != NULL ? p->next_s(p) : INFINITY;

        next = own < next ? own : next;
    }
    return next;
}

/* The last look before a sleep: whether there was something to do. */
static bool look_again(struct rpt_engine *engine)
{
    if (!engine->must_fence) {
        return false;
    }
    engine->must_fence = false;
    rpt__fence_heavy();
    return rpt__engine_poll(engine) > 0;
}

/* Sleeps unless the bell rang since `seen`. */
static void sleep_on_bell(struct rpt_engine *engine, uint32_t seen,
                          double limit)
{
    struct rpt_bell *bell = engine->bell;
    double until = next_moment(engine, limit);
    double left = isinf(until) ? -1 : until - rpt__now_s();

    if (!isinf(until) && left <= 0) {
        /* Nobody rings for MPI; whoever has the message may want the core. */
        rpt__engine_unlock(engine);
        sched_yield();
        rpt__engine_lock(engine);
        return;
    }
    if (look_again(engine)) {
        return;
    }
    atomic_store(&bell->sleeping, rpt__bell_mark(seen));
    if (atomic_load(&bell->count) == seen) {
        rpt__engine_unlock(engine);
        rpt__futex_wait(&bell->count, seen, left);
        rpt__engine_lock(engine);
    }
    atomic_store(&bell->sleeping, 0);
}

static void spin(struct rpt_engine *engine)
{
    if (next_moment(engine, INFINITY) <= engine->now_s) {
        /* A poller that asks a library takes its time by itself. */
        let_others_in(engine);
        return;
    }
    rpt__engine_unlock(engine);
    for (int i = 0; i < 16; i++) {
        rpt__cpu_relax();
    }
    rpt__engine_lock(engine);
}

/* Two that wait for each other by turns would sleep for ever if a short sleep
 * did not tell that spinning is quicker: to wake one takes longer than the
 * other spins. */
static void spin_longer(struct rpt_engine *engine, double wanted)
{
    engine->spin_s = wanted < engine->spin_max_s ? wanted : engine->spin_max_s;
}

/* Turns the loop until done(arg), the limit, or a fault.  The caller has made
 * sure that nobody else does. */
static void turn(struct rpt_engine *engine, rpt_done_fn done, void *arg,
                 double limit)
{
    double idle_since = 0, asleep_since = 0;

    while (engine->status == RPT_OK && !done(arg)) {
        uint32_t seen = atomic_load(&engine->bell->count);
        int n = rpt__engine_poll(engine);
        double now = engine->now_s;

        if (n > 0) {
            if (idle_since > 0) {
                spin_longer(engine, 2 * engine->spin_s + SPIN_MIN_S);
            } else if (asleep_since > 0 && now - asleep_since < SHORT_SLEEP_S) {
                spin_longer(engine, engine->spin_max_s);
            }
            idle_since = asleep_since = 0;
        }
        if (done(arg)) {
            break;
        }
        if (n > 0) {
            let_others_in(engine);
            if (now >= limit) {
                break;
            }
            continue;
        }
        if (now >= limit) {
            break;
        }
        if (idle_since <= 0) {
            idle_since = now;
        }
        if (now - idle_since < engine->spin_s) {
            spin(engine);
            continue;
        }
        engine->spin_s *= 0.5;
        idle_since = 0;
        asleep_since = now;
        sleep_on_bell(engine, seen, limit);
    }
}

static void lead(struct rpt_engine *engine, rpt_done_fn done, void *arg,
                 double limit, bool is_user)
{
    engine->led = true;
    engine->leader_is_user = is_user;
    engine->leader = pthread_self();
    turn(engine, done, arg, limit);
    engine->led = false;
    rpt__engine_tell(engine);
}

static void sleep_until(struct rpt_engine *engine, pthread_cond_t *cond,
                        double limit)
{
    if (isinf(limit)) {
        pthread_cond_wait(cond, &engine->lock);
    } else {
        struct timespec until = rpt__deadline_after(limit - rpt__now_s());

        pthread_cond_timedwait(cond, &engine->lock, &until);
    }
}

static void follow(struct rpt_engine *engine, double limit)
{
    engine->n_followers++;
    sleep_until(engine, &engine->changed, limit);
    engine->n_followers--;
}

/* The engine thread may have to lead. */
static void alert_thread(struct rpt_engine *engine)
{
    if (engine->has_thread && !engine->watching) {
        pthread_cond_signal(&engine->aside);
    }
}

rpt_status_t rpt__engine_wait(struct rpt_engine *engine, rpt_done_fn done,
                              void *arg, double timeout_s)
{
    double limit;
    rpt_status_t status = RPT_OK;

    engine->now_s = rpt__now_s();
    limit = timeout_s < 0 ? INFINITY : engine->now_s + timeout_s;
    engine->n_users++;
    if (engine->led && timeout_s != 0) {
        /* The engine thread sees n_users and gives the lead away. */
        rpt__engine_ring(engine);
    }
    while (!done(arg)) {
        status = rpt__engine_status(engine);
        if (status != RPT_OK) {
            break;
        }
        if (!engine->led) {
            /* Who only looks runs nobody's functions. */
            lead(engine, done, arg, limit, timeout_s != 0);
        } else if (timeout_s != 0) {
            follow(engine, limit);
        }
        if (!done(arg) && rpt__now_s() >= limit) {
            status = RPT_PENDING;
            break;
        }
    }
    engine->n_users--;
    engine->left_at = rpt__now_s();
    rpt__engine_tell(engine);
    if (engine->n_users == 0) {
        alert_thread(engine);
    }
    return status;
}

static char *keep(const char *text)
{
    return strdup(text != NULL ? text : "");
}

void rpt__engine_break(struct rpt_engine *engine, rpt_status_t status)
{
    const rpt_error_t *error = rpt_last_error();

    if (engine->status != RPT_OK) {
        return;
    }
    engine->status = status;
    engine->what = keep(error->what);
    engine->why = keep(error->why);
    engine->hint = keep(error->hint);
    rpt__engine_tell(engine);
    rpt__engine_ring(engine);
}

rpt_status_t rpt__engine_status(struct rpt_engine *engine)
{
    if (engine->status != RPT_OK) {
        rpt__fail(engine->status, "%s",
                  engine->what != NULL ? engine->what
                                       : "the context is broken");
        rpt__fail_why("%s", engine->why != NULL ? engine->why : "");
        rpt__fail_hint("%s", engine->hint != NULL ? engine->hint : "");
    }
    return engine->status;
}

/* ---- functions of users, run by the leader ---- */

bool rpt__engine_can_release(const struct rpt_engine *engine)
{
    return engine->has_thread && engine->led && engine->leader_is_user &&
           !engine->deputy && !engine->released &&
           pthread_equal(engine->leader, pthread_self());
}

void rpt__engine_release(struct rpt_engine *engine)
{
    engine->released = true;
    engine->released_at = rpt__now_s();
    alert_thread(engine); /* from now on it looks now and then */
    rpt__engine_unlock(engine);
}

void rpt__engine_reclaim(struct rpt_engine *engine)
{
    rpt__engine_lock(engine);
    engine->released = false;
    while (engine->deputy) {
        rpt__engine_ring(engine);
        follow(engine, INFINITY);
    }
}

/* ---- the engine thread ---- */

static bool lead_is_wanted(void *arg)
{
    const struct rpt_engine *engine = arg;

    return engine->n_users > 0 || engine->stop;
}

static bool leader_is_back(void *arg)
{
    const struct rpt_engine *engine = arg;

    return !engine->released || engine->stop;
}

static void stand_in(struct rpt_engine *engine)
{
    engine->deputy = true;
    turn(engine, leader_is_back, engine, INFINITY);
    engine->deputy = false;
    rpt__engine_tell(engine);
}

/* A user's thread that waits again and again keeps the lead: to take it over in
 * between would cost two changes of thread each time. */
static bool user_may_return(const struct rpt_engine *engine, double now)
{
    return now - engine->left_at < LINGER_S;
}

static void *engine_main(void *arg)
{
    struct rpt_engine *engine = arg;

    rpt__engine_lock(engine);
    while (!engine->stop) {
        double now = rpt__now_s();

        engine->watching = now - engine->released_at < WATCH_S ||
                           now - engine->left_at < WATCH_S;
        if (engine->status != RPT_OK) {
            sleep_until(engine, &engine->aside, INFINITY);
        } else if (!engine->led && engine->n_users == 0 &&
                   !user_may_return(engine, now)) {
            engine->watching = false;
            lead(engine, lead_is_wanted, engine, INFINITY, false);
        } else if (engine->released && now - engine->released_at > STUCK_S) {
            stand_in(engine);
        } else {
            sleep_until(engine, &engine->aside,
                        engine->watching ? now + LINGER_S : INFINITY);
        }
    }
    rpt__engine_unlock(engine);
    return NULL;
}

rpt_status_t rpt__engine_start_thread(struct rpt_engine *engine)
{
    int error;

    engine->has_thread = true;
    error = rpt__thread_start(&engine->thread, engine_main, engine);
    if (error != 0) {
        engine->has_thread = false;
        return rpt__fail_errno(RPT_ERR_SYSTEM, error,
                               "cannot start the progress thread");
    }
    return RPT_OK;
}

bool rpt__engine_has_thread(const struct rpt_engine *engine)
{
    return engine->has_thread;
}
