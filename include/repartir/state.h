/*
 * repartir/state.h - look into the state directory of a job, and talk to it
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef REPARTIR_STATE_H
#define REPARTIR_STATE_H

#include <repartir/base.h>
#include <repartir/pool.h>

RPT_BEGIN_DECLS

/**
 * \defgroup rpt_state State directories
 *
 * A pool with option `pool.state_dir` keeps its journal there.  These
 * functions read it, while the job runs or after it, and never change it;
 * and they leave requests in it for the running job.
 *
 * \since 0.1
 *
 * \{
 */

/** What a state directory says at one moment. */
typedef struct rpt_state rpt_state_t;

/** What is known about one task of a state directory. */
typedef struct {
    size_t size;          /**< size of this struct, set by the library       */
    const char *id;       /**< the task's id                                 */
    const char *status;   /**< "queued", "running", or an outcome's name     */
    int exit_code;        /**< -1 when there is none                         */
    int signal;           /**< 0 when there is none                          */
    int attempts;         /**< how often it was started                      */
    int rank;             /**< of the last attempt, -1 when there is none    */
    const char *host;     /**< of the last attempt, "" when there is none    */
    double start_time;    /**< seconds since 1970, 0 when it never started   */
    double duration_s;    /**< 0 until it has ended                          */
    uint64_t checkpoints; /**< as in rpt_result_t, once it has ended       */
    uint64_t resumed_iteration; /**< the same                              */
    double wasted_s;            /**< the same                              */
} rpt_state_task_t;

/** What is known about the job. */
typedef struct {
    size_t size;        /**< size of this struct, set by the library          */
    int running;        /**< 1 while a job holds the directory                */
    const char *host;   /**< where the last job's rank 0 ran                  */
    int pid;            /**< its process there                                */
    uint64_t epoch;     /**< number of jobs that used the directory           */
    uint64_t n_tasks;   /**< tasks known                                      */
    uint64_t n_queued;  /**< of these, not started or to be started again     */
    uint64_t n_running; /**< of these, started                                */
    /** of these, ended, by #rpt_outcome_t */
    uint64_t by_outcome[RPT_N_OUTCOMES];
    uint64_t checkpoints; /**< of tasks that have ended (since 0.1)           */
    double wasted_s;      /**< by these, in the job in which each ended
                               (since 0.1)                                    */
} rpt_state_summary_t;

/** Read a state directory.
 *
 * Not collective.  Release with rpt_state_close().
 * \retval RPT_ERR_NOT_FOUND  there is none at \a directory
 * \retval RPT_ERR_CORRUPT    it is damaged beyond a torn tail
 * \retval RPT_ERR_VERSION    a newer librepartir wrote it
 * \retval RPT_ERR_BUSY       it changed while it was read, again and again
 * \retval RPT_ERR_INVALID, RPT_ERR_IO, RPT_ERR_NOMEM
 * \since 0.1
 */
RPT_API rpt_status_t rpt_state_open(const char *directory,
                                    rpt_state_t **state_out);

/** The job in numbers, as they were when it was opened; belongs to the state,
 * NULL for NULL. */
RPT_API const rpt_state_summary_t *rpt_state_summary(const rpt_state_t *state);

/** The i-th task in order of submission.
 *
 * \param task_out  [out] belongs to the state
 * \retval RPT_END  there are only \a index tasks
 * \retval RPT_ERR_INVALID
 */
RPT_API rpt_status_t rpt_state_task(const rpt_state_t *state, size_t index,
                                    const rpt_state_task_t **task_out);

/** Release what rpt_state_open() read. */
RPT_API void rpt_state_close(rpt_state_t *state);

/** Leave a request for the job that runs on a state directory.
 *
 * Not collective.  The running job's driver finds it with
 * rpt_state_read_request().
 *
 * \param kind   "submit" or "cancel"
 * \param text   for "submit" task lines, for "cancel" an id a line
 * \retval RPT_ERR_STATE  no job runs there, or it takes no more requests
 * \retval RPT_ERR_NOT_FOUND, RPT_ERR_INVALID, RPT_ERR_IO
 * \since 0.1
 */
RPT_API rpt_status_t rpt_state_request(const char *directory, const char *kind,
                                       const char *text, size_t bytes);

/** Take no more requests: for the job's driver, when it has read all and is
 * about to end.
 *
 * Not collective.  Requests of later jobs on the directory are not concerned.
 *
 * \param number  of the request that would be the next one: what is left for
 *                the job from now on fails with #RPT_ERR_STATE
 * \retval RPT_END  there is a request of that number: read it first
 * \retval RPT_ERR_NOT_FOUND, RPT_ERR_INVALID, RPT_ERR_STATE, RPT_ERR_IO,
 *         RPT_ERR_NOMEM
 * \since 0.1
 */
RPT_API rpt_status_t rpt_state_close_requests(const char *directory,
                                              uint64_t number);

/** Read a request that was left for a job.
 *
 * Requests are numbered from 1 in the order in which they came, over all jobs
 * of the directory; a job reads them from the first one.
 *
 * \param number    which one, from 1
 * \param kind_out  [out] "submit", "cancel", or "close" where a job took no
 *                  more; release with free()
 * \param text_out  [out] ends with 0; release with free()
 * \retval RPT_END  there is none of that number yet
 * \retval RPT_ERR_INVALID, RPT_ERR_IO, RPT_ERR_NOMEM
 * \since 0.1
 */
RPT_API rpt_status_t rpt_state_read_request(const char *directory,
                                            uint64_t number, char **kind_out,
                                            char **text_out, size_t *bytes_out);

/** \} */

RPT_END_DECLS

#endif /* REPARTIR_STATE_H */
