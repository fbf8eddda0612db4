/*
 * doubling.c - all-reduce by recursive doubling, for any number of ranks
 *
 * In each round ranks exchange all they have, and add: after k of them a rank
 * has the sum of up to 2^k neighbours.
 *
 *      0 <-> 1   2 <-> 3        0 <-> 2   1 <-> 3
 *
 * Cost for n elements: ceil(log2 p) rounds, in each a message received, n
 * elements and n reductions; as many are sent, and one more where p is no power
 * of two (Thakur, Rabenseifner, Gropp 2005, doi:10.1177/1094342005051521, for
 * p = 2^k; exchange.c for any).  Neighbours are added first, in rank order: any
 * op; and all ranks have the same brackets.
 *
 * For few bytes: each round moves the whole vector.
 */
#include "collectives/algorithm/allreduce/allreduce.h"
#include "collectives/algorithm/allreduce/grouped.h"

static bool applies(const struct rpt_case *c)
{
    return c->n_ranks > 1;
}

static double cost(const struct rpt_case *c, const struct rpt_model *m,
                   size_t bytes)
{
    return rpt__exchange_double_cost(c->n_ranks, 1, m,
                                     (double)c->count * (double)bytes);
}

static void build(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    rpt__allreduce_grouped(c, schedule, c->n_ranks, rpt__exchange_double);
}

const struct rpt_algorithm rpt__allreduce_doubling = {
    .size = sizeof(struct rpt_algorithm),
    .name = "doubling",
    .summary = "recursive doubling: ceil(log2 p) rounds of the whole vector",
    .applies = applies,
    .cost = cost,
    .build = build,
};
