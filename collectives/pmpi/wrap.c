/*
 * wrap.c - the collectives of MPI, each in its three forms
 *
 * A function's parameters, their names, and what they are among all arguments
 * stand here once; WRAP makes three functions of them, which differ in what
 * becomes of the prepared call.  What is not handled goes to the MPI.
 *
 * Compiled twice where MPI has counts above int: the second time for MPI_..._c.
 * These are the same calls: some ranks of one may count in int, others in
 * MPI_Count.
 *
 * The persistent forms are MPI's since MPI 4; before, Open MPI has them as
 * MPIX_.
 */
#include "config.h"

#include "collectives/pmpi/shim.h"

#if !defined HAVE_MPI_ALLREDUCE_INIT && defined HAVE_MPIX_ALLREDUCE_INIT
#include <mpi-ext.h>
#endif

#ifdef RPT_PMPI_LARGE
#define COUNT MPI_Count
#define PLACE MPI_Aint
#define IS_LARGE true
#define CALLED(name) WITH_C(name)
#define WITH_C(name) name##_c
#else
#define COUNT int
#define PLACE int
#define IS_LARGE false
#define CALLED(name) name
#endif

/* ---- parameters: taken, passed on, and among all arguments ---- */

#define NUMBERS(array) ((struct rpt_pmpi_numbers){ array, sizeof *array })

#define TAKE_REDUCTION                                                         \
    const void *in, void *out, COUNT count, MPI_Datatype type, MPI_Op op
#define PASS_REDUCTION in, out, count, type, op
#define ARGS_REDUCTION                                                         \
    .in = in, .out = out, .count = count, .type = type, .op = op

#define TAKE_BLOCK                                                             \
    const void *in, COUNT in_count, MPI_Datatype in_type, void *out,           \
        COUNT count, MPI_Datatype type
#define PASS_BLOCK in, in_count, in_type, out, count, type
#define ARGS_BLOCK                                                             \
    .in = in, .in_count = in_count, .in_type = in_type, .out = out,            \
    .count = count, .type = type

#define TAKE_GATHERV                                                           \
    const void *in, COUNT in_count, MPI_Datatype in_type, void *out,           \
        const COUNT counts[], const PLACE places[], MPI_Datatype type
#define PASS_GATHERV in, in_count, in_type, out, counts, places, type
#define ARGS_GATHERV                                                           \
    .in = in, .in_count = in_count, .in_type = in_type, .out = out,            \
    .counts = NUMBERS(counts), .places = NUMBERS(places), .type = type

#define TAKE_SCATTERV                                                          \
    const void *in, const COUNT in_counts[], const PLACE in_places[],          \
        MPI_Datatype in_type, void *out, COUNT count, MPI_Datatype type
#define PASS_SCATTERV in, in_counts, in_places, in_type, out, count, type
#define ARGS_SCATTERV                                                          \
    .in = in, .in_counts = NUMBERS(in_counts),                                 \
    .in_places = NUMBERS(in_places), .in_type = in_type, .out = out,           \
    .count = count, .type = type

#define TAKE_ALLTOALLV                                                         \
    const void *in, const COUNT in_counts[], const PLACE in_places[],          \
        MPI_Datatype in_type, void *out, const COUNT counts[],                 \
        const PLACE places[], MPI_Datatype type
#define PASS_ALLTOALLV                                                         \
    in, in_counts, in_places, in_type, out, counts, places, type
#define ARGS_ALLTOALLV                                                         \
    .in = in, .in_counts = NUMBERS(in_counts),                                 \
    .in_places = NUMBERS(in_places), .in_type = in_type, .out = out,           \
    .counts = NUMBERS(counts), .places = NUMBERS(places), .type = type

#define TAKE_ALLTOALLW                                                         \
    const void *in, const COUNT in_counts[], const PLACE in_places[],          \
        const MPI_Datatype in_types[], void *out, const COUNT counts[],        \
        const PLACE places[], const MPI_Datatype types[]
#define PASS_ALLTOALLW                                                         \
    in, in_counts, in_places, in_types, out, counts, places, types
#define ARGS_ALLTOALLW                                                         \
    .in = in, .in_counts = NUMBERS(in_counts),                                 \
    .in_places = NUMBERS(in_places), .in_types = in_types, .out = out,         \
    .counts = NUMBERS(counts), .places = NUMBERS(places), .types = types

#define TAKE_PARTS                                                             \
    const void *in, void *out, const COUNT counts[], MPI_Datatype type,        \
        MPI_Op op
#define PASS_PARTS in, out, counts, type, op
#define ARGS_PARTS                                                             \
    .in = in, .out = out, .counts = NUMBERS(counts), .type = type, .op = op

#define TAKE_BUFFER void *out, COUNT count, MPI_Datatype type
#define PASS_BUFFER out, count, type
#define ARGS_BUFFER .out = out, .count = count, .type = type

#define COMM MPI_Comm comm
#define ROOT int root, MPI_Comm comm
#define ARGS_ROOT .root = root, .comm = comm

/* ---- wrappers ---- */

#if defined HAVE_MPI_ALLREDUCE_INIT
#define PERSISTENT(prefix, name) prefix##MPI_##name
#elif defined HAVE_MPIX_ALLREDUCE_INIT
#define PERSISTENT(prefix, name) prefix##MPIX_##name
#endif

/* Takes the parentheses off. */
#define LIST(...) __VA_ARGS__

#define WRAP_FORM(NAME, FORM, then, otherwise, args)                           \
    {                                                                          \
        const struct rpt_pmpi_args all = { .is_large = IS_LARGE, LIST args };  \
        struct rpt_pmpi_call call;                                             \
                                                                               \
        return rpt__pmpi_prepare(&call, RPT_PMPI_##NAME, RPT_PMPI_##FORM,      \
                                 &all)                                         \
                   ? then                                                      \
                   : otherwise;                                                \
    }

#define WRAP_TWO(NAME, Blocking, Started, take, pass, args)                    \
    int CALLED(MPI_##Blocking) take WRAP_FORM(                                 \
        NAME, BLOCKING, rpt__pmpi_run(&call), CALLED(PMPI_##Blocking) pass,    \
        args)                                                                  \
    int CALLED(MPI_##Started)(LIST take, MPI_Request * request)                \
        WRAP_FORM(NAME, STARTED, rpt__pmpi_start(&call, request),              \
                  CALLED(PMPI_##Started)(LIST pass, request), args)

#ifdef PERSISTENT
#define WRAP(NAME, Blocking, Started, take, pass, args)                        \
    WRAP_TWO(NAME, Blocking, Started, take, pass, args)                        \
    int CALLED(PERSISTENT(, Blocking##_init))(LIST take, MPI_Info info,        \
                                              MPI_Request * request)           \
        WRAP_FORM(                                                             \
            NAME, PERSISTENT, rpt__pmpi_keep(&call, request),                  \
            CALLED(PERSISTENT(P, Blocking##_init))(LIST pass, info, request),  \
            args)
#else
#define WRAP WRAP_TWO
#endif

WRAP(ALLREDUCE, Allreduce, Iallreduce, (TAKE_REDUCTION, COMM),
     (PASS_REDUCTION, comm), (ARGS_REDUCTION, .comm = comm))
WRAP(REDUCE, Reduce, Ireduce, (TAKE_REDUCTION, ROOT),
     (PASS_REDUCTION, root, comm), (ARGS_REDUCTION, ARGS_ROOT))
WRAP(SCAN, Scan, Iscan, (TAKE_REDUCTION, COMM), (PASS_REDUCTION, comm),
     (ARGS_REDUCTION, .comm = comm))
WRAP(EXSCAN, Exscan, Iexscan, (TAKE_REDUCTION, COMM), (PASS_REDUCTION, comm),
     (ARGS_REDUCTION, .comm = comm))
WRAP(REDUCE_SCATTER_BLOCK, Reduce_scatter_block, Ireduce_scatter_block,
     (TAKE_REDUCTION, COMM), (PASS_REDUCTION, comm),
     (ARGS_REDUCTION, .comm = comm))
WRAP(REDUCE_SCATTER, Reduce_scatter, Ireduce_scatter, (TAKE_PARTS, COMM),
     (PASS_PARTS, comm), (ARGS_PARTS, .comm = comm))
#ifndef RPT_PMPI_LARGE /* it has no counts */
WRAP(BARRIER, Barrier, Ibarrier, (COMM), (comm), (.comm = comm))
#endif
WRAP(BCAST, Bcast, Ibcast, (TAKE_BUFFER, ROOT), (PASS_BUFFER, root, comm),
     (ARGS_BUFFER, ARGS_ROOT))
WRAP(ALLGATHER, Allgather, Iallgather, (TAKE_BLOCK, COMM), (PASS_BLOCK, comm),
     (ARGS_BLOCK, .comm = comm))
WRAP(ALLGATHERV, Allgatherv, Iallgatherv, (TAKE_GATHERV, COMM),
     (PASS_GATHERV, comm), (ARGS_GATHERV, .comm = comm))
WRAP(GATHER, Gather, Igather, (TAKE_BLOCK, ROOT), (PASS_BLOCK, root, comm),
     (ARGS_BLOCK, ARGS_ROOT))
WRAP(GATHERV, Gatherv, Igatherv, (TAKE_GATHERV, ROOT),
     (PASS_GATHERV, root, comm), (ARGS_GATHERV, ARGS_ROOT))
WRAP(SCATTER, Scatter, Iscatter, (TAKE_BLOCK, ROOT), (PASS_BLOCK, root, comm),
     (ARGS_BLOCK, ARGS_ROOT))
WRAP(SCATTERV, Scatterv, Iscatterv, (TAKE_SCATTERV, ROOT),
     (PASS_SCATTERV, root, comm), (ARGS_SCATTERV, ARGS_ROOT))
WRAP(ALLTOALL, Alltoall, Ialltoall, (TAKE_BLOCK, COMM), (PASS_BLOCK, comm),
     (ARGS_BLOCK, .comm = comm))
WRAP(ALLTOALLV, Alltoallv, Ialltoallv, (TAKE_ALLTOALLV, COMM),
     (PASS_ALLTOALLV, comm), (ARGS_ALLTOALLV, .comm = comm))
WRAP(ALLTOALLW, Alltoallw, Ialltoallw, (TAKE_ALLTOALLW, COMM),
     (PASS_ALLTOALLW, comm), (ARGS_ALLTOALLW, .comm = comm))
