/*
 * begin.c - a save up to the moment when every rank has its copy
 *
 *   1  what is under way is finished
 *   2  all compare: iteration, items; whether the layout must be made anew
 *   3  rank 0 makes the folder and its files, and says what it is called
 *   4  each rank opens the files and copies its part
 *
 * What fails up to 3 is told to all there; from then on a rank that fails says
 * so as one that is done (save.c).
 *
 * Cost when nothing has changed: two exchanges, a folder with three files, the
 * copy.
 */
#include "io/checkpoint/checkpoint_priv.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "io/checkpoint/collective.h"
#include "io/checkpoint/talk.h"
#include "io/hdf5/load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

static const char call[] = "rpt_checkpoint_save";

/* ---- 2: do all mean the same? ---- */

struct hello {
    uint64_t iteration;
    uint64_t items;
    int32_t status;
    uint32_t changed;
};

static rpt_status_t measure_blobs(struct rpt_checkpoint *c)
{
    for (size_t i = 0; i < c->items.n; i++) {
        struct rpt_item *item = &c->items.list[i];
        uint64_t bytes = 0;
        rpt_status_t status;

        if (item->kind != RPT_ITEM_BLOB) {
            continue;
        }
        status = item->blob.measure(item->blob.user, &bytes);
        if (status < 0) {
            rpt__fail(status, "blob \"%s\" was not measured", item->name);
            rpt__fail_why("its function measure() returned %s",
                          rpt_status_name(status));
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

/* Collective; changed_out: on any rank. */
static rpt_status_t greet(struct rpt_checkpoint *c, uint64_t iteration,
                          rpt_status_t own, bool *changed_out)
{
    struct hello *all = calloc((size_t)c->size, sizeof *all);
    struct hello mine = { iteration, rpt__items_hash(&c->items), (int32_t)own,
                          c->items.changed || !c->has_layout };
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
    free(all);
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
    status = rpt__file_layout_make(c->group, &c->items, &wish, &c->layout);
    if (status == RPT_OK) {
        c->has_layout = true;
        c->items.changed = false;
    }
    return status;
}

/* ---- 3: rank 0 makes the folder ---- */

static rpt_status_t write_draft(struct rpt_checkpoint *c, const char *engine)
{
    struct rpt_save *save = &c->save;
    const struct rpt_map *map = rpt__comm_map(c->comm);
    struct rpt_manifest m = {
        .id = save->stamp.id,
        .task = c->task,
        .host = (char *)(uintptr_t)rpt__map_host_of(map,
                                                    rpt__comm_rank(c->comm)),
        .engine = (char *)(uintptr_t)engine,
        .library = (char *)(uintptr_t)rpt_version_text(),
        .iteration = save->stamp.iteration,
        .time_s = save->stamp.time_s,
        .n_ranks = c->size,
        .file_bytes = c->layout.file_bytes,
        .datasets = c->layout.datasets,
        .n_datasets = c->layout.n_datasets,
        .blocks_bytes = c->layout.blocks_bytes,
    };

    rpt__buf_clear(&save->draft);
    rpt__manifest_write(&m, true, &save->draft);
    /* The manifest has a digest more. */
    if (save->draft.bytes > RPT_MANIFEST_BYTES_MAX - 1024) {
        rpt__fail(RPT_ERR_OVERFLOW, "a manifest of %zu bytes",
                  save->draft.bytes);
        rpt__fail_why("there may be %d", RPT_MANIFEST_BYTES_MAX);
        rpt__fail_hint("put several small items together into one");
        return RPT_ERR_OVERFLOW;
    }
    return rpt__buf_status(&save->draft);
}

static rpt_status_t create_file(const struct rpt_dir *dir, const char *name,
                                uint64_t bytes)
{
    int fd = -1, error;
    rpt_status_t status = rpt__dir_create(dir, name, &fd);

    if (status != RPT_OK) {
        return status;
    }
    error = rpt__truncate_file(fd, bytes);
    if (error != 0) {
        status = rpt__dir_fail(dir, name, "extend", error, bytes);
    }
    close(fd);
    return status;
}

/* The head of blocks.xxh says where the sections are. */
static rpt_status_t write_head(const struct rpt_checkpoint *c,
                               const struct rpt_dir *dir)
{
    struct rpt_buf head = RPT_BUF_EMPTY;
    int fd = -1, error = 0;
    rpt_status_t status;

    rpt__blocks_head(c->save.stamp.id, (uint32_t)c->size,
                     c->layout.section_offsets, c->layout.section_bytes, &head);
    status = rpt__buf_status(&head);
    if (status == RPT_OK) {
        status = rpt__dir_open_file(dir, RPT_BLOCKS, true, &fd);
    }
    if (status == RPT_OK) {
        error = rpt__write_at(fd, head.data, head.bytes, 0);
        close(fd);
    }
    if (error != 0) {
        status = rpt__dir_fail(dir, RPT_BLOCKS, "write", error, head.bytes);
    }
    rpt__buf_free(&head);
    return status;
}

/* From now on messages of this save are heard. */
static void set_stamp(struct rpt_checkpoint *c, const struct rpt_stamp *stamp)
{
    rpt__engine_lock(c->engine);
    c->save.stamp = *stamp;
    rpt__engine_unlock(c->engine);
}

static rpt_status_t check_iteration(const struct rpt_checkpoint *c,
                                    uint64_t iteration)
{
    if (c->has_begun && iteration != c->save.stamp.iteration) {
        rpt__fail(RPT_ERR_INVALID,
                  "iteration %llu was begun, and %llu is to be saved",
                  (unsigned long long)c->save.stamp.iteration,
                  (unsigned long long)iteration);
        rpt__fail_hint("give rpt_checkpoint_begin() and the save the same");
        return RPT_ERR_INVALID;
    }
    if (c->has_newest && iteration < c->newest) {
        rpt__fail(RPT_ERR_EXISTS,
                  "%s has a checkpoint of iteration %llu already, %llu would "
                  "never be restored",
                  c->dir.path, (unsigned long long)c->newest,
                  (unsigned long long)iteration);
        rpt__fail_hint("restore before you go on, or remove the old ones "
                       "(repartir ckpt rm), or use another task name");
        return RPT_ERR_EXISTS;
    }
    return RPT_OK;
}

static rpt_status_t make_folder(struct rpt_checkpoint *c, uint64_t iteration)
{
    struct rpt_save *save = &c->save;
    struct rpt_stamp stamp = { 0, iteration, rpt__wall_s(), c->size };
    char id[RPT_ID_BYTES];
    rpt_status_t status = check_iteration(c, iteration);

    if (status != RPT_OK || c->has_begun) {
        return status;
    }
    if (getrandom(&stamp.id, sizeof stamp.id, 0) != (ssize_t)sizeof stamp.id) {
        return rpt__fail_errno(RPT_ERR_SYSTEM, errno, "no random numbers");
    }
    set_stamp(c, &stamp);
    rpt__id_text(stamp.id, id);
    snprintf(save->folder, sizeof save->folder, ".tmp-%s", id);
    return rpt__dir_make(&c->dir, save->folder, false);
}

static rpt_status_t fill_folder(const struct rpt_checkpoint *c)
{
    struct rpt_dir dir;
    rpt_status_t status;

    if (c->layout.blocks_bytes > RPT_BLOCKS_BYTES_MAX) {
        rpt__fail(RPT_ERR_OVERFLOW, "a checkpoint with %llu bytes of checksums",
                  (unsigned long long)c->layout.blocks_bytes);
        rpt__fail_why("there may be %d", RPT_BLOCKS_BYTES_MAX);
        rpt__fail_hint("save the state as several tasks");
        return RPT_ERR_OVERFLOW;
    }
    status = rpt__dir_open(&c->dir, c->save.folder, &dir);

    if (status != RPT_OK) {
        return status;
    }
    status = create_file(&dir, RPT_STATE_FILE, c->layout.file_bytes);
    if (status == RPT_OK) {
        status = create_file(&dir, RPT_BLOCKS, c->layout.blocks_bytes);
    }
    if (status == RPT_OK) {
        status = write_head(c, &dir);
    }
    rpt__dir_close(&dir);
    return status;
}

/* Collective: what rank 0 has done, and for which folder. */
static rpt_status_t share_folder(struct rpt_checkpoint *c, uint64_t iteration,
                                 rpt_status_t status)
{
    struct rpt_save *save = &c->save;
    struct rpt_stamp stamp = { 0, iteration, 0, c->size };
    struct rpt_buf bytes = RPT_BUF_EMPTY;
    struct rpt_reader reader;
    rpt_status_t told;

    if (c->rank == 0) {
        rpt__buf_u32(&bytes, (uint32_t)status);
        rpt__buf_u64(&bytes, save->stamp.id);
        rpt__buf_f64(&bytes, save->stamp.time_s);
        rpt__buf_str(&bytes, save->folder);
        if (status < 0) {
            rpt__error_pack(&bytes);
        }
    }
    told = rpt__talk_one(c->group, call, &bytes);
    if (told == RPT_OK) {
        reader = rpt__reader(bytes.data, bytes.bytes);
        status = (rpt_status_t)(int32_t)rpt__read_u32(&reader);
        stamp.id = rpt__read_u64(&reader);
        stamp.time_s = rpt__read_f64(&reader);
        if (c->rank > 0) {
            set_stamp(c, &stamp);
            snprintf(save->folder, sizeof save->folder, "%s",
                     rpt__read_str(&reader));
        } else {
            rpt__read_str(&reader);
        }
        if (status < 0) {
            rpt__error_unpack(&reader);
        }
    }
    rpt__buf_free(&bytes);
    return told != RPT_OK ? told : status;
}

/* Collective. */
static rpt_status_t name_folder(struct rpt_checkpoint *c, uint64_t iteration,
                                const char *engine)
{
    rpt_status_t status = RPT_OK;

    if (c->rank == 0) {
        status = make_folder(c, iteration);
        if (status == RPT_OK) {
            status = fill_folder(c);
        }
        if (status == RPT_OK) {
            status = write_draft(c, engine);
        }
    }
    return share_folder(c, iteration, status);
}

/* What was begun and comes to nothing. */
static void drop_folder(struct rpt_checkpoint *c)
{
    if (c->rank == 0 && c->save.folder[0] != '\0' &&
        rpt__dir_remove(&c->dir, c->save.folder) != RPT_OK) {
        rpt__log(RPT_LOG_WARN, "%s/%s was not removed: %s", c->dir.path,
                 c->save.folder, rpt_last_error()->why);
    }
    c->save.folder[0] = '\0';
    c->has_begun = false;
    rpt__routes_clear(&c->routes);
}

/* ---- 4: this rank's copy ---- */

static rpt_status_t open_files(struct rpt_checkpoint *c)
{
    struct rpt_save *save = &c->save;
    rpt_status_t status = rpt__dir_open(&c->dir, save->folder, &save->dir);

    save->target.dir = &save->dir;
    save->target.syncs = rpt__option_switch(c->options,
                                            RPT_OPT_IO_CHECKPOINT_SYNC);
    save->target.is_written = false;
    if (status == RPT_OK) {
        status = rpt__dir_open_file(&save->dir, RPT_STATE_FILE, true,
                                    &save->target.state_fd);
    }
    if (status == RPT_OK) {
        status = rpt__dir_open_file(&save->dir, RPT_BLOCKS, true,
                                    &save->target.blocks_fd);
    }
    if (status == RPT_ERR_NOT_FOUND) {
        rpt__fail(RPT_ERR_IO,
                  "this rank does not see %s, which rank 0 has "
                  "made",
                  save->dir.path != NULL ? save->dir.path : save->folder);
        rpt__fail_hint("choose a directory that all nodes share");
        status = RPT_ERR_IO;
    }
    return status;
}

static rpt_status_t copy_state(struct rpt_checkpoint *c)
{
    rpt_status_t status = open_files(c);

    if (status == RPT_OK) {
        status = rpt__stream_reserve(&c->stream, c->layout.stream_bytes);
    }
    return status == RPT_OK ? rpt__stream_take(&c->stream, &c->items,
                                               &c->layout, &c->save.stamp)
                            : status;
}

static const char *const engines[] = { "direct", "collective", NULL };

/* 1 to 3.  Collective; fails on all ranks or on none. */
static rpt_status_t agree(struct rpt_checkpoint *c, uint64_t iteration,
                          int *engine_out)
{
    int engine = rpt__checkpoint_choice(c, RPT_OPT_IO_CHECKPOINT_ENGINE,
                                        engines);
    rpt_status_t status = engine < 0 ? RPT_ERR_INVALID : measure_blobs(c);
    bool changed = false;

    status = greet(c, iteration, status, &changed);
    if (status == RPT_OK && changed) {
        status = renew_layout(c, engine == 0);
    }
    if (status == RPT_OK && engine == 1) {
        status = rpt__collective_prepare(c);
    }
    if (status == RPT_OK) {
        status = name_folder(c, iteration, engines[engine]);
    }
    *engine_out = engine;
    return status;
}

static void set_phase(struct rpt_checkpoint *c, enum rpt_phase phase)
{
    rpt__engine_lock(c->engine);
    c->save.phase = phase;
    rpt__engine_unlock(c->engine);
}

/* The one before is over; a failure that nobody has asked about is told. */
static rpt_status_t finish_last(struct rpt_checkpoint *c)
{
    rpt_status_t status;

    rpt__engine_lock(c->engine);
    status = rpt__save_finish(c);
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
    struct rpt_buf error = RPT_BUF_EMPTY;
    struct rpt_reader reader;

    rpt__error_pack(&error); /* removing may have something to say, too */
    drop_folder(c);
    reader = rpt__reader(error.data, error.bytes);
    rpt__error_unpack(&reader);
    rpt__buf_free(&error);
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
    status = greet(c, iteration, RPT_OK, &changed);
    if (status == RPT_OK) {
        status = share_folder(
            c, iteration, c->rank == 0 ? make_folder(c, iteration) : RPT_OK);
    }
    if (status != RPT_OK) {
        return come_to_nothing(c, status);
    }
    c->has_begun = true;
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
    int engine = 0;
    rpt_status_t status = c->has_begun ? RPT_OK : finish_last(c), own;

    if (status != RPT_OK) {
        return status;
    }
    if (!c->has_begun) {
        c->save.folder[0] = '\0';
        rpt__routes_clear(&c->routes);
    }
    c->save.began_s = began_s;
    note_begin(c, iteration);
    status = agree(c, iteration, &engine);
    if (status != RPT_OK) {
        return come_to_nothing(c, status);
    }
    c->has_begun = false;
    own = copy_state(c);
    if (c->layout.meets) {
        own = rpt__talk_agree(c->group, call, own);
    }
    if (engine == 1) {
        own = rpt__collective_write(c, own);
    }
    rpt__engine_lock(c->engine);
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
