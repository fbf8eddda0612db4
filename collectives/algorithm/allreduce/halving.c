/*
 * halving.c - all-reduce by recursive halving and doubling (Rabenseifner)
 *
 * In round k a member and the one whose number differs in bit k share out the
 * part that both have: each gives away half and adds the half it keeps.  After
 * log2 p rounds each has the sum of one part; the same rounds backward bring
 * all parts to all.
 *
 *      0: [a b c d]  ->  [a b]  ->  [a]        1: [a b c d]  ->  [c d]  ->  [c]
 *
 * Cost for n elements on p = 2^k ranks: 2 log2 p rounds, 2 (p-1)/p n elements
 * sent and (p-1)/p n reductions on each rank (Rabenseifner 2004,
 * doi:10.1007/978-3-540-24685-5_1).  Neighbours are added first, in rank order:
 * any op.  Every element is summed once.
 */
#include "collectives/algorithm/allreduce/allreduce.h"
#include "collectives/algorithm/allreduce/grouped.h"

/* The largest power of 2 that is not above p. */
static int n_members(int p)
{
    int n = 1;

    while (n <= p / 2) {
        n *= 2;
    }
    return n;
}

static bool applies(const struct rpt_case *c)
{
    return c->n_ranks > 1 && c->count >= (size_t)c->n_ranks;
}

static double cost(const struct rpt_case *c, const struct rpt_model *m,
                   size_t bytes)
{
    double n = (double)c->count * (double)bytes, p = c->n_ranks;
    int members = n_members(c->n_ranks);
    double folded = members < c->n_ranks ? 2 : 0;
    int rounds = 0;

    while (members > 1) {
        members /= 2;
        rounds++;
    }
    return (2 * rounds + folded) * m->message_s +
           (2 * (p - 1) / p + folded) * n * m->byte_s + n * m->reduce_byte_s;
}

static void between(struct rpt_exchange *x, const struct rpt_members *m)
{
    struct rpt_range whole = x->part;

    rpt__exchange_halve(x, m);
    rpt__exchange_gather(x, m, whole);
}

static void build(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    rpt__allreduce_grouped(c, schedule, n_members(c->n_ranks), between);
}

const struct rpt_algorithm rpt__allreduce_halving = {
    .size = sizeof(struct rpt_algorithm),
    .name = "halving",
    .summary = "recursive halving and doubling: 2 log2 p rounds, any op",
    .applies = applies,
    .cost = cost,
    .build = build,
};
