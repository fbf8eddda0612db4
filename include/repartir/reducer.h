/*
 * repartir/reducer.h - many arrays reduced in few calls, under a computation
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef REPARTIR_REDUCER_H
#define REPARTIR_REDUCER_H

#include <repartir/base.h>
#include <repartir/group.h>
#include <repartir/types.h>

#include <stddef.h>
#include <stdint.h>

RPT_BEGIN_DECLS

/**
 * \defgroup rpt_reducer Reducers
 *
 * A reducer all-reduces a list of arrays again and again, e.g. the gradients of
 * a model, one round after the other.  Small arrays are put together into
 * *buckets*, each of which is one all-reduce.  It begins when the last array of
 * the bucket is ready, while the caller computes the next arrays.
 *
 *     create --> ready, ready, ... --> wait --> ready, ready, ... --> wait
 *                 a round: every array once
 *
 * - **Order.**  Buckets are filled in the order of the list, and begin in this
 *   order on all ranks.  So list arrays as they get ready: gradients from the
 *   last layer to the first.  Ranks may mark them in any order; a bucket that
 *   is full early waits for those before it.
 * - **Copies.**  A bucket of one array is reduced where the array is.  Other
 *   arrays are copied into their bucket when they are marked, and back in the
 *   wait.  Buckets are as large as what is in them, and of the kind that
 *   rpt_buffer_alloc() gives while half of the node's shared memory is free.
 * - **Its own group.**  Buckets are reduced in a group that the reducer makes
 *   of the ranks of the caller's.  So other calls of that group, and other
 *   reducers, may come at any moment, and go on when a round has failed.
 * - **Progress** is made in rpt_reducer_ready(), rpt_reducer_test() and all
 *   calls that wait; without them where rpt_context_progresses().
 * - **Threads.**  One at a time makes calls of a reducer.
 * - **Bits.**  All ranks get the same.  Where an array stands in its bucket may
 *   change the order of its sum; `coll.reproducible` does without that.
 *
 * Arrays are in memory of the host.
 *
 * \since 0.1
 *
 * \{
 */

/** Arrays that are reduced together. */
typedef struct rpt_reducer rpt_reducer_t;

/** How elements travel. */
typedef enum rpt_wire {
    /** As they are. */
    RPT_WIRE_SAME = 0,
    /** f32 arrays as bf16, which is half as many bytes; sum, average, min, max.
     *
     * Each rank rounds its values to bf16 (to the nearest, ties to even; NaN
     * stays NaN, infinity stays infinity).  Partial sums are added up in f32
     * and rounded to bf16 where they are stored.  The result is a bf16 in f32;
     * an average is divided in f32.  One rank alone rounds, too.
     *
     * With u = 2^-8, half the distance of neighbours at 1, and p ranks, a value
     * is rounded at most p times on its way: once by its rank, and once by each
     * of the at most p-1 additions.  So, where no partial sum overflows,
     *
     *     |sum - exact sum| <= ((1 + u)^p - 1) (|x_1| + ... + |x_p|)
     *                          + (1 + u)^p p 2^-134
     *
     * that is about p/256 of the sum of the magnitudes, and most often much
     * less: a node that adds all its ranks at once rounds once for all of
     * them.  The last term is for values below 2^-126.  An average has 1/p of
     * this error, and a rounding to f32.  Minimum and maximum are those of the
     * exact values, rounded once: off by at most u times themselves, or by
     * 2^-134.  Magnitudes from 2^128 - 2^119 on become infinite. */
    RPT_WIRE_BF16 = 1
} rpt_wire_t;

/** What all arrays of a reducer have in common.  Set all of it to zero, then
 * what differs. */
typedef struct rpt_reducer_config {
    rpt_type_t type;     /**< of all elements                              */
    rpt_op_t op;         /**< any that rpt_allreduce() has for the type    */
    rpt_wire_t wire;     /**< how they travel                              */
    size_t bucket_bytes; /**< most bytes of a bucket, as they travel; 0:
                              #RPT_REDUCER_BUCKET_BYTES                    */
} rpt_reducer_config_t;

/** The usual size of a bucket, 4 MiB.
 *
 * What is left to be waited for behind the last array is about one bucket, so
 * it should be small; each bucket costs the latency of an all-reduce, so it
 * should not be too small.  On 256 ranks of 64 nodes 4 MiB take 6 % longer for
 * a byte than 64 MiB do, and 256 KiB take 27 % (`repartir explain allreduce
 * --ranks=256 --nodes=64 --count=1048576`, for a usual machine). */
#define RPT_REDUCER_BUCKET_BYTES ((size_t)4 << 20)

/** One array of a list. */
typedef struct rpt_reducer_array {
    void *data;   /**< the caller's; NULL when count is 0                  */
    size_t count; /**< elements, the same on all ranks; may be 0           */
} rpt_reducer_array_t;

/** Make a reducer.
 *
 * Collective over \a group.  Blocking.  The list is copied.  The arrays are the
 * caller's, they do not overlap, and stay where they are until the reducer is
 * destroyed, which is before its context.  Whatever fails on one rank fails on
 * all of them, and the group can still be used.
 *
 * \param arrays    n_arrays of them; may be NULL when there are none
 * \retval RPT_ERR_INVALID      an argument is bad on this rank
 * \retval RPT_ERR_UNSUPPORTED  no such operator for the type; wire bf16 for
 *                              another type or operator; memory of a device
 * \retval RPT_ERR_MISMATCH     ranks gave different lists or configurations:
 *                              the error names two ranks, and the first array
 *                              that differs
 * \retval RPT_ERR_PEER         another rank failed
 * \retval RPT_ERR_OVERFLOW     counts that no memory can hold
 * \retval RPT_ERR_TIMEOUT      a rank did not come (`comm.internal_deadline_s`)
 * \retval RPT_ERR_NOMEM, RPT_ERR_STATE, RPT_ERR_NOT_FOUND, RPT_ERR_MPI
 * \since 0.1
 */
RPT_API rpt_status_t rpt_reducer_create(rpt_group_t *group,
                                        const rpt_reducer_config_t *config,
                                        const rpt_reducer_array_t *arrays,
                                        size_t n_arrays,
                                        rpt_reducer_t **reducer_out);

/** The values of an array are final on this rank.
 *
 * Not collective, but every rank marks every array once in a round.  Returns at
 * once; allocates no more than rpt_plan_start() does; makes progress.  From now
 * on until the wait is over the array is not read or written by the caller.
 * Buckets that are complete, and have none before them that is not, begin.  A
 * bucket that fails does not make this call fail: rpt_reducer_wait() tells.
 *
 * \param index  in the list of rpt_reducer_create()
 * \retval RPT_ERR_INVALID  there is no such array
 * \retval RPT_ERR_STATE    it is marked already
 * \since 0.1
 */
RPT_API rpt_status_t rpt_reducer_ready(rpt_reducer_t *reducer, size_t index);

/** Mark all arrays that are not marked yet.
 *
 * As rpt_reducer_ready() for each.
 * \since 0.1
 */
RPT_API rpt_status_t rpt_reducer_ready_all(rpt_reducer_t *reducer);

/** Whether rpt_reducer_wait() would find all buckets reduced.
 *
 * Not collective.  Returns at once; makes progress.
 *
 * \retval RPT_OK       it would, or would tell a failure at once
 * \retval RPT_PENDING  not yet, or arrays are not marked
 * \since 0.1
 */
RPT_API rpt_status_t rpt_reducer_test(rpt_reducer_t *reducer);

/** Wait until all arrays hold the result; the next round may begin.
 *
 * Not collective, but ends when every rank has marked all arrays.  Blocking.
 * RPT_ERR_STATE when an array is not marked: the error names the first one, and
 * nothing is lost, mark the rest and wait again.  Any other failure ends the
 * round; what is in the arrays is then undefined.  After a mismatch, a deadline
 * or the failure of a rank the reducer is of no further use but to be
 * destroyed, on all ranks.
 *
 * \retval RPT_ERR_STATE     an array is not marked; the reducer is of no
 *                           further use
 * \retval RPT_ERR_TIMEOUT   `coll.deadline_s` passed; the error names the
 *                           missing
 * \retval RPT_ERR_PEER      another rank failed, or destroyed its reducer in
 *                           the round
 * \retval RPT_ERR_UNSUPPORTED  an algorithm is forced that cannot do this
 * \retval RPT_ERR_MISMATCH, RPT_ERR_MPI
 * \since 0.1
 */
RPT_API rpt_status_t rpt_reducer_wait(rpt_reducer_t *reducer);

/** What a reducer is made of, and what this rank has seen of its rounds. */
typedef struct {
    size_t n_arrays;       /**< of the list                               */
    size_t n_buckets;      /**< arrays without elements are in none       */
    size_t n_in_place;     /**< buckets of one array, without copies      */
    size_t array_bytes;    /**< of all arrays                             */
    size_t wire_bytes;     /**< of all buckets, as they travel            */
    size_t n_started;      /**< buckets of this round that have begun     */
    uint64_t n_rounds;     /**< that succeeded                            */
    uint64_t n_early;      /**< buckets of these that began before the last
                                 array was marked                          */
    uint64_t n_over_early; /**< ... that were over when the wait began    */
    double wait_s;         /**< time in the waits of these                */
} rpt_reducer_stats_t;

/** Numbers about a reducer.  Not collective.
 * \since 0.1
 */
RPT_API rpt_status_t rpt_reducer_stats(const rpt_reducer_t *reducer,
                                       rpt_reducer_stats_t *stats_out);

/** The same for a person, with a line for each bucket: its arrays, its bytes
 * and its algorithm.
 *
 * Not collective.  Release the text with free().
 *
 * \retval RPT_ERR_NOMEM
 * \since 0.1
 */
RPT_API rpt_status_t rpt_reducer_explain(const rpt_reducer_t *reducer,
                                         char **text_out);

/** Release a reducer.
 *
 * Not collective.  NULL is allowed.  In the middle of a round it is blocking:
 * if all buckets of this rank have begun it waits for them; if not, it gives
 * the round up, so that ranks which wait get RPT_ERR_PEER.
 * \since 0.1
 */
RPT_API void rpt_reducer_destroy(rpt_reducer_t *reducer);

/** \} */

RPT_END_DECLS

#endif /* REPARTIR_REDUCER_H */
