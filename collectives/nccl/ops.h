/*
 * ops.h - NCCL, as librepartir-gpu gives it to librepartir
 *
 * Nothing blocks: a communicator is opened, and launches go on, in the
 * background, and status() says how far.  Functions give RPT_OK, RPT_PENDING,
 * or a failure, of which why() has the text.
 *
 * Vectors are in the memory of the device that the thread uses, and launches go
 * into a stream.  All launches of a call stand between begin() and end().
 */
#ifndef RPT_COLLECTIVES_NCCL_OPS_H
#define RPT_COLLECTIVES_NCCL_OPS_H

#include <repartir/types.h>

#include <stdbool.h>
#include <stddef.h>

enum { RPT_NCCL_ID_BYTES = 128 };

/* Where a launch belongs. */
struct rpt_nccl_place {
    void *comm;
    void *stream;
};

/* What is launched; peer: a root, or the other rank of a message. */
struct rpt_nccl_vector {
    const void *in;
    void *out;
    size_t count; /* elements; bytes where nothing is added up */
    rpt_type_t type;
    rpt_op_t op;
    int peer;
};

struct rpt_nccl_ops {
    size_t size; /* of this struct */
    /* Of the last failure in this thread; comm may be NULL. */
    const char *(*why)(void *comm);

    rpt_status_t (*make_id)(char id_out[RPT_NCCL_ID_BYTES]);
    rpt_status_t (*open)(const char id[RPT_NCCL_ID_BYTES], int n_ranks,
                         int rank, void **comm_out);
    /* RPT_PENDING: being opened, launched or finished.  A failure that came up
     * at any time is found here. */
    rpt_status_t (*status)(void *comm);
    /* All ranks are done with it: finish, until status() is RPT_OK, then close.
     */
    rpt_status_t (*finish)(void *comm);
    void (*close)(void *comm);
    /* At any time: ends what was launched, and the communicator. */
    void (*abort)(void *comm);

    bool (*can_reduce)(rpt_type_t type, rpt_op_t op);
    rpt_status_t (*begin)(void);
    rpt_status_t (*end)(void);
    rpt_status_t (*allreduce)(struct rpt_nccl_place place,
                              const struct rpt_nccl_vector *v);
    rpt_status_t (*reduce)(struct rpt_nccl_place place,
                           const struct rpt_nccl_vector *v);
    /* count: of each rank's block */
    rpt_status_t (*reduce_scatter)(struct rpt_nccl_place place,
                                   const struct rpt_nccl_vector *v);
    rpt_status_t (*broadcast)(struct rpt_nccl_place place,
                              const struct rpt_nccl_vector *v);
    rpt_status_t (*allgather)(struct rpt_nccl_place place,
                              const struct rpt_nccl_vector *v);
    rpt_status_t (*send)(struct rpt_nccl_place place,
                         const struct rpt_nccl_vector *v);
    rpt_status_t (*receive)(struct rpt_nccl_place place,
                            const struct rpt_nccl_vector *v);
};

extern const struct rpt_nccl_ops rpt__nccl_ops; /* nccl.c, in librepartir-gpu */

#endif /* RPT_COLLECTIVES_NCCL_OPS_H */
