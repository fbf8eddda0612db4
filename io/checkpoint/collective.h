/*
 * collective.h - the engine in which all ranks call H5Dwrite together
 */
#ifndef RPT_IO_CHECKPOINT_COLLECTIVE_H
#define RPT_IO_CHECKPOINT_COLLECTIVE_H

#include "io/checkpoint/checkpoint_priv.h"

/* Collective: every rank has HDF5, and a communicator.  Fails on all. */
rpt_status_t rpt__collective_prepare(struct rpt_checkpoint *c);
void rpt__collective_release(struct rpt_checkpoint *c);

/* Collective: every rank's copy is taken, or `own` says why not; writes it.
 * From then on the thread reads back, compares and syncs. */
rpt_status_t rpt__collective_write(struct rpt_checkpoint *c, rpt_status_t own);

#endif /* RPT_IO_CHECKPOINT_COLLECTIVE_H */
