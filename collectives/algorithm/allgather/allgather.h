/*
 * allgather.h - the ways to do an all-gather
 */
#ifndef RPT_COLLECTIVES_ALGORITHM_ALLGATHER_ALLGATHER_H
#define RPT_COLLECTIVES_ALGORITHM_ALLGATHER_ALLGATHER_H

#include "collectives/algorithm/algorithm.h"

extern const struct rpt_algorithm rpt__allgather_staged,
    rpt__allgather_circulant, rpt__allgather_ring;
extern const struct rpt_algorithm rpt__allgather_two_level;
extern const struct rpt_algorithm rpt__allgather_pulled;

#endif /* RPT_COLLECTIVES_ALGORITHM_ALLGATHER_ALLGATHER_H */
