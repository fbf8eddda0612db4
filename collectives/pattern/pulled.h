/*
 * pulled.h - collectives of one node without stages: all read the buffers
 *
 *      rank 0   in | a |           out <- in of 0 + in of 1
 *      rank 1   in | b |    met    out <- in of 0 + in of 1
 *
 * Only where every rank can read the buffers of the others.  The schedule
 * begins when all have met: from there on the inputs may be read.  It ends when
 * all who read this rank's buffers are known to be done.
 *
 * Cost: each byte is moved once; two flags beside the work.
 */
#ifndef RPT_COLLECTIVES_PATTERN_PULLED_H
#define RPT_COLLECTIVES_PATTERN_PULLED_H

#include "collectives/algorithm/algorithm.h"

bool rpt__pulled_applies(const struct rpt_case *c);

/* Flag `value` of all others. */
void rpt__pulled_wait_all(const struct rpt_case *c,
                          struct rpt_schedule *schedule, uint32_t value);

/* The last steps: this rank has read what it wants, flag `value`; the others
 * have, too.  Fills what the schedule says of its flags. */
void rpt__pulled_end(const struct rpt_case *c, struct rpt_schedule *schedule,
                     uint32_t value);

#endif /* RPT_COLLECTIVES_PATTERN_PULLED_H */
