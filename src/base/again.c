/*
 * again.c - calls on files, again when a signal has interrupted them
 */
#include "base/again.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int rpt__open_again(int dir, const char *path, int flags, mode_t mode)
{
    int fd;

    do {
        fd = openat(dir, path, flags | O_CLOEXEC, mode);
    } while (fd < 0 && errno == EINTR);
    return fd;
}

int rpt__truncate_file(int fd, uint64_t bytes)
{
    int result;

    do {
        result = ftruncate(fd, (off_t)bytes);
    } while (result != 0 && errno == EINTR);
    return result == 0 ? 0 : errno;
}

int rpt__sync_file(int fd, bool only_data)
{
    int result;

    do {
        result = only_data ? fdatasync(fd) : fsync(fd);
    } while (result != 0 && errno == EINTR);
    return result == 0 ? 0 : errno;
}

void rpt__sync_soon(int fd, uint64_t offset, uint64_t bytes)
{
    sync_file_range(fd, (off_t)offset, (off_t)bytes, SYNC_FILE_RANGE_WRITE);
}

int rpt__write_at(int fd, const void *data, size_t bytes, uint64_t offset)
{
    const char *next = data;

    while (bytes > 0) {
        ssize_t n = pwrite(fd, next, bytes, (off_t)offset);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n < 0 ? errno : EIO;
        }
        next += n;
        offset += (uint64_t)n;
        bytes -= (size_t)n;
    }
    return 0;
}

int rpt__read_at(int fd, void *data, size_t bytes, uint64_t offset)
{
    char *next = data;

    while (bytes > 0) {
        ssize_t n = pread(fd, next, bytes, (off_t)offset);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n < 0 ? errno : ENODATA;
        }
        next += n;
        offset += (uint64_t)n;
        bytes -= (size_t)n;
    }
    return 0;
}
