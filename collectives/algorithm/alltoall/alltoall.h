/*
 * alltoall.h - the ways to do an all-to-all
 */
#ifndef RPT_COLLECTIVES_ALGORITHM_ALLTOALL_ALLTOALL_H
#define RPT_COLLECTIVES_ALGORITHM_ALLTOALL_ALLTOALL_H

#include "collectives/algorithm/algorithm.h"

extern const struct rpt_algorithm rpt__alltoall_staged, rpt__alltoall_pairwise,
    rpt__alltoall_bruck;
extern const struct rpt_algorithm rpt__alltoall_pulled;

#endif /* RPT_COLLECTIVES_ALGORITHM_ALLTOALL_ALLTOALL_H */
