/*
 * checked.h - all ranks have made the same call before any data moves
 *
 *      up    0 <- 1   2 <- 3        0 <- 2
 *      down  0 -> 2                 0 -> 1   2 -> 3
 *
 * A message up a binomial tree says what all ranks of a subtree call; who hears
 * something else stops there, so that the root never hears of all and lets
 * nobody begin.  (With a dissemination some would begin.)
 *
 * Cost: 2 ceil(log2 p) rounds of one element.
 */
#ifndef RPT_COLLECTIVES_PATTERN_CHECKED_H
#define RPT_COLLECTIVES_PATTERN_CHECKED_H

#include "collectives/algorithm/algorithm.h"

/* Puts that in front of a schedule. */
void rpt__checked(const struct rpt_case *c, struct rpt_schedule *schedule);

#endif /* RPT_COLLECTIVES_PATTERN_CHECKED_H */
