/*
 * circulant.c - all-reduce on circulant graphs, for any number of ranks
 *
 * The vector is cut into p blocks, which ranks share out, and put together
 * again, along distances that halve.  If p = f g, f neighbours do so first,
 * then the g ranks that have the same block (levels.c).
 *
 * Cost for n elements: 2 (p-1)/p n elements sent and (p-1)/p n reductions on
 * each rank, for any p, the least possible; 2 ceil(log2 p) rounds if no odd
 * factor of p is divided, and a few more if one is; for odd p a block is copied
 * (Traeff 2024, arXiv:2410.14234).  The order of the sum differs from block to
 * block: for commutative ops.
 */
#include "collectives/algorithm/allreduce/allreduce.h"
#include "collectives/algorithm/allreduce/levels.h"

static bool applies(const struct rpt_case *c)
{
    return c->n_ranks > 1 && c->commutative && c->count >= (size_t)c->n_ranks;
}

static double cost(const struct rpt_case *c, const struct rpt_model *m,
                   size_t bytes)
{
    double least;

    rpt__levels_find(c, m, bytes, false, &least);
    return least;
}

static void build(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    double least;
    struct rpt_levels levels = rpt__levels_find(c, c->model, c->element_bytes,
                                                false, &least);

    rpt__levels_build(c, schedule, &levels);
}

const struct rpt_algorithm rpt__allreduce_circulant = {
    .size = sizeof(struct rpt_algorithm),
    .name = "circulant",
    .summary = "circulant graphs: least bytes, about 2 log2 p rounds, any p",
    .applies = applies,
    .cost = cost,
    .build = build,
};
