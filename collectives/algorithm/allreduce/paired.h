/*
 * paired.h - all-reduce among 2^k members, any number of ranks around them
 */
#ifndef RPT_COLLECTIVES_ALGORITHM_ALLREDUCE_PAIRED_H
#define RPT_COLLECTIVES_ALGORITHM_ALLREDUCE_PAIRED_H

#include "collectives/algorithm/algorithm.h"
#include "collectives/pattern/fold.h"

/* What a member works with: `mine` holds its part, input or output. */
struct rpt_paired {
    const struct rpt_case *c;
    struct rpt_schedule *schedule;
    struct rpt_fold fold;
    int member;
    struct rpt_place mine; /* offset 0; becomes the output once reduced */
};

/* Pairs hand their parts in, members do `among`, pairs get the result. */
void rpt__allreduce_paired(const struct rpt_case *c,
                           struct rpt_schedule *schedule,
                           void (*among)(struct rpt_paired *p));

/* output <- mine op scratch, in the order of the ranks; then mine is output. */
void rpt__paired_reduce(struct rpt_paired *p, int from_rank, size_t offset,
                        size_t count);

#endif /* RPT_COLLECTIVES_ALGORITHM_ALLREDUCE_PAIRED_H */
