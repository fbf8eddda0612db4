/*
 * gather.h - the ways to do a gather
 */
#ifndef RPT_COLLECTIVES_ALGORITHM_GATHER_GATHER_H
#define RPT_COLLECTIVES_ALGORITHM_GATHER_GATHER_H

#include "collectives/algorithm/algorithm.h"

extern const struct rpt_algorithm rpt__gather_staged, rpt__gather_binomial,
    rpt__gather_linear;
extern const struct rpt_algorithm rpt__gather_pulled;

#endif /* RPT_COLLECTIVES_ALGORITHM_GATHER_GATHER_H */
