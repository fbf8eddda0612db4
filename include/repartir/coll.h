/*
 * repartir/coll.h - collective operations: blocking, non-blocking, persistent
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef REPARTIR_COLL_H
#define REPARTIR_COLL_H

#include <repartir/base.h>
#include <repartir/group.h>
#include <repartir/options.h>
#include <repartir/types.h>

RPT_BEGIN_DECLS

/**
 * \defgroup rpt_coll Collective operations
 *
 * All ranks of a group call the same operation with arguments that fit
 * together: count, type, operator and root are the same on all of them.
 * Calls of one group are made by one thread of a rank at a time, in the same
 * order on all ranks; several groups are independent of each other.
 *
 * Buffers are the caller's.  Input is not written and output not read while an
 * operation uses them.  Input and output do not overlap, unless the input is
 * #RPT_IN_PLACE or the same address as the output, where that is allowed;
 * blocks of one may lie in gaps between those of the other.
 * Counts and offsets are in elements, and may be above 2^31.
 *
 * All ranks get the same bits.  Which order a sum has is chosen by rank count,
 * layout and size, by rules (`coll.rules`) and by what things were measured to
 * cost (`coll.measure`); with option `coll.reproducible` by the rank count
 * alone.
 *
 * What every call may return, beside its own:
 *
 *  | status | when |
 *  |---|---|
 *  | RPT_ERR_INVALID | an argument is bad on this rank, which takes no part |
 *  | RPT_ERR_MISMATCH | ranks made different calls: the error names two |
 *  | RPT_ERR_TIMEOUT | `coll.deadline_s` passed; the error names the missing |
 *  | RPT_ERR_PEER | another rank failed in the call |
 *  | RPT_ERR_STATE | the group is of no further use |
 *  | RPT_ERR_UNSUPPORTED | no such operator for the type, or algorithm |
 *  | RPT_ERR_OVERFLOW | counts that do not fit into the address space |
 *  | RPT_ERR_SYSTEM | CUDA or NCCL failed (device buffers) |
 *  | RPT_ERR_NOT_FOUND | no librepartir-gpu, and `device.use` is yes |
 *  | RPT_ERR_NOMEM, RPT_ERR_MPI | |
 *
 * After a mismatch or a deadline the group is of no further use.  A rank that
 * comes later finds that the others have given the call up, and gets
 * RPT_ERR_PEER or their error; one that comes at that very moment may still
 * read buffers of rpt_buffer_alloc(): free these after their group.
 *
 * What ranks compare are the operation, type, operator, root, count or counts,
 * and whether buffers are on devices.  Not compared are the counts of an
 * all-to-all, of which each rank has its own, and offsets.  Of operators of
 * users nobody can know more than that both are such, and whether both commute
 * (rpt_op_create()): numbers and addresses of one function differ from rank to
 * rank.
 *
 * **Device buffers.**  Buffers may be in the memory of a GPU (CUDA), where
 * those of all ranks of a call are: input and output on the same device, which
 * is the one that the rank uses in this group.  A rank whose part is empty
 * gives an address on its device, too.
 * - An operation begins when all work is done that its stream had at the start:
 *   the default stream of the program, or rpt_coll::stream.  When it is over,
 *   so is all that it does on the device.
 * - The first such call of a group waits for all ranks, which connect;
 *   rpt_group_destroy() then waits up to 10 s for the others to do the same.
 * - Where several groups use a device at once, their calls are started in the
 *   same order on all ranks.
 * - NCCL adds up in an order of its own, the same on all ranks, and rounds f16
 *   and bf16 at every addition.  What it does not know, scans, and with
 *   `coll.reproducible` every sum, is added up as on the host.
 * - With option `device.use` = auto the program makes its first CUDA call
 *   before the first collective of a group.
 *
 * \since 0.1
 *
 * \{
 */

/** All operations: name, value, text. */
#define RPT_COLL_LIST(X)                                                       \
    X(ALLREDUCE, 0, "allreduce")                                               \
    X(REDUCE, 1, "reduce")                                                     \
    X(BROADCAST, 2, "broadcast")                                               \
    X(BARRIER, 3, "barrier")                                                   \
    X(ALLGATHER, 4, "allgather")                                               \
    X(GATHER, 5, "gather")                                                     \
    X(SCATTER, 6, "scatter")                                                   \
    X(REDUCE_SCATTER, 7, "reduce-scatter")                                     \
    X(ALLTOALL, 8, "alltoall")                                                 \
    X(SCAN, 9, "scan")                                                         \
    X(EXSCAN, 10, "exscan")

/** A collective operation. */
typedef enum rpt_coll_kind {
#define RPT_COLL_ENUM(name, value, text) RPT_COLL_##name = (value),
    RPT_COLL_LIST(RPT_COLL_ENUM)
#undef RPT_COLL_ENUM
} rpt_coll_kind_t;

/** Name of an operation, e.g. "allreduce"; "unknown" when there is none.  Not
 * collective.  Not to be freed. */
RPT_API const char *rpt_coll_name(rpt_coll_kind_t kind);

/** Name of an algorithm of an operation, as option `coll.OPERATION.algorithm`,
 * rules and `repartir explain` have it.  Not collective.
 *
 * \param index  from 0 on
 * \return not to be freed; NULL: there are not so many, or no such operation
 * \since 0.1
 */
RPT_API const char *rpt_coll_algorithm(rpt_coll_kind_t kind, int index);

/** As an input: what is in the output already.  Never an output, nor the buffer
 * of a broadcast. */
#define RPT_IN_PLACE ((const void *)(intptr_t)-1)

/** One call of an operation, for plans and for calls that do not block.
 *
 * Set all of it to zero, then what the operation uses; each blocking function
 * below says what that is.  Arrays are copied.
 */
typedef struct rpt_coll {
    rpt_coll_kind_t kind;  /**< the operation                                */
    const void *in;        /**< input, or #RPT_IN_PLACE                      */
    void *out;             /**< output; a broadcast's buffer                 */
    size_t count;          /**< elements of the vector, or of each block     */
    rpt_type_t type;       /**< of an element                                */
    rpt_op_t op;           /**< of a reduction                               */
    int root;              /**< of an operation that has one                 */
    const size_t *counts;  /**< elements of each rank's block, instead of
                               count; NULL: all have count elements         */
    const size_t *offsets; /**< where each block is; NULL: one behind the
                               other, as always in a reduce-scatter         */
    const size_t *out_counts;  /**< all-to-all with counts: blocks of the
                                    output                                  */
    const size_t *out_offsets; /**< ... and where they are                  */
    void *stream; /**< device buffers: a cudaStream_t, see above            */
} rpt_coll_t;

/* ---- blocking ---- */

/** Every rank gets the combination of the vectors of all ranks.
 *
 * Collective over \a group.  Blocking.  \a in, \a out: \a count elements.  In
 * place: allowed.
 * \since 0.1
 */
RPT_API rpt_status_t rpt_allreduce(rpt_group_t *group, const void *in,
                                   void *out, size_t count, rpt_type_t type,
                                   rpt_op_t op);

/** The root gets the combination of the vectors of all ranks.
 *
 * Collective over \a group.  Blocking.  \a in: \a count elements; \a out: the
 * same, on the root, elsewhere not looked at.  In place: on the root.
 * \since 0.1
 */
RPT_API rpt_status_t rpt_reduce(rpt_group_t *group, const void *in, void *out,
                                size_t count, rpt_type_t type, rpt_op_t op,
                                int root);

/** Every rank gets the root's vector.
 *
 * Collective over \a group.  Blocking.  \a buffer: \a count elements, which the
 * root gives and the others get.  A rank may return before others have theirs.
 * \since 0.1
 */
RPT_API rpt_status_t rpt_broadcast(rpt_group_t *group, void *buffer,
                                   size_t count, rpt_type_t type, int root);

/** Return when all ranks of the group have called.
 *
 * Collective over \a group.  Blocking.
 * \since 0.1
 */
RPT_API rpt_status_t rpt_barrier(rpt_group_t *group);

/** Every rank gets the vectors of all ranks, one behind the other.
 *
 * Collective over \a group.  Blocking.  \a in: \a count elements; \a out:
 * \a count elements of each rank.  In place: its own block of the output.
 * \since 0.1
 */
RPT_API rpt_status_t rpt_allgather(rpt_group_t *group, const void *in,
                                   void *out, size_t count, rpt_type_t type);

/** The same with blocks of different sizes.
 *
 * \param in       counts[rank] elements
 * \param counts   elements of each rank, the same on all ranks
 * \param offsets  where the block of each rank begins in \a out; NULL: one
 *                 behind the other
 * \since 0.1
 */
RPT_API rpt_status_t rpt_allgatherv(rpt_group_t *group, const void *in,
                                    void *out, const size_t *counts,
                                    const size_t *offsets, rpt_type_t type);

/** The root gets the vectors of all ranks, one behind the other.
 *
 * Collective over \a group.  Blocking.  \a in: \a count elements; \a out, on
 * the root: \a count elements of each rank.  In place: on the root, its block.
 * \since 0.1
 */
RPT_API rpt_status_t rpt_gather(rpt_group_t *group, const void *in, void *out,
                                size_t count, rpt_type_t type, int root);

/** The same with blocks of different sizes.
 *
 * \param counts   elements of each rank, the same on all ranks
 * \param offsets  where the block of each rank begins in \a out, on the root;
 *                 NULL: one behind the other
 * \since 0.1
 */
RPT_API rpt_status_t rpt_gatherv(rpt_group_t *group, const void *in, void *out,
                                 const size_t *counts, const size_t *offsets,
                                 rpt_type_t type, int root);

/** Each rank gets its block of the root's vector.
 *
 * Collective over \a group.  Blocking.  \a in, on the root: \a count elements
 * for each rank; \a out: \a count elements.  Not in place: instead, \a out may
 * be NULL on the root, which then leaves its block where it is.
 * \since 0.1
 */
RPT_API rpt_status_t rpt_scatter(rpt_group_t *group, const void *in, void *out,
                                 size_t count, rpt_type_t type, int root);

/** The same with blocks of different sizes.
 *
 * \param counts   elements of each rank, the same on all ranks
 * \param offsets  where the block of each rank begins in \a in, on the root;
 *                 NULL: one behind the other
 * \since 0.1
 */
RPT_API rpt_status_t rpt_scatterv(rpt_group_t *group, const void *in, void *out,
                                  const size_t *counts, const size_t *offsets,
                                  rpt_type_t type, int root);

/** Each rank gets its block of the combination of all vectors.
 *
 * Collective over \a group.  Blocking.  \a in: \a count elements for each rank;
 * \a out: \a count elements.  In place: the input is in \a out, which has room
 * for all of it, and the result comes to its beginning.
 * \since 0.1
 */
RPT_API rpt_status_t rpt_reduce_scatter_block(rpt_group_t *group,
                                              const void *in, void *out,
                                              size_t count, rpt_type_t type,
                                              rpt_op_t op);

/** The same with blocks of different sizes.
 *
 * \param counts   elements of each rank, the same on all ranks
 * \since 0.1
 */
RPT_API rpt_status_t rpt_reduce_scatter(rpt_group_t *group, const void *in,
                                        void *out, const size_t *counts,
                                        rpt_type_t type, rpt_op_t op);

/** Each rank gives a block to each rank.
 *
 * Collective over \a group.  Blocking.  \a in, \a out: \a count elements for,
 * and from, each rank.  In place: allowed.
 * \since 0.1
 */
RPT_API rpt_status_t rpt_alltoall(rpt_group_t *group, const void *in, void *out,
                                  size_t count, rpt_type_t type);

/** The same with blocks of different sizes.  Not in place.
 *
 * \param in_counts    elements for each rank
 * \param in_offsets   where they are in \a in; NULL: one behind the other
 * \param out_counts   elements from each rank: what that one has for this one
 * \param out_offsets  where they come to in \a out; NULL: one behind the other
 * \since 0.1
 */
RPT_API rpt_status_t rpt_alltoallv(rpt_group_t *group, const void *in,
                                   const size_t *in_counts,
                                   const size_t *in_offsets, void *out,
                                   const size_t *out_counts,
                                   const size_t *out_offsets, rpt_type_t type);

/** Each rank gets the combination of the vectors of the ranks up to itself.
 *
 * Collective over \a group.  Blocking.  \a in, \a out: \a count elements.  In
 * place: allowed.
 *
 * \retval RPT_ERR_UNSUPPORTED  also: an average, which scans do not have
 * \since 0.1
 */
RPT_API rpt_status_t rpt_scan(rpt_group_t *group, const void *in, void *out,
                              size_t count, rpt_type_t type, rpt_op_t op);

/** Each rank gets the combination of the vectors of the ranks before itself.
 *
 * Collective over \a group.  Blocking.  \a in, \a out: \a count elements; of
 * rank 0 \a out is not looked at, unless it is in place.  In place: allowed.
 *
 * \retval RPT_ERR_UNSUPPORTED  also: an average, which scans do not have
 * \since 0.1
 */
RPT_API rpt_status_t rpt_exscan(rpt_group_t *group, const void *in, void *out,
                                size_t count, rpt_type_t type, rpt_op_t op);

/* ---- plans ---- */

/** A prepared operation: its algorithm is chosen, its memory is there. */
typedef struct rpt_plan rpt_plan_t;

/** Prepare an operation that is to be started many times.
 *
 * Collective over \a group.  The plan belongs to the caller and is destroyed
 * before the group; its buffers are those of \a coll in every start.
 * \since 0.1
 */
RPT_API rpt_status_t rpt_plan_create(rpt_group_t *group, const rpt_coll_t *coll,
                                     rpt_plan_t **plan_out);

/** Start a plan.
 *
 * Collective over its group.  Returns at once.  Progress is made in calls of
 * the library; also without them where rpt_context_progresses().  Operations of
 * one group take place one after the other, in the order of their starts.
 *
 * Start, progress and wait allocate nothing through shared memory.  Where ranks
 * send messages, one that finds no room on its way, or that comes before this
 * rank is ready for it, is kept in a copy, which is freed when it has gone on;
 * without memory for that the call ends with RPT_ERR_NOMEM, and the group is
 * of no further use.
 *
 * \retval RPT_ERR_STATE  it is started already
 * \since 0.1
 */
RPT_API rpt_status_t rpt_plan_start(rpt_plan_t *plan);

/** Whether a started plan is done.
 *
 * Not collective.  Returns at once; makes progress.  From the first test on it
 * counts how long the plan takes, as rpt_plan_wait() does: who only tests gets
 * the same warnings and errors.  Between two tests 0.1 s counts at most.
 *
 * \retval RPT_OK            done, or never started
 * \retval RPT_PENDING       not yet
 * \retval RPT_ERR_MISMATCH  ranks make different calls
 * \retval RPT_ERR_TIMEOUT   coll.deadline_s is over, and a rank is missing
 * \since 0.1
 */
RPT_API rpt_status_t rpt_plan_test(rpt_plan_t *plan);

/** Wait for a started plan.
 *
 * Not collective.  Blocking.  RPT_OK at once when it was not started.  Then it
 * may be started again, unless the group is of no further use.
 * \since 0.1
 */
RPT_API rpt_status_t rpt_plan_wait(rpt_plan_t *plan);

/** What an operation would do on so many ranks, for a person.
 *
 * Not collective; needs no MPI.  Steps, messages and bytes of the busiest rank
 * and a predicted time for each algorithm; the steps of rank 0 in the one that
 * would be chosen, and why.  That is what rank 0 of a context on this host
 * would choose: by its rules, and by what is kept of measured costs.  Release
 * the text with free().
 *
 * \param coll     kind, count, type and root; buffers are not looked at
 * \param n_nodes  1: all ranks share memory; at most n_ranks
 * \param options  may be NULL: those of the environment
 * \retval RPT_ERR_NOT_FOUND  there is no algorithm of the name that is forced
 * \retval RPT_ERR_PARSE      an option, or a line of the rules
 * \retval RPT_ERR_IO         the file that `coll.rules` names cannot be read
 * \since 0.1
 */
RPT_API rpt_status_t rpt_coll_explain(const rpt_coll_t *coll, int n_ranks,
                                      int n_nodes, const rpt_options_t *options,
                                      char **text_out);

/** What a plan does, for a person: all algorithms, why one was chosen, and the
 * steps of this rank in it.
 *
 * Not collective.  Release the text with free().
 * \since 0.1
 */
RPT_API rpt_status_t rpt_plan_explain(const rpt_plan_t *plan, char **text_out);

/** Release a plan.  Not collective.  One that is not done yet uses its buffers
 * until it is; it is given up when its group is destroyed before. */
RPT_API void rpt_plan_destroy(rpt_plan_t *plan);

/** Start an operation that does not block.
 *
 * Collective over \a group.  As rpt_plan_create() and rpt_plan_start(), but
 * with plans that are kept for calls like this one.  The plan is the caller's
 * on success: wait for it, then destroy it.
 * \since 0.1
 */
RPT_API rpt_status_t rpt_coll_start(rpt_group_t *group, const rpt_coll_t *coll,
                                    rpt_plan_t **plan_out);

/* ---- operators of users ---- */

/** to[i] = to[i] op with[i] for \a count elements. */
typedef void (*rpt_op_fn)(void *to, const void *with, size_t count,
                          rpt_type_t type, void *user);

/** Make an operator of a function.
 *
 * Not collective: each rank makes its own, and has its own value for it.  op is
 * associative, and the same function on all ranks of a call, which nobody can
 * check; only that it commutes on all or none (RPT_ERR_MISMATCH).  \a fn runs
 * in threads of the library, too, and calls nothing of it.  It is called with
 * any type that the caller uses it with, opaque ones among them.
 *
 * \param commutative  whether a op b = b op a
 * \retval RPT_ERR_FULL  4096 operators exist
 * \since 0.1
 */
RPT_API rpt_status_t rpt_op_create(rpt_op_fn fn, void *user, int commutative,
                                   rpt_op_t *op_out);

/** Release an operator.  Not collective.  No operation with it is going on and
 * no plan uses it. */
RPT_API void rpt_op_destroy(rpt_op_t op);

/** \} */

RPT_END_DECLS

#endif /* REPARTIR_COLL_H */
