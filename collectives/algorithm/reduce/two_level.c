/*
 * two_level.c - reduce node by node, or domain by domain
 *
 * The first rank of each node, and the root in its own, gets the sum of its
 * node; the root adds these.
 *
 * Cost: a reduce in a node and one of as many ranks as there are nodes, by the
 * cheapest algorithm for each.
 *
 * The same with the domains of one node (pattern/layout.h).
 */
#include "collectives/algorithm/reduce/reduce.h"
#include "collectives/pattern/part.h"

#include <stdlib.h>

static bool applies(const struct rpt_case *c)
{
    return rpt__is_on_two_levels(c) && rpt__may_add_nodes(c);
}

static double cost(const struct rpt_case *c, const struct rpt_model *m,
                   size_t bytes)
{
    return rpt__part_cost_of_node(c, m, bytes, RPT_COLL_REDUCE, c->count) +
           rpt__part_cost_of_leaders(c, m, bytes, RPT_COLL_REDUCE, c->count);
}

static void parts(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    int *leaders = rpt__leaders_with_root(c, schedule);
    struct rpt_part node = rpt__part_of_node(c, RPT_COLL_REDUCE);
    struct rpt_part among = rpt__part_of_leaders(c, RPT_COLL_REDUCE, leaders);

    if (leaders == NULL) {
        return;
    }
    node.c.root = c->layout->place_of[leaders[among.c.rank]];
    among.c.root = c->layout->node_of[c->root];
    node.input = rpt__input(0);
    node.output = among.output = rpt__output(0);
    if (c->rank != c->root) {
        node.output = rpt__scratch(0);
        schedule->scratch_count = c->count;
    }
    among.input = node.output;
    rpt__part_build(&node, 0, schedule);
    if (leaders[among.c.rank] == c->rank) {
        rpt__part_build(&among, 1, schedule);
    }
    free(leaders);
}

static void build(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    rpt__parts_build(c, parts, false, schedule);
}

const struct rpt_algorithm rpt__reduce_two_level = {
    .size = sizeof(struct rpt_algorithm),
    .name = "two-level",
    .summary = "nodes or domains: the root adds their sums",
    .in_rank_order = false,
    .applies = applies,
    .cost = cost,
    .build = build,
};
