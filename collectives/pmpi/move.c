/*
 * move.c - the collectives that move data: blocks of one size
 *
 * A rank's arguments that MPI does not look at on this rank are not looked at
 * here either.
 */
#include "collectives/pmpi/shim.h"

/* A buffer of elements; in place is not one. */
static bool fits(const void *buffer, MPI_Count count, MPI_Datatype type)
{
    return buffer != MPI_IN_PLACE && count >= 0 &&
           rpt__pmpi_type_may_move(type);
}

static bool input_fits(const struct rpt_pmpi_args *args)
{
    return fits(args->in, args->in_count, args->in_type);
}

static bool output_fits(const struct rpt_pmpi_args *args)
{
    return fits(args->out, args->count, args->type);
}

/* Of a call in which all ranks may be in place. */
static bool both_fit(const struct rpt_pmpi_args *args)
{
    return output_fits(args) && (args->in == MPI_IN_PLACE || input_fits(args));
}

static bool enter(struct rpt_pmpi_call *call, rpt_coll_kind_t kind, bool fit)
{
    call->coll.kind = kind;
    call->coll.type = RPT_TYPE_U8;
    return fit ? rpt__pmpi_enter(call)
               : rpt__pmpi_pass(call, rpt__pmpi_bad_argument);
}

/* n blocks; in place: the output has them. */
static void set_input(struct rpt_pmpi_call *call,
                      const struct rpt_pmpi_args *args, int n)
{
    if (args->in == MPI_IN_PLACE) {
        call->coll.in = RPT_IN_PLACE;
        call->to.keeps = true;
        return;
    }
    rpt__pmpi_side_set(&call->from, args->in,
                       (size_t)n * (size_t)args->in_count, args->in_type);
    call->coll.in = rpt__pmpi_side_bytes(&call->from);
}

static void set_output(struct rpt_pmpi_call *call,
                       const struct rpt_pmpi_args *args, int n)
{
    rpt__pmpi_side_set(&call->to, args->out, (size_t)n * (size_t)args->count,
                       args->type);
    call->coll.out = rpt__pmpi_side_bytes(&call->to);
}

bool rpt__pmpi_barrier(struct rpt_pmpi_call *call,
                       const struct rpt_pmpi_args *args)
{
    (void)args;
    return enter(call, RPT_COLL_BARRIER, true);
}

bool rpt__pmpi_bcast(struct rpt_pmpi_call *call,
                     const struct rpt_pmpi_args *args)
{
    struct rpt_pmpi_side *side = call->is_root ? &call->from : &call->to;

    if (!enter(call, RPT_COLL_BROADCAST, output_fits(args))) {
        return false;
    }
    rpt__pmpi_side_set(side, args->out, (size_t)args->count, args->type);
    call->coll.out = rpt__pmpi_side_bytes(side);
    call->coll.count = call->bytes = side->bytes;
    return true;
}

bool rpt__pmpi_allgather(struct rpt_pmpi_call *call,
                         const struct rpt_pmpi_args *args)
{
    if (!enter(call, RPT_COLL_ALLGATHER, both_fit(args))) {
        return false;
    }
    set_input(call, args, 1);
    set_output(call, args, call->size);
    call->coll.count = call->bytes = call->to.bytes / (size_t)call->size;
    return true;
}

bool rpt__pmpi_gather(struct rpt_pmpi_call *call,
                      const struct rpt_pmpi_args *args)
{
    if (!enter(call, RPT_COLL_GATHER,
               call->is_root ? both_fit(args) : input_fits(args))) {
        return false;
    }
    set_input(call, args, 1);
    call->bytes = call->from.bytes;
    if (call->is_root) {
        set_output(call, args, call->size);
        call->bytes = call->to.bytes / (size_t)call->size;
    }
    call->coll.count = call->bytes;
    return true;
}

bool rpt__pmpi_scatter(struct rpt_pmpi_call *call,
                       const struct rpt_pmpi_args *args)
{
    bool in_place = call->is_root && args->out == MPI_IN_PLACE;

    if (!enter(call, RPT_COLL_SCATTER,
               (in_place || output_fits(args)) &&
                   (!call->is_root || input_fits(args)))) {
        return false;
    }
    if (!in_place) {
        set_output(call, args, 1);
    }
    call->bytes = call->to.bytes;
    if (call->is_root) {
        set_input(call, args, call->size);
        call->bytes = call->from.bytes / (size_t)call->size;
    }
    call->coll.count = call->bytes;
    return true;
}

bool rpt__pmpi_alltoall(struct rpt_pmpi_call *call,
                        const struct rpt_pmpi_args *args)
{
    if (!enter(call, RPT_COLL_ALLTOALL, both_fit(args))) {
        return false;
    }
    set_input(call, args, call->size);
    set_output(call, args, call->size);
    call->bytes = call->to.bytes;
    call->coll.count = call->bytes / (size_t)call->size;
    return true;
}
