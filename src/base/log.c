/*
 * log.c - messages to a person, on standard error or through a callback
 */
#include "base/log.h"

#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

static _Atomic int enabled = RPT_LOG_WARN;
static rpt_log_fn callback;
static void *callback_user;

static const char *const level_names[] = { "error", "warning", "info", "debug",
                                           "trace" };

void rpt_log_set(rpt_log_fn fn, void *user)
{
    callback = fn;
    callback_user = user;
}

void rpt_log_set_level(rpt_log_level_t level)
{
    atomic_store_explicit(&enabled, (int)level, memory_order_relaxed);
}

static void print(rpt_log_level_t level, const char *format, va_list args)
{
    char line[2048];
    int used = 0;
    int rank = rpt__identity();

    if (rank >= 0) {
        used = snprintf(line, sizeof line, "repartir[%d]: %s: ", rank,
                        level_names[level]);
    } else {
        used = snprintf(line, sizeof line, "repartir: %s: ",
                        level_names[level]);
    }
    used += vsnprintf(line + used, sizeof line - (size_t)used - 1, format,
                      args);
    if (used > (int)sizeof line - 2) {
        used = (int)sizeof line - 2;
    }
    if (callback != NULL) {
        callback(level, line, callback_user);
        return;
    }
    line[used++] = '\n';
    /* One write, so that lines of several ranks do not mix. */
    if (write(STDERR_FILENO, line, (size_t)used) < 0) {
        return;
    }
}

static int is_enabled(rpt_log_level_t level)
{
    return (int)level <= atomic_load_explicit(&enabled, memory_order_relaxed);
}

void rpt__log(rpt_log_level_t level, const char *format, ...)
{
    int saved = errno;
    va_list args;

    if (is_enabled(level)) {
        va_start(args, format);
        print(level, format, args);
        va_end(args);
    }
    errno = saved;
}

void rpt__log_rank0(rpt_log_level_t level, const char *format, ...)
{
    int saved = errno;
    va_list args;

    if (is_enabled(level) && rpt__identity() <= 0) {
        va_start(args, format);
        print(level, format, args);
        va_end(args);
    }
    errno = saved;
}
