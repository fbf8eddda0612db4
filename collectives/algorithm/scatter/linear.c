/*
 * linear.c - scatter: the root sends to everybody
 *
 * Cost: the root sends p-1 messages.
 */
#include "collectives/algorithm/scatter/scatter.h"

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
    if (c->rank != c->root) {
        rpt__step_recv(schedule, c->root, rpt__output(0),
                       rpt__packed(c, c->rank).count);
        return;
    }
    for (int i = 1; i <= c->n_ranks; i++) {
        int r = (c->rank + i) % c->n_ranks;
        struct rpt_range block = rpt__block_of(c, r);

        if (r == c->rank) {
            rpt__step_copy(schedule, rpt__output(0), rpt__input(block.offset),
                           block.count);
        } else {
            rpt__step_send(schedule, r, rpt__input(block.offset), block.count);
        }
    }
}

const struct rpt_algorithm rpt__scatter_linear = {
    .size = sizeof(struct rpt_algorithm),
    .name = "linear",
    .summary = "the root sends to everybody",
    .in_rank_order = false,
    .applies = applies,
    .cost = cost,
    .build = build,
};
