/*
 * solo.h - checkpoints of one writer: no group, no engine, no HDF5
 *
 * For a task of a pool that runs on one rank.  The folders are those of
 * checkpoint.h, with files of the writer and no datasets; a call does what it
 * says before it returns, in the thread that makes it.  A task has one writer
 * at a time; one that has not closed (or died) keeps all others out.
 */
#ifndef RPT_IO_CHECKPOINT_SOLO_H
#define RPT_IO_CHECKPOINT_SOLO_H

#include "base/buf.h"
#include "base/options.h"

#include <repartir/base.h>

#include <stdint.h>

struct rpt_solo;

/* The file that rpt__solo_save() writes. */
#define RPT_SOLO_STATE "state"

/* Opens the folder of a task, and finishes or removes what an earlier writer
 * left there.  options: `io.checkpoint.*`, not copied; host: of this process.
 * Where there is no room for the folder, each save tries again to make it.
 * RPT_ERR_BUSY: another writer has it; RPT_ERR_IO, RPT_ERR_INVALID,
 * RPT_ERR_NOMEM. */
rpt_status_t rpt__solo_open(const char *directory, const char *task,
                            const rpt_options_t *options, const char *host,
                            struct rpt_solo **solo_out);
/* NULL is ignored. */
void rpt__solo_close(struct rpt_solo *solo);

/* Finds the newest one that is whole, as rpt_checkpoint_restore() does.
 * What was damaged is put aside, and warned of.  RPT_END: there is none, and
 * never was; RPT_ERR_CORRUPT: there are some, but none is whole. */
rpt_status_t rpt__solo_restore(struct rpt_solo *solo, uint64_t *iteration_out);
/* Appends what rpt__solo_save() was given for the one that was restored. */
rpt_status_t rpt__solo_read(const struct rpt_solo *solo, struct rpt_buf *out);
/* The folder with its files, an absolute path; NULL: it has none. */
const char *rpt__solo_files(const struct rpt_solo *solo);

/* Saves bytes; they are on the disk when it returns.  After a failure those
 * before are as they were.  RPT_ERR_EXISTS: there is one of a higher
 * iteration. */
rpt_status_t rpt__solo_save(struct rpt_solo *solo, uint64_t iteration,
                            const void *data, size_t bytes);

/* A folder in that of the task, empty, for files that somebody else writes;
 * path_out: absolute, belongs to solo.  It goes when solo is closed.  As long
 * as there is no room for it, it is not there, which is warned of. */
rpt_status_t rpt__solo_scratch(struct rpt_solo *solo, const char **path_out);
/* Whether there is a whole file COMMIT in it, the iteration that it says, and
 * how long ago it was written, by the clocks of this host and of the disk;
 * is_over: nobody writes to it any more.  RPT_PENDING: there is none;
 * RPT_ERR_PARSE: it says no number; RPT_ERR_IO, RPT_ERR_INVALID: it must not be
 * read. */
rpt_status_t rpt__solo_wanted(struct rpt_solo *solo, bool is_over,
                              uint64_t *iteration_out, double *age_s_out);
/* Saves all other files in it, by moving them.  After that, and after a
 * failure, it is empty, and COMMIT is what went last. */
rpt_status_t rpt__solo_take(struct rpt_solo *solo, uint64_t iteration);
/* Removes what is there without saving it. */
void rpt__solo_reject(struct rpt_solo *solo);

/* Removes all that a task has saved; its folder too.  RPT_ERR_BUSY. */
rpt_status_t rpt__solo_remove(const char *directory, const char *task);

#endif /* RPT_IO_CHECKPOINT_SOLO_H */
