/*
 * levels.h - all-reduce of p = f g h ... ranks in levels: commutative ops
 */
#ifndef RPT_COLLECTIVES_ALGORITHM_ALLREDUCE_LEVELS_H
#define RPT_COLLECTIVES_ALGORITHM_ALLREDUCE_LEVELS_H

#include "collectives/algorithm/allreduce/exchange.h"

enum { RPT_LEVELS_MAX = 33 };

/* How many ranks share a part out in each level; among those that are left the
 * sums are doubled (exchange.h). */
struct rpt_levels {
    int factors[RPT_LEVELS_MAX];
    int n, n_left;
};

/* The cheapest levels, with or without ranks that are left; INFINITY seconds
 * if there are none. */
struct rpt_levels rpt__levels_find(const struct rpt_case *c,
                                   const struct rpt_model *m, size_t bytes,
                                   bool leaves_some, double *cost_out);

void rpt__levels_build(const struct rpt_case *c, struct rpt_schedule *schedule,
                       const struct rpt_levels *levels);

#endif /* RPT_COLLECTIVES_ALGORITHM_ALLREDUCE_LEVELS_H */
