/*
 * ring.c - all-gather on a ring
 *
 * In p-1 rounds every rank passes on the block it got last.
 *
 * Cost for blocks of n elements: p-1 messages, (p-1) n elements sent.
 */
#include "collectives/algorithm/allgather/allgather.h"

static bool applies(const struct rpt_case *c)
{
    return c->n_ranks > 1;
}

static double cost(const struct rpt_case *c, const struct rpt_model *m,
                   size_t bytes)
{
    double others = rpt__other_count(c) * (double)bytes;

    return (c->n_ranks - 1) * m->message_s + others * m->byte_s;
}

static void build(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    int p = c->n_ranks, left = rpt__modulo(c->rank - 1, p);
    struct rpt_range mine = rpt__block_of(c, c->rank);

    rpt__step_copy(schedule, rpt__output(mine.offset), rpt__input(0),
                   mine.count);
    for (int round = 0; round < p - 1; round++) {
        struct rpt_range out = rpt__block_of(c,
                                             rpt__modulo(c->rank - round, p));
        struct rpt_range in = rpt__block_of(c, rpt__modulo(left - round, p));

        rpt__step_send(schedule, (c->rank + 1) % p, rpt__output(out.offset),
                       out.count);
        rpt__step_recv(schedule, left, rpt__output(in.offset), in.count);
    }
}

const struct rpt_algorithm rpt__allgather_ring = {
    .size = sizeof(struct rpt_algorithm),
    .name = "ring",
    .summary = "ring: p-1 rounds, neighbours only",
    .in_rank_order = false,
    .applies = applies,
    .cost = cost,
    .build = build,
};
