/*
 * owner.c - the side of a task that submitted it: gives work to those who ask
 *
 * A rank that has not asked yet is told once that there is work (NUDGE).  It
 * asks (ASK) until it gets nothing (GIVE with no task), is then known to be
 * idle, and gets tasks unasked when there is work again.  One that is busy when
 * told says so ("no, thanks"), so that the next one is told instead, and asks
 * when it has time.  So the messages are proportional to the work and idle
 * ranks cost nothing.
 */
#include "pool/pool_priv.h"

#include "base/clock.h"
#include "base/error.h"

#include <stdlib.h>
#include <string.h>

enum { GIVE_BYTES = 28 * 1024, BACKLOG_BYTES = 4 << 20, ASK_MAX = 1024 };

rpt_status_t rpt__owner_create(struct rpt_pool *pool)
{
    struct rpt_owner *owner = &pool->owner;

    rpt__queue_create(pool);
    TAILQ_INIT(&owner->retrying);
    TAILQ_INIT(&owner->retry_ready);
    TAILQ_INIT(&owner->hopeless);
    owner->untold = calloc((size_t)pool->n, sizeof *owner->untold);
    owner->told = calloc((size_t)pool->n, sizeof *owner->told);
    owner->starved_at = calloc((size_t)pool->n, sizeof *owner->starved_at);
    if (owner->untold == NULL || owner->told == NULL ||
        owner->starved_at == NULL) {
        return rpt__fail_nomem((size_t)pool->n * sizeof *owner->untold);
    }
    for (int i = 0; i < pool->n - 1; i++) {
        owner->untold[i] = pool->order[i];
    }
    owner->n_untold = pool->n - 1;
    return RPT_OK;
}

/* ---- who knows that there is work ---- */

static void is_untold(struct rpt_pool *pool, int member)
{
    struct rpt_owner *owner = &pool->owner;

    owner->starved_at[member] = owner->n_ready > 0 ? owner->n_added : 0;
    if (owner->told[member]) {
        owner->told[member] = false;
        owner->untold[(owner->untold_head + owner->n_untold) % pool->n] =
            member;
        owner->n_untold++;
    }
}

/* One that found nothing that fits is not told of the same jobs again. */
static bool may_be_told(const struct rpt_owner *owner, int member)
{
    return owner->starved_at[member] == 0 ||
           owner->starved_at[member] != owner->n_added;
}

/* ---- giving ---- */

static void pack_job(struct rpt_buf *buf, struct rpt_job *job)
{
    static const char padding[8];
    size_t bytes = (job->spec_bytes + 7) & ~(size_t)7;
    struct rpt_given given = { job->index, job->attempts, job->number,
                               job->spec_bytes };

    rpt__buf_add(buf, &given, sizeof given);
    rpt__buf_add(buf, job->spec, job->spec_bytes);
    rpt__buf_add(buf, padding, bytes - job->spec_bytes);
}

/* As many jobs as fit what the member has free, and then plain ones to be
 * fetched ahead, up to `want` in all. */
static uint32_t give(struct rpt_pool *pool, int member, struct rpt_caps *free,
                     enum rpt_take how, uint32_t want, struct rpt_buf *buf)
{
    uint32_t n = 0;

    while (n < want && buf->bytes < GIVE_BYTES && !buf->failed) {
        bool ahead = free->slots <= 0;
        struct rpt_job *job = rpt__queue_take(pool, member, free,
                                              ahead ? RPT_TAKE_AHEAD : how);

        if (job == NULL && !ahead) {
            free->slots = 0; /* what does not fit may still be fetched ahead */
            continue;
        }
        if (job == NULL) {
            break;
        }
        job->attempts++;
        if (job->spec->kind == RPT_KIND_GANG) {
            rpt__gang_request(pool, job);
            continue;
        }
        if (!ahead) {
            rpt__caps_take(free, &job->class_->needs);
        }
        pack_job(buf, job);
        n++;
    }
    return n;
}

/* Answers what a member asked for, with tasks or with none; gives how many. */
static uint32_t answer(struct rpt_pool *pool, int member,
                       const struct rpt_ask *ask, bool also_with_none)
{
    struct rpt_buf *buf = &pool->scratch;
    struct rpt_give give_head = { { pool->generation, 0 }, 0, 0 };
    struct rpt_caps free = ask->free;
    enum rpt_take how = ask->how == RPT_TAKE_ANY ? RPT_TAKE_ANY
                                                 : RPT_TAKE_FITTING;
    uint32_t want = ask->want < ASK_MAX ? ask->want : ASK_MAX;

    /* Flow control: a rank that does not keep up with what it was sent gets
     * no more until it has. */
    if (rpt__comm_backlog(pool->comm, pool->ranks[member]) > BACKLOG_BYTES) {
        want = 1;
    }
    rpt__buf_clear(buf);
    rpt__buf_add(buf, &give_head, sizeof give_head);
    give_head.head.what = give(pool, member, &free, how, want, buf);
    give_head.more = pool->owner.n_ready > 0;
    if (buf->failed) {
        rpt__pool_broken(pool, rpt__buf_status(buf));
        return 0;
    }
    memcpy(buf->data, &give_head, sizeof give_head);
    if (give_head.head.what > 0 || also_with_none) {
        rpt__pool_send(pool, member, RPT_TAG_POOL_GIVE, buf->data, buf->bytes);
    }
    return give_head.head.what;
}

/* Remembers that a member has nothing to do, and what it wants. */
static void is_idle(struct rpt_pool *pool, int member,
                    const struct rpt_ask *ask)
{
    struct rpt_owner *owner = &pool->owner;

    is_untold(pool, member);
    if (owner->idle == NULL) {
        owner->idle = calloc((size_t)pool->n, sizeof *owner->idle);
    }
    if (owner->idle != NULL) { /* else it is told, and asks again */
        owner->idle[member] = *ask;
    }
}

void rpt__owner_on_ask(void *arg, int source, const void *data, size_t bytes)
{
    struct rpt_pool *pool = arg;
    const struct rpt_ask *ask = data;
    int member = pool->member_of[source];

    if (bytes != sizeof *ask || ask->head.generation != pool->generation) {
        return;
    }
    if (ask->answers_nudge) {
        pool->owner.n_nudged--;
    }
    if (pool->owner.idle != NULL) {
        pool->owner.idle[member].want = 0;
    }
    /* Else it is busy, and asks when it has time. */
    if (ask->want > 0 && answer(pool, member, ask, true) == 0) {
        is_idle(pool, member, ask);
    }
}

/* ---- telling ---- */

/* One that is known to be idle gets tasks at once; one that has not asked yet
 * is told. */
static void tell(struct rpt_pool *pool, int member)
{
    struct rpt_owner *owner = &pool->owner;
    struct rpt_pool_head nudge = { pool->generation, 0 };

    if (owner->idle != NULL && owner->idle[member].want > 0) {
        struct rpt_ask ask = owner->idle[member];

        owner->idle[member].want = 0;
        if (answer(pool, member, &ask, false) > 0) {
            return;
        }
        /* It may have more free by now than when it asked. */
    }
    owner->n_nudged++;
    rpt__pool_send(pool, member, RPT_TAG_POOL_NUDGE, &nudge, sizeof nudge);
}

void rpt__owner_nudge(struct rpt_pool *pool)
{
    struct rpt_owner *owner = &pool->owner;

    if (pool->ending.stopping) {
        return;
    }
    for (int left = owner->n_untold;
         left > 0 && (uint64_t)owner->n_nudged < owner->n_ready; left--) {
        int member = owner->untold[owner->untold_head];

        owner->untold_head = (owner->untold_head + 1) % pool->n;
        owner->n_untold--;
        owner->told[member] = true;
        if (may_be_told(owner, member)) {
            tell(pool, member);
        } else {
            uint64_t starved_at = owner->starved_at[member];

            is_untold(pool, member);
            owner->starved_at[member] = starved_at;
        }
    }
}

static struct rpt_job *job_of(struct rpt_pool *pool, uint32_t token)
{
    return token < pool->owner.n_jobs ? pool->owner.jobs[token] : NULL;
}

void rpt__owner_on_back(void *arg, int source, const void *data, size_t bytes)
{
    struct rpt_pool *pool = arg;
    const struct rpt_pool_head *head = data;
    const uint32_t *token = (const uint32_t *)(head + 1);

    (void)source;
    if (bytes < sizeof *head || head->generation != pool->generation ||
        bytes != sizeof *head + head->what * sizeof *token) {
        return;
    }
    /* From the last to the first, so that they stand in the queue as before. */
    for (uint32_t i = head->what; i-- > 0;) {
        struct rpt_job *job = job_of(pool, token[i]);

        if (job == NULL || job->state != RPT_JOB_GIVEN) {
            continue;
        }
        rpt__job_unstart(pool, job);
        if (job->cancelled) {
            rpt__job_end_without_run(pool, job, RPT_OUTCOME_CANCELLED,
                                     "cancelled before it started");
        } else {
            rpt__queue_add_front(pool, job);
        }
    }
    if (pool->ending.stopping) {
        rpt__owner_drop(pool);
    }
}

/* ---- results ---- */

void rpt__owner_started(struct rpt_pool *pool, struct rpt_job *job)
{
    if (!job->started) {
        job->started = 1;
        pool->owner.running++;
        if (pool->resume != NULL) {
            rpt__resume_started(pool, job);
        }
    }
}

void rpt__job_unstart(struct rpt_pool *pool, struct rpt_job *job)
{
    job->attempts--;
    job->rank = -1;
    pool->owner.running -= job->started;
    job->started = 0;
}

static bool read_report(struct rpt_pool *pool, int source,
                        struct rpt_reader *reader)
{
    uint8_t what = rpt__read_u8(reader);
    struct rpt_job *job = job_of(pool, rpt__read_u32(reader));
    struct rpt_end end;

    if (job == NULL || job->state != RPT_JOB_GIVEN) {
        return false;
    }
    if (what == RPT_REPORT_START) {
        rpt__owner_started(pool, job);
        return true;
    }
    if (what == RPT_REPORT_STDOUT || what == RPT_REPORT_STDERR) {
        size_t bytes;
        const void *chunk = rpt__read_blob(reader, &bytes);

        rpt__job_output(pool, job, what == RPT_REPORT_STDOUT ? 1 : 2, chunk,
                        bytes);
        return true;
    }
    if (!rpt__attempt_unpack(reader, &end)) {
        return false;
    }
    end.attempts = job->attempts;
    if (job->gang == NULL ||
        rpt__gang_member_ended(pool, job, pool->member_of[source], &end)) {
        rpt__job_attempt_ended(pool, job, &end);
    }
    return true;
}

void rpt__owner_on_result(void *arg, int source, const void *data, size_t bytes)
{
    struct rpt_pool *pool = arg;
    const struct rpt_pool_head *head = data;
    struct rpt_reader reader;

    if (bytes < sizeof *head || head->generation != pool->generation) {
        return;
    }
    reader = rpt__reader(head + 1, bytes - sizeof *head);
    while (reader.next < reader.end && !reader.failed) {
        if (!read_report(pool, source, &reader)) {
            rpt__fail(RPT_ERR_INTERNAL,
                      "rank %d reported a task that it was not given", source);
            rpt__pool_broken(pool, RPT_ERR_INTERNAL);
            return;
        }
    }
}

/* ---- dropping, skipping ---- */

int rpt__owner_skip(struct rpt_pool *pool)
{
    struct rpt_job *job;
    int n = 0;

    while ((job = TAILQ_FIRST(&pool->owner.hopeless)) != NULL) {
        rpt__job_end_without_run(pool, job, RPT_OUTCOME_SKIPPED,
                                 "a task that it depends on did not succeed");
        n++;
    }
    return n;
}

void rpt__owner_drop(struct rpt_pool *pool)
{
    struct rpt_end end = {
        .outcome = RPT_OUTCOME_CANCELLED,
        .exit_code = -1,
        .rank = -1,
        .by_shutdown = true,
        .message = "not run: the pool was shut down",
    };

    for (uint32_t i = 0; i < pool->owner.n_jobs; i++) {
        struct rpt_job *job = pool->owner.jobs[i];

        if (job != NULL && job->state == RPT_JOB_GIVEN && job->gang != NULL &&
            !rpt__gang_runs(job)) {
            rpt__gang_forget(pool, job);
        } else if (job == NULL || job->state == RPT_JOB_GIVEN ||
                   job->state == RPT_JOB_GHOST) {
            job = NULL;
        }
        if (job != NULL) {
            pool->owner.dropped++;
            end.attempts = job->attempts;
            rpt__job_end(pool, job, &end);
        }
    }
}
