/*
 * direct.c - reduce-scatter: everybody sends each block to the rank it is for
 *
 * Each rank adds what all have sent in one pass, from the first to the last.
 *
 * Cost for blocks of n elements: p-1 messages and (p-1) n elements sent by a
 * rank, which is the least; (p-1) n reductions.
 *
 * For the same bits in any layout, and for any op.
 */
#include "collectives/algorithm/reduce_scatter/reduce_scatter.h"

#include "base/error.h"

#include <stdlib.h>

static bool applies(const struct rpt_case *c)
{
    return c->n_ranks > 1;
}

static double cost(const struct rpt_case *c, const struct rpt_model *m,
                   size_t bytes)
{
    double others = rpt__other_count(c) * (double)bytes;

    return (c->n_ranks - 1) * m->message_s +
           others * (m->byte_s + m->reduce_byte_s);
}

static void build(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    int p = c->n_ranks;
    struct rpt_range mine = rpt__packed(c, c->rank);
    struct rpt_place *inputs = malloc((size_t)p * sizeof *inputs);

    if (inputs == NULL) {
        schedule->status = rpt__fail_nomem((size_t)p * sizeof *inputs);
        return;
    }
    schedule->scratch_count = (size_t)p * mine.count;
    inputs[c->rank] = rpt__input(mine.offset);
    for (int i = 1; i < p; i++) {
        int to = (c->rank + i) % p, from = rpt__modulo(c->rank - i, p);
        struct rpt_range block = rpt__packed(c, to);

        rpt__step_send(schedule, to, rpt__input(block.offset), block.count);
        inputs[from] = rpt__scratch((size_t)from * mine.count);
        rpt__step_recv(schedule, from, inputs[from], mine.count);
    }
    rpt__step_reduce(schedule, rpt__output(0), inputs, p, mine.count);
    free(inputs);
}

const struct rpt_algorithm rpt__reduce_scatter_direct = {
    .size = sizeof(struct rpt_algorithm),
    .name = "direct",
    .summary = "all blocks go straight to their ranks, added in rank order",
    .in_rank_order = true,
    .applies = applies,
    .cost = cost,
    .build = build,
};
