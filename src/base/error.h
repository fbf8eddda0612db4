/*
 * error.h - where a fault is recorded, once, by the function that finds it
 *
 * The record is kept per thread: the deepest function can reach it without a
 * context, and two threads never race for it.  Callers pass the status on and
 * add nothing.
 */
#ifndef RPT_BASE_ERROR_H
#define RPT_BASE_ERROR_H

#include <repartir/base.h>

/* Records a new failure and returns its status: `return rpt__fail(…)`. */
rpt_status_t rpt__fail(rpt_status_t status, const char *what, ...)
    RPT_PRINTF(2, 3);

/* The same for a failed system call: the reason is the text of `error`. */
rpt_status_t rpt__fail_errno(rpt_status_t status, int error, const char *what,
                             ...) RPT_PRINTF(3, 4);

/* No memory for so many bytes. */
rpt_status_t rpt__fail_nomem(size_t bytes);

/* Completes the record just made. */
void rpt__fail_why(const char *why, ...) RPT_PRINTF(1, 2);
void rpt__fail_hint(const char *hint, ...) RPT_PRINTF(1, 2);

/* Records a failure that another rank found. */
void rpt__fail_remote(const rpt_error_t *error);

/* Says on behalf of which rank this thread works from now on. */
void rpt__identify(int rank, int n_ranks, const char *host);

/* Rank of this thread, -1 when it has none. */
int rpt__identity(void);

#endif /* RPT_BASE_ERROR_H */
