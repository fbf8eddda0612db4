/*
 * pulled.c - scatter on one node, from buffers that all can read
 *
 * Everybody copies its block from the root.  Only for blocks of one size: where
 * others are, only the root knows.
 *
 * Cost for blocks of n elements: n copied by each rank.
 */
#include "collectives/algorithm/scatter/scatter.h"
#include "collectives/pattern/pulled.h"

static bool applies(const struct rpt_case *c)
{
    return rpt__pulled_applies(c) && c->counts == NULL;
}

static double cost(const struct rpt_case *c, const struct rpt_model *m,
                   size_t bytes)
{
    double n = (double)c->count * (double)bytes;

    return 2 * rpt__flags_cost(c, m) + n * m->copy_byte_s +
           rpt__across_cost(c, m, n);
}

static void build(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    size_t mine = (size_t)c->rank * c->count;

    rpt__step_copy(schedule, rpt__output(0),
                   c->rank == c->root ? rpt__input(mine)
                                      : rpt__input_of(c->root, mine),
                   c->count);
    rpt__pulled_end(c, schedule, 1);
}

const struct rpt_algorithm rpt__scatter_pulled = {
    .size = sizeof(struct rpt_algorithm),
    .name = "pulled",
    .summary = "one node, shared buffers: every rank copies its block",
    .in_rank_order = false,
    .applies = applies,
    .cost = cost,
    .build = build,
};
