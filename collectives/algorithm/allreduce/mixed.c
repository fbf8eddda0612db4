/*
 * mixed.c - all-reduce by halving in small groups, doubling between them
 *
 * Groups of b = 2^k neighbours share the vector out by halving.  Then the ranks
 * that have the same part in their groups add it by doubling, and the groups
 * put the vector together again.  Of all b from 2 to p/2 the cheapest is
 * taken: b = 1 would be doubling, and b = p halving.
 *
 *      p = 8, b = 2      0 1    2 3    4 5    6 7
 *      halve             a b    a b    a b    a b
 *      double, twice     0 <-> 2, 4 <-> 6 ...   0 <-> 4, 2 <-> 6 ...
 *      gather            a b    a b    a b    a b
 *
 * Cost for n elements and g = p/b groups: 2 log2 b + ceil(log2 g) rounds;
 * 2 (b-1)/b n + ceil(log2 g) n/b elements sent and (b-1)/b n + ceil(log2 g) n/b
 * reduced, where g is a power of two (Barnett et al. 1994, Interprocessor
 * Collective Communication Library, SHPCC; exchange.c for any g).  Where b does
 * not divide p, up to g - 1 groups have a rank more (grouped.c).  Neighbours
 * are added first, in rank order: any op.
 *
 * If op commutes, b may also be another divisor of p (levels.c).
 *
 * For what is too long for doubling and too short for halving, which is more of
 * it the more ranks there are.
 */
#include "collectives/algorithm/allreduce/allreduce.h"
#include "collectives/algorithm/allreduce/grouped.h"
#include "collectives/algorithm/allreduce/levels.h"

#include <math.h>

static bool applies(const struct rpt_case *c)
{
    return c->n_ranks >= 4;
}

/* In groups of b, of which some have one more. */
static double cost_in(const struct rpt_case *c, const struct rpt_model *m,
                      double bytes, int b)
{
    double given = (b - 1.0) / b * bytes, part = bytes / b;
    double halve = 0, hand_over = 0;

    for (int left = b; left > 1; left /= 2) {
        halve += m->message_s;
    }
    halve += given * m->byte_s;
    if (c->n_ranks % b > 0) { /* messages beside one: half of one each */
        hand_over = (b + 1) / 2.0 * m->message_s + bytes * m->byte_s;
    }
    /* At one switch both go on at once; of many ranks one after the other, as
     * seen in simulation. */
    if (c->n_ranks > RPT_SWITCH_PORTS) {
        halve += hand_over;
    }
    return 2 * fmax(halve, hand_over) + given * m->reduce_byte_s +
           rpt__exchange_double_cost(c->n_ranks / b, b, m, part);
}

/* The cheapest b, and what it costs. */
static int find_cheapest(const struct rpt_case *c, const struct rpt_model *m,
                         size_t bytes, double *cost_out)
{
    double n = (double)c->count * (double)bytes;
    int p = c->n_ranks, best = 2;

    *cost_out = cost_in(c, m, n, best);
    for (int b = 4; b <= p / 2; b *= 2) {
        double found = cost_in(c, m, n, b);

        if (p % b < p / b && found < *cost_out) {
            *cost_out = found;
            best = b;
        }
    }
    return best;
}

static double cost(const struct rpt_case *c, const struct rpt_model *m,
                   size_t bytes)
{
    double in_groups, in_levels = INFINITY;

    find_cheapest(c, m, bytes, &in_groups);
    if (c->commutative) {
        rpt__levels_find(c, m, bytes, true, &in_levels);
    }
    return fmin(in_groups, in_levels);
}

static void build(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    double in_groups, in_levels = INFINITY;
    int b = find_cheapest(c, c->model, c->element_bytes, &in_groups);
    struct rpt_levels levels = rpt__levels_find(c, c->model, c->element_bytes,
                                                true, &in_levels);

    if (c->commutative && in_levels < in_groups) {
        rpt__levels_build(c, schedule, &levels);
        return;
    }
    rpt__allreduce_grouped(c, schedule, c->n_ranks / b, rpt__exchange_double);
}

const struct rpt_algorithm rpt__allreduce_mixed = {
    .size = sizeof(struct rpt_algorithm),
    .name = "mixed",
    .summary = "halving in small groups, doubling between them: any op",
    .applies = applies,
    .cost = cost,
    .build = build,
};
