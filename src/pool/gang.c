/*
 * gang.c - a function on k ranks at once
 *
 * One rank, the pool's first, is the arbiter.  It chooses the ranks of every
 * gang and asks each to reserve; a rank reserves in the order in which it was
 * asked, before it starts anything else.  All ranks see the arbiter's order, so
 * two gangs can never hold what the other waits for.
 *
 *   owner --REQUEST--> arbiter --RESERVE--> ranks      k slots are taken as
 *   owner <----GO----- arbiter <--READY---- ranks      they become free
 *   owner --RUN--> ranks ... run ... --RESULT--> owner --FREE--> arbiter
 *
 * A communicator has a key, and is used again by the next gang of the same
 * ranks; gangs that run at the same time never share one.
 */
#include "pool/gang_priv.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

/* The owner's view. */
struct rpt_gang_job {
    LIST_ENTRY(rpt_gang_job) link;
    struct rpt_job *job;
    uint64_t ticket, id;
    bool running;
    int n_ranks, n_ended;
    int *ranks;          /* members of the pool */
    struct rpt_buf best; /* the end that counts so far, packed */
    int best_rank;
    bool best_is_bad;
    double duration_s;
};

/* A rank's view: before it runs, and while. */
struct reservation {
    TAILQ_ENTRY(reservation) link;
    uint64_t id;
    struct rpt_caps needs;
    uint64_t function;
    bool held;
};

struct rpt_gang_run {
    uint64_t id, key;
    int n_ranks;
    struct rpt_group *group;
    void *handle;
    int ranks[]; /* in the context */
};

struct handle {
    struct handle *next;
    uint64_t key;
    void *handle;
};

struct rpt_gangs {
    LIST_HEAD(, rpt_gang_job) mine;
    uint64_t n_tickets;
    int n_mine;
    struct rpt_arbiter *arbiter;
    TAILQ_HEAD(, reservation) reservations;
    int n_waiting; /* of these, not held */
    struct handle *handles;
};

const struct rpt_gang_mpi_ops *rpt__gang_mpi;

rpt_status_t rpt__gangs_create(struct rpt_pool *pool)
{
    struct rpt_gangs *g = calloc(1, sizeof *g);

    if (g == NULL || rpt__arbiter_create(pool->n, &g->arbiter) != RPT_OK) {
        free(g);
        return rpt__fail_nomem(sizeof *g);
    }
    LIST_INIT(&g->mine);
    TAILQ_INIT(&g->reservations);
    pool->gangs = g;
    return RPT_OK;
}

struct rpt_arbiter *rpt__gangs_arbiter(struct rpt_pool *pool)
{
    return pool->gangs->arbiter;
}

/* Communicators are released from the last made to the first, the same order
 * on all ranks. */
void rpt__gangs_destroy(struct rpt_pool *pool)
{
    struct rpt_gangs *g = pool->gangs;
    struct reservation *r;
    struct handle *h;

    if (g == NULL) {
        return;
    }
    rpt__arbiter_destroy(g->arbiter);
    while ((r = TAILQ_FIRST(&g->reservations)) != NULL) {
        TAILQ_REMOVE(&g->reservations, r, link);
        free(r);
    }
    while ((h = g->handles) != NULL) {
        g->handles = h->next;
        if (h->handle != NULL) {
            rpt__gang_mpi->release(h->handle);
        }
        free(h);
    }
    free(g);
    pool->gangs = NULL;
}

void rpt__gang_send(struct rpt_pool *pool, int member, enum rpt_gang_what what,
                    struct rpt_gang_message *message)
{
    message->head.generation = pool->generation;
    message->head.what = what;
    rpt__pool_send(pool, member, RPT_TAG_POOL_GANG, message, sizeof *message);
}

/* ---- owner ---- */

void rpt__gang_forget(struct rpt_pool *pool, struct rpt_job *job)
{
    struct rpt_gang_job *gang = job->gang;

    if (gang != NULL) {
        LIST_REMOVE(gang, link);
        pool->gangs->n_mine--;
        rpt__buf_free(&gang->best);
        free(gang->ranks);
        free(gang);
        job->gang = NULL;
    }
}

bool rpt__gang_runs(const struct rpt_job *job)
{
    return job->gang != NULL && job->gang->running;
}

bool rpt__gangs_full(const struct rpt_pool *pool)
{
    return pool->gangs->n_mine >= 2 * pool->n;
}

void rpt__gang_request(struct rpt_pool *pool, struct rpt_job *job)
{
    struct rpt_gangs *g = pool->gangs;
    struct rpt_gang_job *gang = calloc(1, sizeof *gang);
    struct rpt_gang_message message;

    rpt__gang_forget(pool, job); /* of an earlier attempt */
    if (gang == NULL) {
        rpt__pool_broken(pool, rpt__fail_nomem(sizeof *gang));
        return;
    }
    gang->job = job;
    gang->ticket = ++g->n_tickets;
    gang->n_ranks = job->spec->n_ranks;
    LIST_INSERT_HEAD(&g->mine, gang, link);
    g->n_mine++;
    job->gang = gang;
    memset(&message, 0, sizeof message);
    message.ticket = gang->ticket;
    message.n_ranks = gang->n_ranks;
    message.function = job->spec->function;
    message.needs = job->class_->needs;
    rpt__gang_send(pool, 0, RPT_GANG_REQUEST, &message);
}

static void give_free(struct rpt_pool *pool, uint64_t id, bool ran)
{
    struct rpt_gang_message message;

    memset(&message, 0, sizeof message);
    message.id = id;
    message.ok = ran;
    rpt__gang_send(pool, 0, RPT_GANG_FREE, &message);
}

static void run_everywhere(struct rpt_pool *pool, struct rpt_gang_job *gang,
                           const struct rpt_gang_message *go)
{
    struct rpt_job *job = gang->job;
    struct rpt_buf buf = RPT_BUF_EMPTY;
    struct rpt_gang_message run = *go;

    run.head.what = RPT_GANG_RUN;
    run.token = job->index;
    run.attempt = job->attempts;
    run.number = job->number;
    run.spec_bytes = job->spec_bytes;
    rpt__buf_add(&buf, &run, sizeof run);
    for (int i = 0; i < gang->n_ranks; i++) {
        int32_t rank = pool->ranks[gang->ranks[i]];

        rpt__buf_add(&buf, &rank, sizeof rank);
    }
    if (gang->n_ranks % 2 != 0) {
        rpt__buf_u32(&buf, 0); /* the spec is aligned */
    }
    rpt__buf_add(&buf, job->spec, job->spec_bytes);
    if (buf.failed) {
        rpt__pool_broken(pool, rpt__buf_status(&buf));
    }
    for (int i = 0; !buf.failed && i < gang->n_ranks; i++) {
        rpt__pool_send(pool, gang->ranks[i], RPT_TAG_POOL_GANG, buf.data,
                       buf.bytes);
    }
    rpt__buf_free(&buf);
}

static void on_go(struct rpt_pool *pool, const struct rpt_gang_message *go,
                  const int32_t *members)
{
    struct rpt_gang_job *gang;

    LIST_FOREACH (gang, &pool->gangs->mine, link) {
        if (gang->ticket == go->ticket) {
            break;
        }
    }
    if (gang == NULL) { /* cancelled, or dropped */
        give_free(pool, go->id, false);
        return;
    }
    gang->id = go->id;
    if (!go->ok) {
        give_free(pool, go->id, false);
        struct rpt_job *job = gang->job;
        struct rpt_end end = {
            .outcome = RPT_OUTCOME_FAILED,
            .exit_code = -1,
            .rank = -1,
            .attempts = job->attempts,
            .message = "a rank of the gang has not registered the function",
        };

        rpt__gang_forget(pool, job);
        rpt__job_attempt_ended(pool, job, &end);
        return;
    }
    gang->ranks = malloc((size_t)gang->n_ranks * sizeof *gang->ranks);
    if (gang->ranks == NULL) {
        rpt__pool_broken(pool, rpt__fail_nomem(sizeof *gang->ranks));
        return;
    }
    memcpy(gang->ranks, members, (size_t)gang->n_ranks * sizeof *gang->ranks);
    gang->running = true;
    gang->job->rank = pool->ranks[gang->ranks[0]];
    run_everywhere(pool, gang, go);
}

/* A failure counts more than a success, a lower rank more than a higher one. */
static bool is_better(const struct rpt_gang_job *gang, int rank, bool bad)
{
    if (gang->n_ended == 0 || bad != gang->best_is_bad) {
        return gang->n_ended == 0 || bad;
    }
    return rank < gang->best_rank;
}

bool rpt__gang_member_ended(struct rpt_pool *pool, struct rpt_job *job,
                            int member, struct rpt_end *end)
{
    struct rpt_gang_job *gang = job->gang;
    bool bad = end->outcome != RPT_OUTCOME_OK;
    struct rpt_reader reader;
    int rank = 0;

    while (rank < gang->n_ranks - 1 && gang->ranks[rank] != member) {
        rank++;
    }
    if (is_better(gang, rank, bad)) {
        rpt__buf_clear(&gang->best);
        rpt__attempt_pack(&gang->best, end);
        gang->best_rank = rank;
        gang->best_is_bad = bad;
    }
    if (end->duration_s > gang->duration_s) {
        gang->duration_s = end->duration_s;
    }
    if (++gang->n_ended < gang->n_ranks) {
        return false;
    }
    give_free(pool, gang->id, true);
    reader = rpt__reader(gang->best.data, gang->best.bytes);
    rpt__attempt_unpack(&reader, end);
    end->duration_s = gang->duration_s;
    end->attempts = job->attempts;
    return true;
}

void rpt__gang_cancel(struct rpt_pool *pool, struct rpt_job *job)
{
    struct rpt_gang_job *gang = job->gang;
    struct {
        struct rpt_pool_head head;
        uint32_t token;
    } message = { { pool->generation, 0 }, job->index };

    if (!gang->running) {
        rpt__gang_forget(pool, job);
        rpt__job_end_without_run(pool, job, RPT_OUTCOME_CANCELLED,
                                 "cancelled before it started");
        return;
    }
    for (int i = 0; i < gang->n_ranks; i++) {
        rpt__pool_send(pool, gang->ranks[i], RPT_TAG_POOL_CANCEL, &message,
                       sizeof message);
    }
}

/* ---- a rank of the gang ---- */

bool rpt__gangs_waiting(const struct rpt_pool *pool)
{
    return pool->gangs->n_waiting > 0;
}

bool rpt__gangs_reserve(struct rpt_pool *pool)
{
    struct rpt_gangs *g = pool->gangs;
    struct reservation *r;

    if (g->n_waiting == 0) {
        return false;
    }
    TAILQ_FOREACH (r, &g->reservations, link) {
        struct rpt_gang_message ready;

        if (r->held) {
            continue;
        }
        if (!pool->begun || !rpt__caps_fit(&r->needs, &pool->worker.free)) {
            return true;
        }
        rpt__caps_take(&pool->worker.free, &r->needs);
        r->held = true;
        g->n_waiting--;
        memset(&ready, 0, sizeof ready);
        ready.id = r->id;
        ready.ok = rpt__function_find(pool, r->function) != NULL;
        rpt__gang_send(pool, 0, RPT_GANG_READY, &ready);
    }
    return false;
}

static void on_reserve(struct rpt_pool *pool,
                       const struct rpt_gang_message *message)
{
    struct reservation *r = calloc(1, sizeof *r);

    if (r == NULL) {
        rpt__pool_broken(pool, rpt__fail_nomem(sizeof *r));
        return;
    }
    r->id = message->id;
    r->needs = message->needs;
    r->function = message->function;
    TAILQ_INSERT_TAIL(&pool->gangs->reservations, r, link);
    pool->gangs->n_waiting++;
}

/* Ends a reservation; its slots are free again. */
static void unreserve(struct rpt_pool *pool, uint64_t id)
{
    struct reservation *r;

    TAILQ_FOREACH (r, &pool->gangs->reservations, link) {
        if (r->id == id) {
            TAILQ_REMOVE(&pool->gangs->reservations, r, link);
            if (r->held) {
                rpt__caps_give(&pool->worker.free, &r->needs);
                rpt__worker_unpark(pool);
            } else {
                pool->gangs->n_waiting--;
            }
            free(r);
            return;
        }
    }
}

static struct rpt_gang_run *make_run(struct rpt_pool *pool,
                                     const struct rpt_gang_message *message,
                                     const int32_t *ranks)
{
    size_t bytes = (size_t)message->n_ranks * sizeof(int);
    struct rpt_gang_run *run = calloc(1, sizeof *run + bytes);
    uint64_t number = RPT_GROUP_NUMBERED + ((uint64_t)pool->generation << 40) +
                      message->id;

    if (run == NULL) {
        rpt__fail_nomem(sizeof *run + bytes);
        return NULL;
    }
    run->id = message->id;
    run->key = message->key;
    run->n_ranks = message->n_ranks;
    memcpy(run->ranks, ranks, bytes);
    if (rpt__group_numbered(pool->comm, number, run->ranks, run->n_ranks,
                            &run->group) != RPT_OK) {
        free(run);
        return NULL;
    }
    return run;
}

static void on_run(struct rpt_pool *pool, int source,
                   const struct rpt_gang_message *message, const int32_t *ranks)
{
    const struct rpt_spec *spec =
        (const struct rpt_spec *)(ranks + (message->n_ranks + 1) / 2 * 2);
    struct rpt_item *item = rpt__item_make(pool, source, spec,
                                           message->spec_bytes, true);

    unreserve(pool, message->id);
    if (item != NULL) {
        item->gang = make_run(pool, message, ranks);
    }
    if (item == NULL || item->gang == NULL) {
        rpt__pool_broken(pool, RPT_ERR_NOMEM);
        return;
    }
    item->token = message->token;
    item->number = message->number;
    item->attempt = message->attempt;
    item->function = rpt__function_find(pool, spec->function);
    rpt__slots_take(pool, item); /* what was reserved until just now */
    rpt__worker_requeue(pool, item);
    rpt__worker_start(pool, item);
}

void rpt__gangs_on_message(void *arg, int source, const void *data,
                           size_t bytes)
{
    struct rpt_pool *pool = arg;
    const struct rpt_gang_message *message = data;
    const int32_t *ranks = (const int32_t *)(message + 1);

    if (bytes < sizeof *message ||
        message->head.generation != pool->generation) {
        return;
    }
    switch ((enum rpt_gang_what)message->head.what) {
    case RPT_GANG_REQUEST:
        rpt__arbiter_on_request(pool, pool->member_of[source], message);
        break;
    case RPT_GANG_RESERVE:
        on_reserve(pool, message);
        break;
    case RPT_GANG_READY:
        rpt__arbiter_on_ready(pool, message);
        break;
    case RPT_GANG_GO:
        on_go(pool, message, ranks);
        break;
    case RPT_GANG_RUN:
        on_run(pool, source, message, ranks);
        break;
    case RPT_GANG_FREE:
        rpt__arbiter_on_free(pool, message);
        break;
    case RPT_GANG_RELEASE:
        unreserve(pool, message->id);
        break;
    }
}

/* ---- running ---- */

static void *find_handle(struct rpt_gangs *g, uint64_t key)
{
    for (struct handle *h = g->handles; h != NULL; h = h->next) {
        if (h->key == key) {
            return h->handle;
        }
    }
    return NULL;
}

void rpt__gang_prepare(struct rpt_item *item)
{
    struct rpt_pool *pool = item->pool;
    struct rpt_gang_run *run = item->gang;
    struct handle *made;

    if (rpt__gang_mpi == NULL || rpt__comm_mpi_text(pool->comm)[0] == '\0') {
        return;
    }
    rpt__engine_lock(pool->engine);
    run->handle = find_handle(pool->gangs, run->key);
    rpt__engine_unlock(pool->engine);
    if (run->handle != NULL) {
        return;
    }
    made = calloc(1, sizeof *made);
    if (made == NULL ||
        rpt__gang_mpi->make(pool->comm, run->ranks, run->n_ranks, run->key,
                            &made->handle) != RPT_OK) {
        free(made); /* rpt_call_mpi_comm() says so */
        return;
    }
    made->key = run->key;
    run->handle = made->handle;
    rpt__engine_lock(pool->engine);
    made->next = pool->gangs->handles;
    pool->gangs->handles = made;
    rpt__engine_unlock(pool->engine);
}

void rpt__gang_run_end(struct rpt_pool *pool, struct rpt_item *item)
{
    (void)pool;
    rpt__group_destroy(item->gang->group);
    free(item->gang);
    item->gang = NULL;
}

struct rpt_group *rpt__gang_group(const struct rpt_item *item)
{
    return item->gang != NULL ? item->gang->group : NULL;
}

const int *rpt__call_gang_ranks(const rpt_call_t *call, int *n_out)
{
    const struct rpt_gang_run *run = call->item->gang;

    *n_out = run != NULL ? run->n_ranks : 0;
    return run != NULL ? run->ranks : NULL;
}

void *rpt__call_mpi_handle(const rpt_call_t *call)
{
    return call->item->gang != NULL ? call->item->gang->handle : NULL;
}

/* The next gang that the waiting thread may run: in the arbiter's order, or
 * two ranks might each wait in another gang. */
struct rpt_item *rpt__gangs_next_waiting(struct rpt_pool *pool)
{
    struct rpt_item *item, *first = NULL;
    const struct reservation *r;

    TAILQ_FOREACH (item, &pool->worker.to_waiting, thread_link) {
        if (first == NULL || item->gang->id < first->gang->id) {
            first = item;
        }
    }
    TAILQ_FOREACH (r, &pool->gangs->reservations, link) {
        if (first != NULL && r->held && r->id < first->gang->id) {
            return NULL;
        }
    }
    return first;
}

/* It makes its communicator, and calls MPI itself. */
static void start(struct rpt_pool *pool, struct rpt_item *item)
{
    if (rpt__comm_mpi_any_thread(pool->comm)) {
        rpt__functions_to_thread(pool, item);
    } else {
        TAILQ_INSERT_TAIL(&pool->worker.to_waiting, item, thread_link);
        rpt__engine_tell(pool->engine);
    }
}

static void cancel(struct rpt_pool *pool, struct rpt_item *item)
{
    (void)pool;
    (void)item; /* the function is told by rpt_call_cancelled() */
}

const struct rpt_kind_ops rpt__kind_gang = {
    .size = sizeof(struct rpt_kind_ops),
    .name = "gang",
    .summary = "a C function on several ranks at once, with their own group",
    .start = start,
    .cancel = cancel,
};
