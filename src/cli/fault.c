/*
 * fault.c - faults in three parts (what, why, what to do), printed once
 *
 * Does not decide when to print: see main.c.
 */
#include "cli/fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool quiet;

void say_quiet(bool now)
{
    quiet = now;
}

void say(const char *format, ...)
{
    va_list args;

    if (quiet) {
        return;
    }
    va_start(args, format);
    fputs("repartir: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
}

int fault_set(struct fault *fault, int code, const char *what, ...)
{
    va_list args;

    fault->code = code;
    fault->why[0] = fault->hint[0] = '\0';
    va_start(args, what);
    vsnprintf(fault->what, sizeof fault->what, what, args);
    va_end(args);
    return code;
}

void fault_why(struct fault *fault, const char *why, ...)
{
    va_list args;

    va_start(args, why);
    vsnprintf(fault->why, sizeof fault->why, why, args);
    va_end(args);
}

void fault_hint(struct fault *fault, const char *hint, ...)
{
    va_list args;

    va_start(args, hint);
    vsnprintf(fault->hint, sizeof fault->hint, hint, args);
    va_end(args);
}

static int code_of(rpt_status_t status)
{
    switch (status) {
    case RPT_ERR_BUSY:
        return CODE_BUSY;
    case RPT_ERR_IO:
        return CODE_IO;
    case RPT_ERR_INVALID:
    case RPT_ERR_NOT_FOUND:
    case RPT_ERR_EXISTS:
    case RPT_ERR_CYCLE:
    case RPT_ERR_PARSE:
    case RPT_ERR_CORRUPT:
    case RPT_ERR_VERSION:
    case RPT_ERR_UNSUPPORTED:
    case RPT_ERR_STATE:
        return CODE_INPUT;
    default:
        return CODE_SOFTWARE;
    }
}

/* "(--force, RPT_CATALOG_FORCE)": the first is for who uses the command, the
 * second for a program. */
static void drop_constants(char *hint)
{
    char *word = hint;

    while ((word = strstr(word, "(--")) != NULL) {
        char *comma = word + 3 + strcspn(word + 3, ",)");

        word += 3;
        if (strncmp(comma, ", RPT_", 6) == 0) {
            char *end = comma + strcspn(comma, ")");

            memmove(comma, end, strlen(end) + 1);
        }
    }
}

int fault_library(struct fault *fault)
{
    const rpt_error_t *error = rpt_last_error();
    int code = code_of(error->status);

    if (error->n_ranks > 1 && error->rank >= 0) {
        fault_set(fault, code, "rank %d of %d on %s: %s", error->rank,
                  error->n_ranks, error->host, error->what);
    } else {
        fault_set(fault, code, "%s", error->what);
    }
    fault_why(fault, "%s", error->why);
    fault_hint(fault, "%s", error->hint);
    drop_constants(fault->hint);
    return code;
}

/* One part; further lines stand under the first one. */
static void print_part(const char *name, const char *text)
{
    fprintf(stderr, "  %-5s ", name);
    for (const char *c = text; *c != '\0'; c++) {
        fputc(*c, stderr);
        if (*c == '\n') {
            fputs("        ", stderr);
        }
    }
    fputc('\n', stderr);
}

void fault_print(const struct fault *fault)
{
    if (quiet || fault->code == CODE_OK) {
        return;
    }
    fprintf(stderr, "repartir: %s\n", fault->what);
    if (fault->why[0] != '\0') {
        print_part("why", fault->why);
    }
    if (fault->hint[0] != '\0') {
        print_part("do", fault->hint);
    }
}

enum { WORD_BYTES = 64 };

/* Levenshtein distance of two short words. */
static size_t distance(const char *a, const char *b)
{
    size_t row[WORD_BYTES];
    size_t n = strnlen(b, WORD_BYTES - 1);

    for (size_t j = 0; j <= n; j++) {
        row[j] = j;
    }
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t diagonal = row[0];

        row[0] = i + 1;
        for (size_t j = 0; j < n; j++) {
            size_t change = diagonal + (a[i] != b[j]);
            size_t least = row[j] < row[j + 1] ? row[j] : row[j + 1];

            diagonal = row[j + 1];
            row[j + 1] = least + 1 < change ? least + 1 : change;
        }
    }
    return row[n];
}

const char *nearest_word(const char *word, const char *const known[], size_t n)
{
    const char *best = NULL;
    size_t length = strlen(word);
    size_t least = length < WORD_BYTES ? (length + 1) / 2 + 1 : 0;

    for (size_t i = 0; i < n && least > 0; i++) {
        size_t d = distance(word, known[i]);

        if (d < least) {
            least = d;
            best = known[i];
        }
    }
    return best;
}
