/*
 * scattered.c - reduce as a reduce-scatter and a gather
 *
 * Each rank sums one block of the vector (pattern/partial.c) and sends it to
 * the root.
 *
 * Cost for n elements on p ranks: ceil(log2 p) + 1 rounds, 2 (p-1)/p n elements
 * sent, (p-1)/p n reductions (Rabenseifner 2004,
 * doi:10.1007/978-3-540-24685-5_1, on a circulant graph).
 *
 * For many bytes and commutative ops.
 */
#include "collectives/algorithm/reduce/reduce.h"
#include "collectives/pattern/partial.h"

static bool applies(const struct rpt_case *c)
{
    return c->n_ranks > 2 && c->commutative && c->count >= (size_t)c->n_ranks;
}

static double cost(const struct rpt_case *c, const struct rpt_model *m,
                   size_t bytes)
{
    int skips[RPT_SKIPS_MAX], rounds = rpt__skips(c->n_ranks, skips);
    double n = (double)c->count * (double)bytes;

    return (1.5 * rounds + c->n_ranks) * m->message_s +
           n * (2 * m->byte_s + m->reduce_byte_s);
}

static void build(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    struct rpt_range mine = rpt__blocks(c->count, c->n_ranks, c->rank,
                                        c->rank + 1);
    bool is_root = c->rank == c->root;

    rpt__partial_build(c, schedule, rpt__vector_pieces, c->count,
                       is_root ? rpt__output(mine.offset)
                               : rpt__scratch(mine.offset));
    if (!is_root) {
        rpt__step_send(schedule, c->root, rpt__scratch(mine.offset),
                       mine.count);
        return;
    }
    rpt__step_flush(schedule, 0); /* in place, input is overwritten now */
    for (int r = 0; r < c->n_ranks; r++) {
        struct rpt_range block = rpt__blocks(c->count, c->n_ranks, r, r + 1);

        if (r != c->rank) {
            rpt__step_recv(schedule, r, rpt__output(block.offset), block.count);
        }
    }
}

const struct rpt_algorithm rpt__reduce_scattered = {
    .size = sizeof(struct rpt_algorithm),
    .name = "scattered",
    .summary = "reduce-scatter and gather: for many bytes",
    .in_rank_order = false,
    .applies = applies,
    .cost = cost,
    .build = build,
};
