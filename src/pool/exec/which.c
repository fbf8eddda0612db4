/*
 * which.c - the file of a program, and why it cannot be run
 *
 * execve() says "no such file" for a script whose interpreter is missing and
 * "permission denied" for a directory.  A person needs the exact reason, so it
 * is looked for afterwards, once a program did not start; those that start pay
 * nothing.
 */
#include "pool/exec/which.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIRST_BYTES = 256 };

static bool is_directory(const char *file, int dir)
{
    struct stat info;

    return fstatat(dir, file, &info, 0) == 0 && S_ISDIR(info.st_mode);
}

static bool is_runnable(const char *file, int dir)
{
    struct stat info;

    return faccessat(dir, file, X_OK, 0) == 0 &&
           fstatat(dir, file, &info, 0) == 0 && S_ISREG(info.st_mode);
}

/* DIRECTORY/name; an empty directory is the current one. */
static bool join(const char *directory, size_t bytes, const char *name,
                 char file_out[PATH_MAX])
{
    int n = bytes == 0 ? snprintf(file_out, PATH_MAX, "./%s", name)
                       : snprintf(file_out, PATH_MAX, "%.*s/%s", (int)bytes,
                                  directory, name);

    return n < PATH_MAX;
}

static int search(const char *name, const char *search_path, int dir,
                  char found_out[PATH_MAX], char *message, size_t message_bytes)
{
    char refused[PATH_MAX] = "";
    const char *at = search_path;

    for (;;) {
        size_t bytes = strcspn(at, ":");

        if (join(at, bytes, name, found_out)) {
            if (is_runnable(found_out, dir)) {
                return 0;
            }
            if (refused[0] == '\0' && faccessat(dir, found_out, F_OK, 0) == 0) {
                strcpy(refused, found_out);
            }
        }
        if (at[bytes] == '\0') {
            break;
        }
        at += bytes + 1;
    }
    if (refused[0] != '\0') {
        rpt__which_explain(refused, dir, EACCES, message, message_bytes);
        return EACCES;
    }
    snprintf(message, message_bytes, "%s: not found in PATH (%s)", name,
             search_path);
    return ENOENT;
}

int rpt__which(const char *name, const char *search_path, int dir,
               char found_out[PATH_MAX], char *message, size_t message_bytes)
{
    size_t bytes = strlen(name);

    if (bytes == 0) {
        snprintf(message, message_bytes, "the name of the program is empty");
        return ENOENT;
    }
    if (strchr(name, '/') == NULL) {
        return search(name, search_path != NULL ? search_path : "/bin:/usr/bin",
                      dir, found_out, message, message_bytes);
    }
    if (bytes >= PATH_MAX) {
        snprintf(message, message_bytes, "%.60s...: %s", name,
                 strerror(ENAMETOOLONG));
        return ENAMETOOLONG;
    }
    memcpy(found_out, name, bytes + 1);
    return 0;
}

/* The beginning of the file, ended with 0; its length. */
static size_t read_first(const char *file, int dir, char first[FIRST_BYTES])
{
    int fd = openat(dir, file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t n = fd >= 0 ? read(fd, first, FIRST_BYTES - 1) : 0;

    if (fd >= 0) {
        close(fd);
    }
    first[n > 0 ? n : 0] = '\0';
    return n > 0 ? (size_t)n : 0;
}

bool rpt__which_is_text(const char *file, int dir)
{
    char first[FIRST_BYTES];
    size_t bytes = read_first(file, dir, first);
    const char *line_end = memchr(first, '\n', bytes);

    if (line_end != NULL) {
        bytes = (size_t)(line_end - first);
    }
    return memchr(first, '\0', bytes) == NULL;
}

static void explain_missing(const char *file, int dir, char *message,
                            size_t message_bytes)
{
    char first[FIRST_BYTES];
    struct stat info;

    if (fstatat(dir, file, &info, AT_SYMLINK_NOFOLLOW) != 0) {
        snprintf(message, message_bytes, "%s: no such file", file);
    } else if (fstatat(dir, file, &info, 0) != 0) {
        snprintf(message, message_bytes,
                 "%s: a symbolic link that leads nowhere", file);
    } else if (read_first(file, dir, first) > 2 && first[0] == '#' &&
               first[1] == '!') {
        const char *name = first + 2 + strspn(first + 2, " \t");

        snprintf(message, message_bytes, "%s: its interpreter %.*s is missing",
                 file, (int)strcspn(name, " \t\r\n"), name);
    } else {
        snprintf(message, message_bytes,
                 "%s: its interpreter or loader is missing", file);
    }
}

static void explain_refused(const char *file, int dir, char *message,
                            size_t message_bytes)
{
    struct stat info;

    if (is_directory(file, dir)) {
        snprintf(message, message_bytes, "%s: is a directory", file);
    } else if (fstatat(dir, file, &info, 0) != 0) {
        snprintf(message, message_bytes,
                 "%s: no permission to enter its directory", file);
    } else if (!S_ISREG(info.st_mode)) {
        snprintf(message, message_bytes, "%s: not a regular file", file);
    } else if (faccessat(dir, file, X_OK, 0) != 0) {
        snprintf(message, message_bytes, "%s: no permission to execute it",
                 file);
    } else {
        snprintf(message, message_bytes,
                 "%s: permission denied (is its interpreter executable? is "
                 "it on a file system mounted noexec?)",
                 file);
    }
}

void rpt__which_explain(const char *file, int dir, int error, char *message,
                        size_t message_bytes)
{
    if (error == ENOENT) {
        explain_missing(file, dir, message, message_bytes);
    } else if (error == EACCES) {
        explain_refused(file, dir, message, message_bytes);
    } else if (error == ENOEXEC) {
        snprintf(message, message_bytes,
                 "%s: not a program for this machine, and not a script", file);
    } else {
        snprintf(message, message_bytes, "%s: %s", file, strerror(error));
    }
}
