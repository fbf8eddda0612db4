/*
 * binomial.c - scatter on a binomial tree
 *
 *      0 -> 4      0 -> 2, 4 -> 6      0 -> 1, 2 -> 3, 4 -> 5, 6 -> 7
 *
 * Ranks are counted from the root, which puts the blocks in this order; each
 * gets those of its subtree at once and hands on what is not its own.
 *
 * Cost for blocks of n elements: ceil(log2 p) messages at the root, (p-1) n
 * elements sent there.
 *
 * For small blocks.
 */
#include "collectives/algorithm/scatter/scatter.h"
#include "collectives/pattern/subtree.h"
#include "collectives/pattern/wrapped.h"

static bool applies(const struct rpt_case *c)
{
    return c->n_ranks > 2;
}

static double cost(const struct rpt_case *c, const struct rpt_model *m,
                   size_t bytes)
{
    int skips[RPT_SKIPS_MAX], rounds = rpt__skips(c->n_ranks, skips);
    double all = (double)rpt__packed_count(c) * (double)bytes;

    return rounds * m->message_s + 2 * all * (m->byte_s + m->copy_byte_s);
}

static void put_in_order(const struct rpt_case *c,
                         struct rpt_schedule *schedule)
{
    for (int v = 1; v < c->n_ranks; v++) {
        struct rpt_range block = rpt__block_of(c, (v + c->root) % c->n_ranks);

        rpt__step_copy(schedule, rpt__scratch(rpt__subtree_slot(c, 0, v)),
                       rpt__input(block.offset), block.count);
    }
}

static void build(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    int p = c->n_ranks, mine = rpt__modulo(c->rank - c->root, p);
    int mask = rpt__subtree_mask(p, mine);
    struct rpt_range own = rpt__packed(c, c->rank);

    schedule->scratch_count = rpt__subtree_slot(
        c, mine, rpt__subtree_end(p, mine, mask));
    if (mine == 0) {
        put_in_order(c, schedule);
    } else {
        rpt__step_recv(schedule, (mine - mask + c->root) % p, rpt__scratch(0),
                       schedule->scratch_count);
    }
    while ((mask /= 2) > 0) {
        int child = mine + mask;

        if (child < p) {
            size_t from = rpt__subtree_slot(c, mine, child);
            size_t to = rpt__subtree_slot(c, mine,
                                          rpt__subtree_end(p, child, mask));

            rpt__step_send(schedule, (child + c->root) % p, rpt__scratch(from),
                           to - from);
        }
    }
    rpt__step_copy(schedule, rpt__output(0),
                   mine == 0 ? rpt__input(rpt__block_of(c, c->rank).offset)
                             : rpt__scratch(0),
                   own.count);
}

const struct rpt_algorithm rpt__scatter_binomial = {
    .size = sizeof(struct rpt_algorithm),
    .name = "binomial",
    .summary = "binomial tree: ceil(log2 p) messages at the root",
    .in_rank_order = false,
    .applies = applies,
    .cost = cost,
    .build = build,
};
