/*
 * collectives.c - the collectives for Fortran, blocking and started
 *
 * Not here: ALLTOALLW, whose types are an array (alltoallw.c), and the
 * persistent forms, which Open MPI has under names of its own until MPI 4: they
 * are the MPI's.
 */
#include "collectives/pmpi/fortran/fortran.h"

#define IN f_buffer(in)
#define OUT f_buffer(out)
#define TYPE(name) PMPI_Type_f2c(*name)
#define OP PMPI_Op_f2c(*op)
#define COMM PMPI_Comm_f2c(*comm)

/* Takes the parentheses off. */
#define LIST(...) __VA_ARGS__

#define WRAP(name, Blocking, Started, take, pass)                              \
    void mpi_##name##_(LIST take, MPI_Fint *error_out)                         \
    {                                                                          \
        f_error(error_out, MPI_##Blocking pass);                               \
    }                                                                          \
    void mpi_i##name##_(LIST take, MPI_Fint *request_out, MPI_Fint *error_out) \
    {                                                                          \
        MPI_Request request = MPI_REQUEST_NULL;                                \
        int code = MPI_##Started(LIST pass, &request);                         \
                                                                               \
        if (code == MPI_SUCCESS) {                                             \
            *request_out = PMPI_Request_c2f(request);                          \
        }                                                                      \
        f_error(error_out, code);                                              \
    }                                                                          \
    BOTH_NAMES(name)                                                           \
    BOTH_NAMES(i##name)

#define TAKE_REDUCTION                                                         \
    void *in, void *out, MPI_Fint *count, MPI_Fint *type, MPI_Fint *op
#define PASS_REDUCTION IN, OUT, *count, TYPE(type), OP
#define TAKE_PARTS                                                             \
    void *in, void *out, MPI_Fint *counts, MPI_Fint *type, MPI_Fint *op
#define PASS_PARTS IN, OUT, counts, TYPE(type), OP
#define TAKE_BLOCK                                                             \
    void *in, MPI_Fint *in_count, MPI_Fint *in_type, void *out,                \
        MPI_Fint *count, MPI_Fint *type
#define PASS_BLOCK IN, *in_count, TYPE(in_type), OUT, *count, TYPE(type)
#define TAKE_GATHERV                                                           \
    void *in, MPI_Fint *in_count, MPI_Fint *in_type, void *out,                \
        MPI_Fint *counts, MPI_Fint *places, MPI_Fint *type
#define PASS_GATHERV                                                           \
    IN, *in_count, TYPE(in_type), OUT, counts, places, TYPE(type)
#define TAKE_SCATTERV                                                          \
    void *in, MPI_Fint *in_counts, MPI_Fint *in_places, MPI_Fint *in_type,     \
        void *out, MPI_Fint *count, MPI_Fint *type
#define PASS_SCATTERV                                                          \
    IN, in_counts, in_places, TYPE(in_type), OUT, *count, TYPE(type)
#define TAKE_ALLTOALLV                                                         \
    void *in, MPI_Fint *in_counts, MPI_Fint *in_places, MPI_Fint *in_type,     \
        void *out, MPI_Fint *counts, MPI_Fint *places, MPI_Fint *type
#define PASS_ALLTOALLV                                                         \
    IN, in_counts, in_places, TYPE(in_type), OUT, counts, places, TYPE(type)
#define TAKE_COMM MPI_Fint *comm
#define TAKE_ROOT MPI_Fint *root, MPI_Fint *comm

WRAP(allreduce, Allreduce, Iallreduce, (TAKE_REDUCTION, TAKE_COMM),
     (PASS_REDUCTION, COMM))
WRAP(reduce, Reduce, Ireduce, (TAKE_REDUCTION, TAKE_ROOT),
     (PASS_REDUCTION, *root, COMM))
WRAP(scan, Scan, Iscan, (TAKE_REDUCTION, TAKE_COMM), (PASS_REDUCTION, COMM))
WRAP(exscan, Exscan, Iexscan, (TAKE_REDUCTION, TAKE_COMM),
     (PASS_REDUCTION, COMM))
WRAP(reduce_scatter_block, Reduce_scatter_block, Ireduce_scatter_block,
     (TAKE_REDUCTION, TAKE_COMM), (PASS_REDUCTION, COMM))
WRAP(reduce_scatter, Reduce_scatter, Ireduce_scatter, (TAKE_PARTS, TAKE_COMM),
     (PASS_PARTS, COMM))
WRAP(barrier, Barrier, Ibarrier, (TAKE_COMM), (COMM))
WRAP(bcast, Bcast, Ibcast,
     (void *out, MPI_Fint *count, MPI_Fint *type, TAKE_ROOT),
     (OUT, *count, TYPE(type), *root, COMM))
WRAP(allgather, Allgather, Iallgather, (TAKE_BLOCK, TAKE_COMM),
     (PASS_BLOCK, COMM))
WRAP(allgatherv, Allgatherv, Iallgatherv, (TAKE_GATHERV, TAKE_COMM),
     (PASS_GATHERV, COMM))
WRAP(gather, Gather, Igather, (TAKE_BLOCK, TAKE_ROOT),
     (PASS_BLOCK, *root, COMM))
WRAP(gatherv, Gatherv, Igatherv, (TAKE_GATHERV, TAKE_ROOT),
     (PASS_GATHERV, *root, COMM))
WRAP(scatter, Scatter, Iscatter, (TAKE_BLOCK, TAKE_ROOT),
     (PASS_BLOCK, *root, COMM))
WRAP(scatterv, Scatterv, Iscatterv, (TAKE_SCATTERV, TAKE_ROOT),
     (PASS_SCATTERV, *root, COMM))
WRAP(alltoall, Alltoall, Ialltoall, (TAKE_BLOCK, TAKE_COMM), (PASS_BLOCK, COMM))
WRAP(alltoallv, Alltoallv, Ialltoallv, (TAKE_ALLTOALLV, TAKE_COMM),
     (PASS_ALLTOALLV, COMM))
