/*
 * two_level.c - broadcast node by node, or domain by domain
 *
 * From the root to one rank of every other node, and from these, and the root,
 * to their nodes.
 *
 * Cost: a broadcast of as many ranks as there are nodes and one in a node, by
 * the cheapest algorithm for each.
 *
 * The same with the domains of one node (pattern/layout.h).
 */
#include "collectives/algorithm/broadcast/broadcast.h"
#include "collectives/pattern/part.h"

#include <stdlib.h>

static double cost(const struct rpt_case *c, const struct rpt_model *m,
                   size_t bytes)
{
    return rpt__part_cost_of_leaders(c, m, bytes, RPT_COLL_BROADCAST,
                                     c->count) +
           rpt__part_cost_of_node(c, m, bytes, RPT_COLL_BROADCAST, c->count);
}

static void parts(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    int *leaders = rpt__leaders_with_root(c, schedule);
    struct rpt_part among = rpt__part_of_leaders(c, RPT_COLL_BROADCAST,
                                                 leaders);
    struct rpt_part node = rpt__part_of_node(c, RPT_COLL_BROADCAST);

    if (leaders == NULL) {
        return;
    }
    among.c.root = c->layout->node_of[c->root];
    node.c.root = c->layout->place_of[leaders[among.c.rank]];
    among.input = node.input = c->rank == c->root ? rpt__input(0)
                                                  : rpt__output(0);
    among.output = node.output = rpt__output(0);
    if (leaders[among.c.rank] == c->rank) {
        rpt__part_build(&among, 0, schedule);
    }
    rpt__part_build(&node, 1, schedule);
    free(leaders);
}

static void build(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    rpt__parts_build(c, parts, false, schedule);
}

const struct rpt_algorithm rpt__broadcast_two_level = {
    .size = sizeof(struct rpt_algorithm),
    .name = "two-level",
    .summary = "nodes or domains: to one rank of each, then inside",
    .in_rank_order = false,
    .applies = rpt__is_on_two_levels,
    .cost = cost,
    .build = build,
};
