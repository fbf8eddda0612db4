/*
 * sink.h - a file that the command writes as the job goes on
 */
#ifndef CLI_SINK_H
#define CLI_SINK_H

#include "cli/fault.h"
#include "cli/text.h"

struct sink {
    const char *path; /* NULL: no such file was asked for      */
    int fd;
    struct text pending;
    int error; /* errno of the first failed write, or 0 */
};

/* Opens the file, leaves what is in it: another job may be using it.  `path`
 * NULL is fine.  CODE_IO. */
int sink_open(struct sink *sink, const char *path, struct fault *fault);

/* Empties the file: now it is ours.  Not what we print to. */
void sink_begin(struct sink *sink);

/* Writes what is pending.  A failure is kept in `error`. */
void sink_flush(struct sink *sink);

/* CODE_IO, and the fault, when a write failed. */
int sink_status(const struct sink *sink, struct fault *fault);

/* Flushes, closes. */
void sink_close(struct sink *sink);

#endif /* CLI_SINK_H */
