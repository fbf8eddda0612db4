/*
 * exchange.c - rounds of halving, of doubling, and back
 *
 * In round k of these a member and the one whose number differs in bit k have
 * the same part of the vector.  Halving, each gives away half of it and adds the
 * half that it keeps; doubling, they exchange all of it and both add.
 *
 *      halve   0: [a b c d] -> [a b] -> [a]     1: [a b c d] -> [c d] -> [c]
 *
 * Cost for n elements and p = 2^k members: halve log2 p rounds and (p-1)/p n
 * elements, gather the same, double log2 p rounds of n elements.
 */
#include "collectives/algorithm/allreduce/exchange.h"

static struct rpt_place at(struct rpt_place place, size_t offset)
{
    place.offset += offset;
    return place;
}

static int rank_of(const struct rpt_members *m, int i)
{
    return m->first + i * m->stride + (i < m->extra ? i : m->extra);
}

struct rpt_range rpt__exchange_kept(struct rpt_range range, int i, int n)
{
    for (int mask = 1; mask < n; mask *= 2) {
        range = rpt__blocks_of(range, 2, (i & mask) != 0);
    }
    return range;
}

void rpt__exchange_reduce(struct rpt_exchange *x, int from_rank)
{
    size_t offset = x->part.offset;
    struct rpt_place both[2] = { at(x->mine, offset), rpt__scratch(offset) };

    if (from_rank < x->c->rank) {
        both[0] = rpt__scratch(offset);
        both[1] = at(x->mine, offset);
    }
    rpt__step_reduce(x->schedule, rpt__output(offset), both, 2, x->part.count);
    x->mine = rpt__output(0);
}

void rpt__exchange_halve(struct rpt_exchange *x, const struct rpt_members *m)
{
    struct rpt_range whole = x->part;

    for (int mask = 1; mask < m->n; mask *= 2) {
        int other = m->mine ^ mask, peer = rank_of(m, other);
        struct rpt_range given = rpt__exchange_kept(whole, other, 2 * mask);

        x->part = rpt__exchange_kept(whole, m->mine, 2 * mask);
        rpt__step_send(x->schedule, peer, at(x->mine, given.offset),
                       given.count);
        rpt__step_recv(x->schedule, peer, rpt__scratch(x->part.offset),
                       x->part.count);
        rpt__exchange_reduce(x, peer);
    }
    if (m->n > 1) {
        rpt__step_flush(x->schedule, 0); /* what was given away comes back */
    }
}

void rpt__exchange_double(struct rpt_exchange *x, const struct rpt_members *m)
{
    struct rpt_range part = x->part;

    for (int mask = 1; mask < m->n; mask *= 2) {
        int peer = rank_of(m, m->mine ^ mask);

        rpt__step_send(x->schedule, peer, at(x->mine, part.offset), part.count);
        rpt__step_recv(x->schedule, peer, rpt__scratch(part.offset),
                       part.count);
        rpt__step_flush(x->schedule, 0);
        rpt__exchange_reduce(x, peer);
    }
}

void rpt__exchange_gather(struct rpt_exchange *x, const struct rpt_members *m,
                          struct rpt_range whole)
{
    for (int mask = m->n / 2; mask > 0; mask /= 2) {
        int other = m->mine ^ mask, peer = rank_of(m, other);
        struct rpt_range theirs = rpt__exchange_kept(whole, other, 2 * mask);

        rpt__step_send(x->schedule, peer, rpt__output(x->part.offset),
                       x->part.count);
        rpt__step_recv(x->schedule, peer, rpt__output(theirs.offset),
                       theirs.count);
        x->part = rpt__exchange_kept(whole, m->mine, mask);
    }
}
