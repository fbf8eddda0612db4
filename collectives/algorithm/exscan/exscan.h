/*
 * exscan.h - the ways to do an exclusive scan
 */
#ifndef RPT_COLLECTIVES_ALGORITHM_EXSCAN_EXSCAN_H
#define RPT_COLLECTIVES_ALGORITHM_EXSCAN_EXSCAN_H

#include "collectives/algorithm/algorithm.h"

extern const struct rpt_algorithm rpt__exscan_staged, rpt__exscan_doubling,
    rpt__exscan_chain;

#endif /* RPT_COLLECTIVES_ALGORITHM_EXSCAN_EXSCAN_H */
