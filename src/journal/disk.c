/*
 * disk.c - the real disk, and what is built from its operations
 *
 * A file that others may read is written under an aside name, synced, and then
 * given its name in one step (link or rename), so that nobody sees half of it.
 * Cost: one sync of the file and one of the directory.
 */
#include "journal/disk_priv.h"

#include "base/clock.h"
#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static int real_open(int dir, const char *name, int flags)
{
    return openat(dir, name, flags | O_CLOEXEC, 0666);
}

static ssize_t real_read(int fd, void *data, size_t bytes, uint64_t offset)
{
    return pread(fd, data, bytes, (off_t)offset);
}

static ssize_t real_write(int fd, const void *data, size_t bytes)
{
    return write(fd, data, bytes);
}

static int real_sync_dir(int dir)
{
    /* Some file systems cannot sync a directory, and say so. */
    return fsync(dir) == 0 || errno == EINVAL ? 0 : -1;
}

static int real_truncate(int fd, uint64_t bytes)
{
    return ftruncate(fd, (off_t)bytes);
}

static int real_link(int dir, const char *from, const char *to)
{
    return linkat(dir, from, dir, to, 0);
}

static int real_rename(int dir, const char *from, const char *to)
{
    return renameat(dir, from, dir, to);
}

static int real_remove(int dir, const char *name)
{
    return unlinkat(dir, name, 0);
}

static int real_lock(int fd)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

    return fcntl(fd, F_OFD_SETLK, &lock);
}

const struct rpt_disk_ops rpt__disk_real = {
    .size = sizeof(struct rpt_disk_ops),
    .name = "real",
    .summary = "the file system",
    .open = real_open,
    .read = real_read,
    .write = real_write,
    .sync = fdatasync,
    .sync_dir = real_sync_dir,
    .truncate = real_truncate,
    .link = real_link,
    .rename = real_rename,
    .remove = real_remove,
    .lock = real_lock,
};

static const struct rpt_disk_ops *_Atomic disk_in_use = &rpt__disk_real;

const struct rpt_disk_ops *rpt__disk(void)
{
    return atomic_load_explicit(&disk_in_use, memory_order_acquire);
}

void rpt__disk_use(const struct rpt_disk_ops *ops)
{
    atomic_store(&disk_in_use, ops != NULL ? ops : &rpt__disk_real);
}

rpt_status_t rpt__folder_open(const char *path, struct rpt_folder *folder_out)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
        rpt__fail_errno(RPT_ERR_NOT_FOUND, errno,
                        "there is no state directory %s", path);
        rpt__fail_hint("check the path");
        return RPT_ERR_NOT_FOUND;
    }
    if (fd < 0) {
        return rpt__fail_errno(RPT_ERR_IO, errno,
                               "cannot open the state directory %s", path);
    }
    *folder_out = (struct rpt_folder){ fd, path };
    return RPT_OK;
}

void rpt__folder_close(struct rpt_folder *folder)
{
    close(folder->fd);
    folder->fd = -1;
}

static const char *advice(int error)
{
    switch (error) {
    case ENOSPC:
    case EDQUOT:
        return "free space there or raise the quota, then start the same "
               "command again: it is resumable, all that was committed is "
               "kept";
    case EACCES:
    case EPERM:
    case EROFS:
    case ENOENT:
    case ENOTDIR:
        return "choose a directory that you may write to, and whose parent "
               "exists";
    default:
        return "look for faults of that disk in the system's log, then start "
               "the same command again: it is resumable, all that was "
               "committed is kept";
    }
}

rpt_status_t rpt__disk_fail(const struct rpt_folder *folder, const char *name,
                            const char *verb, int error, size_t needed)
{
    struct statvfs space;

    rpt__fail_errno(RPT_ERR_IO, error, "cannot %s %s/%s", verb, folder->path,
                    name);
    if (needed > 0 && fstatvfs(folder->fd, &space) == 0) {
        rpt__fail_why("%s (needed %zu bytes, free %llu bytes)", strerror(error),
                      needed,
                      (unsigned long long)space.f_bavail *
                          (unsigned long long)space.f_frsize);
    }
    rpt__fail_hint("%s", advice(error));
    return RPT_ERR_IO;
}

int rpt__disk_write_all(int fd, const void *data, size_t bytes)
{
    const char *next = data;

    while (bytes > 0) {
        ssize_t n = rpt__disk()->write(fd, next, bytes);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n < 0 ? errno : EIO;
        }
        next += n;
        bytes -= (size_t)n;
    }
    return 0;
}

rpt_status_t rpt__disk_sync_dir(const struct rpt_folder *folder)
{
    if (rpt__disk()->sync_dir(folder->fd) != 0) {
        return rpt__disk_fail(folder, ".", "sync", errno, 0);
    }
    return RPT_OK;
}

static rpt_status_t read_all(const struct rpt_folder *folder, const char *name,
                             int fd, struct rpt_buf *out)
{
    enum { STEP = 65536 };
    uint64_t offset = 0;

    for (;;) {
        char *end = rpt__buf_reserve(out, STEP + 1);
        ssize_t n;

        if (end == NULL) {
            return rpt__buf_status(out);
        }
        n = rpt__disk()->read(fd, end, STEP, offset);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return rpt__disk_fail(folder, name, "read", errno, 0);
        }
        end[n] = '\0';
        if (n == 0) {
            return RPT_OK;
        }
        out->bytes += (size_t)n;
        offset += (uint64_t)n;
    }
}

rpt_status_t rpt__disk_read_file(const struct rpt_folder *folder,
                                 const char *name, struct rpt_buf *out)
{
    int fd = rpt__disk()->open(folder->fd, name, O_RDONLY);
    rpt_status_t status;

    if (fd < 0 && errno == ENOENT) {
        return RPT_END;
    }
    if (fd < 0) {
        return rpt__disk_fail(folder, name, "open", errno, 0);
    }
    status = read_all(folder, name, fd, out);
    close(fd);
    return status;
}

static const char aside_prefix[] = ".tmp-";

void rpt__disk_aside_name(char name_out[RPT_NAME_BYTES])
{
    static _Atomic unsigned counter;
    char host[128] = "";

    gethostname(host, sizeof host - 1);
    snprintf(name_out, RPT_NAME_BYTES, "%s%s-%ld-%u-%llx", aside_prefix, host,
             (long)getpid(), atomic_fetch_add(&counter, 1),
             (unsigned long long)(1e6 * rpt__wall_s()));
}

bool rpt__disk_is_aside(const char *name)
{
    return strncmp(name, aside_prefix, sizeof aside_prefix - 1) == 0;
}

/* Names of hosts have hyphens too, so they are counted from the end. */
bool rpt__disk_is_abandoned(const char *name)
{
    char rest[RPT_NAME_BYTES], host[128] = "", *hyphen;
    long pid = 0;

    if (!rpt__disk_is_aside(name) ||
        gethostname(host, sizeof host - 1) != 0) {
        return false;
    }
    snprintf(rest, sizeof rest, "%s", name + sizeof aside_prefix - 1);
    for (int i = 0; i < 3; i++) {
        hyphen = strrchr(rest, '-');
        if (hyphen == NULL) {
            return false;
        }
        *hyphen = '\0';
        pid = strtol(hyphen + 1, NULL, 10);
    }
    return strcmp(rest, host) == 0 && pid > 0 && kill((pid_t)pid, 0) != 0 &&
           errno == ESRCH;
}

rpt_status_t rpt__disk_put_aside(const struct rpt_folder *folder,
                                 const void *data, size_t bytes,
                                 char name_out[RPT_NAME_BYTES])
{
    int fd, error;

    rpt__disk_aside_name(name_out);
    fd = rpt__disk()->open(folder->fd, name_out, O_WRONLY | O_CREAT | O_EXCL);
    if (fd < 0) {
        return rpt__disk_fail(folder, name_out, "create", errno, bytes);
    }
    error = rpt__disk_write_all(fd, data, bytes);
    if (error == 0 && rpt__disk()->sync(fd) != 0) {
        error = errno;
    }
    close(fd);
    if (error != 0) {
        rpt__disk_fail(folder, name_out, "write", error, bytes);
        rpt__disk()->remove(folder->fd, name_out);
        return RPT_ERR_IO;
    }
    return RPT_OK;
}

/* Over NFS a link may be made and yet be answered with EEXIST, when the first
 * answer was lost: the file then has two names. */
static bool has_two_names(const struct rpt_folder *folder, const char *name)
{
    struct stat info;

    return fstatat(folder->fd, name, &info, 0) == 0 && info.st_nlink == 2;
}

rpt_status_t rpt__disk_claim(const struct rpt_folder *folder, const char *aside,
                             const char *name)
{
    int error = 0;

    if (rpt__disk()->link(folder->fd, aside, name) != 0) {
        error = errno;
    }
    if (error == EEXIST && has_two_names(folder, aside)) {
        error = 0;
    }
    if (error == EPERM || error == ENOSYS || error == EOPNOTSUPP) {
        /* No hard links here: the other operation that does not replace. */
        error = renameat2(folder->fd, aside, folder->fd, name,
                          RENAME_NOREPLACE) != 0
                    ? errno
                    : 0;
    }
    if (error != 0 && error != EEXIST) {
        rpt__disk_fail(folder, name, "create", error, 0);
    }
    rpt__disk()->remove(folder->fd, aside);
    if (error == EEXIST) {
        return RPT_END;
    }
    return error != 0 ? RPT_ERR_IO : rpt__disk_sync_dir(folder);
}
