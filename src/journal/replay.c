/*
 * replay.c - reads the records of a state directory
 *
 * A file is read through a window, frame by frame.  A frame that is not as it
 * was written is one of three things:
 *
 *   the end      no intact frame follows: a write that a killed job left
 *                unfinished.  The file ends there.
 *   the last     intact frames follow, but no MARK among them says that the
 *   batch        bad one was on the disk before: the machine stopped while the
 *                blocks of the last commit were on their way, in any order.
 *                Nobody was told that they are safe.  The file ends there,
 *                with a warning.
 *   corruption   a later MARK says that it was on the disk; or a sequence
 *                number is missing; or it is in a compacted file, which was
 *                whole when it got its name.  RPT_ERR_CORRUPT.
 *
 * Cost: every byte is read once, and hashed; the rest of a damaged file is
 * searched for frames, 8 bytes a step.
 */
#include "journal/journal.h"

#include "base/error.h"
#include "base/log.h"
#include "journal/files_priv.h"
#include "journal/frame_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WINDOW_BYTES ((size_t)1 << 20)

struct reading {
    const struct rpt_folder *folder;
    uint64_t before; /* epochs from here on are left out */
    rpt_replay_fn fn;
    void *user;
    bool delivered; /* fn was called            */
    bool gone;      /* the file at hand is gone */

    /* The file at hand. */
    char name[RPT_NAME_BYTES];
    uint64_t epoch;
    int writer;
    struct rpt_file_head head;
    int fd;
    uint64_t end; /* bytes that count */
    struct rpt_buf window;
    uint64_t window_start;
};

/* ---- bytes ---- */

/* Fills the window from `offset` on; what a shrinking file no longer has is
 * its new end. */
static rpt_status_t fill(struct reading *r, uint64_t offset, size_t bytes)
{
    size_t want = bytes > WINDOW_BYTES ? bytes : WINDOW_BYTES;

    want = want < r->end - offset ? want : (size_t)(r->end - offset);
    rpt__buf_clear(&r->window);
    r->window_start = offset;
    if (rpt__buf_reserve(&r->window, want) == NULL) {
        return rpt__buf_status(&r->window);
    }
    while (r->window.bytes < want) {
        ssize_t n = rpt__disk()->read(r->fd, r->window.data + r->window.bytes,
                                      want - r->window.bytes,
                                      offset + r->window.bytes);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return rpt__disk_fail(r->folder, r->name, "read", errno, 0);
        }
        if (n == 0) {
            r->end = offset + r->window.bytes;
            break;
        }
        r->window.bytes += (size_t)n;
    }
    return RPT_OK;
}

/* Gives `bytes` bytes at `offset`, valid until the next call; NULL when the
 * file ends before. */
static rpt_status_t bytes_at(struct reading *r, uint64_t offset, size_t bytes,
                             const char **data_out)
{
    rpt_status_t status;

    *data_out = NULL;
    if (offset > r->end || bytes > r->end - offset) {
        return RPT_OK;
    }
    if (offset < r->window_start ||
        offset + bytes > r->window_start + r->window.bytes) {
        status = fill(r, offset, bytes);
        if (status != RPT_OK) {
            return status;
        }
        if (bytes > r->window.bytes) {
            return RPT_OK;
        }
    }
    *data_out = r->window.data + (offset - r->window_start);
    return RPT_OK;
}

/* The frame at `offset`, NULL when there is none that is intact. */
static rpt_status_t frame_at(struct reading *r, uint64_t offset,
                             struct rpt_frame *frame, const char **data_out)
{
    rpt_status_t status = bytes_at(r, offset, RPT_FRAME_HEAD, data_out);

    if (status != RPT_OK || *data_out == NULL) {
        return status;
    }
    if (!rpt__frame_head(*data_out, r->head.seed, frame)) {
        *data_out = NULL;
        return RPT_OK;
    }
    status = bytes_at(r, offset, rpt__frame_bytes(frame->bytes), data_out);
    if (status == RPT_OK && *data_out != NULL &&
        !rpt__frame_intact(*data_out, r->head.seed)) {
        *data_out = NULL;
    }
    return status;
}

/* ---- damage ---- */

static rpt_status_t corrupt(const struct reading *r, uint64_t offset,
                            const char *why)
{
    rpt__fail(RPT_ERR_CORRUPT, "%s/%s is damaged at byte %" PRIu64,
              r->folder->path, r->name, offset);
    rpt__fail_why("%s", why);
    rpt__fail_hint("restore that file from a copy, or move it out of the "
                   "directory: what it records is then done again");
    return RPT_ERR_CORRUPT;
}

static bool is_own_number(const struct rpt_frame *frame, uint32_t type)
{
    return frame->type == type && frame->bytes == 8;
}

/* Decides what damage at `offset`, after frame number `sequence`, is. */
static rpt_status_t judge(struct reading *r, uint64_t offset, uint64_t sequence)
{
    uint64_t n_found = 0;
    uint64_t at = offset + 8;

    if (r->epoch == 0) {
        return corrupt(r, offset,
                       "a compacted file was whole when it got its "
                       "name");
    }
    while (at + RPT_FRAME_HEAD <= r->end) {
        struct rpt_frame frame;
        const char *data;
        rpt_status_t status = frame_at(r, at, &frame, &data);

        if (status != RPT_OK) {
            return status;
        }
        /* Older numbers: a record whose bytes are a copy of this file. */
        if (data == NULL || frame.sequence <= sequence) {
            at += 8;
            continue;
        }
        if (is_own_number(&frame, RPT_TYPE_MARK) &&
            rpt__frame_number(data) > offset) {
            return corrupt(r, offset,
                           "intact records follow that were written after "
                           "these bytes were safe on the disk");
        }
        n_found++;
        at += rpt__frame_bytes(frame.bytes);
    }
    if (n_found > 0) {
        rpt__log(RPT_LOG_WARN,
                 "%s/%s: the last commit was not finished: %" PRIu64
                 " records from byte %" PRIu64 " on are left out",
                 r->folder->path, r->name, n_found, offset);
    }
    return RPT_OK;
}

/* ---- one file ---- */

/* *has_head_out: false when a job was killed while it made the file. */
static rpt_status_t read_head(struct reading *r, bool *has_head_out)
{
    const char *data;
    rpt_status_t status = bytes_at(r, 0, RPT_FILE_HEAD, &data);

    if (status != RPT_OK) {
        return status;
    }
    if (data == NULL || !rpt__file_head_unpack(data, &r->head)) {
        return r->end <= RPT_FILE_HEAD && r->epoch > 0
                   ? RPT_OK
                   : corrupt(r, 0,
                             "its head is not what a journal begins "
                             "with");
    }
    if (r->head.version > RPT_JOURNAL_VERSION) {
        rpt__fail(RPT_ERR_VERSION,
                  "%s/%s has format %" PRIu32 ", this program knows %u",
                  r->folder->path, r->name, r->head.version,
                  RPT_JOURNAL_VERSION);
        rpt__fail_hint("use the version of repartir that wrote it");
        return RPT_ERR_VERSION;
    }
    if (r->head.epoch != r->epoch || r->head.writer != (uint32_t)r->writer) {
        return corrupt(r, 0,
                       "its head names another job or rank than its "
                       "name");
    }
    *has_head_out = true;
    return RPT_OK;
}

static rpt_status_t deliver(struct reading *r, const struct rpt_frame *frame,
                            const char *data)
{
    r->delivered = true;
    return r->fn(r->user, r->epoch, r->writer, frame->type,
                 data + RPT_FRAME_HEAD, frame->bytes);
}

static rpt_status_t read_frames(struct reading *r)
{
    uint64_t offset = RPT_FILE_HEAD, sequence = 0;
    bool ended = false;

    while (offset < r->end && !ended) {
        struct rpt_frame frame;
        const char *data;
        rpt_status_t status = frame_at(r, offset, &frame, &data);

        if (status != RPT_OK) {
            return status;
        }
        if (data == NULL) {
            return judge(r, offset, sequence);
        }
        if (frame.sequence != ++sequence) {
            return corrupt(r, offset,
                           "records before these bytes are "
                           "missing");
        }
        if (frame.type < RPT_TYPE_OWN) {
            status = deliver(r, &frame, data);
            if (status != RPT_OK) {
                return status;
            }
        }
        ended = r->epoch == 0 && is_own_number(&frame, RPT_TYPE_LAST) &&
                rpt__frame_number(data) == sequence - 1;
        offset += rpt__frame_bytes(frame.bytes);
    }
    if (r->epoch == 0 && !(ended && offset == r->end)) {
        return corrupt(r, offset,
                       "a compacted file was whole when it got its "
                       "name, and this one does not end there");
    }
    return RPT_OK;
}

static rpt_status_t vanished(struct reading *r)
{
    r->gone = true;
    rpt__fail(RPT_ERR_BUSY, "%s changed while it was read", r->folder->path);
    rpt__fail_why("a new job is compacting it");
    rpt__fail_hint("try again");
    return RPT_ERR_BUSY;
}

static rpt_status_t open_file(struct reading *r,
                              const struct rpt_journal_file *file)
{
    struct stat info;
    int error;

    rpt__journal_name(r->name, file->epoch, file->writer);
    r->epoch = file->epoch;
    r->writer = file->writer;
    r->window_start = 0;
    rpt__buf_clear(&r->window);
    r->fd = rpt__disk()->open(r->folder->fd, r->name, O_RDONLY);
    if (r->fd < 0) {
        return errno == ENOENT
                   ? vanished(r)
                   : rpt__disk_fail(r->folder, r->name, "open", errno, 0);
    }
    if (fstat(r->fd, &info) != 0) {
        error = errno;
        close(r->fd);
        return rpt__disk_fail(r->folder, r->name, "open", error, 0);
    }
    r->end = (uint64_t)info.st_size;
    r->end = r->end < file->limit ? r->end : file->limit;
    return RPT_OK;
}

static rpt_status_t read_file(struct reading *r,
                              const struct rpt_journal_file *file)
{
    bool has_head = false;
    rpt_status_t status = open_file(r, file);

    if (status != RPT_OK) {
        return status;
    }
    status = read_head(r, &has_head);
    if (status == RPT_OK && has_head) {
        status = read_frames(r);
    }
    close(r->fd);
    return status;
}

/* ---- all files ---- */

/* *again_out: the directory changed before anything was delivered. */
static rpt_status_t read_files(struct reading *r, bool *again_out)
{
    struct rpt_files files = RPT_FILES_EMPTY;
    rpt_status_t status = rpt__files_load(r->folder, &files);

    r->gone = false;
    for (size_t i = 0; status == RPT_OK && i < files.n_files; i++) {
        const struct rpt_journal_file *file = &files.files[i];
        bool covered = file->epoch > 0 && file->epoch < files.covers;

        if (covered || file->epoch >= r->before || file->limit == 0) {
            continue;
        }
        status = read_file(r, file);
        if (status == RPT_OK && file->epoch == 0) {
            /* It may be newer than the list. */
            files.covers = r->head.covers;
        }
    }
    rpt__files_free(&files);
    *again_out = r->gone && !r->delivered;
    return status;
}

rpt_status_t rpt__journal_replay(const char *path, uint64_t epoch,
                                 rpt_replay_fn fn, void *user)
{
    struct rpt_folder folder;
    struct reading r = { .folder = &folder,
                         .before = epoch,
                         .fn = fn,
                         .user = user,
                         .window = RPT_BUF_EMPTY };
    bool again = true;
    rpt_status_t status = rpt__folder_open(path, &folder);

    if (status != RPT_OK) {
        return status;
    }
    for (int i = 0; again && i < 100; i++) {
        status = read_files(&r, &again);
    }
    rpt__buf_free(&r.window);
    rpt__folder_close(&folder);
    return status;
}

uint64_t rpt__journal_bytes(const char *path, uint64_t epoch)
{
    struct rpt_files files = RPT_FILES_EMPTY;
    struct rpt_folder folder;
    struct stat info;
    uint64_t sum = 0;

    if (rpt__folder_open(path, &folder) != RPT_OK) {
        return 0;
    }
    if (rpt__files_load(&folder, &files) == RPT_OK) {
        for (size_t i = 0; i < files.n_files; i++) {
            const struct rpt_journal_file *file = &files.files[i];
            char name[RPT_NAME_BYTES];

            rpt__journal_name(name, file->epoch, file->writer);
            if (file->epoch < epoch &&
                fstatat(folder.fd, name, &info, 0) == 0) {
                sum += (uint64_t)info.st_size;
            }
        }
    }
    rpt__files_free(&files);
    rpt__folder_close(&folder);
    return sum;
}
