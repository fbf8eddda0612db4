/*
 * compact.c - many old files become one
 *
 *   1. the records that are kept are written aside, and synced
 *   2. the file is renamed to e00000000-r00000.rptj, the directory synced
 *   3. the files that it stands for are removed
 *
 * Its head names the epoch up to which it stands for all others.  So a crash
 * before 2 changes nothing, and after 2 the old files, present or not, are
 * left out by every reader.  The rename replaces an older compacted file,
 * whose records were read first.  Step 3 is done again by the next job.
 *
 * Cost: reads all old files, writes what is kept.
 */
#include "journal/journal.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/hash.h"
#include "journal/files_priv.h"
#include "journal/frame_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { CHUNK_BYTES = 1 << 20 };

struct compacting {
    const struct rpt_folder *folder;
    rpt_keep_fn keep;
    void *user;
    char aside[RPT_NAME_BYTES];
    int fd;
    uint64_t seed;
    uint64_t sequence;
    struct rpt_buf chunk;
};

static rpt_status_t write_chunk(struct compacting *c)
{
    int error = rpt__disk_write_all(c->fd, c->chunk.data, c->chunk.bytes);

    if (error != 0) {
        return rpt__disk_fail(c->folder, c->aside, "write", error,
                              c->chunk.bytes);
    }
    rpt__buf_clear(&c->chunk);
    return RPT_OK;
}

static rpt_status_t add_frame(struct compacting *c, uint32_t type,
                              const void *data, size_t bytes)
{
    struct rpt_frame frame = { type, (uint32_t)bytes, ++c->sequence };
    char *end = rpt__buf_reserve(&c->chunk, rpt__frame_bytes(bytes));

    if (end == NULL) {
        return rpt__buf_status(&c->chunk);
    }
    rpt__frame_put(end, &frame, data);
    c->chunk.bytes += rpt__frame_seal(end, c->seed);
    return c->chunk.bytes >= CHUNK_BYTES ? write_chunk(c) : RPT_OK;
}

static rpt_status_t copy_record(void *user, uint64_t epoch, int writer,
                                uint32_t type, const void *data, size_t bytes)
{
    struct compacting *c = user;

    return c->keep(c->user, epoch, writer, type, data, bytes)
               ? add_frame(c, type, data, bytes)
               : RPT_OK;
}

static rpt_status_t write_records(struct compacting *c, uint64_t epoch)
{
    struct rpt_file_head head = { .version = RPT_JOURNAL_VERSION,
                                  .covers = epoch };
    double now_s = rpt__wall_s();
    char bytes[RPT_FILE_HEAD];
    rpt_status_t status;

    head.seed = rpt__hash64(&now_s, sizeof now_s, epoch);
    c->seed = head.seed;
    rpt__file_head_pack(&head, bytes);
    rpt__buf_add(&c->chunk, bytes, sizeof bytes);
    status = rpt__journal_replay(c->folder->path, epoch, copy_record, c);
    if (status == RPT_OK) {
        uint64_t n_records = c->sequence;

        status = add_frame(c, RPT_TYPE_LAST, &n_records, sizeof n_records);
    }
    return status == RPT_OK ? write_chunk(c) : status;
}

static rpt_status_t write_aside(struct compacting *c, uint64_t epoch)
{
    rpt_status_t status;

    rpt__disk_aside_name(c->aside);
    c->fd = rpt__disk()->open(c->folder->fd, c->aside,
                              O_WRONLY | O_CREAT | O_EXCL);
    if (c->fd < 0) {
        return rpt__disk_fail(c->folder, c->aside, "create", errno, 1);
    }
    status = write_records(c, epoch);
    if (status == RPT_OK && rpt__disk()->sync(c->fd) != 0) {
        status = rpt__disk_fail(c->folder, c->aside, "sync", errno, 0);
    }
    close(c->fd);
    rpt__buf_free(&c->chunk);
    if (status != RPT_OK) {
        rpt__disk()->remove(c->folder->fd, c->aside);
    }
    return status;
}

static rpt_status_t put_in_place(const struct compacting *c)
{
    char name[RPT_NAME_BYTES];
    int error;

    rpt__journal_name(name, 0, 0);
    if (rpt__disk()->rename(c->folder->fd, c->aside, name) != 0) {
        error = errno;
        rpt__disk()->remove(c->folder->fd, c->aside);
        return rpt__disk_fail(c->folder, name, "replace", error, 0);
    }
    return rpt__disk_sync_dir(c->folder);
}

static void remove_covered(const struct rpt_folder *folder)
{
    struct rpt_files files = RPT_FILES_EMPTY;

    if (rpt__files_load(folder, &files) == RPT_OK) {
        rpt__files_sweep(folder, &files);
    }
    rpt__files_free(&files);
}

static rpt_status_t has_old_files(const struct rpt_folder *folder,
                                  uint64_t epoch, bool *has_out)
{
    struct rpt_files files = RPT_FILES_EMPTY;
    rpt_status_t status = rpt__files_load(folder, &files);

    *has_out = files.n_files > 0 && files.files[0].epoch < epoch;
    rpt__files_free(&files);
    return status;
}

rpt_status_t rpt__journal_compact(const char *path, uint64_t epoch,
                                  rpt_keep_fn keep, void *user)
{
    struct rpt_folder folder;
    struct compacting c = {
        .folder = &folder, .keep = keep, .user = user, .chunk = RPT_BUF_EMPTY
    };
    bool has_old = false;
    rpt_status_t status = rpt__folder_open(path, &folder);

    if (status != RPT_OK) {
        return status;
    }
    status = has_old_files(&folder, epoch, &has_old);
    if (status == RPT_OK && has_old) {
        status = write_aside(&c, epoch);
        if (status == RPT_OK) {
            status = put_in_place(&c);
        }
        if (status == RPT_OK) {
            remove_covered(&folder);
        }
    }
    rpt__folder_close(&folder);
    return status;
}
