/*
 * files.c - lists a state directory, and finds how much of each file counts
 *
 * A journal file counts up to the smallest length that any later epoch file
 * noted; one that a later epoch file does not mention was made too late and
 * counts for nothing.  The compacted file (epoch 0) is replaced in one step
 * and never appended to: it counts whole, and stands for all files of epochs
 * before the one that its head names.
 *
 * Cost: one pass over the names, and over the text of the epoch files.
 */
#include "journal/files_priv.h"

#include "base/clock.h"
#include "base/error.h"
#include "journal/frame_priv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void rpt__journal_name(char name_out[RPT_NAME_BYTES], uint64_t epoch,
                       int writer)
{
    snprintf(name_out, RPT_NAME_BYTES, "e%08" PRIu64 "-r%05d.rptj", epoch,
             writer);
}

void rpt__files_free(struct rpt_files *files)
{
    free(files->files);
    free(files->epochs);
    *files = (struct rpt_files)RPT_FILES_EMPTY;
}

/* ---- names ---- */

/* Only names that we would give ourselves: print what was read and compare. */
static bool is_journal(const char *name, struct rpt_journal_file *file_out)
{
    char again[RPT_NAME_BYTES];
    uint64_t epoch;
    int writer;

    if (sscanf(name, "e%19" SCNu64 "-r%9d.rptj", &epoch, &writer) != 2 ||
        writer < 0 || (epoch == 0 && writer != 0)) {
        return false;
    }
    rpt__journal_name(again, epoch, writer);
    *file_out = (struct rpt_journal_file){ epoch, writer, UINT64_MAX, 0 };
    return strcmp(name, again) == 0;
}

static bool is_epoch(const char *name, uint64_t *epoch_out)
{
    char again[RPT_NAME_BYTES];

    if (sscanf(name, "epoch-%19" SCNu64, epoch_out) != 1 || *epoch_out == 0) {
        return false;
    }
    rpt__epoch_name(again, *epoch_out);
    return strcmp(name, again) == 0;
}

static rpt_status_t add_name(const char *name, struct rpt_buf *files,
                             struct rpt_buf *epochs)
{
    struct rpt_journal_file file;
    uint64_t epoch;

    if (is_journal(name, &file)) {
        rpt__buf_add(files, &file, sizeof file);
        return rpt__buf_status(files);
    }
    if (is_epoch(name, &epoch)) {
        rpt__buf_add(epochs, &epoch, sizeof epoch);
        return rpt__buf_status(epochs);
    }
    return RPT_OK;
}

static int by_epoch_and_writer(const void *a, const void *b)
{
    const struct rpt_journal_file *x = a, *y = b;

    if (x->epoch != y->epoch) {
        return x->epoch < y->epoch ? -1 : 1;
    }
    return (x->writer > y->writer) - (x->writer < y->writer);
}

static int by_number(const void *a, const void *b)
{
    uint64_t x, y;

    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

static DIR *open_names(const struct rpt_folder *folder)
{
    int fd = openat(folder->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *names = fd >= 0 ? fdopendir(fd) : NULL;

    if (names == NULL && fd >= 0) {
        close(fd);
    }
    return names;
}

static rpt_status_t list(const struct rpt_folder *folder, struct rpt_files *out)
{
    struct rpt_buf files = RPT_BUF_EMPTY, epochs = RPT_BUF_EMPTY;
    DIR *names = open_names(folder);
    struct dirent *entry;
    rpt_status_t status = RPT_OK;

    if (names == NULL) {
        return rpt__disk_fail(folder, ".", "list", errno, 0);
    }
    while (status == RPT_OK && (errno = 0, entry = readdir(names)) != NULL) {
        status = add_name(entry->d_name, &files, &epochs);
    }
    if (status == RPT_OK && errno != 0) {
        status = rpt__disk_fail(folder, ".", "list", errno, 0);
    }
    closedir(names);
    if (status != RPT_OK) {
        rpt__buf_free(&files);
        rpt__buf_free(&epochs);
        return status;
    }
    out->files = (struct rpt_journal_file *)(void *)files.data;
    out->n_files = files.bytes / sizeof *out->files;
    out->epochs = (uint64_t *)(void *)epochs.data;
    out->n_epochs = epochs.bytes / sizeof *out->epochs;
    if (out->n_files > 0) {
        qsort(out->files, out->n_files, sizeof *out->files,
              by_epoch_and_writer);
    }
    if (out->n_epochs > 0) {
        qsort(out->epochs, out->n_epochs, sizeof *out->epochs, by_number);
    }
    return RPT_OK;
}

/* ---- limits ---- */

struct limiting {
    struct rpt_files *files;
    uint64_t epoch; /* whose epoch file is being read */
};

static void note_length(void *user, uint64_t epoch, int writer, uint64_t bytes)
{
    struct limiting *limiting = user;
    struct rpt_journal_file key = { epoch, writer, 0, 0 };
    struct rpt_journal_file *file = NULL;

    if (limiting->files->n_files > 0) {
        file = bsearch(&key, limiting->files->files, limiting->files->n_files,
                       sizeof key, by_epoch_and_writer);
    }
    if (file != NULL && epoch > 0 && epoch < limiting->epoch) {
        file->named_in = limiting->epoch;
        file->limit = bytes < file->limit ? bytes : file->limit;
    }
}

static rpt_status_t apply_epoch(const struct rpt_folder *folder,
                                struct rpt_files *files, uint64_t epoch)
{
    struct limiting limiting = { files, epoch };
    struct rpt_epoch ignored;
    rpt_status_t status = rpt__epoch_read(folder, epoch, &ignored, note_length,
                                          &limiting);

    for (size_t i = 0; status == RPT_OK && i < files->n_files; i++) {
        struct rpt_journal_file *file = &files->files[i];

        if (file->epoch > 0 && file->epoch < epoch && file->named_in != epoch) {
            file->limit = 0;
        }
    }
    return status;
}

/* What the compacted file covers; nothing when there is none, or when its head
 * is bad, which reading it will tell. */
static rpt_status_t read_covers(const struct rpt_folder *folder,
                                struct rpt_files *files)
{
    char name[RPT_NAME_BYTES], bytes[RPT_FILE_HEAD];
    struct rpt_file_head head;
    ssize_t n;
    int fd;

    if (files->n_files == 0 || files->files[0].epoch != 0) {
        return RPT_OK;
    }
    rpt__journal_name(name, 0, 0);
    fd = rpt__disk()->open(folder->fd, name, O_RDONLY);
    if (fd < 0) {
        return rpt__disk_fail(folder, name, "open", errno, 0);
    }
    n = rpt__disk()->read(fd, bytes, sizeof bytes, 0);
    if (n < 0) {
        rpt__disk_fail(folder, name, "read", errno, 0);
    } else if (n == (ssize_t)sizeof bytes &&
               rpt__file_head_unpack(bytes, &head)) {
        files->covers = head.covers;
    }
    close(fd);
    return n < 0 ? RPT_ERR_IO : RPT_OK;
}

/* RPT_END: a file vanished, because a new job compacted the directory. */
static rpt_status_t try_to_load(const struct rpt_folder *folder,
                                struct rpt_files *files)
{
    rpt_status_t status = list(folder, files);

    if (status == RPT_OK) {
        status = read_covers(folder, files);
    }
    for (size_t i = 0; status == RPT_OK && i < files->n_epochs; i++) {
        /* Older ones only mention what the compacted file stands for. */
        if (files->epochs[i] > files->covers) {
            status = apply_epoch(folder, files, files->epochs[i]);
        }
    }
    return status;
}

rpt_status_t rpt__files_load(const struct rpt_folder *folder,
                             struct rpt_files *files_out)
{
    rpt_status_t status = RPT_END;

    for (int i = 0; status == RPT_END && i < 100; i++) {
        rpt__files_free(files_out);
        status = try_to_load(folder, files_out);
    }
    if (status == RPT_END) {
        rpt__fail(RPT_ERR_BUSY, "%s changed all the time while it was read",
                  folder->path);
        rpt__fail_hint("try again");
        status = RPT_ERR_BUSY;
    }
    return status;
}

/* ---- cleaning ---- */

static bool is_left(const struct rpt_folder *folder, const char *name,
                    double age_s)
{
    struct stat info;

    if (!rpt__disk_is_aside(name)) {
        return false;
    }
    return age_s <= 0 || rpt__disk_is_abandoned(name) ||
           (fstatat(folder->fd, name, &info, 0) == 0 &&
            (double)info.st_mtime + age_s <= rpt__wall_s());
}

void rpt__files_sweep_aside(const struct rpt_folder *folder, double age_s)
{
    DIR *names = open_names(folder);
    struct dirent *entry;

    if (names == NULL) {
        return;
    }
    while ((entry = readdir(names)) != NULL) {
        if (is_left(folder, entry->d_name, age_s)) {
            rpt__disk()->remove(folder->fd, entry->d_name);
        }
    }
    closedir(names);
}

void rpt__files_sweep(const struct rpt_folder *folder,
                      const struct rpt_files *files)
{
    char name[RPT_NAME_BYTES];

    for (size_t i = 0; i < files->n_files; i++) {
        const struct rpt_journal_file *file = &files->files[i];

        if (file->epoch > 0 && file->epoch < files->covers) {
            rpt__journal_name(name, file->epoch, file->writer);
            rpt__disk()->remove(folder->fd, name);
        }
    }
    for (size_t i = 0; i < files->n_epochs; i++) {
        if (files->epochs[i] < files->covers) {
            rpt__epoch_name(name, files->epochs[i]);
            rpt__disk()->remove(folder->fd, name);
        }
    }
}
