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
#include "collectives/algorithm/allreduce/paired.h"

static bool applies(const struct rpt_case *c)
{
    return c->n_ranks > 1;
}

static double cost(const struct rpt_case *c, const struct rpt_model *m,
                   size_t bytes)
{
    double n = (double)c->count * (double)bytes;
    struct rpt_fold fold = rpt__fold(c->n_ranks);
    int rounds = fold.extra > 0 ? 2 : 0;

    while (fold.n_members > 1) {
        fold.n_members /= 2;
        rounds++;
    }
    return rounds * (m->message_s + n * (m->byte_s + m->reduce_byte_s));
}

static void among(struct rpt_paired *p)
{
    size_t count = p->c->count;

    for (int mask = 1; mask < p->fold.n_members; mask *= 2) {
        int peer = rpt__fold_rank(p->fold, p->member ^ mask);

        rpt__step_send(p->schedule, peer, p->mine, count);
        rpt__step_recv(p->schedule, peer, rpt__scratch(0), count);
        rpt__step_flush(p->schedule, 0);
        rpt__paired_reduce(p, peer, 0, count);
        p->mine = rpt__output(0);
    }
}

static void build(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    rpt__allreduce_paired(c, schedule, among);
}

const struct rpt_algorithm rpt__allreduce_doubling = {
    .size = sizeof(struct rpt_algorithm),
    .name = "doubling",
    .summary = "recursive doubling: log2 p rounds of the whole vector",
    .applies = applies,
    .cost = cost,
    .build = build,
};
