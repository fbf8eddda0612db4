/*
 * holder.c - who has the checkpoints of a task open, for who is outside
 *
 * Whether the lock is held is asked of the kernel; its file says who took it
 * last, and stays when that job has ended.
 */
#include "io/checkpoint/events.h"

#include "base/buf.h"
#include "base/log.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void rpt__holder_write(const struct rpt_dir *task, int fd, const char *host)
{
    char text[256];
    int n = snprintf(text, sizeof text, "host %.127s\npid %d\n", host,
                     (int)getpid());
    int error = rpt__truncate_file(fd, 0);

    if (error == 0) {
        error = rpt__write_at(fd, text, (size_t)n, 0);
    }
    if (error != 0) {
        rpt__log(RPT_LOG_WARN, "%s/lock does not say who has it: %s",
                 task->path, strerror(error));
    }
}

void rpt__holder_read(const struct rpt_dir *task, struct rpt_holder *holder_out)
{
    struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
    struct rpt_holder holder = { .pid = 0 };
    struct rpt_buf text = RPT_BUF_EMPTY;
    int fd;

    if (rpt__dir_open_file(task, "lock", false, &fd) == RPT_OK) {
        holder.is_held = fcntl(fd, F_OFD_GETLK, &lock) == 0 &&
                         lock.l_type != F_UNLCK;
        close(fd);
        if (rpt__dir_read_all(task, "lock", 4096, &text) == RPT_OK &&
            sscanf(text.data, "host %127s pid %9d", holder.host, &holder.pid) !=
                2) {
            holder.host[0] = '\0';
            holder.pid = 0;
        }
        rpt__buf_free(&text);
    }
    *holder_out = holder;
}
