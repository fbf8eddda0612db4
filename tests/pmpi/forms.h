/*
 * forms.h - the tests of blocking collectives, run in the other forms too
 *
 * A file of such tests is compiled up to six times: as it is; with each call
 * replaced by one that starts, and a wait; by one that prepares a persistent
 * request, a start, a wait and a release; and each of these with counts above
 * int.
 */
#ifndef RPT_TESTS_PMPI_FORMS_H
#define RPT_TESTS_PMPI_FORMS_H

#include "config.h"

#include <mpi.h>

#if defined HAVE_MPI_ALLREDUCE_INIT
#define HAVE_PERSISTENT 1
#define INIT_OF(function) MPI_##function##_init
#elif defined HAVE_MPIX_ALLREDUCE_INIT
#include <mpi-ext.h>
#define HAVE_PERSISTENT 1
#define INIT_OF(function) MPIX_##function##_init
#endif

#define INIT(function, ...) INIT_OF(function)(__VA_ARGS__)

#ifdef HAVE_MPI_ALLREDUCE_C
#define HAVE_LARGE 1
#endif

#ifdef FORM_LARGE
typedef MPI_Count count_t;
typedef MPI_Aint place_t;
#define WIDE(name) WITH_C(name)
#define WITH_C(name) name##_c
#define WIDTH(name) name##_large
#else
typedef int count_t;
typedef int place_t;
#define WIDE(name) name
#define WIDTH(name) name
#endif

#if defined FORM_STARTED
#define FORM(name) WITH_STARTED(WIDTH(name))
#define WITH_STARTED(name) JOIN_STARTED(name)
#define JOIN_STARTED(name) name##_started
#define CALL_ONE(blocking, start, init, ...)                                   \
    waited_for(start(__VA_ARGS__, &request_of_form))
#elif defined FORM_PERSISTENT
#define FORM(name) WITH_PERSISTENT(WIDTH(name))
#define WITH_PERSISTENT(name) JOIN_PERSISTENT(name)
#define JOIN_PERSISTENT(name) name##_persistent
#define CALL_ONE(blocking, start, init, ...)                                   \
    started(init(__VA_ARGS__, MPI_INFO_NULL, &request_of_form))
#else
#define FORM(name) WIDTH(name)
#define CALL_ONE(blocking, start, init, ...) blocking(__VA_ARGS__)
#endif

#define CALL(Function, function, ...)                                          \
    CALL_ONE(WIDE(MPI_##Function), WIDE(MPI_I##function),                      \
             WIDE(INIT_OF(Function)), __VA_ARGS__)

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
#endif

#if defined FORM_STARTED || defined FORM_PERSISTENT || defined FORM_LARGE
#define MPI_Allreduce(...) CALL(Allreduce, allreduce, __VA_ARGS__)
#define MPI_Reduce(...) CALL(Reduce, reduce, __VA_ARGS__)
#define MPI_Scan(...) CALL(Scan, scan, __VA_ARGS__)
#define MPI_Exscan(...) CALL(Exscan, exscan, __VA_ARGS__)
#define MPI_Reduce_scatter(...)                                                \
    CALL(Reduce_scatter, reduce_scatter, __VA_ARGS__)
#define MPI_Reduce_scatter_block(...)                                          \
    CALL(Reduce_scatter_block, reduce_scatter_block, __VA_ARGS__)
#define MPI_Barrier(...)                                                       \
    CALL_ONE(MPI_Barrier, MPI_Ibarrier, INIT_OF(Barrier), __VA_ARGS__)
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
