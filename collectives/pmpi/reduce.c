/*
 * reduce.c - the collectives that combine vectors
 *
 * The type of a reduction is one of MPI's own, so buffers are as they are.
 */
#include "collectives/pmpi/shim.h"

#include <stdlib.h>

static const void *input(const void *in)
{
    return in == MPI_IN_PLACE ? RPT_IN_PLACE : in;
}

int MPI_Allreduce(const void *in, void *out, int count, MPI_Datatype type,
                  MPI_Op op, MPI_Comm comm)
{
    struct rpt_pmpi_call call;

    if (!rpt__pmpi_enter(&call, RPT_PMPI_ALLREDUCE, comm, 0) ||
        !rpt__pmpi_enter_reduction(&call, count, type, op)) {
        return PMPI_Allreduce(in, out, count, type, op, comm);
    }
    return rpt__pmpi_leave(&call,
                           rpt_allreduce(call.group, input(in), out,
                                         (size_t)count, call.type, call.op));
}

int MPI_Reduce(const void *in, void *out, int count, MPI_Datatype type,
               MPI_Op op, int root, MPI_Comm comm)
{
    struct rpt_pmpi_call call;

    if (!rpt__pmpi_enter(&call, RPT_PMPI_REDUCE, comm, root) ||
        !rpt__pmpi_enter_reduction(&call, count, type, op)) {
        return PMPI_Reduce(in, out, count, type, op, root, comm);
    }
    return rpt__pmpi_leave(
        &call, rpt_reduce(call.group, input(in), call.is_root ? out : NULL,
                          (size_t)count, call.type, call.op, root));
}

int MPI_Scan(const void *in, void *out, int count, MPI_Datatype type, MPI_Op op,
             MPI_Comm comm)
{
    struct rpt_pmpi_call call;

    if (!rpt__pmpi_enter(&call, RPT_PMPI_SCAN, comm, 0) ||
        !rpt__pmpi_enter_reduction(&call, count, type, op)) {
        return PMPI_Scan(in, out, count, type, op, comm);
    }
    return rpt__pmpi_leave(&call, rpt_scan(call.group, input(in), out,
                                           (size_t)count, call.type, call.op));
}

int MPI_Exscan(const void *in, void *out, int count, MPI_Datatype type,
               MPI_Op op, MPI_Comm comm)
{
    struct rpt_pmpi_call call;

    if (!rpt__pmpi_enter(&call, RPT_PMPI_EXSCAN, comm, 0) ||
        !rpt__pmpi_enter_reduction(&call, count, type, op)) {
        return PMPI_Exscan(in, out, count, type, op, comm);
    }
    return rpt__pmpi_leave(&call,
                           rpt_exscan(call.group, input(in), out, (size_t)count,
                                      call.type, call.op));
}

int MPI_Reduce_scatter_block(const void *in, void *out, int count,
                             MPI_Datatype type, MPI_Op op, MPI_Comm comm)
{
    struct rpt_pmpi_call call;

    if (!rpt__pmpi_enter(&call, RPT_PMPI_REDUCE_SCATTER_BLOCK, comm, 0) ||
        !rpt__pmpi_enter_reduction(&call, count, type, op)) {
        return PMPI_Reduce_scatter_block(in, out, count, type, op, comm);
    }
    call.bytes *= (size_t)call.size;
    return rpt__pmpi_leave(
        &call, rpt_reduce_scatter_block(call.group, input(in), out,
                                        (size_t)count, call.type, call.op));
}

/* The sum of the counts, -1 when one of them is bad; for the report. */
static int look_at(const int counts[], int n, size_t *sum_out)
{
    int worst = 0;

    *sum_out = 0;
    for (int r = 0; counts != NULL && r < n; r++) {
        worst = counts[r] < 0 ? -1 : worst;
        *sum_out += (size_t)counts[r];
    }
    return counts != NULL ? worst : -1;
}

static rpt_status_t reduce_scatter(const struct rpt_pmpi_call *call,
                                   const void *in, void *out,
                                   const int counts[])
{
    size_t *sizes = malloc((size_t)call->size * sizeof *sizes);
    rpt_status_t status;

    if (sizes == NULL) {
        rpt__pmpi_die("there is no memory for the sizes of blocks");
    }
    for (int r = 0; r < call->size; r++) {
        sizes[r] = (size_t)counts[r];
    }
    status = rpt_reduce_scatter(call->group, input(in), out, sizes, call->type,
                                call->op);
    free(sizes);
    return status;
}

int MPI_Reduce_scatter(const void *in, void *out, const int counts[],
                       MPI_Datatype type, MPI_Op op, MPI_Comm comm)
{
    struct rpt_pmpi_call call;
    size_t sum;

    if (!rpt__pmpi_enter(&call, RPT_PMPI_REDUCE_SCATTER, comm, 0) ||
        !rpt__pmpi_enter_reduction(&call, look_at(counts, call.size, &sum),
                                   type, op)) {
        return PMPI_Reduce_scatter(in, out, counts, type, op, comm);
    }
    call.bytes = sum * rpt_type_bytes(call.type);
    return rpt__pmpi_leave(&call, reduce_scatter(&call, in, out, counts));
}
