/*
 * args.c - the command line, with argp, in the manner of this command
 *
 * argp would end the process by itself; here every way out goes through
 * main(), so that the ranks of an MPI job end together.  An option that does
 * not exist is answered with the nearest one.
 */
#include "cli/args.h"

#include <repartir/coll.h>

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *const args_operations[] = {
#define OPERATION_TEXT(name, value, text) text,
    RPT_COLL_LIST(OPERATION_TEXT)
#undef OPERATION_TEXT
        NULL
};

static int quiet;
static bool answered;

void args_quiet(int now)
{
    quiet = now;
}

enum { KEY_HELP = 0x5001, KEY_USAGE, KEY_VERSION };

static const struct argp_option common_options[] = {
    { "help", KEY_HELP, NULL, 0, "Print this help", -1 },
    { "usage", KEY_USAGE, NULL, 0, "Print a short usage message", -1 },
    { "version", KEY_VERSION, NULL, 0, "Print the version", -1 },
    { NULL, 0, NULL, 0, NULL, 0 }
};

static error_t parse_common(int key, char *arg, struct argp_state *state)
{
    (void)arg;
    if (key != KEY_HELP && key != KEY_USAGE && key != KEY_VERSION) {
        return ARGP_ERR_UNKNOWN;
    }
    answered = true;
    if (quiet) {
        return ECANCELED;
    }
    if (key == KEY_VERSION) {
        printf("repartir %s\n", rpt_version_text());
    } else {
        argp_state_help(state, stdout,
                        key == KEY_USAGE ? ARGP_HELP_USAGE
                                         : ARGP_HELP_SHORT_USAGE |
                                               ARGP_HELP_LONG | ARGP_HELP_DOC);
    }
    return ECANCELED;
}

const struct argp args_common = { common_options, parse_common, NULL, NULL,
                                  NULL,           NULL,         NULL };

enum { MOST_OPTIONS = 96 };

static size_t add_names(const struct argp_option *options, const char *names[],
                        size_t n)
{
    for (; options != NULL &&
           (options->name != NULL || options->key != 0 || options->doc != NULL);
         options++) {
        if (options->name != NULL && n < MOST_OPTIONS) {
            names[n++] = options->name;
        }
    }
    return n;
}

/* A long option that is neither one of ours nor the beginning of one. */
static int check_names(const struct argp *argp, int argc, char *argv[])
{
    const char *names[MOST_OPTIONS];
    size_t n = add_names(argp->options, names, 0);

    n = add_names(common_options, names, n);
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        char word[64];
        size_t bytes = strcspn(argv[i], "=");
        bool known = strncmp(argv[i], "--", 2) != 0 || bytes - 2 >= sizeof word;
        const char *near;

        for (size_t k = 0; k < n && !known; k++) {
            known = strncmp(names[k], argv[i] + 2, bytes - 2) == 0;
        }
        if (known) {
            continue;
        }
        memcpy(word, argv[i] + 2, bytes - 2);
        word[bytes - 2] = '\0';
        near = nearest_word(word, names, n);
        if (near != NULL) {
            say("there is no option --%s; did you mean --%s?", word, near);
        } else {
            say("there is no option --%s; see `%s --help'", word, argv[0]);
        }
        return CODE_USAGE;
    }
    return CODE_OK;
}

int args_parse(const struct argp *argp, int argc, char *argv[], void *input)
{
    error_t error;

    answered = false;
    if (check_names(argp, argc, argv) != CODE_OK) {
        return CODE_USAGE;
    }
    error = argp_parse(
        argp, argc, argv,
        ARGP_NO_HELP | ARGP_NO_EXIT | (quiet ? ARGP_NO_ERRS : 0u), NULL, input);
    if (answered) {
        return ARGS_ANSWERED;
    }
    return error == 0 ? CODE_OK : CODE_USAGE;
}

int args_seconds(struct argp_state *state, const char *name, const char *text,
                 double *seconds_out)
{
    static const struct {
        const char *name;
        double factor;
    } units[] = { { "", 1 },   { "s", 1 },    { "ms", 1e-3 }, { "min", 60 },
                  { "m", 60 }, { "h", 3600 }, { "d", 86400 } };
    char *rest;
    double number = strtod(text, &rest);

    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (rest != text && strcasecmp(rest, units[i].name) == 0 &&
            isfinite(number) && number >= 0) {
            *seconds_out = number * units[i].factor;
            return 0;
        }
    }
    argp_error(state, "--%s: \"%s\" is no time (such as 30, 500ms, 10min, 2h)",
               name, text);
    return EINVAL;
}

static const long long MOST_INTEGER = 1000000000;

int args_integer_to(struct argp_state *state, const char *name,
                    const char *text, long long least, long long most,
                    long long *number_out)
{
    char *rest;
    long long number;

    errno = 0;
    number = strtoll(text, &rest, 10);
    if (rest == text || *rest != '\0' || errno != 0 || number < least ||
        number > most) {
        argp_error(state, "--%s: \"%s\" is no number from %lld to %lld", name,
                   text, least, most);
        return EINVAL;
    }
    *number_out = number;
    return 0;
}

int args_integer(struct argp_state *state, const char *name, const char *text,
                 long long least, long long *number_out)
{
    return args_integer_to(state, name, text, least, MOST_INTEGER, number_out);
}

int args_size(struct argp_state *state, const char *name, const char *text,
              size_t *bytes_out)
{
    static const char *const units[] = {
        "", "K", "M", "G", "KiB", "MiB", "GiB"
    };
    char *rest;
    unsigned long long number;

    errno = 0;
    number = strtoull(text, &rest, 10);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        size_t shift = i == 0 ? 0 : 10 * ((i - 1) % 3 + 1);

        if (text[0] >= '0' && text[0] <= '9' && errno == 0 &&
            strcasecmp(rest, units[i]) == 0 && number <= SIZE_MAX >> shift) {
            *bytes_out = (size_t)number << shift;
            return 0;
        }
    }
    argp_error(state, "--%s: \"%s\" is no size (such as 4096, 64K, 4MiB)", name,
               text);
    return EINVAL;
}

int args_option(struct argp_state *state, rpt_options_t *options,
                const char *text)
{
    const char *value = strchr(text, '=');
    char name[128];

    if (value == NULL || value == text ||
        (size_t)(value - text) >= sizeof name) {
        argp_error(state, "-o %s: NAME=VALUE is wanted", text);
        return EINVAL;
    }
    memcpy(name, text, (size_t)(value - text));
    name[value - text] = '\0';
    if (rpt_options_set(options, name, value + 1) != RPT_OK) {
        argp_error(state, "%s", rpt_last_error()->what);
        return EINVAL;
    }
    return 0;
}

int args_word(struct argp_state *state, const char *name, const char *text,
              const char *const words[])
{
    const char *dashes = islower((unsigned char)name[0]) ? "--" : "", *near;
    size_t n = 0;

    for (; words[n] != NULL; n++) {
        if (strcmp(words[n], text) == 0) {
            return (int)n;
        }
    }
    near = nearest_word(text, words, n);
    if (near != NULL) {
        argp_error(state, "%s%s: there is no \"%s\"; did you mean \"%s\"?",
                   dashes, name, text, near);
    } else {
        argp_error(state, "%s%s: there is no \"%s\"", dashes, name, text);
    }
    return -1;
}
