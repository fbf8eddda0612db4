/*
 * over_mpi.c - a communicator for HDF5, without its type
 */
#include "io/hdf5/over_mpi.h"

#include "base/error.h"
#include "comm/mpi.h"

#include <stdlib.h>

rpt_status_t rpt__hdf5_comm_make(struct rpt_group *group, void **comm_out)
{
    int n = rpt__group_size(group);
    int *ranks = malloc((size_t)n * sizeof *ranks);
    MPI_Comm *comm = malloc(sizeof *comm);
    rpt_status_t status = ranks != NULL && comm != NULL
                              ? RPT_OK
                              : rpt__fail_nomem((size_t)n * sizeof *ranks);

    for (int r = 0; status == RPT_OK && r < n; r++) {
        ranks[r] = rpt__group_world_rank(group, r);
    }
    if (status == RPT_OK) {
        status = rpt__comm_make_mpi(rpt__group_comm(group), ranks, n,
                                    (int)(rpt__group_number(group) % 16384),
                                    comm);
    }
    free(ranks);
    if (status != RPT_OK) {
        free(comm);
        if (status == RPT_ERR_UNSUPPORTED) {
            rpt__fail_hint("io.checkpoint.engine=collective is for contexts "
                           "over MPI; use direct");
        }
        return status;
    }
    *comm_out = comm;
    return RPT_OK;
}

void rpt__hdf5_comm_free(void *comm)
{
    if (comm != NULL) {
        rpt__comm_free_mpi(comm);
        free(comm);
    }
}

void rpt__hdf5_comm_abort(void *comm, int code)
{
    PMPI_Abort(*(MPI_Comm *)comm, code);
}
