/*
 * begin.c - MPI_INIT, MPI_INIT_THREAD and MPI_FINALIZE for Fortran
 */
#include "collectives/pmpi/fortran/fortran.h"

void mpi_init_(MPI_Fint *error_out)
{
    f_error(error_out, MPI_Init(NULL, NULL));
}
BOTH_NAMES(init)

void mpi_init_thread_(MPI_Fint *required, MPI_Fint *provided_out,
                      MPI_Fint *error_out)
{
    f_error(error_out, MPI_Init_thread(NULL, NULL, *required, provided_out));
}
BOTH_NAMES(init_thread)

void mpi_finalize_(MPI_Fint *error_out)
{
    f_error(error_out, MPI_Finalize());
}
BOTH_NAMES(finalize)
