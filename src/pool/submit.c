/*
 * submit.c - tasks become jobs: all of a batch, or none
 *
 * First everything that can be wrong is looked at (functions, resources, ids,
 * dependencies, cycles); then jobs are made; only when all exist are they
 * queued, journalled and given numbers.
 */
#include "pool/pool_priv.h"

#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static rpt_status_t find_resources(struct rpt_pool *pool,
                                   const struct rpt_task *task,
                                   int index[RPT_MAX_NEEDS])
{
    for (int i = 0; i < task->n_needs; i++) {
        int r = 0;

        while (r < pool->n_resources &&
               strcmp(pool->resources[r], task->needs[i].name) != 0) {
            r++;
        }
        if (r == pool->n_resources) {
            rpt__fail(RPT_ERR_UNSUPPORTED, "no rank has a resource \"%s\"",
                      task->needs[i].name);
            rpt__fail_hint("say what each rank has with option "
                           "pool.resources, such as %s=1",
                           task->needs[i].name);
            return RPT_ERR_UNSUPPORTED;
        }
        index[i] = r;
    }
    return RPT_OK;
}

/* What a task needs of a rank, beside the most that one has. */
static void say_needs(struct rpt_pool *pool, const struct rpt_spec *spec,
                      int most_slots, uint64_t most_memory)
{
    const struct rpt_need *need = rpt__spec_needs(spec);
    char text[512];
    size_t used = (size_t)snprintf(
        text, sizeof text,
        "slots: %d of at most %d; memory: %llu of at most "
        "%llu MiB",
        spec->slots, most_slots, (unsigned long long)spec->memory_mib,
        (unsigned long long)most_memory);

    for (int i = 0; i < spec->n_needs && used < sizeof text - 64; i++) {
        int most = 0;

        for (int m = 0; m < pool->n; m++) {
            int has = pool->caps[m].units[need[i].resource];

            most = has > most ? has : most;
        }
        used += (size_t)snprintf(
            text + used, sizeof text - used, "; %s: %d of at most %d",
            pool->resources[need[i].resource], need[i].units, most);
    }
    rpt__fail_why("what it needs, and what a rank has: %s", text);
}

static rpt_status_t check_capacity(struct rpt_pool *pool,
                                   const struct rpt_spec *spec)
{
    struct rpt_caps needs;
    int n_able = 0, most_slots = 0;
    uint64_t most_memory = 0;

    rpt__caps_of_spec(spec, &needs);
    for (int m = 0; m < pool->n && n_able < spec->n_ranks; m++) {
        n_able += rpt__caps_fit(&needs, &pool->caps[m]);
        most_slots = pool->caps[m].slots > most_slots ? pool->caps[m].slots
                                                      : most_slots;
        most_memory = pool->caps[m].memory_mib > most_memory
                          ? pool->caps[m].memory_mib
                          : most_memory;
    }
    if (n_able >= spec->n_ranks) {
        return RPT_OK;
    }
    if (spec->n_ranks > 1) {
        rpt__fail(RPT_ERR_UNSUPPORTED,
                  "a gang of %d ranks can never run: %d of %d ranks can join",
                  spec->n_ranks, n_able, pool->n);
    } else {
        rpt__fail(RPT_ERR_UNSUPPORTED, "no rank can ever run the task");
    }
    if (spec->n_ranks > pool->n) {
        rpt__fail_why("the pool has %d ranks", pool->n);
    } else {
        say_needs(pool, spec, most_slots, most_memory);
    }
    rpt__fail_hint("start fewer ranks with more slots each, raise pool.slots, "
                   "pool.memory or pool.resources, or ask for less");
    return RPT_ERR_UNSUPPORTED;
}

static rpt_status_t check_task(struct rpt_pool *pool,
                               const struct rpt_task *task)
{
    if (!task->defined) {
        rpt__fail(RPT_ERR_INVALID, "the task has nothing to run");
        rpt__fail_hint("call rpt_task_set_program(), _shell() or _function()");
        return RPT_ERR_INVALID;
    }
    if (task->checkpoint_s > 0 && pool->checkpoint_dir[0] == '\0') {
        rpt__fail(RPT_ERR_INVALID, "the task asks for checkpoints, and there "
                                   "is no place for them");
        rpt__fail_why("option pool.checkpoint_dir is empty");
        rpt__fail_hint("set it, on all ranks, to a directory that all nodes "
                       "share");
        return RPT_ERR_INVALID;
    }
    if (task->kind != RPT_KIND_PROGRAM && task->function != NULL &&
        rpt__function_find(pool, rpt__function_hash(task->function)) == NULL) {
        rpt__fail(RPT_ERR_NOT_FOUND, "there is no function \"%s\"",
                  task->function);
        rpt__fail_hint("register it with rpt_pool_register() on every rank, "
                       "before tasks are submitted");
        return RPT_ERR_NOT_FOUND;
    }
    return RPT_OK;
}

static rpt_status_t take_index(struct rpt_owner *owner, struct rpt_job *job)
{
    if (owner->n_free > 0) {
        job->index = owner->free_index[--owner->n_free];
    } else {
        if (owner->n_jobs == owner->capacity) {
            uint32_t capacity = owner->capacity > 0 ? 2 * owner->capacity : 256;
            struct rpt_job **jobs = realloc(owner->jobs,
                                            capacity * sizeof *jobs);
            uint32_t *free_index;

            if (jobs == NULL) {
                return rpt__fail_nomem(capacity * sizeof *jobs);
            }
            owner->jobs = jobs;
            free_index = realloc(owner->free_index,
                                 capacity * sizeof *free_index);
            if (free_index == NULL) {
                return rpt__fail_nomem(capacity * sizeof *free_index);
            }
            owner->free_index = free_index;
            owner->capacity = capacity;
        }
        job->index = owner->n_jobs++;
    }
    owner->jobs[job->index] = job;
    return RPT_OK;
}

/* The spec of a task that can run here, in pool->scratch. */
static rpt_status_t pack_spec(struct rpt_pool *pool,
                              const struct rpt_task *task)
{
    int index[RPT_MAX_NEEDS];
    struct rpt_buf *buf = &pool->scratch;
    rpt_status_t status = check_task(pool, task);

    if (status == RPT_OK) {
        status = find_resources(pool, task, index);
    }
    if (status != RPT_OK) {
        return status;
    }
    rpt__buf_clear(buf);
    status = rpt__task_pack(task, index, buf);
    if (status == RPT_OK) {
        status = check_capacity(pool, (const struct rpt_spec *)buf->data);
    }
    return status;
}

rpt_status_t rpt__pool_check(struct rpt_pool *pool, const rpt_task_t *task)
{
    return pool->failed == RPT_OK ? pack_spec(pool, task)
                                  : rpt__pool_fail(pool);
}

/* A job that is in no list and has no number yet. */
static rpt_status_t make_job(struct rpt_pool *pool, const struct rpt_task *task,
                             struct rpt_job **job_out)
{
    const struct rpt_buf *buf = &pool->scratch;
    struct rpt_job *job;
    rpt_status_t status = pack_spec(pool, task);

    if (status != RPT_OK) {
        return status;
    }
    job = malloc(sizeof *job + buf->bytes);
    if (job == NULL) {
        return rpt__fail_nomem(sizeof *job + buf->bytes);
    }
    memset(job, 0, sizeof *job);
    memcpy(job->spec, buf->data, buf->bytes);
    job->spec_bytes = (uint32_t)buf->bytes;
    job->retries = task->retries;
    job->rank = -1;
    job->state = RPT_JOB_WAITING;
    job->class_ = rpt__queue_class(pool, job->spec);
    status = job->class_ != NULL ? take_index(&pool->owner, job)
                                 : RPT_ERR_NOMEM;
    if (status != RPT_OK) {
        free(job);
        return status;
    }
    *job_out = job;
    return RPT_OK;
}

void rpt__job_release(struct rpt_pool *pool, struct rpt_job *job)
{
    struct rpt_owner *owner = &pool->owner;

    rpt__gang_forget(pool, job);
    owner->jobs[job->index] = NULL;
    owner->free_index[owner->n_free++] = job->index;
    free(job);
}

/* ---- dependencies ---- */

static rpt_status_t unknown_dependency(const struct rpt_task *task,
                                       const char *id)
{
    rpt__fail(RPT_ERR_NOT_FOUND, "task \"%s\" is to start after \"%s\"",
              task->id != NULL ? task->id : "(without id)", id);
    rpt__fail_why("no task of that id was submitted on this rank");
    rpt__fail_hint("submit it before, or in the same batch");
    return RPT_ERR_NOT_FOUND;
}

static rpt_status_t depend(struct rpt_pool *pool, const struct rpt_task *task,
                           struct rpt_job *job)
{
    struct rpt_reader after = rpt__reader(task->after.data, task->after.bytes);
    bool hopeless = false;

    for (size_t i = 0; i < task->n_after; i++) {
        const char *id = rpt__read_str(&after);
        struct rpt_name *name = rpt__names_find(pool, id);
        rpt_status_t status = name != NULL
                                  ? rpt__name_wait(name, job, &hopeless)
                                  : unknown_dependency(task, id);

        if (status != RPT_OK) {
            return status;
        }
    }
    job->doomed = hopeless;
    return RPT_OK;
}

/* Kahn's algorithm over the batch: what cannot be sorted is in a cycle.  Only
 * tasks of the batch can be, since older ones never wait for newer ones. */
struct sorter {
    struct rpt_table place; /* name -> index + 1 */
    uint32_t *n_waits;      /* by index */
    size_t *stack;
};

static rpt_status_t find_cycle(struct rpt_pool *pool, struct sorter *s,
                               const rpt_task_t *const tasks[], size_t n)
{
    size_t *first = s->stack + n; /* edge from a task, 0: none */
    size_t n_edges = 0, n_sorted = 0, top = 0;
    size_t *edge; /* pairs: the task that waits, the next edge */

    for (size_t i = 0; i < n; i++) {
        n_edges += tasks[i]->n_after;
    }
    edge = calloc(n_edges + 1, 2 * sizeof *edge);
    if (edge == NULL) {
        return rpt__fail_nomem(n_edges * 2 * sizeof *edge);
    }
    n_edges = 0;
    for (size_t i = 0; i < n; i++) {
        struct rpt_reader after = rpt__reader(tasks[i]->after.data,
                                              tasks[i]->after.bytes);

        for (size_t a = 0; a < tasks[i]->n_after; a++) {
            struct rpt_name *name = rpt__names_find(pool,
                                                    rpt__read_str(&after));
            struct rpt_digest key = { (uint64_t)(uintptr_t)name,
                                      (uint64_t)(uintptr_t)name >> 4 };
            size_t to = (size_t)(uintptr_t)rpt__table_get(&s->place, key);

            if (to > 0) { /* else an older task */
                n_edges++;
                edge[2 * n_edges] = i;
                edge[2 * n_edges + 1] = first[to - 1];
                first[to - 1] = n_edges;
                s->n_waits[i]++;
            }
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (s->n_waits[i] == 0) {
            s->stack[top++] = i;
        }
    }
    while (top > 0) {
        size_t i = s->stack[--top];

        n_sorted++;
        for (size_t e = first[i]; e != 0; e = edge[2 * e + 1]) {
            if (--s->n_waits[edge[2 * e]] == 0) {
                s->stack[top++] = edge[2 * e];
            }
        }
    }
    free(edge);
    return n_sorted == n ? RPT_OK : RPT_ERR_CYCLE;
}

static rpt_status_t say_cycle(const rpt_task_t *const tasks[], size_t n,
                              const uint32_t n_waits[])
{
    char list[256] = "";
    size_t used = 0, n_named = 0;

    for (size_t i = 0; i < n && n_named < 8; i++) {
        if (n_waits[i] > 0 && used < sizeof list - 1) {
            int more = snprintf(list + used, sizeof list - used, "%s\"%s\"",
                                n_named > 0 ? ", " : "",
                                tasks[i]->id != NULL ? tasks[i]->id : "?");

            used += more > 0 ? (size_t)more : 0;
            n_named++;
        }
    }
    rpt__fail(RPT_ERR_CYCLE, "the dependencies form a cycle");
    rpt__fail_why("these tasks wait for each other, or for one that does: %s",
                  list);
    rpt__fail_hint("remove one of their dependencies");
    return RPT_ERR_CYCLE;
}

static bool batch_depends(const rpt_task_t *const tasks[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (tasks[i]->n_after > 0) {
            return true;
        }
    }
    return false;
}

static rpt_status_t check_cycles(struct rpt_pool *pool,
                                 const rpt_task_t *const tasks[],
                                 struct rpt_job *jobs[], size_t n)
{
    struct sorter s = { RPT_TABLE_EMPTY, calloc(n + 1, sizeof(uint32_t)),
                        calloc(2 * n + 1, sizeof(size_t)) };
    rpt_status_t status = s.n_waits != NULL && s.stack != NULL
                              ? RPT_OK
                              : rpt__fail_nomem(n * sizeof(size_t));

    for (size_t i = 0; status == RPT_OK && i < n; i++) {
        if (jobs[i]->name != NULL) {
            uint64_t at = (uint64_t)(uintptr_t)jobs[i]->name;
            struct rpt_digest key = { at, at >> 4 };

            status = rpt__table_put(&s.place, key, (void *)(uintptr_t)(i + 1));
        }
    }
    if (status == RPT_OK && find_cycle(pool, &s, tasks, n) != RPT_OK) {
        status = say_cycle(tasks, n, s.n_waits);
    }
    rpt__table_free(&s.place, NULL);
    free(s.n_waits);
    free(s.stack);
    return status;
}

/* ---- a batch ---- */

static void unmake(struct rpt_pool *pool, struct rpt_job *jobs[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (jobs[i]->name != NULL) {
            rpt__names_forget(pool, jobs[i]->name);
        }
        free(jobs[i]->future);
    }
    for (size_t i = 0; i < n; i++) {
        rpt__job_release(pool, jobs[i]);
    }
}

static rpt_status_t make_future(struct rpt_pool *pool, struct rpt_job *job)
{
    job->future = calloc(1, sizeof *job->future);
    if (job->future == NULL) {
        return rpt__fail_nomem(sizeof *job->future);
    }
    job->future->pool = pool;
    job->future->job = job;
    return RPT_OK;
}

static rpt_status_t prepare(struct rpt_pool *pool,
                            const rpt_task_t *const tasks[], size_t n,
                            struct rpt_job *jobs[], bool with_futures)
{
    size_t made = 0;
    rpt_status_t status = RPT_OK;

    for (; status == RPT_OK && made < n; made += status == RPT_OK) {
        struct rpt_job *job = NULL;

        status = make_job(pool, tasks[made], &job);
        if (status != RPT_OK) {
            break;
        }
        jobs[made] = job;
        if (tasks[made]->id != NULL) {
            status = rpt__names_add(pool, tasks[made]->id, &job->name);
        }
        if (status == RPT_OK && with_futures) {
            status = make_future(pool, job);
        }
        if (job->name != NULL) {
            rpt__name_set_job(job->name, job);
        }
        if (status != RPT_OK) {
            unmake(pool, &job, 1);
        }
    }
    if (status == RPT_OK && batch_depends(tasks, n)) {
        for (size_t i = 0; status == RPT_OK && i < n; i++) {
            status = depend(pool, tasks[i], jobs[i]);
        }
        if (status == RPT_OK) {
            status = check_cycles(pool, tasks, jobs, n);
        }
        if (status != RPT_OK) {
            rpt__names_unwait(pool, tasks, n);
        }
    }
    if (status != RPT_OK) {
        unmake(pool, jobs, made);
    }
    return status;
}

/* A job of the same batch that was known already may have let this one go, or
 * doomed it, before its turn comes here. */
static void enqueue(struct rpt_pool *pool, struct rpt_job *job)
{
    struct rpt_end known;
    bool is_known = false;
    char buffer[32];

    if (pool->resume != NULL) {
        /* A failure to write is kept in the pool, and stops it. */
        rpt__resume_submit(pool, job, rpt__job_id(pool, job, buffer), &is_known,
                           &known);
    }
    if (is_known) {
        pool->owner.resumed++;
        rpt__job_end(pool, job, &known);
    } else if (job->state == RPT_JOB_WAITING && job->doomed) {
        job->state = RPT_JOB_HOPELESS;
        TAILQ_INSERT_TAIL(&pool->owner.hopeless, job, link);
    } else if (job->state == RPT_JOB_WAITING && job->n_waits == 0) {
        rpt__queue_add(pool, job);
    }
}

/* Room for n more under pool.queue_limit (a batch larger than that needs an
 * empty queue). */
struct room {
    struct rpt_pool *pool;
    size_t n;
};

static bool has_room(void *arg)
{
    const struct room *room = arg;
    uint64_t now = rpt__owner_unfinished(room->pool);

    return now == 0 || now + room->n <= room->pool->queue_limit;
}

static rpt_status_t wait_for_room(struct rpt_pool *pool, size_t n)
{
    struct room room = { pool, n };

    if (pool->queue_limit == 0 || has_room(&room)) {
        return RPT_OK;
    }
    /* A task that waited would keep its slot from those it waits for. */
    if (pool->full_is_error || rpt__functions_inside()) {
        rpt__fail(RPT_ERR_FULL, "%llu tasks have not ended, the limit is %llu",
                  (unsigned long long)rpt__owner_unfinished(pool),
                  (unsigned long long)pool->queue_limit);
        rpt__fail_hint("wait for some of them, or raise pool.queue_limit");
        return RPT_ERR_FULL;
    }
    return rpt__pool_wait_for(pool, has_room, &room, -1);
}

static rpt_status_t check_open(struct rpt_pool *pool)
{
    if (pool->failed != RPT_OK) {
        return rpt__pool_fail(pool);
    }
    if (pool->ending.closed || pool->ending.stopping) {
        return rpt__fail(RPT_ERR_SHUTDOWN,
                         "the pool is shut down and takes no more tasks");
    }
    return RPT_OK;
}

/* Idle ranks get or hear of the work from here; this rank's leader is woken
 * only when it could start something, or a million submissions would each
 * wake it for nothing. */
static void wake_those_who_can_start(struct rpt_pool *pool)
{
    bool any_thread = rpt__comm_any_thread(pool->comm);

    if (any_thread) {
        rpt__owner_nudge(pool);
    }
    if (!any_thread || pool->worker.free.slots > 0 ||
        !TAILQ_EMPTY(&pool->owner.hopeless) || !STAILQ_EMPTY(&pool->deliver)) {
        rpt__engine_ring(pool->engine);
    }
}

rpt_status_t rpt__pool_submit(struct rpt_pool *pool,
                              const rpt_task_t *const tasks[], size_t n,
                              rpt_future_t **futures_out)
{
    struct rpt_job *one, **jobs = &one;
    rpt_status_t status = check_open(pool);

    if (status == RPT_OK) {
        status = wait_for_room(pool, n);
    }
    if (status == RPT_OK) {
        status = check_open(pool); /* it may have been closed meanwhile */
    }
    if (status != RPT_OK || n == 0) {
        return status;
    }
    pool->begun = true;
    if (n > 1) {
        jobs = malloc(n * sizeof *jobs);
        if (jobs == NULL) {
            return rpt__fail_nomem(n * sizeof *jobs);
        }
    }
    status = prepare(pool, tasks, n, jobs, futures_out != NULL);
    if (status == RPT_OK) {
        if (futures_out != NULL) {
            pool->n_futures += n;
        }
        for (size_t i = 0; i < n; i++) {
            pool->owner.submitted++;
            jobs[i]->number = rpt__names_number(pool, jobs[i]->name != NULL);
            if (futures_out != NULL) {
                futures_out[i] = jobs[i]->future;
            }
        }
        for (size_t i = 0; i < n; i++) {
            enqueue(pool, jobs[i]);
        }
        wake_those_who_can_start(pool);
    }
    if (n > 1) {
        free(jobs);
    }
    return status;
}
