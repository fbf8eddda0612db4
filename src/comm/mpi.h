/*
 * comm/mpi.h - ends of a context over an MPI communicator
 */
#ifndef RPT_COMM_MPI_H
#define RPT_COMM_MPI_H

#include "comm/comm.h"

#include <mpi.h>

/* Collective over mpi_comm.  See rpt_context_create_mpi().  brief: is called on
 * rank 0; may be NULL there. */
rpt_status_t rpt__comm_create_mpi(MPI_Comm mpi_comm,
                                  const rpt_options_t *options,
                                  rpt_brief_fn brief,
                                  struct rpt_comm **comm_out);

/* The ranks of the context that are the processes of mpi_comm, in its order;
 * RPT_ERR_INVALID when one is not in the context.  ranks_out: size of mpi_comm.
 * Not collective. */
rpt_status_t rpt__comm_ranks_of_mpi(struct rpt_comm *comm, MPI_Comm mpi_comm,
                                    int ranks_out[]);

/* Makes a communicator for ranks of the context.  Collective over those ranks,
 * blocking, WITHOUT the lock, in a thread that may call MPI.  `tag` keeps
 * concurrent creations apart.  RPT_ERR_UNSUPPORTED for a local context. */
rpt_status_t rpt__comm_make_mpi(struct rpt_comm *comm, const int ranks[],
                                int n_ranks, int tag, MPI_Comm *mpi_comm_out);
void rpt__comm_free_mpi(MPI_Comm *mpi_comm);

#endif /* RPT_COMM_MPI_H */
