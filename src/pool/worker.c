/*
 * worker.c - the side of a task that runs it: asks, queues, starts, reports
 *
 * A rank asks one owner at a time, the nearest that is known to have work, for
 * as much as its free slots take, and for some more of short tasks (as many as
 * take pool.prefetch_us), so that slots do not idle while a message travels and
 * an urgent task never waits long behind fetched ones.  What was fetched and
 * then waits behind a task that takes longer than expected goes back.
 *
 * Its own jobs a rank takes straight from its own queue.
 */
#include "pool/pool_priv.h"

#include "base/clock.h"
#include "base/error.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    AHEAD_MAX = 512,
    REPORT_BYTES = 28 * 1024,
    UNUSED_MAX = 1024,
    SPEC_ROOM = 128 /* bytes of spec for which an item has room */
};
#define STUCK_S 10e-3 /* fetched tasks that wait longer go back */

const struct rpt_kind_ops *const rpt__kind_table[RPT_N_KINDS] = {
    [RPT_KIND_PROGRAM] = &rpt__kind_program,   /* a child process   */
    [RPT_KIND_FUNCTION] = &rpt__kind_function, /* a C function      */
    [RPT_KIND_GANG] = &rpt__kind_gang,         /* k ranks at once   */
};

rpt_status_t rpt__worker_create(struct rpt_pool *pool)
{
    struct rpt_worker *w = &pool->worker;
    size_t n = (size_t)pool->n;

    for (int p = 0; p < RPT_N_PRIORITIES; p++) {
        TAILQ_INIT(&w->queued[p]);
    }
    TAILQ_INIT(&w->running);
    TAILQ_INIT(&w->staged);
    TAILQ_INIT(&w->finished);
    TAILQ_INIT(&w->unused);
    TAILQ_INIT(&w->to_threads);
    TAILQ_INIT(&w->to_waiting);
    TAILQ_INIT(&w->watches);
    pthread_cond_init(&w->work, NULL);
    w->asking = -1;
    w->known = calloc(n, sizeof *w->known);
    w->parked = calloc(n, sizeof *w->parked);
    w->out = calloc(n, sizeof *w->out);
    w->out_dirty = calloc(n, sizeof *w->out_dirty);
    if (w->known == NULL || w->parked == NULL || w->out == NULL ||
        w->out_dirty == NULL) {
        return rpt__fail_nomem(n * sizeof *w->out);
    }
    return rpt__slots_create(pool);
}

/* ---- items ---- */

struct rpt_item *rpt__item_make(struct rpt_pool *pool, int owner,
                                const struct rpt_spec *spec, size_t bytes,
                                bool copy)
{
    struct rpt_worker *w = &pool->worker;
    size_t room = copy && bytes > SPEC_ROOM ? bytes : SPEC_ROOM;
    struct rpt_item *item = TAILQ_FIRST(&w->unused);

    if (item != NULL && room == SPEC_ROOM) {
        TAILQ_REMOVE(&w->unused, item, link);
        w->n_unused--;
    } else {
        item = malloc(sizeof *item + room);
        if (item == NULL) {
            rpt__fail_nomem(sizeof *item + room);
            return NULL;
        }
    }
    memset(item, 0, sizeof *item);
    item->reusable = room == SPEC_ROOM;
    if (copy) {
        memcpy(item->data, spec, bytes);
        spec = item->data;
    }
    item->pool = pool;
    item->owner = owner;
    item->spec = spec;
    item->spec_bytes = bytes;
    item->kind = spec->kind;
    item->slot = -1;
    item->call.item = item;
    if (spec->checkpoint_s > 0 && rpt__saving_make(item) != RPT_OK) {
        rpt__item_release(pool, item);
        return NULL;
    }
    return item;
}

void rpt__item_release(struct rpt_pool *pool, struct rpt_item *item)
{
    struct rpt_worker *w = &pool->worker;

    rpt__saving_free(item);
    rpt__buf_free(&item->call.output);
    free(item->call.message);
    item->call.message = NULL;
    if (item->reusable && w->n_unused < UNUSED_MAX) {
        TAILQ_INSERT_HEAD(&w->unused, item, link);
        w->n_unused++;
    } else {
        free(item);
    }
}

static void free_list(struct rpt_item_list *list)
{
    struct rpt_item *item;

    while ((item = TAILQ_FIRST(list)) != NULL) {
        TAILQ_REMOVE(list, item, link);
        free(item->unit_list);
        if (list != &item->pool->worker.unused) {
            rpt__saving_free(item);
        }
        rpt__buf_free(&item->call.output);
        free(item->call.message);
        free(item);
    }
}

void rpt__worker_destroy(struct rpt_pool *pool)
{
    struct rpt_worker *w = &pool->worker;

    for (int p = 0; p < RPT_N_PRIORITIES; p++) {
        free_list(&w->queued[p]);
    }
    free_list(&w->running);
    free_list(&w->staged);
    free_list(&w->finished);
    free_list(&w->unused);
    for (int m = 0; w->out != NULL && m < pool->n; m++) {
        rpt__buf_free(&w->out[m]);
    }
    free(w->known);
    free(w->parked);
    free(w->out);
    free(w->out_dirty);
    pthread_cond_destroy(&w->work);
    rpt__slots_destroy(pool);
}

bool rpt__item_is_plain(const struct rpt_item *item)
{
    return item->spec->slots == 1 && item->spec->memory_mib == 0 &&
           item->spec->n_needs == 0;
}

static void queue_item(struct rpt_pool *pool, struct rpt_item *item)
{
    item->state = RPT_ITEM_QUEUED;
    item->received_s = rpt__now_s();
    TAILQ_INSERT_TAIL(&pool->worker.queued[item->spec->priority], item, link);
    pool->worker.n_queued++;
    pool->worker.n_held += !rpt__item_is_plain(item);
}

void rpt__worker_unqueue(struct rpt_pool *pool, struct rpt_item *item)
{
    TAILQ_REMOVE(&pool->worker.queued[item->spec->priority], item, link);
    pool->worker.n_queued--;
    pool->worker.n_held -= !rpt__item_is_plain(item);
}

void rpt__worker_requeue(struct rpt_pool *pool, struct rpt_item *item)
{
    item->state = RPT_ITEM_QUEUED;
    TAILQ_INSERT_HEAD(&pool->worker.queued[item->spec->priority], item, link);
    pool->worker.n_queued++;
    pool->worker.n_held += !rpt__item_is_plain(item);
}

struct rpt_item *rpt__worker_adopt(struct rpt_pool *pool, struct rpt_job *job)
{
    struct rpt_item *item = rpt__item_make(pool, rpt__comm_rank(pool->comm),
                                           job->spec, job->spec_bytes, false);

    if (item != NULL) {
        item->job = job;
        item->token = job->index;
        item->number = job->number;
        item->attempt = job->attempts;
    }
    return item;
}

struct rpt_item *rpt__worker_find(struct rpt_pool *pool, int owner,
                                  uint32_t token)
{
    struct rpt_item *item;

    TAILQ_FOREACH (item, &pool->worker.running, link) {
        if (item->owner == owner && item->token == token) {
            return item;
        }
    }
    TAILQ_FOREACH (item, &pool->worker.staged, link) {
        if (item->owner == owner && item->token == token) {
            return item;
        }
    }
    for (int p = 0; p < RPT_N_PRIORITIES; p++) {
        TAILQ_FOREACH (item, &pool->worker.queued[p], link) {
            if (item->owner == owner && item->token == token) {
                return item;
            }
        }
    }
    return NULL;
}

/* ---- asking ---- */

/* Tasks to have ahead of the slots, from how long tasks took lately. */
static uint64_t ahead(const struct rpt_pool *pool)
{
    const struct rpt_worker *w = &pool->worker;
    double n = w->mean_s > 0 ? pool->prefetch_s / w->mean_s * w->total.slots
                             : 0;
    int depth = rpt__programs_depth(pool);

    if (w->keeper == NULL && depth > 1) {
        depth = 1; /* functions are not staged */
    }
    if (n < w->total.slots * depth) {
        n = w->total.slots * depth; /* so that none waits for messages */
    }
    return n < AHEAD_MAX ? (uint64_t)n : AHEAD_MAX;
}

/* A task that waits keeps back what it lacks, until there is enough of it, but
 * nothing else: one without a GPU does not hold up those that need none. */
static void keep_back(struct rpt_caps *spare, const struct rpt_caps *needs)
{
    if (needs->slots > spare->slots) {
        spare->slots = 0;
    }
    if (needs->memory_mib > spare->memory_mib) {
        spare->memory_mib = 0;
    }
    for (int i = 0; i < RPT_MAX_NEEDS; i++) {
        if (needs->units[i] > spare->units[i]) {
            spare->units[i] = 0;
        }
    }
}

/* The first queued item that fits, or NULL; *spare is then what those that
 * wait leave of it. */
static struct rpt_item *find_fitting(const struct rpt_pool *pool,
                                     struct rpt_caps *spare)
{
    for (int p = 0; p < RPT_N_PRIORITIES; p++) {
        struct rpt_item *item;

        TAILQ_FOREACH (item, &pool->worker.queued[p], link) {
            struct rpt_caps needs;

            if (spare->slots <= 0) {
                return NULL;
            }
            if (rpt__item_is_plain(item)) {
                return item;
            }
            rpt__caps_of_spec(item->spec, &needs);
            if (rpt__caps_fit(&needs, spare)) {
                return item;
            }
            keep_back(spare, &needs);
        }
    }
    return NULL;
}

static uint32_t wanted(const struct rpt_pool *pool)
{
    const struct rpt_worker *w = &pool->worker;
    uint64_t more = ahead(pool);

    if (!pool->begun || pool->ending.stopping || pool->failed != RPT_OK ||
        rpt__gangs_waiting(pool)) {
        return 0;
    }
    if (w->n_held > 0) { /* what they do not lack may serve others */
        struct rpt_caps spare = w->free;

        find_fitting(pool, &spare);
        return w->n_queued == w->n_held && spare.slots > 0
                   ? (uint32_t)spare.slots
                   : 0;
    }
    /* With a slot free, nothing of the own queue fits: see dispatch. */
    if (w->free.slots > 0 && w->n_queued == 0) {
        return (uint32_t)w->free.slots + (uint32_t)more;
    }
    if (2 * (w->n_queued + w->n_staged) < more && pool->owner.n_ready == 0) {
        return (uint32_t)(more - w->n_queued - w->n_staged);
    }
    return 0;
}

static void ask(struct rpt_pool *pool, int member, uint32_t want,
                bool answers_nudge)
{
    struct rpt_worker *w = &pool->worker;
    struct rpt_ask message;

    memset(&message, 0, sizeof message);
    message.head.generation = pool->generation;
    message.want = want;
    message.answers_nudge = answers_nudge;
    message.free = w->free;
    if (w->n_held > 0) {
        find_fitting(pool, &message.free);
        message.how = RPT_TAKE_FITTING;
    } else {
        /* What is queued already will take slots. */
        message.free.slots -= w->n_queued < (uint64_t)w->free.slots
                                  ? (int32_t)w->n_queued
                                  : w->free.slots;
    }
    if (want > 0) {
        w->asking = member;
        w->freed = false;
    }
    rpt__pool_send(pool, member, RPT_TAG_POOL_ASK, &message, sizeof message);
}

void rpt__worker_ask(struct rpt_pool *pool)
{
    struct rpt_worker *w = &pool->worker;
    uint32_t want;

    if (w->asking >= 0 || w->n_known == w->n_parked) {
        return;
    }
    want = wanted(pool);
    for (int i = 0; want > 0 && i < w->n_known; i++) {
        if (!w->parked[w->known[i]]) {
            ask(pool, w->known[i], want, false);
            return;
        }
    }
}

static void know(struct rpt_pool *pool, int member)
{
    struct rpt_worker *w = &pool->worker;
    int i = 0;

    while (i < w->n_known && w->known[i] != member) {
        i++;
    }
    if (w->parked[member]) {
        w->parked[member] = false;
        w->n_parked--;
    }
    if (i < w->n_known) {
        return;
    }
    while (i > 0 && pool->place[w->known[i - 1]] > pool->place[member]) {
        w->known[i] = w->known[i - 1];
        i--;
    }
    w->known[i] = member;
    w->n_known++;
}

static void forget(struct rpt_pool *pool, int member)
{
    struct rpt_worker *w = &pool->worker;
    int kept = 0;

    for (int i = 0; i < w->n_known; i++) {
        if (w->known[i] != member) {
            w->known[kept++] = w->known[i];
        }
    }
    w->n_known = kept;
}

void rpt__worker_unpark(struct rpt_pool *pool)
{
    struct rpt_worker *w = &pool->worker;

    w->freed = true;
    for (int i = 0; w->n_parked > 0 && i < w->n_known; i++) {
        w->n_parked -= w->parked[w->known[i]];
        w->parked[w->known[i]] = false;
    }
}

void rpt__worker_on_nudge(void *arg, int source, const void *data, size_t bytes)
{
    struct rpt_pool *pool = arg;
    const struct rpt_pool_head *head = data;
    int member = pool->member_of[source];
    uint32_t want;

    if (bytes != sizeof *head || head->generation != pool->generation) {
        return;
    }
    know(pool, member);
    want = pool->worker.asking < 0 ? wanted(pool) : 0;
    ask(pool, member, want, true);
}

void rpt__worker_on_give(void *arg, int source, const void *data, size_t bytes)
{
    struct rpt_pool *pool = arg;
    const struct rpt_give *head = data;
    int member = pool->member_of[source];
    struct rpt_reader reader;

    if (bytes < sizeof *head || head->head.generation != pool->generation) {
        return;
    }
    if (pool->worker.asking == member) {
        pool->worker.asking = -1;
    }
    if (head->head.what > 0) {
        know(pool, member);
    } else if (head->more && pool->worker.freed) {
        /* More may fit by now: it is asked again. */
    } else if (head->head.what == 0 && head->more &&
               !pool->worker.parked[member]) {
        pool->worker.parked[member] = true;
        pool->worker.n_parked++;
    } else if (head->head.what == 0) {
        forget(pool, member);
    }
    reader = rpt__reader(head + 1, bytes - sizeof *head);
    for (uint32_t i = 0; i < head->head.what; i++) {
        const struct rpt_given *given = rpt__read_bytes(&reader, sizeof *given);
        const struct rpt_spec *spec =
            given != NULL ? rpt__read_bytes(&reader, (given->spec_bytes + 7) &
                                                         ~(uint64_t)7)
                          : NULL;
        struct rpt_item *item = spec != NULL
                                    ? rpt__item_make(pool, source, spec,
                                                     given->spec_bytes, true)
                                    : NULL;

        if (item == NULL) {
            rpt__pool_broken(pool, RPT_ERR_NOMEM);
            return;
        }
        item->token = given->token;
        item->number = given->number;
        item->attempt = given->attempt;
        queue_item(pool, item);
    }
    if (pool->ending.stopping) {
        rpt__worker_give_back(pool, false);
    }
}

/* ---- starting ---- */

struct rpt_item *rpt__worker_take(struct rpt_pool *pool,
                                  const struct rpt_caps *free,
                                  enum rpt_take how)
{
    struct rpt_job *job;
    struct rpt_item *item;

    while ((job = rpt__queue_take(pool, pool->me, free, how)) != NULL) {
        job->attempts++;
        if (job->spec->kind == RPT_KIND_GANG) {
            rpt__gang_request(pool, job);
            continue;
        }
        item = rpt__worker_adopt(pool, job);
        if (item == NULL) {
            rpt__pool_broken(pool, RPT_ERR_NOMEM);
            return NULL;
        }
        queue_item(pool, item);
        return item;
    }
    return NULL;
}

struct rpt_item *rpt__worker_next(struct rpt_pool *pool)
{
    struct rpt_worker *w = &pool->worker;
    struct rpt_caps spare = w->free;
    struct rpt_item *item = find_fitting(pool, &spare);

    while (item == NULL && spare.slots > 0) {
        item = rpt__worker_take(
            pool, &spare, w->n_held > 0 ? RPT_TAKE_FITTING : RPT_TAKE_ANY);
        if (item == NULL) {
            return NULL;
        }
        if (!rpt__caps_fit(&item->job->class_->needs, &spare)) {
            keep_back(&spare, &item->job->class_->needs);
            item = NULL;
        }
    }
    return item;
}

void rpt__worker_runs(struct rpt_pool *pool, struct rpt_item *item)
{
    struct rpt_worker *w = &pool->worker;

    item->state = RPT_ITEM_RUNNING;
    item->ran = true;
    item->start_s = rpt__now_s();
    item->start_time = rpt__wall_s();
    TAILQ_INSERT_TAIL(&w->running, item, link);
    w->n_running++;
    w->n_unannounced++;
}

void rpt__worker_start(struct rpt_pool *pool, struct rpt_item *item)
{
    rpt__worker_unqueue(pool, item);
    rpt__worker_runs(pool, item);
    rpt__kind_table[item->kind]->start(pool, item);
}

int rpt__worker_dispatch(struct rpt_pool *pool)
{
    int n = 0;

    while (!rpt__gangs_reserve(pool) && pool->worker.free.slots > 0) {
        struct rpt_item *item = rpt__worker_next(pool);

        /* The leader runs short functions itself, in its next turn. */
        if (item == NULL || rpt__functions_inline(pool, item) ||
            !rpt__slots_take(pool, item)) {
            break;
        }
        rpt__worker_start(pool, item);
        n++;
    }
    return n;
}

/* ---- cancelling, giving back ---- */

void rpt__worker_cancel(struct rpt_pool *pool, struct rpt_item *item,
                        bool by_shutdown)
{
    if (item->cancelled || item->state == RPT_ITEM_ENDED) {
        return;
    }
    item->cancelled = true;
    if (item->state == RPT_ITEM_QUEUED) {
        rpt__worker_unqueue(pool, item);
        rpt__worker_return(pool, item);
        rpt__worker_unpark(pool);
        return;
    }
    item->by_shutdown = by_shutdown;
    atomic_store(&item->call.cancelled, 1);
    rpt__kind_table[item->kind]->cancel(pool, item);
}

void rpt__worker_on_cancel(void *arg, int source, const void *data,
                           size_t bytes)
{
    struct rpt_pool *pool = arg;
    const struct rpt_pool_head *head = data;
    struct rpt_item *item;

    if (bytes != sizeof *head + sizeof(uint32_t) ||
        head->generation != pool->generation) {
        return;
    }
    item = rpt__worker_find(pool, source, *(const uint32_t *)(head + 1));
    if (item == NULL && rpt__functions_rescue(pool) > 0) {
        item = rpt__worker_find(pool, source, *(const uint32_t *)(head + 1));
    }
    if (item != NULL) {
        rpt__worker_cancel(pool, item, false);
    }
}

/* Its owner ends it: it never started. */
static void give_back_cancelled(struct rpt_pool *pool, struct rpt_item *item)
{
    struct {
        struct rpt_pool_head head;
        uint32_t token;
    } message = { { pool->generation, 1 }, item->token };
    int member = pool->member_of[item->owner];

    rpt__item_release(pool, item);
    rpt__pool_send(pool, member, RPT_TAG_POOL_BACK, &message, sizeof message);
}

void rpt__worker_return(struct rpt_pool *pool, struct rpt_item *item)
{
    struct rpt_job *job = item->job;

    item->slot = -1;
    if (job == NULL && item->cancelled) {
        give_back_cancelled(pool, item);
        return;
    }
    if (job == NULL) {
        rpt__worker_requeue(pool, item);
        if (pool->ending.stopping) {
            rpt__worker_give_back(pool, false);
        }
        return;
    }
    rpt__item_release(pool, item);
    rpt__job_unstart(pool, job);
    if (job->cancelled) {
        rpt__job_end_without_run(pool, job, RPT_OUTCOME_CANCELLED,
                                 "cancelled before it started");
        return;
    }
    rpt__queue_add_front(pool, job);
    if (pool->ending.stopping) {
        rpt__owner_drop(pool);
    }
}

/* All queued items of one owner, or only the plain ones, in one message. */
static void give_back_to(struct rpt_pool *pool, int owner, bool only_plain)
{
    struct rpt_buf buf = RPT_BUF_EMPTY;
    struct rpt_pool_head head = { pool->generation, 0 };

    rpt__worker_flush(pool); /* that one of them had begun, if it had */
    rpt__buf_add(&buf, &head, sizeof head);
    for (int p = 0; p < RPT_N_PRIORITIES; p++) {
        struct rpt_item *item, *next;

        for (item = TAILQ_FIRST(&pool->worker.queued[p]); item != NULL;
             item = next) {
            next = TAILQ_NEXT(item, link);
            if (item->owner == owner &&
                (!only_plain || rpt__item_is_plain(item))) {
                rpt__buf_u32(&buf, item->token);
                head.what++;
                rpt__worker_unqueue(pool, item);
                rpt__item_release(pool, item);
            }
        }
    }
    if (buf.failed) {
        rpt__pool_broken(pool, rpt__buf_status(&buf));
    } else {
        memcpy(buf.data, &head, sizeof head);
        rpt__pool_send(pool, pool->member_of[owner], RPT_TAG_POOL_BACK,
                       buf.data, buf.bytes);
    }
    rpt__buf_free(&buf);
}

void rpt__worker_give_back(struct rpt_pool *pool, bool only_plain)
{
    for (int p = 0; p < RPT_N_PRIORITIES; p++) {
        struct rpt_item *item = TAILQ_FIRST(&pool->worker.queued[p]);

        while (item != NULL) {
            if (!only_plain || rpt__item_is_plain(item)) {
                give_back_to(pool, item->owner, only_plain);
                item = TAILQ_FIRST(&pool->worker.queued[p]);
            } else {
                item = TAILQ_NEXT(item, link);
            }
        }
    }
}

/* ---- timers ---- */

/* The fetched-ahead item that waits longest, when slots are what it lacks. */
static const struct rpt_item *oldest_waiting(const struct rpt_pool *pool)
{
    const struct rpt_worker *w = &pool->worker;
    const struct rpt_item *oldest = NULL;

    if (w->free.slots > 0) {
        return NULL;
    }
    for (int p = 0; p < RPT_N_PRIORITIES; p++) {
        const struct rpt_item *item = TAILQ_FIRST(&w->queued[p]);

        while (item != NULL && !rpt__item_is_plain(item)) {
            item = TAILQ_NEXT(item, link);
        }
        if (item != NULL && item->job == NULL &&
            (oldest == NULL || item->received_s < oldest->received_s)) {
            oldest = item;
        }
    }
    for (const struct rpt_item *item = TAILQ_FIRST(&w->staged); item != NULL;
         item = TAILQ_NEXT(item, link)) {
        if (!item->recalled && item->behind->state == RPT_ITEM_RUNNING &&
            (oldest == NULL || item->received_s < oldest->received_s)) {
            oldest = item;
        }
    }
    return oldest;
}

int rpt__worker_timers(struct rpt_pool *pool, double now)
{
    struct rpt_worker *w = &pool->worker;
    const struct rpt_item *stuck = oldest_waiting(pool);
    struct rpt_item *item;
    int n = 0;

    if (stuck != NULL && now > stuck->received_s + STUCK_S) {
        rpt__programs_recall(pool);
        rpt__worker_give_back(pool, true);
        TAILQ_FOREACH (item, &w->running, link) {
            if (now - item->start_s > w->mean_s) {
                w->mean_s = now - item->start_s; /* tasks take at least that */
            }
        }
        if (w->batch.n > 0 && now - w->batch.began_s > w->mean_s) {
            w->mean_s = now - w->batch.began_s;
        }
        n++;
    }
    TAILQ_FOREACH (item, &w->running, link) {
        if (item->kind != RPT_KIND_PROGRAM && item->spec->timeout_s > 0 &&
            !item->timed_out && now > item->start_s + item->spec->timeout_s) {
            item->timed_out = true;
            atomic_store(&item->call.cancelled, 1);
            n++;
        }
    }
    return n;
}

double rpt__worker_next_s(const struct rpt_pool *pool)
{
    const struct rpt_item *stuck = oldest_waiting(pool), *item;
    double next = stuck != NULL ? stuck->received_s + STUCK_S : INFINITY;

    TAILQ_FOREACH (item, &pool->worker.running, link) {
        double end = item->start_s + item->spec->timeout_s;

        if (item->kind != RPT_KIND_PROGRAM && item->spec->timeout_s > 0 &&
            !item->timed_out && end < next) {
            next = end;
        }
    }
    return next;
}
