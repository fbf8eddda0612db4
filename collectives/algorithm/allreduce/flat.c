/*
 * flat.c - all-reduce on one node: everybody reads everybody
 *
 * Each rank puts its vector into its stage, raises its flag, and adds the
 * vectors of all ranks from the first to the last, for itself.
 *
 *      rank 0   stage | a |   ->  a + b + c
 *      rank 1   stage | b |   ->  a + b + c
 *      rank 2   stage | c |   ->  a + b + c
 *
 * Cost for n elements on p ranks: one signal and p-1 waits, p n elements read,
 * (p-1) n reductions on each rank.  The order of the sum is that of the ranks,
 * so all have the same bits, whatever the op.
 *
 * For few bytes: the work grows with p.
 */
#include "collectives/algorithm/allreduce/allreduce.h"

static bool applies(const struct rpt_case *c)
{
    return c->n_ranks > 1 && c->n_ranks <= RPT_MAX_INPUTS && c->one_node &&
           c->count <= c->stage_count;
}

static double cost(const struct rpt_case *c, const struct rpt_model *m,
                   size_t bytes)
{
    double n = (double)c->count * (double)bytes;

    return rpt__flags_cost(c, m) + n * m->copy_byte_s +
           (c->n_ranks - 1) * n * m->reduce_byte_s + rpt__across_cost(c, m, n);
}

static void build(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    struct rpt_place inputs[RPT_MAX_INPUTS];

    schedule->stage_count = c->count;
    schedule->n_values = 1;
    schedule->free_value = 2; /* who is in the next one has read */
    schedule->seen_value = 1;
    rpt__step_copy(schedule, rpt__stage(c->rank, 0), rpt__input(0), c->count);
    rpt__step_signal(schedule, 1);
    for (int r = 0; r < c->n_ranks; r++) {
        if (r != c->rank) {
            rpt__step_wait(schedule, r, 1);
        }
        inputs[r] = r == c->rank ? rpt__input(0) : rpt__stage(r, 0);
    }
    rpt__step_reduce(schedule, rpt__output(0), inputs, c->n_ranks, c->count);
}

const struct rpt_algorithm rpt__allreduce_flat = {
    .size = sizeof(struct rpt_algorithm),
    .name = "flat",
    .summary = "one node: every rank reads and adds all vectors",
    .in_rank_order = true,
    .applies = applies,
    .cost = cost,
    .build = build,
};
