/*
 * sink.c - a file that the command writes as the job goes on
 *
 * Lines gather in memory and are written once a turn of the driver, so that a
 * reader sees whole lines soon.  The file is opened before the job, so that a
 * bad name costs nothing, and emptied when the job is known to be ours.
 */
#include "cli/sink.h"

#include "cli/outfile.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int sink_open(struct sink *sink, const char *path, struct fault *fault)
{
    *sink = (struct sink){ path, -1, { NULL, 0, 0 }, 0 };
    if (path == NULL) {
        return CODE_OK;
    }
    sink->fd = outfile_open(path);
    if (sink->fd < 0) {
        fault_set(fault, CODE_IO, "%s cannot be written", path);
        fault_why(fault, "%s", strerror(errno));
        fault_hint(fault, "give a file in a directory that exists and that "
                          "you may write to");
        return CODE_IO;
    }
    return CODE_OK;
}

void sink_begin(struct sink *sink)
{
    struct stat info;

    if (sink->fd >= 0 && fstat(sink->fd, &info) == 0 && S_ISREG(info.st_mode) &&
        !outfile_is_ours(sink->path) && ftruncate(sink->fd, 0) != 0) {
        sink->error = errno;
    }
}

void sink_flush(struct sink *sink)
{
    if (sink->fd < 0 || sink->pending.bytes == 0) {
        return;
    }
    if (sink->error == 0) {
        sink->error = write_all(sink->fd, sink->pending.data,
                                sink->pending.bytes);
    }
    text_clear(&sink->pending);
}

int sink_status(const struct sink *sink, struct fault *fault)
{
    if (sink->error == 0) {
        return CODE_OK;
    }
    fault_set(fault, CODE_IO, "%s could not be written", sink->path);
    fault_why(fault, "%s", strerror(sink->error));
    fault_hint(fault, "make room; with --state the same command resumes and "
                      "writes the file anew");
    return CODE_IO;
}

void sink_close(struct sink *sink)
{
    sink_flush(sink);
    if (sink->fd >= 0 && close(sink->fd) != 0 && sink->error == 0) {
        sink->error = errno;
    }
    sink->fd = -1;
    text_free(&sink->pending);
}
