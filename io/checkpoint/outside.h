/*
 * outside.h - HDF5 opens the file of a checkpoint, in a process of its own
 */
#ifndef RPT_IO_CHECKPOINT_OUTSIDE_H
#define RPT_IO_CHECKPOINT_OUTSIDE_H

#include "base/options.h"
#include "io/checkpoint/format.h"

/* path: of the file, for messages; fd: the file, open for reading.
 *
 * RPT_ERR_CORRUPT: HDF5 cannot open it, or has crashed or taken too long; or
 * it has not just these datasets, or leads to other files.
 * RPT_ERR_UNSUPPORTED: there is no such program, or no HDF5.
 * RPT_ERR_SYSTEM, RPT_ERR_NOMEM. */
rpt_status_t rpt__check_outside(const char *path, int fd,
                                const struct rpt_manifest *manifest,
                                const rpt_options_t *options);

#endif /* RPT_IO_CHECKPOINT_OUTSIDE_H */
