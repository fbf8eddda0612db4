/*
 * numbers.c - what things cost, usually and as measured
 *
 * The text has whole femtoseconds, so that it means the same in every locale.
 */
#include "collectives/select/numbers.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define BELIEVED 30.0
#define FEMTO 1e-15

enum { MOST_TRIES = 5 };

static const char head[] = "repartir: what things cost, version 1\n";

static const char *const names[RPT_N_NUMBERS] = {
    [RPT_NUMBER_STEP] = "step",
    [RPT_NUMBER_FLAG] = "flag",
    [RPT_NUMBER_COPY_BYTE] = "copy_byte",
    [RPT_NUMBER_REDUCE_BYTE] = "reduce_byte",
    [RPT_NUMBER_NEAR_MESSAGE] = "near_message",
    [RPT_NUMBER_NEAR_BYTE] = "near_byte",
    [RPT_NUMBER_FAR_MESSAGE] = "far_message",
    [RPT_NUMBER_FAR_BYTE] = "far_byte",
    [RPT_NUMBER_ACROSS_FLAG] = "across_flag",
    [RPT_NUMBER_ACROSS_BYTE] = "across_byte",
};

static const struct rpt_numbers usual = RPT_NUMBERS_USUAL;

void rpt__numbers_set(struct rpt_numbers *numbers, enum rpt_number which,
                      double seconds)
{
    double least = usual.seconds[which] / BELIEVED;
    double most = usual.seconds[which] * BELIEVED;

    if (!(seconds >= least)) { /* nor is it a NaN */
        seconds = least;
    }
    numbers->seconds[which] = seconds < most ? seconds : most;
    numbers->measured |= UINT64_C(1) << which;
}

bool rpt__numbers_has(const struct rpt_numbers *numbers, enum rpt_number which)
{
    return (numbers->measured >> which & 1) != 0;
}

bool rpt__numbers_are_missing(const struct rpt_numbers *numbers)
{
    return numbers->measured != (UINT64_C(1) << RPT_N_NUMBERS) - 1 &&
           numbers->n_tries < MOST_TRIES;
}

void rpt__numbers_merge(struct rpt_numbers *numbers,
                        const struct rpt_numbers *others)
{
    for (int i = 0; i < RPT_N_NUMBERS; i++) {
        if (rpt__numbers_has(others, (enum rpt_number)i)) {
            rpt__numbers_set(numbers, (enum rpt_number)i, others->seconds[i]);
        }
    }
    numbers->n_tries = others->n_tries;
}

static enum rpt_number message_of(bool one_node)
{
    return one_node ? RPT_NUMBER_NEAR_MESSAGE : RPT_NUMBER_FAR_MESSAGE;
}

static enum rpt_number byte_of(bool one_node)
{
    return one_node ? RPT_NUMBER_NEAR_BYTE : RPT_NUMBER_FAR_BYTE;
}

struct rpt_model rpt__numbers_model(const struct rpt_numbers *numbers,
                                    bool one_node)
{
    return (struct rpt_model){
        .step_s = numbers->seconds[RPT_NUMBER_STEP],
        .flag_s = numbers->seconds[RPT_NUMBER_FLAG],
        .copy_byte_s = numbers->seconds[RPT_NUMBER_COPY_BYTE],
        .reduce_byte_s = numbers->seconds[RPT_NUMBER_REDUCE_BYTE],
        .message_s = numbers->seconds[message_of(one_node)],
        .byte_s = numbers->seconds[byte_of(one_node)],
        .across_flag_s = numbers->seconds[RPT_NUMBER_ACROSS_FLAG],
        .across_byte_s = numbers->seconds[RPT_NUMBER_ACROSS_BYTE],
    };
}

enum rpt_origin rpt__numbers_origin(const struct rpt_numbers *numbers,
                                    bool one_node, bool across)
{
    uint64_t local = (UINT64_C(1) << RPT_NUMBER_NEAR_MESSAGE) - 1;
    uint64_t lines = UINT64_C(1) << RPT_NUMBER_ACROSS_FLAG |
                     UINT64_C(1) << RPT_NUMBER_ACROSS_BYTE;
    uint64_t wanted = local | UINT64_C(1) << message_of(one_node) |
                      UINT64_C(1) << byte_of(one_node) | (across ? lines : 0);
    uint64_t there = numbers->measured & wanted;

    return there == wanted ? RPT_FROM_MEASURED
           : there != 0    ? RPT_FROM_BOTH
                           : RPT_FROM_USUAL;
}

/* ---- text ---- */

struct unit {
    const char *text;
    double seconds; /* of one; 0: GB/s */
};

/* What goes across costs so much more: no rate. */
static struct unit unit_of(enum rpt_number number)
{
    if (number == RPT_NUMBER_ACROSS_BYTE) {
        return (struct unit){ "ns", 1e-9 };
    }
    return strstr(names[number], "byte") != NULL ? (struct unit){ "GB/s", 0 }
                                                 : (struct unit){ "us", 1e-6 };
}

/* Those that were not measured in brackets. */
void rpt__numbers_describe(const struct rpt_numbers *numbers,
                           struct rpt_buf *text)
{
    static const char *const words[RPT_N_NUMBERS] = {
        "step", "flag",        "copy", "sum",         "message",
        "at",   "message far", "at",   "more across", "a byte"
    };

    for (int i = 0; i < RPT_N_NUMBERS; i++) {
        double seconds = numbers->seconds[i];
        struct unit unit = unit_of((enum rpt_number)i);
        bool is_measured = rpt__numbers_has(numbers, (enum rpt_number)i);

        rpt__buf_printf(text, "%s%s %s%.3g %s%s",
                        i == 0                        ? "costs    "
                        : i == RPT_NUMBER_FAR_MESSAGE ? "\n         "
                                                      : ", ",
                        words[i], is_measured ? "" : "(",
                        unit.seconds > 0 ? seconds / unit.seconds
                                         : 1e-9 / seconds,
                        unit.text, is_measured ? "" : ")");
    }
    rpt__buf_printf(text, "\n");
}

void rpt__numbers_print(const struct rpt_numbers *numbers, struct rpt_buf *text)
{
    rpt__buf_printf(text, "%stries %" PRIu64 "\n", head, numbers->n_tries);
    for (int i = 0; i < RPT_N_NUMBERS; i++) {
        if (rpt__numbers_has(numbers, (enum rpt_number)i)) {
            rpt__buf_printf(text, "%s %" PRIu64 " fs\n", names[i],
                            (uint64_t)(numbers->seconds[i] / FEMTO));
        }
    }
}

/* "flag 100000000 fs", or "tries 1" */
static bool parse_line(struct rpt_numbers *numbers, const char *line)
{
    size_t name_bytes = strcspn(line, " ");
    unsigned long long number;
    char *rest;

    if (line[name_bytes] != ' ' || line[name_bytes + 1] < '0' ||
        line[name_bytes + 1] > '9') {
        return false;
    }
    number = strtoull(line + name_bytes + 1, &rest, 10);
    if (strncmp(line, "tries ", 6) == 0) {
        numbers->n_tries = number;
        return *rest == '\0';
    }
    for (int i = 0; i < RPT_N_NUMBERS && strcmp(rest, " fs") == 0; i++) {
        if (strlen(names[i]) == name_bytes &&
            memcmp(names[i], line, name_bytes) == 0) {
            rpt__numbers_set(numbers, (enum rpt_number)i,
                             (double)number * FEMTO);
            return true;
        }
    }
    return false;
}

bool rpt__numbers_parse(struct rpt_numbers *numbers, const char *text,
                        size_t bytes)
{
    struct rpt_numbers found = *numbers;
    size_t at = sizeof head - 1;

    if (bytes < at || memcmp(text, head, at) != 0) {
        return false;
    }
    while (at < bytes) {
        char line[80];
        const char *end = memchr(text + at, '\n', bytes - at);
        size_t n = end != NULL ? (size_t)(end - (text + at)) : sizeof line;

        if (n >= sizeof line) {
            return false;
        }
        memcpy(line, text + at, n);
        line[n] = '\0';
        if (!parse_line(&found, line)) {
            return false;
        }
        at += n + 1;
    }
    *numbers = found;
    return true;
}
