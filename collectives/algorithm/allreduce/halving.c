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
#include "collectives/algorithm/allreduce/paired.h"
#include "collectives/pattern/blocks.h"

enum { MAX_ROUNDS = 32 };

static bool applies(const struct rpt_case *c)
{
    return c->n_ranks > 1 && c->count >= (size_t)c->n_ranks;
}

static double cost(const struct rpt_case *c, const struct rpt_model *m,
                   size_t bytes)
{
    double n = (double)c->count * (double)bytes, p = c->n_ranks;
    struct rpt_fold fold = rpt__fold(c->n_ranks);
    double folded = fold.extra > 0 ? 2 : 0;
    int rounds = 0;

    while (fold.n_members > 1) {
        fold.n_members /= 2;
        rounds++;
    }
    return (2 * rounds + folded) * m->message_s +
           (2 * (p - 1) / p + folded) * n * m->byte_s + n * m->reduce_byte_s;
}

static void among(struct rpt_paired *p)
{
    size_t offset[MAX_ROUNDS], count[MAX_ROUNDS];
    size_t first = 0, n = p->c->count;
    int round = 0;

    for (int mask = 1; mask < p->fold.n_members; mask *= 2, round++) {
        int peer = rpt__fold_rank(p->fold, p->member ^ mask);
        struct rpt_range part = { first, n };
        struct rpt_range low = rpt__blocks_of(part, 2, 0);
        struct rpt_range high = rpt__blocks_of(part, 2, 1);
        bool keeps_low = (p->member & mask) == 0;
        struct rpt_range given = keeps_low ? high : low;
        struct rpt_place from = p->mine;

        offset[round] = first;
        count[round] = n;
        first = keeps_low ? low.offset : high.offset;
        n = keeps_low ? low.count : high.count;
        from.offset += given.offset;
        rpt__step_send(p->schedule, peer, from, given.count);
        rpt__step_recv(p->schedule, peer, rpt__scratch(first), n);
        rpt__paired_reduce(p, peer, first, n);
        p->mine = rpt__output(0);
    }
    rpt__step_flush(p->schedule, 0);
    while (round-- > 0) {
        int peer = rpt__fold_rank(p->fold, p->member ^ (1 << round));
        size_t other = offset[round] == first ? offset[round] + n
                                              : offset[round];

        rpt__step_send(p->schedule, peer, rpt__output(first), n);
        rpt__step_recv(p->schedule, peer, rpt__output(other), count[round] - n);
        first = offset[round];
        n = count[round];
    }
}

static void build(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    rpt__allreduce_paired(c, schedule, among);
}

const struct rpt_algorithm rpt__allreduce_halving = {
    .size = sizeof(struct rpt_algorithm),
    .name = "halving",
    .summary = "recursive halving and doubling: 2 log2 p rounds, any op",
    .applies = applies,
    .cost = cost,
    .build = build,
};
