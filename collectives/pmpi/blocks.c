/*
 * blocks.c - the collectives that move blocks of different sizes
 *
 * Gatherv and Scatterv are all-to-alls here in which all blocks but those of
 * the root are empty: only the root knows all sizes, and an all-to-all asks a
 * rank for nothing that it does not know.  Empty blocks are not sent.
 *
 * Cost: in both the root sends or receives p-1 messages.
 */
#include "collectives/pmpi/shim.h"

#include <stdlib.h>

/* Types of empty blocks are not looked at. */
static bool blocks_fit(struct rpt_pmpi_blocks blocks)
{
    bool all = blocks.counts.all != NULL && blocks.places.all != NULL &&
               (blocks.types != NULL || rpt__pmpi_type_may_move(blocks.type));

    for (int r = 0; all && r < blocks.n; r++) {
        MPI_Count count = rpt__pmpi_number(blocks.counts, r);

        all = count >= 0 && (blocks.types == NULL || count == 0 ||
                             rpt__pmpi_type_may_move(blocks.types[r]));
    }
    return all;
}

static bool enter(struct rpt_pmpi_call *call, rpt_coll_kind_t kind, bool fits)
{
    call->coll.kind = kind;
    call->coll.type = RPT_TYPE_U8;
    return fits ? rpt__pmpi_enter(call)
                : rpt__pmpi_pass(call, rpt__pmpi_bad_argument);
}

static struct rpt_pmpi_blocks outputs(const struct rpt_pmpi_call *call,
                                      const struct rpt_pmpi_args *args)
{
    return (struct rpt_pmpi_blocks){ call->size, args->counts, args->places,
                                     args->type, args->types };
}

static struct rpt_pmpi_blocks inputs(const struct rpt_pmpi_call *call,
                                     const struct rpt_pmpi_args *args)
{
    return (struct rpt_pmpi_blocks){ call->size, args->in_counts,
                                     args->in_places, args->in_type,
                                     args->in_types };
}

static bool output_fits(const struct rpt_pmpi_call *call,
                        const struct rpt_pmpi_args *args)
{
    return args->out != MPI_IN_PLACE && blocks_fit(outputs(call, args));
}

static bool input_fits(const struct rpt_pmpi_call *call,
                       const struct rpt_pmpi_args *args)
{
    return args->in != MPI_IN_PLACE && blocks_fit(inputs(call, args));
}

/* One block. */
static bool one_fits(const void *buffer, MPI_Count count, MPI_Datatype type)
{
    return buffer != MPI_IN_PLACE && count >= 0 &&
           rpt__pmpi_type_may_move(type);
}

bool rpt__pmpi_allgatherv(struct rpt_pmpi_call *call,
                          const struct rpt_pmpi_args *args)
{
    bool in_place = args->in == MPI_IN_PLACE;
    rpt_coll_t *coll = &call->coll;

    if (!enter(call, RPT_COLL_ALLGATHER,
               output_fits(call, args) &&
                   (in_place ||
                    one_fits(args->in, args->in_count, args->in_type)))) {
        return false;
    }
    rpt__pmpi_side_set_blocks(&call->to, args->out, outputs(call, args));
    call->to.keeps = in_place;
    coll->in = RPT_IN_PLACE;
    if (!in_place) {
        rpt__pmpi_side_set(&call->from, args->in, (size_t)args->in_count,
                           args->in_type);
        coll->in = rpt__pmpi_side_bytes(&call->from);
    }
    coll->out = rpt__pmpi_side_bytes(&call->to);
    coll->counts = call->to.block_bytes;
    coll->offsets = call->to.block_offsets;
    call->bytes = coll->counts[call->rank];
    return true;
}

static void set_alltoall(struct rpt_pmpi_call *call)
{
    rpt_coll_t *coll = &call->coll;

    coll->in = rpt__pmpi_side_bytes(&call->from);
    coll->counts = call->from.block_bytes;
    coll->offsets = call->from.block_offsets;
    coll->out = rpt__pmpi_side_bytes(&call->to);
    coll->out_counts = call->to.block_bytes;
    coll->out_offsets = call->to.block_offsets;
    call->bytes = call->from.bytes;
}

bool rpt__pmpi_alltoallv(struct rpt_pmpi_call *call,
                         const struct rpt_pmpi_args *args)
{
    bool in_place = args->in == MPI_IN_PLACE;

    if (!enter(call, RPT_COLL_ALLTOALL,
               output_fits(call, args) &&
                   (in_place || input_fits(call, args)))) {
        return false;
    }
    rpt__pmpi_side_set_blocks(&call->to, args->out, outputs(call, args));
    /* The library has none in place: a copy of the output is the input. */
    call->from.copy = in_place;
    rpt__pmpi_side_set_blocks(&call->from, in_place ? args->out : args->in,
                              in_place ? outputs(call, args)
                                       : inputs(call, args));
    set_alltoall(call);
    return true;
}

bool rpt__pmpi_alltoallw(struct rpt_pmpi_call *call,
                         const struct rpt_pmpi_args *args)
{
    if (args->types == NULL ||
        (args->in != MPI_IN_PLACE && args->in_types == NULL)) {
        return rpt__pmpi_pass(call, rpt__pmpi_bad_argument);
    }
    return rpt__pmpi_alltoallv(call, args);
}

/* ---- from and to a root ---- */

/* One block, for or from a rank; all others are empty. */
static void set_one(struct rpt_pmpi_side *side,
                    const struct rpt_pmpi_call *call, const void *buffer,
                    MPI_Count count, MPI_Datatype type)
{
    rpt__pmpi_side_set(side, buffer, (size_t)count, type);
    rpt__pmpi_side_set_sizes(side, call->size);
    side->block_bytes[call->coll.root] = side->bytes;
}

static void set_none(struct rpt_pmpi_side *side,
                     const struct rpt_pmpi_call *call)
{
    rpt__pmpi_side_set_sizes(side, call->size);
}

/* The root's own block stays where it is. */
static void leave_own(struct rpt_pmpi_call *call)
{
    call->from.block_bytes[call->rank] = 0;
    call->to.block_bytes[call->rank] = 0;
}

bool rpt__pmpi_gatherv(struct rpt_pmpi_call *call,
                       const struct rpt_pmpi_args *args)
{
    bool in_place = call->is_root && args->in == MPI_IN_PLACE;

    if (!enter(
            call, RPT_COLL_ALLTOALL,
            (in_place || one_fits(args->in, args->in_count, args->in_type)) &&
                (!call->is_root || output_fits(call, args)))) {
        return false;
    }
    if (call->is_root) {
        rpt__pmpi_side_set_blocks(&call->to, args->out, outputs(call, args));
        call->to.keeps = in_place;
    } else {
        set_none(&call->to, call);
    }
    if (in_place) {
        set_none(&call->from, call);
        leave_own(call);
    } else {
        set_one(&call->from, call, args->in, args->in_count, args->in_type);
    }
    set_alltoall(call);
    return true;
}

bool rpt__pmpi_scatterv(struct rpt_pmpi_call *call,
                        const struct rpt_pmpi_args *args)
{
    bool in_place = call->is_root && args->out == MPI_IN_PLACE;

    if (!enter(call, RPT_COLL_ALLTOALL,
               (in_place || one_fits(args->out, args->count, args->type)) &&
                   (!call->is_root || input_fits(call, args)))) {
        return false;
    }
    if (call->is_root) {
        rpt__pmpi_side_set_blocks(&call->from, args->in, inputs(call, args));
    } else {
        set_none(&call->from, call);
    }
    if (in_place) {
        set_none(&call->to, call);
        leave_own(call);
    } else {
        set_one(&call->to, call, args->out, args->count, args->type);
    }
    set_alltoall(call);
    return true;
}
