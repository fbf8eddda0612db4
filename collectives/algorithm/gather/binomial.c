/*
 * binomial.c - gather on a binomial tree
 *
 *      1 -> 0, 3 -> 2, 5 -> 4, 7 -> 6      2 -> 0, 6 -> 4      4 -> 0
 *
 * Ranks are counted from the root; each collects the blocks of its subtree in
 * their order and sends them down at once.  The root takes them apart.
 *
 * Cost for blocks of n elements: ceil(log2 p) messages at the root, (p-1) n
 * elements received there, n log2 p / 2 sent by a rank on average.
 *
 * For small blocks.
 */
#include "collectives/algorithm/gather/gather.h"
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

static void take_apart(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    for (int v = 0; v < c->n_ranks; v++) {
        struct rpt_range block = rpt__block_of(c, (v + c->root) % c->n_ranks);

        rpt__step_copy(schedule, rpt__output(block.offset),
                       v == 0 ? rpt__input(0)
                              : rpt__scratch(rpt__subtree_slot(c, 0, v)),
                       block.count);
    }
}

static void build(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    int p = c->n_ranks, mine = rpt__modulo(c->rank - c->root, p), mask = 1;

    rpt__step_copy(schedule, rpt__scratch(0), rpt__input(0),
                   rpt__packed(c, c->rank).count);
    for (; mask < p && (mine & mask) == 0; mask *= 2) {
        int child = mine + mask;

        if (child < p) {
            size_t from = rpt__subtree_slot(c, mine, child);
            size_t to = rpt__subtree_slot(c, mine,
                                          rpt__subtree_end(p, child, mask));

            rpt__step_recv(schedule, (child + c->root) % p, rpt__scratch(from),
                           to - from);
        }
    }
    schedule->scratch_count = rpt__subtree_slot(
        c, mine, rpt__subtree_end(p, mine, mask));
    if (mine != 0) {
        rpt__step_send(schedule, (mine - mask + c->root) % p, rpt__scratch(0),
                       schedule->scratch_count);
    } else {
        take_apart(c, schedule);
    }
}

const struct rpt_algorithm rpt__gather_binomial = {
    .size = sizeof(struct rpt_algorithm),
    .name = "binomial",
    .summary = "binomial tree: ceil(log2 p) messages at the root",
    .in_rank_order = false,
    .applies = applies,
    .cost = cost,
    .build = build,
};
