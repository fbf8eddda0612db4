/*
 * outfile.h - a file that the user names, and what may stand in its place
 */
#ifndef CLI_OUTFILE_H
#define CLI_OUTFILE_H

#include "cli/text.h"

#include <stdbool.h>

/* Whether the file is what standard output or standard error goes to. */
bool outfile_is_ours(const char *path);

/* Opens it for writing, and leaves what is in it; what is ours goes on where
 * it is.  -1, and errno. */
int outfile_open(const char *path);

/* Whether outfile_replace() will find a place to write to; errno or 0. */
int outfile_check(const char *path);

/* Gives a file a new content, in one step.  Links lead to the file, which may
 * be new, and stay; a device, a pipe and what is ours are written to.  errno
 * or 0. */
int outfile_replace(const char *path, const struct text *text);

/* Writes everything to a descriptor; errno or 0. */
int write_all(int fd, const void *data, size_t bytes);

#endif /* CLI_OUTFILE_H */
