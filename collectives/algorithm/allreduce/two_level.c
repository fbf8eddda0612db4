/*
 * two_level.c - all-reduce node by node, or domain by domain
 *
 * The first rank of each node gets the sum of its node, these make it the sum
 * of all, and hand it to their nodes.
 *
 *      | a0 a1 | b0 b1 |   ->   a0+a1 <-> b0+b1   ->   | S S | S S |
 *
 * Cost: a reduce and a broadcast in a node, between them an all-reduce of as
 * many ranks as there are nodes, by the cheapest algorithm for each.
 *
 * For few bytes: one rank of a node does the work.
 *
 * The same with the domains of one node (pattern/layout.h).
 */
#include "collectives/algorithm/allreduce/allreduce.h"
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
           rpt__part_cost_of_leaders(c, m, bytes, RPT_COLL_ALLREDUCE,
                                     c->count) +
           rpt__part_cost_of_node(c, m, bytes, RPT_COLL_BROADCAST, c->count);
}

static void parts(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    int *leaders = rpt__leaders(c, 0, schedule);
    struct rpt_part reduce = rpt__part_of_node(c, RPT_COLL_REDUCE);
    struct rpt_part share = rpt__part_of_node(c, RPT_COLL_BROADCAST);
    struct rpt_part among = rpt__part_of_leaders(c, RPT_COLL_ALLREDUCE,
                                                 leaders);

    reduce.input = rpt__input(0);
    reduce.output = rpt__output(0);
    among.input = among.output = rpt__output(0);
    share.input = share.output = rpt__output(0);
    rpt__part_build(&reduce, 0, schedule);
    if (reduce.c.rank == 0) {
        rpt__part_build(&among, 1, schedule);
    }
    rpt__part_build(&share, 2, schedule);
    free(leaders);
}

static void build(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    rpt__parts_build(c, parts, true, schedule);
}

const struct rpt_algorithm rpt__allreduce_two_level = {
    .size = sizeof(struct rpt_algorithm),
    .name = "two-level",
    .summary = "nodes or domains: one rank of each adds their sums",
    .in_rank_order = false,
    .applies = applies,
    .cost = cost,
    .build = build,
};
