/*
 * save_jobs.c - what the thread of a rank does for a save
 *
 * Every rank's writes its part; rank 0's commits, or removes, when it is known
 * how all have fared; and when the save is over, old ones go, before the next
 * is written.
 */
#include "io/checkpoint/checkpoint_priv.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"

#include <stdlib.h>

static rpt_status_t write_shared(struct rpt_checkpoint *c)
{
    struct rpt_save *save = &c->save;
    rpt_status_t status = RPT_OK;

    if (!save->is_collective) {
        status = rpt__workdir_open(c);
    }
    if (status == RPT_OK && c->rank == 0) {
        status = rpt__workdir_draft(c);
    }
    if (status == RPT_OK) {
        status = rpt__routes_seal(&c->routes, &save->dir, c->rank,
                                  save->target.syncs);
        save->target.n_files = (uint32_t)c->routes.n;
    }
    if (status == RPT_OK) {
        save->target.known = rpt__recycle_known(c);
        save->target.is_used = save->recycled != 0;
        free(save->words);
        save->words = rpt__stream_words(&c->layout);
        status = save->words != NULL ? RPT_OK : rpt__fail_nomem(8);
    }
    if (status == RPT_OK) {
        status = rpt__stream_write(&c->stream, &c->layout, c->rank,
                                   save->stamp.id, &save->target, save->words,
                                   &save->times);
    }
    if (status == RPT_OK) {
        status = rpt__workdir_shut(save);
    }
    return status;
}

rpt_status_t rpt__save_write(void *arg)
{
    struct rpt_checkpoint *c = arg;
    struct rpt_save *save = &c->save;
    rpt_status_t status = save->is_local ? rpt__level_write(c)
                                         : write_shared(c);

    /* The others have given up by themselves, and try again or go on. */
    if (status == RPT_OK && c->rank == 0 &&
        rpt__now_s() - save->began_s > rpt__save_patience(c)) {
        rpt__fail(RPT_ERR_TIMEOUT, "rank 0 did not finish its part within %g s",
                  rpt__save_patience(c));
        rpt__fail_hint("look what that rank did; io.checkpoint.deadline_s is "
                       "a third of the limit");
        status = RPT_ERR_TIMEOUT;
    }
    return status;
}

rpt_status_t rpt__save_remove(void *arg)
{
    struct rpt_checkpoint *c = arg;

    rpt__workdir_remove(c);
    rpt__event_add(&c->dir, "failure", c->save.stamp.id,
                   c->save.stamp.iteration, rpt__now_s() - c->save.began_s);
    return RPT_OK;
}

rpt_status_t rpt__save_commit(void *arg)
{
    struct rpt_checkpoint *c = arg;
    struct rpt_save *save = &c->save;
    rpt_status_t status;

    if (save->is_local) {
        return RPT_OK; /* all that it takes is there */
    }
    status = rpt__commit(&c->dir, save->folder, NULL);
    if (status == RPT_PENDING) {
        status = rpt__fail(RPT_ERR_INTERNAL, "%s/%s is not complete",
                           c->dir.path, save->folder);
    }
    if (status != RPT_OK) {
        rpt__save_remove(c);
        return status;
    }
    rpt__event_add(&c->dir, "commit", save->stamp.id, save->stamp.iteration,
                   rpt__now_s() - save->began_s);
    return RPT_OK;
}

/* ---- what is left for it ---- */

/* The save is over, and all know it: that an old one cannot be removed is no
 * failure of it. */
static rpt_status_t tidy_job(void *arg)
{
    struct rpt_checkpoint *c = arg;

    if (c->level.is_on) {
        rpt__level_tidy(c);
    }
    if (!c->save.retains) {
        return RPT_OK;
    }
    if (c->retention.spares) {
        rpt__recycle_drop(c);
    }
    if (rpt__retain(&c->dir, &c->retention) != RPT_OK) {
        rpt__log(RPT_LOG_WARN, "old checkpoints were not removed: %s (%s)",
                 rpt_last_error()->what, rpt_last_error()->why);
    }
    return RPT_OK;
}

static void choose_retention(struct rpt_checkpoint *c)
{
    uint64_t spare = c->retention.spare;

    c->retention = rpt__retention_of(c->options);
    c->retention.spare = spare;
    c->retention.verified = c->verified;
    c->retention.spares = rpt__recycle_is_on(c);
    /* It need not be the newest: one that could not be read may stand before
     * it. */
    c->retention.committed = c->save.stamp.id;
}

/* What rank 0 has left before is done: it has had a job since. */
void rpt__save_leave(struct rpt_checkpoint *c, rpt_status_t status)
{
    bool retains = c->rank == 0 && status >= 0 && !c->save.is_local;

    if (retains) {
        choose_retention(c);
    }
    if (retains || c->level.is_on) {
        if (c->rank == 0) {
            c->save.retains = retains;
        }
        c->save.has_rest = true;
        rpt__saver_add_rest(c->saver, tidy_job, c);
    }
}
