/*
 * outfile.c - a file that the user names, and what may stand in its place
 *
 * A name can be that of a link, of a device or a pipe, or of the file that our
 * own standard output goes to (/dev/stdout).  A rename would put a regular file
 * into the place of each of them: so only a regular file is replaced, where the
 * links lead to, by one that is written beside it; everything else is written
 * to as it is.  Not handled: other hard links of a file, which keep what was.
 */
#include "cli/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_LINKS = 40, MOST_ASIDE = 100 };

/* ---- what is written to as it is ---- */

/* Our descriptor of this file, or -1. */
static int standard_one(const struct stat *file)
{
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
        struct stat ours;

        if (fstat(fd, &ours) == 0 && ours.st_dev == file->st_dev &&
            ours.st_ino == file->st_ino) {
            return fd;
        }
    }
    return -1;
}

bool outfile_is_ours(const char *path)
{
    struct stat file;

    return stat(path, &file) == 0 && standard_one(&file) >= 0;
}

/* A second descriptor of our own file would have a position of its own, and
 * write over what we print; a socket has no second one. */
int outfile_open(const char *path)
{
    struct stat file;
    int ours = stat(path, &file) == 0 ? standard_one(&file) : -1;

    if (ours >= 0) {
        fflush(ours == STDOUT_FILENO ? stdout : stderr);
        return fcntl(ours, F_DUPFD_CLOEXEC, 0);
    }
    return open(path, O_WRONLY | O_CREAT | O_NOCTTY | O_CLOEXEC, 0666);
}

static bool is_replaced(const char *path)
{
    struct stat file;

    return stat(path, &file) != 0 ||
           (S_ISREG(file.st_mode) && standard_one(&file) < 0);
}

int write_all(int fd, const void *data, size_t bytes)
{
    const char *next = data;

    while (bytes > 0) {
        ssize_t n = write(fd, next, bytes);

        if (n < 0 && errno != EINTR) {
            return errno;
        }
        if (n > 0) {
            next += n;
            bytes -= (size_t)n;
        }
    }
    return 0;
}

static int write_to(const char *path, const struct text *text)
{
    int fd = outfile_open(path), error;

    if (fd < 0) {
        return errno;
    }
    error = write_all(fd, text->data, text->bytes);
    return close(fd) != 0 && error == 0 ? errno : error;
}

/* ---- what is replaced ---- */

/* The name that the links lead to, whether or not there is a file; NULL, and
 * errno. */
static char *behind_links(const char *path)
{
    char *name = copy_string(path), target[PATH_MAX];

    for (int n = 0; n < MOST_LINKS; n++) {
        ssize_t bytes = readlink(name, target, sizeof target);
        struct text next = { NULL, 0, 0 };

        if (bytes < 0) {
            return name;
        }
        if (target[0] != '/') {
            text_printf(&next, "%s/", dirname(name));
        }
        text_add(&next, target, (size_t)bytes);
        free(name);
        name = next.data;
    }
    free(name);
    errno = ELOOP;
    return NULL;
}

/* Opens a file in the folder of `name`, which is short because `name` may be as
 * long as names can be; what an earlier one of us left there is passed over.
 * -1, and errno. */
static int open_aside(const char *name, struct text *aside)
{
    const char *slash = strrchr(name, '/');
    int folder = slash == NULL ? 0 : (int)(slash + 1 - name), fd = -1;

    for (int i = 0; fd < 0 && i < MOST_ASIDE; i++) {
        text_clear(aside);
        text_printf(aside, "%.*s.repartir-%d-%d", folder, name, (int)getpid(),
                    i);
        fd = open(aside->data, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd < 0 && errno != EEXIST) {
            return -1;
        }
    }
    return fd;
}

/* It has the permissions of the file that was there. */
static int write_aside(int fd, const char *aside, const char *name,
                       const struct text *text)
{
    struct stat old;
    int error = write_all(fd, text->data, text->bytes);

    if (error == 0 && ((stat(name, &old) == 0 &&
                        fchmod(fd, old.st_mode & (mode_t)0777) != 0) ||
                       fsync(fd) != 0)) {
        error = errno;
    }
    error = close(fd) != 0 && error == 0 ? errno : error;
    if (error == 0 && rename(aside, name) != 0) {
        error = errno;
    }
    if (error != 0) {
        unlink(aside);
    }
    return error;
}

/* Signals that would leave the file aside behind are ignored meanwhile. */
int outfile_replace(const char *path, const struct text *text)
{
    void (*on_interrupt)(int), (*on_end)(int);
    struct text aside = { NULL, 0, 0 };
    char *name;
    int fd, error;

    if (!is_replaced(path)) {
        return write_to(path, text);
    }
    name = behind_links(path);
    if (name == NULL) {
        return errno;
    }
    on_interrupt = signal(SIGINT, SIG_IGN);
    on_end = signal(SIGTERM, SIG_IGN);
    fd = open_aside(name, &aside);
    error = fd < 0 ? errno : write_aside(fd, aside.data, name, text);
    signal(SIGINT, on_interrupt);
    signal(SIGTERM, on_end);
    text_free(&aside);
    free(name);
    return error;
}

/* ---- before ---- */

static int check_folder(const char *path)
{
    char *name = behind_links(path);
    size_t bytes = name == NULL ? 0 : strlen(name);
    struct stat file;
    int error = 0;

    if (name == NULL) {
        return errno;
    }
    if (bytes == 0 || name[bytes - 1] == '/') {
        error = EISDIR;
    } else if (lstat(name, &file) != 0 && errno != ENOENT) {
        error = errno;
    } else if (access(dirname(name), W_OK | X_OK) != 0) {
        error = errno;
    }
    free(name);
    return error;
}

int outfile_check(const char *path)
{
    struct stat file;
    bool is_there = stat(path, &file) == 0;

    if (is_there && S_ISDIR(file.st_mode)) {
        return EISDIR;
    }
    if (is_there && standard_one(&file) < 0 && access(path, W_OK) != 0) {
        return errno;
    }
    return is_replaced(path) ? check_folder(path) : 0;
}
