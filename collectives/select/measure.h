/*
 * measure.h - finds out, once for a host, what things cost there
 */
#ifndef RPT_COLLECTIVES_SELECT_MEASURE_H
#define RPT_COLLECTIVES_SELECT_MEASURE_H

#include "comm/comm.h"

/* Collective over the world group of a context whose policy says that numbers
 * are missing; else returns at once.  All ranks then have the same numbers, and
 * rank 0 has kept them.  Blocking, some milliseconds; without the lock.  It
 * fails only when the ranks cannot talk to each other. */
rpt_status_t rpt__measure(struct rpt_group *world);

#endif /* RPT_COLLECTIVES_SELECT_MEASURE_H */
