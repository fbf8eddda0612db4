/*
 * names.c - the calls that are given a path
 *
 * As in fds.c.  Those that make up a name themselves (mkstemp, mkdtemp) are
 * known by the template before, and by the name afterwards.
 */
#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The third argument is there only if the flags say so. */
#define GET_MODE(flags, mode)                                                  \
    mode_t mode = 0;                                                           \
    if (((flags)&O_CREAT) != 0 || ((flags)&O_TMPFILE) == O_TMPFILE) {          \
        va_list list;                                                          \
        va_start(list, flags);                                                 \
        mode = va_arg(list, mode_t);                                           \
        va_end(list);                                                          \
    }

int open(const char *path, int flags, ...)
{
    struct disk_call call;

    GET_MODE(flags, mode)
    if (!disk_watch_path(&call, DISK_open, AT_FDCWD, path)) {
        return DISK_NEXT(open)(path, flags, mode);
    }
    call.flags = flags;
    return (int)DISK_AROUND(&call, DISK_NEXT(open)(path, flags, mode));
}

int open64(const char *path, int flags, ...)
{
    GET_MODE(flags, mode)
    return open(path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...)
{
    struct disk_call call;

    GET_MODE(flags, mode)
    if (!disk_watch_path(&call, DISK_openat, folder, path)) {
        return DISK_NEXT(openat)(folder, path, flags, mode);
    }
    call.flags = flags;
    return (int)DISK_AROUND(&call,
                            DISK_NEXT(openat)(folder, path, flags, mode));
}

int openat64(int folder, const char *path, int flags, ...)
{
    GET_MODE(flags, mode)
    return openat(folder, path, flags, mode);
}

/* What programs call that were compiled with _FORTIFY_SOURCE. */
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int folder, const char *path, int flags);
int __openat64_2(int folder, const char *path, int flags);

int __open_2(const char *path, int flags)
{
    return open(path, flags);
}

int __open64_2(const char *path, int flags)
{
    return open(path, flags);
}

int __openat_2(int folder, const char *path, int flags)
{
    return openat(folder, path, flags);
}

int __openat64_2(int folder, const char *path, int flags)
{
    return openat(folder, path, flags);
}

int creat(const char *path, mode_t mode)
{
    struct disk_call call;

    if (!disk_watch_path(&call, DISK_creat, AT_FDCWD, path)) {
        return DISK_NEXT(creat)(path, mode);
    }
    call.flags = O_WRONLY | O_CREAT | O_TRUNC;
    return (int)DISK_AROUND(&call, DISK_NEXT(creat)(path, mode));
}

int creat64(const char *path, mode_t mode)
{
    return creat(path, mode);
}

static int mkstemp_named(struct disk_call *call, char *path)
{
    const int fd = DISK_NEXT(mkstemp)(path);

    disk_rewatch_path(call, path);
    return fd;
}

int mkstemp(char *path)
{
    struct disk_call call;

    if (!disk_watch_path(&call, DISK_mkstemp, AT_FDCWD, path)) {
        return DISK_NEXT(mkstemp)(path);
    }
    call.flags = O_RDWR | O_CREAT | O_EXCL;
    return (int)DISK_AROUND(&call, mkstemp_named(&call, path));
}

int mkstemp64(char *path)
{
    return mkstemp(path);
}

static int mkostemp_named(struct disk_call *call, char *path, int flags)
{
    const int fd = DISK_NEXT(mkostemp)(path, flags);

    disk_rewatch_path(call, path);
    return fd;
}

int mkostemp(char *path, int flags)
{
    struct disk_call call;

    if (!disk_watch_path(&call, DISK_mkostemp, AT_FDCWD, path)) {
        return DISK_NEXT(mkostemp)(path, flags);
    }
    call.flags = O_RDWR | O_CREAT | O_EXCL | flags;
    return (int)DISK_AROUND(&call, mkostemp_named(&call, path, flags));
}

int mkostemp64(char *path, int flags)
{
    return mkostemp(path, flags);
}

static int mkdtemp_named(struct disk_call *call, char *path)
{
    const char *made = DISK_NEXT(mkdtemp)(path);

    disk_rewatch_path(call, path);
    return made != NULL ? 0 : -1;
}

char *mkdtemp(char *path)
{
    struct disk_call call;

    if (!disk_watch_path(&call, DISK_mkdtemp, AT_FDCWD, path)) {
        return DISK_NEXT(mkdtemp)(path);
    }
    return DISK_AROUND(&call, mkdtemp_named(&call, path)) == 0 ? path : NULL;
}

/* Calls of one path with nothing more to say of them. */
#define OF_A_PATH(name, parameters, arguments, folder)                         \
    int name parameters                                                        \
    {                                                                          \
        struct disk_call call;                                                 \
                                                                               \
        if (!disk_watch_path(&call, DISK_##name, folder, path)) {              \
            return DISK_NEXT(name) arguments;                                  \
        }                                                                      \
        return (int)DISK_AROUND(&call, DISK_NEXT(name) arguments);             \
    }

OF_A_PATH(unlink, (const char *path), (path), AT_FDCWD)
OF_A_PATH(unlinkat, (int at, const char *path, int flags), (at, path, flags),
          at)
OF_A_PATH(remove, (const char *path), (path), AT_FDCWD)
OF_A_PATH(rmdir, (const char *path), (path), AT_FDCWD)
OF_A_PATH(mkdir, (const char *path, mode_t mode), (path, mode), AT_FDCWD)
OF_A_PATH(mkdirat, (int at, const char *path, mode_t mode), (at, path, mode),
          at)

int truncate(const char *path, off_t size)
{
    struct disk_call call;

    if (!disk_watch_path(&call, DISK_truncate, AT_FDCWD, path)) {
        return DISK_NEXT(truncate)(path, size);
    }
    call.offset = size;
    return (int)DISK_AROUND(&call, DISK_NEXT(truncate)(path, size));
}

int truncate64(const char *path, off64_t size)
{
    return truncate(path, size);
}

/* Calls of two paths; those of the folders are given before them. */
#define OF_TWO_PATHS(name, parameters, arguments, from_at, to_at)              \
    int name parameters                                                        \
    {                                                                          \
        const struct disk_name old = { from_at, from };                        \
        const struct disk_name new = { to_at, to };                            \
        struct disk_call call;                                                 \
                                                                               \
        if (!disk_watch_paths(&call, DISK_##name, old, new)) {                 \
            return DISK_NEXT(name) arguments;                                  \
        }                                                                      \
        return (int)DISK_AROUND(&call, DISK_NEXT(name) arguments);             \
    }

OF_TWO_PATHS(rename, (const char *from, const char *to), (from, to), AT_FDCWD,
             AT_FDCWD)
OF_TWO_PATHS(renameat, (int at, const char *from, int into, const char *to),
             (at, from, into, to), at, into)
OF_TWO_PATHS(renameat2,
             (int at, const char *from, int into, const char *to,
              unsigned flags),
             (at, from, into, to, flags), at, into)
OF_TWO_PATHS(link, (const char *from, const char *to), (from, to), AT_FDCWD,
             AT_FDCWD)
OF_TWO_PATHS(linkat,
             (int at, const char *from, int into, const char *to, int flags),
             (at, from, into, to, flags), at, into)

/* What a link says is no path of a file; only where it stands counts. */
int symlink(const char *text, const char *path)
{
    struct disk_call call;

    if (!disk_watch_path(&call, DISK_symlink, AT_FDCWD, path)) {
        return DISK_NEXT(symlink)(text, path);
    }
    return (int)DISK_AROUND(&call, DISK_NEXT(symlink)(text, path));
}

int symlinkat(const char *text, int folder, const char *path)
{
    struct disk_call call;

    if (!disk_watch_path(&call, DISK_symlinkat, folder, path)) {
        return DISK_NEXT(symlinkat)(text, folder, path);
    }
    return (int)DISK_AROUND(&call, DISK_NEXT(symlinkat)(text, folder, path));
}
