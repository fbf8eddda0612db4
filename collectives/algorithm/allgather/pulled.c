/*
 * pulled.c - all-gather on one node, from buffers that all can read
 *
 * Everybody copies the blocks of all others.
 *
 * Cost for blocks of n elements: p n copied by each rank.
 */
#include "collectives/algorithm/allgather/allgather.h"
#include "collectives/pattern/pulled.h"

static bool applies(const struct rpt_case *c)
{
    return rpt__pulled_applies(c);
}

static double cost(const struct rpt_case *c, const struct rpt_model *m,
                   size_t bytes)
{
    double all = (double)rpt__packed_count(c) * (double)bytes;

    return 2 * rpt__flags_cost(c, m) + all * m->copy_byte_s +
           rpt__across_cost(c, m, all / c->n_ranks);
}

static void build(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    for (int i = 0; i < c->n_ranks; i++) {
        int r = (c->rank + i) % c->n_ranks;
        struct rpt_range block = rpt__block_of(c, r);

        rpt__step_copy(schedule, rpt__output(block.offset),
                       i == 0 ? rpt__input(0) : rpt__input_of(r, 0),
                       block.count);
    }
    rpt__pulled_end(c, schedule, 1);
}

const struct rpt_algorithm rpt__allgather_pulled = {
    .size = sizeof(struct rpt_algorithm),
    .name = "pulled",
    .summary = "one node, shared buffers: every rank copies all blocks",
    .in_rank_order = false,
    .applies = applies,
    .cost = cost,
    .build = build,
};
