/*
 * level.c - which save goes where
 *
 * The first save of a job, every k-th after it, one before the program stops,
 * one with files of the program, and the one after a local save that failed go
 * to the shared directory; all others stay on the nodes.  A local one counts
 * only on top of the shared one that it names as its base, as long as that is
 * the newest: so none of another history is ever restored.
 */
#include "io/checkpoint/level_priv.h"

#include "base/error.h"
#include "base/log.h"
#include "io/checkpoint/talk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char call[] = "rpt_checkpoint_open";

static uint64_t flush_every(const struct rpt_checkpoint *c)
{
    return (uint64_t)rpt__option_integer(c->options,
                                         RPT_OPT_IO_CHECKPOINT_FLUSH_EVERY);
}

/* ---- opening ---- */

/* The folder of the task on each node: other directories may have a task of
 * that name. */
static rpt_status_t name_task(struct rpt_checkpoint *c, struct rpt_buf *name)
{
    char *path = realpath(c->dir.path, NULL);

    if (path == NULL) {
        return rpt__dir_fail(&c->dir, "", "find the path of", errno, 0);
    }
    rpt__buf_printf(name, "%.100s-%016llx", c->task,
                    (unsigned long long)rpt__hash64(path, strlen(path), 0));
    rpt__buf_u8(name, 0);
    free(path);
    return rpt__buf_status(name);
}

static rpt_status_t share_name(struct rpt_checkpoint *c, rpt_status_t own)
{
    struct rpt_buf name = RPT_BUF_EMPTY;
    rpt_status_t status;

    if (own == RPT_OK && c->rank == 0) {
        own = name_task(c, &name);
    }
    status = rpt__talk_agree(c->group, call, own);
    if (status == RPT_OK) {
        status = rpt__talk_one(c->group, call, &name);
    }
    if (status == RPT_OK) {
        snprintf(c->level.task, sizeof c->level.task, "%s", name.data);
    }
    rpt__buf_free(&name);
    return status;
}

rpt_status_t rpt__level_open(struct rpt_checkpoint *c)
{
    static const char *const copies[] = { "none", "partner", "xor", NULL };
    struct rpt_levels *level = &c->level;
    int copy;
    rpt_status_t status;

    if (rpt__option_text(c->options, RPT_OPT_IO_CHECKPOINT_LOCAL_DIR)[0] ==
        '\0') {
        return RPT_OK;
    }
    copy = rpt__checkpoint_choice(c, RPT_OPT_IO_CHECKPOINT_LOCAL_COPY, copies);
    status = copy < 0 ? RPT_ERR_INVALID
                      : rpt__nodes_make(c->group, &level->nodes);
    status = share_name(c, status);
    if (status != RPT_OK) {
        return status;
    }
    level->copy = (enum rpt_level_copy)copy;
    level->is_on = true;
    if (c->rank == 0 && level->copy != RPT_LEVEL_COPY_NONE &&
        level->nodes.n < 2) {
        rpt__log(RPT_LOG_WARN,
                 "io.checkpoint.local_copy=%s keeps nothing: all ranks are on "
                 "one node",
                 copies[copy]);
    }
    return RPT_OK;
}

void rpt__level_close(struct rpt_checkpoint *c)
{
    const struct rpt_levels *level = &c->level;

    if (!level->is_on) {
        return;
    }
    if (level->n_kept == 0) {
        rpt__place_leave(c);
    } else if (c->rank == 0) {
        rpt__log(RPT_LOG_INFO,
                 "the newest checkpoint is in %s of each node (%s), for the "
                 "next job on these nodes",
                 rpt__option_text(c->options, RPT_OPT_IO_CHECKPOINT_LOCAL_DIR),
                 level->task);
    }
}

void rpt__level_free(struct rpt_checkpoint *c)
{
    rpt__level_drop_files(c);
    rpt__nodes_free(&c->level.nodes);
}

/* ---- each save ---- */

bool rpt__level_chooses(struct rpt_checkpoint *c)
{
    struct rpt_levels *level = &c->level;
    bool is_local;

    rpt__engine_lock(c->engine);
    is_local = level->is_on && level->base != 0 && !c->has_begun &&
               !level->stops && level->n_since + 1 < flush_every(c);
    level->saves_stop = level->stops;
    rpt__engine_unlock(c->engine);
    return is_local;
}

void rpt__level_stop(struct rpt_checkpoint *c)
{
    rpt__engine_lock(c->engine);
    c->level.stops = true;
    rpt__engine_unlock(c->engine);
}

void rpt__level_note(struct rpt_checkpoint *c, rpt_status_t status)
{
    struct rpt_levels *level = &c->level;
    uint64_t keep = (uint64_t)rpt__option_integer(
        c->options, RPT_OPT_IO_CHECKPOINT_LOCAL_KEEP);

    level->failed = status < 0 ? c->save.stamp.id : 0;
    if (status < 0 && c->save.is_local) {
        level->n_since = flush_every(c);
    } else if (status < 0) {
        level->base = 0; /* perhaps it is there: local ones would not count */
    }
    if (status < 0) {
        return;
    }
    if (!c->save.is_local) {
        level->base = c->save.stamp.id;
        level->n_since = 0;
        level->n_kept = 0;
        /* A stop that came meanwhile is for the next one. */
        level->stops = level->stops && !level->saves_stop;
        return;
    }
    level->n_since++;
    if (level->n_kept < keep) {
        level->n_kept++;
    }
    memmove(level->kept + 1, level->kept,
            (level->n_kept - 1) * sizeof level->kept[0]);
    level->kept[0] = c->save.stamp.id;
}
