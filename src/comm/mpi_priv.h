/*
 * mpi_priv.h - what the files that may call MPI share
 *
 *   mpi_context.c    start and end of a context over a communicator
 *   mpi_start.c      who is where: the exchanges of the start
 *   mpi_call.c       errors of MPI; waiting with a deadline
 *   mpi_transport.c  packets over MPI
 *   mpi_comm.c       communicators of users and gangs
 */
#ifndef RPT_COMM_MPI_PRIV_H
#define RPT_COMM_MPI_PRIV_H

#include "comm/comm_priv.h"
#include "comm/mpi.h"
#include "comm/segment.h"

#include <mpi.h>

struct rpt_mpi_transport;

/* What an end over MPI owns. */
struct rpt_mpi_end {
    MPI_Comm comm; /* our duplicate, or MPI_COMM_NULL                        */
    int rank;
    int size;
    int thread_level; /* lowest of all ranks */
    bool lost; /* some rank did not answer: nothing collective any more      */
    rpt_options_t *options;
    double deadline_s;     /* how long an exchange may take */
    rpt_brief_fn brief_fn; /* on rank 0, or NULL */
    struct rpt_buf brief;
    struct rpt_machine *machine;
    struct rpt_map *map;
    int n_on_host;
    int host_lead; /* lowest rank of this host                         */
    struct rpt_segment segment;
    int *places;  /* of all ranks in the segment, -1: not in it               */
    int place;    /* of this rank                                             */
    bool has_shm; /* the segment has other ranks, too                 */
    bool has_far; /* some pair of ranks needs the mpi transport       */
    struct rpt_transport *far; /* the mpi transport; NULL: not needed        */
    char text[MPI_MAX_LIBRARY_VERSION_STRING + 64];
};

/* ---- mpi_call.c ---- */

/* RPT_OK for MPI_SUCCESS, else RPT_ERR_MPI with the text of the MPI error. */
rpt_status_t rpt__mpi_status(int error, const char *call);
/* Turns until a request is complete or until_s has come: RPT_ERR_TIMEOUT, and
 * the request still uses its memory. */
rpt_status_t rpt__mpi_finish(MPI_Request *request, double until_s,
                             const char *call);
/* Whether this thread may call MPI now, given that its caller obeys the rules
 * of its thread level. */
bool rpt__mpi_may_call(const struct rpt_mpi_end *end);
const char *rpt__mpi_level_name(int level);

/* ---- mpi_start.c ---- */

/* Fills an end whose comm, options and deadline_s are there.  `own` is what
 * went wrong on this rank before.  All ranks get an error when one does. */
rpt_status_t rpt__mpi_start(struct rpt_mpi_end *end, rpt_status_t own);
/* All ranks get an error when one has one. */
rpt_status_t rpt__mpi_agree(struct rpt_mpi_end *end, rpt_status_t own);

/* ---- mpi_transport.c ---- */

rpt_status_t rpt__mpi_transport_create(struct rpt_comm *comm,
                                       struct rpt_mpi_end *end,
                                       struct rpt_transport **transport_out);
/* Whether it asks MPI at every turn of the loop. */
bool rpt__mpi_transport_is_hot(const struct rpt_transport *transport);
/* Packets sent to each rank so far; packets received. */
const uint64_t *rpt__mpi_transport_sent(const struct rpt_transport *transport);
uint64_t rpt__mpi_transport_received(const struct rpt_transport *transport);

/* ---- mpi_context.c ---- */

/* The end of a context over MPI; NULL for a local one. */
struct rpt_mpi_end *rpt__mpi_end_of(const struct rpt_comm *comm);

#endif /* RPT_COMM_MPI_PRIV_H */
