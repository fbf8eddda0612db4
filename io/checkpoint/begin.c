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

static rpt_status_t renew_layout(struct rpt_checkpoint *c)
{
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
    status = rpt__file_layout_make(c->group, &c->items, c->hdf5, &c->layout);
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
    return rpt__buf_status(&save->draft);
}

static rpt_status_t create_file(const struct rpt_dir *dir, const char *name,
                                uint64_t bytes)
{
    int fd = -1, result;
    rpt_status_t status = rpt__dir_create(dir, name, &fd);

    if (status != RPT_OK) {
        return status;
    }
    do {
        result = ftruncate(fd, (off_t)bytes);
    } while (result != 0 && errno == EINTR);
    if (result != 0) {
        status = rpt__dir_fail(dir, name, "extend", errno, bytes);
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

static rpt_status_t make_folder(struct rpt_checkpoint *c, uint64_t iteration)
{
    struct rpt_save *save = &c->save;
    struct rpt_stamp stamp = { 0, iteration, rpt__wall_s(), c->size };
    char id[RPT_ID_BYTES];
    struct rpt_dir dir;
    rpt_status_t status;

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
    if (getrandom(&stamp.id, sizeof stamp.id, 0) != (ssize_t)sizeof stamp.id) {
        return rpt__fail_errno(RPT_ERR_SYSTEM, errno, "no random numbers");
    }
    set_stamp(c, &stamp);
    rpt__id_text(stamp.id, id);
    snprintf(save->folder, sizeof save->folder, ".tmp-%s", id);
    status = rpt__dir_make(&c->dir, save->folder, false);
    if (status != RPT_OK) {
        return status;
    }
    status = rpt__dir_open(&c->dir, save->folder, &dir);
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

/* Collective. */
static rpt_status_t name_folder(struct rpt_checkpoint *c, uint64_t iteration,
                                const char *engine)
{
    struct rpt_save *save = &c->save;
    struct rpt_stamp stamp = { 0, iteration, 0, c->size };
    struct rpt_buf bytes = RPT_BUF_EMPTY;
    struct rpt_reader reader;
    rpt_status_t status = RPT_OK, told;

    if (c->rank == 0) {
        status = make_folder(c, iteration);
        if (status == RPT_OK) {
            status = write_draft(c, engine);
        }
        rpt__buf_u32(&bytes, (uint32_t)status);
        rpt__buf_u64(&bytes, save->stamp.id);
        rpt__buf_f64(&bytes, save->stamp.time_s);
        rpt__buf_str(&bytes, save->folder);
        if (status < 0) {
            rpt__error_pack(&bytes);
        }
        if (status != RPT_OK && save->folder[0] != '\0') {
            rpt__dir_remove(&c->dir, save->folder);
        }
    }
    told = rpt__talk_one(c->group, call, &bytes);
    if (told == RPT_OK && c->rank > 0) {
        reader = rpt__reader(bytes.data, bytes.bytes);
        status = (rpt_status_t)(int32_t)rpt__read_u32(&reader);
        stamp.id = rpt__read_u64(&reader);
        stamp.time_s = rpt__read_f64(&reader);
        set_stamp(c, &stamp);
        snprintf(save->folder, sizeof save->folder, "%s",
                 rpt__read_str(&reader));
        if (status < 0) {
            rpt__error_unpack(&reader);
        }
    }
    if (told == RPT_OK && c->rank == 0 && status < 0) {
        reader = rpt__reader(bytes.data, bytes.bytes);
        rpt__read_u32(&reader);
        rpt__read_u64(&reader);
        rpt__read_f64(&reader);
        rpt__read_str(&reader);
        rpt__error_unpack(&reader); /* what removing has said is no matter */
    }
    rpt__buf_free(&bytes);
    return told != RPT_OK ? told : status;
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
    return status == RPT_OK
               ? rpt__stream_take(&c->stream, &c->items, &c->layout, c->rank,
                                  &c->save.stamp)
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
        status = renew_layout(c);
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
        c->save.stamp.id = 0; /* a late word of the one before is not heard */
        if (!c->save.is_told) {
            rpt__log_rank0(RPT_LOG_WARN,
                           "the checkpoint of iteration %llu was not written",
                           (unsigned long long)c->save.stamp.iteration);
        }
        c->save.is_told = true;
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

rpt_status_t rpt__checkpoint_save(struct rpt_checkpoint *c, uint64_t iteration,
                                  bool waits)
{
    double began_s = rpt__now_s();
    int engine = 0;
    rpt_status_t status = finish_last(c), own;

    if (status != RPT_OK) {
        return status;
    }
    c->save.folder[0] = '\0';
    c->save.began_s = began_s;
    status = agree(c, iteration, &engine);
    if (status != RPT_OK) {
        set_phase(c, RPT_PHASE_IDLE);
        c->stats.n_failures++;
        return status;
    }
    own = copy_state(c);
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
