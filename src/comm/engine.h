/*
 * engine.h - the one lock and the one loop of a context
 *
 * Everything a rank keeps in memory (queues, groups, transports) is guarded by
 * one lock, the engine's.  Whoever waits inside the library holds it and turns
 * the loop: ask every poller, and when none had anything to do, spin a little,
 * then sleep on the bell until somebody rings it (a peer on this node, the
 * keeper, a worker thread) or until the next moment a poller asked for.
 *
 *      user thread in a wait --+
 *                              +--> leader: lock, poll, poll, sleep on the bell
 *      engine thread (if any) -+    others: wait until the leader tells them
 *
 * One thread leads at a time.  A user's thread that waits takes the lead from
 * the engine thread, so that results need no change of thread.  The engine
 * thread exists only where any thread may drive the transports (ranks of one
 * node, or MPI_THREAD_MULTIPLE); elsewhere progress is made inside calls.
 */
#ifndef RPT_COMM_ENGINE_H
#define RPT_COMM_ENGINE_H

#include "base/options.h"
#include "comm/bell.h"

#include <repartir/base.h>

#include <pthread.h>
#include <stdbool.h>

struct rpt_engine;

/* Something that the loop drives.  Called under the lock. */
struct rpt_poller {
    const char *name;
    /* Does what can be done without blocking; gives the number of events. */
    int (*poll)(struct rpt_poller *self);
    /* The moment (rpt__now_s()) at which poll must be called although nobody
     * rang; INFINITY when there is none.  May be NULL. */
    double (*next_s)(struct rpt_poller *self);
    struct rpt_poller *next; /* the engine's */
};

/* `bell` lies in shared memory and outlives the engine; is_crowded: there are
 * more ranks on this host than cores, and it is not worth while to spin. */
rpt_status_t rpt__engine_create(const rpt_options_t *options,
                                struct rpt_bell *bell, bool is_crowded,
                                int rank, int n_ranks, const char *host,
                                struct rpt_engine **engine_out);
/* Stops the engine thread too. */
void rpt__engine_destroy(struct rpt_engine *engine);

/* Starts the engine thread.  Only where any thread may drive the pollers. */
rpt_status_t rpt__engine_start_thread(struct rpt_engine *engine);
bool rpt__engine_has_thread(const struct rpt_engine *engine);

void rpt__engine_lock(struct rpt_engine *engine);
void rpt__engine_unlock(struct rpt_engine *engine);

/* Under the lock.  Pollers are asked in the order in which they came. */
void rpt__engine_add(struct rpt_engine *engine, struct rpt_poller *poller);
void rpt__engine_remove(struct rpt_engine *engine, struct rpt_poller *poller);

/* Rings this engine's bell: any thread, with or without the lock. */
void rpt__engine_ring(struct rpt_engine *engine);

/* Under the lock: somebody who looks by a light fence whether this rank sleeps
 * (base/fence.h) was told that it does.  Before the loop sleeps next it makes
 * the heavy fence, and asks all pollers once more. */
void rpt__engine_fence_sleep(struct rpt_engine *engine);

/* Under the lock: something changed that other waiting threads look at. */
void rpt__engine_tell(struct rpt_engine *engine);
/* Whether there are such: they sleep until they are told, even if the leader
 * has seen no event.  Under the lock. */
bool rpt__engine_has_followers(const struct rpt_engine *engine);

/* The time when this turn of the loop began, which saves pollers, next_s and
 * done functions a look at the clock.  Under the lock. */
double rpt__engine_now(const struct rpt_engine *engine);

/* Asks every poller once.  Under the lock. */
int rpt__engine_poll(struct rpt_engine *engine);

/* A thread that is no waiter of the loop sleeps: as pthread_cond_wait(). */
void rpt__engine_cond_wait(struct rpt_engine *engine, pthread_cond_t *cond);

/* Called under the lock; true ends the wait.  Must be quick. */
typedef bool (*rpt_done_fn)(void *arg);

/* Waits until done(arg), driving the loop.  Called under the lock, which is
 * given up while sleeping and held again on return.  timeout_s < 0: no limit,
 * 0: polls once.  RPT_PENDING when the time is over, or the failure that made
 * the engine useless (rpt__engine_break()). */
rpt_status_t rpt__engine_wait(struct rpt_engine *engine, rpt_done_fn done,
                              void *arg, double timeout_s);

/* The transport is gone: all waits end with this status from now on.  The
 * calling thread's last error is kept as the reason.  Under the lock. */
void rpt__engine_break(struct rpt_engine *engine, rpt_status_t status);
/* RPT_OK, or the status above with the reason as this thread's last error. */
rpt_status_t rpt__engine_status(struct rpt_engine *engine);

/* Whether a poller may run a user's function now (see below): this thread is a
 * user's and leads, and the engine thread is there to stand in for it. */
bool rpt__engine_can_release(const struct rpt_engine *engine);

/* A poller is about to run a user's function: gives up the lock, stays the
 * leader.  When the function takes longer than 2 ms the engine thread leads in
 * its place until rpt__engine_reclaim().  Only from inside poll. */
void rpt__engine_release(struct rpt_engine *engine);
void rpt__engine_reclaim(struct rpt_engine *engine);

#endif /* RPT_COMM_ENGINE_H */
