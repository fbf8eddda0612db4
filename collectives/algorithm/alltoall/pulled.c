/*
 * pulled.c - all-to-all on one node, from buffers that all can read
 *
 * Everybody copies its block from each of the others.  Only for blocks of one
 * size: where others are, only their rank knows.
 *
 * Cost for blocks of n elements: p n copied by each rank.
 */
#include "collectives/algorithm/alltoall/alltoall.h"
#include "collectives/pattern/pulled.h"

static bool applies(const struct rpt_case *c)
{
    return rpt__pulled_applies(c) && c->counts == NULL;
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
    size_t mine = (size_t)c->rank * c->count;

    for (int i = 0; i < c->n_ranks; i++) {
        int r = (c->rank + i) % c->n_ranks;

        rpt__step_copy(schedule, rpt__output((size_t)r * c->count),
                       i == 0 ? rpt__input(mine) : rpt__input_of(r, mine),
                       c->count);
    }
    rpt__pulled_end(c, schedule, 1);
}

const struct rpt_algorithm rpt__alltoall_pulled = {
    .size = sizeof(struct rpt_algorithm),
    .name = "pulled",
    .summary = "one node, shared buffers: every rank copies its blocks",
    .in_rank_order = false,
    .applies = applies,
    .cost = cost,
    .build = build,
};
