/*
 * multi_leader.c - all-reduce node by node, a slice for each leader
 *
 * The vector is cut into as many slices as the smallest node has ranks.  Rank i
 * of a node adds slice i of its node, then with those of the other nodes, and
 * then the node puts its slices together.
 *
 *      node 0   | a b |  --+-- slice 0 of all --+-->  | S0 S1 |
 *      node 1   | c d |  --+-- slice 1 of all --+-->  | S0 S1 |
 *
 * Cost for n elements, N nodes and s slices: a reduce-scatter and an all-gather
 * of n in a node, and s all-reduces of n/s side by side between the nodes, by
 * the cheapest algorithm for each: 2(N-1)/N n elements leave a node (Bayatpour
 * et al. 2017, doi:10.1145/3126908.3126954).
 *
 * For many bytes.
 *
 * The same with the domains of one node (pattern/layout.h).
 */
#include "collectives/algorithm/allreduce/allreduce.h"
#include "collectives/pattern/part.h"

#include "base/error.h"

#include <stdlib.h>

static bool applies(const struct rpt_case *c)
{
    return rpt__is_on_two_levels(c) && rpt__may_add_nodes(c) &&
           c->layout->least > 1 && c->count >= (size_t)c->layout->least;
}

/* The ranks of a node share what joins it to the others, a processor or a wire:
 * their messages go half side by side, half one after the other. */
static double cost_between(const struct rpt_case *c, const struct rpt_model *m,
                           size_t bytes, size_t slice)
{
    double others = c->layout->least - 1;

    return rpt__part_cost_of_leaders(c, m, bytes, RPT_COLL_ALLREDUCE,
                                     (slice + c->count) / 2) +
           others / 2 *
               rpt__part_cost_of_leaders(c, m, bytes, RPT_COLL_ALLREDUCE, 0);
}

static double cost(const struct rpt_case *c, const struct rpt_model *m,
                   size_t bytes)
{
    size_t slice = c->count / (size_t)c->layout->least;

    return rpt__part_cost_of_node(c, m, bytes, RPT_COLL_REDUCE_SCATTER, slice) +
           cost_between(c, m, bytes, slice) +
           rpt__part_cost_of_node(c, m, bytes, RPT_COLL_ALLGATHER, slice);
}

/* Slices of the ranks of a node, and where they begin; NULL: no memory. */
static size_t *slices_of(const struct rpt_case *c, int n,
                         struct rpt_schedule *schedule)
{
    size_t n_numbers = 2 * (size_t)n + 1;
    size_t *counts = calloc(n_numbers, sizeof *counts), *starts;
    int n_slices = c->layout->least;

    if (counts == NULL) {
        schedule->status = rpt__fail_nomem(n_numbers * sizeof *counts);
        return NULL;
    }
    starts = counts + n;
    for (int i = 0; i < n; i++) {
        starts[i] = rpt__block_start(c->count, n_slices,
                                     i < n_slices ? i : n_slices);
    }
    starts[n] = c->count;
    for (int i = 0; i < n; i++) {
        counts[i] = starts[i + 1] - starts[i];
    }
    return counts;
}

static void build_slices(const struct rpt_case *c, const size_t *slices,
                         const int leaders[], struct rpt_schedule *schedule)
{
    struct rpt_part scatter = rpt__part_of_node(c, RPT_COLL_REDUCE_SCATTER);
    struct rpt_part gather = rpt__part_of_node(c, RPT_COLL_ALLGATHER);
    struct rpt_part among = rpt__part_of_leaders(c, RPT_COLL_ALLREDUCE,
                                                 leaders);
    const size_t *starts = slices + scatter.c.n_ranks;
    int mine = scatter.c.rank;

    scatter.c.count = gather.c.count = 0;
    scatter.c.counts = gather.c.counts = slices;
    scatter.c.starts = gather.c.starts = starts;
    scatter.input = rpt__input(0);
    scatter.output = rpt__output(starts[mine]);
    among.c.count = slices[mine];
    among.input = among.output = rpt__output(starts[mine]);
    gather.input = rpt__output(starts[mine]);
    gather.output = rpt__output(0);
    rpt__part_build(&scatter, 0, schedule);
    if (mine < c->layout->least) {
        rpt__part_build(&among, 1, schedule);
    }
    rpt__part_build(&gather, 2, schedule);
}

static void parts(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    const struct rpt_layout *layout = c->layout;
    int place = layout->place_of[c->rank];
    int n = rpt__layout_size(layout, layout->node_of[c->rank]);
    int *leaders = rpt__leaders(c, place < layout->least ? place : 0, schedule);
    size_t *slices = slices_of(c, n, schedule);

    if (slices != NULL && leaders != NULL) {
        build_slices(c, slices, leaders, schedule);
    }
    free(slices);
    free(leaders);
}

static void build(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    rpt__parts_build(c, parts, true, schedule);
}

const struct rpt_algorithm rpt__allreduce_multi_leader = {
    .size = sizeof(struct rpt_algorithm),
    .name = "multi-leader",
    .summary = "nodes or domains: every rank adds a slice, then between them",
    .in_rank_order = false,
    .applies = applies,
    .cost = cost,
    .build = build,
};
