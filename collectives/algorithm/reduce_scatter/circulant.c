/*
 * circulant.c - reduce-scatter on a circulant graph, for any number of ranks
 *
 * See pattern/partial.c.  The order of the sum differs from block to block: for
 * commutative ops.
 */
#include "collectives/algorithm/reduce_scatter/reduce_scatter.h"
#include "collectives/pattern/partial.h"

static bool applies(const struct rpt_case *c)
{
    return c->n_ranks > 1 && c->commutative;
}

static double cost(const struct rpt_case *c, const struct rpt_model *m,
                   size_t bytes)
{
    int skips[RPT_SKIPS_MAX], rounds = rpt__skips(c->n_ranks, skips);
    double others = rpt__other_count(c) * (double)bytes;

    return (c->counts != NULL ? c->n_ranks - 1 : 1.5 * rounds) * m->message_s +
           others * (m->byte_s + m->reduce_byte_s);
}

static void build(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    rpt__partial_build(c, schedule, rpt__pieces, rpt__packed_count(c),
                       rpt__output(0));
}

const struct rpt_algorithm rpt__reduce_scatter_circulant = {
    .size = sizeof(struct rpt_algorithm),
    .name = "circulant",
    .summary = "circulant graph: ceil(log2 p) rounds, any p",
    .in_rank_order = false,
    .applies = applies,
    .cost = cost,
    .build = build,
};
