/*
 * calls.c - every collective operation: the MPI's blocking call, and ours
 */
#include "cli/bench/bench_priv.h"

static rpt_status_t mpi_allreduce(struct bench *b)
{
    MPI_Allreduce(b->in, b->out, (int)b->n, MPI_FLOAT, MPI_SUM, WORLD);
    return RPT_OK;
}

static rpt_status_t our_allreduce(struct bench *b)
{
    return rpt_allreduce(b->world, b->in, b->out, b->n, RPT_TYPE_F32,
                         RPT_OP_SUM);
}

static rpt_status_t mpi_reduce(struct bench *b)
{
    MPI_Reduce(b->in, b->out, (int)b->n, MPI_FLOAT, MPI_SUM, b->root, WORLD);
    return RPT_OK;
}

static rpt_status_t our_reduce(struct bench *b)
{
    return rpt_reduce(b->world, b->in, b->out, b->n, RPT_TYPE_F32, RPT_OP_SUM,
                      b->root);
}

static rpt_status_t mpi_broadcast(struct bench *b)
{
    MPI_Bcast(b->in, (int)b->n, MPI_FLOAT, b->root, WORLD);
    return RPT_OK;
}

static rpt_status_t our_broadcast(struct bench *b)
{
    return rpt_broadcast(b->world, b->in, b->n, RPT_TYPE_F32, b->root);
}

static rpt_status_t mpi_barrier(struct bench *b)
{
    (void)b;
    MPI_Barrier(WORLD);
    return RPT_OK;
}

static rpt_status_t our_barrier(struct bench *b)
{
    return rpt_barrier(b->world);
}

static rpt_status_t mpi_allgather(struct bench *b)
{
    MPI_Allgather(b->in, (int)b->n, MPI_FLOAT, b->out, (int)b->n, MPI_FLOAT,
                  WORLD);
    return RPT_OK;
}

static rpt_status_t our_allgather(struct bench *b)
{
    return rpt_allgather(b->world, b->in, b->out, b->n, RPT_TYPE_F32);
}

static rpt_status_t mpi_gather(struct bench *b)
{
    MPI_Gather(b->in, (int)b->n, MPI_FLOAT, b->out, (int)b->n, MPI_FLOAT,
               b->root, WORLD);
    return RPT_OK;
}

static rpt_status_t our_gather(struct bench *b)
{
    return rpt_gather(b->world, b->in, b->out, b->n, RPT_TYPE_F32, b->root);
}

static rpt_status_t mpi_scatter(struct bench *b)
{
    MPI_Scatter(b->in, (int)b->n, MPI_FLOAT, b->out, (int)b->n, MPI_FLOAT,
                b->root, WORLD);
    return RPT_OK;
}

static rpt_status_t our_scatter(struct bench *b)
{
    return rpt_scatter(b->world, b->in, b->out, b->n, RPT_TYPE_F32, b->root);
}

static rpt_status_t mpi_reduce_scatter(struct bench *b)
{
    MPI_Reduce_scatter_block(b->in, b->out, (int)b->n, MPI_FLOAT, MPI_SUM,
                             WORLD);
    return RPT_OK;
}

static rpt_status_t our_reduce_scatter(struct bench *b)
{
    return rpt_reduce_scatter_block(b->world, b->in, b->out, b->n, RPT_TYPE_F32,
                                    RPT_OP_SUM);
}

static rpt_status_t mpi_alltoall(struct bench *b)
{
    MPI_Alltoall(b->in, (int)b->n, MPI_FLOAT, b->out, (int)b->n, MPI_FLOAT,
                 WORLD);
    return RPT_OK;
}

static rpt_status_t our_alltoall(struct bench *b)
{
    return rpt_alltoall(b->world, b->in, b->out, b->n, RPT_TYPE_F32);
}

static rpt_status_t mpi_scan(struct bench *b)
{
    MPI_Scan(b->in, b->out, (int)b->n, MPI_FLOAT, MPI_SUM, WORLD);
    return RPT_OK;
}

static rpt_status_t our_scan(struct bench *b)
{
    return rpt_scan(b->world, b->in, b->out, b->n, RPT_TYPE_F32, RPT_OP_SUM);
}

static rpt_status_t mpi_exscan(struct bench *b)
{
    MPI_Exscan(b->in, b->out, (int)b->n, MPI_FLOAT, MPI_SUM, WORLD);
    return RPT_OK;
}

static rpt_status_t our_exscan(struct bench *b)
{
    return rpt_exscan(b->world, b->in, b->out, b->n, RPT_TYPE_F32, RPT_OP_SUM);
}

#define SIDES(text, name)                                                      \
    .row = "coll", .operation = text, .n_sides = 2, .factor = 2,               \
    .sides = { { .call = mpi_##name }, { .call = our_##name } }

static const struct bench_contest contests[BENCH_KINDS] = {
    [RPT_COLL_ALLREDUCE] = { SIDES("allreduce", allreduce), .is_bound = true },
    [RPT_COLL_REDUCE] = { SIDES("reduce", reduce) },
    [RPT_COLL_BROADCAST] = { SIDES("broadcast", broadcast) },
    [RPT_COLL_BARRIER] = { SIDES("barrier", barrier), .is_empty = true },
    [RPT_COLL_ALLGATHER] = { SIDES("allgather", allgather),
                             .has_blocks = true },
    [RPT_COLL_GATHER] = { SIDES("gather", gather), .has_blocks = true },
    [RPT_COLL_SCATTER] = { SIDES("scatter", scatter), .has_blocks = true },
    [RPT_COLL_REDUCE_SCATTER] = { SIDES("reduce-scatter", reduce_scatter),
                                  .has_blocks = true },
    [RPT_COLL_ALLTOALL] = { SIDES("alltoall", alltoall), .has_blocks = true },
    [RPT_COLL_SCAN] = { SIDES("scan", scan) },
    [RPT_COLL_EXSCAN] = { SIDES("exscan", exscan) },
};

const struct bench_contest *bench_call(rpt_coll_kind_t kind)
{
    return &contests[kind];
}
