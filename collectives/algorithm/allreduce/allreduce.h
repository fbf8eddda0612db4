/*
 * allreduce.h - the ways to do an all-reduce
 */
#ifndef RPT_COLLECTIVES_ALGORITHM_ALLREDUCE_ALLREDUCE_H
#define RPT_COLLECTIVES_ALGORITHM_ALLREDUCE_ALLREDUCE_H

#include "collectives/algorithm/algorithm.h"

extern const struct rpt_algorithm rpt__allreduce_flat, rpt__allreduce_sliced,
    rpt__allreduce_doubling, rpt__allreduce_halving, rpt__allreduce_mixed,
    rpt__allreduce_circulant, rpt__allreduce_ring, rpt__allreduce_direct;
extern const struct rpt_algorithm rpt__allreduce_two_level;
extern const struct rpt_algorithm rpt__allreduce_multi_leader;
extern const struct rpt_algorithm rpt__allreduce_pulled;

/* What `pulled` builds where the outputs of others cannot be written. */
void rpt__allreduce_fetch(const struct rpt_case *c,
                          struct rpt_schedule *schedule);

#endif /* RPT_COLLECTIVES_ALGORITHM_ALLREDUCE_ALLREDUCE_H */
