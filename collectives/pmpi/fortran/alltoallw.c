/*
 * alltoallw.c - MPI_ALLTOALLW for Fortran, the blocking one
 *
 * Its types are an array, with one for each rank.  In the one that does not
 * block the MPI may look at them until it is over: that one is the MPI's.
 */
#include "collectives/pmpi/fortran/fortran.h"

#include <stdlib.h>

static int n_blocks(MPI_Comm comm)
{
    int is_inter = 0, n = 0;

    PMPI_Comm_test_inter(comm, &is_inter);
    if (is_inter) {
        PMPI_Comm_remote_size(comm, &n);
    } else {
        PMPI_Comm_size(comm, &n);
    }
    return n;
}

static void convert(MPI_Datatype types[], const MPI_Fint *theirs, int n)
{
    for (int i = 0; i < n; i++) {
        types[i] = PMPI_Type_f2c(theirs[i]);
    }
}

void mpi_alltoallw_(void *in, MPI_Fint *in_counts, MPI_Fint *in_places,
                    MPI_Fint *in_types, void *out, MPI_Fint *counts,
                    MPI_Fint *places, MPI_Fint *types, MPI_Fint *comm,
                    MPI_Fint *error_out)
{
    MPI_Comm handle = PMPI_Comm_f2c(*comm);
    int n = n_blocks(handle);
    MPI_Datatype *both = malloc((2 * (size_t)n + 1) * sizeof *both);

    if (both == NULL) {
        rpt__pmpi_die("there is no memory for types");
    }
    convert(both + n, types, n);
    if (f_buffer(in) != MPI_IN_PLACE) { /* else there need be none */
        convert(both, in_types, n);
    }
    f_error(error_out,
            MPI_Alltoallw(f_buffer(in), in_counts, in_places, both,
                          f_buffer(out), counts, places, both + n, handle));
    free(both);
}
BOTH_NAMES(alltoallw)
