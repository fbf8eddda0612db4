/*
 * statedir.c - one job at a time: the lock of a state directory
 *
 * DIR/lock is held with an open-file-description lock: the kernel, or the file
 * server, frees it when the holder dies, however it dies.  Its text says who
 * holds it, for the message to the second job.  Where there are no locks a
 * warning is printed once, and the epochs alone keep old jobs' records apart.
 */
#include "journal/journal.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "journal/files_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char lock_name[] = "lock";

struct rpt_statedir {
    int lock_fd;
    bool locked; /* false: this file system has no locks */
};

/* ---- the holder's text ---- */

struct holder {
    char host[128];
    int pid;
    double start_s;
};

static rpt_status_t write_holder(const struct rpt_folder *folder, int fd,
                                 const struct rpt_epoch *self)
{
    char text[256];
    int n = snprintf(text, sizeof text, "host %s\npid %d\nsince %.0f\n",
                     self->host, self->pid, self->start_s);
    int error = rpt__disk()->truncate(fd, 0) != 0 ? errno : 0;

    if (error == 0) {
        error = rpt__disk_write_all(fd, text, (size_t)n);
    }
    return error != 0
               ? rpt__disk_fail(folder, lock_name, "write", error, (size_t)n)
               : RPT_OK;
}

/* False while a holder has not said yet who it is. */
static bool read_holder(const struct rpt_folder *folder, struct holder *out)
{
    struct rpt_buf text = RPT_BUF_EMPTY;
    bool found = rpt__disk_read_file(folder, lock_name, &text) == RPT_OK &&
                 sscanf(text.data, "host %127s pid %9d since %30lf", out->host,
                        &out->pid, &out->start_s) == 3;

    rpt__buf_free(&text);
    return found;
}

static rpt_status_t fail_busy(const struct rpt_folder *folder)
{
    struct holder holder;
    bool known = read_holder(folder, &holder);

    rpt__fail(RPT_ERR_BUSY, "another job uses the state directory %s",
              folder->path);
    if (known) {
        time_t start = (time_t)holder.start_s;
        struct tm utc;
        char since[64] = "";

        gmtime_r(&start, &utc);
        strftime(since, sizeof since, "%Y-%m-%d %H:%M:%S UTC", &utc);
        rpt__fail_why("process %d on host %s has held it since %s", holder.pid,
                      holder.host, since);
    } else {
        rpt__fail_why("its lock is held by a process that is just starting");
    }
    rpt__fail_hint("wait until that job has ended or end it, or give this one "
                   "a directory of its own");
    return RPT_ERR_BUSY;
}

/* ---- the lock ---- */

static bool no_locks_here(int error)
{
    return error == ENOLCK || error == ENOSYS || error == EOPNOTSUPP ||
           error == EINVAL;
}

static void warn_no_locks(const struct rpt_folder *folder, int error)
{
    static atomic_flag warned = ATOMIC_FLAG_INIT;

    if (!atomic_flag_test_and_set(&warned)) {
        rpt__log(RPT_LOG_WARN,
                 "the file system of %s has no locks (%s): a second job in "
                 "the same directory will not be refused",
                 folder->path, strerror(error));
    }
}

static rpt_status_t take_lock(const struct rpt_folder *folder,
                              struct rpt_statedir *dir)
{
    int fd = rpt__disk()->open(folder->fd, lock_name, O_RDWR | O_CREAT);
    rpt_status_t status = RPT_OK;

    if (fd < 0) {
        return rpt__disk_fail(folder, lock_name, "open", errno, 0);
    }
    dir->locked = rpt__disk()->lock(fd) == 0;
    if (!dir->locked && (errno == EAGAIN || errno == EACCES)) {
        status = fail_busy(folder);
    } else if (!dir->locked && no_locks_here(errno)) {
        warn_no_locks(folder, errno);
    } else if (!dir->locked) {
        status = rpt__disk_fail(folder, lock_name, "lock", errno, 0);
    }
    if (status != RPT_OK) {
        close(fd);
        return status;
    }
    dir->lock_fd = fd;
    return RPT_OK;
}

/* ---- opening ---- */

static rpt_status_t make_folder(const char *path, struct rpt_folder *folder)
{
    bool made = mkdir(path, 0777) == 0;
    rpt_status_t status;
    int parent;

    if (!made && errno != EEXIST) {
        rpt__fail_errno(RPT_ERR_IO, errno, "cannot make the state directory %s",
                        path);
        rpt__fail_hint("choose a directory that you may write to, and whose "
                       "parent exists");
        return RPT_ERR_IO;
    }
    status = rpt__folder_open(path, folder);
    if (status == RPT_ERR_NOT_FOUND) {
        rpt__fail_errno(RPT_ERR_IO, ENOTDIR,
                        "cannot use %s as a state directory", path);
        rpt__fail_hint("choose another path");
        return RPT_ERR_IO;
    }
    if (made && status == RPT_OK) {
        parent = openat(folder->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (parent >= 0) {
            /* A parent that we may not read is synced by its owner. */
            rpt__disk()->sync_dir(parent);
            close(parent);
        }
    }
    return status;
}

/* What only the holder of the lock may do. */
static void sweep(const struct rpt_folder *folder,
                  const struct rpt_statedir *dir)
{
    struct rpt_files files = RPT_FILES_EMPTY;
    struct rpt_folder requests = { -1, "requests" };

    if (!dir->locked) {
        return;
    }
    requests.fd = openat(folder->fd, requests.path,
                         O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (requests.fd >= 0) {
        /* A younger one may be a request that is just being left. */
        rpt__files_sweep_aside(&requests, 3600);
        rpt__folder_close(&requests);
    }
    rpt__files_sweep_aside(folder, 0);
    if (rpt__files_load(folder, &files) == RPT_OK) {
        rpt__files_sweep(folder, &files);
    }
    rpt__files_free(&files);
}

static struct rpt_epoch this_job(int n_ranks)
{
    struct rpt_epoch self = { .pid = (int)getpid(),
                              .n_ranks = n_ranks,
                              .start_s = rpt__wall_s() };

    if (gethostname(self.host, sizeof self.host - 1) != 0 ||
        self.host[0] == '\0') {
        snprintf(self.host, sizeof self.host, "unknown");
    }
    return self;
}

rpt_status_t rpt__statedir_open(const char *path, int n_ranks,
                                struct rpt_statedir **dir_out,
                                uint64_t *epoch_out)
{
    struct rpt_epoch self = this_job(n_ranks);
    struct rpt_statedir *dir = malloc(sizeof *dir);
    struct rpt_folder folder;
    rpt_status_t status;

    if (dir == NULL) {
        return rpt__fail_nomem(sizeof *dir);
    }
    *dir = (struct rpt_statedir){ -1, false };
    status = make_folder(path, &folder);
    if (status != RPT_OK) {
        free(dir);
        return status;
    }
    status = take_lock(&folder, dir);
    if (status == RPT_OK) {
        sweep(&folder, dir);
        status = write_holder(&folder, dir->lock_fd, &self);
    }
    if (status == RPT_OK) {
        status = rpt__epoch_take(&folder, &self, epoch_out);
    }
    rpt__folder_close(&folder);
    if (status != RPT_OK) {
        rpt__statedir_close(dir);
        return status;
    }
    *dir_out = dir;
    return RPT_OK;
}

void rpt__statedir_close(struct rpt_statedir *dir)
{
    if (dir == NULL) {
        return;
    }
    if (dir->lock_fd >= 0) {
        /* An empty text says that nobody is there, also without locks. */
        rpt__disk()->truncate(dir->lock_fd, 0);
        close(dir->lock_fd);
    }
    free(dir);
}

/* ---- looking from outside ---- */

/* Without locks all that is known is what the holder wrote. */
static bool seems_alive(const struct rpt_folder *folder)
{
    struct rpt_epoch self = this_job(0);
    struct holder holder;

    if (!read_holder(folder, &holder)) {
        return false;
    }
    return strcmp(holder.host, self.host) != 0 || kill(holder.pid, 0) == 0 ||
           errno == EPERM;
}

static rpt_status_t is_held(const struct rpt_folder *folder, bool *held_out,
                            bool *used_out)
{
    /* A read lock: this descriptor need not be writable. */
    struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
    int fd = rpt__disk()->open(folder->fd, lock_name, O_RDONLY);

    *used_out = fd >= 0;
    *held_out = false;
    if (fd < 0 && errno == ENOENT) {
        return RPT_OK;
    }
    if (fd < 0) {
        return rpt__disk_fail(folder, lock_name, "open", errno, 0);
    }
    *held_out = fcntl(fd, F_OFD_GETLK, &lock) == 0 ? lock.l_type != F_UNLCK
                                                   : seems_alive(folder);
    close(fd);
    return RPT_OK;
}

static rpt_status_t last_job(const struct rpt_folder *folder,
                             struct rpt_statedir_info *info)
{
    struct rpt_files files = RPT_FILES_EMPTY;
    struct rpt_epoch epoch = { "", 0, 0, 0 };
    rpt_status_t status = rpt__files_load(folder, &files);

    if (status == RPT_OK && files.n_epochs > 0) {
        info->epoch = files.epochs[files.n_epochs - 1];
        status = rpt__epoch_read(folder, info->epoch, &epoch, NULL, NULL);
        if (status == RPT_END) {
            rpt__fail(RPT_ERR_BUSY, "%s changed while it was read",
                      folder->path);
            rpt__fail_hint("try again");
            status = RPT_ERR_BUSY;
        }
    }
    if (status == RPT_OK) {
        info->n_ranks = epoch.n_ranks;
        info->pid = epoch.pid;
        memcpy(info->host, epoch.host, sizeof info->host);
    }
    rpt__files_free(&files);
    return status;
}

rpt_status_t rpt__statedir_info(const char *path,
                                struct rpt_statedir_info *info_out)
{
    struct rpt_statedir_info info = { .running = false };
    struct rpt_folder folder;
    bool used;
    rpt_status_t status = rpt__folder_open(path, &folder);

    if (status != RPT_OK) {
        return status;
    }
    status = is_held(&folder, &info.running, &used);
    if (status == RPT_OK) {
        status = last_job(&folder, &info);
    }
    rpt__folder_close(&folder);
    if (status == RPT_OK && !used && info.epoch == 0) {
        rpt__fail(RPT_ERR_NOT_FOUND, "%s is no state directory", path);
        rpt__fail_why("it has neither a lock nor an epoch file");
        rpt__fail_hint("check the path");
        return RPT_ERR_NOT_FOUND;
    }
    if (status == RPT_OK) {
        *info_out = info;
    }
    return status;
}
