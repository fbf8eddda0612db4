/*
 * epoch.c - one number a job, and what an old job may still say
 *
 * Every job that opens the directory makes the next epoch file.  Linking it
 * into place fails when the name exists, so two jobs never get the same number,
 * even on a file system without locks.  The file says how long each older
 * journal file was: what a forgotten process of an old job appends later is
 * beyond that length, and ignored.
 *
 *   repartir-epoch 1
 *   host node17
 *   pid 4242
 *   ranks 8
 *   time 1767225600.25
 *   file e00000002-r00000.rptj 104448
 *   sum 9c0bd43a0e5c2b1f
 *
 * The older files are synced before their length is noted: what a job read
 * when it began, it may build on.
 */
#include "journal/files_priv.h"

#include "base/error.h"
#include "base/hash.h"
#include "base/plain.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define VERSION_LINE "repartir-epoch "
enum { SUM_LINE = 21, FORMAT = 1 };

void rpt__epoch_name(char name_out[RPT_NAME_BYTES], uint64_t epoch)
{
    snprintf(name_out, RPT_NAME_BYTES, "epoch-%08" PRIu64, epoch);
}

static rpt_status_t damaged(const char *name, const char *why)
{
    rpt__fail(RPT_ERR_CORRUPT, "the epoch file %s is damaged", name);
    rpt__fail_why("%s", why);
    rpt__fail_hint("restore it from a copy; without it records that an old "
                   "job wrote too late would count");
    return RPT_ERR_CORRUPT;
}

static bool sum_is_right(const char *text, size_t bytes)
{
    char line[SUM_LINE + 1];

    if (bytes < SUM_LINE) {
        return false;
    }
    snprintf(line, sizeof line, "sum %016" PRIx64 "\n",
             rpt__hash64(text, bytes - SUM_LINE, 0));
    return memcmp(line, text + bytes - SUM_LINE, SUM_LINE) == 0;
}

/* Whether the line was known and well-formed; unknown ones are left to newer
 * programs. */
static bool read_line(const char *line, struct rpt_epoch *out,
                      rpt_epoch_file_fn fn, void *user)
{
    uint64_t epoch, bytes;
    int writer;

    if (strncmp(line, "host ", 5) == 0) {
        snprintf(out->host, sizeof out->host, "%s", line + 5);
        return true;
    }
    if (sscanf(line, "file e%19" SCNu64 "-r%9d.rptj %19" SCNu64, &epoch,
               &writer, &bytes) == 3) {
        if (fn != NULL) {
            fn(user, epoch, writer, bytes);
        }
        return true;
    }
    sscanf(line, "pid %9d", &out->pid);
    sscanf(line, "ranks %9d", &out->n_ranks);
    if (strncmp(line, "time ", 5) == 0) {
        out->start_s = rpt__plain_number(line + 5, NULL);
    }
    return strncmp(line, "file ", 5) != 0;
}

rpt_status_t rpt__epoch_parse(const char *name, char *text, size_t bytes,
                              struct rpt_epoch *epoch_out, rpt_epoch_file_fn fn,
                              void *user)
{
    struct rpt_epoch out = { "", 0, 0, 0 };
    char *rest = NULL, *line;
    int version;

    if (!sum_is_right(text, bytes)) {
        return damaged(name, "its checksum does not fit");
    }
    text[bytes - SUM_LINE] = '\0';
    line = strtok_r(text, "\n", &rest);
    if (line == NULL || sscanf(line, VERSION_LINE "%9d", &version) != 1) {
        return damaged(name, "it does not begin with " VERSION_LINE);
    }
    if (version > FORMAT) {
        rpt__fail(RPT_ERR_VERSION, "%s has format %d, this program knows %d",
                  name, version, FORMAT);
        rpt__fail_hint("use the version of repartir that wrote it");
        return RPT_ERR_VERSION;
    }
    while ((line = strtok_r(NULL, "\n", &rest)) != NULL) {
        if (!read_line(line, &out, fn, user)) {
            return damaged(name, line);
        }
    }
    *epoch_out = out;
    return RPT_OK;
}

rpt_status_t rpt__epoch_read(const struct rpt_folder *folder, uint64_t epoch,
                             struct rpt_epoch *epoch_out, rpt_epoch_file_fn fn,
                             void *user)
{
    struct rpt_buf text = RPT_BUF_EMPTY;
    char name[RPT_NAME_BYTES], where[4096];
    rpt_status_t status;

    rpt__epoch_name(name, epoch);
    status = rpt__disk_read_file(folder, name, &text);
    if (status == RPT_OK) {
        snprintf(where, sizeof where, "%s/%s", folder->path, name);
        status = rpt__epoch_parse(where, text.data, text.bytes, epoch_out, fn,
                                  user);
    }
    rpt__buf_free(&text);
    return status;
}

/* Syncs an older file and gives its length; no file, no length. */
static rpt_status_t settle(const struct rpt_folder *folder, const char *name,
                           bool sync, uint64_t *bytes_out)
{
    int fd = rpt__disk()->open(folder->fd, name, O_RDONLY);
    struct stat info;
    int error = 0;

    if (fd < 0 && errno == ENOENT) {
        *bytes_out = 0;
        return RPT_OK;
    }
    if (fd < 0) {
        return rpt__disk_fail(folder, name, "open", errno, 0);
    }
    /* In this order: all that is counted is on the disk. */
    if (fstat(fd, &info) != 0 || (sync && rpt__disk()->sync(fd) != 0)) {
        error = errno;
    }
    close(fd);
    if (error != 0) {
        return rpt__disk_fail(folder, name, "sync", error, 0);
    }
    *bytes_out = (uint64_t)info.st_size;
    return RPT_OK;
}

static rpt_status_t write_text(const struct rpt_folder *folder,
                               const struct rpt_epoch *self,
                               const struct rpt_files *files,
                               struct rpt_buf *text)
{
    char time[32];

    rpt__plain_print(time, sizeof time, "%.6f", self->start_s);
    rpt__buf_printf(text,
                    VERSION_LINE "%d\nhost %s\npid %d\nranks %d\ntime %s\n",
                    FORMAT, self->host, self->pid, self->n_ranks, time);
    for (size_t i = 0; i < files->n_files; i++) {
        const struct rpt_journal_file *file = &files->files[i];
        char name[RPT_NAME_BYTES];
        uint64_t bytes = 0;
        rpt_status_t status;

        if (file->epoch == 0 || file->epoch < files->covers) {
            continue;
        }
        rpt__journal_name(name, file->epoch, file->writer);
        status = settle(folder, name, file->named_in == 0, &bytes);
        if (status != RPT_OK) {
            return status;
        }
        rpt__buf_printf(text, "file %s %" PRIu64 "\n", name,
                        bytes < file->limit ? bytes : file->limit);
    }
    rpt__buf_printf(text, "sum %016" PRIx64 "\n",
                    rpt__hash64(text->data, text->bytes, 0));
    return rpt__buf_status(text);
}

static uint64_t next_epoch(const struct rpt_files *files)
{
    uint64_t next = files->covers > 0 ? files->covers : 1;

    if (files->n_epochs > 0 && files->epochs[files->n_epochs - 1] >= next) {
        next = files->epochs[files->n_epochs - 1] + 1;
    }
    if (files->n_files > 0 && files->files[files->n_files - 1].epoch >= next) {
        next = files->files[files->n_files - 1].epoch + 1;
    }
    return next;
}

/* One attempt.  RPT_END: another job was faster. */
static rpt_status_t try_to_take(const struct rpt_folder *folder,
                                const struct rpt_epoch *self,
                                uint64_t *epoch_out)
{
    struct rpt_files files = RPT_FILES_EMPTY;
    struct rpt_buf text = RPT_BUF_EMPTY;
    char aside[RPT_NAME_BYTES], name[RPT_NAME_BYTES];
    uint64_t epoch;
    rpt_status_t status = rpt__files_load(folder, &files);

    if (status == RPT_OK) {
        epoch = next_epoch(&files);
        status = write_text(folder, self, &files, &text);
    }
    if (status == RPT_OK) {
        status = rpt__disk_put_aside(folder, text.data, text.bytes, aside);
    }
    if (status == RPT_OK) {
        rpt__epoch_name(name, epoch);
        status = rpt__disk_claim(folder, aside, name);
    }
    if (status == RPT_OK) {
        *epoch_out = epoch;
    }
    rpt__buf_free(&text);
    rpt__files_free(&files);
    return status;
}

rpt_status_t rpt__epoch_take(const struct rpt_folder *folder,
                             const struct rpt_epoch *self, uint64_t *epoch_out)
{
    rpt_status_t status;

    do {
        status = try_to_take(folder, self, epoch_out);
    } while (status == RPT_END);
    return status;
}
