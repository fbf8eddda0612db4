/*
 * doubling.c - all-reduce by recursive doubling
 *
 * In round k a member exchanges all it has with the one whose number differs in
 * bit k, and both add.  After log2 p rounds all have the sum.
 *
 *      0 <-> 1   2 <-> 3        0 <-> 2   1 <-> 3
 *
 * Cost for n elements on p = 2^k ranks: log2 p rounds, a message and n elements
 * in each, n log2 p reductions (Thakur, Rabenseifner, Gropp 2005,
 * doi:10.1177/1094342005051521).  Neighbours are added first, in rank order:
 * any op; and all ranks have the same brackets.
 *
 * For few bytes: each round moves the whole vector.
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
    return c->n_ranks > 1;
}

static double cost(const struct rpt_case *c, const struct rpt_model *m,
                   size_t bytes)
{
    double n = (double)c->count * (double)bytes;
    int members = n_members(c->n_ranks);
    int rounds = members < c->n_ranks ? 2 : 0;

    while (members > 1) {
        members /= 2;
        rounds++;
    }
    return rounds * (m->message_s + n * (m->byte_s + m->reduce_byte_s));
}

static void build(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    rpt__allreduce_grouped(c, schedule, n_members(c->n_ranks),
                           rpt__exchange_double);
}

const struct rpt_algorithm rpt__allreduce_doubling = {
    .size = sizeof(struct rpt_algorithm),
    .name = "doubling",
    .summary = "recursive doubling: log2 p rounds of the whole vector",
    .applies = applies,
    .cost = cost,
    .build = build,
};
