/*
 * tell.h - who opens a checkpoint for somebody else, and counts what becomes of
 * it; apart from checkpoint.h for the pool, which has items and boxes of its
 * own
 */
#ifndef RPT_IO_CHECKPOINT_TELL_H
#define RPT_IO_CHECKPOINT_TELL_H

#include "base/options.h"
#include "comm/comm.h"

#include <repartir/checkpoint.h>

rpt_status_t rpt__checkpoint_open(struct rpt_group *group,
                                  const char *directory, const char *task,
                                  const rpt_options_t *options,
                                  struct rpt_checkpoint **checkpoint_out);

/* Somebody else counts: fn is called under the engine's lock, on each rank.
 * went_on_s: when the program went on from that state, by rpt__now_s(): before
 * the commit, when it was in the background. */
enum rpt_checkpoint_event {
    RPT_CHECKPOINT_RESTORED,
    RPT_CHECKPOINT_COMMITTED,
    RPT_CHECKPOINT_CLOSED /* the last one */
};
typedef void (*rpt_checkpoint_tell_fn)(void *user,
                                       enum rpt_checkpoint_event event,
                                       uint64_t iteration, double went_on_s);
/* NULL: nobody does any more. */
void rpt__checkpoint_tell(struct rpt_checkpoint *checkpoint,
                          rpt_checkpoint_tell_fn fn, void *user);

#endif /* RPT_IO_CHECKPOINT_TELL_H */
