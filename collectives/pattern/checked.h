/*
 * checked.h - all ranks have made the same call before any data moves
 *
 *      round 0    0 -> 1 -> 2 -> 3 -> 4 -> 0
 *      round 1    0 -> 2 -> 4 -> 1 -> 3 -> 0
 *      round 2    0 -> 4 -> 3 -> 2 -> 1 -> 0
 *
 * A dissemination: who has taken part in all rounds has heard of all ranks.
 * What is heard of a rank was first told by itself, and who hears of another
 * call than his own tells nothing more: so no rank begins.
 *
 * Cost: ceil(log2 p) rounds of one byte.
 */
#ifndef RPT_COLLECTIVES_PATTERN_CHECKED_H
#define RPT_COLLECTIVES_PATTERN_CHECKED_H

#include "collectives/algorithm/algorithm.h"

/* Puts that in front of a schedule. */
void rpt__checked(const struct rpt_case *c, struct rpt_schedule *schedule);

#endif /* RPT_COLLECTIVES_PATTERN_CHECKED_H */
