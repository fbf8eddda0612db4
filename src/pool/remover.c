/*
 * remover.c - a task has succeeded: its checkpoints go
 *
 * By a thread of the rank that submitted it, one after another, since folders
 * may be large and file systems slow.  Its end is in the journal first, and on
 * the disk: a job that is killed in between runs nothing twice.
 */
#include "pool/saving_priv.h"

#include "base/error.h"
#include "base/log.h"
#include "base/thread.h"

#include <stdlib.h>
#include <string.h>

struct going {
    STAILQ_ENTRY(going) link;
    char name[RPT_SAVING_NAME_BYTES];
};

struct rpt_remover {
    const char *directory;
    struct rpt_pool *pool;
    int rank, n_ranks;
    const char *host;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stops;
    STAILQ_HEAD(, going) list;
};

static void *run(void *arg)
{
    struct rpt_remover *r = arg;
    struct going *going;

    rpt__identify(r->rank, r->n_ranks, r->host);
    pthread_mutex_lock(&r->lock);
    while (!r->stops || !STAILQ_EMPTY(&r->list)) {
        going = STAILQ_FIRST(&r->list);
        if (going == NULL) {
            pthread_cond_wait(&r->changed, &r->lock);
            continue;
        }
        STAILQ_REMOVE_HEAD(&r->list, link);
        pthread_mutex_unlock(&r->lock);
        if (rpt__resume_wait(r->pool) &&
            rpt__solo_remove(r->directory, going->name) != RPT_OK) {
            rpt__log(RPT_LOG_WARN, "the checkpoints of task %s stay: %s (%s)",
                     going->name, rpt_last_error()->what,
                     rpt_last_error()->why);
        }
        free(going);
        pthread_mutex_lock(&r->lock);
    }
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

static struct rpt_remover *make(struct rpt_pool *pool)
{
    struct rpt_remover *r = calloc(1, sizeof *r);
    int error;

    if (r == NULL) {
        return NULL;
    }
    r->directory = pool->checkpoint_dir;
    r->pool = pool;
    r->rank = rpt__comm_rank(pool->comm);
    r->n_ranks = rpt__comm_size(pool->comm);
    r->host = rpt__map_host_of(rpt__comm_map(pool->comm), r->rank);
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->changed, NULL);
    STAILQ_INIT(&r->list);
    error = rpt__thread_start(&r->thread, run, r);
    if (error != 0) {
        pthread_cond_destroy(&r->changed);
        pthread_mutex_destroy(&r->lock);
        free(r);
        return NULL;
    }
    return r;
}

void rpt__remover_add(struct rpt_pool *pool, const struct rpt_job *job)
{
    struct going *going = calloc(1, sizeof *going);

    if (pool->remover == NULL) {
        pool->remover = make(pool);
    }
    if (going == NULL || pool->remover == NULL) {
        rpt__log(RPT_LOG_WARN, "the checkpoints of a task stay: no memory, or "
                               "no thread to remove them");
        free(going);
        return;
    }
    rpt__saving_name(job->spec, job->spec_bytes, rpt__comm_rank(pool->comm),
                     job->number, going->name);
    pthread_mutex_lock(&pool->remover->lock);
    STAILQ_INSERT_TAIL(&pool->remover->list, going, link);
    pthread_cond_signal(&pool->remover->changed);
    pthread_mutex_unlock(&pool->remover->lock);
}

void rpt__remover_stop(struct rpt_pool *pool)
{
    struct rpt_remover *r = pool->remover;

    if (r == NULL) {
        return;
    }
    pthread_mutex_lock(&r->lock);
    r->stops = true;
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->lock);
    rpt__engine_unlock(pool->engine); /* it may take a while */
    pthread_join(r->thread, NULL);
    rpt__engine_lock(pool->engine);
    pthread_cond_destroy(&r->changed);
    pthread_mutex_destroy(&r->lock);
    free(r);
    pool->remover = NULL;
}
