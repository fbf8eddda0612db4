/*
 * direct.c - all-reduce: each rank adds one block of all, and gives it to all
 *
 * Everybody sends block r of its vector to rank r, which adds them in one pass,
 * from the first rank to the last, and sends the sum to everybody.
 *
 * Cost for n elements on p ranks: 2 (p-1) messages, 2 (p-1)/p n elements sent
 * and (p-1)/p n reductions on each rank, which is the least for bandwidth, in
 * two rounds.
 *
 * For the same bits in any layout (those of flat.c and sliced.c), and any op.
 */
#include "collectives/algorithm/allreduce/allreduce.h"

#include "base/error.h"

#include <stdlib.h>

static bool applies(const struct rpt_case *c)
{
    return c->n_ranks > 1;
}

static double cost(const struct rpt_case *c, const struct rpt_model *m,
                   size_t bytes)
{
    double n = (double)c->count * (double)bytes;
    double p = c->n_ranks;

    return 2 * (p - 1) * m->message_s + 2 * (p - 1) / p * n * m->byte_s +
           n * m->reduce_byte_s;
}

static struct rpt_range block_of(const struct rpt_case *c, int r)
{
    return rpt__blocks(c->count, c->n_ranks, r, r + 1);
}

static void add(const struct rpt_case *c, struct rpt_schedule *schedule,
                struct rpt_place inputs[])
{
    int p = c->n_ranks;
    struct rpt_range mine = block_of(c, c->rank);

    schedule->scratch_count = (size_t)p * mine.count;
    inputs[c->rank] = rpt__input(mine.offset);
    for (int i = 1; i < p; i++) {
        int to = (c->rank + i) % p, from = rpt__modulo(c->rank - i, p);
        struct rpt_range block = block_of(c, to);

        rpt__step_send(schedule, to, rpt__input(block.offset), block.count);
        inputs[from] = rpt__scratch((size_t)from * mine.count);
        rpt__step_recv(schedule, from, inputs[from], mine.count);
    }
    rpt__step_reduce(schedule, rpt__output(mine.offset), inputs, p, mine.count);
}

static void build(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    int p = c->n_ranks;
    struct rpt_range mine = block_of(c, c->rank);
    struct rpt_place *inputs = malloc((size_t)p * sizeof *inputs);

    if (inputs == NULL) {
        schedule->status = rpt__fail_nomem((size_t)p * sizeof *inputs);
        return;
    }
    add(c, schedule, inputs);
    free(inputs);
    rpt__step_flush(schedule, 0); /* in place, blocks are overwritten now */
    for (int i = 1; i < p; i++) {
        int from = rpt__modulo(c->rank - i, p);
        struct rpt_range block = block_of(c, from);

        rpt__step_send(schedule, (c->rank + i) % p, rpt__output(mine.offset),
                       mine.count);
        rpt__step_recv(schedule, from, rpt__output(block.offset), block.count);
    }
}

const struct rpt_algorithm rpt__allreduce_direct = {
    .size = sizeof(struct rpt_algorithm),
    .name = "direct",
    .summary = "each rank adds one block of all in rank order",
    .in_rank_order = true,
    .applies = applies,
    .cost = cost,
    .build = build,
};
