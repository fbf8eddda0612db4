/*
 * again.h - calls on files, again when a signal has interrupted them
 *
 * What gives an int is 0 or an errno.
 */
#ifndef RPT_BASE_AGAIN_H
#define RPT_BASE_AGAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* openat() with O_CLOEXEC. */
int rpt__open_again(int dir, const char *path, int flags, mode_t mode);
int rpt__truncate_file(int fd, uint64_t bytes);
int rpt__sync_file(int fd, bool only_data);
/* Has the system begin to write these to the disk, and returns at once; a hint
 * for a sync that follows, and no failure. */
void rpt__sync_soon(int fd, uint64_t offset, uint64_t bytes);

/* All bytes, at an offset.  ENODATA: the file is shorter. */
int rpt__write_at(int fd, const void *data, size_t bytes, uint64_t offset);
int rpt__read_at(int fd, void *data, size_t bytes, uint64_t offset);

#endif /* RPT_BASE_AGAIN_H */
