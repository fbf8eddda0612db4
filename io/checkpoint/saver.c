/*
 * saver.c - one thread of a rank that does what may take long
 */
#include "io/checkpoint/saver.h"

#include "base/error.h"
#include "base/thread.h"
#include "io/checkpoint/talk.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

struct rpt_saver {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct rpt_engine *engine;
    int rank, n_ranks;
    const char *host;
    int nice;
    bool ends;
    rpt_job_fn job; /* NULL: there is none */
    void *arg;
    rpt_job_fn rest; /* goes before it; NULL: there is none */
    void *rest_arg;
    rpt_status_t status; /* of the last one */
    struct rpt_buf error;
};

static void do_job(struct rpt_saver *saver)
{
    rpt_job_fn job = saver->job;
    void *arg = saver->arg;
    rpt_status_t status;

    pthread_mutex_unlock(&saver->lock);
    status = job(arg);
    pthread_mutex_lock(&saver->lock);
    if (status < 0) {
        rpt__buf_clear(&saver->error);
        rpt__error_pack(&saver->error);
    }
    saver->status = status;
    saver->job = NULL;
    pthread_cond_broadcast(&saver->changed);
    rpt__engine_ring(saver->engine);
}

static void do_rest(struct rpt_saver *saver)
{
    rpt_job_fn rest = saver->rest;
    void *arg = saver->rest_arg;

    pthread_mutex_unlock(&saver->lock);
    rest(arg);
    pthread_mutex_lock(&saver->lock);
    saver->rest = NULL;
    rpt__engine_ring(saver->engine);
}

static void *run(void *arg)
{
    struct rpt_saver *saver = arg;

    rpt__identify(saver->rank, saver->n_ranks, saver->host);
    /* Of this thread alone, as Linux has it.  Where it is refused, nothing is
     * lost but that. */
    setpriority(PRIO_PROCESS, (id_t)gettid(),
                getpriority(PRIO_PROCESS, (id_t)gettid()) + saver->nice);
    pthread_mutex_lock(&saver->lock);
    while (!saver->ends || saver->job != NULL || saver->rest != NULL) {
        if (saver->rest != NULL) {
            do_rest(saver);
        } else if (saver->job != NULL) {
            do_job(saver);
        } else {
            pthread_cond_wait(&saver->changed, &saver->lock);
        }
    }
    pthread_mutex_unlock(&saver->lock);
    return NULL;
}

rpt_status_t rpt__saver_create(struct rpt_engine *engine, int rank, int n_ranks,
                               const char *host, int nice,
                               struct rpt_saver **saver_out)
{
    struct rpt_saver *saver = calloc(1, sizeof *saver);
    int error;

    if (saver == NULL) {
        return rpt__fail_nomem(sizeof *saver);
    }
    saver->engine = engine;
    saver->rank = rank;
    saver->n_ranks = n_ranks;
    saver->host = host;
    saver->nice = nice;
    pthread_mutex_init(&saver->lock, NULL);
    pthread_cond_init(&saver->changed, NULL);
    error = rpt__thread_start(&saver->thread, run, saver);
    if (error != 0) {
        pthread_cond_destroy(&saver->changed);
        pthread_mutex_destroy(&saver->lock);
        free(saver);
        return rpt__fail_errno(RPT_ERR_SYSTEM, error,
                               "cannot start the thread that writes "
                               "checkpoints");
    }
    *saver_out = saver;
    return RPT_OK;
}

void rpt__saver_destroy(struct rpt_saver *saver)
{
    if (saver == NULL) {
        return;
    }
    pthread_mutex_lock(&saver->lock);
    saver->ends = true;
    pthread_cond_broadcast(&saver->changed);
    pthread_mutex_unlock(&saver->lock);
    pthread_join(saver->thread, NULL);
    pthread_cond_destroy(&saver->changed);
    pthread_mutex_destroy(&saver->lock);
    rpt__buf_free(&saver->error);
    free(saver);
}

void rpt__saver_start(struct rpt_saver *saver, rpt_job_fn job, void *arg)
{
    pthread_mutex_lock(&saver->lock);
    saver->job = job;
    saver->arg = arg;
    pthread_cond_broadcast(&saver->changed);
    pthread_mutex_unlock(&saver->lock);
}

void rpt__saver_add_rest(struct rpt_saver *saver, rpt_job_fn rest, void *arg)
{
    pthread_mutex_lock(&saver->lock);
    saver->rest = rest;
    saver->rest_arg = arg;
    pthread_cond_broadcast(&saver->changed);
    pthread_mutex_unlock(&saver->lock);
}

bool rpt__saver_is_done(struct rpt_saver *saver)
{
    bool done;

    pthread_mutex_lock(&saver->lock);
    done = saver->job == NULL;
    pthread_mutex_unlock(&saver->lock);
    return done;
}

bool rpt__saver_has_rest(struct rpt_saver *saver)
{
    bool has;

    pthread_mutex_lock(&saver->lock);
    has = saver->rest != NULL;
    pthread_mutex_unlock(&saver->lock);
    return has;
}

rpt_status_t rpt__saver_result(struct rpt_saver *saver,
                               const struct rpt_buf **error_out)
{
    rpt_status_t status;

    pthread_mutex_lock(&saver->lock);
    status = saver->status;
    *error_out = &saver->error;
    pthread_mutex_unlock(&saver->lock);
    return status;
}
