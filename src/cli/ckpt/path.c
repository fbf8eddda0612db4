/*
 * path.c - `repartir ckpt path PATH [CHECKPOINT]`: where a checkpoint is, for
 * scripts that open its files themselves
 */
#include "cli/ckpt/ckpt_priv.h"

#include <errno.h>
#include <stdlib.h>

struct path_options {
    const char *path, *which;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct path_options *o = state->input;

    switch (key) {
    case ARGP_KEY_ARG:
        if (o->path == NULL) {
            o->path = arg;
        } else if (o->which == NULL) {
            o->which = arg;
        } else {
            argp_error(state, "\"%s\": one checkpoint at a time", arg);
            return EINVAL;
        }
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which task?");
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int print_path(const struct path_options *o)
{
    struct text text = { NULL, 0, 0 };
    rpt_catalog_t *catalog = NULL;
    char *path = NULL;

    if (rpt_catalog_open(o->path, &catalog) != RPT_OK ||
        rpt_catalog_path(catalog, NULL, o->which, &path) != RPT_OK) {
        rpt_catalog_close(catalog);
        return ckpt_failed();
    }
    text_printf(&text, "%s\n", path);
    free(path);
    rpt_catalog_close(catalog);
    return ckpt_print_raw(&text, CODE_OK);
}

int ckpt_path(int argc, char *argv[])
{
    static const struct argp_child children[] = ARGS_CHILDREN;
    static const struct argp argp = {
        NULL,
        parse,
        "PATH [CHECKPOINT]",
        "Print the path of the folder of a checkpoint: of the newest one that "
        "counts, or of CHECKPOINT, which is the name of a folder, an id or an "
        "iteration.  It has state.h5 and files/.",
        children,
        NULL,
        NULL
    };
    struct path_options o = { NULL, NULL };
    int code;

    return ckpt_parse(&argp, argc, argv, &o, &code) ? print_path(&o) : code;
}
