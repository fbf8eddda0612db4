/*
 * file.h - opening a file that a person named
 */
#ifndef RPT_BASE_FILE_H
#define RPT_BASE_FILE_H

#include <stdio.h>

/* For reading.  NULL: it cannot be opened (errno), or it is no regular file:
 * then *why_out says so ("it is a directory"), else that is NULL.  A FIFO
 * would make us wait for somebody who writes, and a device may have no end. */
FILE *rpt__file_open(const char *path, const char **why_out);

#endif /* RPT_BASE_FILE_H */
