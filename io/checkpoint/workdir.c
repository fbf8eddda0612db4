/*
 * workdir.c - the folder in which a checkpoint is made, .tmp-ID
 *
 * Rank 0 makes it and the files in it, all open them, rank 0 removes it when
 * the save has failed.
 */
#include "io/checkpoint/checkpoint_priv.h"

#include "base/again.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "io/checkpoint/talk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

void rpt__workdir_name(struct rpt_checkpoint *c, const struct rpt_stamp *stamp)
{
    struct rpt_save *save = &c->save;
    char id[RPT_ID_BYTES];

    rpt__engine_lock(c->engine);
    save->stamp = *stamp;
    rpt__engine_unlock(c->engine);
    rpt__id_text(stamp->id, id);
    snprintf(save->folder, sizeof save->folder, ".tmp-%s", id);
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

rpt_status_t rpt__workdir_make(struct rpt_checkpoint *c, uint64_t iteration,
                               bool may_recycle)
{
    struct rpt_save *save = &c->save;
    struct rpt_stamp stamp = { 0, iteration, rpt__wall_s(), c->size };
    rpt_status_t status = check_iteration(c, iteration);

    if (status != RPT_OK || c->has_begun) {
        return status;
    }
    if (getrandom(&stamp.id, sizeof stamp.id, 0) != (ssize_t)sizeof stamp.id) {
        return rpt__fail_errno(RPT_ERR_SYSTEM, errno, "no random numbers");
    }
    rpt__workdir_name(c, &stamp);
    save->recycled = 0;
    if (save->is_local) {
        return RPT_OK;
    }
    return may_recycle && rpt__recycle_take(c)
               ? RPT_OK
               : rpt__dir_make(&c->dir, save->folder, false);
}

/* It may be there, of another layout. */
static rpt_status_t create_file(const struct rpt_dir *dir, const char *name,
                                uint64_t bytes)
{
    int fd = -1, error;
    rpt_status_t status = rpt__dir_remove(dir, name);

    if (status == RPT_OK) {
        status = rpt__dir_create(dir, name, &fd);
    }
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

    rpt__blocks_head(
        rpt__format_version(c->layout.datasets, c->layout.n_datasets),
        c->save.stamp.id, (uint32_t)c->size, c->layout.section_offsets,
        c->layout.section_bytes, &head);
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

rpt_status_t rpt__workdir_fill(const struct rpt_checkpoint *c)
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
    if (c->save.is_local) {
        return RPT_OK;
    }
    status = rpt__dir_open(&c->dir, c->save.folder, &dir);
    if (status != RPT_OK) {
        return status;
    }
    if (c->save.recycled == 0) {
        status = create_file(&dir, RPT_STATE_FILE, c->layout.file_bytes);
    }
    if (status == RPT_OK) {
        status = create_file(&dir, RPT_BLOCKS, c->layout.blocks_bytes);
    }
    if (status == RPT_OK) {
        status = write_head(c, &dir);
    }
    rpt__dir_close(&dir);
    return status;
}

rpt_status_t rpt__workdir_make_draft(struct rpt_checkpoint *c)
{
    struct rpt_save *save = &c->save;
    const struct rpt_map *map = rpt__comm_map(c->comm);
    struct rpt_manifest m = {
        .id = save->stamp.id,
        .task = c->task,
        .host = (char *)(uintptr_t)rpt__map_host_of(map,
                                                    rpt__comm_rank(c->comm)),
        .engine = (char *)(uintptr_t)c->save.engine,
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

/* Without a sync: it is gone when the folder gets its name, and a job that was
 * killed before has written it all the same. */
rpt_status_t rpt__workdir_draft(struct rpt_checkpoint *c)
{
    rpt_status_t status = rpt__workdir_make_draft(c);

    return status == RPT_OK ? rpt__dir_write(&c->save.dir, RPT_DRAFT,
                                             c->save.draft.data,
                                             c->save.draft.bytes)
                            : status;
}

rpt_status_t rpt__workdir_lost(const struct rpt_checkpoint *c)
{
    rpt__fail(RPT_ERR_IO, "this rank does not see %s/%s, which rank 0 has made",
              c->dir.path, c->save.folder);
    rpt__fail_hint("choose a directory that all nodes share");
    return RPT_ERR_IO;
}

rpt_status_t rpt__workdir_open(struct rpt_checkpoint *c)
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
    return status == RPT_ERR_NOT_FOUND ? rpt__workdir_lost(c) : status;
}

static rpt_status_t shut(const struct rpt_save *save, const char *name, int *fd)
{
    int gone = *fd;

    *fd = -1;
    /* EINTR: it is closed, here. */
    return gone < 0 || close(gone) == 0 || errno == EINTR
               ? RPT_OK
               : rpt__dir_fail(&save->dir, name, "write", errno, 0);
}

/* Where nothing is synced, NFS says here that the disk is full. */
rpt_status_t rpt__workdir_shut(struct rpt_save *save)
{
    struct rpt_target *target = &save->target;
    rpt_status_t status = shut(save, RPT_STATE_FILE, &target->state_fd);
    rpt_status_t other = shut(save, RPT_BLOCKS, &target->blocks_fd);

    return status == RPT_OK ? other : status;
}

void rpt__workdir_close(struct rpt_save *save)
{
    if (save->target.state_fd >= 0) {
        close(save->target.state_fd);
    }
    if (save->target.blocks_fd >= 0) {
        close(save->target.blocks_fd);
    }
    save->target.state_fd = save->target.blocks_fd = -1;
    rpt__dir_close(&save->dir);
}

void rpt__workdir_remove(const struct rpt_checkpoint *c)
{
    struct rpt_buf error = RPT_BUF_EMPTY;
    struct rpt_reader reader;

    rpt__error_pack(&error); /* removing may have something to say, too */
    if (rpt__dir_remove(&c->dir, c->save.folder) != RPT_OK) {
        rpt__log(RPT_LOG_WARN, "%s/%s was not removed: %s", c->dir.path,
                 c->save.folder, rpt_last_error()->why);
    }
    reader = rpt__reader(error.data, error.bytes);
    rpt__error_unpack(&reader);
    rpt__buf_free(&error);
}
