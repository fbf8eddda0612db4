/*
 * scatter.h - the ways to do a scatter
 */
#ifndef RPT_COLLECTIVES_ALGORITHM_SCATTER_SCATTER_H
#define RPT_COLLECTIVES_ALGORITHM_SCATTER_SCATTER_H

#include "collectives/algorithm/algorithm.h"

extern const struct rpt_algorithm rpt__scatter_staged, rpt__scatter_binomial,
    rpt__scatter_linear;
extern const struct rpt_algorithm rpt__scatter_pulled;

#endif /* RPT_COLLECTIVES_ALGORITHM_SCATTER_SCATTER_H */
