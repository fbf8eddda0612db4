/*
 * queue.c - which job comes next
 *
 * Jobs with the same needs form a class, with one FIFO a priority.  A rank that
 * asks gets the oldest job of the highest priority among the classes that fit
 * what it has free.  Classes stand in the order of their oldest jobs, so that
 * the first that fits is the one; taking costs the number of older ones that do
 * not fit, and adding costs nothing however many jobs or classes there are.
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

void rpt__queue_create(struct rpt_pool *pool)
{
    for (int p = 0; p < RPT_N_PRIORITIES; p++) {
        TAILQ_INIT(&pool->owner.waiting[p]);
    }
}

static struct rpt_class *new_class(struct rpt_pool *pool,
                                   const struct rpt_caps *needs, bool is_gang)
{
    struct rpt_class *c = calloc(1, sizeof *c);

    if (c == NULL) {
        rpt__fail_nomem(sizeof *c);
        return NULL;
    }
    c->needs = *needs;
    c->is_gang = is_gang;
    c->plain = !is_gang && needs->slots == 1 && needs->memory_mib == 0;
    for (int i = 0; i < RPT_MAX_NEEDS; i++) {
        c->plain = c->plain && needs->units[i] == 0;
    }
    for (int p = 0; p < RPT_N_PRIORITIES; p++) {
        TAILQ_INIT(&c->ready[p]);
    }
    c->next = pool->owner.classes;
    pool->owner.classes = c;
    return c;
}

struct rpt_class *rpt__queue_class(struct rpt_pool *pool,
                                   const struct rpt_spec *spec)
{
    struct rpt_owner *owner = &pool->owner;
    struct rpt_class *c = owner->last_class;
    bool is_gang = spec->kind == RPT_KIND_GANG;
    struct rpt_caps needs;
    struct rpt_digest key;

    rpt__caps_of_spec(spec, &needs);
    if (c != NULL && c->is_gang == is_gang &&
        memcmp(&c->needs, &needs, sizeof needs) == 0) {
        return c;
    }
    key = rpt__digest(&needs, sizeof needs);
    key.low += is_gang;
    c = rpt__table_get(&owner->class_of, key);
    if (c == NULL) {
        c = new_class(pool, &needs, is_gang);
        if (c == NULL || rpt__table_put(&owner->class_of, key, c) != RPT_OK) {
            return NULL; /* it stays in the list, and is freed with that */
        }
    }
    owner->last_class = c;
    return c;
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
    rpt__table_free(&pool->owner.class_of, NULL);
}

static uint64_t age(const struct rpt_class *c, int priority)
{
    return TAILQ_FIRST(&c->ready[priority])->number;
}

/* Puts a class where its first job of this priority belongs: to be called
 * whenever that is another one. */
static void place(struct rpt_pool *pool, struct rpt_class *c, int priority)
{
    struct rpt_class_list *list = &pool->owner.waiting[priority];
    struct rpt_class *next = NULL, *before;

    if (c->listed[priority]) {
        next = TAILQ_NEXT(c, link[priority]);
        before = TAILQ_PREV(c, rpt_class_list, link[priority]);
        TAILQ_REMOVE(list, c, link[priority]);
    } else {
        before = TAILQ_LAST(list, rpt_class_list);
    }
    c->listed[priority] = !TAILQ_EMPTY(&c->ready[priority]);
    if (!c->listed[priority]) {
        return;
    }
    while (before != NULL && age(before, priority) > age(c, priority)) {
        next = before;
        before = TAILQ_PREV(before, rpt_class_list, link[priority]);
    }
    while (next != NULL && age(next, priority) < age(c, priority)) {
        next = TAILQ_NEXT(next, link[priority]);
    }
    if (next != NULL) {
        TAILQ_INSERT_BEFORE(next, c, link[priority]);
    } else {
        TAILQ_INSERT_TAIL(list, c, link[priority]);
    }
}

static void added(struct rpt_pool *pool, struct rpt_job *job)
{
    pool->owner.n_added++;
    job->state = RPT_JOB_READY;
    job->class_->n_ready++;
    pool->owner.n_ready++;
}

static void push(struct rpt_pool *pool, struct rpt_job *job, bool front)
{
    int priority = job->spec->priority;
    struct rpt_job_list *list = &job->class_->ready[priority];

    if (front) {
        TAILQ_INSERT_HEAD(list, job, link);
    } else {
        TAILQ_INSERT_TAIL(list, job, link);
    }
    if (TAILQ_FIRST(list) == job) {
        place(pool, job->class_, priority);
    }
}

static void pull(struct rpt_pool *pool, struct rpt_job *job)
{
    int priority = job->spec->priority;
    struct rpt_job_list *list = &job->class_->ready[priority];
    bool was_first = TAILQ_FIRST(list) == job;

    TAILQ_REMOVE(list, job, link);
    if (was_first) {
        place(pool, job->class_, priority);
    }
}

void rpt__queue_add(struct rpt_pool *pool, struct rpt_job *job)
{
    push(pool, job, false);
    added(pool, job);
}

void rpt__queue_add_front(struct rpt_pool *pool, struct rpt_job *job)
{
    push(pool, job, true);
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
        if (job->in_retry_ready) {
            TAILQ_REMOVE(&pool->owner.retry_ready, job, link);
        } else {
            pull(pool, job);
        }
        took(pool, job);
    }
}

/* The oldest job of this priority that fits. */
static struct rpt_job *oldest(struct rpt_pool *pool, int priority, int member,
                              const struct rpt_caps *free, enum rpt_take how)
{
    const struct rpt_caps *all = &pool->caps[member];
    struct rpt_class *c;

    TAILQ_FOREACH (c, &pool->owner.waiting[priority], link[priority]) {
        struct rpt_job *job = TAILQ_FIRST(&c->ready[priority]);

        if ((how == RPT_TAKE_AHEAD && !c->plain) ||
            (c->is_gang && rpt__gangs_full(pool))) {
            continue;
        }
        if (how == RPT_TAKE_AHEAD || rpt__caps_fit(&c->needs, free) ||
            (how == RPT_TAKE_ANY && job->n_passed == PASSED_OVER &&
             rpt__caps_fit(&c->needs, all))) {
            return job;
        }
    }
    return NULL;
}

/* Counts for those of this priority that would have come before `taken` (NULL:
 * another priority) had they fitted. */
static void pass_over(struct rpt_pool *pool, int priority,
                      const struct rpt_job *taken, const struct rpt_caps *free)
{
    struct rpt_class *c;

    TAILQ_FOREACH (c, &pool->owner.waiting[priority], link[priority]) {
        struct rpt_job *job = TAILQ_FIRST(&c->ready[priority]);

        if (taken != NULL && job->number >= taken->number) {
            break;
        }
        if (job->n_passed < PASSED_OVER && !rpt__caps_fit(&c->needs, free)) {
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

        job = oldest(pool, priority, member, free, how);
        if (job != NULL) {
            pull(pool, job);
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
    struct rpt_job *before = TAILQ_LAST(&pool->owner.retrying, rpt_job_list);

    job->state = RPT_JOB_RETRY;
    job->due_s = rpt__now_s() + (wait < 60 ? wait : 60);
    while (before != NULL && before->due_s > job->due_s) {
        before = TAILQ_PREV(before, rpt_job_list, link);
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
        push(pool, job, true);
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
