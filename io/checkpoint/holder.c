/*
 * holder.c - who has the checkpoints of a task open
 *
 * The lock is the kernel's, of a file that says who took it last, and stays
 * when that job has ended.  Who removes a task has its lock, and renames the
 * folder first or removes the lock's file: so who takes the lock looks whether
 * that file still has its name.
 */
#include "io/checkpoint/events.h"

#include "base/again.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/log.h"
#include "io/checkpoint/format.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK "lock"

/* Into the lock's file; what fails is a warning. */
static void write_holder(const struct rpt_dir *task, int fd, const char *host)
{
    char text[256];
    int n = snprintf(text, sizeof text, "host %.127s\npid %d\n", host,
                     (int)getpid());
    int error = rpt__truncate_file(fd, 0);

    if (error == 0) {
        error = rpt__write_at(fd, text, (size_t)n, 0);
    }
    if (error != 0) {
        rpt__log(RPT_LOG_WARN, "%s/" LOCK " does not say who has it: %s",
                 task->path, strerror(error));
    }
}

void rpt__holder_read(const struct rpt_dir *task, struct rpt_holder *holder_out)
{
    struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
    struct rpt_holder holder = { .pid = 0 };
    struct rpt_buf text = RPT_BUF_EMPTY;
    int fd;

    if (rpt__dir_open_file(task, LOCK, false, &fd) == RPT_OK) {
        holder.is_held = fcntl(fd, F_OFD_GETLK, &lock) == 0 &&
                         lock.l_type != F_UNLCK;
        close(fd);
        if (rpt__dir_read_all(task, LOCK, 4096, &text) == RPT_OK &&
            sscanf(text.data, "host %127s pid %9d", holder.host, &holder.pid) !=
                2) {
            holder.host[0] = '\0';
            holder.pid = 0;
        }
        rpt__buf_free(&text);
    }
    *holder_out = holder;
}

static rpt_status_t fail_busy(const struct rpt_dir *task)
{
    struct rpt_holder holder;

    rpt__holder_read(task, &holder);
    rpt__fail(RPT_ERR_BUSY, "another job writes the checkpoints in %s",
              task->path);
    if (holder.pid != 0) {
        rpt__fail_why("process %d on host %s holds its lock", holder.pid,
                      holder.host);
    }
    rpt__fail_hint("wait until that job has ended or end it, or give this one "
                   "another directory or task name");
    return RPT_ERR_BUSY;
}

static bool has_checkpoints(const struct rpt_dir *task)
{
    struct rpt_dir_names names = { NULL, 0 };
    bool has_some = rpt__dir_list(task, &names) != RPT_OK; /* who knows */
    uint64_t iteration, id;

    for (size_t i = 0; i < names.n && !has_some; i++) {
        has_some = rpt__folder_parse(names.list[i], &iteration, &id);
    }
    rpt__dir_names_free(&names);
    return has_some;
}

/* RPT_END: there is no room for it, and nothing was ever saved. */
static rpt_status_t open_lock(const struct rpt_dir *task, int *fd_out)
{
    int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK, error;
    bool is_new;

    *fd_out = rpt__open_again(task->fd, LOCK, flags | O_CREAT, 0664);
    error = errno;
    if (*fd_out < 0 && rpt__is_full(error)) {
        /* One that is there needs no room. */
        *fd_out = rpt__open_again(task->fd, LOCK, flags, 0);
    }
    if (*fd_out >= 0) {
        return RPT_OK;
    }
    is_new = rpt__is_full(error) && !has_checkpoints(task);
    rpt__dir_fail(task, LOCK, "open", error, 0);
    return is_new ? RPT_END : rpt_last_error()->status;
}

static bool is_in_place(const struct rpt_dir *top, const char *task, int fd)
{
    char path[256];
    struct stat mine, there;

    snprintf(path, sizeof path, "%s/" LOCK, task);
    return fstat(fd, &mine) == 0 &&
           fstatat(top->fd, path, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
           mine.st_dev == there.st_dev && mine.st_ino == there.st_ino;
}

rpt_status_t rpt__lock_take(const struct rpt_dir *top, const char *name,
                            const struct rpt_dir *task, const char *host,
                            int *fd_out)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    int fd = -1;
    rpt_status_t status = host != NULL
                              ? open_lock(task, &fd)
                              : rpt__dir_open_file(task, LOCK, true, &fd);

    if (status != RPT_OK) {
        return status;
    }
    if (fcntl(fd, F_OFD_SETLK, &lock) != 0) {
        if (errno == EAGAIN || errno == EACCES) {
            close(fd);
            return fail_busy(task);
        }
        rpt__log(RPT_LOG_WARN,
                 "the file system of %s has no locks (%s): another job that "
                 "writes there is not seen",
                 task->path, strerror(errno));
    }
    if (!is_in_place(top, name, fd)) {
        rpt__lock_give(fd);
        rpt__fail(RPT_ERR_BUSY, "%s was removed or renamed just now",
                  task->path);
        rpt__fail_hint("try it again");
        return RPT_PENDING;
    }
    if (host != NULL && host[0] != '\0') {
        write_holder(task, fd, host);
    }
    *fd_out = fd;
    return RPT_OK;
}

/* Also a child that was forked just now, and has not closed it yet, has this
 * lock: it is given back, not only closed. */
void rpt__lock_give(int fd)
{
    struct flock lock = { .l_type = F_UNLCK, .l_whence = SEEK_SET };

    if (fd >= 0) {
        (void)fcntl(fd, F_OFD_SETLK, &lock);
        close(fd);
    }
}
