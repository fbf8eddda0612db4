/*
 * queue.c - which job comes next
 *
 * Jobs with the same needs form a class, with one FIFO a priority.  A rank that
 * asks gets the oldest job of the highest priority among the classes that fit
 * what it has free.  Adding and taking cost the number of classes, not the
 * number of jobs.
 *
 * Nobody starves: every 16th pick begins with the next lower priority, every
 * 256th with the lowest; and a job that was passed over 32 times because the
 * asker had too little free is given all the same: the asker then keeps its
 * slots for it as they become free.
 */
#include "pool/pool_priv.h"

#include "base/clock.h"
#include "base/error.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    TURN_OF_NEXT = 16,
    TURN_OF_LAST = 256,
    PASSED_OVER = 32,
    RETRIES_MAX = 4096 /* retries that one pick looks at */
};
#define AVOID_S 1.0 /* so long a retry waits for another rank */

struct rpt_class *rpt__queue_class(struct rpt_pool *pool,
                                   const struct rpt_spec *spec)
{
    struct rpt_class *class_;
    struct rpt_caps needs;

    rpt__caps_of_spec(spec, &needs);
    for (class_ = pool->owner.classes; class_ != NULL; class_ = class_->next) {
        if (class_->is_gang == (spec->kind == RPT_KIND_GANG) &&
            memcmp(&class_->needs, &needs, sizeof needs) == 0) {
            return class_;
        }
    }
    class_ = calloc(1, sizeof *class_);
    if (class_ == NULL) {
        rpt__fail_nomem(sizeof *class_);
        return NULL;
    }
    class_->needs = needs;
    class_->is_gang = spec->kind == RPT_KIND_GANG;
    class_->plain = !class_->is_gang && needs.slots == 1 &&
                    needs.memory_mib == 0;
    for (int i = 0; i < RPT_MAX_NEEDS; i++) {
        class_->plain = class_->plain && needs.units[i] == 0;
    }
    for (int p = 0; p < RPT_N_PRIORITIES; p++) {
        TAILQ_INIT(&class_->ready[p]);
    }
    class_->next = pool->owner.classes;
    pool->owner.classes = class_;
    return class_;
}

void rpt__queue_free(struct rpt_pool *pool)
{
    struct rpt_class *class_ = pool->owner.classes;

    while (class_ != NULL) {
        struct rpt_class *next = class_->next;

        free(class_);
        class_ = next;
    }
    pool->owner.classes = NULL;
}

static void added(struct rpt_pool *pool, struct rpt_job *job)
{
    pool->owner.n_added++;
    job->state = RPT_JOB_READY;
    job->class_->n_ready++;
    pool->owner.n_ready++;
}

void rpt__queue_add(struct rpt_pool *pool, struct rpt_job *job)
{
    TAILQ_INSERT_TAIL(&job->class_->ready[job->spec->priority], job, link);
    added(pool, job);
}

void rpt__queue_add_front(struct rpt_pool *pool, struct rpt_job *job)
{
    TAILQ_INSERT_HEAD(&job->class_->ready[job->spec->priority], job, link);
    added(pool, job);
}

static void took(struct rpt_pool *pool, struct rpt_job *job)
{
    job->class_->n_ready--;
    pool->owner.n_ready--;
    job->n_passed = 0;
    job->in_retry_ready = false;
}

void rpt__queue_remove(struct rpt_pool *pool, struct rpt_job *job)
{
    if (job->state == RPT_JOB_RETRY) {
        TAILQ_REMOVE(&pool->owner.retrying, job, link);
    } else if (job->state == RPT_JOB_HOPELESS) {
        TAILQ_REMOVE(&pool->owner.hopeless, job, link);
    } else if (job->state == RPT_JOB_READY) {
        struct rpt_job_list *list =
            job->in_retry_ready ? &pool->owner.retry_ready
                                : &job->class_->ready[job->spec->priority];

        TAILQ_REMOVE(list, job, link);
        took(pool, job);
    }
}

/* The class whose first job of this priority is the oldest that fits. */
static struct rpt_class *oldest(struct rpt_pool *pool, int priority, int member,
                                const struct rpt_caps *free, enum rpt_take how)
{
    struct rpt_class *best = NULL;
    struct rpt_job *best_job = NULL;
    const struct rpt_caps *all = &pool->caps[member];

    for (struct rpt_class *c = pool->owner.classes; c != NULL; c = c->next) {
        struct rpt_job *job = TAILQ_FIRST(&c->ready[priority]);

        if (job == NULL || (how == RPT_TAKE_AHEAD && !c->plain) ||
            (c->is_gang && rpt__gangs_full(pool)) ||
            (best != NULL && job->number >= best_job->number)) {
            continue;
        }
        if (how == RPT_TAKE_AHEAD || rpt__caps_fit(&c->needs, free) ||
            (how == RPT_TAKE_ANY && job->n_passed == PASSED_OVER &&
             rpt__caps_fit(&c->needs, all))) {
            best = c;
            best_job = job;
        }
    }
    return best;
}

/* Counts for those of this priority that would have come before `taken` (NULL:
 * another priority) had they fitted. */
static void pass_over(struct rpt_pool *pool, int priority,
                      const struct rpt_job *taken, const struct rpt_caps *free)
{
    for (struct rpt_class *c = pool->owner.classes; c != NULL; c = c->next) {
        struct rpt_job *job = TAILQ_FIRST(&c->ready[priority]);

        if (job != NULL && job->n_passed < PASSED_OVER &&
            (taken == NULL || job->number < taken->number) &&
            !rpt__caps_fit(&c->needs, free)) {
            job->n_passed++;
        }
    }
}

static int first_priority(uint32_t pick)
{
    return pick % TURN_OF_LAST == TURN_OF_LAST - 1   ? RPT_PRIORITY_LOW
           : pick % TURN_OF_NEXT == TURN_OF_NEXT - 1 ? RPT_PRIORITY_NORMAL
                                                     : RPT_PRIORITY_HIGH;
}

static struct rpt_job *take_retry(struct rpt_pool *pool, int member,
                                  const struct rpt_caps *free,
                                  enum rpt_take how)
{
    struct rpt_job *job;
    int looked_at = 0;

    TAILQ_FOREACH (job, &pool->owner.retry_ready, link) {
        if (++looked_at > RETRIES_MAX) {
            return NULL;
        }
        if ((job->rank != pool->ranks[member] || pool->n == 1) &&
            (how == RPT_TAKE_AHEAD
                 ? job->class_->plain
                 : rpt__caps_fit(&job->class_->needs, free))) {
            TAILQ_REMOVE(&pool->owner.retry_ready, job, link);
            return job;
        }
    }
    return NULL;
}

struct rpt_job *rpt__queue_take(struct rpt_pool *pool, int member,
                                const struct rpt_caps *free, enum rpt_take how)
{
    struct rpt_job *job = NULL;
    int first, n_tried = 0;

    if (pool->owner.n_ready == 0 || pool->ending.stopping ||
        pool->failed != RPT_OK) {
        return NULL;
    }
    if (!TAILQ_EMPTY(&pool->owner.retry_ready)) {
        job = take_retry(pool, member, free, how);
    }
    first = first_priority(pool->owner.n_picks);
    for (; job == NULL && n_tried < RPT_N_PRIORITIES; n_tried++) {
        int priority = (first + n_tried) % RPT_N_PRIORITIES;
        struct rpt_class *c = oldest(pool, priority, member, free, how);

        if (c != NULL) {
            job = TAILQ_FIRST(&c->ready[priority]);
            TAILQ_REMOVE(&c->ready[priority], job, link);
        }
    }
    if (job != NULL) {
        for (int i = 0; how == RPT_TAKE_ANY && i < n_tried; i++) {
            pass_over(pool, (first + i) % RPT_N_PRIORITIES,
                      i == n_tried - 1 ? job : NULL, free);
        }
        pool->owner.n_picks++;
        took(pool, job);
        job->state = RPT_JOB_GIVEN;
        job->rank = pool->ranks[member];
    }
    return job;
}

/* ---- retries ---- */

void rpt__queue_retry(struct rpt_pool *pool, struct rpt_job *job)
{
    double wait = ldexp(pool->backoff_s, job->attempts - 1);
    struct rpt_job *at, *before = NULL;

    job->state = RPT_JOB_RETRY;
    job->due_s = rpt__now_s() + (wait < 60 ? wait : 60);
    TAILQ_FOREACH (at, &pool->owner.retrying, link) {
        if (at->due_s > job->due_s) {
            break;
        }
        before = at;
    }
    if (before == NULL) {
        TAILQ_INSERT_HEAD(&pool->owner.retrying, job, link);
    } else {
        TAILQ_INSERT_AFTER(&pool->owner.retrying, before, job, link);
    }
}

int rpt__queue_timers(struct rpt_pool *pool, double now)
{
    int n = 0;
    struct rpt_job *job;

    while ((job = TAILQ_FIRST(&pool->owner.retrying)) != NULL &&
           job->due_s <= now) {
        TAILQ_REMOVE(&pool->owner.retrying, job, link);
        TAILQ_INSERT_TAIL(&pool->owner.retry_ready, job, link);
        job->in_retry_ready = true;
        added(pool, job);
        n++;
    }
    /* No other rank took it: now it is as good as any, also to those that were
     * told of it before. */
    while ((job = TAILQ_FIRST(&pool->owner.retry_ready)) != NULL &&
           job->due_s + AVOID_S <= now) {
        TAILQ_REMOVE(&pool->owner.retry_ready, job, link);
        job->in_retry_ready = false;
        TAILQ_INSERT_HEAD(&job->class_->ready[job->spec->priority], job, link);
        pool->owner.n_added++;
        n++;
    }
    return n;
}

double rpt__queue_next_s(const struct rpt_pool *pool)
{
    const struct rpt_job *job = TAILQ_FIRST(&pool->owner.retrying);
    const struct rpt_job *ready = TAILQ_FIRST(&pool->owner.retry_ready);
    double next = job != NULL ? job->due_s : INFINITY;

    /* A retry that no other rank took may come back to the first one. */
    if (ready != NULL && ready->due_s + AVOID_S < next) {
        next = ready->due_s + AVOID_S;
    }
    return next;
}
