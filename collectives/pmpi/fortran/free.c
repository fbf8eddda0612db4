/*
 * free.c - MPI_COMM_FREE and MPI_COMM_DISCONNECT for Fortran
 */
#include "collectives/pmpi/fortran/fortran.h"

static void free_by(int (*c_free)(MPI_Comm *comm), MPI_Fint *comm,
                    MPI_Fint *error_out)
{
    MPI_Comm handle = PMPI_Comm_f2c(*comm);
    int code = c_free(&handle);

    if (code == MPI_SUCCESS) {
        *comm = PMPI_Comm_c2f(handle);
    }
    f_error(error_out, code);
}

void mpi_comm_free_(MPI_Fint *comm, MPI_Fint *error_out)
{
    free_by(MPI_Comm_free, comm, error_out);
}
BOTH_NAMES(comm_free)

void mpi_comm_disconnect_(MPI_Fint *comm, MPI_Fint *error_out)
{
    free_by(MPI_Comm_disconnect, comm, error_out);
}
BOTH_NAMES(comm_disconnect)
