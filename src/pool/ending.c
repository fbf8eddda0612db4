/*
 * ending.c - when is all work done, on all ranks?
 *
 * Tasks may submit tasks, anywhere, so a rank without work may get some at any
 * moment.  The pool's first rank sends waves down a tree.  A rank answers when
 * it is inside serve, drain or shutdown and none of its own tasks is left, with
 * the number of tasks it ever submitted.  When two waves after each other
 * bring the same sum, nobody submitted anything between them while everybody
 * had nothing left: it is over (the second wave is what Mattern, "Algorithms
 * for distributed termination detection", 1987, calls the second count).
 * Nobody polls: a wave waits in the ranks that still work.
 */
#include "pool/pool_priv.h"

#include "base/clock.h"
#include "base/error.h"

#include <math.h>
#include <string.h>

enum { CHILDREN = 16 };

enum what { WANT, PROBE, REPLY, DONE, STOP };
enum { FAILED = 1, CLOSING = 2 }; /* bits of `how` in REPLY and DONE */

struct message {
    struct rpt_pool_head head;
    uint32_t wave;
    uint32_t how;
    uint64_t submits;
    double grace_s;
};

static void send(struct rpt_pool *pool, int member, enum what what,
                 struct message message)
{
    message.head.generation = pool->generation;
    message.head.what = what;
    rpt__pool_send(pool, member, RPT_TAG_POOL_END, &message, sizeof message);
}

static int first_child(const struct rpt_pool *pool)
{
    return CHILDREN * pool->me + 1;
}

static int n_children(const struct rpt_pool *pool)
{
    int n = pool->n - first_child(pool);

    return n < 0 ? 0 : n < CHILDREN ? n : CHILDREN;
}

static void to_children(struct rpt_pool *pool, enum what what,
                        struct message message)
{
    for (int i = 0; i < n_children(pool); i++) {
        send(pool, first_child(pool) + i, what, message);
    }
}

static void begin_wave(struct rpt_pool *pool, uint32_t wave)
{
    struct message probe = { .wave = wave };

    pool->ending.wave = wave;
    pool->ending.in_wave = true;
    pool->ending.n_replies = 0;
    pool->ending.submits = 0;
    pool->ending.wave_failed = false;
    pool->ending.wave_closing = false;
    to_children(pool, PROBE, probe);
}

static void all_done(struct rpt_pool *pool, uint32_t how)
{
    struct message done = { .wave = pool->ending.wave, .how = how };

    pool->ending.n_done++;
    pool->ending.await_failure = (how & FAILED) != 0;
    pool->ending.closing = (how & CLOSING) != 0;
    pool->ending.n_inside = 0; /* they are on their way out */
    pool->ending.wanted = false;
    pool->ending.in_wave = false;
    pool->ending.have_last = false;
    to_children(pool, DONE, done);
}

/* A callback of the user, run or yet to be, may submit more. */
static bool is_quiet(const struct rpt_pool *pool)
{
    return pool->ending.n_inside > 0 && rpt__owner_unfinished(pool) == 0 &&
           !pool->delivering && STAILQ_EMPTY(&pool->deliver);
}

static void end_wave(struct rpt_pool *pool)
{
    struct rpt_ending *e = &pool->ending;
    uint64_t submits = e->submits + pool->owner.submitted;
    struct message reply = { .wave = e->wave, .submits = submits };
    bool again;

    if (pool->resume != NULL) {
        rpt__resume_commit(pool); /* what fails, fails before the end */
    }
    reply.how = (e->wave_failed || e->told_failure ? FAILED : 0) |
                (e->wave_closing || e->shutting ? CLOSING : 0);
    e->in_wave = false;
    if (pool->me != 0) {
        send(pool, (pool->me - 1) / CHILDREN, REPLY, reply);
        return;
    }
    again = !e->have_last || submits != e->last_submits;
    e->have_last = true;
    e->last_submits = submits;
    if (again) {
        begin_wave(pool, e->wave + 1);
    } else {
        all_done(pool, reply.how);
    }
}

static void end_all(struct rpt_pool *pool, struct rpt_item_list *items)
{
    struct rpt_item *item, *next;

    for (item = TAILQ_FIRST(items); item != NULL; item = next) {
        next = TAILQ_NEXT(item, link);
        rpt__worker_cancel(pool, item, true);
    }
}

int rpt__ending_poll(struct rpt_pool *pool)
{
    struct rpt_ending *e = &pool->ending;
    int n = 0;

    if (e->stopping && isfinite(e->kill_at_s) && rpt__now_s() >= e->kill_at_s) {
        e->kill_at_s = INFINITY;
        /* Recalled already, but they may start before the keeper reads it. */
        end_all(pool, &pool->worker.staged);
        end_all(pool, &pool->worker.running);
        n++;
    }
    if (!is_quiet(pool)) {
        return n;
    }
    if (pool->me == 0 && e->wanted && !e->in_wave) {
        begin_wave(pool, e->wave + 1);
        n++;
    }
    while (e->in_wave && e->n_replies == n_children(pool) && is_quiet(pool)) {
        end_wave(pool);
        n++;
    }
    return n;
}

/* Stops this rank: what is queued goes back, what nobody has is dropped, what
 * runs may end until the grace is over. */
static void stop(struct rpt_pool *pool, rpt_shutdown_t how, double grace_s)
{
    struct rpt_ending *e = &pool->ending;
    double kill_at_s = rpt__now_s() + (how == RPT_SHUTDOWN_NOW ? 0 : grace_s);

    if (!e->stopping || kill_at_s < e->kill_at_s) {
        e->kill_at_s = kill_at_s;
    }
    if (!e->stopping) {
        rpt__saving_hurry(pool);
    }
    e->stopping = true;
    rpt__programs_recall(pool);
    rpt__worker_give_back(pool, false);
    rpt__owner_drop(pool);
}

void rpt__ending_stop_all(struct rpt_pool *pool, rpt_shutdown_t how,
                          double grace_s)
{
    struct message message = { .how = (uint32_t)how, .grace_s = grace_s };

    for (int m = 0; m < pool->n; m++) {
        send(pool, m, STOP, message);
    }
    send(pool, 0, WANT, message);
}

void rpt__ending_on_message(void *arg, int source, const void *data,
                            size_t bytes)
{
    struct rpt_pool *pool = arg;
    const struct message *message = data;
    struct rpt_ending *e = &pool->ending;

    (void)source;
    if (bytes != sizeof *message ||
        message->head.generation != pool->generation) {
        return;
    }
    switch ((enum what)message->head.what) {
    case WANT:
        e->wanted = true;
        break;
    case PROBE:
        begin_wave(pool, message->wave);
        break;
    case REPLY:
        if (e->in_wave && message->wave == e->wave) {
            e->n_replies++;
            e->submits += message->submits;
            e->wave_failed |= (message->how & FAILED) != 0;
            e->wave_closing |= (message->how & CLOSING) != 0;
        }
        break;
    case DONE:
        all_done(pool, message->how);
        break;
    case STOP:
        stop(pool, (rpt_shutdown_t)message->how, message->grace_s);
        break;
    }
}

/* ---- the calls ---- */

struct until {
    const struct rpt_pool *pool;
    uint64_t n_done;
};

static bool is_over(void *arg)
{
    const struct until *until = arg;
    const struct rpt_pool *pool = until->pool;

    return pool->ending.n_done > until->n_done &&
           (!pool->ending.await_failure || pool->failed != RPT_OK);
}

/* Waits for the end of all work; the wave is wanted by the caller. */
static rpt_status_t wait_for_end(struct rpt_pool *pool)
{
    struct until until = { pool, pool->ending.n_done };
    rpt_status_t status;

    pool->begun = true;
    pool->ending.n_inside++;
    status = rpt__pool_wait_for(pool, is_over, &until, -1);
    pool->ending.n_inside -= !is_over(&until);
    if (status == RPT_OK && pool->failed != RPT_OK) {
        status = rpt__pool_fail(pool);
    }
    return status;
}

static rpt_status_t check_open(const struct rpt_pool *pool,
                               const char *function)
{
    if (pool->delivering && pthread_equal(pool->deliverer, pthread_self())) {
        rpt__fail(RPT_ERR_STATE, "%s: called in a callback", function);
        rpt__fail_why("it waits until every callback has returned");
        rpt__fail_hint("note that it is time to stop, return, and call it "
                       "where the pool is waited for");
        return RPT_ERR_STATE;
    }
    if (pool->ending.closed) {
        return rpt__fail(RPT_ERR_SHUTDOWN, "the pool was shut down before");
    }
    return RPT_OK;
}

/* A drain of the driver does not end it. */
rpt_status_t rpt__pool_serve(struct rpt_pool *pool)
{
    rpt_status_t status = check_open(pool, "rpt_pool_serve");

    if (status != RPT_OK) {
        return status;
    }
    do {
        status = wait_for_end(pool);
    } while (status == RPT_OK && !pool->ending.closing);
    pool->ending.closed = true;
    pool->ending.shut = true; /* to shut it down is the driver's */
    return status;
}

/* Another rank may shut the pool down meanwhile: then that was the end of it,
 * and with tasks dropped this is not what was waited for. */
rpt_status_t rpt__pool_drain(struct rpt_pool *pool)
{
    struct message want = { .wave = 0 };
    rpt_status_t status = check_open(pool, "rpt_pool_drain");

    if (status != RPT_OK) {
        return status;
    }
    send(pool, 0, WANT, want);
    status = wait_for_end(pool);
    pool->ending.closed = pool->ending.closing;
    if (status == RPT_OK && pool->ending.closing && pool->ending.stopping) {
        rpt__fail(RPT_ERR_SHUTDOWN, "another rank shut the pool down");
        rpt__fail_why("its tasks that had not ended were dropped");
        status = RPT_ERR_SHUTDOWN;
    }
    return status;
}

rpt_status_t rpt__pool_shutdown(struct rpt_pool *pool, rpt_shutdown_t how,
                                double grace_s, uint64_t *n_dropped_out)
{
    struct rpt_ending *e = &pool->ending;
    struct message want = { .wave = 0 };
    rpt_status_t status = e->closed && !e->shut
                              ? RPT_OK /* it ended while this rank drained */
                              : check_open(pool, "rpt_pool_shutdown");

    if (status != RPT_OK) {
        return status;
    }
    e->shut = true;
    if (e->closed) {
        status = pool->failed != RPT_OK ? rpt__pool_fail(pool) : RPT_OK;
    } else {
        e->shutting = true;
        if (how == RPT_SHUTDOWN_GRACEFUL && pool->failed == RPT_OK) {
            send(pool, 0, WANT, want);
        } else {
            rpt__ending_stop_all(pool, how, grace_s);
        }
        status = wait_for_end(pool);
        e->shutting = false;
        e->closed = true;
    }
    if (n_dropped_out != NULL) {
        *n_dropped_out = pool->owner.dropped;
    }
    return status;
}
