/*
 * mpi_comm.c - communicators: of the user, and for gangs
 */
#include "comm/mpi_priv.h"

#include "base/error.h"

#include <stdlib.h>

/* Open MPI sends with the tag of MPI_Comm_create_group() as it is; 32767 is
 * what every MPI has. */
static int tag_of(int tag)
{
    return RPT_MPI_TAG_COMM +
           (int)((unsigned)tag % (32768U - RPT_MPI_TAG_COMM));
}

static rpt_status_t no_mpi(void)
{
    return rpt__fail(RPT_ERR_UNSUPPORTED,
                     "the context is local: it has no communicator");
}

/* Ranks of the context of all processes of a group. */
static rpt_status_t translate(MPI_Group from, int n, MPI_Group context,
                              int ranks_out[])
{
    int *all = malloc(2 * (size_t)n * sizeof *all);
    rpt_status_t status;

    if (all == NULL) {
        return rpt__fail_nomem(2 * (size_t)n * sizeof *all);
    }
    for (int i = 0; i < n; i++) {
        all[i] = i;
    }
    status = rpt__mpi_status(
        PMPI_Group_translate_ranks(from, n, all, context, all + n),
        "MPI_Group_translate_ranks");
    for (int i = 0; status == RPT_OK && i < n; i++) {
        if (all[n + i] == MPI_UNDEFINED) {
            status = rpt__fail(RPT_ERR_INVALID,
                               "rank %d of the communicator is not in the "
                               "context",
                               i);
        }
    }
    for (int i = 0; status == RPT_OK && i < n; i++) {
        ranks_out[i] = all[n + i];
    }
    free(all);
    return status;
}

rpt_status_t rpt__comm_ranks_of_mpi(struct rpt_comm *comm, MPI_Comm mpi_comm,
                                    int ranks_out[])
{
    const struct rpt_mpi_end *end = rpt__mpi_end_of(comm);
    MPI_Group from, context;
    rpt_status_t status;
    int n = 0;

    if (end == NULL) {
        return no_mpi();
    }
    if (mpi_comm == MPI_COMM_NULL) {
        return rpt__fail(RPT_ERR_INVALID, "the communicator is null");
    }
    status = rpt__mpi_status(PMPI_Comm_group(mpi_comm, &from),
                             "MPI_Comm_group");
    if (status != RPT_OK) {
        return status;
    }
    status = rpt__mpi_status(PMPI_Comm_group(end->comm, &context),
                             "MPI_Comm_group");
    if (status == RPT_OK) {
        PMPI_Group_size(from, &n);
        status = translate(from, n, context, ranks_out);
        PMPI_Group_free(&context);
    }
    PMPI_Group_free(&from);
    return status;
}

struct listed {
    const struct rpt_comm *comm;
    const int *ranks;
    int n_ranks;
};

static bool nothing_waits(void *arg)
{
    const struct listed *listed = arg;

    for (int i = 0; i < listed->n_ranks; i++) {
        if (rpt__comm_backlog(listed->comm, listed->ranks[i]) > 0) {
            return false;
        }
    }
    return true;
}

/* Inside a blocking MPI call nobody may be there to send what waits, and what
 * waits may be what calls the other ranks here. */
static rpt_status_t send_what_waits(struct rpt_comm *comm, const int ranks[],
                                    int n_ranks)
{
    struct listed listed = { comm, ranks, n_ranks };
    rpt_status_t status;

    rpt__engine_lock(comm->engine);
    status = rpt__comm_wait(comm, nothing_waits, &listed, -1);
    rpt__engine_unlock(comm->engine);
    return status;
}

rpt_status_t rpt__comm_make_mpi(struct rpt_comm *comm, const int ranks[],
                                int n_ranks, int tag, MPI_Comm *mpi_comm_out)
{
    const struct rpt_mpi_end *end = rpt__mpi_end_of(comm);
    MPI_Comm made = MPI_COMM_NULL;
    MPI_Group context, group;
    rpt_status_t status;

    if (end == NULL) {
        return no_mpi();
    }
    status = send_what_waits(comm, ranks, n_ranks);
    if (status != RPT_OK) {
        return status;
    }
    status = rpt__mpi_status(PMPI_Comm_group(end->comm, &context),
                             "MPI_Comm_group");
    if (status != RPT_OK) {
        return status;
    }
    status = rpt__mpi_status(PMPI_Group_incl(context, n_ranks, ranks, &group),
                             "MPI_Group_incl");
    if (status == RPT_OK) {
        status = rpt__mpi_status(
            PMPI_Comm_create_group(end->comm, group, tag_of(tag), &made),
            "MPI_Comm_create_group");
        PMPI_Group_free(&group);
    }
    PMPI_Group_free(&context);
    if (status == RPT_OK) {
        status = rpt__mpi_status(
            PMPI_Comm_set_errhandler(made, MPI_ERRORS_RETURN),
            "MPI_Comm_set_errhandler");
    }
    if (status == RPT_OK) {
        *mpi_comm_out = made;
    }
    return status;
}

void rpt__comm_free_mpi(MPI_Comm *mpi_comm)
{
    if (*mpi_comm != MPI_COMM_NULL) {
        PMPI_Comm_free(mpi_comm);
    }
}
