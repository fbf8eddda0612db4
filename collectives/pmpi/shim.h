/*
 * shim.h - what the files of the shim share
 *
 *   wrapper --> args --> prepare: call --> run | start | keep
 *                           └> false: to the MPI, as it is
 *
 * A collective has up to three forms: MPI_X, MPI_IX and MPI_X_init, each with
 * counts of int, and where MPI has them of MPI_Count, MPI_X_c.  All of them
 * prepare the same call.  Whether it is handled must be the same on all ranks,
 * so only what MPI wants to be the same on all of them may decide it; how wide
 * its counts are is not.
 */
#ifndef RPT_PMPI_SHIM_H
#define RPT_PMPI_SHIM_H

#include <repartir/coll.h>
#include <repartir/mpi.h>

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* What is wrapped: name, function here, name in MPI. */
#define RPT_PMPI_LIST(X)                                                       \
    X(ALLREDUCE, allreduce, "allreduce")                                       \
    X(REDUCE, reduce, "reduce")                                                \
    X(BCAST, bcast, "bcast")                                                   \
    X(BARRIER, barrier, "barrier")                                             \
    X(ALLGATHER, allgather, "allgather")                                       \
    X(ALLGATHERV, allgatherv, "allgatherv")                                    \
    X(GATHER, gather, "gather")                                                \
    X(GATHERV, gatherv, "gatherv")                                             \
    X(SCATTER, scatter, "scatter")                                             \
    X(SCATTERV, scatterv, "scatterv")                                          \
    X(REDUCE_SCATTER_BLOCK, reduce_scatter_block, "reduce_scatter_block")      \
    X(REDUCE_SCATTER, reduce_scatter, "reduce_scatter")                        \
    X(ALLTOALL, alltoall, "alltoall")                                          \
    X(ALLTOALLV, alltoallv, "alltoallv")                                       \
    X(ALLTOALLW, alltoallw, "alltoallw")                                       \
    X(SCAN, scan, "scan")                                                      \
    X(EXSCAN, exscan, "exscan")

enum rpt_pmpi_function {
#define RPT_PMPI_ENUM(name, function, text) RPT_PMPI_##name,
    RPT_PMPI_LIST(RPT_PMPI_ENUM)
#undef RPT_PMPI_ENUM
        RPT_PMPI_N
};

enum rpt_pmpi_form {
    RPT_PMPI_BLOCKING,
    RPT_PMPI_STARTED,    /* MPI_I... */
    RPT_PMPI_PERSISTENT, /* MPI_..._init */
    RPT_PMPI_N_FORMS
};

/* Counts or places, one for each rank: of int, MPI_Count or MPI_Aint.  All
 * zero: there are none. */
struct rpt_pmpi_numbers {
    const void *all;
    size_t bytes; /* of each */
};

static inline MPI_Count rpt__pmpi_number(struct rpt_pmpi_numbers numbers, int i)
{
    const char *at = (const char *)numbers.all + (size_t)i * numbers.bytes;
    int32_t narrow;
    int64_t wide;

    if (numbers.bytes == sizeof narrow) {
        memcpy(&narrow, at, sizeof narrow);
        return narrow;
    }
    memcpy(&wide, at, sizeof wide);
    return wide;
}

/* ---- start.c ---- */

enum rpt_pmpi_state {
    RPT_PMPI_OFF, /* MPI is not started yet, or ended already */
    RPT_PMPI_ON,
    RPT_PMPI_BROKEN /* there is no context: everything passes through */
};

enum rpt_pmpi_state rpt__pmpi_state(void);

/* Whether what is started goes on without its caller, on all ranks. */
bool rpt__pmpi_progresses(void);

/* Whether several threads may call MPI. */
bool rpt__pmpi_has_threads(void);

/* ---- comms.c: communicators ---- */

struct rpt_pmpi_comm {
    MPI_Comm comm;
    rpt_group_t *group; /* NULL before the first call that makes it */
    int rank;
    int size;
    bool is_alone;   /* of one rank */
    bool is_freed;   /* by the program; its requests still have it */
    const char *why; /* calls pass through; NULL: they are handled */
    int n_holders;   /* the attribute, and requests */
    struct rpt_pmpi_comm *next;
    struct rpt_pmpi_comm **link;

    /* Held by who starts or tests in the group: the library wants one thread at
     * a time there, MPI lets one wait while another one starts. */
    pthread_mutex_t lock;
    _Atomic int n_active; /* requests */
};

/* False when the keyval could not be made.  Collective over MPI_COMM_WORLD,
 * which gets its group. */
bool rpt__pmpi_comms_open(rpt_context_t *context);

/* Forgets all communicators, with their groups.  Before the context goes. */
void rpt__pmpi_comms_close(void);

/* What is known of a communicator; NULL when MPI does not know it. */
struct rpt_pmpi_comm *rpt__pmpi_comm_of(MPI_Comm comm);

/* Ends that, when the program frees it. */
void rpt__pmpi_comm_forget(MPI_Comm comm);

void rpt__pmpi_comm_hold(struct rpt_pmpi_comm *comm);
void rpt__pmpi_comm_release(struct rpt_pmpi_comm *comm);

/* Makes the group, when there is none yet.  Collective over the communicator.
 * False on all ranks alike; `why` is set then. */
bool rpt__pmpi_need_group(struct rpt_pmpi_comm *comm);

/* Makes another one of the same ranks.  Collective over the communicator; false
 * on all ranks alike. */
bool rpt__pmpi_make_group(const struct rpt_pmpi_comm *comm,
                          rpt_group_t **group_out);

/* ---- free.c: their ends ---- */

/* Whether this thread is in MPI_Comm_free for it: calls are the MPI's, and no
 * attribute of it may be looked at. */
bool rpt__pmpi_is_being_freed(MPI_Comm comm);

/* ---- dense.c: types ---- */

/* Whether it is one of MPI's own. */
bool rpt__pmpi_type_is_named(MPI_Datatype type);

/* Whether the bytes of elements lie as they are sent. */
bool rpt__pmpi_type_is_dense(MPI_Datatype type);

/* ---- bytes.c: buffers as bytes ---- */

/* False: there is no communicator for it. */
bool rpt__pmpi_bytes_open(void);
void rpt__pmpi_bytes_close(void);

/* Whether there is a type, and it is committed. */
bool rpt__pmpi_type_may_move(MPI_Datatype type);

/* One buffer of a call.  All zero: there is none. */
struct rpt_pmpi_side {
    bool copy;  /* even when the type is dense */
    bool keeps; /* an output that holds input as well */
    char *buffer;
    MPI_Datatype type;
    size_t element_bytes;
    MPI_Aint extent;
    bool is_dense; /* the bytes of an element lie as they are sent */
    size_t bytes;  /* of all elements */

    /* All elements, one behind the other ... */
    size_t count;
    /* ... or blocks of different sizes, places in elements; with `types`: each
     * of its own type, places in bytes. */
    int n_blocks;
    struct rpt_pmpi_numbers counts;
    struct rpt_pmpi_numbers places;
    const MPI_Datatype *types;
    size_t *block_bytes;
    size_t *block_offsets;

    char *packed;       /* room for a copy in the order of sending, or NULL */
    MPI_Datatype *held; /* types that are this side's own */
    int n_held;
};

/* `count` elements of a type. */
void rpt__pmpi_side_set(struct rpt_pmpi_side *side, const void *buffer,
                        size_t count, MPI_Datatype type);

/* What describes blocks, as in MPI. */
struct rpt_pmpi_blocks {
    int n;
    struct rpt_pmpi_numbers counts;
    struct rpt_pmpi_numbers places;
    MPI_Datatype type;
    const MPI_Datatype *types; /* or NULL */
};

void rpt__pmpi_side_set_blocks(struct rpt_pmpi_side *side, const void *buffer,
                               struct rpt_pmpi_blocks blocks);

/* Room for the sizes of n blocks of a side that has one or none: all 0. */
void rpt__pmpi_side_set_sizes(struct rpt_pmpi_side *side, int n);

/* Where the bytes are, in the time between pack and unpack. */
void *rpt__pmpi_side_bytes(const struct rpt_pmpi_side *side);

/* Before a call: a side that holds input is packed. */
void rpt__pmpi_side_pack(const struct rpt_pmpi_side *side);
/* After it: what came goes where it belongs. */
void rpt__pmpi_side_unpack(const struct rpt_pmpi_side *side);

/* Keeps the types, which the program may free now. */
void rpt__pmpi_side_hold(struct rpt_pmpi_side *side);

void rpt__pmpi_side_release(struct rpt_pmpi_side *side);

/* ---- call.c: one call ---- */

/* What a program gives, each function a part of it. */
struct rpt_pmpi_args {
    bool is_large; /* MPI_..._c */
    const void *in;
    MPI_Count in_count;
    MPI_Datatype in_type;
    struct rpt_pmpi_numbers in_counts;
    struct rpt_pmpi_numbers in_places;
    const MPI_Datatype *in_types;
    void *out;
    MPI_Count count;
    MPI_Datatype type;
    struct rpt_pmpi_numbers counts;
    struct rpt_pmpi_numbers places;
    const MPI_Datatype *types;
    MPI_Op op;
    int root;
    MPI_Comm comm;
};

struct rpt_pmpi_call {
    enum rpt_pmpi_function function;
    enum rpt_pmpi_form form;
    bool is_large; /* for the report */
    struct rpt_pmpi_comm *known;
    rpt_group_t *own; /* of a persistent one */
    int rank;
    int size;
    bool is_root;
    rpt_coll_t coll;
    struct rpt_pmpi_side from, to;
    size_t bytes; /* of what this rank gives, for the report */
};

/* False: pass it on. */
bool rpt__pmpi_prepare(struct rpt_pmpi_call *call,
                       enum rpt_pmpi_function function, enum rpt_pmpi_form form,
                       const struct rpt_pmpi_args *args);

/* For the functions below: counts the call as passed on; false. */
bool rpt__pmpi_pass(const struct rpt_pmpi_call *call, const char *why);

/* What MPI itself would refuse. */
extern const char rpt__pmpi_bad_argument[];

/* The group is there, for a call of this form; else passes. */
bool rpt__pmpi_enter(struct rpt_pmpi_call *call);

/* All of a blocking call, its buffers released: what the wrapper returns. */
int rpt__pmpi_run(struct rpt_pmpi_call *call);

/* What the wrapper returns when a call went so; tells the error handler. */
int rpt__pmpi_result(const struct rpt_pmpi_call *call, rpt_status_t status);

/* ---- reduce.c, move.c, blocks.c: from arguments to a call ---- */

/* What rpt__pmpi_prepare() calls: fills coll and sides.  False: passed on. */
#define RPT_PMPI_DECLARE(name, function, text)                                 \
    bool rpt__pmpi_##function(struct rpt_pmpi_call *call,                      \
                              const struct rpt_pmpi_args *args);
RPT_PMPI_LIST(RPT_PMPI_DECLARE)
#undef RPT_PMPI_DECLARE

/* ---- types.c: reductions ---- */

/* False: an operator of the program, or one that moves data only. */
bool rpt__pmpi_op(MPI_Op op, rpt_op_t *op_out);

/* False when the type is not known, or the operator is not for it. */
bool rpt__pmpi_type(MPI_Datatype type, rpt_op_t op, rpt_type_t *type_out);

/* ---- request.c: requests of ours ---- */

struct rpt_pmpi_request;

/* What MPI_I... and MPI_..._init return.  The call, its sides too, is the
 * request's from here on. */
int rpt__pmpi_start(struct rpt_pmpi_call *call, MPI_Request *request_out);
int rpt__pmpi_keep(struct rpt_pmpi_call *call, MPI_Request *request_out);

/* NULL: it is the MPI's. */
struct rpt_pmpi_request *rpt__pmpi_request_of(MPI_Request request);

/* Whether there are any; a look at a number. */
bool rpt__pmpi_has_requests(void);

/* Goes on with one; true: the MPI sees it as complete, or as inactive. */
bool rpt__pmpi_request_advance(struct rpt_pmpi_request *request);
/* The same, until it is complete, where one thread calls MPI. */
void rpt__pmpi_request_finish(struct rpt_pmpi_request *request);

/* Whether it ended with an error of ours. */
bool rpt__pmpi_request_has_failed(const struct rpt_pmpi_request *request);
/* The program knows that it failed: one that is persistent is inactive now. */
void rpt__pmpi_request_told(MPI_Request handle);

/* Of a persistent one. */
int rpt__pmpi_request_start(struct rpt_pmpi_request *request);

/* The program forgets it; what is under way goes on. */
int rpt__pmpi_request_free(struct rpt_pmpi_request *request,
                           MPI_Request *handle);

/* Goes on with those that the program has forgotten. */
void rpt__pmpi_requests_advance(void);

bool rpt__pmpi_requests_open(void);
/* Waits for those that are under way.  Before communicators are closed. */
void rpt__pmpi_requests_close(void);

/* ---- report.c: what was done, and the end of a program ---- */

/* Reads the environment of rank 0.  Collective over MPI_COMM_WORLD. */
void rpt__pmpi_settings_read(void);

void rpt__pmpi_count_handled(const struct rpt_pmpi_call *call);

/* `why` NULL: a communicator of one rank, which no setting forbids. */
void rpt__pmpi_count_passed(const struct rpt_pmpi_call *call, const char *why);

/* Collective over MPI_COMM_WORLD. */
void rpt__pmpi_report(void);

/* For what one rank finds and the others cannot know. */
_Noreturn void rpt__pmpi_die(const char *why);

#endif /* RPT_PMPI_SHIM_H */
