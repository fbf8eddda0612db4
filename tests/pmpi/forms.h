/*
 * forms.h - the tests of blocking collectives, run in the other forms too
 *
 * A file of such tests is compiled up to three times: as it is; with each call
 * replaced by one that starts, and a wait; and by one that prepares a
 * persistent request, a start, a wait and a release.
 */
#ifndef RPT_TESTS_PMPI_FORMS_H
#define RPT_TESTS_PMPI_FORMS_H

#include "config.h"

#include <mpi.h>

#if defined HAVE_MPI_ALLREDUCE_INIT
#define HAVE_PERSISTENT 1
#define INIT(function, ...) MPI_##function##_init(__VA_ARGS__)
#elif defined HAVE_MPIX_ALLREDUCE_INIT
#include <mpi-ext.h>
#define HAVE_PERSISTENT 1
#define INIT(function, ...) MPIX_##function##_init(__VA_ARGS__)
#endif

#if defined FORM_STARTED
#define FORM(name) name##_started
#define CALL(Function, function, ...)                                          \
    waited_for(MPI_I##function(__VA_ARGS__, &request_of_form))
#elif defined FORM_PERSISTENT
#define FORM(name) name##_persistent
#define CALL(Function, function, ...)                                          \
    started(INIT(Function, __VA_ARGS__, MPI_INFO_NULL, &request_of_form))
#else
#define FORM(name) name
#endif

#if defined FORM_STARTED || defined FORM_PERSISTENT
static MPI_Request request_of_form;

static inline int waited_for(int code)
{
    MPI_Wait(&request_of_form, MPI_STATUS_IGNORE);
    return code;
}

static inline int started(int code)
{
    MPI_Start(&request_of_form);
    MPI_Wait(&request_of_form, MPI_STATUS_IGNORE);
    MPI_Request_free(&request_of_form);
    return code;
}

#define MPI_Allreduce(...) CALL(Allreduce, allreduce, __VA_ARGS__)
#define MPI_Reduce(...) CALL(Reduce, reduce, __VA_ARGS__)
#define MPI_Scan(...) CALL(Scan, scan, __VA_ARGS__)
#define MPI_Exscan(...) CALL(Exscan, exscan, __VA_ARGS__)
#define MPI_Reduce_scatter(...)                                                \
    CALL(Reduce_scatter, reduce_scatter, __VA_ARGS__)
#define MPI_Reduce_scatter_block(...)                                          \
    CALL(Reduce_scatter_block, reduce_scatter_block, __VA_ARGS__)
#define MPI_Barrier(...) CALL(Barrier, barrier, __VA_ARGS__)
#define MPI_Bcast(...) CALL(Bcast, bcast, __VA_ARGS__)
#define MPI_Allgather(...) CALL(Allgather, allgather, __VA_ARGS__)
#define MPI_Allgatherv(...) CALL(Allgatherv, allgatherv, __VA_ARGS__)
#define MPI_Gather(...) CALL(Gather, gather, __VA_ARGS__)
#define MPI_Gatherv(...) CALL(Gatherv, gatherv, __VA_ARGS__)
#define MPI_Scatter(...) CALL(Scatter, scatter, __VA_ARGS__)
#define MPI_Scatterv(...) CALL(Scatterv, scatterv, __VA_ARGS__)
#define MPI_Alltoall(...) CALL(Alltoall, alltoall, __VA_ARGS__)
#define MPI_Alltoallv(...) CALL(Alltoallv, alltoallv, __VA_ARGS__)
#define MPI_Alltoallw(...) CALL(Alltoallw, alltoallw, __VA_ARGS__)
#endif

#endif /* RPT_TESTS_PMPI_FORMS_H */
