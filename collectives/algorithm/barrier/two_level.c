/*
 * two_level.c - barrier node by node, or domain by domain
 *
 * When all of a node have come its first rank meets those of the other nodes;
 * the second barrier of a node lets the others go.
 *
 * Cost: two barriers in a node, one of as many ranks as there are nodes.
 *
 * The same with the domains of one node (pattern/layout.h).
 */
#include "collectives/algorithm/barrier/barrier.h"
#include "collectives/pattern/part.h"

#include <stdlib.h>

static double cost(const struct rpt_case *c, const struct rpt_model *m,
                   size_t bytes)
{
    return 2 * rpt__part_cost_of_node(c, m, bytes, RPT_COLL_BARRIER, 0) +
           rpt__part_cost_of_leaders(c, m, bytes, RPT_COLL_BARRIER, 0);
}

static void parts(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    int *leaders = rpt__leaders(c, 0, schedule);
    struct rpt_part node = rpt__part_of_node(c, RPT_COLL_BARRIER);
    struct rpt_part among = rpt__part_of_leaders(c, RPT_COLL_BARRIER, leaders);

    node.input = among.input = rpt__input(0);
    node.output = among.output = rpt__output(0);
    rpt__part_build(&node, 0, schedule);
    if (node.c.rank == 0) {
        rpt__part_build(&among, 1, schedule);
    }
    rpt__part_build(&node, 2, schedule);
    free(leaders);
}

static void build(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    rpt__parts_build(c, parts, true, schedule);
}

const struct rpt_algorithm rpt__barrier_two_level = {
    .size = sizeof(struct rpt_algorithm),
    .name = "two-level",
    .summary = "nodes or domains: their first ranks meet",
    .in_rank_order = false,
    .applies = rpt__is_on_two_levels,
    .cost = cost,
    .build = build,
};
