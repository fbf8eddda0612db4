/*
 * pairwise.c - all-to-all: in round i each rank sends to the one i above
 *
 * Cost for blocks of n elements: p-1 messages, (p-1) n elements sent: least.
 * Blocks may differ in size.
 */
#include "collectives/algorithm/alltoall/alltoall.h"

static bool applies(const struct rpt_case *c)
{
    return c->n_ranks > 1;
}

static double cost(const struct rpt_case *c, const struct rpt_model *m,
                   size_t bytes)
{
    double others = c->counts != NULL ? 0 : rpt__other_count(c) * (double)bytes;

    return (c->n_ranks - 1) * m->message_s + others * m->byte_s;
}

static struct rpt_range taken_from(const struct rpt_case *c, int r)
{
    if (c->out_counts == NULL) {
        return rpt__packed(c, r);
    }
    return (struct rpt_range){ c->out_offsets[r], c->out_counts[r] };
}

static void build(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    int p = c->n_ranks;
    struct rpt_range mine = rpt__block_of(c, c->rank);

    rpt__step_copy(schedule, rpt__output(taken_from(c, c->rank).offset),
                   rpt__input(mine.offset), mine.count);
    for (int i = 1; i < p; i++) {
        int to = (c->rank + i) % p, from = rpt__modulo(c->rank - i, p);
        struct rpt_range out = rpt__block_of(c, to), in = taken_from(c, from);

        rpt__step_send(schedule, to, rpt__input(out.offset), out.count);
        rpt__step_recv(schedule, from, rpt__output(in.offset), in.count);
    }
}

const struct rpt_algorithm rpt__alltoall_pairwise = {
    .size = sizeof(struct rpt_algorithm),
    .name = "pairwise",
    .summary = "p-1 rounds, every block once",
    .in_rank_order = false,
    .applies = applies,
    .cost = cost,
    .build = build,
};
