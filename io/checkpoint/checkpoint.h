/*
 * checkpoint.h - the door of this folder: src/api/checkpoint.c checks arguments
 * and calls these
 *
 * All without the engine's lock; see <repartir/checkpoint.h> for what they do.
 */
#ifndef RPT_IO_CHECKPOINT_CHECKPOINT_H
#define RPT_IO_CHECKPOINT_CHECKPOINT_H

#include "base/options.h"
#include "comm/comm.h"
#include "io/checkpoint/item.h"
#include "io/checkpoint/tell.h"

#include <repartir/checkpoint.h>

void rpt__checkpoint_close(struct rpt_checkpoint *checkpoint);

struct rpt_items *rpt__checkpoint_items(struct rpt_checkpoint *checkpoint);

rpt_status_t rpt__checkpoint_due(struct rpt_checkpoint *checkpoint,
                                 uint64_t iteration, int *due_out);
rpt_status_t rpt__checkpoint_begin(struct rpt_checkpoint *checkpoint,
                                   uint64_t iteration);
rpt_status_t rpt__checkpoint_route(struct rpt_checkpoint *checkpoint,
                                   const char *name, char **path_out);
rpt_status_t rpt__checkpoint_file(struct rpt_checkpoint *checkpoint,
                                  const char *name, char **path_out);
/* waits: returns when it is committed. */
rpt_status_t rpt__checkpoint_save(struct rpt_checkpoint *checkpoint,
                                  uint64_t iteration, bool waits);
rpt_status_t rpt__checkpoint_test(struct rpt_checkpoint *checkpoint);
rpt_status_t rpt__checkpoint_wait(struct rpt_checkpoint *checkpoint);
rpt_status_t rpt__checkpoint_restore(struct rpt_checkpoint *checkpoint,
                                     uint64_t *iteration_out);
rpt_status_t
rpt__checkpoint_restored_path(const struct rpt_checkpoint *checkpoint,
                              char **path_out);
rpt_checkpoint_stats_t
rpt__checkpoint_stats(const struct rpt_checkpoint *checkpoint);

#endif /* RPT_IO_CHECKPOINT_CHECKPOINT_H */
