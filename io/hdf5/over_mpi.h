/*
 * over_mpi.h - a communicator for HDF5, without its type
 */
#ifndef RPT_IO_HDF5_OVER_MPI_H
#define RPT_IO_HDF5_OVER_MPI_H

#include "comm/comm.h"

/* Collective over the group, without the lock.  comm_out: points to an
 * MPI_Comm.  RPT_ERR_UNSUPPORTED: the context is not over MPI. */
rpt_status_t rpt__hdf5_comm_make(struct rpt_group *group, void **comm_out);
/* Collective.  NULL is ignored. */
void rpt__hdf5_comm_free(void *comm);
/* Ends the processes of it, and with most launchers the job.  Of any thread;
 * does not always return. */
void rpt__hdf5_comm_abort(void *comm, int code);

#endif /* RPT_IO_HDF5_OVER_MPI_H */
