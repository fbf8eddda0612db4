/*
 * errors.c - names of errors, as a plan has them and as the trace shows them
 */
#include "disk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
#define ERRORS(E)                                                             \
    E(EPERM) E(ENOENT) E(EINTR) E(EIO) E(ENXIO) E(EBADF) E(EAGAIN) E(ENOMEM)  \
    E(EACCES) E(EFAULT) E(EBUSY) E(EEXIST) E(EXDEV) E(ENODEV) E(ENOTDIR)      \
    E(EISDIR) E(EINVAL) E(ENFILE) E(EMFILE) E(ENOTTY) E(ETXTBSY) E(EFBIG)     \
    E(ENOSPC) E(ESPIPE) E(EROFS) E(EMLINK) E(EPIPE) E(ENAMETOOLONG) E(ENOLCK) \
    E(ENOSYS) E(ENOTEMPTY) E(ELOOP) E(EOVERFLOW) E(EOPNOTSUPP) E(ETIMEDOUT)   \
    E(ESTALE) E(EDQUOT) E(EREMOTEIO) E(ENOLINK) E(ECOMM) E(EHOSTDOWN)         \
    E(EUCLEAN)
/* clang-format on */

static const struct {
    const char *name;
    int number;
} errors[] = {
#define ENTRY(e) { #e, e },
    ERRORS(ENTRY)
};

int disk_error_of(const char *name)
{
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        if (strcmp(errors[i].name, name) == 0) {
            return errors[i].number;
        }
    }
    char *end;
    const long number = strtol(name, &end, 10);
    return *end == '\0' && number > 0 && number < 4096 ? (int)number : 0;
}

const char *disk_error_name(int error)
{
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        if (errors[i].number == error) {
            return errors[i].name;
        }
    }
    return NULL;
}
