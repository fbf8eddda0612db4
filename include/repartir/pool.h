/*
 * repartir/pool.h - tasks, the pool of ranks that runs them, and futures
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef REPARTIR_POOL_H
#define REPARTIR_POOL_H

#include <repartir/base.h>
#include <repartir/checkpoint.h>
#include <repartir/context.h>
#include <repartir/group.h>

RPT_BEGIN_DECLS

/** A description of work; may be submitted any number of times. */
typedef struct rpt_task rpt_task_t;

/** Ranks that run tasks. */
typedef struct rpt_pool rpt_pool_t;

/** The result to come of one submitted task. */
typedef struct rpt_future rpt_future_t;

/** What a registered function sees of the call that runs it. */
typedef struct rpt_call rpt_call_t;

/**
 * \defgroup rpt_task Tasks
 *
 * A task is an external program, a C function registered under a name on
 * every rank, or a gang: a function that runs on k ranks at once.  It is made
 * empty, configured with the setters, and submitted.  Submitting copies it:
 * change it and submit it again, or destroy it, as you like.
 *
 * The setters are not collective, copy what they are given, and return
 * RPT_ERR_INVALID for a bad value and RPT_ERR_NOMEM.  A value that is set again
 * replaces the old one; variables and dependencies add up, so that a task
 * without those of another one is a new task.  One thread at a time.
 *
 * What a program finds in its environment: RPT_TASK_ID, RPT_TASK_ATTEMPT (from
 * 1), RPT_TASK_RANK, RPT_TASK_SLOT (from 1, unique among what runs at the same
 * time on a rank), and RPT_RESOURCE_<NAME> for each resource; with
 * rpt_task_set_checkpoint() those that stand there, too.
 *
 * \since 0.1
 *
 * \{
 */

/** Make an empty task.  Release it with rpt_task_destroy(). */
RPT_API rpt_status_t rpt_task_create(rpt_task_t **task_out);

/** Release a task.  What was submitted goes on. */
RPT_API void rpt_task_destroy(rpt_task_t *task);

/** Run a program: \a argv ends with NULL; argv[0] is searched in PATH. */
RPT_API rpt_status_t rpt_task_set_program(rpt_task_t *task,
                                          const char *const argv[]);

/** Run a line by /bin/sh -c. */
RPT_API rpt_status_t rpt_task_set_shell(rpt_task_t *task, const char *line);

/** Run a function that rpt_pool_register() knows by \a name.
 *
 * \param input  bytes handed to the function on the rank that runs it
 */
RPT_API rpt_status_t rpt_task_set_function(rpt_task_t *task, const char *name,
                                           const void *input,
                                           size_t input_bytes);

/** Run the function on \a n_ranks ranks at once, each with the same input. */
RPT_API rpt_status_t rpt_task_set_gang(rpt_task_t *task, int n_ranks);

/** Name of the task, unique in the pool (each rank refuses only what it
 * submitted itself before); NULL, the default: a number is given, which
 * then cannot be the id of another task. */
RPT_API rpt_status_t rpt_task_set_id(rpt_task_t *task, const char *id);

/** Add a variable to the program's environment; NULL removes it. */
RPT_API rpt_status_t rpt_task_set_env(rpt_task_t *task, const char *name,
                                      const char *value);

/** Working directory of the program, on the rank that runs it; NULL, the
 * default: that of the rank. */
RPT_API rpt_status_t rpt_task_set_cwd(rpt_task_t *task, const char *directory);

/** Bytes for the program's standard input (default: /dev/null). */
RPT_API rpt_status_t rpt_task_set_stdin(rpt_task_t *task, const void *data,
                                        size_t bytes);

/** What becomes of a program's standard output and error. */
typedef enum rpt_output {
    /** into the result, up to `pool.capture_bytes` each */
    RPT_OUTPUT_CAPTURE = 0,
    RPT_OUTPUT_DISCARD = 1, /**< to /dev/null                                */
    RPT_OUTPUT_FILES = 2,   /**< to the files of rpt_task_set_output_files() */
    RPT_OUTPUT_STREAM = 3   /**< to the function of rpt_pool_on_output()     */
} rpt_output_t;

/** Choose what becomes of output; the default is #RPT_OUTPUT_CAPTURE. */
RPT_API rpt_status_t rpt_task_set_output(rpt_task_t *task, rpt_output_t output);

/** Send output to files (created, or emptied) on the rank that runs the task.
 *
 * Implies #RPT_OUTPUT_FILES.  NULL means /dev/null.
 */
RPT_API rpt_status_t rpt_task_set_output_files(rpt_task_t *task,
                                               const char *stdout_path,
                                               const char *stderr_path);

/** Which tasks start first; FIFO among equals, and none waits for ever. */
typedef enum rpt_priority {
    RPT_PRIORITY_HIGH = 0,   /**< before all others  */
    RPT_PRIORITY_NORMAL = 1, /**< the default        */
    RPT_PRIORITY_LOW = 2     /**< when all else runs */
} rpt_priority_t;

/** Choose when the task starts, compared with others; the default is
 * #RPT_PRIORITY_NORMAL. */
RPT_API rpt_status_t rpt_task_set_priority(rpt_task_t *task,
                                           rpt_priority_t priority);

/** End a program after \a seconds of one attempt: TERM, after `pool.grace_s`
 * KILL, to its whole process group.  0, the default: no limit.  Functions are
 * told by rpt_call_cancelled(). */
RPT_API rpt_status_t rpt_task_set_timeout(rpt_task_t *task, double seconds);

/** When it did not succeed, try again up to \a retries times (default 0), on
 * another rank first, with a back-off that begins at `pool.backoff_s` and
 * doubles, up to a minute. */
RPT_API rpt_status_t rpt_task_set_retries(rpt_task_t *task, int retries);

/** Let the task save its state now and then, so that an attempt goes on where
 * the one before it, in this job or an earlier one, last did so.
 *
 * 0 seconds, the default: it has no checkpoints.  They are kept in option
 * `pool.checkpoint_dir`, which all nodes share, in a folder named after the
 * task; as any others (`repartir ckpt` shows them, `io.checkpoint.keep` and
 * the like say how many stay), until the task has succeeded.  A task without id
 * is known by its number and by what it does: give ids to tasks that a later
 * job shall find again.
 *
 * A function calls rpt_call_checkpoint() or its relatives, a gang
 * rpt_call_checkpoint_open().
 *
 * A program gets, every so often, the signal of option
 * `pool.checkpoint_signal` (itself, not what it has started; who does not
 * handle it is ended by it), and when the pool stops.  It finds
 *
 *  - RPT_CHECKPOINT_DIR: a folder, empty at its start, in which it writes files
 *    and folders (no links), at any time and whether or not it was asked to;
 *    when these are closed, a file COMMIT, with the iteration and an end of
 *    line.  From then on it leaves that folder alone until COMMIT is gone:
 *    then its files have been taken and are committed (or could not be, of
 *    which there is a warning), the folder is empty, and it may write the next
 *    ones.  It may end at once: what stands there with a COMMIT counts.  After
 *    two seconds a COMMIT without an end of line is taken as it is; an empty
 *    one is refused.
 *  - RPT_CHECKPOINT_RESTORE: the folder with its files of the newest
 *    checkpoint, to be read, not written, before it writes its own COMMIT;
 *    unset when there is none.
 *  - RPT_CHECKPOINT_ITERATION: of that checkpoint, 0 when there is none.
 *
 * \since 0.1
 */
RPT_API rpt_status_t rpt_task_set_checkpoint(rpt_task_t *task,
                                             double interval_s);

/** Slots (cores) that the task occupies on its rank; default 1. */
RPT_API rpt_status_t rpt_task_set_slots(rpt_task_t *task, int slots);

/** Memory in MiB that the task needs; the rank reserves it, and the program's
 * address space is limited to it.  0, the default: neither. */
RPT_API rpt_status_t rpt_task_set_memory(rpt_task_t *task, uint64_t mib);

/** Units of a named resource of the rank (option `pool.resources`), such as
 * "gpu".  They are numbered through over the ranks of a host: with gpu=2 the
 * first rank has 0 and 1, the next one 2 and 3.  The task is told which ones by
 * RPT_RESOURCE_<NAME>=0,2; for "gpu" CUDA_VISIBLE_DEVICES is set as well, to
 * these entries of the list that the rank itself has there, if it has one.
 * 0 units: as if it had not been asked for. */
RPT_API rpt_status_t rpt_task_set_resource(rpt_task_t *task, const char *name,
                                           int units);

/** Start only after the task with this id has succeeded: one that the same
 * rank submitted before, or in the same batch.  May be called several times.
 * When that task does not succeed, this one is skipped. */
RPT_API rpt_status_t rpt_task_add_dependency(rpt_task_t *task, const char *id);

/** \} */

/**
 * \defgroup rpt_result Results
 *
 * \since 0.1
 *
 * \{
 */

/** How a task ended. */
typedef enum rpt_outcome {
    RPT_OUTCOME_OK = 0,        /**< exit code 0, or the function returned 0   */
    RPT_OUTCOME_FAILED = 1,    /**< another exit code, or it could not start  */
    RPT_OUTCOME_SIGNALED = 2,  /**< killed by a signal                        */
    RPT_OUTCOME_TIMEOUT = 3,   /**< ended because its time was over           */
    RPT_OUTCOME_CANCELLED = 4, /**< cancelled, by a call or a shutdown        */
    RPT_OUTCOME_SKIPPED = 5,   /**< a task it depends on did not succeed      */
    RPT_OUTCOME_LOST = 6       /**< what ran it went away                     */
} rpt_outcome_t;

/** Number of outcomes. */
#define RPT_N_OUTCOMES 7

/** Name of an outcome: "ok", "failed", "signaled", …  Never NULL. */
RPT_API const char *rpt_outcome_name(rpt_outcome_t outcome);

/** The result of one task.  Belongs to its future. */
typedef struct rpt_result {
    size_t size;           /**< size of this struct, set by the library       */
    const char *id;        /**< the task's id                                 */
    rpt_outcome_t outcome; /**< how it ended                                  */
    int exit_code;         /**< of the program or function; -1: none          */
    int signal;            /**< that ended it, or 0                           */
    int attempts;          /**< how often it was started                      */
    int resumed;           /**< 1: known from the journal, not run now        */
    int rank;              /**< where the last attempt ran, -1: nowhere       */
    const char *host;      /**< its host, "" when it ran nowhere              */
    double start_time;     /**< seconds since 1970, of the last attempt       */
    double duration_s;     /**< of the last attempt                           */
    uint64_t max_rss_kib;  /**< peak memory of a program, of the last attempt */
    const char *message;   /**< why it failed, in words, "" when it did not   */
    const void *output;    /**< what a function gave to rpt_call_set_output() */
    size_t output_bytes;   /**< length of output                              */
    const void *stdout_data; /**< captured; not ended with 0                  */
    size_t stdout_bytes;     /**< length of stdout_data                       */
    const void *stderr_data; /**< captured; not ended with 0                  */
    size_t stderr_bytes;     /**< length of stderr_data                       */
    uint64_t stdout_dropped; /**< bytes beyond the limit, not kept            */
    uint64_t stderr_dropped; /**< the same of standard error                  */
    uint64_t checkpoints;    /**< committed by all its attempts (since 0.1)   */
    uint64_t resumed_iteration; /**< that the last attempt began with, 0:
                                     none (since 0.1)                         */
    double wasted_s; /**< of attempts of this job that did not succeed, each
                          since its last checkpoint or its start (since 0.1)  */
} rpt_result_t;

/** \} */

/**
 * \defgroup rpt_pool Pools
 *
 * Two ways to use one:
 *
 *  - driver: one rank submits and waits; the others call rpt_pool_serve(),
 *    which returns when the driver has called rpt_pool_shutdown();
 *  - SPMD: every rank submits, and all call rpt_pool_drain(), which returns
 *    on all ranks when every task of every rank has ended.
 *
 * The submitting ranks work too.  A task may submit tasks; they belong to the
 * rank where that task ran, and so do their results.  A task must not wait for
 * tasks (RPT_ERR_STATE): it would hold its slot meanwhile.
 *
 * A context has one pool at a time.
 *
 * What makes the pool useless (the journal cannot be written, MPI fails, no
 * memory) ends every call that waits, on all ranks, with that failure; with a
 * journal the same job can be resumed.
 *
 * \since 0.1
 *
 * \{
 */

/** Make a pool over the ranks of a group.
 *
 * Collective over \a group.  Blocking.  Release it with rpt_pool_destroy().
 * Options `pool.*` and `journal.*` of the context apply; with
 * `pool.state_dir` set, the pool journals there, and resumes what an earlier
 * job left.
 *
 * \param group  NULL for all ranks of the context
 * \retval RPT_ERR_STATE    the context has a pool already
 * \retval RPT_ERR_BUSY     another job uses the state directory
 * \retval RPT_ERR_CORRUPT  the state directory is damaged beyond its tail
 * \retval RPT_ERR_VERSION  a newer librepartir wrote it
 * \retval RPT_ERR_PARSE    a `pool.*` option makes no sense
 * \retval RPT_ERR_OVERFLOW  more than 16 different resources
 * \retval RPT_ERR_PEER     another rank failed
 * \retval RPT_ERR_INVALID, RPT_ERR_NOMEM, RPT_ERR_IO, RPT_ERR_SYSTEM
 * \since 0.1
 */
RPT_API rpt_status_t rpt_pool_create(rpt_context_t *context, rpt_group_t *group,
                                     rpt_pool_t **pool_out);

/** A function that can be a task.  Runs on a thread of the library, except
 * for gangs below MPI_THREAD_MULTIPLE, which run in the thread that waits or
 * serves.  0 is success; other values are the exit code. */
typedef int (*rpt_task_fn)(rpt_call_t *call, void *user);

/** Make a function known under a name.
 *
 * Not collective, but every rank must register the same names before it
 * serves, submits or drains.
 * \param user  handed to every call of \a fn on this rank; stays the caller's
 * \retval RPT_ERR_EXISTS  the name is taken
 * \retval RPT_ERR_INVALID, RPT_ERR_NOMEM
 * \since 0.1
 */
RPT_API rpt_status_t rpt_pool_register(rpt_pool_t *pool, const char *name,
                                       rpt_task_fn fn, void *user);

/** Look whether a task could be submitted, without submitting it: whether its
 * function exists and some rank could ever run it.  Its id and its
 * dependencies are not looked at.
 *
 * Not collective.
 * \retval RPT_ERR_INVALID, RPT_ERR_NOT_FOUND, RPT_ERR_UNSUPPORTED,
 *         RPT_ERR_NOMEM  as rpt_pool_submit()
 * \since 0.1
 */
RPT_API rpt_status_t rpt_pool_check(rpt_pool_t *pool, const rpt_task_t *task);

/** Submit a task.
 *
 * Not collective.  Returns at once; when `pool.queue_limit` tasks are queued
 * it blocks until there is room, or fails if `pool.queue_full` is "error".  In
 * a task it always fails then: to wait would hold the task's slot.
 *
 * \param future_out  [out] to be released with rpt_future_destroy(); NULL when
 *                    nobody waits for this task: its result is then seen only
 *                    by rpt_pool_on_result()
 * \retval RPT_ERR_INVALID    the task has neither program nor function, or
 *                            wants checkpoints without
 *                            `pool.checkpoint_dir`
 * \retval RPT_ERR_NOT_FOUND  no such function, or a dependency is unknown
 * \retval RPT_ERR_EXISTS     the id was submitted before
 * \retval RPT_ERR_CYCLE      the dependencies form a cycle
 * \retval RPT_ERR_UNSUPPORTED  no rank can ever satisfy its resources
 * \retval RPT_ERR_FULL, RPT_ERR_SHUTDOWN, RPT_ERR_NOMEM, RPT_ERR_IO
 * \since 0.1
 */
RPT_API rpt_status_t rpt_pool_submit(rpt_pool_t *pool, const rpt_task_t *task,
                                     rpt_future_t **future_out);

/** Submit many tasks at once: all of them, or none.
 *
 * A task may depend on any other of the batch, earlier or later.
 * \param futures_out  [out] array of \a n_tasks, or NULL
 * \retval as rpt_pool_submit(); the error names the task
 * \since 0.1
 */
RPT_API rpt_status_t rpt_pool_submit_batch(rpt_pool_t *pool,
                                           const rpt_task_t *const tasks[],
                                           size_t n_tasks,
                                           rpt_future_t **futures_out);

/** Work for the pool until the driver shuts it down.
 *
 * Every rank but the driver calls it, once.  Blocking; an idle rank sleeps.
 * \retval RPT_ERR_SHUTDOWN  the pool was shut down before
 * \retval RPT_ERR_STATE     called by a task or a callback
 * \retval RPT_ERR_MPI, RPT_ERR_PEER, RPT_ERR_IO, RPT_ERR_NOMEM
 * \since 0.1
 */
RPT_API rpt_status_t rpt_pool_serve(rpt_pool_t *pool);

/** Work until every task that any rank submitted has ended.
 *
 * SPMD mode: collective over the pool's group.  Driver mode: called by the
 * driver, while the others go on in rpt_pool_serve(); unlike rpt_pool_wait() it
 * waits for what tasks submitted elsewhere, too.  Blocking.  Callbacks run
 * inside.  More may be submitted afterwards, and drained again, unless another
 * rank has called rpt_pool_shutdown() meanwhile.
 * \retval RPT_ERR_SHUTDOWN  the pool was shut down before, or by another rank
 *                           meanwhile, and tasks were dropped
 * \retval RPT_ERR_STATE     called by a task or a callback
 * \retval RPT_ERR_MPI, RPT_ERR_PEER, RPT_ERR_IO, RPT_ERR_NOMEM
 * \since 0.1
 */
RPT_API rpt_status_t rpt_pool_drain(rpt_pool_t *pool);

/** Called once for each task of this rank that ended, in order of ending, from
 * inside a library call of the thread that waits. */
typedef void (*rpt_result_fn)(const rpt_result_t *result, void *user);

/** Give \a fn every result of the tasks that this rank submitted; those of
 * tasks that ran here but were submitted elsewhere go there.
 *
 * Not collective.  Call it before tasks are submitted; NULL: nobody.  The
 * result is valid during the call of \a fn, which may submit tasks.
 * \since 0.1
 */
RPT_API rpt_status_t rpt_pool_on_result(rpt_pool_t *pool, rpt_result_fn fn,
                                        void *user);

/** Receives streamed output: stream 1 is standard output, 2 standard error.
 * Called like rpt_result_fn, in the order in which the output came. */
typedef void (*rpt_output_fn)(const char *id, int stream, const void *data,
                              size_t bytes, void *user);

/** Give \a fn the output of the tasks with #RPT_OUTPUT_STREAM that this rank
 * submitted, wherever they run.
 *
 * Not collective.  Call it before tasks are submitted; NULL: nobody.
 * \since 0.1
 */
RPT_API rpt_status_t rpt_pool_on_output(rpt_pool_t *pool, rpt_output_fn fn,
                                        void *user);

/** Wait until all tasks that this rank submitted have ended, or time is over.
 *
 * Not collective.  Callbacks run inside.  Tasks that were submitted by tasks on
 * other ranks are not waited for: rpt_pool_drain() and a graceful
 * rpt_pool_shutdown() wait for those too.
 * \param timeout_s  negative: no limit; 0: only look
 * \retval RPT_PENDING    time is over; some tasks have not ended
 * \retval RPT_ERR_STATE  called by a task
 * \retval RPT_ERR_MPI, RPT_ERR_PEER, RPT_ERR_IO, RPT_ERR_NOMEM
 * \since 0.1
 */
RPT_API rpt_status_t rpt_pool_wait(rpt_pool_t *pool, double timeout_s);

/** Cancel a task by its id, or by the number of one without: a queued one never
 * starts, a running program is ended as by a timeout, a running function is
 * told by rpt_call_cancelled().
 *
 * Not collective.  Returns at once; the result comes as any other.
 * \retval RPT_ERR_NOT_FOUND  this rank submitted no such task
 * \retval RPT_END            it had ended already
 * \since 0.1
 */
RPT_API rpt_status_t rpt_pool_cancel(rpt_pool_t *pool, const char *id);

/** Numbers of a pool, as this rank knows them. */
typedef struct {
    size_t size;        /**< size of this struct, set by the caller          */
    uint64_t submitted; /**< by this rank                                    */
    uint64_t queued;    /**< of these, not started                           */
    uint64_t running;   /**< of these, started                               */
    uint64_t ended;     /**< of these, ended                                 */
    uint64_t by_outcome[RPT_N_OUTCOMES]; /**< ended, by #rpt_outcome_t */
    uint64_t resumed;  /**< of the ended, known from the journal            */
    uint64_t retried;  /**< attempts beyond the first                       */
    uint64_t ran_here; /**< attempts that this rank ran, for any rank       */
    int slots;         /**< of this rank                                    */
    int total_slots;   /**< of all ranks                                    */
    double busy_s;     /**< slot seconds that this rank was busy            */
    uint64_t checkpoints; /**< that these have committed (since 0.1)        */
    uint64_t restored; /**< attempts that began with one (since 0.1)        */
    double wasted_s;   /**< of attempts that did not succeed, each since
                            its last checkpoint or its start (since 0.1)    */
} rpt_pool_stats_t;

/** Read the numbers.  Not collective.  \a stats->size must be set. */
RPT_API rpt_status_t rpt_pool_stats(rpt_pool_t *pool, rpt_pool_stats_t *stats);

/** How to stop. */
typedef enum rpt_shutdown {
    RPT_SHUTDOWN_GRACEFUL = 0, /**< everything submitted runs first           */
    RPT_SHUTDOWN_DRAIN = 1,    /**< what runs may end; the rest stays queued  */
    RPT_SHUTDOWN_NOW = 2       /**< what runs is ended, the rest is cancelled */
} rpt_shutdown_t;

/** Stop the pool.
 *
 * Driver mode: called by the driver; the others' rpt_pool_serve() returns.
 * SPMD mode: collective; #RPT_SHUTDOWN_DRAIN and _NOW stop all ranks as soon as
 * the first one calls, and submissions fail from then on; a rank that is in
 * rpt_pool_drain() comes back from there, and its own call then returns at
 * once.  Blocking.  With a journal, tasks that were dropped are run by the next
 * job on the same state directory.
 *
 * \param grace_s        seconds; for #RPT_SHUTDOWN_DRAIN: then end what runs
 * \param n_dropped_out  [out] this rank's tasks that did not run to their end;
 *                       may be NULL
 * \retval RPT_ERR_SHUTDOWN  it was shut down before
 * \retval RPT_ERR_STATE     called by a task or a callback
 * \retval RPT_ERR_MPI, RPT_ERR_PEER, RPT_ERR_IO, RPT_ERR_NOMEM
 * \since 0.1
 */
RPT_API rpt_status_t rpt_pool_shutdown(rpt_pool_t *pool, rpt_shutdown_t how,
                                       double grace_s, uint64_t *n_dropped_out);

/** Release a pool, after a shutdown or a drain.  Futures must be gone. */
RPT_API void rpt_pool_destroy(rpt_pool_t *pool);

/** \} */

/**
 * \defgroup rpt_future Futures
 *
 * Of the rank that submitted.  Any thread may wait, subject to the thread
 * rule of contexts; one future is waited for by one thread at a time.  A task
 * may look (a time of 0) but not wait: RPT_ERR_STATE.  Waits also end with what
 * made the pool useless: RPT_ERR_MPI, _PEER, _IO or _NOMEM.
 *
 * \since 0.1
 *
 * \{
 */

/** Wait for one task.
 *
 * \param timeout_s  negative: no limit; 0: only look
 * \retval RPT_PENDING  time is over
 * \since 0.1
 */
RPT_API rpt_status_t rpt_future_wait(rpt_future_t *future, double timeout_s);

/** Wait until one of several has ended.
 *
 * NULL entries are skipped.  All must be of one pool.
 * \param futures    [in] array of \a n_futures
 * \param timeout_s  negative: no limit; 0: only look
 * \param index_out  [out] which; the first of them when several have
 * \retval RPT_PENDING  time is over
 * \retval RPT_END      there are only NULL entries
 * \since 0.1
 */
RPT_API rpt_status_t rpt_future_wait_any(rpt_future_t *const futures[],
                                         size_t n_futures, double timeout_s,
                                         size_t *index_out);

/** Wait until all of several have ended.
 *
 * NULL entries are skipped.  All must be of one pool.
 * \param futures    [in] array of \a n_futures
 * \param timeout_s  negative: no limit; 0: only look
 * \retval RPT_PENDING  time is over
 * \since 0.1
 */
RPT_API rpt_status_t rpt_future_wait_all(rpt_future_t *const futures[],
                                         size_t n_futures, double timeout_s);

/** The next future of this rank to have ended, in order of ending.
 *
 * Each is given once; those that were waited for by name are given too.
 * \param timeout_s   negative: no limit; 0: only look
 * \param future_out  [out] one that rpt_pool_submit() gave, and still yours
 * \retval RPT_PENDING    time is over
 * \retval RPT_END        every future of this rank was given already
 * \retval RPT_ERR_STATE  called by a task
 * \since 0.1
 */
RPT_API rpt_status_t rpt_pool_next(rpt_pool_t *pool, double timeout_s,
                                   rpt_future_t **future_out);

/** The result; RPT_PENDING before the task has ended.
 *
 * \param result_out  [out] belongs to the future, and goes with it
 * \since 0.1
 */
RPT_API rpt_status_t rpt_future_result(rpt_future_t *future,
                                       const rpt_result_t **result_out);

/** Cancel the task; see rpt_pool_cancel().
 *
 * \retval RPT_END  it had ended already
 * \since 0.1
 */
RPT_API rpt_status_t rpt_future_cancel(rpt_future_t *future);

/** Release a future and its result.  The task goes on. */
RPT_API void rpt_future_destroy(rpt_future_t *future);

/** \} */

/**
 * \defgroup rpt_call Inside a task function
 *
 * Valid until the function returns, in its own thread.  None of these waits or
 * is collective.
 *
 * \since 0.1
 *
 * \{
 */

/** The input given to rpt_task_set_function(); belongs to the call.
 * \param bytes_out  [out] its length; may be NULL */
RPT_API const void *rpt_call_input(const rpt_call_t *call, size_t *bytes_out);

/** Give an output; it is copied.  The last one given counts.
 * For a gang: that of its rank 0. */
RPT_API rpt_status_t rpt_call_set_output(rpt_call_t *call, const void *data,
                                         size_t bytes);

/** Say in words why the function is about to fail. */
RPT_API rpt_status_t rpt_call_set_message(rpt_call_t *call, const char *text);

/** 1 when the task was cancelled or its time is over, else 0. */
RPT_API int rpt_call_cancelled(const rpt_call_t *call);

/** Which attempt this is, from 1. */
RPT_API int rpt_call_attempt(const rpt_call_t *call);

/** Units of a resource that were handed out: their indices, or NULL when it has
 * none.  They belong to the call.
 * \param n_out  [out] how many; may be NULL */
RPT_API const int *rpt_call_resource(const rpt_call_t *call, const char *name,
                                     int *n_out);

/** The pool, to submit more tasks: they belong to this rank. */
RPT_API rpt_pool_t *rpt_call_pool(const rpt_call_t *call);

/** The gang's group; NULL when the task is no gang.  Belongs to the pool. */
RPT_API rpt_group_t *rpt_call_group(const rpt_call_t *call);

/** \} */

/**
 * \defgroup rpt_call_checkpoint Checkpoints of a task function
 *
 * For tasks of rpt_task_set_checkpoint(); in others there is never anything to
 * restore and nothing is due, so that the same function serves both.
 *
 *     rpt_call_set_checkpoint(call, measure, pack, unpack, &state);
 *     for (uint64_t i = rpt_call_checkpoint_iteration(call); i < n; i++) {
 *         step(&state);
 *         rpt_call_checkpoint(call, i + 1);
 *     }
 *
 * In the function's own thread; they read and write files, and use no MPI.  So
 * long as the function has not returned, no other attempt gets the task's
 * checkpoints: one that comes while a killed job is still on its way out waits
 * some seconds, then RPT_ERR_BUSY.
 *
 * A save that failed leaves the checkpoints before it as they were.  It is
 * warned of; the function may go on.
 *
 * \since 0.1
 *
 * \{
 */

/** Tells how many bytes the state has. */
typedef rpt_status_t (*rpt_call_measure_fn)(void *user, uint64_t *bytes_out);
/** Writes them. */
typedef rpt_status_t (*rpt_call_pack_fn)(void *user, void *bytes,
                                         uint64_t n_bytes);
/** Takes a state that was packed. */
typedef rpt_status_t (*rpt_call_unpack_fn)(void *user, const void *bytes,
                                           uint64_t n_bytes);

/** Say once what the state is; when there is a checkpoint, \a unpack is called
 * at once, with the bytes that \a pack wrote.
 *
 * The functions are called by rpt_call_checkpoint() and this call; a status
 * other than 0 is given to who called that.
 * \retval RPT_ERR_STATE    it is a gang
 * \retval RPT_ERR_BUSY     another attempt has the checkpoints
 * \retval RPT_ERR_CORRUPT  there are some, but none is whole and can be read
 * \retval RPT_ERR_VERSION  a newer librepartir wrote the newest one
 * \retval RPT_ERR_INVALID  NULL; the task's folder is a link, or others may
 *                          write to it
 * \retval RPT_ERR_IO, RPT_ERR_NOMEM, or what \a unpack returned
 */
RPT_API rpt_status_t rpt_call_set_checkpoint(rpt_call_t *call,
                                             rpt_call_measure_fn measure,
                                             rpt_call_pack_fn pack,
                                             rpt_call_unpack_fn unpack,
                                             void *user);

/** Save the state of rpt_call_set_checkpoint() if that is due.
 *
 * A look at a clock when it is not.  When it is, the state is on the disk when
 * it returns.
 *
 * \param iteration  how far the function is: where it would go on
 * \retval RPT_OK          saved, or not due
 * \retval RPT_ERR_EXISTS  there is a checkpoint of a higher iteration
 * \retval RPT_ERR_STATE   rpt_call_set_checkpoint() was not called
 * \retval RPT_ERR_BUSY, RPT_ERR_CORRUPT  that call has failed so
 * \retval RPT_ERR_SYSTEM  there are no random numbers, for its name
 * \retval RPT_ERR_INVALID, RPT_ERR_IO, RPT_ERR_NOMEM, or what a function of the
 *         state returned
 */
RPT_API rpt_status_t rpt_call_checkpoint(rpt_call_t *call, uint64_t iteration);

/** Whether a checkpoint is due: the task's interval is over since the start or
 * the last save; or the task was cancelled, its time is over, or the pool
 * stops, and it has not saved since.  Never for a gang. */
RPT_API int rpt_call_checkpoint_due(const rpt_call_t *call);

/** Save some bytes, due or not; without rpt_call_set_checkpoint().
 *
 * Statuses as rpt_call_checkpoint(), and as rpt_call_checkpoint_restore() when
 * nothing has opened the checkpoints before; RPT_ERR_STATE: the task was not
 * asked to, or it is a gang.
 */
RPT_API rpt_status_t rpt_call_checkpoint_save(rpt_call_t *call,
                                              uint64_t iteration,
                                              const void *data, size_t bytes);

/** The bytes of the newest checkpoint that is whole.
 *
 * One that is damaged is put aside, and the one before is given; so is one that
 * was restored `io.checkpoint.tries` times without a newer one.  One that
 * cannot be read is passed over with a warning, and stays.
 * \param data_out  [out] belongs to the call
 * \retval RPT_END          there is none: start from the beginning
 * \retval RPT_ERR_CORRUPT  there are some, but none is whole: to begin anew is
 *                          for a person to decide, by moving .bad-* away
 * \retval RPT_ERR_VERSION  a newer librepartir wrote the newest one
 * \retval RPT_ERR_NOT_FOUND  its bytes were saved by a program, not by a
 *                          function
 * \retval RPT_ERR_STATE    it is a gang
 * \retval RPT_ERR_BUSY     another attempt has the checkpoints
 * \retval RPT_ERR_SYSTEM   no descriptors are left
 * \retval RPT_ERR_INVALID, RPT_ERR_IO, RPT_ERR_NOMEM
 */
RPT_API rpt_status_t rpt_call_checkpoint_restore(rpt_call_t *call,
                                                 uint64_t *iteration_out,
                                                 const void **data_out,
                                                 size_t *bytes_out);

/** The iteration of what was restored; 0: the function begins anew.  In a gang,
 * of what rpt_checkpoint_restore() has restored in this call. */
RPT_API uint64_t rpt_call_checkpoint_iteration(rpt_call_t *call);

/** Open the checkpoints of a gang, over its group: all of checkpoint.h, with
 * the task's interval as `io.checkpoint.interval_s`.
 *
 * Collective over the gang.  Blocking.  To be closed with
 * rpt_checkpoint_close() before the function returns.
 * \retval RPT_ERR_STATE  it is no gang, or was not asked for checkpoints; it
 *                        has them open
 * \retval RPT_ERR_BUSY   another attempt had them for ten seconds
 * \retval as rpt_checkpoint_open()
 */
RPT_API rpt_status_t
rpt_call_checkpoint_open(rpt_call_t *call, rpt_checkpoint_t **checkpoint_out);

/** \} */

RPT_END_DECLS

#endif /* REPARTIR_POOL_H */
