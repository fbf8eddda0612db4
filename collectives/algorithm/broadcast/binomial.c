/*
 * binomial.c - broadcast on a binomial tree, in segments
 *
 *      0 -> 4      0 -> 2, 4 -> 6      0 -> 1, 2 -> 3, 4 -> 5, 6 -> 7
 *
 * Ranks are counted from the root.  Each segment goes down the tree in a lane
 * of its own, so that the next one is under way while this one is passed on.
 *
 * Cost for n elements: ceil(log2 p) rounds a segment, at most n ceil(log2 p)
 * elements sent by a rank.
 */
#include "collectives/algorithm/broadcast/broadcast.h"
#include "collectives/pattern/subtree.h"
#include "collectives/pattern/wrapped.h"

enum { WINDOW = 4 };

static bool applies(const struct rpt_case *c)
{
    return c->n_ranks > 1;
}

static double cost(const struct rpt_case *c, const struct rpt_model *m,
                   size_t bytes)
{
    int skips[RPT_SKIPS_MAX], rounds = rpt__skips(c->n_ranks, skips);

    return rounds *
           (m->message_s + (double)c->count * (double)bytes * m->byte_s);
}

static void build_lane(const struct rpt_case *c, struct rpt_schedule *schedule,
                       struct rpt_range part)
{
    int p = c->n_ranks, mine = rpt__modulo(c->rank - c->root, p);
    int mask = rpt__subtree_mask(p, mine);
    struct rpt_place place = mine == 0 ? rpt__input(part.offset)
                                       : rpt__output(part.offset);

    rpt__lane(schedule);
    if (mine != 0) {
        rpt__step_recv(schedule, (mine - mask + c->root) % p, place,
                       part.count);
    }
    while ((mask /= 2) > 0) {
        if (mine + mask < p) {
            rpt__step_send(schedule, (mine + mask + c->root) % p, place,
                           part.count);
        }
    }
}

static void build(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    schedule->window = WINDOW;
    for (size_t from = 0; from < c->count; from += c->segment) {
        build_lane(
            c, schedule,
            rpt__segment((struct rpt_range){ 0, c->count }, from, c->segment));
    }
}

const struct rpt_algorithm rpt__broadcast_binomial = {
    .size = sizeof(struct rpt_algorithm),
    .name = "binomial",
    .summary = "binomial tree in segments: ceil(log2 p) rounds",
    .in_rank_order = false,
    .applies = applies,
    .cost = cost,
    .build = build,
};
