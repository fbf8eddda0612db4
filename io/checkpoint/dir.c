/*
 * dir.c - folders and files of checkpoints
 */
#include "io/checkpoint/dir.h"

#include "base/again.h"
#include "base/error.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { LITTLE_ROOM = 1 << 20 };

/* ---- what went wrong ---- */

const char *rpt__disk_advice(int error)
{
    switch (error) {
    case ENOSPC:
    case EDQUOT:
        return "checkpoints that were committed before are intact; free space "
               "or raise the quota, or keep fewer (io.checkpoint.keep)";
    case EFBIG:
        return "raise the limit of the length of a file (ulimit -f), or use "
               "a file system that takes longer ones";
    case EMFILE:
    case ENFILE:
        return "raise the limit of open files (ulimit -n)";
    case EACCES:
    case EPERM:
    case EROFS:
    case ENOENT:
    case ENOTDIR:
        return "choose a directory that all ranks reach and may write to";
    default:
        return "checkpoints that were committed before are intact; look for "
               "faults of that disk in the system's log";
    }
}

rpt_status_t rpt__dir_fail(const struct rpt_dir *dir, const char *name,
                           const char *verb, int error, uint64_t needed)
{
    struct statvfs space;
    const char *slash = name[0] != '\0' ? "/" : "";
    /* Then it says nothing about the file. */
    bool is_ours = error == EMFILE || error == ENFILE || error == ENOMEM;
    rpt_status_t status = is_ours ? RPT_ERR_SYSTEM : RPT_ERR_IO;

    rpt__fail_errno(status, error, "cannot %s %s%s%s", verb, dir->path, slash,
                    name);
    if (needed > 0 && fstatvfs(dir->fd, &space) == 0) {
        rpt__fail_why("%s (%llu bytes to write, %llu bytes free)",
                      strerror(error), (unsigned long long)needed,
                      (unsigned long long)space.f_bavail *
                          (unsigned long long)space.f_frsize);
    }
    rpt__fail_hint("%s", rpt__disk_advice(error));
    return status;
}

bool rpt__is_full(int error)
{
    return error == ENOSPC || error == EDQUOT;
}

bool rpt__dir_is_full(const struct rpt_dir *dir)
{
    struct statvfs space;

    return fstatvfs(dir->fd, &space) == 0 &&
           (uint64_t)space.f_bavail * (uint64_t)space.f_frsize < LITTLE_ROOM;
}

static rpt_status_t refuse(const struct rpt_dir *dir, const char *name,
                           const char *why, rpt_status_t status)
{
    const char *slash = name[0] != '\0' ? "/" : "";

    rpt__fail(status, "%s%s%s is not used", dir->path, slash, name);
    rpt__fail_why("%s", why);
    rpt__fail_hint("remove it if you do not know it, and keep checkpoints in "
                   "a directory of your own (chmod go-w)");
    return status;
}

rpt_status_t rpt__dir_refuse(const struct rpt_dir *dir, const char *name,
                             const char *why)
{
    return refuse(dir, name, why, RPT_ERR_INVALID);
}

void rpt__dir_begin(sigset_t *before)
{
    sigset_t too_long;

    sigemptyset(&too_long);
    sigaddset(&too_long, SIGXFSZ);
    pthread_sigmask(SIG_BLOCK, &too_long, before);
}

void rpt__dir_end(const sigset_t *before)
{
    const struct timespec now = { 0, 0 };
    sigset_t too_long;
    int saved = errno;

    sigemptyset(&too_long);
    sigaddset(&too_long, SIGXFSZ);
    if (!sigismember(before, SIGXFSZ)) {
        sigtimedwait(&too_long, NULL, &now);
    }
    pthread_sigmask(SIG_SETMASK, before, NULL);
    errno = saved;
}

static rpt_status_t not_found(const struct rpt_dir *dir, const char *name)
{
    rpt__fail(RPT_ERR_NOT_FOUND, "there is no %s/%s", dir->path, name);
    rpt__fail_hint("check the name");
    return RPT_ERR_NOT_FOUND;
}

/* ---- folders ---- */

/* The folder that has the name of this one.  It may be one of others, that we
 * may not read or that cannot be synced: what is made there is theirs to keep.
 */
static int sync_above(const char *path)
{
    char *above = strdup(path), *slash;
    int fd, error;

    if (above == NULL) {
        return ENOMEM;
    }
    slash = strrchr(above, '/');
    if (slash != NULL) {
        slash[slash == above ? 1 : 0] = '\0';
    }
    fd = rpt__open_again(AT_FDCWD, slash != NULL ? above : ".",
                         O_RDONLY | O_DIRECTORY, 0);
    free(above);
    if (fd < 0) {
        return 0;
    }
    error = rpt__sync_file(fd, false);
    close(fd);
    return error == EIO || error == ENOSPC || error == EDQUOT ? error : 0;
}

rpt_status_t rpt__dir_make_path(const char *path)
{
    char *part = strdup(path), *slash;
    int error = 0;

    if (part == NULL) {
        return rpt__fail_nomem(strlen(path) + 1);
    }
    for (slash = part; error == 0 && slash != NULL;) {
        slash = strchr(slash + 1, '/');
        if (slash != NULL) {
            *slash = '\0';
        }
        if (mkdir(part, 0777) != 0 && errno != EEXIST) {
            error = errno;
        } else {
            error = sync_above(part);
        }
        if (slash != NULL) {
            *slash = '/';
        }
    }
    free(part);
    if (error != 0) {
        rpt__fail_errno(RPT_ERR_IO, error, "cannot make the directory %s",
                        path);
        rpt__fail_hint("%s", rpt__disk_advice(error));
        return RPT_ERR_IO;
    }
    return RPT_OK;
}

rpt_status_t rpt__dir_open_path(const char *path, struct rpt_dir *dir_out)
{
    struct rpt_dir dir = { -1, strdup(path), false };

    if (dir.path == NULL) {
        return rpt__fail_nomem(strlen(path) + 1);
    }
    dir.fd = rpt__open_again(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
    if (dir.fd < 0) {
        int error = errno;
        bool is_missing = error == ENOENT || error == ENOTDIR;

        rpt__fail_errno(is_missing ? RPT_ERR_NOT_FOUND : RPT_ERR_IO, error,
                        "cannot open the directory %s", path);
        rpt__fail_hint("%s", rpt__disk_advice(error));
        free(dir.path);
        return is_missing ? RPT_ERR_NOT_FOUND : RPT_ERR_IO;
    }
    *dir_out = dir;
    return RPT_OK;
}

rpt_status_t rpt__dir_open(const struct rpt_dir *parent, const char *name,
                           struct rpt_dir *dir_out)
{
    struct rpt_dir dir = RPT_DIR_CLOSED;
    size_t bytes = strlen(parent->path) + strlen(name) + 2;

    dir.path = malloc(bytes);
    if (dir.path == NULL) {
        return rpt__fail_nomem(bytes);
    }
    snprintf(dir.path, bytes, "%s/%s", parent->path, name);
    dir.is_lax = parent->is_lax;
    dir.fd = rpt__open_again(parent->fd, name,
                             O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (dir.fd < 0) {
        int error = errno;
        struct stat found;

        free(dir.path);
        if (error == ENOENT) {
            return not_found(parent, name);
        }
        if (fstatat(parent->fd, name, &found, AT_SYMLINK_NOFOLLOW) == 0 &&
            !S_ISDIR(found.st_mode)) {
            return rpt__dir_refuse(parent, name,
                                   S_ISLNK(found.st_mode) ? "it is a link"
                                                          : "it is no folder");
        }
        return rpt__dir_fail(parent, name, "open", error, 0);
    }
    *dir_out = dir;
    return RPT_OK;
}

rpt_status_t rpt__dir_make(const struct rpt_dir *parent, const char *name,
                           bool may_exist)
{
    if (mkdirat(parent->fd, name, 0775) == 0 ||
        (may_exist && errno == EEXIST)) {
        return RPT_OK;
    }
    return rpt__dir_fail(parent, name, "make the folder", errno, 0);
}

void rpt__dir_close(struct rpt_dir *dir)
{
    if (dir->fd >= 0) {
        close(dir->fd);
    }
    free(dir->path);
    *dir = (struct rpt_dir)RPT_DIR_CLOSED;
}

int64_t rpt__dir_owner(const struct rpt_dir *dir)
{
    struct stat found;

    return fstat(dir->fd, &found) == 0 ? (int64_t)found.st_uid : -1;
}

/* NULL: it may be used. */
static const char *why_not(const struct stat *found, int64_t owner)
{
    if ((found->st_mode & S_IWOTH) != 0) {
        return "everybody may write to it";
    }
    if (found->st_uid != geteuid() && found->st_uid != 0 &&
        (int64_t)found->st_uid != owner) {
        return "it belongs to another user";
    }
    return NULL;
}

rpt_status_t rpt__dir_check(const struct rpt_dir *dir, int64_t owner)
{
    struct stat found;
    const char *why;

    if (fstat(dir->fd, &found) != 0) {
        return rpt__dir_fail(dir, "", "look at", errno, 0);
    }
    why = why_not(&found, owner);
    return why == NULL ? RPT_OK : rpt__dir_refuse(dir, "", why);
}

rpt_status_t rpt__dir_check_top(const struct rpt_dir *dir)
{
    struct stat found;

    if (fstat(dir->fd, &found) != 0) {
        return rpt__dir_fail(dir, "", "look at", errno, 0);
    }
    if ((found.st_mode & S_IWOTH) == 0 || (found.st_mode & S_ISVTX) != 0) {
        return RPT_OK;
    }
    rpt__dir_refuse(dir, "",
                    "everybody may write to it, and it has no sticky bit");
    rpt__fail_hint("chmod o-w %s, or chmod +t", dir->path);
    return RPT_ERR_INVALID;
}

rpt_status_t rpt__dir_sync(const struct rpt_dir *dir)
{
    int error = dir->is_lax ? 0 : rpt__sync_file(dir->fd, false);

    /* Some file systems cannot sync a folder, and say so. */
    return error == 0 || error == EINVAL
               ? RPT_OK
               : rpt__dir_fail(dir, "", "sync", error, 0);
}

rpt_status_t rpt__dir_rename(const struct rpt_dir *dir, const char *from,
                             const char *to)
{
    if (renameat(dir->fd, from, dir->fd, to) != 0) {
        return rpt__dir_fail(dir, from, "rename", errno, 0);
    }
    return RPT_OK;
}

/* ---- names ---- */

static int by_name(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;

    return strcmp(*x, *y);
}

static rpt_status_t read_names(DIR *stream, const struct rpt_dir *dir,
                               struct rpt_dir_names *names)
{
    struct dirent *entry;

    while (errno = 0, (entry = readdir(stream)) != NULL) {
        char **list;

        if (strcmp(entry->d_name, ".") == 0 ||
            strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        list = realloc(names->list, (names->n + 1) * sizeof *list);
        if (list == NULL) {
            return rpt__fail_nomem((names->n + 1) * sizeof *list);
        }
        names->list = list;
        list[names->n] = strdup(entry->d_name);
        if (list[names->n] == NULL) {
            return rpt__fail_nomem(strlen(entry->d_name) + 1);
        }
        names->n++;
    }
    return errno == 0 ? RPT_OK : rpt__dir_fail(dir, "", "list", errno, 0);
}

rpt_status_t rpt__dir_list(const struct rpt_dir *dir,
                           struct rpt_dir_names *names_out)
{
    struct rpt_dir_names names = { NULL, 0 };
    int fd = rpt__open_again(dir->fd, ".", O_RDONLY | O_DIRECTORY, 0);
    DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
    rpt_status_t status;

    if (stream == NULL) {
        int error = errno;

        if (fd >= 0) {
            close(fd);
        }
        return rpt__dir_fail(dir, "", "list", error, 0);
    }
    status = read_names(stream, dir, &names);
    closedir(stream);
    if (status != RPT_OK) {
        rpt__dir_names_free(&names);
        return status;
    }
    if (names.n > 0) {
        qsort(names.list, names.n, sizeof *names.list, by_name);
    }
    *names_out = names;
    return RPT_OK;
}

void rpt__dir_names_free(struct rpt_dir_names *names)
{
    for (size_t i = 0; i < names->n; i++) {
        free(names->list[i]);
    }
    free(names->list);
    *names = (struct rpt_dir_names){ NULL, 0 };
}

/* ---- removing ---- */

bool rpt__dir_is_still(const struct rpt_dir *parent, const char *name,
                       const struct rpt_dir *dir)
{
    struct stat named, opened;

    return fstatat(parent->fd, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           fstat(dir->fd, &opened) == 0 && named.st_dev == opened.st_dev &&
           named.st_ino == opened.st_ino;
}

bool rpt__dir_lacks(const struct rpt_dir *dir, const char *name)
{
    struct stat found;

    return fstatat(dir->fd, name, &found, AT_SYMLINK_NOFOLLOW) != 0 &&
           errno == ENOENT;
}

/* A program may have made, or copied, a folder that nobody may write to. */
static void let_us_write(const struct rpt_dir *dir)
{
    struct stat found;

    if (fstat(dir->fd, &found) == 0 && (found.st_mode & S_IRWXU) != S_IRWXU) {
        (void)fchmod(dir->fd, found.st_mode | S_IRWXU);
    }
}

static rpt_status_t remove_in(const struct rpt_dir *parent, const char *name)
{
    struct rpt_dir dir;
    struct rpt_dir_names names = { NULL, 0 };
    rpt_status_t status = rpt__dir_open(parent, name, &dir);

    if (status != RPT_OK) {
        return status == RPT_ERR_NOT_FOUND ? RPT_OK : status;
    }
    let_us_write(&dir);
    status = rpt__dir_list(&dir, &names);
    for (size_t i = 0; i < names.n && status == RPT_OK; i++) {
        status = rpt__dir_remove(&dir, names.list[i]);
    }
    rpt__dir_names_free(&names);
    rpt__dir_close(&dir);
    return rpt__dir_lacks(parent, name) ? RPT_OK : status;
}

rpt_status_t rpt__dir_remove(const struct rpt_dir *dir, const char *name)
{
    rpt_status_t status;

    if (unlinkat(dir->fd, name, 0) == 0 || errno == ENOENT) {
        return RPT_OK;
    }
    if (errno != EISDIR && errno != EPERM) {
        return rpt__dir_fail(dir, name, "remove", errno, 0);
    }
    status = remove_in(dir, name);
    if (status == RPT_OK && unlinkat(dir->fd, name, AT_REMOVEDIR) != 0 &&
        errno != ENOENT) {
        status = rpt__dir_fail(dir, name, "remove", errno, 0);
    }
    return status;
}

/* ---- files ---- */

rpt_status_t rpt__dir_create(const struct rpt_dir *dir, const char *name,
                             int *fd_out)
{
    int fd = rpt__open_again(dir->fd, name,
                             O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0664);

    if (fd < 0) {
        return rpt__dir_fail(dir, name, "create", errno, 0);
    }
    *fd_out = fd;
    return RPT_OK;
}

rpt_status_t rpt__dir_open_file(const struct rpt_dir *dir, const char *name,
                                bool to_write, int *fd_out)
{
    /* A FIFO would make us wait, a device do something. */
    int fd = rpt__open_again(
        dir->fd, name,
        (to_write ? O_RDWR : O_RDONLY) | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
    int error = errno;
    struct stat found;
    const char *why;

    if (fd < 0 && error == ENOENT) {
        return not_found(dir, name);
    }
    if (fd < 0 && error == ELOOP) {
        return rpt__dir_refuse(dir, name, "it is a link");
    }
    if (fd < 0) {
        return rpt__dir_fail(dir, name, "open", error, 0);
    }
    if (fstat(fd, &found) != 0 || !S_ISREG(found.st_mode)) {
        close(fd);
        return rpt__dir_refuse(dir, name, "it is no regular file");
    }
    why = why_not(&found, rpt__dir_owner(dir));
    if (why != NULL) {
        close(fd);
        return refuse(dir, name, why, RPT_ERR_IO);
    }
    /* What somebody reads is not written to again (recycle.c).  Some file
     * systems have no locks. */
    if (!to_write) {
        flock(fd, LOCK_SH | LOCK_NB);
    }
    *fd_out = fd;
    return RPT_OK;
}

uint64_t rpt__file_room(const struct rpt_dir *dir, const char *name,
                        bool has_holes)
{
    enum { STAT_BYTES = 512 };
    struct stat file;
    uint64_t bytes, taken;

    if (fstatat(dir->fd, name, &file, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(file.st_mode)) {
        return 0;
    }
    bytes = (uint64_t)file.st_size;
    taken = (uint64_t)file.st_blocks * STAT_BYTES;
    return has_holes && taken < bytes ? taken : bytes;
}

rpt_status_t rpt__dir_bytes(const struct rpt_dir *dir, const char *name, int fd,
                            uint64_t *bytes_out)
{
    struct stat found;

    if (fstat(fd, &found) != 0) {
        return rpt__dir_fail(dir, name, "look at", errno, 0);
    }
    *bytes_out = (uint64_t)found.st_size;
    return RPT_OK;
}

rpt_status_t rpt__dir_read_all(const struct rpt_dir *dir, const char *name,
                               uint64_t most, struct rpt_buf *out)
{
    uint64_t bytes = 0;
    int fd, error = 0;
    rpt_status_t status = rpt__dir_open_file(dir, name, false, &fd);

    if (status != RPT_OK) {
        return status;
    }
    status = rpt__dir_bytes(dir, name, fd, &bytes);
    if (status == RPT_OK && bytes > most) {
        rpt__fail(RPT_ERR_CORRUPT, "%s/%s is too long", dir->path, name);
        rpt__fail_why("it has %llu bytes, at most %llu are expected",
                      (unsigned long long)bytes, (unsigned long long)most);
        status = RPT_ERR_CORRUPT;
    }
    if (status == RPT_OK) {
        char *data = rpt__buf_reserve(out, (size_t)bytes + 1);

        if (data == NULL) {
            status = rpt__buf_status(out);
        } else if ((error = rpt__read_at(fd, data, (size_t)bytes, 0)) != 0) {
            status = rpt__dir_fail(dir, name, "read", error, 0);
        } else {
            data[bytes] = '\0';
            out->bytes += (size_t)bytes;
        }
    }
    close(fd);
    return status;
}

static rpt_status_t put(const struct rpt_dir *dir, const char *name,
                        const void *data, size_t bytes, bool syncs)
{
    int fd = -1, error;
    rpt_status_t status = rpt__dir_create(dir, name, &fd);

    if (status != RPT_OK) {
        return status;
    }
    error = rpt__write_at(fd, data, bytes, 0);
    if (error != 0) {
        status = rpt__dir_fail(dir, name, "write", error, bytes);
    } else if (syncs && (error = rpt__sync_file(fd, false)) != 0) {
        status = rpt__dir_fail(dir, name, "sync", error, 0);
    }
    /* It is closed then. */
    if (close(fd) != 0 && errno != EINTR && status == RPT_OK) {
        status = rpt__dir_fail(dir, name, "close", errno, 0);
    }
    return status;
}

rpt_status_t rpt__dir_write(const struct rpt_dir *dir, const char *name,
                            const void *data, size_t bytes)
{
    return put(dir, name, data, bytes, false);
}

rpt_status_t rpt__dir_put(const struct rpt_dir *dir, const char *name,
                          const void *data, size_t bytes)
{
    return put(dir, name, data, bytes, !dir->is_lax);
}

rpt_status_t rpt__dir_is_long(const struct rpt_dir *dir, const char *name,
                              uint64_t bytes)
{
    uint64_t found = 0;
    int fd = -1;
    rpt_status_t status = rpt__dir_open_file(dir, name, false, &fd);

    if (status != RPT_OK) {
        return status;
    }
    status = rpt__dir_bytes(dir, name, fd, &found);
    close(fd);
    if (status == RPT_OK && found != bytes) {
        rpt__fail(RPT_ERR_CORRUPT, "%s/%s is damaged", dir->path, name);
        rpt__fail_why("it has %llu bytes, not %llu", (unsigned long long)found,
                      (unsigned long long)bytes);
        status = RPT_ERR_CORRUPT;
    }
    return status;
}
