/*
 * fetch.h - steps whose inputs are in private memory of other processes
 */
#ifndef RPT_COLLECTIVES_ENGINE_FETCH_H
#define RPT_COLLECTIVES_ENGINE_FETCH_H

#include "collectives/schedule.h"

struct rpt_run;

/* Takes the memory that the steps of a schedule need: none is taken later. */
rpt_status_t rpt__fetch_prepare(struct rpt_run *run,
                                const struct rpt_schedule *schedule);
void rpt__fetch_release(struct rpt_run *run);

/* COPY and REDUCE.  RPT_ERR_SYSTEM, and the group has failed: a buffer cannot
 * be read. */
rpt_status_t rpt__fetch_copy(struct rpt_run *run, const struct rpt_step *step);
rpt_status_t rpt__fetch_reduce(struct rpt_run *run,
                               const struct rpt_step *step);

#endif /* RPT_COLLECTIVES_ENGINE_FETCH_H */
