/*
 * pulled.c - reduce-scatter on one node, from buffers that all can read
 *
 * Everybody adds its block of all inputs, from the first rank to the last.
 *
 * Cost for blocks of n elements: p n read by each rank.
 */
#include "collectives/algorithm/reduce_scatter/reduce_scatter.h"
#include "collectives/pattern/pulled.h"

static bool applies(const struct rpt_case *c)
{
    return rpt__pulled_applies(c);
}

static double cost(const struct rpt_case *c, const struct rpt_model *m,
                   size_t bytes)
{
    double all = (double)rpt__packed_count(c) * (double)bytes;

    return 2 * rpt__flags_cost(c, m) + all * m->reduce_byte_s +
           rpt__across_cost(c, m, all / c->n_ranks);
}

static void build(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    struct rpt_range block = rpt__packed(c, c->rank);
    struct rpt_place inputs[RPT_MAX_INPUTS];

    for (int r = 0; r < c->n_ranks; r++) {
        inputs[r] = r == c->rank ? rpt__input(block.offset)
                                 : rpt__input_of(r, block.offset);
    }
    rpt__step_reduce(schedule, rpt__output(0), inputs, c->n_ranks, block.count);
    rpt__pulled_end(c, schedule, 1);
}

const struct rpt_algorithm rpt__reduce_scatter_pulled = {
    .size = sizeof(struct rpt_algorithm),
    .name = "pulled",
    .summary = "one node, shared buffers: every rank adds its block of all",
    .in_rank_order = true,
    .applies = applies,
    .cost = cost,
    .build = build,
};
