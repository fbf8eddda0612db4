/*
 * keeper.h - runs external programs through the keeper process
 *
 * The keeper (repartir-keeper) is a small executable without MPI, in a session
 * of its own, a child subreaper.  It spawns programs, each in its own process
 * group, feeds and drains their pipes, ends them when their time is over (TERM,
 * grace, KILL), and reports.  When the socket to its rank closes, for whatever
 * reason, it kills everything it ever started, also what left its group.
 *
 *   rank  --RUN, KILL-->  keeper  --vfork, exec-->  program
 *         <--OUTPUT, END--        <--pipes, SIGCHLD--
 *         <--rings the bell--
 *
 * All calls under the engine's lock; callbacks come from rpt__keeper_poll().
 */
#ifndef RPT_POOL_EXEC_KEEPER_H
#define RPT_POOL_EXEC_KEEPER_H

#include <repartir/base.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rpt_keeper;

/* How a program ended. */
struct rpt_program_end {
    int error;           /* errno when it could not be started, else 0        */
    const char *message; /* why it could not be started, "" when it could     */
    int exit_code;       /* -1 when there is none                             */
    int signal;          /* that killed it, or 0                              */
    bool timed_out;      /* its time was over                                 */
    bool killed;         /* ended by rpt__keeper_kill()                       */
    double start_time;   /* seconds since 1970                                */
    double duration_s;
    uint64_t max_rss_kib;
    const void *stdout_data; /* captured                                      */
    size_t stdout_bytes;
    const void *stderr_data;
    size_t stderr_bytes;
    uint64_t stdout_dropped; /* bytes beyond the limit                        */
    uint64_t stderr_dropped;
};

struct rpt_keeper_events {
    void (*output)(void *user, uint64_t key, int stream, const void *data,
                   size_t bytes);
    void (*ended)(void *user, uint64_t key, const struct rpt_program_end *end);
    /* The keeper itself went away: every program that ran is gone, none of
     * them gets another event. */
    void (*died)(void *user);
};

/* One start of a program. */
struct rpt_run {
    uint64_t key;          /* chosen by the caller, unique while it runs      */
    const void *program;   /* packed, see program.h                           */
    size_t program_bytes;
    const char *const *env; /* further "NAME=value", ends with NULL; or NULL */
    const int *cpus;       /* to pin to; n_cpus 0: do not pin                 */
    int n_cpus;
    uint64_t memory_bytes; /* limit of the address space, 0: none             */
    double timeout_s;      /* 0: none                                         */
    uint64_t after;        /* key of another one, or 0; see rpt__keeper_run() */
};

/* path: option pool.keeper, or "" to find the installed one.  bell_fd and
 * bell_offset: shared memory with the struct rpt_bell to ring.
 * RPT_ERR_NOT_FOUND when there is no keeper program; RPT_ERR_SYSTEM. */
rpt_status_t rpt__keeper_start(const char *path, int bell_fd,
                               size_t bell_offset, uint64_t capture_bytes,
                               double grace_s,
                               const struct rpt_keeper_events *events,
                               void *user, struct rpt_keeper **keeper_out);

/* Returns at once.  A failure to start the program is an `ended` event, not an
 * error here.  RPT_ERR_STATE when the keeper is gone.
 *
 * With run->after the program starts the moment that other program has ended,
 * without asking this rank: short programs in a row lose no time to messages.
 * When the other one has ended already, or never was, it starts at once.  It
 * is not known here when it starts, but that it cannot be before the `ended`
 * event of the other one is on its way: when the keeper dies without that
 * event, the program has not started. */
rpt_status_t rpt__keeper_run(struct rpt_keeper *keeper,
                             const struct rpt_run *run);

/* Ends a program: TERM, after the grace KILL.  One that still waits for another
 * is taken back: it ends with the error ECANCELED.  Unknown keys are ignored.
 */
rpt_status_t rpt__keeper_kill(struct rpt_keeper *keeper, uint64_t key);

/* Takes a program back that waits for another one (run->after): an `ended`
 * event as for rpt__keeper_kill().  One that runs already is left alone. */
rpt_status_t rpt__keeper_recall(struct rpt_keeper *keeper, uint64_t key);

/* Sends a signal to a program itself, not to what it has started.  One that
 * does not run gets none. */
rpt_status_t rpt__keeper_signal(struct rpt_keeper *keeper, uint64_t key,
                                int number);

/* Delivers what has come; gives the number of events.  No system call when the
 * keeper has said nothing. */
int rpt__keeper_poll(struct rpt_keeper *keeper);
/* The moment (rpt__now_s()) at which poll should look again without a ring. */
double rpt__keeper_next_s(const struct rpt_keeper *keeper);

/* Ends the keeper and everything it runs; waits until it is gone (seconds at
 * most).  NULL is ignored. */
void rpt__keeper_stop(struct rpt_keeper *keeper);

#endif /* RPT_POOL_EXEC_KEEPER_H */
