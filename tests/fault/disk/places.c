/*
 * places.c - which file a call is about, as a path relative to the folder
 *
 * A file descriptor is looked up in /proc/self/fd at each call: about two
 * microseconds for a file, one fstat() for sockets and pipes.  Of a path, the
 * folder that holds it is opened with O_PATH and looked up in the same way, so
 * links on the road to it do not matter; the last name stays as it was given.
 */
#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static char *root;
static size_t root_length;

const char *disk_places_start(const char *folder)
{
    struct stat st;

    root = realpath(folder, NULL);
    if (root == NULL || stat(root, &st) != 0 || !S_ISDIR(st.st_mode)) {
        return "RPT_DISK_DIR is no folder";
    }
    root_length = strlen(root);
    if (root_length == 1) {
        return "RPT_DISK_DIR is /";
    }
    return NULL;
}

/* What the kernel calls the file; false where it has no path. */
static bool path_of_fd(int fd, char into[PATH_MAX])
{
    char link[32] = "/proc/self/fd/";
    char digits[12];
    size_t n = 0, at = strlen(link);

    for (unsigned rest = (unsigned)fd; n == 0 || rest > 0; rest /= 10) {
        digits[n++] = (char)('0' + rest % 10);
    }
    while (n > 0) {
        link[at++] = digits[--n];
    }
    link[at] = '\0';
    const ssize_t length = readlink(link, into, PATH_MAX - 1);
    if (length <= 0 || into[0] != '/') {
        return false;
    }
    into[length] = '\0';
    return true;
}

/* Makes a path below the folder relative to it. */
static bool is_inside(char path[PATH_MAX])
{
    if (strncmp(path, root, root_length) != 0) {
        return false;
    }
    if (path[root_length] == '\0') {
        strcpy(path, ".");
        return true;
    }
    if (path[root_length] != '/') {
        return false;
    }
    memmove(path, path + root_length + 1, strlen(path + root_length + 1) + 1);
    return true;
}

static bool place_of_fd(int fd, char into[PATH_MAX])
{
    static const char gone[] = " (deleted)";
    struct stat st;

    into[0] = '\0';
    if (fd < 0 || fstat(fd, &st) != 0 ||
        (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) ||
        !path_of_fd(fd, into)) {
        return false;
    }
    const size_t length = strlen(into), tail = sizeof gone - 1;
    if (length > tail && strcmp(into + length - tail, gone) == 0) {
        into[length - tail] = '\0';
    }
    return is_inside(into);
}

/* The folder of path and where its last name begins; false when too long. */
static bool split(const char *path, char parent[PATH_MAX], const char **last)
{
    size_t end = strlen(path);
    size_t length;

    while (end > 1 && path[end - 1] == '/') {
        end--;
    }
    size_t begin = end;
    while (begin > 0 && path[begin - 1] != '/') {
        begin--;
    }
    length = begin;
    *last = path + begin;
    const char *name = *last;
    if (end == begin || (name[0] == '.' && end - begin == 1) ||
        (name[0] == '.' && name[1] == '.' && end - begin == 2)) {
        *last = path + strlen(path);
        length = strlen(path);
    }
    if (length >= PATH_MAX) {
        return false;
    }
    memcpy(parent, path, length);
    parent[length] = '\0';
    if (length == 0) {
        strcpy(parent, ".");
    }
    return true;
}

static bool append(char path[PATH_MAX], const char *name)
{
    size_t n = strlen(name), at = strlen(path);

    while (n > 0 && name[n - 1] == '/') {
        n--;
    }
    if (at + n + 2 > PATH_MAX) {
        return false;
    }
    if (n > 0) {
        path[at++] = '/';
    }
    memcpy(path + at, name, n);
    path[at + n] = '\0';
    return true;
}

/* Where the folder cannot be opened there will be no such file. */
static bool place_of_path(int folder, const char *path, char into[PATH_MAX])
{
    char parent[PATH_MAX];
    const char *last;

    into[0] = '\0';
    if (path == NULL || strncmp(path, "/proc/", 6) == 0 ||
        strncmp(path, "/sys/", 5) == 0) {
        return false;
    }
    if (path[0] == '\0') {
        return place_of_fd(folder, into);
    }
    if (!split(path, parent, &last)) {
        return false;
    }
    const int fd = (int)syscall(SYS_openat, folder, parent,
                                O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        const bool is_known = path_of_fd(fd, into);
        syscall(SYS_close, fd);
        return is_known && append(into, last) && is_inside(into);
    }
    if (path[0] == '/') {
        return append(into, path + 1) && is_inside(into);
    }
    if (folder != AT_FDCWD) {
        return path_of_fd(folder, into) && append(into, path) &&
               is_inside(into);
    }
    const ssize_t length = readlink("/proc/self/cwd", into, PATH_MAX - 1);
    into[length > 0 ? length : 0] = '\0';
    return append(into, path) && is_inside(into);
}

static void prepare(struct disk_call *call, enum disk_kind kind)
{
    call->kind = kind;
    call->offset = call->bytes = -1;
    call->allowed = 0;
    call->flags = -1;
    call->rule = call->error = 0;
    call->is_after = false;
    call->death = DISK_LIVES;
    call->saved_errno = errno;
    call->path[0] = call->path2[0] = '\0';
}

bool disk_watch_fd(struct disk_call *call, enum disk_kind kind, int fd)
{
    if (!disk_is_active) {
        return false;
    }
    prepare(call, kind);
    const bool is_ours = place_of_fd(fd, call->path);
    errno = call->saved_errno;
    return is_ours;
}

bool disk_watch_fds(struct disk_call *call, enum disk_kind kind, int from,
                    int to)
{
    if (!disk_is_active) {
        return false;
    }
    prepare(call, kind);
    const bool comes = place_of_fd(from, call->path);
    const bool goes = place_of_fd(to, call->path2);
    errno = call->saved_errno;
    return comes || goes;
}

bool disk_watch_path(struct disk_call *call, enum disk_kind kind, int folder,
                     const char *path)
{
    if (!disk_is_active) {
        return false;
    }
    prepare(call, kind);
    const bool is_ours = place_of_path(folder, path, call->path);
    errno = call->saved_errno;
    return is_ours;
}

bool disk_watch_paths(struct disk_call *call, enum disk_kind kind,
                      struct disk_name from, struct disk_name to)
{
    if (!disk_is_active) {
        return false;
    }
    prepare(call, kind);
    const bool comes = place_of_path(from.folder, from.path, call->path);
    const bool goes = place_of_path(to.folder, to.path, call->path2);
    errno = call->saved_errno;
    return comes || goes;
}

void disk_rewatch_path(struct disk_call *call, const char *path)
{
    const int error = errno;

    place_of_path(AT_FDCWD, path, call->path);
    errno = error;
}
