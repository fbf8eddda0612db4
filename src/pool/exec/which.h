/*
 * which.h - the file of a program, and why it cannot be run
 */
#ifndef RPT_POOL_EXEC_WHICH_H
#define RPT_POOL_EXEC_WHICH_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/* A name with a slash is taken as it is; another one is searched in
 * search_path (NULL: /bin:/usr/bin).  Relative names begin at the directory
 * `dir`.  0, or errno and a message of up to message_bytes. */
int rpt__which(const char *name, const char *search_path, int dir,
               char found_out[PATH_MAX], char *message, size_t message_bytes);

/* Puts into words why execve() of the file failed with `error`. */
void rpt__which_explain(const char *file, int dir, int error, char *message,
                        size_t message_bytes);

/* Whether a file that execve() did not know is text, for /bin/sh to try. */
bool rpt__which_is_text(const char *file, int dir);

#endif /* RPT_POOL_EXEC_WHICH_H */
