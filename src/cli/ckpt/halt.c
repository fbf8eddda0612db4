/*
 * halt.c - `repartir ckpt halt DIR` and `repartir ckpt interval PATH`
 */
#include "cli/ckpt/ckpt_priv.h"
#include "cli/progress.h"

#include <errno.h>
#include <inttypes.h>

enum { KEY_OFF = CKPT_KEY, KEY_CHECK, KEY_COST, KEY_MTBF };

/* ---- halt ---- */

struct halt_options {
    const char *path;
    bool off;
    bool check;
};

static const struct argp_option options_of_halt[] = {
    { "off", KEY_OFF, NULL, 0, "Remove the file again", 0 },
    { "check", KEY_CHECK, NULL, 0,
      "Change nothing; end with 0 when the file is there, else with 1", 0 },
    { NULL, 0, NULL, 0, NULL, 0 }
};

static int take_path(struct argp_state *state, const char **path, char *arg)
{
    if (*path != NULL) {
        argp_error(state, "\"%s\": one path at a time", arg);
        return EINVAL;
    }
    *path = arg;
    return 0;
}

static error_t parse_halt(int key, char *arg, struct argp_state *state)
{
    struct halt_options *o = state->input;

    switch (key) {
    case KEY_OFF:
        o->off = true;
        return 0;
    case KEY_CHECK:
        o->check = true;
        return 0;
    case ARGP_KEY_ARG:
        return take_path(state, &o->path, arg);
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which directory of checkpoints?");
        return EINVAL;
    case ARGP_KEY_END:
        if (o->off && o->check) {
            argp_error(state, "--off, or --check: one of them");
            return EINVAL;
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int ckpt_halt(int argc, char *argv[])
{
    static const struct argp_child children[] = ARGS_CHILDREN;
    static const struct argp argp = {
        options_of_halt,
        parse_halt,
        "DIR",
        "Make the file HALT in a directory of checkpoints: programs that save "
        "there do so once more and end, as long as it is there.",
        children,
        NULL,
        NULL
    };
    struct halt_options o = { NULL, false, false };
    rpt_catalog_t *catalog = NULL;
    int code;

    if (!ckpt_parse(&argp, argc, argv, &o, &code)) {
        return code;
    }
    if (rpt_catalog_open(o.path, &catalog) != RPT_OK) {
        return ckpt_failed();
    }
    if (o.check) {
        code = rpt_catalog_is_halted(catalog) ? CODE_OK : CODE_FAILED;
    } else if (rpt_catalog_halt(catalog, !o.off) != RPT_OK) {
        code = ckpt_failed();
    }
    rpt_catalog_close(catalog);
    return code;
}

/* ---- interval ---- */

struct interval_options {
    const char *path;
    bool json;
    double cost_s, mtbf_s; /* 0: not given */
};

static const struct argp_option options_of_interval[] = {
    { "json", 'j', NULL, 0, "Print one JSON object", 0 },
    { "cost", KEY_COST, "TIME", 0, "What one checkpoint costs the program", 0 },
    { "mtbf", KEY_MTBF, "TIME", 0, "The mean time between failures", 0 },
    { NULL, 0, NULL, 0, NULL, 0 }
};

static error_t take_time(struct argp_state *state, const char *name,
                         const char *text, double *seconds_out)
{
    error_t error = args_seconds(state, name, text, seconds_out);

    if (error == 0 && !(*seconds_out > 0)) {
        argp_error(state, "--%s must be above 0", name);
        error = EINVAL;
    }
    return error;
}

static error_t parse_interval(int key, char *arg, struct argp_state *state)
{
    struct interval_options *o = state->input;

    switch (key) {
    case 'j':
        o->json = true;
        return 0;
    case KEY_COST:
        return take_time(state, "cost", arg, &o->cost_s);
    case KEY_MTBF:
        return take_time(state, "mtbf", arg, &o->mtbf_s);
    case ARGP_KEY_ARG:
        return take_path(state, &o->path, arg);
    case ARGP_KEY_END:
        if (o->path == NULL && !(o->cost_s > 0 && o->mtbf_s > 0)) {
            argp_error(state, "which task?  Or give --cost and --mtbf");
            return EINVAL;
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int not_known(const struct interval_options *o)
{
    struct fault fault = { 0 };
    int code = fault_set(&fault, CODE_INPUT,
                         "what a checkpoint of %s costs is not known", o->path);

    fault_why(&fault, "its events have no save that was committed");
    fault_hint(&fault, "give --cost");
    fault_print(&fault);
    return code;
}

/* "0.25 s", "42.1 s", "1 h 57 min (7022 s)". */
static void add_time(struct text *text, double seconds)
{
    if (seconds < 60 || seconds >= 1e12) {
        text_printf(text, "%.3g s", seconds);
        return;
    }
    progress_time(text, seconds);
    text_printf(text, " (%.0f s)", seconds);
}

static void add_text(struct text *text, const rpt_catalog_interval_t *i,
                     const struct interval_options *o)
{
    const char *rule = i->n_failures == 0 ? "; a day as long as none failed"
                       : i->mtbf_s * (double)i->n_failures > i->run_s * 1.001
                           ? "; 10 min is the least"
                           : "";

    text_string(text, "save every ");
    add_time(text, i->interval_s);
    text_string(text, "\n  a checkpoint costs ");
    add_time(text, i->cost_s);
    if (o->cost_s > 0) {
        text_string(text, ", as was given\n");
    } else {
        text_printf(text, ", from %" PRIu64 " saves that were committed\n",
                    i->n_commits);
    }
    text_string(text, "  a failure each ");
    add_time(text, i->mtbf_s);
    if (o->mtbf_s > 0) {
        text_string(text, ", as was given\n");
    } else {
        text_printf(text, ", from %" PRIu64 " jobs that did not close, in ",
                    i->n_failures);
        add_time(text, i->run_s);
        text_printf(text, "%s\n", rule);
    }
}

static void add_json(struct text *text, const rpt_catalog_interval_t *i)
{
    text_char(text, '{');
    ckpt_json_real(text, "interval_s", i->interval_s);
    text_char(text, ',');
    ckpt_json_real(text, "cost_s", i->cost_s);
    text_char(text, ',');
    ckpt_json_real(text, "mtbf_s", i->mtbf_s);
    text_printf(text, ",\"commits\":%" PRIu64 ",\"failures\":%" PRIu64 ",",
                i->n_commits, i->n_failures);
    ckpt_json_real(text, "run_s", i->run_s);
    text_string(text, "}\n");
}

static int show_interval(const struct interval_options *o)
{
    rpt_catalog_interval_t interval = { .size = sizeof interval };
    struct text text = { NULL, 0, 0 };
    rpt_catalog_t *catalog = NULL;

    if (o->path != NULL &&
        (rpt_catalog_open(o->path, &catalog) != RPT_OK ||
         rpt_catalog_interval(catalog, NULL, &interval) != RPT_OK)) {
        rpt_catalog_close(catalog);
        return ckpt_failed();
    }
    rpt_catalog_close(catalog);
    interval.cost_s = o->cost_s > 0 ? o->cost_s : interval.cost_s;
    interval.mtbf_s = o->mtbf_s > 0 ? o->mtbf_s : interval.mtbf_s;
    if (!(interval.cost_s > 0)) {
        return not_known(o);
    }
    interval.interval_s = rpt_checkpoint_interval(interval.cost_s,
                                                  interval.mtbf_s);
    if (o->json) {
        add_json(&text, &interval);
    } else {
        add_text(&text, &interval, o);
    }
    return ckpt_print(&text, CODE_OK);
}

int ckpt_interval(int argc, char *argv[])
{
    static const struct argp_child children[] = ARGS_CHILDREN;
    static const struct argp argp = {
        options_of_interval,
        parse_interval,
        "[PATH]",
        "Say how long to compute between two checkpoints, by Daly's formula, "
        "from what happened to the checkpoints of a task or from what is "
        "given.",
        children,
        NULL,
        NULL
    };
    struct interval_options o = { .path = NULL };
    int code;

    return ckpt_parse(&argp, argc, argv, &o, &code) ? show_interval(&o) : code;
}
