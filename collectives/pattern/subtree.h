/*
 * subtree.h - blocks of a subtree of a binomial tree, one behind the other
 *
 * Ranks are counted from the root; the subtree of `mine` are the ranks from
 * there on.
 */
#ifndef RPT_COLLECTIVES_PATTERN_SUBTREE_H
#define RPT_COLLECTIVES_PATTERN_SUBTREE_H

#include "collectives/algorithm/algorithm.h"

/* Where the block of rank v (from the root) lies behind that of `mine`; v =
 * n_ranks: behind the last. */
static inline size_t rpt__subtree_slot(const struct rpt_case *c, int mine,
                                       int v)
{
    size_t offset = 0;

    for (int i = mine; i < v && c->counts != NULL; i++) {
        offset += rpt__packed(c, (i + c->root) % c->n_ranks).count;
    }
    return c->counts != NULL ? offset : (size_t)(v - mine) * c->count;
}

/* Behind the last rank of the subtree of `mine`, which has `mask` ranks where
 * there are as many. */
static inline int rpt__subtree_end(int p, int mine, int mask)
{
    return mine + mask < p ? mine + mask : p;
}

/* The lowest bit of `mine`, or the power of two that is not below p. */
static inline int rpt__subtree_mask(int p, int mine)
{
    int mask = 1;

    while (mask < p && (mine & mask) == 0) {
        mask *= 2;
    }
    return mask;
}

#endif /* RPT_COLLECTIVES_PATTERN_SUBTREE_H */
