/*
 * fds.c - the calls that are given a file descriptor
 *
 * Each asks whether it is about the folder, fills in where and how much, and
 * makes the real call between disk_begin() and disk_end().  Of the bytes, the
 * real call gets as many as the rules allow.
 */
#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* Where a call without an offset will read or write. */
static int64_t here(int fd)
{
    const int error = errno;
    const off_t at = lseek(fd, 0, SEEK_CUR);

    errno = error;
    return at;
}

static int64_t bytes_in(const struct iovec *parts, int n)
{
    int64_t bytes = 0;

    for (int i = 0; i < n && i < IOV_MAX; i++) {
        bytes += (int64_t)parts[i].iov_len;
    }
    return bytes;
}

/* The parts that hold the bytes allowed: those given, or a copy. */
struct parts {
    const struct iovec *first;
    int n;
    struct iovec copy[IOV_MAX];
};

static void limit(struct parts *parts, const struct disk_call *call)
{
    size_t left = call->allowed;
    int n = 0;

    if ((int64_t)left >= call->bytes) {
        return;
    }
    while (n < parts->n && left > 0) {
        parts->copy[n] = parts->first[n];
        if (parts->copy[n].iov_len > left) {
            parts->copy[n].iov_len = left;
        }
        left -= parts->copy[n].iov_len;
        n++;
    }
    parts->first = parts->copy;
    parts->n = n;
}

#define ONE_BUFFER(name, buffer)                                               \
    ssize_t name(int fd, buffer data, size_t n)                                \
    {                                                                          \
        struct disk_call call;                                                 \
                                                                               \
        if (!disk_watch_fd(&call, DISK_##name, fd)) {                          \
            return DISK_NEXT(name)(fd, data, n);                               \
        }                                                                      \
        call.offset = here(fd);                                                \
        call.bytes = (int64_t)n;                                               \
        return DISK_AROUND(&call, DISK_NEXT(name)(fd, data, call.allowed));    \
    }

#define ONE_BUFFER_AT(name, name64, buffer)                                    \
    ssize_t name(int fd, buffer data, size_t n, off_t at)                      \
    {                                                                          \
        struct disk_call call;                                                 \
                                                                               \
        if (!disk_watch_fd(&call, DISK_##name, fd)) {                          \
            return DISK_NEXT(name)(fd, data, n, at);                           \
        }                                                                      \
        call.offset = at;                                                      \
        call.bytes = (int64_t)n;                                               \
        return DISK_AROUND(&call,                                              \
                           DISK_NEXT(name)(fd, data, call.allowed, at));       \
    }                                                                          \
    ssize_t name64(int fd, buffer data, size_t n, off64_t at)                  \
    {                                                                          \
        return name(fd, data, n, at);                                          \
    }

ONE_BUFFER(write, const void *)
ONE_BUFFER(read, void *)
ONE_BUFFER_AT(pwrite, pwrite64, const void *)
ONE_BUFFER_AT(pread, pread64, void *)

/* real is the call that has parts.first and parts.n. */
#define IN_PARTS(name, fd, vector, count, at, real)                            \
    struct parts parts;                                                        \
    struct disk_call call;                                                     \
                                                                               \
    parts.first = vector;                                                      \
    parts.n = count;                                                           \
    if (!disk_watch_fd(&call, DISK_##name, fd)) {                              \
        return real;                                                           \
    }                                                                          \
    call.offset = at;                                                          \
    call.bytes = bytes_in(vector, count);                                      \
    return DISK_AROUND(&call, (limit(&parts, &call), real))

ssize_t writev(int fd, const struct iovec *vector, int n)
{
    IN_PARTS(writev, fd, vector, n, here(fd),
             DISK_NEXT(writev)(fd, parts.first, parts.n));
}

ssize_t readv(int fd, const struct iovec *vector, int n)
{
    IN_PARTS(readv, fd, vector, n, here(fd),
             DISK_NEXT(readv)(fd, parts.first, parts.n));
}

#define IN_PARTS_AT(name, name64)                                              \
    ssize_t name(int fd, const struct iovec *vector, int n, off_t at)          \
    {                                                                          \
        IN_PARTS(name, fd, vector, n, at,                                      \
                 DISK_NEXT(name)(fd, parts.first, parts.n, at));               \
    }                                                                          \
    ssize_t name64(int fd, const struct iovec *vector, int n, off64_t at)      \
    {                                                                          \
        return name(fd, vector, n, at);                                        \
    }

#define IN_PARTS_WITH_FLAGS(name, name64)                                      \
    ssize_t name(int fd, const struct iovec *vector, int n, off_t at,          \
                 int flags)                                                    \
    {                                                                          \
        IN_PARTS(name, fd, vector, n, at < 0 ? here(fd) : at,                  \
                 DISK_NEXT(name)(fd, parts.first, parts.n, at, flags));        \
    }                                                                          \
    ssize_t name64(int fd, const struct iovec *vector, int n, off64_t at,      \
                   int flags)                                                  \
    {                                                                          \
        return name(fd, vector, n, at, flags);                                 \
    }

IN_PARTS_AT(pwritev, pwritev64)
IN_PARTS_AT(preadv, preadv64)
IN_PARTS_WITH_FLAGS(pwritev2, pwritev64v2)
IN_PARTS_WITH_FLAGS(preadv2, preadv64v2)

/* What programs call that were compiled with _FORTIFY_SOURCE. */
ssize_t __read_chk(int fd, void *data, size_t n, size_t size);
ssize_t __pread_chk(int fd, void *data, size_t n, off_t at, size_t size);
ssize_t __pread64_chk(int fd, void *data, size_t n, off64_t at, size_t size);

ssize_t __read_chk(int fd, void *data, size_t n, size_t size)
{
    if (n > size) {
        abort();
    }
    return read(fd, data, n);
}

ssize_t __pread_chk(int fd, void *data, size_t n, off_t at, size_t size)
{
    if (n > size) {
        abort();
    }
    return pread(fd, data, n, at);
}

ssize_t __pread64_chk(int fd, void *data, size_t n, off64_t at, size_t size)
{
    return __pread_chk(fd, data, n, at, size);
}

ssize_t copy_file_range(int from, off64_t *from_at, int to, off64_t *to_at,
                        size_t n, unsigned flags)
{
    struct disk_call call;

    if (!disk_watch_fds(&call, DISK_copy_file_range, from, to)) {
        return DISK_NEXT(copy_file_range)(from, from_at, to, to_at, n, flags);
    }
    call.offset = to_at != NULL ? *to_at : here(to);
    call.bytes = (int64_t)n;
    return DISK_AROUND(&call,
                       DISK_NEXT(copy_file_range)(from, from_at, to, to_at,
                                                  call.allowed, flags));
}

ssize_t sendfile(int to, int from, off_t *from_at, size_t n)
{
    struct disk_call call;

    if (!disk_watch_fds(&call, DISK_sendfile, from, to)) {
        return DISK_NEXT(sendfile)(to, from, from_at, n);
    }
    call.offset = here(to);
    call.bytes = (int64_t)n;
    return DISK_AROUND(&call,
                       DISK_NEXT(sendfile)(to, from, from_at, call.allowed));
}

ssize_t sendfile64(int to, int from, off64_t *from_at, size_t n)
{
    return sendfile(to, from, from_at, n);
}

/* Of all requests only those that clone a file. */
int ioctl(int fd, unsigned long request, ...)
{
    struct disk_call call;
    va_list list;

    va_start(list, request);
    void *data = va_arg(list, void *);
    va_end(list);
    if (request == FICLONE) {
        const int from = (int)(intptr_t)data;
        if (disk_watch_fds(&call, DISK_ioctl, from, fd)) {
            call.offset = 0;
            return (int)DISK_AROUND(&call, DISK_NEXT(ioctl)(fd, request, data));
        }
    } else if (request == FICLONERANGE) {
        const struct file_clone_range *range = data;
        if (disk_watch_fds(&call, DISK_ioctl, (int)range->src_fd, fd)) {
            call.offset = (int64_t)range->dest_offset;
            call.bytes = (int64_t)range->src_length;
            return (int)DISK_AROUND(&call, DISK_NEXT(ioctl)(fd, request, data));
        }
    }
    return DISK_NEXT(ioctl)(fd, request, data);
}

/* Calls of one file without data, and with nothing more to say of them. */
#define OF_A_FILE(name, parameters, arguments)                                 \
    int name parameters                                                        \
    {                                                                          \
        struct disk_call call;                                                 \
                                                                               \
        if (!disk_watch_fd(&call, DISK_##name, fd)) {                          \
            return DISK_NEXT(name) arguments;                                  \
        }                                                                      \
        return (int)DISK_AROUND(&call, DISK_NEXT(name) arguments);             \
    }

OF_A_FILE(fsync, (int fd), (fd))
OF_A_FILE(fdatasync, (int fd), (fd))
OF_A_FILE(syncfs, (int fd), (fd))
OF_A_FILE(close, (int fd), (fd))
OF_A_FILE(dup, (int fd), (fd))
OF_A_FILE(dup2, (int fd, int as), (fd, as))
OF_A_FILE(dup3, (int fd, int as, int flags), (fd, as, flags))
OF_A_FILE(fchmod, (int fd, mode_t mode), (fd, mode))

/* Calls of a range of a file. */
#define OF_A_RANGE(name, parameters, arguments, begin, length)                 \
    int name parameters                                                        \
    {                                                                          \
        struct disk_call call;                                                 \
                                                                               \
        if (!disk_watch_fd(&call, DISK_##name, fd)) {                          \
            return DISK_NEXT(name) arguments;                                  \
        }                                                                      \
        call.offset = begin;                                                   \
        call.bytes = length;                                                   \
        return (int)DISK_AROUND(&call, DISK_NEXT(name) arguments);             \
    }

OF_A_RANGE(sync_file_range, (int fd, off64_t at, off64_t n, unsigned flags),
           (fd, at, n, flags), at, n)
OF_A_RANGE(ftruncate, (int fd, off_t size), (fd, size), size, -1)
OF_A_RANGE(fallocate, (int fd, int mode, off_t at, off_t n), (fd, mode, at, n),
           at, n)

int ftruncate64(int fd, off64_t size)
{
    return ftruncate(fd, size);
}

int fallocate64(int fd, int mode, off64_t at, off64_t n)
{
    return fallocate(fd, mode, at, n);
}

/* It gives the error and leaves errno alone. */
static int posix_fallocate_errno(int fd, off_t at, off_t n)
{
    const int error = DISK_NEXT(posix_fallocate)(fd, at, n);

    errno = error;
    return error == 0 ? 0 : -1;
}

int posix_fallocate(int fd, off_t at, off_t n)
{
    struct disk_call call;

    if (!disk_watch_fd(&call, DISK_posix_fallocate, fd)) {
        return DISK_NEXT(posix_fallocate)(fd, at, n);
    }
    call.offset = at;
    call.bytes = n;
    const int64_t result = DISK_AROUND(&call, posix_fallocate_errno(fd, at, n));
    const int error = result == 0 ? 0 : errno;
    errno = call.saved_errno;
    return error;
}

int posix_fallocate64(int fd, off64_t at, off64_t n)
{
    return posix_fallocate(fd, at, n);
}

/* Only noted: what goes through the mapping is not seen. */
void *mmap(void *address, size_t n, int protection, int flags, int fd, off_t at)
{
    struct disk_call call;

    if (!disk_is_active || fd < 0 || (flags & MAP_ANONYMOUS) != 0 ||
        !disk_watch_fd(&call, DISK_mmap, fd)) {
        return DISK_NEXT(mmap)(address, n, protection, flags, fd, at);
    }
    call.offset = at;
    call.bytes = (int64_t)n;
    disk_begin(&call);
    void *mapped = DISK_NEXT(mmap)(address, n, protection, flags, fd, at);
    disk_end(&call, mapped == MAP_FAILED ? -1 : 0);
    return mapped;
}

void *mmap64(void *address, size_t n, int protection, int flags, int fd,
             off64_t at)
{
    return mmap(address, n, protection, flags, fd, at);
}
