/*
 * alone.h - operations of one rank
 */
#ifndef RPT_COLLECTIVES_ALGORITHM_ALONE_H
#define RPT_COLLECTIVES_ALGORITHM_ALONE_H

#include "collectives/algorithm/algorithm.h"

extern const struct rpt_algorithm rpt__alone_vector, rpt__alone_gathered,
    rpt__alone_scattered, rpt__alone_nothing;

#endif /* RPT_COLLECTIVES_ALGORITHM_ALONE_H */
