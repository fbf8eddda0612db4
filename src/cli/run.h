/*
 * run.h - `repartir run`: its options, and the job that rank 0 drives
 */
#ifndef CLI_RUN_H
#define CLI_RUN_H

#include "cli/files.h"
#include "cli/input.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/sink.h"

#include <repartir/context.h>

struct run_options {
    struct input_options input;
    enum output_mode output;
    bool keep_order;
    const char *output_dir; /* NULL: chosen                      */
    const char *results;    /* NULL: none                        */
    const char *joblog;     /* NULL: none                        */
    const char *state;      /* NULL: none                        */
    long long max_failures; /* 0: any number                     */
    bool dry_run;
    enum progress_when progress;
    double grace_s;
    double timeout_s;    /* of tasks that say none; 0: none   */
    int retries;         /* of tasks that say none            */
    struct text sets;    /* name, value, name, …, each with 0 */
    const char *command; /* what was typed, for the report    */
};

/* Reads the command line; as args_parse(). */
int run_args(int argc, char *argv[], struct run_options *options);

/* A job on rank 0. */
struct job {
    const struct run_options *options;
    struct task_list list;
    size_t n_input; /* tasks of the file; then come requests */
    bool linked;    /* some task waits for a later one   */
    bool has_plain; /* some task has no id               */
    struct map ids; /* id -> index                       */
    /* what it writes */
    struct output output;
    struct sink results;
    struct sink joblog;
    struct progress progress;
    struct report report;
    char *output_dir; /* absolute; NULL: no files          */
    struct occurrences occurrences;
    /* what runs */
    rpt_pool_t *pool;
    rpt_future_t **futures; /* by index in the list              */
    size_t room_futures;
    struct map index_of; /* future -> index                   */
    size_t n_failed_seen; /* when the disk was last looked at  */
    size_t n_submitted;
    size_t n_collected;
    size_t batch;        /* tasks of one submission           */
    bool stopped;        /* a shutdown other than graceful    */
    struct text cancels; /* ids to cancel, each with 0        */
    uint64_t n_requests; /* read so far                       */
    size_t n_dropped_requests;
    double start_s, request_s;
};

/* Where a task stands: "tasks.txt" or "(request)". */
const char *job_source(const struct job *job, size_t index);

/* Reads the input and opens the files: everything that can be wrong before
 * anything runs. */
int job_prepare(struct job *job, const struct run_options *options,
                struct fault *fault);

/* Runs the tasks to the end, or to the first reason to stop.  Gives the exit
 * code; says what there is to say. */
int job_drive(struct job *job, rpt_context_t *context, rpt_pool_t *pool);

void job_release(struct job *job);

/* ---- parts of the above (submit.c, record.c, requests.c) ---- */

/* Submits the next tasks of the list: one batch, or none while the pool is
 * full. */
int job_submit(struct job *job, struct fault *fault);

/* Can every task of a list ever run on these ranks? */
int check_needs(rpt_pool_t *pool, const struct task_list *list,
                struct fault *fault);

/* To be called when tasks were added to the list from the index `first` on:
 * their ids, files and order of submission. */
void job_added(struct job *job, size_t first);

/* Takes note of results that have come, waiting for the first one up to
 * timeout_s. */
int job_collect(struct job *job, double timeout_s, struct fault *fault);
/* Writes what is pending everywhere. */
void job_flush(struct job *job);

/* Takes requests that were left in the state directory.  `replay`: those of
 * earlier jobs, which are no news. */
int job_requests(struct job *job, bool replay, struct fault *fault);
/* Takes no more; *closed_out false: some were left meanwhile, and are taken. */
int job_close_requests(struct job *job, bool *closed_out, struct fault *fault);
/* Cancels what requests asked for, once everything is submitted. */
void job_cancel(struct job *job);

/* Seconds of a clock that never jumps. */
double now_s(void);

#endif /* CLI_RUN_H */
