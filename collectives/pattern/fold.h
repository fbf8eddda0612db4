/*
 * fold.h - p ranks become 2^k members
 *
 *   p = 6, extra = 2:   ranks    0 1 2 3 4 5
 *                       members    0   1 2 3
 *
 * The first 2 extra ranks are pairs, whose even rank hands its part to the odd
 * one and gets the result from it.  Neighbours stay neighbours.
 */
#ifndef RPT_COLLECTIVES_PATTERN_FOLD_H
#define RPT_COLLECTIVES_PATTERN_FOLD_H

struct rpt_fold {
    int n_members; /* the largest power of 2 that is not above p */
    int extra;     /* p - n_members                              */
};

static inline struct rpt_fold rpt__fold(int p)
{
    struct rpt_fold fold = { 1, 0 };

    while (fold.n_members <= p / 2) {
        fold.n_members *= 2;
    }
    fold.extra = p - fold.n_members;
    return fold;
}

/* -1: an even rank of a pair. */
static inline int rpt__fold_member(struct rpt_fold fold, int rank)
{
    if (rank >= 2 * fold.extra) {
        return rank - fold.extra;
    }
    return rank % 2 == 1 ? rank / 2 : -1;
}

static inline int rpt__fold_rank(struct rpt_fold fold, int member)
{
    return member < fold.extra ? 2 * member + 1 : member + fold.extra;
}

#endif /* RPT_COLLECTIVES_PATTERN_FOLD_H */
