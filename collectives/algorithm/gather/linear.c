/*
 * linear.c - gather: everybody sends to the root
 *
 * Cost: the root receives p-1 messages.
 */
#include "collectives/algorithm/gather/gather.h"

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
    struct rpt_range mine = rpt__packed(c, c->rank);

    if (c->rank != c->root) {
        rpt__step_send(schedule, c->root, rpt__input(0), mine.count);
        return;
    }
    for (int r = 0; r < c->n_ranks; r++) {
        struct rpt_range block = rpt__block_of(c, r);

        if (r == c->rank) {
            rpt__step_copy(schedule, rpt__output(block.offset), rpt__input(0),
                           block.count);
        } else {
            rpt__step_recv(schedule, r, rpt__output(block.offset), block.count);
        }
    }
}

const struct rpt_algorithm rpt__gather_linear = {
    .size = sizeof(struct rpt_algorithm),
    .name = "linear",
    .summary = "everybody sends to the root",
    .in_rank_order = false,
    .applies = applies,
    .cost = cost,
    .build = build,
};
