/*
 * pulled.c - reduce on one node, from buffers that all can read
 *
 * The root adds the inputs of all ranks, from the first to the last.
 *
 * Cost for n elements on p ranks: the root reads p n.
 */
#include "collectives/algorithm/reduce/reduce.h"
#include "collectives/pattern/pulled.h"

static bool applies(const struct rpt_case *c)
{
    return rpt__pulled_applies(c);
}

static double cost(const struct rpt_case *c, const struct rpt_model *m,
                   size_t bytes)
{
    double n = (double)c->count * (double)bytes;

    return 2 * rpt__flags_cost(c, m) + c->n_ranks * n * m->reduce_byte_s +
           rpt__across_cost(c, m, n);
}

static void build(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    struct rpt_place inputs[RPT_MAX_INPUTS];

    for (int r = 0; r < c->n_ranks; r++) {
        inputs[r] = r == c->rank ? rpt__input(0) : rpt__input_of(r, 0);
    }
    if (c->rank == c->root) {
        rpt__step_reduce(schedule, rpt__output(0), inputs, c->n_ranks,
                         c->count);
    }
    rpt__pulled_end(c, schedule, 1);
}

const struct rpt_algorithm rpt__reduce_pulled = {
    .size = sizeof(struct rpt_algorithm),
    .name = "pulled",
    .summary = "one node, shared buffers: the root adds all inputs",
    .in_rank_order = true,
    .applies = applies,
    .cost = cost,
    .build = build,
};
