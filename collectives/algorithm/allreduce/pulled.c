/*
 * pulled.c - all-reduce on one node, in buffers that all can read and write
 *
 * Each rank adds its slice of all inputs, from the first rank to the last, into
 * the outputs of all.
 *
 *      in 0   | a0 a1 |                out 0  | S0 S1 |
 *      in 1   | b0 b1 |  rank 0: S0    out 1  | S0 S1 |
 *                        rank 1: S1
 *
 * Cost for n elements on p ranks: n read and n written by each, which is what a
 * copy of the vector costs, and one flag.  The same bits on all ranks, whatever
 * the op.  Inputs may be in place: what a rank reads nobody else writes.
 */
#include "collectives/algorithm/allreduce/allreduce.h"
#include "collectives/pattern/pulled.h"

static bool applies(const struct rpt_case *c)
{
    return rpt__pulled_applies(c) && c->count > 0;
}

static double cost(const struct rpt_case *c, const struct rpt_model *m,
                   size_t bytes)
{
    double n = (double)c->count * (double)bytes, p = c->n_ranks;

    return 2 * rpt__flags_cost(c, m) +
           (1 - 1 / p) * n * (m->copy_byte_s + m->reduce_byte_s) +
           2 * rpt__across_cost(c, m, n / p);
}

static void build(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    struct rpt_range slice = rpt__blocks(c->count, c->n_ranks, c->rank,
                                         c->rank + 1);
    struct rpt_place inputs[RPT_MAX_INPUTS];

    if (c->only_reads) {
        rpt__allreduce_fetch(c, schedule);
        return;
    }
    for (int r = 0; r < c->n_ranks; r++) {
        inputs[r] = r == c->rank ? rpt__input(slice.offset)
                                 : rpt__input_of(r, slice.offset);
    }
    rpt__step_reduce(schedule, rpt__output(slice.offset), inputs, c->n_ranks,
                     slice.count);
    rpt__step_everywhere(schedule);
    rpt__pulled_end(c, schedule, 1);
}

const struct rpt_algorithm rpt__allreduce_pulled = {
    .size = sizeof(struct rpt_algorithm),
    .name = "pulled",
    .summary =
        "one node, shared buffers: every rank adds a slice of all inputs",
    .in_rank_order = true,
    .applies = applies,
    .cost = cost,
    .build = build,
};
