/*
 * reduce.c - the collectives that combine vectors
 *
 * The type of a reduction is one of MPI's own, so buffers are as they are.
 */
#include "collectives/pmpi/shim.h"

#include <stdlib.h>

/* Only a root of MPI_Reduce has an output, and it alone may be in place. */
static bool may_be_there(const struct rpt_pmpi_call *call,
                         const struct rpt_pmpi_args *args, rpt_coll_kind_t kind)
{
    return kind == RPT_COLL_REDUCE && !call->is_root
               ? args->in != MPI_IN_PLACE
               : args->out != MPI_IN_PLACE;
}

static bool reduction(struct rpt_pmpi_call *call,
                      const struct rpt_pmpi_args *args, rpt_coll_kind_t kind)
{
    rpt_coll_t *coll = &call->coll;

    if (args->count < 0 || args->type == MPI_DATATYPE_NULL ||
        args->op == MPI_OP_NULL || !may_be_there(call, args, kind)) {
        return rpt__pmpi_pass(call, rpt__pmpi_bad_argument);
    }
    if (!rpt__pmpi_op(args->op, &coll->op)) {
        return rpt__pmpi_pass(call, "the operator is not one of those that are "
                                    "known");
    }
    if (!rpt__pmpi_type(args->type, coll->op, &coll->type)) {
        return rpt__pmpi_pass(call, "there is no such reduction of the type");
    }
    coll->kind = kind;
    coll->in = args->in == MPI_IN_PLACE ? RPT_IN_PLACE : args->in;
    coll->out = args->out;
    coll->count = (size_t)args->count;
    call->bytes = coll->count * rpt_type_bytes(coll->type);
    return rpt__pmpi_enter(call);
}

bool rpt__pmpi_allreduce(struct rpt_pmpi_call *call,
                         const struct rpt_pmpi_args *args)
{
    return reduction(call, args, RPT_COLL_ALLREDUCE);
}

bool rpt__pmpi_reduce(struct rpt_pmpi_call *call,
                      const struct rpt_pmpi_args *args)
{
    bool is_handled = reduction(call, args, RPT_COLL_REDUCE);

    if (!call->is_root) {
        call->coll.out = NULL;
    }
    return is_handled;
}

bool rpt__pmpi_scan(struct rpt_pmpi_call *call,
                    const struct rpt_pmpi_args *args)
{
    return reduction(call, args, RPT_COLL_SCAN);
}

bool rpt__pmpi_exscan(struct rpt_pmpi_call *call,
                      const struct rpt_pmpi_args *args)
{
    return reduction(call, args, RPT_COLL_EXSCAN);
}

bool rpt__pmpi_reduce_scatter_block(struct rpt_pmpi_call *call,
                                    const struct rpt_pmpi_args *args)
{
    bool is_handled = reduction(call, args, RPT_COLL_REDUCE_SCATTER);

    call->bytes *= (size_t)call->size;
    return is_handled;
}

bool rpt__pmpi_reduce_scatter(struct rpt_pmpi_call *call,
                              const struct rpt_pmpi_args *args)
{
    struct rpt_pmpi_args rest = *args;
    size_t *sizes, sum = 0;

    rest.count = args->counts.all != NULL ? 0 : -1;
    for (int r = 0; args->counts.all != NULL && r < call->size; r++) {
        MPI_Count count = rpt__pmpi_number(args->counts, r);

        rest.count = count < 0 ? -1 : rest.count;
        sum += (size_t)count;
    }
    if (!reduction(call, &rest, RPT_COLL_REDUCE_SCATTER)) {
        return false;
    }
    sizes = malloc((size_t)call->size * sizeof *sizes);
    if (sizes == NULL) {
        rpt__pmpi_die("there is no memory for the sizes of blocks");
    }
    for (int r = 0; r < call->size; r++) {
        sizes[r] = (size_t)rpt__pmpi_number(args->counts, r);
    }
    call->from.block_bytes = sizes; /* which releases them */
    call->coll.counts = sizes;
    call->bytes = sum * rpt_type_bytes(call->coll.type);
    return true;
}
