/*
 * group.c - the first all-reduce on a group that is made for it
 *
 * Timed is making the group, or the MPI's communicator, and one call; releasing
 * it is not.
 */
#include "cli/bench/bench_priv.h"

static rpt_status_t mpi_call(struct bench *b)
{
    MPI_Comm_dup(WORLD, &b->comm);
    MPI_Allreduce(b->in, b->out, (int)b->n, MPI_FLOAT, MPI_SUM, b->comm);
    return RPT_OK;
}

static void mpi_clean(struct bench *b)
{
    MPI_Comm_free(&b->comm);
}

static rpt_status_t our_call(struct bench *b)
{
    rpt_status_t status = rpt_group_split(b->world, 0, b->rank, &b->group);

    return status == RPT_OK ? rpt_allreduce(b->group, b->in, b->out, b->n,
                                            RPT_TYPE_F32, RPT_OP_SUM)
                            : status;
}

static void our_clean(struct bench *b)
{
    rpt_group_destroy(b->group);
    b->group = NULL;
}

static const struct bench_contest contest = {
    .row = "group",
    .operation = "allreduce",
    .n_sides = 2,
    .factor = 16,
    .once = true,
    .sides = { [BENCH_MPI] = { .call = mpi_call, .clean = mpi_clean },
               [BENCH_OURS] = { .call = our_call, .clean = our_clean } }
};

const struct bench_contest *bench_group(void)
{
    return &contest;
}
