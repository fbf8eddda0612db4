/*
 * file.c - writes PATH.part, syncs it, and gives it its name
 *
 * A link leads to the file that is replaced.  What a killed job left as
 * PATH.part is overwritten; a lock keeps two that live from writing into one.
 * Where the file system knows no locks there is none.
 */
#include "io/parquet/file.h"

#include "base/again.h"
#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { AHEAD_BYTES = 8 << 20 };

struct rpt_parquet_file {
    char *path;
    char *part;
    int fd;
    rpt_status_t status;
    size_t bytes;       /* of the file until now */
    size_t begun_bytes; /* of these the disk was told to write */
};

/* Records that something did not work with the file; gives RPT_ERR_IO. */
static rpt_status_t fail_io(const struct rpt_parquet_file *file, int error)
{
    struct statvfs disk;

    rpt__fail_errno(RPT_ERR_IO, error, "%s was not written", file->path);
    if ((error == ENOSPC || error == EDQUOT) && file->fd >= 0 &&
        fstatvfs(file->fd, &disk) == 0) {
        rpt__fail_hint("free space there (%llu bytes are free), or raise the "
                       "quota; what was written of it is removed",
                       (unsigned long long)disk.f_bavail * disk.f_frsize);
    } else if (error == ENOENT) {
        rpt__fail_hint("make the directory first");
    } else if (error == EACCES || error == EROFS || error == EPERM) {
        rpt__fail_hint("name a file in a directory that you may write to");
    }
    return RPT_ERR_IO;
}

static void destroy(struct rpt_parquet_file *file)
{
    if (file->fd >= 0) {
        close(file->fd);
    }
    free(file->path);
    free(file->part);
    free(file);
}

/* The name that a link leads to.  One that leads nowhere is replaced. */
static char *resolve(const char *path)
{
    char *real = realpath(path, NULL);

    return real != NULL ? real : strdup(path);
}

static rpt_status_t name_file(struct rpt_parquet_file *file, const char *path)
{
    size_t bytes = strlen(path) + sizeof ".part";

    file->path = resolve(path);
    if (file->path != NULL) {
        bytes = strlen(file->path) + sizeof ".part";
        file->part = malloc(bytes);
    }
    if (file->part == NULL) {
        return rpt__fail_nomem(bytes);
    }
    snprintf(file->part, bytes, "%s.part", file->path);
    return RPT_OK;
}

/* What is there already can be replaced? */
static rpt_status_t check_place(const struct rpt_parquet_file *file)
{
    struct stat found;

    if (stat(file->path, &found) == 0 && !S_ISREG(found.st_mode)) {
        rpt__fail(RPT_ERR_INVALID, "%s was not written", file->path);
        rpt__fail_why("it is %s", S_ISDIR(found.st_mode) ? "a directory"
                                                         : "no regular file");
        rpt__fail_hint("name a file, which is replaced when the new one is "
                       "complete");
        return RPT_ERR_INVALID;
    }
    return RPT_OK;
}

/* ---- the file ---- */

/* Whether PATH.part is still the file that we have locked. */
static bool is_still_named(const struct rpt_parquet_file *file)
{
    struct stat mine, named;

    return fstat(file->fd, &mine) == 0 && stat(file->part, &named) == 0 &&
           mine.st_dev == named.st_dev && mine.st_ino == named.st_ino;
}

static rpt_status_t open_part(struct rpt_parquet_file *file)
{
    int error;

    file->fd = rpt__open_again(
        AT_FDCWD, file->part,
        O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0666);
    if (file->fd < 0) {
        return fail_io(file, errno);
    }
    if ((flock(file->fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) ||
        !is_still_named(file)) {
        rpt__fail(RPT_ERR_BUSY, "%s was not written", file->path);
        rpt__fail_why("another writer has %s open", file->part);
        rpt__fail_hint("give each writer a file of its own");
        return RPT_ERR_BUSY;
    }
    error = rpt__truncate_file(file->fd, 0);
    return error == 0 ? RPT_OK : fail_io(file, error);
}

rpt_status_t rpt__parquet_file_create(const char *path,
                                      struct rpt_parquet_file **file_out)
{
    struct rpt_parquet_file *file = calloc(1, sizeof *file);
    rpt_status_t status;

    if (file == NULL) {
        return rpt__fail_nomem(sizeof *file);
    }
    file->fd = -1;
    status = name_file(file, path);
    if (status == RPT_OK) {
        status = check_place(file);
    }
    if (status == RPT_OK) {
        status = open_part(file);
    }
    if (status != RPT_OK) {
        destroy(file);
        return status;
    }
    *file_out = file;
    return RPT_OK;
}

/* The disk begins with what is there while more is encoded: so the sync at the
 * end has less to wait for.  It need not succeed. */
static void begin_sync(struct rpt_parquet_file *file)
{
    size_t ahead = file->bytes - file->begun_bytes;

    if (ahead >= AHEAD_BYTES) {
        rpt__sync_soon(file->fd, file->begun_bytes, ahead);
        file->begun_bytes = file->bytes;
    }
}

bool rpt__parquet_file_write(void *user, const void *data, size_t bytes)
{
    struct rpt_parquet_file *file = user;
    const char *at = data;

    while (bytes > 0 && file->status == RPT_OK) {
        ssize_t n = write(file->fd, at, bytes);

        if (n >= 0) {
            at += n;
            bytes -= (size_t)n;
            file->bytes += (size_t)n;
        } else if (errno != EINTR) {
            file->status = fail_io(file, errno);
        }
    }
    begin_sync(file);
    return file->status == RPT_OK;
}

rpt_status_t rpt__parquet_file_status(const struct rpt_parquet_file *file)
{
    return file->status;
}

const char *rpt__parquet_file_path(const struct rpt_parquet_file *file)
{
    return file->path;
}

/* fsync of the directory, so that the name survives a power failure. */
static int sync_directory(struct rpt_parquet_file *file)
{
    int fd = rpt__open_again(AT_FDCWD, dirname(file->part),
                             O_RDONLY | O_DIRECTORY, 0);
    int error;

    if (fd < 0) {
        return errno;
    }
    error = rpt__sync_file(fd, false);
    close(fd);
    return error == EINVAL ? 0 : error; /* some file systems cannot */
}

rpt_status_t rpt__parquet_file_keep(struct rpt_parquet_file *file)
{
    rpt_status_t status = file->status;
    int error = status == RPT_OK ? rpt__sync_file(file->fd, false) : 0;

    if (status == RPT_OK && error == 0 && rename(file->part, file->path) != 0) {
        error = errno;
    }
    if (error != 0) {
        status = fail_io(file, error);
    }
    if (status != RPT_OK) {
        unlink(file->part);
    } else {
        error = sync_directory(file);
        status = error == 0 ? RPT_OK : fail_io(file, error);
    }
    destroy(file);
    return status;
}

void rpt__parquet_file_remove(struct rpt_parquet_file *file)
{
    unlink(file->part);
    destroy(file);
}
