/*
 * probe.h - two ranks find out what things cost between them
 */
#ifndef RPT_COLLECTIVES_SELECT_PROBE_H
#define RPT_COLLECTIVES_SELECT_PROBE_H

#include "collectives/select/numbers.h"
#include "comm/comm.h"

/* Where two ranks are. */
enum rpt_reach {
    RPT_REACH_NEAR,   /* on one node; in one domain, if it is divided */
    RPT_REACH_ACROSS, /* in two domains of a node                     */
    RPT_REACH_FAR,    /* on two nodes                                 */
    RPT_N_REACHES
};

/* Whether numbers are missing that two such ranks can tell. */
bool rpt__probe_is_missing(const struct rpt_numbers *numbers,
                           enum rpt_reach reach);

/* Collective over a group of two.  Blocking; without the lock.  Sets those that
 * are missing, to the same values on both.  A number for which there was no
 * quiet moment stays as it was, unless one insists. */
rpt_status_t rpt__probe(struct rpt_group *group, enum rpt_reach reach,
                        bool insists, struct rpt_numbers *numbers);

#endif /* RPT_COLLECTIVES_SELECT_PROBE_H */
