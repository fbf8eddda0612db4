/*
 * scan.h - the ways to do a scan
 */
#ifndef RPT_COLLECTIVES_ALGORITHM_SCAN_SCAN_H
#define RPT_COLLECTIVES_ALGORITHM_SCAN_SCAN_H

#include "collectives/algorithm/algorithm.h"

extern const struct rpt_algorithm rpt__scan_staged, rpt__scan_doubling,
    rpt__scan_chain;

#endif /* RPT_COLLECTIVES_ALGORITHM_SCAN_SCAN_H */
