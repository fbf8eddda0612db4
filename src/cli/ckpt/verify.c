/*
 * verify.c - `repartir ckpt verify PATH [CHECKPOINT ...]`
 *
 * Each that counts, or each that was named.  One that a job removes meanwhile
 * is no damage.
 */
#include "cli/ckpt/ckpt_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_CHECKSUMS = CKPT_KEY, KEY_OPTION = 'o' };

struct verify_options {
    const char *path;
    const char **names;
    size_t n_names;
    bool json;
    int what;
    rpt_options_t *options;
};

static const struct argp_option options_of_verify[] = {
    { "json", 'j', NULL, 0, "Print one JSON object", 0 },
    { "checksums", KEY_CHECKSUMS, NULL, 0,
      "Compare checksums only: HDF5 does not open the files", 0 },
    { "option", KEY_OPTION, "NAME=VALUE", 0, "Set an option of the library",
      0 },
    { NULL, 0, NULL, 0, NULL, 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct verify_options *o = state->input;

    switch (key) {
    case 'j':
        o->json = true;
        break;
    case KEY_CHECKSUMS:
        o->what = RPT_VERIFY_CHECKSUMS;
        break;
    case KEY_OPTION:
        return args_option(state, o->options, arg);
    case ARGP_KEY_ARG:
        if (o->path == NULL) {
            o->path = arg;
        } else {
            o->names = get_more(o->names, (o->n_names + 1) * sizeof *o->names);
            o->names[o->n_names++] = arg;
        }
        break;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which directory of checkpoints?");
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

/* What was found so far. */
struct verifying {
    const struct verify_options *options;
    struct text text;
    size_t n_good, n_bad, n_gone, n_unknown;
    int code; /* of what could not be looked at */
};

static size_t n_seen(const struct verifying *v)
{
    return v->n_good + v->n_bad + v->n_gone + v->n_unknown;
}

static void add_verdict(struct verifying *v, const rpt_catalog_entry_t *e,
                        const char *verdict, const char *what, const char *why)
{
    bool first = n_seen(v) == 0;

    if (!v->options->json) {
        text_printf(&v->text, "%-8s %s/%s\n", verdict, e->task, e->name);
        if (what[0] != '\0') {
            text_printf(&v->text, "  %s%s%s\n", what,
                        why[0] != '\0' ? ": " : "", why);
        }
        return;
    }
    text_string(&v->text, first ? "{" : ",{");
    ckpt_json_string(&v->text, "task", e->task);
    text_char(&v->text, ',');
    ckpt_json_string(&v->text, "name", e->name);
    text_char(&v->text, ',');
    ckpt_json_string(&v->text, "verdict", verdict);
    text_char(&v->text, ',');
    ckpt_json_string(&v->text, "what", what);
    text_char(&v->text, ',');
    ckpt_json_string(&v->text, "why", why);
    text_char(&v->text, '}');
}

static void verify_one(struct verifying *v, const rpt_catalog_t *catalog,
                       const rpt_catalog_entry_t *e)
{
    const rpt_error_t *error;
    rpt_stored_t *stored = NULL;
    rpt_status_t status = rpt_stored_open(catalog, e, &stored);
    struct fault fault = { 0 };

    if (status == RPT_OK) {
        status = rpt_stored_verify(stored, v->options->what,
                                   v->options->options);
    }
    rpt_stored_close(stored);
    error = rpt_last_error();
    if (status == RPT_OK) {
        add_verdict(v, e, "good", "", "");
        v->n_good++;
    } else if (status == RPT_ERR_NOT_FOUND) {
        add_verdict(v, e, "gone", error->what, error->why);
        v->n_gone++;
    } else if (status == RPT_ERR_CORRUPT) {
        add_verdict(v, e, "damaged", error->what, error->why);
        v->n_bad++;
    } else {
        add_verdict(v, e, "unknown", error->what, error->why);
        v->n_unknown++;
        v->code = fault_library(&fault);
        fault_print(&fault);
    }
}

static void verify_all(struct verifying *v, const rpt_catalog_t *catalog)
{
    const struct verify_options *o = v->options;
    const rpt_catalog_entry_t *e;
    bool is_one = rpt_catalog_checkpoint(catalog) != NULL;

    for (size_t i = 0; i < o->n_names; i++) {
        if (rpt_catalog_find(catalog, NULL, o->names[i], &e) == RPT_OK) {
            verify_one(v, catalog, e);
        } else {
            v->code = ckpt_failed(); /* the others are told all the same */
        }
    }
    for (size_t i = 0; o->n_names == 0; i++) {
        if (rpt_catalog_entry(catalog, i, &e) != RPT_OK) {
            break;
        }
        /* One that was put aside only by name. */
        if (e->state <= RPT_STORED_UNREADABLE || is_one) {
            verify_one(v, catalog, e);
        }
    }
}

static int code_of(const struct verifying *v)
{
    return v->n_bad > 0 ? CODE_FAILED : v->code;
}

/* Who starts a job after this one takes it for a success otherwise. */
static int there_is_none(const char *path)
{
    struct fault fault = { 0 };
    int code = fault_set(&fault, CODE_INPUT,
                         "there is no committed checkpoint in %s", path);

    fault_why(&fault, "what was put aside or is not finished is not looked at");
    fault_hint(&fault, "`repartir ckpt list %s' says what is there", path);
    fault_print(&fault);
    return code;
}

static int verify(const struct verify_options *o)
{
    struct verifying v = { .options = o };
    rpt_catalog_t *catalog = NULL;

    if (rpt_catalog_open(o->path, &catalog) != RPT_OK) {
        return ckpt_failed();
    }
    if (o->json) {
        text_string(&v.text, "{\"checkpoints\":[");
    }
    verify_all(&v, catalog);
    if (n_seen(&v) == 0 && v.code == CODE_OK) {
        v.code = there_is_none(o->path);
    }
    rpt_catalog_close(catalog);
    if (o->json) {
        text_printf(&v.text,
                    "],\"good\":%zu,\"damaged\":%zu,\"gone\":%zu,"
                    "\"unknown\":%zu}\n",
                    v.n_good, v.n_bad, v.n_gone, v.n_unknown);
    } else {
        text_printf(&v.text, "%zu good, %zu damaged, %zu gone%s\n", v.n_good,
                    v.n_bad, v.n_gone,
                    v.n_unknown > 0 ? ", others could not be read" : "");
    }
    return ckpt_print(&v.text, code_of(&v));
}

int ckpt_verify(int argc, char *argv[])
{
    static const struct argp_child children[] = ARGS_CHILDREN;
    static const struct argp argp = {
        options_of_verify,
        parse,
        "PATH [CHECKPOINT ...]",
        "Read checkpoints, all that count or those named, and compare every "
        "checksum; then HDF5 opens each file, in a process of its own.  "
        "Changes nothing.  Ends with 1 when one is damaged.",
        children,
        NULL,
        NULL
    };
    struct verify_options o = { .what = RPT_VERIFY_CHECKSUMS |
                                        RPT_VERIFY_HDF5 };
    int code;

    if (rpt_options_create(&o.options) != RPT_OK) {
        return ckpt_failed();
    }
    if (ckpt_parse(&argp, argc, argv, &o, &code)) {
        code = verify(&o);
    }
    rpt_options_destroy(o.options);
    free(o.names);
    return code;
}
