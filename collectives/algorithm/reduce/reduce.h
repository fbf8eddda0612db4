/*
 * reduce.h - the ways to do a reduce
 */
#ifndef RPT_COLLECTIVES_ALGORITHM_REDUCE_REDUCE_H
#define RPT_COLLECTIVES_ALGORITHM_REDUCE_REDUCE_H

#include "collectives/algorithm/algorithm.h"

extern const struct rpt_algorithm rpt__reduce_staged, rpt__reduce_binomial,
    rpt__reduce_scattered, rpt__reduce_linear;
extern const struct rpt_algorithm rpt__reduce_two_level;
extern const struct rpt_algorithm rpt__reduce_pulled;

#endif /* RPT_COLLECTIVES_ALGORITHM_REDUCE_REDUCE_H */
