/*
 * talk.h - small agreements among the ranks of a checkpoint
 *
 * Collective, without the lock; each ends with an error after the library's
 * internal deadline.
 */
#ifndef RPT_IO_CHECKPOINT_TALK_H
#define RPT_IO_CHECKPOINT_TALK_H

#include "base/buf.h"
#include "comm/comm.h"

/* Every rank gives `bytes` bytes and gets those of all. */
rpt_status_t rpt__talk_all(struct rpt_group *group, const char *call,
                           const void *mine, size_t bytes, void *all_out);
/* What rank 0 has in `bytes`, others get there. */
rpt_status_t rpt__talk_one(struct rpt_group *group, const char *call,
                           struct rpt_buf *bytes);
/* The same from another rank. */
rpt_status_t rpt__talk_from(struct rpt_group *group, const char *call, int root,
                            struct rpt_buf *bytes);
/* What every rank has in `mine`, of any length, one after another; ends_out:
 * where that of each rank ends. */
rpt_status_t rpt__talk_collect(struct rpt_group *group, const char *call,
                               const struct rpt_buf *mine,
                               struct rpt_buf *all_out, uint64_t ends_out[]);
/* RPT_OK when `own` is that on all ranks; else, on all of them, the failure of
 * the lowest rank that has one, as last error. */
rpt_status_t rpt__talk_agree(struct rpt_group *group, const char *call,
                             rpt_status_t own);

/* The last error of this thread as bytes, and back. */
void rpt__error_pack(struct rpt_buf *out);
void rpt__error_unpack(struct rpt_reader *reader);

#endif /* RPT_IO_CHECKPOINT_TALK_H */
