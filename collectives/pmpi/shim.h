/*
 * shim.h - what the files of the shim share
 *
 * A wrapper calls rpt__pmpi_enter() and one of its relatives, and then either
 * passes the call to the MPI or makes the call of ours and rpt__pmpi_leave().
 * Which of both must be the same on all ranks of the call, so only what MPI
 * wants to be the same on all of them may decide it.
 */
#ifndef RPT_PMPI_SHIM_H
#define RPT_PMPI_SHIM_H

#include <repartir/coll.h>
#include <repartir/mpi.h>

#include <stdbool.h>
#include <stddef.h>

/* What is wrapped. */
#define RPT_PMPI_LIST(X)                                                       \
    X(ALLREDUCE, "MPI_Allreduce")                                              \
    X(REDUCE, "MPI_Reduce")                                                    \
    X(BCAST, "MPI_Bcast")                                                      \
    X(BARRIER, "MPI_Barrier")                                                  \
    X(ALLGATHER, "MPI_Allgather")                                              \
    X(ALLGATHERV, "MPI_Allgatherv")                                            \
    X(GATHER, "MPI_Gather")                                                    \
    X(SCATTER, "MPI_Scatter")                                                  \
    X(REDUCE_SCATTER_BLOCK, "MPI_Reduce_scatter_block")                        \
    X(REDUCE_SCATTER, "MPI_Reduce_scatter")                                    \
    X(ALLTOALL, "MPI_Alltoall")                                                \
    X(ALLTOALLV, "MPI_Alltoallv")                                              \
    X(SCAN, "MPI_Scan")                                                        \
    X(EXSCAN, "MPI_Exscan")

enum rpt_pmpi_function {
#define RPT_PMPI_ENUM(name, text) RPT_PMPI_##name,
    RPT_PMPI_LIST(RPT_PMPI_ENUM)
#undef RPT_PMPI_ENUM
        RPT_PMPI_N
};

/* ---- start.c ---- */

enum rpt_pmpi_state {
    RPT_PMPI_OFF, /* MPI is not started yet, or ended already */
    RPT_PMPI_ON,
    RPT_PMPI_BROKEN /* there is no context: everything passes through */
};

enum rpt_pmpi_state rpt__pmpi_state(void);

/* ---- comms.c: communicators ---- */

struct rpt_pmpi_comm {
    MPI_Comm comm;
    rpt_group_t *group; /* NULL before the first call that is handled */
    int rank;
    int size;
    bool is_alone;   /* of one rank */
    const char *why; /* calls pass through; NULL: they are handled */
    struct rpt_pmpi_comm *next;
    struct rpt_pmpi_comm **link;
};

/* False when the keyval could not be made. */
bool rpt__pmpi_comms_open(rpt_context_t *context);

/* Forgets all communicators, with their groups.  Before the context goes. */
void rpt__pmpi_comms_close(void);

/* What is known of a communicator; NULL when MPI does not know it. */
struct rpt_pmpi_comm *rpt__pmpi_comm_of(MPI_Comm comm);

/* Makes the group, when there is none yet.  Collective over the communicator.
 * False on all ranks alike; `why` is set then. */
bool rpt__pmpi_need_group(struct rpt_pmpi_comm *comm);

/* ---- call.c: one call ---- */

struct rpt_pmpi_call {
    enum rpt_pmpi_function function;
    MPI_Comm comm;
    int root; /* of what has one, else 0 */
    struct rpt_pmpi_comm *known;
    int rank;
    int size;
    bool is_root;
    rpt_group_t *group;
    rpt_type_t type; /* of a reduction */
    rpt_op_t op;
    size_t bytes; /* of what this rank gives, for the report */
};

/* First: looks at the communicator, fills the call up to is_root.  False: pass
 * it on, as with the other two. */
bool rpt__pmpi_enter(struct rpt_pmpi_call *call, enum rpt_pmpi_function which,
                     MPI_Comm comm, int root);

/* Second, for a reduction of vectors: fills the rest. */
bool rpt__pmpi_enter_reduction(struct rpt_pmpi_call *call, int count,
                               MPI_Datatype type, MPI_Op op);

/* Second, for what moves data: fills the group.  `arguments_fit` is false when
 * MPI itself would refuse them. */
bool rpt__pmpi_enter_move(struct rpt_pmpi_call *call, bool arguments_fit);

/* What the wrapper returns: counts, or tells the error handler. */
int rpt__pmpi_leave(const struct rpt_pmpi_call *call, rpt_status_t status);

/* The same, with buffers: unpacks what came, releases both. */
struct rpt_pmpi_side;
int rpt__pmpi_leave_move(const struct rpt_pmpi_call *call, rpt_status_t status,
                         struct rpt_pmpi_side *from, struct rpt_pmpi_side *to);

/* ---- types.c: reductions ---- */

/* False: an operator of the program, or one that moves data only. */
bool rpt__pmpi_op(MPI_Op op, rpt_op_t *op_out);

/* False when the type is not known, or the operator is not for it. */
bool rpt__pmpi_type(MPI_Datatype type, rpt_op_t op, rpt_type_t *type_out);

/* ---- bytes.c: buffers as bytes ---- */

/* One buffer of a call.  All zero at first, but for `copy`. */
struct rpt_pmpi_side {
    bool copy; /* even when the type is dense */
    MPI_Comm comm;
    char *buffer;
    MPI_Datatype type;
    size_t element_bytes;
    MPI_Aint extent;
    bool is_dense; /* the bytes of an element lie as they are sent */
    size_t bytes;  /* of all elements */

    /* All elements, one behind the other ... */
    size_t count;
    /* ... or blocks of different sizes. */
    int n_blocks;
    const int *counts;
    const int *places;
    size_t *block_bytes;
    size_t *block_offsets;

    char *packed; /* a copy in the order of sending, or NULL */
};

/* `count` elements of a type. */
void rpt__pmpi_side_set(struct rpt_pmpi_side *side, MPI_Comm comm,
                        const void *buffer, size_t count, MPI_Datatype type);

/* Blocks: for call->size ranks. */
void rpt__pmpi_side_set_blocks(struct rpt_pmpi_side *side,
                               const struct rpt_pmpi_call *call,
                               const void *buffer, const int counts[],
                               const int places[], MPI_Datatype type);

/* The bytes to read; packed, when the type is not dense. */
const void *rpt__pmpi_side_input(struct rpt_pmpi_side *side);

/* Where the bytes come to.  `keep`: it holds input as well. */
void *rpt__pmpi_side_output(struct rpt_pmpi_side *side, bool keep);

/* After the call: what came goes where it belongs. */
void rpt__pmpi_side_unpack(const struct rpt_pmpi_side *side);

void rpt__pmpi_side_release(struct rpt_pmpi_side *side);

/* ---- report.c: what was done, and the end of a program ---- */

/* Reads the environment of rank 0.  Collective over MPI_COMM_WORLD. */
void rpt__pmpi_settings_read(void);

void rpt__pmpi_count_handled(enum rpt_pmpi_function which, size_t bytes);

/* `why` NULL: a communicator of one rank, which no setting forbids. */
void rpt__pmpi_count_passed(enum rpt_pmpi_function which, const char *why);

/* Collective over MPI_COMM_WORLD. */
void rpt__pmpi_report(void);

/* For what one rank finds and the others cannot know. */
_Noreturn void rpt__pmpi_die(const char *why);

#endif /* RPT_PMPI_SHIM_H */
