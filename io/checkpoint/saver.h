/*
 * saver.h - one thread of a rank that does what may take long
 *
 * It calls neither MPI nor HDF5.  One job at a time; who gave it looks whether
 * it is done, and is rung when it is.  What nobody waits for, such as removing
 * old files, is the rest of a job, and is done before the next one.
 */
#ifndef RPT_IO_CHECKPOINT_SAVER_H
#define RPT_IO_CHECKPOINT_SAVER_H

#include "base/buf.h"
#include "comm/engine.h"

#include <repartir/base.h>

struct rpt_saver;

/* Its failure is recorded as the thread's last error. */
typedef rpt_status_t (*rpt_job_fn)(void *arg);

/* Rings the engine when a job is done.  nice: how far it stands back behind the
 * other threads of the process. */
rpt_status_t rpt__saver_create(struct rpt_engine *engine, int rank, int n_ranks,
                               const char *host, int nice,
                               struct rpt_saver **saver_out);
/* Finishes what it has.  NULL is ignored. */
void rpt__saver_destroy(struct rpt_saver *saver);

/* It has none. */
void rpt__saver_start(struct rpt_saver *saver, rpt_job_fn job, void *arg);
/* Whether it has none, or that is done. */
bool rpt__saver_is_done(struct rpt_saver *saver);
/* There is no rest of another. */
void rpt__saver_add_rest(struct rpt_saver *saver, rpt_job_fn rest, void *arg);
/* Whether that is not done yet. */
bool rpt__saver_has_rest(struct rpt_saver *saver);
/* How the last one ended.  A failure: as rpt__error_pack() packs it, kept until
 * the next job. */
rpt_status_t rpt__saver_result(struct rpt_saver *saver,
                               const struct rpt_buf **error_out);

#endif /* RPT_IO_CHECKPOINT_SAVER_H */
