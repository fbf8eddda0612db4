/*
 * diff.c - `repartir ckpt diff PATH [PATH]`: compares two checkpoints
 */
#include "cli/ckpt/ckpt_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_ALL = CKPT_KEY, KEY_ABSOLUTE, KEY_RELATIVE, MOST_ARGS = 3 };

struct diff_options {
    const char *args[MOST_ARGS];
    int n_args;
    bool json;
    bool all;
    double absolute, relative;
};

static const struct argp_option options_of_diff[] = {
    { "json", 'j', NULL, 0, "Print one JSON object", 0 },
    { "all", KEY_ALL, NULL, 0,
      "List what is the same too, and the library's own datasets", 0 },
    { "absolute", KEY_ABSOLUTE, "X", 0,
      "Numbers that are not further apart are the same (default 0)", 0 },
    { "relative", KEY_RELATIVE, "X", 0,
      "So are those not further apart than this share of the greater one", 0 },
    { NULL, 0, NULL, 0, NULL, 0 }
};

static int take_real(struct argp_state *state, const char *name,
                     const char *text, double *value_out)
{
    char *rest;
    double value = strtod(text, &rest);

    if (rest == text || *rest != '\0' || !isfinite(value) || value < 0) {
        argp_error(state, "--%s: \"%s\" is no number of 0 or more", name, text);
        return EINVAL;
    }
    *value_out = value;
    return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct diff_options *o = state->input;

    switch (key) {
    case 'j':
        o->json = true;
        return 0;
    case KEY_ALL:
        o->all = true;
        return 0;
    case KEY_ABSOLUTE:
        return take_real(state, "absolute", arg, &o->absolute);
    case KEY_RELATIVE:
        return take_real(state, "relative", arg, &o->relative);
    case ARGP_KEY_ARG:
        if (o->n_args == MOST_ARGS) {
            argp_error(state, "\"%s\": two checkpoints are compared", arg);
            return EINVAL;
        }
        o->args[o->n_args++] = arg;
        return 0;
    case ARGP_KEY_END:
        if (o->n_args < 2) {
            argp_error(state, "which two checkpoints?");
            return EINVAL;
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- printing ---- */

static void add_line(struct text *text, const rpt_difference_t *d)
{
    text_printf(text, "%-11s %-24s", rpt_difference_kind_name(d->kind),
                d->name);
    if (d->kind == RPT_DIFFERENCE_VALUES && !d->is_file) {
        text_printf(text,
                    " %" PRIu64 " of %" PRIu64 " elements, first %" PRIu64
                    ", at most %g",
                    d->n_different, d->n_elements, d->first_different, d->most);
    }
    text_char(text, '\n');
}

static void add_json(struct text *text, const rpt_difference_t *d)
{
    text_char(text, '{');
    ckpt_json_string(text, "name", d->name);
    text_char(text, ',');
    ckpt_json_string(text, "difference", rpt_difference_kind_name(d->kind));
    text_printf(text,
                ",\"elements\":%" PRIu64 ",\"different\":%" PRIu64
                ",\"first\":%" PRIu64 ",",
                d->n_elements, d->n_different, d->first_different);
    ckpt_json_real(text, "most", d->most);
    text_printf(text, ",\"file\":%s", d->is_file ? "true" : "false");
    text_char(text, '}');
}

/* Gives the code. */
static int add_all(struct text *text, const struct diff_options *o,
                   const rpt_difference_t list[], size_t n)
{
    size_t n_listed = 0, n_different = 0;

    text_string(text, o->json ? "{\"datasets\":[" : "");
    for (size_t i = 0; i < n; i++) {
        bool is_own = strncmp(list[i].name, "repartir/", 9) == 0;
        bool differs = list[i].kind != RPT_DIFFERENCE_NONE;

        n_different += differs && (o->all || !is_own);
        if (o->all || (differs && !is_own)) {
            text_string(text, o->json && n_listed > 0 ? "," : "");
            (o->json ? add_json : add_line)(text, &list[i]);
            n_listed++;
        }
    }
    if (o->json) {
        text_printf(text, "],\"different\":%zu}\n", n_different);
    }
    return n_different > 0 ? CODE_FAILED : CODE_OK;
}

/* Two words are two paths; the second may have been meant for a checkpoint of
 * the first. */
static int choose_second(const struct diff_options *o,
                         struct ckpt_choice *choice)
{
    const char *path = o->args[1];
    struct fault fault = { 0 };
    rpt_catalog_t *catalog = NULL;
    int code;

    if (o->n_args == MOST_ARGS) {
        return ckpt_choose(o->args[0], o->args[2], choice);
    }
    if (strchr(path, '/') != NULL ||
        rpt_catalog_open(path, &catalog) != RPT_ERR_NOT_FOUND) {
        rpt_catalog_close(catalog);
        return ckpt_choose(path, NULL, choice);
    }
    code = fault_library(&fault);
    fault_hint(&fault, "two words are two paths; to compare two checkpoints of "
                       "a task name both: `repartir ckpt diff PATH CHECKPOINT "
                       "CHECKPOINT'");
    fault_print(&fault);
    return code;
}

static int diff(const struct diff_options *o)
{
    /* PATH A B: of one path; PATH PATH: of two. */
    bool is_one = o->n_args == MOST_ARGS;
    struct ckpt_choice first, second;
    struct text text = { NULL, 0, 0 };
    rpt_difference_t *list = NULL;
    size_t n = 0;
    int code = ckpt_choose(o->args[0], is_one ? o->args[1] : NULL, &first);

    if (code != CODE_OK) {
        return code;
    }
    code = choose_second(o, &second);
    if (code != CODE_OK) {
        ckpt_release(&first);
        return code;
    }
    if (rpt_stored_diff(first.stored, second.stored, o->absolute, o->relative,
                        &list, &n) != RPT_OK) {
        code = ckpt_failed();
    } else {
        code = add_all(&text, o, list, n);
    }
    free(list);
    ckpt_release(&second);
    ckpt_release(&first);
    return ckpt_print(&text, code);
}

int ckpt_diff(int argc, char *argv[])
{
    static const struct argp_child children[] = ARGS_CHILDREN;
    static const struct argp argp = {
        options_of_diff,
        parse,
        "PATH PATH\nPATH CHECKPOINT CHECKPOINT",
        "Compare two checkpoints, dataset by dataset, and the files of the "
        "program by their checksums: the newest of two tasks, "
        "two paths of checkpoints, or two of one task.  Ends with 1 when "
        "something differs.  Changes nothing.",
        children,
        NULL,
        NULL
    };
    struct diff_options o = { .n_args = 0 };
    int code;

    return ckpt_parse(&argp, argc, argv, &o, &code) ? diff(&o) : code;
}
