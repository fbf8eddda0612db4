/*
 * log.h - messages to a person
 *
 * Lower case, units given, one line.  errno survives a call.  Messages that
 * are the same on all ranks are logged with rpt__log_rank0(), which
 * rank 0 alone prints, so that 10 000 ranks stay readable.
 */
#ifndef RPT_BASE_LOG_H
#define RPT_BASE_LOG_H

#include <repartir/options.h>

/* Prints on this rank when `level` is enabled. */
void rpt__log(rpt_log_level_t level, const char *format, ...) RPT_PRINTF(2, 3);

/* Prints when this thread works for rank 0, or for none. */
void rpt__log_rank0(rpt_log_level_t level, const char *format, ...)
    RPT_PRINTF(2, 3);

#endif /* RPT_BASE_LOG_H */
