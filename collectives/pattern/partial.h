/*
 * partial.h - the first half of a circulant all-reduce: each rank has its block
 *
 * See allreduce/circulant.c.  Sums of blocks that go on are kept in scratch;
 * the rank's own block is summed into a place of its own.
 */
#ifndef RPT_COLLECTIVES_PATTERN_PARTIAL_H
#define RPT_COLLECTIVES_PATTERN_PARTIAL_H

#include "collectives/pattern/wrapped.h"

/* Blocks first to end - 1 from `own` on, as ranges of the input; gives their
 * number, at most n_ranks. */
typedef int (*rpt_pieces_fn)(const struct rpt_case *c, int own, int first,
                             int end, struct rpt_range ranges[]);

/* Uses scratch for twice the input: 0 to 2 count. */
void rpt__partial_build(const struct rpt_case *c, struct rpt_schedule *schedule,
                        rpt_pieces_fn pieces, size_t count,
                        struct rpt_place own_sum);

#endif /* RPT_COLLECTIVES_PATTERN_PARTIAL_H */
