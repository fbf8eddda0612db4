/*
 * two_level.c - all-gather node by node, or domain by domain
 *
 * The first rank of a node gathers the blocks of its node, exchanges them with
 * those of the other nodes, and hands all blocks to its node.  The blocks of a
 * node are one behind the other, so ranks must be numbered node by node.
 *
 * Cost for blocks of n elements: a gather in a node, an all-gather of as many
 * ranks as there are nodes, a broadcast of p n elements in a node.
 *
 * The same with the domains of one node (pattern/layout.h).
 */
#include "collectives/algorithm/allgather/allgather.h"
#include "collectives/pattern/part.h"

#include "base/error.h"

#include <stdlib.h>

static bool applies(const struct rpt_case *c)
{
    return rpt__is_on_two_levels(c) && c->layout->in_order &&
           (c->offsets == NULL || c->offsets == c->starts);
}

static double cost(const struct rpt_case *c, const struct rpt_model *m,
                   size_t bytes)
{
    size_t all = rpt__packed_count(c), n = all / (size_t)c->n_ranks;

    return rpt__part_cost_of_node(c, m, bytes, RPT_COLL_GATHER, n) +
           rpt__part_cost_of_leaders(c, m, bytes, RPT_COLL_ALLGATHER,
                                     all / (size_t)c->layout->n_nodes) +
           rpt__part_cost_of_node(c, m, bytes, RPT_COLL_BROADCAST, all);
}

/* The blocks of the ranks of this node, or of all nodes: elements of each, then
 * where they begin. */
static size_t *blocks_of(const struct rpt_case *c, bool of_nodes,
                         struct rpt_schedule *schedule)
{
    const struct rpt_layout *layout = c->layout;
    int node = layout->node_of[c->rank], lowest = layout->first[node];
    int n = of_nodes ? layout->n_nodes : rpt__layout_size(layout, node);
    size_t n_numbers = 2 * (size_t)n + 1;
    size_t *counts = calloc(n_numbers, sizeof *counts), *starts = counts + n;

    if (counts == NULL) {
        schedule->status = rpt__fail_nomem(n_numbers * sizeof *counts);
        return NULL;
    }
    for (int i = 0; i < n; i++) {
        int first = of_nodes ? layout->first[i] : lowest + i;
        int end = of_nodes ? layout->first[i + 1] : first + 1;

        for (int r = first; r < end; r++) {
            counts[i] += rpt__packed(c, r).count;
        }
        starts[i + 1] = starts[i] + counts[i];
    }
    return counts;
}

static void set_blocks(struct rpt_part *part, const size_t *blocks)
{
    part->c.count = 0;
    part->c.counts = blocks;
    part->c.starts = blocks + part->c.n_ranks;
}

static void build_with(const struct rpt_case *c, const int leaders[],
                       const size_t *mine, const size_t *nodes,
                       struct rpt_schedule *schedule)
{
    struct rpt_part gather = rpt__part_of_node(c, RPT_COLL_GATHER);
    struct rpt_part share = rpt__part_of_node(c, RPT_COLL_BROADCAST);
    struct rpt_part among = rpt__part_of_leaders(c, RPT_COLL_ALLGATHER,
                                                 leaders);
    size_t start = rpt__packed(c, leaders[among.c.rank]).offset;

    set_blocks(&gather, mine);
    set_blocks(&among, nodes);
    share.c.count = rpt__packed_count(c);
    gather.input = rpt__input(0);
    gather.output = among.input = rpt__output(start);
    among.output = share.input = share.output = rpt__output(0);
    rpt__part_build(&gather, 0, schedule);
    if (gather.c.rank == 0) {
        rpt__part_build(&among, 1, schedule);
    }
    rpt__part_build(&share, 2, schedule);
}

static void parts(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    int *leaders = rpt__leaders(c, 0, schedule);
    size_t *mine = blocks_of(c, false, schedule);
    size_t *nodes = blocks_of(c, true, schedule);

    if (leaders != NULL && mine != NULL && nodes != NULL) {
        build_with(c, leaders, mine, nodes, schedule);
    }
    free(leaders);
    free(mine);
    free(nodes);
}

static void build(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    rpt__parts_build(c, parts, true, schedule);
}

const struct rpt_algorithm rpt__allgather_two_level = {
    .size = sizeof(struct rpt_algorithm),
    .name = "two-level",
    .summary = "nodes or domains: one rank of each exchanges blocks",
    .in_rank_order = false,
    .applies = applies,
    .cost = cost,
    .build = build,
};
