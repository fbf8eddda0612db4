/*
 * wrapped.h - blocks first to end - 1, counted from a rank's own, as messages
 *
 * Blocks lie in the order of the ranks, so a run of them may go over the end of
 * the vector: two messages.  Blocks of different sizes may lie anywhere, and on
 * each rank elsewhere: a message each.  Both sides count the same.
 */
#ifndef RPT_COLLECTIVES_PATTERN_WRAPPED_H
#define RPT_COLLECTIVES_PATTERN_WRAPPED_H

#include "collectives/algorithm/algorithm.h"

/* Gives their number, at most n_ranks. */
static inline int rpt__pieces(const struct rpt_case *c, int own, int first,
                              int end, struct rpt_range ranges[])
{
    int p = c->n_ranks, from = (own + first) % p, n = end - first;

    if (c->counts != NULL) {
        for (int i = 0; i < n; i++) {
            ranges[i] = rpt__block_of(c, (from + i) % p);
        }
        return n;
    }
    if (n <= 0) {
        return 0;
    }
    ranges[0] = (struct rpt_range){ (size_t)from * c->count,
                                    (size_t)(from + n <= p ? n : p - from) *
                                        c->count };
    if (from + n <= p) {
        return 1;
    }
    ranges[1] = (struct rpt_range){ 0, (size_t)(from + n - p) * c->count };
    return 2;
}

/* The same of a vector that is cut into a block for each rank: one or two. */
static inline int rpt__vector_pieces(const struct rpt_case *c, int own,
                                     int first, int end,
                                     struct rpt_range ranges[])
{
    int p = c->n_ranks, from = (own + first) % p, to = from + end - first;

    if (to <= p) {
        ranges[0] = rpt__blocks(c->count, p, from, to);
        return 1;
    }
    ranges[0] = rpt__blocks(c->count, p, from, p);
    ranges[1] = rpt__blocks(c->count, p, 0, to - p);
    return 2;
}

/* Distances of a circulant graph: p, ceil(p/2), ... 1; gives the number of
 * rounds, one less than there are. */
enum { RPT_SKIPS_MAX = 33 };
static inline int rpt__skips(int p, int skips[RPT_SKIPS_MAX])
{
    int n = 0;

    for (skips[0] = p; skips[n] > 1; n++) {
        skips[n + 1] = (skips[n] + 1) / 2;
    }
    return n;
}

#endif /* RPT_COLLECTIVES_PATTERN_WRAPPED_H */
