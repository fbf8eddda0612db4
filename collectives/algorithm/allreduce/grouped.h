/*
 * grouped.h - all-reduce of any number of ranks, in groups of neighbours
 */
#ifndef RPT_COLLECTIVES_ALGORITHM_ALLREDUCE_GROUPED_H
#define RPT_COLLECTIVES_ALGORITHM_ALLREDUCE_GROUPED_H

#include "collectives/algorithm/allreduce/exchange.h"

/* n_groups of p / n_groups = 2^k ranks each, some with one more.  Member i of
 * each group adds its part to those of the other members i in `between`. */
void rpt__allreduce_grouped(const struct rpt_case *c,
                            struct rpt_schedule *schedule, int n_groups,
                            void (*between)(struct rpt_exchange *x,
                                            const struct rpt_members *m));

#endif /* RPT_COLLECTIVES_ALGORITHM_ALLREDUCE_GROUPED_H */
