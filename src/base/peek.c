/*
 * peek.c - process_vm_readv(2), until all is there
 *
 * A call reads up to 2 GiB less a page, and stops where it cannot go on; only
 * the next one says why.
 */
#include "base/peek.h"

#include "base/error.h"

#include <errno.h>
#include <sys/uio.h>

int rpt__peek_try(int pid, uint64_t from, void *to, size_t bytes)
{
    size_t done = 0;

    while (done < bytes) {
        struct iovec mine = { (char *)to + done, bytes - done };
        struct iovec theirs = { (char *)(uintptr_t)from + done, bytes - done };
        ssize_t n = process_vm_readv(pid, &mine, 1, &theirs, 1, 0);

        if (n > 0) {
            done += (size_t)n;
        } else if (n == 0 || errno != EINTR) {
            return n == 0 ? EFAULT : errno;
        }
    }
    return 0;
}

rpt_status_t rpt__peek(int pid, uint64_t from, void *to, size_t bytes)
{
    int error = rpt__peek_try(pid, from, to, bytes);

    if (error == 0) {
        return RPT_OK;
    }
    rpt__fail_errno(RPT_ERR_SYSTEM, error, "read %zu bytes of process %d",
                    bytes, pid);
    rpt__fail_hint(error == ESRCH    ? "that process is gone: look why it ended"
                   : error == EFAULT ? "is its buffer as large as it said?"
                                     : "have it done without: "
                                       "coll.kernel_copy=no");
    return RPT_ERR_SYSTEM;
}
