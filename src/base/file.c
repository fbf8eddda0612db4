/*
 * file.c - opening a file that a person named
 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* NULL: a regular file. */
static const char *kind_of(mode_t mode)
{
    return S_ISREG(mode)                    ? NULL
           : S_ISDIR(mode)                  ? "it is a directory"
           : S_ISFIFO(mode)                 ? "it is a pipe"
           : S_ISCHR(mode) || S_ISBLK(mode) ? "it is a device"
                                            : "it is no file";
}

FILE *rpt__file_open(const char *path, const char **why_out)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    FILE *file = NULL;
    struct stat found;
    int error;

    *why_out = NULL;
    if (fd < 0) {
        return NULL;
    }
    if (fstat(fd, &found) == 0 && (*why_out = kind_of(found.st_mode)) == NULL) {
        file = fdopen(fd, "r");
    }
    if (file == NULL) {
        error = errno;
        close(fd);
        errno = error;
    }
    return file;
}
