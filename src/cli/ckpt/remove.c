/*
 * remove.c - `repartir ckpt prune` by rules, `repartir ckpt rm` by name
 *
 * What is printed is what went, also when something else cannot be removed.
 */
#include "cli/ckpt/ckpt_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEY_KEEP = CKPT_KEY,
    KEY_EVERY,
    KEY_AGE,
    KEY_BYTES,
    KEY_DRY_RUN,
    KEY_DAMAGED,
    KEY_VERIFY,
    KEY_FORCE,
    KEY_ALL
};

struct remove_options {
    const char *path;
    const char **names;
    size_t n_names;
    bool json;
    bool all;
    int flags;
    rpt_options_t *options;
};

/* ---- what goes ---- */

struct going {
    const struct remove_options *options;
    struct text text;
    size_t n;
    uint64_t bytes;
};

static void note(void *user, const rpt_catalog_entry_t *entry)
{
    struct going *g = user;
    bool is_dry = (g->options->flags & RPT_CATALOG_DRY_RUN) != 0;

    if (g->options->json) {
        text_string(&g->text, g->n > 0 ? "," : "");
        ckpt_json_entry(&g->text, entry);
    } else {
        text_printf(&g->text, "%s %s/%s\n", is_dry ? "would remove" : "removed",
                    entry->task, entry->name);
    }
    g->n++;
    g->bytes += entry->bytes;
}

static int finish(struct going *g, int code)
{
    bool is_dry = (g->options->flags & RPT_CATALOG_DRY_RUN) != 0;

    if (g->options->json) {
        struct text all = { NULL, 0, 0 };

        text_printf(&all,
                    "{\"dry_run\":%s,\"removed\":[%s],\"bytes\":%" PRIu64 "}\n",
                    is_dry ? "true" : "false",
                    g->text.data != NULL ? g->text.data : "", g->bytes);
        text_free(&g->text);
        g->text = all;
    } else if (code == CODE_OK || g->n > 0) {
        text_printf(&g->text, "%zu checkpoints, %" PRIu64 " bytes, %s\n", g->n,
                    g->bytes, is_dry ? "would go" : "are gone");
    }
    return ckpt_print(&g->text, code);
}

/* ---- prune ---- */

static const struct argp_option options_of_prune[] = {
    { "json", 'j', NULL, 0, "Print one JSON object", 0 },
    { "keep", KEY_KEEP, "N", 0, "Keep the newest N (io.checkpoint.keep)", 0 },
    { "keep-every", KEY_EVERY, "N", 0,
      "Also those of every N-th iteration (io.checkpoint.keep_every)", 0 },
    { "keep-age", KEY_AGE, "TIME", 0,
      "Of these none that is older (io.checkpoint.keep_age_s)", 0 },
    { "keep-bytes", KEY_BYTES, "SIZE", 0,
      "And no more than so many bytes (io.checkpoint.keep_bytes)", 0 },
    { "damaged", KEY_DAMAGED, NULL, 0,
      "Remove those that are damaged or were put aside, too; implies --verify",
      0 },
    { "verify", KEY_VERIFY, NULL, 0,
      "Remove nothing unless the newest has all its checksums", 0 },
    { "dry-run", KEY_DRY_RUN, NULL, 0, "Only say what would go", 0 },
    { "option", 'o', "NAME=VALUE", 0, "Set an option of the library", 0 },
    { NULL, 0, NULL, 0, NULL, 0 }
};

static int set(struct argp_state *state, const struct remove_options *o,
               const char *name, const char *value)
{
    if (rpt_options_set(o->options, name, value) != RPT_OK) {
        argp_error(state, "%s: %s", rpt_last_error()->what,
                   rpt_last_error()->why);
        return EINVAL;
    }
    return 0;
}

static int take_arg(struct argp_state *state, struct remove_options *o,
                    const char *arg, bool has_names)
{
    if (o->path == NULL) {
        o->path = arg;
    } else if (has_names) {
        o->names = get_more(o->names, (o->n_names + 1) * sizeof *o->names);
        o->names[o->n_names++] = arg;
    } else {
        argp_error(state, "\"%s\": one path at a time", arg);
        return EINVAL;
    }
    return 0;
}

static error_t parse_prune(int key, char *arg, struct argp_state *state)
{
    struct remove_options *o = state->input;

    switch (key) {
    case 'j':
        o->json = true;
        return 0;
    case KEY_KEEP:
        return set(state, o, "io.checkpoint.keep", arg);
    case KEY_EVERY:
        return set(state, o, "io.checkpoint.keep_every", arg);
    case KEY_AGE:
        return set(state, o, "io.checkpoint.keep_age_s", arg);
    case KEY_BYTES:
        return set(state, o, "io.checkpoint.keep_bytes", arg);
    case KEY_DAMAGED:
        o->flags |= RPT_CATALOG_DAMAGED;
        return 0;
    case KEY_VERIFY:
        o->flags |= RPT_CATALOG_VERIFY;
        return 0;
    case KEY_DRY_RUN:
        o->flags |= RPT_CATALOG_DRY_RUN;
        return 0;
    case 'o':
        return args_option(state, o->options, arg);
    case ARGP_KEY_ARG:
        return take_arg(state, o, arg, false);
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which directory of checkpoints?");
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int not_a_task(const char *path)
{
    struct fault fault = { 0 };
    int code = fault_set(&fault, CODE_USAGE, "%s is one checkpoint", path);

    fault_why(&fault, "rules are for all of a task");
    fault_hint(&fault, "give the path of the task, or use `repartir ckpt rm'");
    fault_print(&fault);
    return code;
}

static int prune(const struct remove_options *o)
{
    struct going g = { .options = o };
    const rpt_catalog_task_t *task;
    rpt_catalog_t *catalog = NULL;
    int code = CODE_OK;

    if (rpt_catalog_open(o->path, &catalog) != RPT_OK) {
        return ckpt_failed();
    }
    if (rpt_catalog_checkpoint(catalog) != NULL) {
        rpt_catalog_close(catalog);
        return not_a_task(o->path);
    }
    for (size_t i = 0; rpt_catalog_task(catalog, i, &task) == RPT_OK; i++) {
        if (rpt_catalog_prune(catalog, task->name, o->options, o->flags, note,
                              &g) != RPT_OK) {
            code = ckpt_failed();
        }
    }
    rpt_catalog_close(catalog);
    return finish(&g, code);
}

int ckpt_prune(int argc, char *argv[])
{
    static const struct argp_child children[] = ARGS_CHILDREN;
    static const struct argp argp = {
        options_of_prune,
        parse_prune,
        "PATH",
        "Remove old checkpoints of a task, or of all tasks of a directory, by "
        "the rules that jobs have.  The newest one stays in any case.  A job "
        "may write there.",
        children,
        NULL,
        NULL
    };
    struct remove_options o = { .path = NULL };
    int code;

    if (rpt_options_create(&o.options) != RPT_OK) {
        return ckpt_failed();
    }
    if (ckpt_parse(&argp, argc, argv, &o, &code)) {
        code = prune(&o);
    }
    rpt_options_destroy(o.options);
    return code;
}

/* ---- rm ---- */

static const struct argp_option options_of_rm[] = {
    { "json", 'j', NULL, 0, "Print one JSON object", 0 },
    { "all", KEY_ALL, NULL, 0, "Remove the task with all that it has", 0 },
    { "force", KEY_FORCE, NULL, 0, "The newest one may go", 0 },
    { "dry-run", KEY_DRY_RUN, NULL, 0, "Only say what would go", 0 },
    { NULL, 0, NULL, 0, NULL, 0 }
};

static error_t parse_rm(int key, char *arg, struct argp_state *state)
{
    struct remove_options *o = state->input;

    switch (key) {
    case 'j':
        o->json = true;
        return 0;
    case KEY_ALL:
        o->all = true;
        return 0;
    case KEY_FORCE:
        o->flags |= RPT_CATALOG_FORCE;
        return 0;
    case KEY_DRY_RUN:
        o->flags |= RPT_CATALOG_DRY_RUN;
        return 0;
    case ARGP_KEY_ARG:
        return take_arg(state, o, arg, true);
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which checkpoints?");
        return EINVAL;
    case ARGP_KEY_END:
        if (o->all && o->n_names > 0) {
            argp_error(state, "--all, or names: one of them");
            return EINVAL;
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int which_one(const char *path)
{
    struct fault fault = { 0 };
    int code = fault_set(&fault, CODE_USAGE, "what of %s shall go?", path);

    fault_hint(&fault, "name checkpoints (a folder, an id, an iteration), or "
                       "say --all for the whole task");
    fault_print(&fault);
    return code;
}

/* Whether it was named before, perhaps by another of its names. */
static bool is_named_before(const struct remove_options *o,
                            const rpt_catalog_t *catalog, size_t i)
{
    const rpt_catalog_entry_t *e, *before;

    if (rpt_catalog_find(catalog, NULL, o->names[i], &e) != RPT_OK) {
        return false;
    }
    for (size_t k = 0; k < i; k++) {
        if (rpt_catalog_find(catalog, NULL, o->names[k], &before) == RPT_OK &&
            before == e) {
            return true;
        }
    }
    return false;
}

static int remove_some(const struct remove_options *o,
                       const rpt_catalog_t *catalog, struct going *g)
{
    const rpt_catalog_entry_t *e;
    int code = CODE_OK;

    if (o->n_names == 0) {
        return rpt_catalog_checkpoint(catalog) == NULL ? which_one(o->path)
               : rpt_catalog_entry(catalog, 0, &e) == RPT_OK &&
                       rpt_catalog_remove(catalog, e->task, e->name, o->flags,
                                          note, g) == RPT_OK
                   ? CODE_OK
                   : ckpt_failed();
    }
    for (size_t i = 0; i < o->n_names; i++) {
        if (!is_named_before(o, catalog, i) &&
            rpt_catalog_remove(catalog, NULL, o->names[i], o->flags, note, g) !=
                RPT_OK) {
            code = ckpt_failed();
        }
    }
    return code;
}

static int remove_task(const struct remove_options *o,
                       const rpt_catalog_t *catalog, struct going *g)
{
    const rpt_catalog_task_t *task = NULL, *second;

    if (rpt_catalog_checkpoint(catalog) != NULL) {
        return not_a_task(o->path);
    }
    if (rpt_catalog_task(catalog, 0, &task) != RPT_OK ||
        rpt_catalog_task(catalog, 1, &second) == RPT_OK) {
        return which_one(o->path);
    }
    return rpt_catalog_remove_task(catalog, task->name, o->flags, note, g) ==
                   RPT_OK
               ? CODE_OK
               : ckpt_failed();
}

static int rm(const struct remove_options *o)
{
    struct going g = { .options = o };
    rpt_catalog_t *catalog = NULL;
    int code;

    if (rpt_catalog_open(o->path, &catalog) != RPT_OK) {
        return ckpt_failed();
    }
    code = (o->all ? remove_task : remove_some)(o, catalog, &g);
    rpt_catalog_close(catalog);
    if (code == CODE_USAGE) {
        text_free(&g.text);
        return code;
    }
    return finish(&g, code);
}

int ckpt_rm(int argc, char *argv[])
{
    static const struct argp_child children[] = ARGS_CHILDREN;
    static const struct argp argp = {
        options_of_rm,
        parse_rm,
        "PATH [CHECKPOINT ...]",
        "Remove checkpoints by name: of a folder, an id or an iteration.  The "
        "newest one that counts goes only with --force; --all removes a whole "
        "task that no job has open.",
        children,
        NULL,
        NULL
    };
    struct remove_options o = { .path = NULL };
    int code;

    if (ckpt_parse(&argp, argc, argv, &o, &code)) {
        code = rm(&o);
    }
    free(o.names);
    return code;
}
