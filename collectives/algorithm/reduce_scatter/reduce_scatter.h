/*
 * reduce_scatter.h - the ways to do a reduce-scatter
 */
#ifndef RPT_COLLECTIVES_ALGORITHM_REDUCE_SCATTER_REDUCE_SCATTER_H
#define RPT_COLLECTIVES_ALGORITHM_REDUCE_SCATTER_REDUCE_SCATTER_H

#include "collectives/algorithm/algorithm.h"

extern const struct rpt_algorithm rpt__reduce_scatter_staged,
    rpt__reduce_scatter_circulant, rpt__reduce_scatter_direct;
extern const struct rpt_algorithm rpt__reduce_scatter_pulled;

#endif /* RPT_COLLECTIVES_ALGORITHM_REDUCE_SCATTER_REDUCE_SCATTER_H */
