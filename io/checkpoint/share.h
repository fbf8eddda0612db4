/*
 * share.h - one checkpoint, opened and verified by all ranks of a group
 *
 * Rank 0 reads the manifest and the checksums, and gives them to the others;
 * then each rank reads its share of the data.
 */
#ifndef RPT_IO_CHECKPOINT_SHARE_H
#define RPT_IO_CHECKPOINT_SHARE_H

#include "comm/comm.h"
#include "io/checkpoint/commit.h"

/* Collective.  Folder `name` of a task, which rank 0 has opened; what others
 * give for it is not looked at.  A failure may be this rank's own: hand it to
 * rpt__verify_together().  RPT_END, on all ranks: rank 0 gave NULL. */
rpt_status_t rpt__opened_share(struct rpt_group *group, const char *call,
                               const struct rpt_dir *task, const char *name,
                               struct rpt_opened *opened);

/* Collective: whether all find it whole; own: why this rank cannot tell.
 * RPT_ERR_CORRUPT when one found damage, RPT_ERR_IO and others when one could
 * not read it. */
rpt_status_t rpt__verify_together(struct rpt_group *group, const char *call,
                                  const struct rpt_opened *opened,
                                  rpt_status_t own);

#endif /* RPT_IO_CHECKPOINT_SHARE_H */
