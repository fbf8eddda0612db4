/*
 * f08.c - what MPICH's mpi_f08 calls PMPI_* for
 *
 * These functions have no buffer; those that have one call MPI_*, as mpif.h and
 * `use mpi` do for all.  A handle of mpi_f08 holds the int that it is in C, and
 * a status is that of C.
 */
#include "config.h"

#include "collectives/pmpi/fortran/values.h"

static MPI_Status *one(MPI_F08_status *status)
{
    return status == MPI_F08_STATUS_IGNORE ? MPI_STATUS_IGNORE
                                           : (MPI_Status *)(void *)status;
}

static MPI_Status *all(MPI_F08_status *statuses)
{
    return statuses == MPI_F08_STATUSES_IGNORE ? MPI_STATUSES_IGNORE
                                               : (MPI_Status *)(void *)statuses;
}

static MPI_Fint f_logical(int flag)
{
    return flag ? f_truth("mpi_initialized_f08_") : 0;
}

/* ---- begin and end ---- */

void mpi_init_f08_(MPI_Fint *error_out)
{
    f_error(error_out, MPI_Init(NULL, NULL));
}

void mpi_init_thread_f08_(MPI_Fint *required, MPI_Fint *provided_out,
                          MPI_Fint *error_out)
{
    f_error(error_out, MPI_Init_thread(NULL, NULL, *required, provided_out));
}

void mpi_finalize_f08_(MPI_Fint *error_out)
{
    f_error(error_out, MPI_Finalize());
}

void mpi_comm_free_f08_(MPI_Comm *comm, MPI_Fint *error_out)
{
    f_error(error_out, MPI_Comm_free(comm));
}

void mpi_comm_disconnect_f08_(MPI_Comm *comm, MPI_Fint *error_out)
{
    f_error(error_out, MPI_Comm_disconnect(comm));
}

/* ---- barriers ---- */

void mpi_barrier_f08_(MPI_Comm *comm, MPI_Fint *error_out)
{
    f_error(error_out, MPI_Barrier(*comm));
}

void mpi_ibarrier_f08_(MPI_Comm *comm, MPI_Request *request_out,
                       MPI_Fint *error_out)
{
    f_error(error_out, MPI_Ibarrier(*comm, request_out));
}

#ifdef HAVE_MPI_ALLREDUCE_INIT
void mpi_barrier_init_f08_(MPI_Comm *comm, MPI_Info *info,
                           MPI_Request *request_out, MPI_Fint *error_out)
{
    f_error(error_out, MPI_Barrier_init(*comm, *info, request_out));
}
#endif

/* ---- one request ---- */

void mpi_wait_f08_(MPI_Request *request, MPI_F08_status *status,
                   MPI_Fint *error_out)
{
    f_error(error_out, MPI_Wait(request, one(status)));
}

void mpi_test_f08_(MPI_Request *request, MPI_Fint *flag_out,
                   MPI_F08_status *status, MPI_Fint *error_out)
{
    int flag = 0;

    f_error(error_out, MPI_Test(request, &flag, one(status)));
    *flag_out = f_logical(flag);
}

void mpi_request_get_status_f08_(MPI_Request *request, MPI_Fint *flag_out,
                                 MPI_F08_status *status, MPI_Fint *error_out)
{
    int flag = 0;

    f_error(error_out, MPI_Request_get_status(*request, &flag, one(status)));
    *flag_out = f_logical(flag);
}

void mpi_request_free_f08_(MPI_Request *request, MPI_Fint *error_out)
{
    f_error(error_out, MPI_Request_free(request));
}

void mpi_cancel_f08_(MPI_Request *request, MPI_Fint *error_out)
{
    f_error(error_out, MPI_Cancel(request));
}

void mpi_start_f08_(MPI_Request *request, MPI_Fint *error_out)
{
    f_error(error_out, MPI_Start(request));
}

/* ---- several ---- */

void mpi_startall_f08_(MPI_Fint *n, MPI_Request *requests, MPI_Fint *error_out)
{
    f_error(error_out, MPI_Startall(*n, requests));
}

void mpi_waitall_f08_(MPI_Fint *n, MPI_Request *requests,
                      MPI_F08_status *statuses, MPI_Fint *error_out)
{
    f_error(error_out, MPI_Waitall(*n, requests, all(statuses)));
}

void mpi_testall_f08_(MPI_Fint *n, MPI_Request *requests, MPI_Fint *flag_out,
                      MPI_F08_status *statuses, MPI_Fint *error_out)
{
    int flag = 0;

    f_error(error_out, MPI_Testall(*n, requests, &flag, all(statuses)));
    *flag_out = f_logical(flag);
}

void mpi_waitany_f08_(MPI_Fint *n, MPI_Request *requests, MPI_Fint *index_out,
                      MPI_F08_status *status, MPI_Fint *error_out)
{
    int index = MPI_UNDEFINED;

    f_error(error_out, MPI_Waitany(*n, requests, &index, one(status)));
    *index_out = f_index(index);
}

void mpi_testany_f08_(MPI_Fint *n, MPI_Request *requests, MPI_Fint *index_out,
                      MPI_Fint *flag_out, MPI_F08_status *status,
                      MPI_Fint *error_out)
{
    int index = MPI_UNDEFINED, flag = 0;

    f_error(error_out, MPI_Testany(*n, requests, &index, &flag, one(status)));
    *index_out = f_index(index);
    *flag_out = f_logical(flag);
}

typedef int some_fn(int n, MPI_Request requests[], int *n_done, int indices[],
                    MPI_Status statuses[]);

static void some(some_fn *fn, const MPI_Fint *n, MPI_Request *requests,
                 MPI_Fint *n_out, MPI_Fint *indices, MPI_F08_status *statuses,
                 MPI_Fint *error_out)
{
    *n_out = 0;
    f_error(error_out, fn(*n, requests, n_out, indices, all(statuses)));
    for (int i = 0; i < *n_out; i++) {
        indices[i] = f_index(indices[i]);
    }
}

void mpi_waitsome_f08_(MPI_Fint *n, MPI_Request *requests, MPI_Fint *n_out,
                       MPI_Fint *indices, MPI_F08_status *statuses,
                       MPI_Fint *error_out)
{
    some(MPI_Waitsome, n, requests, n_out, indices, statuses, error_out);
}

void mpi_testsome_f08_(MPI_Fint *n, MPI_Request *requests, MPI_Fint *n_out,
                       MPI_Fint *indices, MPI_F08_status *statuses,
                       MPI_Fint *error_out)
{
    some(MPI_Testsome, n, requests, n_out, indices, statuses, error_out);
}
