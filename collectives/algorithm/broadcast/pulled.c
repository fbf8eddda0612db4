/*
 * pulled.c - broadcast on one node, from buffers that all can read
 *
 * Everybody copies from the root.
 *
 * Cost for n elements: n copied by each rank.
 */
#include "collectives/algorithm/broadcast/broadcast.h"
#include "collectives/pattern/pulled.h"

static bool applies(const struct rpt_case *c)
{
    return rpt__pulled_applies(c);
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
    if (c->rank != c->root) {
        rpt__step_copy(schedule, rpt__output(0), rpt__input_of(c->root, 0),
                       c->count);
    }
    rpt__pulled_end(c, schedule, 1);
}

const struct rpt_algorithm rpt__broadcast_pulled = {
    .size = sizeof(struct rpt_algorithm),
    .name = "pulled",
    .summary = "one node, shared buffers: the others copy from the root",
    .in_rank_order = false,
    .applies = applies,
    .cost = cost,
    .build = build,
};
