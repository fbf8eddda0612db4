/*
 * events.h - what has happened to the checkpoints of a task, and who has them
 * open: events.c, history.c, holder.c
 */
#ifndef RPT_IO_CHECKPOINT_EVENTS_H
#define RPT_IO_CHECKPOINT_EVENTS_H

#include "base/buf.h"
#include "io/checkpoint/dir.h"

#define RPT_EVENTS "events.jsonl"
#define RPT_EVENTS_NEW "events.new" /* while it is made shorter */

/* ---- events.c ---- */

/* Appends a line; what cannot be written is no failure. */
void rpt__event_add(const struct rpt_dir *task, const char *event, uint64_t id,
                    uint64_t iteration, double seconds);
/* That a job begins; newest: iteration of what is there. */
void rpt__event_add_open(const struct rpt_dir *task, uint64_t newest,
                         const char *host);

/* What a number of events says. */
struct rpt_history {
    uint64_t
        last_restored;   /* id of the checkpoint that was restored last ... */
    uint64_t n_restores; /* ... and how often without one more committed    */
    uint64_t last_verified; /* id                                          */
    uint64_t n_jobs;
    uint64_t n_failures; /* of these: ended without closing                 */
    uint64_t n_commits;
    double run_s; /* of all jobs                                            */
    /* The last job, as long as nothing says that it ended. */
    bool is_open;
    double open_s; /* when it began, since 1970                             */
    double last_s; /* of the last event                                     */
};

/* One of them. */
struct rpt_event {
    char name[16]; /* "open", "commit", ... */
    double time_s; /* since 1970 */
    uint64_t id;
    uint64_t iteration;
    double seconds;
    int64_t pid;
    char host[128];             /* of "open"; "": unknown */
    struct rpt_history history; /* of "history": what was before */
};
typedef void (*rpt_event_fn)(void *user, const struct rpt_event *event);

/* The event of a line.  RPT_END: it is none; RPT_ERR_NOMEM. */
rpt_status_t rpt__event_parse(const char *line, size_t bytes,
                              struct rpt_event *event_out);
/* The line of "history". */
void rpt__event_write_history(const struct rpt_history *history,
                              struct rpt_buf *line);
/* All that are understood, in their order.  RPT_ERR_NOT_FOUND: there is no such
 * file. */
rpt_status_t rpt__events_each(const struct rpt_dir *task, rpt_event_fn fn,
                              void *user);

/* ---- history.c ---- */

/* Makes the file shorter when it is longer than `most` bytes (0: never): what
 * is before its last half becomes one line.  For who holds the lock; that it
 * cannot be done is no failure. */
void rpt__history_shorten(const struct rpt_dir *task, uint64_t most);
/* One event more. */
void rpt__history_add(struct rpt_history *history,
                      const struct rpt_event *event);
/* Mean time between failures, in jobs that took run_s seconds together. */
double rpt__history_mtbf(uint64_t n_failures, double run_s);
#define RPT_MTBF_UNKNOWN_S 86400.0 /* as long as no job has failed */
#define RPT_MTBF_LEAST_S 600.0
/* What the events say; zeros where there are none.  job_runs: somebody has the
 * task open, perhaps the caller, so that the last job has not failed. */
rpt_status_t rpt__history_read(const struct rpt_dir *task, bool job_runs,
                               struct rpt_history *history_out);

/* ---- holder.c ---- */

/* Who has a task open, or had it last. */
struct rpt_holder {
    bool is_held;
    char host[128]; /* "": unknown */
    int pid;        /* of rank 0; 0: unknown */
};
void rpt__holder_read(const struct rpt_dir *task,
                      struct rpt_holder *holder_out);
/* The lock of a task, for who writes there; it is free when its process ends.
 * top, name: where the folder task has its name.  host: into its file, which is
 * made ("": nothing new into it); NULL: only a lock that is there, else
 * RPT_ERR_NOT_FOUND.
 * RPT_ERR_BUSY: another has it.  RPT_PENDING: who had it has removed the task.
 * RPT_END: there is no room for the file.  Where there are no locks, a warning
 * is all. */
rpt_status_t rpt__lock_take(const struct rpt_dir *top, const char *name,
                            const struct rpt_dir *task, const char *host,
                            int *fd_out);
void rpt__lock_give(int fd); /* -1: none */

#endif /* RPT_IO_CHECKPOINT_EVENTS_H */
