/*
 * scattered.c - broadcast as a scatter and an all-gather
 *
 * The root gives each rank one block of the vector, down a binomial tree; then
 * the blocks go round a ring.
 *
 * Cost for n elements: ceil(log2 p) + p - 1 rounds and 2 (p-1)/p n elements
 * sent by a rank, whatever p (Barnett et al. 1994, van de Geijn).
 *
 * For many bytes.
 */
#include "collectives/algorithm/broadcast/broadcast.h"
#include "collectives/pattern/subtree.h"
#include "collectives/pattern/wrapped.h"

static bool applies(const struct rpt_case *c)
{
    return c->n_ranks > 2 && c->count >= (size_t)c->n_ranks;
}

static double cost(const struct rpt_case *c, const struct rpt_model *m,
                   size_t bytes)
{
    int skips[RPT_SKIPS_MAX], p = c->n_ranks;
    double n = (double)c->count * (double)bytes;

    return (rpt__skips(p, skips) + p - 1) * m->message_s +
           2.0 * (p - 1) / p * n * m->byte_s;
}

/* Blocks are counted from the root's. */
static struct rpt_range blocks(const struct rpt_case *c, int first, int end)
{
    return rpt__blocks(c->count, c->n_ranks, first,
                       end < c->n_ranks ? end : c->n_ranks);
}

static void scatter(const struct rpt_case *c, struct rpt_schedule *schedule,
                    int mine)
{
    int p = c->n_ranks, mask = rpt__subtree_mask(p, mine);
    struct rpt_range part;

    if (mine != 0) {
        part = blocks(c, mine, mine + mask);
        rpt__step_recv(schedule, (mine - mask + c->root) % p,
                       rpt__output(part.offset), part.count);
    }
    while ((mask /= 2) > 0) {
        if (mine + mask < p) {
            part = blocks(c, mine + mask, mine + 2 * mask);
            rpt__step_send(schedule, (mine + mask + c->root) % p,
                           mine == 0 ? rpt__input(part.offset)
                                     : rpt__output(part.offset),
                           part.count);
        }
    }
}

/* Blocks that a rank has of the scatter are not sent to it again: its subtree's
 * blocks come from the left, but it has them.  They are received all the same
 * but by the root, so that all rounds are alike. */
static void gather(const struct rpt_case *c, struct rpt_schedule *schedule,
                   int mine)
{
    int p = c->n_ranks, right = (mine + 1) % p;

    for (int round = 0; round < p - 1; round++) {
        struct rpt_range out, in;
        int sent = rpt__modulo(mine - round, p);
        int got = rpt__modulo(mine - round - 1, p);

        out = blocks(c, sent, sent + 1);
        in = blocks(c, got, got + 1);
        if (right != 0) {
            rpt__step_send(schedule, (right + c->root) % p,
                           mine == 0 ? rpt__input(out.offset)
                                     : rpt__output(out.offset),
                           out.count);
        }
        if (mine != 0) {
            rpt__step_recv(schedule, rpt__modulo(c->rank - 1, p),
                           rpt__output(in.offset), in.count);
        }
    }
}

static void build(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    int mine = rpt__modulo(c->rank - c->root, c->n_ranks);

    scatter(c, schedule, mine);
    rpt__step_flush(schedule, 0);
    gather(c, schedule, mine);
}

const struct rpt_algorithm rpt__broadcast_scattered = {
    .size = sizeof(struct rpt_algorithm),
    .name = "scattered",
    .summary = "scatter and ring all-gather: for many bytes",
    .in_rank_order = false,
    .applies = applies,
    .cost = cost,
    .build = build,
};
