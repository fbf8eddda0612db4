/*
 * names.c - ids of tasks, and who waits for whom
 *
 * A name outlives its job, so that an id is never used twice and a task may
 * depend on one that ended long ago.
 */
#include "pool/pool_priv.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

struct edge {
    STAILQ_ENTRY(edge) link;
    struct rpt_job *job; /* that waits */
};

STAILQ_HEAD(edge_list, edge);

struct rpt_name {
    struct rpt_job *job; /* NULL: ended, as `outcome` says */
    rpt_outcome_t outcome;
    struct edge_list waiting; /* in order of submission */
    char text[];
};

static struct rpt_digest key_of(const char *id)
{
    return rpt__digest(id, strlen(id));
}

bool rpt__number_was_given(const struct rpt_pool *pool, const char *id)
{
    const struct rpt_owner *owner = &pool->owner;
    uint64_t number = rpt__id_number(rpt__comm_rank(pool->comm), id);

    return number > 0 && number >= owner->first_plain &&
           number <= owner->last_plain;
}

uint64_t rpt__names_number(struct rpt_pool *pool, bool has_id)
{
    struct rpt_owner *owner = &pool->owner;
    char id[32];

    do {
        owner->numbered++;
        rpt__number_id(rpt__comm_rank(pool->comm), owner->numbered, id);
    } while (!has_id && owner->has_number_ids &&
             rpt__names_find(pool, id) != NULL);
    if (!has_id) {
        owner->first_plain = owner->first_plain > 0 ? owner->first_plain
                                                    : owner->numbered;
        owner->last_plain = owner->numbered;
    }
    return owner->numbered;
}

rpt_status_t rpt__names_add(struct rpt_pool *pool, const char *id,
                            struct rpt_name **name_out)
{
    size_t bytes = strlen(id) + 1;
    struct rpt_name *name;
    rpt_status_t status;

    if (rpt__number_was_given(pool, id)) {
        rpt__fail(RPT_ERR_EXISTS,
                  "\"%s\" may be the number of a task that "
                  "has no id",
                  id);
        rpt__fail_hint("give every task an id, or ids that are no numbers");
        return RPT_ERR_EXISTS;
    }
    pool->owner.has_number_ids = pool->owner.has_number_ids ||
                                 rpt__id_number(rpt__comm_rank(pool->comm),
                                                id) > 0;
    if (rpt__table_get(&pool->owner.names, key_of(id)) != NULL) {
        rpt__fail(RPT_ERR_EXISTS, "task \"%s\" was submitted before", id);
        rpt__fail_hint("give every task an id of its own");
        return RPT_ERR_EXISTS;
    }
    name = calloc(1, sizeof *name + bytes);
    if (name == NULL) {
        return rpt__fail_nomem(sizeof *name + bytes);
    }
    memcpy(name->text, id, bytes);
    STAILQ_INIT(&name->waiting);
    status = rpt__table_put(&pool->owner.names, key_of(id), name);
    if (status != RPT_OK) {
        free(name);
        return status;
    }
    *name_out = name;
    return RPT_OK;
}

static void release(void *value)
{
    struct rpt_name *name = value;
    struct edge *edge;

    while ((edge = STAILQ_FIRST(&name->waiting)) != NULL) {
        STAILQ_REMOVE_HEAD(&name->waiting, link);
        free(edge);
    }
    free(name);
}

void rpt__names_forget(struct rpt_pool *pool, struct rpt_name *name)
{
    rpt__table_remove(&pool->owner.names, key_of(name->text));
    release(name);
}

struct rpt_name *rpt__names_find(struct rpt_pool *pool, const char *id)
{
    return rpt__table_get(&pool->owner.names, key_of(id));
}

void rpt__name_set_job(struct rpt_name *name, struct rpt_job *job)
{
    name->job = job;
}

struct rpt_job *rpt__name_job(const struct rpt_name *name)
{
    return name->job;
}

const char *rpt__name_text(const struct rpt_name *name)
{
    return name->text;
}

rpt_status_t rpt__name_wait(struct rpt_name *name, struct rpt_job *job,
                            bool *hopeless_out)
{
    struct edge *edge;

    if (name->job == NULL) {
        *hopeless_out = *hopeless_out || name->outcome != RPT_OUTCOME_OK;
        return RPT_OK;
    }
    edge = malloc(sizeof *edge);
    if (edge == NULL) {
        return rpt__fail_nomem(sizeof *edge);
    }
    edge->job = job;
    job->n_waits++;
    STAILQ_INSERT_TAIL(&name->waiting, edge, link);
    return RPT_OK;
}

/* One task fewer to wait for. */
static void let_go(struct rpt_pool *pool, struct rpt_job *job, bool good)
{
    job->n_waits--;
    if (job->state == RPT_JOB_GHOST) {
        if (job->n_waits == 0) {
            rpt__job_release(pool, job);
        }
    } else if (job->state == RPT_JOB_WAITING && !good) {
        job->state = RPT_JOB_HOPELESS;
        TAILQ_INSERT_TAIL(&pool->owner.hopeless, job, link);
    } else if (job->state == RPT_JOB_WAITING && job->n_waits == 0) {
        rpt__queue_add(pool, job);
    }
}

void rpt__name_ended(struct rpt_pool *pool, struct rpt_name *name,
                     rpt_outcome_t outcome)
{
    struct edge *edge;

    name->job = NULL;
    name->outcome = outcome;
    while ((edge = STAILQ_FIRST(&name->waiting)) != NULL) {
        struct rpt_job *job = edge->job;

        STAILQ_REMOVE_HEAD(&name->waiting, link);
        free(edge);
        let_go(pool, job, outcome == RPT_OUTCOME_OK);
    }
}

void rpt__names_unwait(struct rpt_pool *pool, const rpt_task_t *const tasks[],
                       size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct rpt_reader after = rpt__reader(tasks[i]->after.data,
                                              tasks[i]->after.bytes);

        for (size_t a = 0; a < tasks[i]->n_after; a++) {
            struct rpt_name *name = rpt__names_find(pool,
                                                    rpt__read_str(&after));
            struct edge_list kept = STAILQ_HEAD_INITIALIZER(kept);
            struct edge *edge;

            while (name != NULL &&
                   (edge = STAILQ_FIRST(&name->waiting)) != NULL) {
                STAILQ_REMOVE_HEAD(&name->waiting, link);
                if (edge->job->number == 0) {
                    free(edge);
                } else {
                    STAILQ_INSERT_TAIL(&kept, edge, link);
                }
            }
            if (name != NULL) {
                STAILQ_CONCAT(&name->waiting, &kept);
            }
        }
    }
}

void rpt__names_free(struct rpt_pool *pool)
{
    rpt__table_free(&pool->owner.names, release);
}
