/*
 * probe.h - two ranks find out what things cost between them
 */
#ifndef RPT_COLLECTIVES_SELECT_PROBE_H
#define RPT_COLLECTIVES_SELECT_PROBE_H

#include "collectives/select/numbers.h"
#include "comm/comm.h"

/* Whether numbers are missing that near ranks (far ones) can tell. */
bool rpt__probe_is_missing(const struct rpt_numbers *numbers, bool near);

/* Collective over a group of two.  Blocking; without the lock.  Sets those that
 * are missing, to the same values on both.  A number for which there was no
 * quiet moment stays as it was, unless one insists. */
rpt_status_t rpt__probe(struct rpt_group *group, bool near, bool insists,
                        struct rpt_numbers *numbers);

#endif /* RPT_COLLECTIVES_SELECT_PROBE_H */
