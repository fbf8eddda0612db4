/*
 * error.c - the last failure of each thread
 */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LINE_BYTES = 1024, HOST_BYTES = 128 };

struct record {
    rpt_error_t error;
    char what[LINE_BYTES];
    char why[LINE_BYTES];
    char hint[LINE_BYTES];
    char host[HOST_BYTES];
    char text[3 * LINE_BYTES + 512];
};

static _Thread_local struct record last;
static _Thread_local struct {
    int rank;
    int n_ranks;
    char host[HOST_BYTES];
} self = { -1, 0, "" };

static const struct {
    rpt_status_t status;
    const char *name;
    const char *text;
} statuses[] = {
#define RPT_STATUS_ROW(name, value, text) { RPT_##name, "RPT_" #name, text },
    RPT_STATUS_LIST(RPT_STATUS_ROW)
#undef RPT_STATUS_ROW
};

const char *rpt_status_name(rpt_status_t status)
{
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        if (statuses[i].status == status) {
            return statuses[i].name;
        }
    }
    return "RPT_ERR_UNKNOWN";
}

const char *rpt_status_text(rpt_status_t status)
{
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        if (statuses[i].status == status) {
            return statuses[i].text;
        }
    }
    return "unknown status";
}

/* Cuts at the end of a copy that did not fit, visibly. */
static void print_line(char *line, const char *format, va_list args)
{
    int n = vsnprintf(line, LINE_BYTES, format, args);

    if (n >= LINE_BYTES) {
        memcpy(line + LINE_BYTES - 5, " ...", 5);
    }
}

static void begin(rpt_status_t status, int rank, int n_ranks, const char *host)
{
    last.error.size = sizeof last.error;
    last.error.status = status;
    last.error.rank = rank;
    last.error.n_ranks = n_ranks;
    snprintf(last.host, sizeof last.host, "%s", host);
    last.error.host = last.host;
    last.error.what = last.what;
    last.error.why = last.why;
    last.error.hint = last.hint;
    last.why[0] = last.hint[0] = '\0';
}

rpt_status_t rpt__fail(rpt_status_t status, const char *what, ...)
{
    va_list args;

    begin(status, self.rank, self.n_ranks, self.host);
    va_start(args, what);
    print_line(last.what, what, args);
    va_end(args);
    return status;
}

rpt_status_t rpt__fail_errno(rpt_status_t status, int error, const char *what,
                             ...)
{
    va_list args;

    begin(status, self.rank, self.n_ranks, self.host);
    va_start(args, what);
    print_line(last.what, what, args);
    va_end(args);
    rpt__fail_why("%s", strerror(error));
    return status;
}

rpt_status_t rpt__fail_nomem(size_t bytes)
{
    return rpt__fail(RPT_ERR_NOMEM, "no memory for %zu bytes", bytes);
}

void rpt__fail_why(const char *why, ...)
{
    va_list args;

    va_start(args, why);
    print_line(last.why, why, args);
    va_end(args);
}

void rpt__fail_hint(const char *hint, ...)
{
    va_list args;

    va_start(args, hint);
    print_line(last.hint, hint, args);
    va_end(args);
}

void rpt__fail_remote(const rpt_error_t *error)
{
    begin(error->status, error->rank, error->n_ranks, error->host);
    snprintf(last.what, sizeof last.what, "%s", error->what);
    snprintf(last.why, sizeof last.why, "%s", error->why);
    snprintf(last.hint, sizeof last.hint, "%s", error->hint);
}

void rpt__identify(int rank, int n_ranks, const char *host)
{
    self.rank = rank;
    self.n_ranks = n_ranks;
    snprintf(self.host, sizeof self.host, "%s", host != NULL ? host : "");
}

int rpt__identity(void)
{
    return self.rank;
}

const rpt_error_t *rpt_last_error(void)
{
    if (last.error.size == 0) {
        begin(RPT_OK, self.rank, self.n_ranks, self.host);
    }
    return &last.error;
}

const char *rpt_last_error_text(void)
{
    const rpt_error_t *error = rpt_last_error();
    char where[HOST_BYTES + 64] = "";

    if (error->rank >= 0) {
        snprintf(where, sizeof where, "rank %d of %d on %s: ", error->rank,
                 error->n_ranks, error->host[0] ? error->host : "this host");
    }
    snprintf(last.text, sizeof last.text, "repartir: %s%s%s%s%s%s   [%s]",
             where, error->status == RPT_OK ? "nothing failed" : error->what,
             error->why[0] ? "\n  why   " : "", error->why,
             error->hint[0] ? "\n  do    " : "", error->hint,
             rpt_status_name(error->status));
    return last.text;
}

int rpt_version(void)
{
    return RPT_VERSION_NUMBER;
}

#define TEXT_OF(x) #x
#define VERSION_TEXT(major, minor, patch)                                      \
    TEXT_OF(major) "." TEXT_OF(minor) "." TEXT_OF(patch)

const char *rpt_version_text(void)
{
    return VERSION_TEXT(RPT_VERSION_MAJOR, RPT_VERSION_MINOR,
                        RPT_VERSION_PATCH);
}
