/*
 * barrier.h - the ways to do a barrier
 */
#ifndef RPT_COLLECTIVES_ALGORITHM_BARRIER_BARRIER_H
#define RPT_COLLECTIVES_ALGORITHM_BARRIER_BARRIER_H

#include "collectives/algorithm/algorithm.h"

extern const struct rpt_algorithm rpt__barrier_staged,
    rpt__barrier_dissemination;
extern const struct rpt_algorithm rpt__barrier_two_level;

#endif /* RPT_COLLECTIVES_ALGORITHM_BARRIER_BARRIER_H */
