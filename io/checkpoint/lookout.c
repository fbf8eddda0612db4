/*
 * lookout.c - a thread that sees whether a rank comes back from MPI-IO
 *
 * MPI-IO has no deadline: when a rank has stopped inside of it, or has left it
 * with an error, the others wait there for ever, and nothing can call them
 * back.  So a thread of each rank counts how long one step takes, and after
 * io.checkpoint.deadline_s it tells a person what is known and ends the job,
 * which can go on from the last checkpoint.
 *
 *      step ......... deadline ..... told, MPI_Abort ..... SIGKILL to itself
 *                     +0 s  the first rank of a host that runs and sees why not
 *                     +3 s  the first one that sees nothing
 *                    +10 s  the next one of the host, and so on
 *
 * What is known comes from /proc: how other processes of this host are.  It
 * calls neither MPI nor HDF5 until it ends the job, takes no lock of others,
 * and counts only time in which it could run itself: a job that was suspended
 * as a whole, and goes on, has lost none.
 */
#include "io/checkpoint/lookout.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/thread.h"
#include "io/hdf5/over_mpi.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WHY_BYTES = 1024, STAT_BYTES = 512, EXIT_CODE = 1 };

static const double unsure_s = 3, next_s = 10;

struct rpt_lookout {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    /* constant */
    const struct rpt_map *map;
    struct rpt_group *group;
    void *mpi;
    const char *path;
    int rank, size; /* in the group */
    uint64_t iteration;
    double limit_s;
    bool may_abort;
    /* under the lock */
    const char *step;
    char failed[WHY_BYTES];
    double spent_s; /* in the step */
    bool is_told, ends;
};

/* What one sees of the ranks of its host. */
struct sight {
    int before; /* ranks of this host that run, below this one       */
    int n_lost; /* of this host, that do not run                     */
    int n_away; /* ranks of other hosts                              */
    struct rpt_buf text;
};

/* ---- who runs ---- */

/* The letter of proc(5): R, S, D, T, ...; 0: there is none. */
static char state_of(int32_t pid)
{
    char path[64], text[STAT_BYTES + 1];
    const char *end;
    size_t n;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    file = fopen(path, "re");
    if (file == NULL) {
        return 0;
    }
    n = fread(text, 1, STAT_BYTES, file);
    fclose(file);
    text[n] = '\0';
    /* The name of a program may have anything in it. */
    end = strrchr(text, ')');
    return end != NULL && end[1] == ' ' ? end[2] : 0;
}

/* NULL: it runs, as far as can be seen. */
static const char *trouble(char state)
{
    switch (state) {
    case 0:
        return "is not to be seen any more";
    case 'T':
        return "is stopped (SIGSTOP; kill -CONT lets it go on)";
    case 't':
        return "is stopped by a debugger";
    case 'Z':
    case 'X':
        return "has ended";
    case 'D':
        return "waits for a disk or a file server";
    default:
        return NULL;
    }
}

static struct sight look(const struct rpt_lookout *l)
{
    int me = rpt__group_world_rank(l->group, l->rank);
    uint64_t host = rpt__map_seat(l->map, me)->host_key;
    struct sight sight = { 0, 0, 0, RPT_BUF_EMPTY };

    for (int r = 0; r < l->size; r++) {
        int rank = rpt__group_world_rank(l->group, r);
        const struct rpt_seat *seat = rpt__map_seat(l->map, rank);
        const char *how;

        if (seat->host_key != host) {
            sight.n_away++;
            continue;
        }
        how = rank == me ? NULL : trouble(state_of(seat->pid));
        if (how != NULL) {
            sight.n_lost++;
            rpt__buf_printf(&sight.text, "rank %d (process %d) %s; ", rank,
                            (int)seat->pid, how);
        } else if (r < l->rank) {
            sight.before++;
        }
    }
    return sight;
}

/* ---- the end ---- */

static void tell(const struct rpt_lookout *l, struct sight *sight)
{
    rpt__buf_u8(&sight->text, 0);
    rpt__log(
        RPT_LOG_ERROR,
        "the save of iteration %llu has been in %s for %.0f s%s\n"
        "  why   %s%s%s%d of %d ranks are on other hosts and cannot be seen "
        "from here; file %s\n"
        "  do    checkpoints that were committed before are intact: %s.  Look "
        "at the ranks that are named here, and at the file system; "
        "io.checkpoint.engine=direct does without MPI-IO; a save that needs "
        "longer wants a longer io.checkpoint.deadline_s",
        (unsigned long long)l->iteration, l->step != NULL ? l->step : "MPI-IO",
        l->spent_s, l->may_abort ? ", the job is ended" : "",
        sight->text.failed || sight->text.data == NULL ? "" : sight->text.data,
        l->failed,
        sight->n_lost > 0 || l->failed[0] != '\0'
            ? ""
            : "all ranks of this host run; ",
        sight->n_away, l->size, l->path,
        l->may_abort ? "start the job again, it goes on from the newest"
                     : "the call waits until all ranks have come, or the job "
                       "is ended");
}

static void *abort_job(void *mpi)
{
    rpt__hdf5_comm_abort(mpi, EXIT_CODE);
    return NULL;
}

/* MPI may be stuck in a lock that a rank holds in MPI-IO. */
static void end_job(const struct rpt_lookout *l)
{
    struct timespec rest = { (time_t)next_s, 0 };
    pthread_t thread;

    if (pthread_create(&thread, NULL, abort_job, l->mpi) == 0) {
        nanosleep(&rest, NULL);
    }
    kill(getpid(), SIGKILL);
}

/* ---- the thread ---- */

/* This rank's turn to speak has come. */
static void think(struct rpt_lookout *l)
{
    struct sight sight;
    double grace_s;

    if (l->is_told || l->spent_s < l->limit_s) {
        return;
    }
    sight = look(l);
    grace_s = sight.n_lost > 0 || l->failed[0] != '\0' ? 0 : unsure_s;
    grace_s += sight.before * next_s;
    if (l->spent_s >= l->limit_s + grace_s &&
        (l->may_abort || sight.before == 0)) {
        l->is_told = true;
        tell(l, &sight);
        if (l->may_abort) {
            end_job(l);
        }
    }
    rpt__buf_free(&sight.text);
}

static void *run(void *arg)
{
    struct rpt_lookout *l = arg;
    int rank = rpt__group_world_rank(l->group, l->rank);
    double slice_s = fmin(0.5, l->limit_s / 4);

    rpt__identify(rank, rpt__map_size(l->map), rpt__map_host_of(l->map, rank));
    pthread_mutex_lock(&l->lock);
    while (!l->ends) {
        double began_s = rpt__now_s();
        struct timespec until = rpt__deadline_after(slice_s);

        pthread_cond_timedwait(&l->ended, &l->lock, &until);
        l->spent_s += fmin(rpt__now_s() - began_s, 2 * slice_s);
        if (!l->ends && (l->step != NULL || l->failed[0] != '\0')) {
            think(l);
        }
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

static int start_thread(struct rpt_lookout *l)
{
    pthread_mutex_init(&l->lock, NULL);
    rpt__cond_init(&l->ended);
    return rpt__thread_start(&l->thread, run, l);
}

static void release(struct rpt_lookout *l)
{
    pthread_cond_destroy(&l->ended);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

rpt_status_t rpt__lookout_start(struct rpt_checkpoint *c, const char *path,
                                struct rpt_lookout **lookout_out)
{
    struct rpt_lookout *l = calloc(1, sizeof *l);
    int error;

    if (l == NULL) {
        return rpt__fail_nomem(sizeof *l);
    }
    l->map = rpt__comm_map(c->comm);
    l->group = c->group;
    l->mpi = c->mpi;
    l->path = path;
    l->rank = c->rank;
    l->size = c->size;
    l->iteration = c->save.stamp.iteration;
    l->limit_s = rpt__option_seconds(c->options,
                                     RPT_OPT_IO_CHECKPOINT_DEADLINE_S);
    l->may_abort = rpt__option_switch(c->options, RPT_OPT_IO_CHECKPOINT_ABORT);
    error = start_thread(l);
    if (error != 0) {
        release(l);
        return rpt__fail_errno(RPT_ERR_SYSTEM, error,
                               "cannot start the thread that looks after a "
                               "collective save");
    }
    *lookout_out = l;
    return RPT_OK;
}

void rpt__lookout_step(struct rpt_lookout *l, const char *step,
                       const char *failed)
{
    pthread_mutex_lock(&l->lock);
    l->step = step;
    l->spent_s = 0;
    if (failed != NULL) {
        snprintf(l->failed, sizeof l->failed, "on this rank it failed: %s; ",
                 failed);
    }
    pthread_mutex_unlock(&l->lock);
}

void rpt__lookout_stop(struct rpt_lookout *l)
{
    if (l == NULL) {
        return;
    }
    pthread_mutex_lock(&l->lock);
    l->ends = true;
    pthread_cond_signal(&l->ended);
    pthread_mutex_unlock(&l->lock);
    pthread_join(l->thread, NULL);
    release(l);
}
