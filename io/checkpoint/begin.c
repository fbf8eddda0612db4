/*
 * begin.c - a save up to the moment when every rank has its copy
 *
 *   1  what is under way is finished
 *   2  rank 0 makes the folder and its files
 *   3  all compare: iteration, items; whether the layout must be made anew;
 *      rank 0 says which folder
 *   4  each rank copies its part
 *
 * What fails up to 3 is told to all there; from then on a rank that fails says
 * so as one that is done (save.c).
 *
 * Cost when nothing has changed: one exchange, a folder with two files, the
 * copy; and one exchange more where ranks copy for each other.
 */
#include "io/checkpoint/checkpoint_priv.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "io/checkpoint/collective.h"
#include "io/checkpoint/talk.h"
#include "io/hdf5/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char call[] = "rpt_checkpoint_save";

/* ---- 3: do all mean the same? ---- */

struct hello {
    uint64_t iteration;
    uint64_t items;
    uint64_t id;       /* of rank 0: the folder    */
    double time_s;     /* of rank 0                */
    uint64_t recycled; /* of rank 0: see recycle.c */
    uint64_t base;     /* of rank 0: see level.h   */
    int32_t status;
    uint16_t changed;
    uint16_t is_local; /* of rank 0 */
};

/* So many greet without memory of their own: who lacks it can say so. */
enum { FEW_RANKS = 64 };

static rpt_status_t measure_blobs(struct rpt_checkpoint *c)
{
    for (size_t i = 0; i < c->items.n; i++) {
        struct rpt_item *item = &c->items.list[i];
        uint64_t bytes = 0;
        rpt_status_t status;

        if (item->kind != RPT_ITEM_BLOB) {
            continue;
        }
        status = rpt__item_judge(item, "measure", "measured",
                                 item->blob.measure(item->blob.user, &bytes));
        if (status != RPT_OK) {
            return status;
        }
        c->items.changed |= bytes != item->blob_bytes;
        item->blob_bytes = bytes;
    }
    return RPT_OK;
}

static rpt_status_t compare(struct rpt_checkpoint *c, const struct hello *all)
{
    for (int r = 0; r < c->size; r++) {
        if (all[r].iteration != all[0].iteration) {
            rpt__fail(RPT_ERR_MISMATCH,
                      "ranks 0 and %d save iterations %llu and %llu", r,
                      (unsigned long long)all[0].iteration,
                      (unsigned long long)all[r].iteration);
            rpt__fail_hint("give the same iteration on all ranks");
            return RPT_ERR_MISMATCH;
        }
        if (all[r].items != all[0].items) {
            rpt__fail(RPT_ERR_MISMATCH, "ranks 0 and %d save different items",
                      r);
            rpt__fail_hint("add the same items in the same order, with the "
                           "same types and extents, on all ranks");
            return RPT_ERR_MISMATCH;
        }
    }
    if (all[0].iteration > INT64_MAX) {
        rpt__fail(RPT_ERR_OVERFLOW, "an iteration of %llu",
                  (unsigned long long)all[0].iteration);
        rpt__fail_why("JSON numbers end at %lld", (long long)INT64_MAX);
        return RPT_ERR_OVERFLOW;
    }
    return RPT_OK;
}

/* Collective.  own: how this rank has fared so far; rank 0 has made the folder.
 * changed_out: on any rank. */
static rpt_status_t greet(struct rpt_checkpoint *c, uint64_t iteration,
                          rpt_status_t own, bool *changed_out)
{
    struct hello few[FEW_RANKS];
    struct hello *all = c->size <= FEW_RANKS
                            ? few
                            : calloc((size_t)c->size, sizeof *all);
    struct hello mine = { iteration,
                          rpt__items_hash(&c->items),
                          c->save.stamp.id,
                          c->save.stamp.time_s,
                          c->save.recycled,
                          c->level.base,
                          (int32_t)own,
                          c->items.changed || !c->has_layout,
                          c->save.is_local };
    bool changed = false, failed = false;
    rpt_status_t status = RPT_OK;

    if (all == NULL) {
        return rpt__fail_nomem((size_t)c->size * sizeof *all);
    }
    status = rpt__talk_all(c->group, call, &mine, sizeof mine, all);
    for (int r = 0; status == RPT_OK && r < c->size; r++) {
        changed |= all[r].changed != 0;
        failed |= all[r].status < 0;
    }
    if (status == RPT_OK && failed) {
        status = rpt__talk_agree(c->group, call, own);
    }
    if (status == RPT_OK) {
        status = compare(c, all);
    }
    if (status == RPT_OK && c->rank > 0) {
        rpt__workdir_name(c, &(struct rpt_stamp){ all[0].id, iteration,
                                                  all[0].time_s, c->size });
        c->save.is_local = all[0].is_local != 0;
        c->level.base = all[0].base;
    }
    c->save.recycled = status == RPT_OK ? all[0].recycled : 0;
    if (all != few) {
        free(all);
    }
    *changed_out = changed;
    return status;
}

static rpt_status_t renew_layout(struct rpt_checkpoint *c, bool gathers)
{
    struct rpt_layout_wish wish = { .count = c->n_layouts++ };
    rpt_status_t status = RPT_OK;

    if (c->hdf5 == NULL && c->rank == 0) {
        status = rpt__hdf5_load(c->options, &c->hdf5);
    }
    status = rpt__talk_agree(c->group, call, status);
    if (status != RPT_OK) {
        return status;
    }
    rpt__file_layout_free(&c->layout);
    c->has_layout = false;
    wish.hdf5 = c->hdf5;
    wish.row_bytes = gathers ? rpt__option_size(c->options,
                                                RPT_OPT_IO_CHECKPOINT_ROW_BYTES)
                             : 0;
    wish.level = c->save.level;
    wish.gathers_chunks = wish.level > 0;
    wish.needs_zeros = c->level.is_on;
    status = rpt__file_layout_make(c->group, &c->items, &wish, &c->layout);
    if (status == RPT_OK) {
        c->has_layout = true;
        c->items.changed = false;
    }
    return status;
}

/* What was begun and comes to nothing. */
static void drop_folder(struct rpt_checkpoint *c)
{
    if (c->rank == 0 && c->save.folder[0] != '\0') {
        rpt__workdir_remove(c);
    }
    c->save.folder[0] = '\0';
    c->has_begun = false;
    rpt__routes_clear(&c->routes);
}

/* ---- the steps ---- */

static const char *const engines[] = { "direct", "collective", NULL };
static const char *const compressions[] = { "none", "deflate", NULL };

/* Whether what the options name is known and goes together; not whether it can
 * be used. */
rpt_status_t rpt__checkpoint_choices(const struct rpt_checkpoint *c)
{
    int engine = rpt__checkpoint_choice(c, RPT_OPT_IO_CHECKPOINT_ENGINE,
                                        engines);
    int how = rpt__checkpoint_choice(c, RPT_OPT_IO_CHECKPOINT_COMPRESS,
                                     compressions);

    if (engine < 0 || how < 0) {
        return RPT_ERR_INVALID;
    }
    if (how > 0 && engine == 1) {
        rpt__fail(RPT_ERR_UNSUPPORTED,
                  "io.checkpoint.engine=collective does not compress");
        rpt__fail_why("HDF5 writes compressed chunks by several ranks only "
                      "slowly, or not at all");
        rpt__fail_hint("use io.checkpoint.engine=direct, which does, or "
                       "io.checkpoint.compress=none");
        return RPT_ERR_UNSUPPORTED;
    }
    return RPT_OK;
}

static int level_of(const struct rpt_checkpoint *c)
{
    return rpt__checkpoint_choice(c, RPT_OPT_IO_CHECKPOINT_COMPRESS,
                                  compressions) > 0
               ? (int)rpt__option_integer(c->options,
                                          RPT_OPT_IO_CHECKPOINT_COMPRESS_LEVEL)
               : 0;
}

/* Step 2; with files when it is known how long they will be. */
static rpt_status_t make_folder(struct rpt_checkpoint *c, uint64_t iteration,
                                bool may_recycle)
{
    rpt_status_t status = RPT_OK;

    if (c->rank == 0) {
        c->save.is_local = rpt__level_chooses(c);
        status = rpt__workdir_make(c, iteration, may_recycle);
        if (status == RPT_OK && c->has_layout && !c->items.changed) {
            status = rpt__workdir_fill(c);
        }
    }
    return status;
}

/* The layout is another than it was: so are the files.  Collective. */
static rpt_status_t start_again(struct rpt_checkpoint *c, bool gathers)
{
    rpt_status_t status = renew_layout(c, gathers);

    c->save.recycled = 0;
    if (status == RPT_OK && c->rank == 0) {
        status = rpt__workdir_fill(c);
    }
    return rpt__talk_agree(c->group, call, status);
}

/* It would be committed without the files that were written for it. */
static rpt_status_t check_files(const struct rpt_checkpoint *c,
                                uint64_t iteration)
{
    if (c->has_begun || !c->wants_files || c->wanted != iteration) {
        return RPT_OK;
    }
    rpt__fail(RPT_ERR_STATE, "what was begun for iteration %llu is gone",
              (unsigned long long)iteration);
    rpt__fail_why("it came to nothing before, and so did its files");
    rpt__fail_hint("call rpt_checkpoint_begin() again, write the files, save");
    return RPT_ERR_STATE;
}

/* 2 and 3.  Collective; fails on all ranks or on none. */
static rpt_status_t agree(struct rpt_checkpoint *c, uint64_t iteration)
{
    int engine = rpt__checkpoint_choice(c, RPT_OPT_IO_CHECKPOINT_ENGINE,
                                        engines);
    rpt_status_t status = engine < 0 ? RPT_ERR_INVALID
                                     : check_files(c, iteration);
    bool changed = false;

    if (status == RPT_OK) {
        status = measure_blobs(c);
    }
    if (status == RPT_OK) {
        c->save.level = level_of(c);
        status = make_folder(c, iteration, engine == 0);
    }
    status = greet(c, iteration, status, &changed);
    if (status == RPT_OK) {
        c->save.is_collective = engine == 1 && !c->save.is_local;
        c->save.engine = engines[c->save.is_collective];
    }
    if (status == RPT_OK && changed) {
        status = start_again(c, engine == 0);
    }
    if (status == RPT_OK && c->save.is_collective) {
        status = rpt__collective_prepare(c);
    }
    return status;
}

/* Step 4.  Devices copy at the same time as we do. */
static rpt_status_t copy_state(struct rpt_checkpoint *c)
{
    uint64_t bytes = c->layout.stream_bytes;
    rpt_status_t status = rpt__ferries_find(
        &c->ferries, rpt__comm_options(c->comm), &c->items);

    if (status == RPT_OK) {
        rpt__ferries_reserve(c->ferries, &c->items, &c->stream, bytes);
        status = rpt__stream_reserve(&c->stream, bytes);
    }
    if (status == RPT_OK && c->ferries != NULL) {
        status = rpt__ferries_take(&c->items, &c->layout, &c->stream);
    }
    if (status == RPT_OK) {
        status = rpt__stream_take(&c->stream, &c->items, &c->layout,
                                  &c->save.stamp);
    }
    return rpt__ferries_finish(c->ferries, status);
}

static void set_phase(struct rpt_checkpoint *c, enum rpt_phase phase)
{
    rpt__engine_lock(c->engine);
    c->save.phase = phase;
    rpt__engine_unlock(c->engine);
}

/* The one before is over; a failure that nobody has asked about is told.  On
 * the nodes, who still tidied would take the files of the new one for lost
 * ones: all have done so before they meet. */
static rpt_status_t finish_last(struct rpt_checkpoint *c)
{
    rpt_status_t status;

    rpt__engine_lock(c->engine);
    status = c->level.is_on ? rpt__save_settle(c) : rpt__save_finish(c);
    if (status == RPT_OK) {
        c->save.phase = RPT_PHASE_BEGIN;
        if (!c->save.is_told) {
            rpt__log_rank0(RPT_LOG_WARN,
                           "the checkpoint of iteration %llu was not written",
                           (unsigned long long)c->save.stamp.iteration);
        }
        c->save.is_told = true;
        c->save.stamp.id = 0; /* no message is about the new one yet */
        c->save.verdict = RPT_OK;
    }
    rpt__engine_unlock(c->engine);
    return status;
}

/* What the program has lost by a save; the last ones count most. */
static void note_cost(struct rpt_checkpoint *c, double blocked_s)
{
    struct rpt_timing *t = &c->timing;

    rpt__engine_lock(c->engine);
    c->stats.blocked_s = blocked_s;
    t->cost_s = t->cost_s > 0 ? (t->cost_s + blocked_s) / 2 : blocked_s;
    t->spent_s += blocked_s;
    c->stats.interval_s = rpt__due_interval(c);
    rpt__engine_unlock(c->engine);
}

/* A failure that all ranks know. */
static rpt_status_t come_to_nothing(struct rpt_checkpoint *c,
                                    rpt_status_t status)
{
    drop_folder(c);
    set_phase(c, RPT_PHASE_IDLE);
    c->stats.n_failures++;
    return status;
}

static rpt_status_t begin(struct rpt_checkpoint *c, uint64_t iteration)
{
    bool changed;
    rpt_status_t status = c->has_begun ? RPT_OK : finish_last(c);

    if (status != RPT_OK) {
        return status;
    }
    if (!c->has_begun) {
        c->save.folder[0] = '\0';
        rpt__routes_clear(&c->routes);
    }
    c->save.is_local = false;
    if (c->rank == 0) {
        status = rpt__workdir_make(c, iteration, false);
    }
    status = greet(c, iteration, status, &changed);
    if (status != RPT_OK) {
        return come_to_nothing(c, status);
    }
    c->has_begun = c->wants_files = true;
    c->wanted = iteration;
    return RPT_OK;
}

rpt_status_t rpt__checkpoint_begin(struct rpt_checkpoint *c, uint64_t iteration)
{
    sigset_t before;
    rpt_status_t status;

    rpt__dir_begin(&before);
    status = begin(c, iteration);
    rpt__dir_end(&before);
    return status;
}

void rpt__checkpoint_abandon(struct rpt_checkpoint *c)
{
    c->wants_files = false;
    if (c->has_begun) {
        drop_folder(c);
        set_phase(c, RPT_PHASE_IDLE);
    }
}

/* From now on the next one is due as if this were over. */
static void note_begin(struct rpt_checkpoint *c, uint64_t iteration)
{
    rpt__engine_lock(c->engine);
    c->timing.last_iteration = iteration;
    c->timing.last_s = c->save.began_s;
    rpt__engine_unlock(c->engine);
}

static rpt_status_t save(struct rpt_checkpoint *c, uint64_t iteration,
                         bool waits)
{
    double began_s = rpt__now_s();
    rpt_status_t status = c->has_begun ? RPT_OK : finish_last(c), own;

    if (status != RPT_OK) {
        return status;
    }
    if (!c->has_begun) {
        c->save.folder[0] = '\0';
        rpt__routes_clear(&c->routes);
    }
    /* From here on the limits count: the save before had its own. */
    c->save.began_s = rpt__now_s();
    note_begin(c, iteration);
    status = agree(c, iteration);
    if (status != RPT_OK) {
        return come_to_nothing(c, status);
    }
    c->has_begun = false;
    own = copy_state(c);
    if (c->layout.meets) {
        own = rpt__talk_agree(c->group, call, own);
    }
    if (c->save.is_collective) {
        own = own == RPT_OK ? rpt__workdir_open(c) : own;
        own = rpt__collective_write(c, own);
    }
    if (c->save.is_local) {
        own = rpt__level_share(c, own);
    }
    rpt__engine_lock(c->engine);
    c->save.left_s = waits ? 0 : rpt__now_s();
    rpt__save_go(c, own);
    rpt__engine_unlock(c->engine);
    if (waits) {
        status = rpt__checkpoint_wait(c);
    }
    note_cost(c, rpt__now_s() - began_s);
    return status;
}

rpt_status_t rpt__checkpoint_save(struct rpt_checkpoint *c, uint64_t iteration,
                                  bool waits)
{
    sigset_t before;
    rpt_status_t status;

    rpt__dir_begin(&before);
    status = save(c, iteration, waits);
    rpt__dir_end(&before);
    return status;
}

/* ---- files of the program ---- */

static rpt_status_t check_name(const char *name)
{
    const char *why = rpt__name_check(name);

    if (why == NULL) {
        return RPT_OK;
    }
    rpt__fail(RPT_ERR_INVALID, "file \"%s\" of a checkpoint is not possible",
              name != NULL ? name : "");
    rpt__fail_why("%s", why);
    return RPT_ERR_INVALID;
}

static rpt_status_t path_of(const struct rpt_checkpoint *c, const char *folder,
                            const char *name, char **path_out)
{
    struct rpt_buf path = RPT_BUF_EMPTY;
    rpt_status_t status;

    rpt__buf_printf(&path, "%s/%s/" RPT_FILES "/%s", c->dir.path, folder, name);
    rpt__buf_u8(&path, 0);
    status = rpt__buf_status(&path);
    if (status != RPT_OK) {
        rpt__buf_free(&path);
        return status;
    }
    *path_out = path.data;
    return RPT_OK;
}

rpt_status_t rpt__checkpoint_route(struct rpt_checkpoint *c, const char *name,
                                   char **path_out)
{
    rpt_status_t status = check_name(name);
    struct rpt_dir folder;

    if (status == RPT_OK && !c->has_begun) {
        rpt__fail(RPT_ERR_STATE, "no checkpoint was begun");
        rpt__fail_hint("call rpt_checkpoint_begin() before you write files");
        return RPT_ERR_STATE;
    }
    if (status == RPT_OK) {
        status = rpt__dir_open(&c->dir, c->save.folder, &folder);
    }
    if (status == RPT_OK) {
        status = rpt__routes_add(&c->routes, &folder, name, c->rank);
        rpt__dir_close(&folder);
    }
    if (status == RPT_ERR_NOT_FOUND) {
        status = rpt__workdir_lost(c);
    }
    return status == RPT_OK ? path_of(c, c->save.folder, name, path_out)
                            : status;
}

rpt_status_t rpt__checkpoint_file(struct rpt_checkpoint *c, const char *name,
                                  char **path_out)
{
    rpt_status_t status = check_name(name);

    if (status == RPT_OK && c->restored[0] == '\0') {
        rpt__fail(RPT_ERR_STATE, "nothing was restored");
        rpt__fail_hint("call rpt_checkpoint_restore() first");
        return RPT_ERR_STATE;
    }
    for (size_t i = 0; status == RPT_OK && i < c->restored_manifest.n_files;
         i++) {
        if (strcmp(c->restored_manifest.files[i].name, name) == 0) {
            return path_of(c, c->restored, name, path_out);
        }
    }
    if (status == RPT_OK) {
        rpt__fail(RPT_ERR_NOT_FOUND, "the checkpoint has no file \"%s\"", name);
        rpt__fail_hint("ask for a name that was given to "
                       "rpt_checkpoint_route()");
        status = RPT_ERR_NOT_FOUND;
    }
    return status;
}
