/*
 * pool.c - a pool is made, turned by the engine's loop, and released
 */
#include "pool/pool_priv.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    enum rpt_tag tag;
    rpt_am_fn fn;
} handlers[] = {
    { RPT_TAG_POOL_NUDGE, rpt__worker_on_nudge },
    { RPT_TAG_POOL_ASK, rpt__owner_on_ask },
    { RPT_TAG_POOL_GIVE, rpt__worker_on_give },
    { RPT_TAG_POOL_BACK, rpt__owner_on_back },
    { RPT_TAG_POOL_RESULT, rpt__owner_on_result },
    { RPT_TAG_POOL_CANCEL, rpt__worker_on_cancel },
    { RPT_TAG_POOL_GANG, rpt__gangs_on_message },
    { RPT_TAG_POOL_END, rpt__ending_on_message },
    { RPT_TAG_POOL_FAIL, rpt__pool_on_fail },
};

/* ---- failures that end the pool ---- */

static void keep_failure(struct rpt_pool *pool, rpt_status_t status,
                         const rpt_error_t *error)
{
    pool->failed = status;
    pool->failed_rank = error->rank;
    rpt__buf_clear(&pool->failed_text);
    rpt__buf_str(&pool->failed_text, error->what);
    rpt__buf_str(&pool->failed_text, error->why);
    rpt__buf_str(&pool->failed_text, error->hint);
}

void rpt__pool_broken(struct rpt_pool *pool, rpt_status_t status)
{
    struct rpt_buf buf = RPT_BUF_EMPTY;
    struct rpt_pool_head head = { pool->generation, (uint32_t)-status };

    if (pool->failed != RPT_OK) {
        return;
    }
    keep_failure(pool, status, rpt_last_error());
    rpt__buf_add(&buf, &head, sizeof head);
    rpt__buf_add(&buf, pool->failed_text.data, pool->failed_text.bytes);
    for (int m = 0; !buf.failed && m < pool->n; m++) {
        if (m != pool->me) {
            rpt__pool_send(pool, m, RPT_TAG_POOL_FAIL, buf.data, buf.bytes);
        }
    }
    pool->ending.told_failure = !buf.failed;
    rpt__buf_free(&buf);
    rpt__ending_stop_all(pool, RPT_SHUTDOWN_DRAIN, pool->grace_s);
    rpt__engine_tell(pool->engine);
}

void rpt__pool_on_fail(void *arg, int source, const void *data, size_t bytes)
{
    struct rpt_pool *pool = arg;
    const struct rpt_pool_head *head = data;
    struct rpt_reader reader;
    rpt_error_t error = { .rank = source };

    if (bytes < sizeof *head || head->generation != pool->generation ||
        pool->failed != RPT_OK) {
        return;
    }
    reader = rpt__reader(head + 1, bytes - sizeof *head);
    error.what = rpt__read_str(&reader);
    error.why = rpt__read_str(&reader);
    error.hint = rpt__read_str(&reader);
    if (!reader.failed) {
        keep_failure(pool, (rpt_status_t) - (int)head->what, &error);
    }
}

rpt_status_t rpt__pool_fail(struct rpt_pool *pool)
{
    struct rpt_reader reader = rpt__reader(pool->failed_text.data,
                                           pool->failed_text.bytes);
    rpt_error_t error = { sizeof error,
                          pool->failed,
                          pool->failed_rank,
                          rpt__comm_size(pool->comm),
                          "",
                          "",
                          "",
                          "" };
    const char *host = pool->failed_rank >= 0
                           ? rpt__map_host_of(rpt__comm_map(pool->comm),
                                              pool->failed_rank)
                           : NULL;

    error.host = host != NULL ? host : "";
    error.what = rpt__read_str(&reader);
    error.why = rpt__read_str(&reader);
    error.hint = rpt__read_str(&reader);
    if (reader.failed) {
        error.what = "the pool cannot go on";
        error.why = error.hint = "";
    }
    rpt__fail_remote(&error);
    return pool->failed;
}

/* ---- small things ---- */

rpt_status_t rpt__pool_send(struct rpt_pool *pool, int member, enum rpt_tag tag,
                            const void *data, size_t bytes)
{
    rpt_status_t status = rpt__comm_send(pool->comm, pool->ranks[member], tag,
                                         data, bytes);

    if (status != RPT_OK) {
        /* Only memory, or the transport, which ends all waits by itself. */
        if (pool->failed == RPT_OK) {
            keep_failure(pool, status, rpt_last_error());
        }
    }
    return status;
}

void rpt__number_id(int rank, uint64_t number, char buffer[32])
{
    if (rank == 0) {
        snprintf(buffer, 32, "%llu", (unsigned long long)number);
    } else {
        snprintf(buffer, 32, "%d:%llu", rank, (unsigned long long)number);
    }
}

uint64_t rpt__id_number(int rank, const char *id)
{
    const char *digits = strchr(id, ':');
    char again[32];
    uint64_t number;

    digits = rank == 0 ? id : digits != NULL ? digits + 1 : "";
    if (digits[0] < '1' || digits[0] > '9' || strlen(id) >= sizeof again) {
        return 0;
    }
    number = strtoull(digits, NULL, 10);
    rpt__number_id(rank, number, again);
    return strcmp(again, id) == 0 ? number : 0;
}

const char *rpt__job_id(const struct rpt_pool *pool, const struct rpt_job *job,
                        char buffer[32])
{
    if (job->name != NULL) {
        return rpt__name_text(job->name);
    }
    rpt__number_id(rpt__comm_rank(pool->comm), job->number, buffer);
    return buffer;
}

struct rpt_comm *rpt__pool_comm(const struct rpt_pool *pool)
{
    return pool->comm;
}

/* ---- the loop ---- */

static int poll_pool(struct rpt_poller *self)
{
    struct rpt_pool *pool =
        (struct rpt_pool *)((char *)self - offsetof(struct rpt_pool, poller));
    int n = rpt__functions_collect(pool);

    n += rpt__programs_poll(pool);
    n += rpt__watches_poll(pool);
    if (pool->worker.n_queued > 0 || pool->worker.n_running > 0 ||
        !TAILQ_EMPTY(&pool->owner.retrying) ||
        !TAILQ_EMPTY(&pool->owner.retry_ready)) {
        double now = rpt__now_s();

        n += rpt__queue_timers(pool, now);
        n += rpt__worker_timers(pool, now);
    }
    n += rpt__owner_skip(pool);
    n += rpt__functions_run_inline(pool);
    n += rpt__worker_dispatch(pool);
    n += rpt__programs_stage(pool);
    rpt__worker_ask(pool);
    rpt__owner_nudge(pool);
    n += rpt__ending_poll(pool);
    if (pool->resume != NULL) {
        rpt__resume_check(pool);
    }
    rpt__worker_flush(pool);
    return n;
}

static double next_moment(struct rpt_poller *self)
{
    struct rpt_pool *pool =
        (struct rpt_pool *)((char *)self - offsetof(struct rpt_pool, poller));
    double next = rpt__queue_next_s(pool);
    double worker = rpt__worker_next_s(pool);
    double keeper = pool->worker.keeper != NULL
                        ? rpt__keeper_next_s(pool->worker.keeper)
                        : INFINITY;
    double watches = rpt__watches_next_s(pool);

    next = worker < next ? worker : next;
    next = watches < next ? watches : next;
    next = keeper < next ? keeper : next;
    if (pool->ending.stopping && pool->ending.kill_at_s < next) {
        next = pool->ending.kill_at_s;
    }
    return next;
}

/* ---- delivering ---- */

static void deliver_one(struct rpt_pool *pool, struct rpt_box *box)
{
    rpt_result_fn on_result = pool->on_result;
    rpt_output_fn on_output = pool->on_output;
    void *result_user = pool->on_result_user;
    void *output_user = pool->on_output_user;

    rpt__engine_unlock(pool->engine);
    if (box->stream == 0 && on_result != NULL) {
        on_result(&box->result, result_user);
    } else if (box->stream != 0 && on_output != NULL) {
        on_output(box->result.id, box->stream, box->result.stdout_data,
                  box->result.stdout_bytes, output_user);
    }
    rpt__engine_lock(pool->engine);
    rpt__box_release(box);
}

static void deliver(struct rpt_pool *pool)
{
    struct rpt_box *box;
    int n = 0;

    if (pool->delivering) {
        return; /* a callback waits: its own call goes on delivering later */
    }
    pool->delivering = true;
    pool->deliverer = pthread_self();
    while ((box = STAILQ_FIRST(&pool->deliver)) != NULL) {
        STAILQ_REMOVE_HEAD(&pool->deliver, link);
        deliver_one(pool, box);
        n++;
    }
    pool->delivering = false;
    if (n > 0) { /* the end of all work may have waited for that */
        rpt__engine_tell(pool->engine);
        rpt__engine_ring(pool->engine);
    }
}

struct wait {
    struct rpt_pool *pool;
    rpt_done_fn done;
    void *arg;
};

static bool must_give_up(const struct rpt_pool *pool)
{
    return pool->failed != RPT_OK && pool->ending.n_inside == 0;
}

static bool has_something(void *arg)
{
    const struct wait *wait = arg;
    struct rpt_pool *pool = wait->pool;

    return wait->done(wait->arg) || must_give_up(pool) ||
           (!pool->delivering && !STAILQ_EMPTY(&pool->deliver)) ||
           (!TAILQ_EMPTY(&pool->worker.to_waiting) &&
            rpt__gangs_next_waiting(pool) != NULL);
}

rpt_status_t rpt__pool_wait_for(struct rpt_pool *pool, rpt_done_fn done,
                                void *arg, double timeout_s)
{
    struct wait wait = { pool, done, arg };
    double since = rpt__now_s();
    double limit = timeout_s < 0 ? INFINITY : since + timeout_s;

    for (;;) {
        double left = timeout_s < 0 ? -1 : limit - rpt__now_s();
        rpt_status_t status = rpt__comm_wait_long(
            pool->comm, has_something, &wait,
            timeout_s >= 0 && left < 0 ? 0 : left, since);

        deliver(pool);
        rpt__functions_run_waiting(pool);
        if (done(arg)) {
            return RPT_OK;
        }
        if (must_give_up(pool)) {
            return rpt__pool_fail(pool);
        }
        if (status != RPT_OK) {
            return status;
        }
    }
}

static bool all_ended(void *arg)
{
    const struct rpt_pool *pool = arg;

    return rpt__owner_unfinished(pool) == 0 &&
           (pool->delivering || STAILQ_EMPTY(&pool->deliver));
}

rpt_status_t rpt__pool_wait(struct rpt_pool *pool, double timeout_s)
{
    rpt_status_t status = rpt__pool_wait_for(pool, all_ended, pool, timeout_s);

    return status == RPT_OK && pool->failed != RPT_OK ? rpt__pool_fail(pool)
                                                      : status;
}

void rpt__pool_on_result(struct rpt_pool *pool, rpt_result_fn fn, void *user)
{
    pool->on_result = fn;
    pool->on_result_user = user;
}

void rpt__pool_on_output(struct rpt_pool *pool, rpt_output_fn fn, void *user)
{
    pool->on_output = fn;
    pool->on_output_user = user;
}

rpt_status_t rpt__pool_cancel(struct rpt_pool *pool, const char *id)
{
    struct rpt_name *name = rpt__names_find(pool, id);
    struct rpt_job *job = name != NULL ? rpt__name_job(name) : NULL;
    char buffer[32];

    if (name == NULL) {
        /* It may be the number of a task without an id. */
        for (uint32_t i = 0; job == NULL && i < pool->owner.n_jobs; i++) {
            struct rpt_job *j = pool->owner.jobs[i];

            if (j != NULL && j->state != RPT_JOB_GHOST && j->name == NULL &&
                strcmp(rpt__job_id(pool, j, buffer), id) == 0) {
                job = j;
            }
        }
        if (job == NULL && !rpt__number_was_given(pool, id)) {
            rpt__fail(RPT_ERR_NOT_FOUND,
                      "there is no task \"%s\" to be cancelled", id);
            rpt__fail_hint("only the rank that submitted a task can cancel "
                           "it");
            return RPT_ERR_NOT_FOUND;
        }
    }
    if (job == NULL) {
        return RPT_END;
    }
    rpt__engine_ring(pool->engine);
    return rpt__job_cancel(pool, job);
}

void rpt__pool_stats(struct rpt_pool *pool, rpt_pool_stats_t *stats)
{
    const struct rpt_owner *o = &pool->owner;
    rpt_pool_stats_t all = {
        .submitted = o->submitted,
        .queued = o->submitted - o->ended - o->running,
        .running = o->running,
        .ended = o->ended,
        .resumed = o->resumed,
        .retried = o->retried,
        .ran_here = pool->worker.ran,
        .slots = pool->worker.total.slots,
        .total_slots = pool->total_slots,
        .busy_s = pool->worker.busy_s,
        .checkpoints = o->checkpoints,
        .restored = o->restored,
        .wasted_s = o->wasted_s,
    };
    size_t size = stats->size < sizeof all ? stats->size : sizeof all;

    memcpy(all.by_outcome, o->by_outcome, sizeof all.by_outcome);
    all.size = stats->size;
    memcpy(stats, &all, size);
}

/* ---- making ---- */

/* What ranks tell each other first. */
struct hello {
    struct rpt_caps caps;
    rpt_status_t status;
    uint32_t generation; /* of the last pool this rank was in */
    char resources[RPT_MAX_NEEDS][RPT_NAME_BYTES];
    int32_t n_resources;
    char what[256], why[256], hint[256];
};

static void read_options(struct rpt_pool *pool)
{
    const rpt_options_t *o = rpt__comm_options(pool->comm);

    pool->grace_s = rpt__option_seconds(o, RPT_OPT_POOL_GRACE_S);
    pool->backoff_s = rpt__option_seconds(o, RPT_OPT_POOL_BACKOFF_S);
    pool->prefetch_s = 1e-6 *
                       (double)rpt__option_integer(o, RPT_OPT_POOL_PREFETCH_US);
    pool->capture_bytes = rpt__option_size(o, RPT_OPT_POOL_CAPTURE_BYTES);
    pool->queue_limit = (uint64_t)rpt__option_integer(o,
                                                      RPT_OPT_POOL_QUEUE_LIMIT);
    pool->full_is_error = strcmp(rpt__option_text(o, RPT_OPT_POOL_QUEUE_FULL),
                                 "error") == 0;
    pool->pin = rpt__option_switch(o, RPT_OPT_POOL_PIN);
    pool->retry_failed = rpt__option_switch(o, RPT_OPT_POOL_RETRY_FAILED);
    pool->keeper_path = rpt__option_text(o, RPT_OPT_POOL_KEEPER);
    pool->state_dir = rpt__option_text(o, RPT_OPT_POOL_STATE_DIR);
    pool->checkpoint_dir = rpt__option_text(o, RPT_OPT_POOL_CHECKPOINT_DIR);
    pool->checkpoint_keep = rpt__option_switch(o, RPT_OPT_POOL_CHECKPOINT_KEEP);
}

static rpt_status_t check_options(struct rpt_pool *pool)
{
    const char *full = rpt__option_text(rpt__comm_options(pool->comm),
                                        RPT_OPT_POOL_QUEUE_FULL);

    if (strcmp(full, "wait") != 0 && strcmp(full, "error") != 0) {
        rpt__fail(RPT_ERR_PARSE, "option pool.queue_full cannot be \"%s\"",
                  full);
        rpt__fail_hint("give wait or error");
        return RPT_ERR_PARSE;
    }
    return rpt__saving_signal(pool);
}

static rpt_status_t list_members(struct rpt_pool *pool,
                                 const struct rpt_group *group)
{
    int size = rpt__comm_size(pool->comm), n = 0;
    size_t members = (size_t)pool->n;
    int *all = malloc((size_t)size * sizeof *all);

    pool->ranks = calloc(members, sizeof *pool->ranks);
    pool->member_of = malloc((size_t)size * sizeof *pool->member_of);
    pool->order = calloc(members, sizeof *pool->order);
    pool->place = calloc(members, sizeof *pool->place);
    pool->caps = calloc(members, sizeof *pool->caps);
    if (all == NULL || pool->ranks == NULL || pool->member_of == NULL ||
        pool->order == NULL || pool->place == NULL || pool->caps == NULL) {
        free(all);
        return rpt__fail_nomem((size_t)size * sizeof *all);
    }
    for (int r = 0; r < size; r++) {
        pool->member_of[r] = -1;
    }
    for (int m = 0; m < pool->n; m++) {
        pool->ranks[m] = rpt__group_world_rank(group, m);
        pool->member_of[pool->ranks[m]] = m;
    }
    rpt__map_order(rpt__comm_map(pool->comm), rpt__comm_rank(pool->comm), all);
    for (int i = 0; i < size - 1; i++) {
        if (pool->member_of[all[i]] >= 0) {
            pool->place[pool->member_of[all[i]]] = n;
            pool->order[n++] = pool->member_of[all[i]];
        }
    }
    free(all);
    return RPT_OK;
}

static int index_of_resource(struct rpt_pool *pool, const char *name)
{
    int i = 0;

    while (i < pool->n_resources && strcmp(pool->resources[i], name) != 0) {
        i++;
    }
    if (i == pool->n_resources && i < RPT_MAX_NEEDS) {
        strcpy(pool->resources[i], name);
        pool->n_resources++;
    }
    return i;
}

/* Amounts by the pool's common list of names, in the order of the ranks. */
static rpt_status_t merge(struct rpt_pool *pool, const struct hello *all)
{
    for (int m = 0; m < pool->n; m++) {
        struct rpt_caps *caps = &pool->caps[m];

        if (all[m].generation >= pool->generation) {
            pool->generation = all[m].generation + 1;
        }
        caps->slots = all[m].caps.slots;
        caps->memory_mib = all[m].caps.memory_mib;
        for (int i = 0; i < all[m].n_resources; i++) {
            int at = index_of_resource(pool, all[m].resources[i]);

            if (at == RPT_MAX_NEEDS) {
                return rpt__fail(RPT_ERR_OVERFLOW,
                                 "the ranks have more than %d different "
                                 "resources in pool.resources",
                                 RPT_MAX_NEEDS);
            }
            caps->units[at] += all[m].caps.units[i];
        }
        pool->total_slots += caps->slots;
    }
    return RPT_OK;
}

static void say_hello(struct rpt_pool *pool, struct hello *mine,
                      rpt_status_t status)
{
    int n = 0;

    memset(mine, 0, sizeof *mine);
    if (status == RPT_OK) {
        status = check_options(pool);
    }
    if (status == RPT_OK) {
        status = rpt__caps_own(pool, &mine->caps, mine->resources, &n);
    }
    mine->generation = *rpt__comm_pool_generation(pool->comm);
    mine->n_resources = n;
    mine->status = status;
    if (status != RPT_OK) {
        const rpt_error_t *error = rpt_last_error();

        snprintf(mine->what, sizeof mine->what, "%s", error->what);
        snprintf(mine->why, sizeof mine->why, "%s", error->why);
        snprintf(mine->hint, sizeof mine->hint, "%s", error->hint);
    }
}

/* The first rank that failed speaks for all. */
static rpt_status_t first_failure(struct rpt_pool *pool,
                                  const struct hello *all)
{
    for (int m = 0; m < pool->n; m++) {
        if (all[m].status != RPT_OK) {
            const char *host = rpt__map_host_of(rpt__comm_map(pool->comm),
                                                pool->ranks[m]);
            rpt_error_t error = { sizeof error,   all[m].status,
                                  pool->ranks[m], rpt__comm_size(pool->comm),
                                  host,           all[m].what,
                                  all[m].why,     all[m].hint };

            rpt__fail_remote(&error);
            return all[m].status;
        }
    }
    return RPT_OK;
}

/* All ranks tell how they fare; all get the same answer. */
static rpt_status_t agree(struct rpt_pool *pool, struct rpt_group *group,
                          rpt_status_t status, bool with_caps)
{
    struct hello mine, *all = calloc((size_t)pool->n, sizeof *all);
    rpt_status_t exchange;

    say_hello(pool, &mine, status);
    if (all == NULL) {
        return rpt__fail_nomem((size_t)pool->n * sizeof *all);
    }
    exchange = rpt__group_exchange(group, "rpt_pool_create", &mine, sizeof mine,
                                   all);
    if (exchange == RPT_OK) {
        exchange = first_failure(pool, all);
    }
    if (exchange == RPT_OK && with_caps) {
        exchange = merge(pool, all);
    }
    free(all);
    return exchange;
}

static void warn_if_narrow(struct rpt_pool *pool)
{
    struct rpt_buf text = RPT_BUF_EMPTY;
    const char *mpi = rpt__comm_mpi_text(pool->comm);
    enum rpt_launcher launcher = mpi[0] == '\0' ? RPT_LAUNCHER_NONE
                                 : strstr(mpi, "Open MPI")
                                     ? RPT_LAUNCHER_OPENMPI
                                 : strstr(mpi, "MPICH") ? RPT_LAUNCHER_MPICH
                                                        : RPT_LAUNCHER_OTHER;

    if (launcher != RPT_LAUNCHER_NONE &&
        rpt__map_too_narrow(rpt__comm_map(pool->comm),
                            rpt__comm_rank(pool->comm),
                            pool->worker.total.slots, launcher, &text)) {
        rpt__buf_u8(&text, 0);
        if (!text.failed) {
            rpt__log_rank0(RPT_LOG_WARN, "%s", text.data);
        }
    }
    rpt__buf_free(&text);
}

static rpt_status_t build(struct rpt_pool *pool, struct rpt_group *group)
{
    rpt_status_t status = rpt__owner_create(pool);

    if (status == RPT_OK) {
        status = rpt__worker_create(pool);
    }
    if (status == RPT_OK) {
        status = rpt__gangs_create(pool);
    }
    status = agree(pool, group, status, false);
    if (status == RPT_OK && pool->state_dir[0] != '\0') {
        status = rpt__resume_open(pool, group);
    }
    return status;
}

static void start(struct rpt_pool *pool)
{
    for (size_t i = 0; i < sizeof handlers / sizeof *handlers; i++) {
        rpt__comm_handle(pool->comm, handlers[i].tag, handlers[i].fn, pool);
    }
    pool->poller.name = "pool";
    pool->poller.poll = poll_pool;
    pool->poller.next_s = next_moment;
    rpt__engine_add(pool->engine, &pool->poller);
    pool->started = true;
}

rpt_status_t rpt__pool_create(struct rpt_comm *comm, struct rpt_group *group,
                              int *n_pools, struct rpt_pool **pool_out)
{
    struct rpt_pool *pool = calloc(1, sizeof *pool);
    rpt_status_t status;

    if (pool == NULL) {
        return rpt__fail_nomem(sizeof *pool);
    }
    pool->comm = comm;
    pool->n_pools = n_pools;
    ++*n_pools;
    pool->engine = rpt__comm_engine(comm);
    pool->n = rpt__group_size(group);
    pool->me = rpt__group_rank(group);
    pool->ending.kill_at_s = INFINITY;
    STAILQ_INIT(&pool->deliver);
    TAILQ_INIT(&pool->ended_futures);
    read_options(pool);
    status = agree(pool, group, list_members(pool, group), true);
    if (status == RPT_OK) {
        *rpt__comm_pool_generation(comm) = pool->generation;
        status = build(pool, group);
    }
    if (status == RPT_OK) {
        start(pool);
        warn_if_narrow(pool);
        status = rpt__group_exchange(group, "rpt_pool_create", &status, 0,
                                     NULL);
    }
    if (status != RPT_OK) {
        rpt__pool_destroy(pool);
        return status;
    }
    *pool_out = pool;
    return RPT_OK;
}

/* ---- releasing ---- */

static void free_jobs(struct rpt_pool *pool)
{
    for (uint32_t i = 0; i < pool->owner.n_jobs; i++) {
        struct rpt_job *job = pool->owner.jobs[i];

        if (job != NULL) {
            rpt__gang_forget(pool, job);
            free(job);
        }
    }
    free(pool->owner.jobs);
    free(pool->owner.free_index);
    free(pool->owner.untold);
    free(pool->owner.told);
    free(pool->owner.starved_at);
    free(pool->owner.idle);
    rpt__queue_free(pool);
    rpt__names_free(pool);
}

void rpt__pool_destroy(struct rpt_pool *pool)
{
    struct rpt_box *box;

    if (pool == NULL) {
        return;
    }
    if (pool->started) {
        rpt__engine_remove(pool->engine, &pool->poller);
        for (size_t i = 0; i < sizeof handlers / sizeof *handlers; i++) {
            rpt__comm_handle(pool->comm, handlers[i].tag, NULL, NULL);
        }
        rpt__programs_stop(pool);
        rpt__watches_stop(pool);
        rpt__functions_stop(pool);
    }
    rpt__remover_stop(pool);
    if (pool->gangs != NULL) {
        free_jobs(pool);
    }
    rpt__gangs_destroy(pool);
    rpt__resume_close(pool);
    if (pool->worker.slot_used != NULL) {
        rpt__worker_destroy(pool);
    }
    while ((box = STAILQ_FIRST(&pool->deliver)) != NULL) {
        STAILQ_REMOVE_HEAD(&pool->deliver, link);
        rpt__box_release(box);
    }
    free(pool->ranks);
    free(pool->member_of);
    free(pool->order);
    free(pool->place);
    free(pool->caps);
    rpt__buf_free(&pool->scratch);
    rpt__buf_free(&pool->failed_text);
    --*pool->n_pools;
    free(pool);
}
