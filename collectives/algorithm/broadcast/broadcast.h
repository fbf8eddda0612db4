/*
 * broadcast.h - the ways to do a broadcast
 */
#ifndef RPT_COLLECTIVES_ALGORITHM_BROADCAST_BROADCAST_H
#define RPT_COLLECTIVES_ALGORITHM_BROADCAST_BROADCAST_H

#include "collectives/algorithm/algorithm.h"

extern const struct rpt_algorithm rpt__broadcast_staged,
    rpt__broadcast_binomial, rpt__broadcast_scattered;
extern const struct rpt_algorithm rpt__broadcast_two_level;
extern const struct rpt_algorithm rpt__broadcast_pulled;

#endif /* RPT_COLLECTIVES_ALGORITHM_BROADCAST_BROADCAST_H */
