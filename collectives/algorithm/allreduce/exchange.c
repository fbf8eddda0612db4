/*
 * exchange.c - rounds of halving, of doubling, and back
 *
 * In round k of halving, a member and the one whose number differs in bit k
 * have the same part of the vector.  Each gives away half of it, and adds the
 * half that it keeps.
 *
 *      0: [a b c d] -> [a b] -> [a]     1: [a b c d] -> [c d] -> [c]
 *
 * Doubling, all are cut in two, and the halves again, until each member is
 * alone.  From there on backward, member i of the left half and member i of the
 * right one exchange their sums, and both add.  What the left half has more
 * gets its sums from the first of the right one, which send twice.
 *
 *      0 1 2 3 4  =  0 1 2 | 3 4       0 <-> 3   1 <-> 4   2 <- 3
 *                    0 1 | 2           0 <-> 2   1 <- 2
 *
 * Cost for n elements and p members: halve log2 p rounds and (p-1)/p n
 * elements, gather the same; double ceil(log2 p) rounds of n elements, the
 * least rounds for any p.  A member sends twice in one round at most: the first
 * of a right half stay in left halves, or equal ones, below.
 */
#include "collectives/algorithm/allreduce/exchange.h"

static struct rpt_place at(struct rpt_place place, size_t offset)
{
    place.offset += offset;
    return place;
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
        int other = m->mine ^ mask, peer = rpt__member_rank(m, other);
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

/* Of n members; as many of the first rounds as can be are among 2, 4, 8 ... of
 * them, which nodes and switches have too. */
static int left_half(int n)
{
    int power = n & -n; /* the largest that divides n */

    return power == n ? n / 2 : (n + power) / 2;
}

/* Both halves of n members from `first` on exchange their sums. */
static void exchange(struct rpt_exchange *x, const struct rpt_members *m,
                     int first, int n)
{
    int n_left = left_half(n), n_right = n - n_left, i = m->mine - first;
    bool is_left = i < n_left, is_more = is_left && i >= n_right;
    int other = is_more   ? n_left + i - n_right
                : is_left ? n_left + i
                          : i - n_left;
    struct rpt_place mine = at(x->mine, x->part.offset);
    size_t count = x->part.count;

    if (!is_more) {
        rpt__step_send(x->schedule, rpt__member_rank(m, first + other), mine,
                       count);
    }
    if (!is_left && other + n_right < n_left) {
        rpt__step_send(x->schedule,
                       rpt__member_rank(m, first + other + n_right), mine,
                       count);
    }
    rpt__step_recv(x->schedule, rpt__member_rank(m, first + other),
                   rpt__scratch(x->part.offset), count);
    rpt__step_flush(x->schedule, 0);
    rpt__exchange_reduce(x, rpt__member_rank(m, first + other));
}

static void double_among(struct rpt_exchange *x, const struct rpt_members *m,
                         int first, int n)
{
    int n_left = left_half(n);

    if (n == 1) {
        return;
    }
    if (m->mine < first + n_left) {
        double_among(x, m, first, n_left);
    } else {
        double_among(x, m, first + n_left, n - n_left);
    }
    exchange(x, m, first, n);
}

void rpt__exchange_double(struct rpt_exchange *x, const struct rpt_members *m)
{
    double_among(x, m, 0, m->n);
}

static int log2_up(int n)
{
    int rounds = 0;

    for (; n > 1; n -= n / 2) {
        rounds++;
    }
    return rounds;
}

/* A message beside another one counts as half of one.  Halves that differ have
 * other distances in either: between switches their messages share links. */
double rpt__exchange_double_cost(int n, int stride, const struct rpt_model *m,
                                 double bytes)
{
    int odd = n / (n & -n);
    double moved = log2_up(n);

    if (odd > 1) {
        moved += 1 + (rpt__share_links(n, stride) ? log2_up(odd) : 0);
    }
    return (log2_up(n) + (odd > 1 ? 0.5 : 0)) * m->message_s +
           bytes * (moved * m->byte_s + log2_up(n) * m->reduce_byte_s);
}

void rpt__exchange_gather(struct rpt_exchange *x, const struct rpt_members *m,
                          struct rpt_range whole)
{
    for (int mask = m->n / 2; mask > 0; mask /= 2) {
        int other = m->mine ^ mask, peer = rpt__member_rank(m, other);
        struct rpt_range theirs = rpt__exchange_kept(whole, other, 2 * mask);

        rpt__step_send(x->schedule, peer, rpt__output(x->part.offset),
                       x->part.count);
        rpt__step_recv(x->schedule, peer, rpt__output(theirs.offset),
                       theirs.count);
        x->part = rpt__exchange_kept(whole, m->mine, mask);
    }
}
