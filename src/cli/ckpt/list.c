/*
 * list.c - `repartir ckpt list PATH`: tasks and their checkpoints
 */
#include "cli/ckpt/ckpt_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

struct list_options {
    const char *path;
    bool json;
};

static const struct argp_option options_of_list[] = {
    { "json", 'j', NULL, 0, "Print one JSON object", 0 },
    { NULL, 0, NULL, 0, NULL, 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct list_options *o = state->input;

    switch (key) {
    case 'j':
        o->json = true;
        break;
    case ARGP_KEY_ARG:
        if (o->path != NULL) {
            argp_error(state, "more than one path");
            return EINVAL;
        }
        o->path = arg;
        break;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which directory of checkpoints?");
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

/* ---- as a table ---- */

static void add_entry(struct text *text, const rpt_catalog_entry_t *e)
{
    text_printf(text, "%-16s %-33s %12" PRIu64 "  ", e->task, e->name,
                e->iteration);
    ckpt_add_time(text, e->time_s);
    text_printf(text, " %5d %-10s ", e->n_ranks,
                e->engine[0] != '\0' ? e->engine : "-");
    ckpt_add_bytes(text, e->bytes);
    text_printf(text, " %s\n", rpt_stored_state_name(e->state));
    if (e->why[0] != '\0') {
        text_printf(text, "  %s\n", e->why);
    }
}

static void add_table(struct text *text, const rpt_catalog_t *catalog)
{
    const rpt_catalog_task_t *task;
    const rpt_catalog_entry_t *e;

    if (rpt_catalog_is_halted(catalog)) {
        text_printf(text, "%s has a file HALT: programs save and end there\n",
                    rpt_catalog_directory(catalog));
    }
    for (size_t i = 0; rpt_catalog_task(catalog, i, &task) == RPT_OK; i++) {
        if (task->is_open) {
            text_printf(text, "task %s is written by process %d on %s\n",
                        task->name, task->pid,
                        task->host[0] != '\0' ? task->host : "-");
        }
    }
    for (size_t i = 0; rpt_catalog_entry(catalog, i, &e) == RPT_OK; i++) {
        if (i == 0) {
            text_printf(text, "%-16s %-33s %12s  %-19s %5s %-10s %10s %s\n",
                        "task", "checkpoint", "iteration", "time", "ranks",
                        "engine", "bytes", "state");
        }
        add_entry(text, e);
    }
    if (text->bytes == 0) {
        text_printf(text, "%s has no checkpoints\n",
                    rpt_catalog_directory(catalog));
    }
}

/* ---- as JSON ---- */

static void add_json_task(struct text *text, const rpt_catalog_t *catalog,
                          const rpt_catalog_task_t *task)
{
    const rpt_catalog_entry_t *e;
    bool first = true;

    text_char(text, '{');
    ckpt_json_string(text, "name", task->name);
    text_printf(text, ",\"open\":%s,", task->is_open ? "true" : "false");
    ckpt_json_string(text, "host", task->host);
    text_printf(text, ",\"pid\":%d,\"bytes\":%" PRIu64 ",\"states\":{",
                task->pid, task->bytes);
    for (int s = 0; s < RPT_N_STORED_STATES; s++) {
        text_printf(text, "%s\"%s\":%" PRIu64, s > 0 ? "," : "",
                    rpt_stored_state_name((rpt_stored_state_t)s),
                    task->n_by_state[s]);
    }
    text_string(text, "},\"checkpoints\":[");
    for (size_t i = 0; rpt_catalog_entry(catalog, i, &e) == RPT_OK; i++) {
        if (strcmp(e->task, task->name) == 0) {
            text_string(text, first ? "" : ",");
            ckpt_json_entry(text, e);
            first = false;
        }
    }
    text_string(text, "]}");
}

static void add_json(struct text *text, const rpt_catalog_t *catalog)
{
    const rpt_catalog_task_t *task;

    text_char(text, '{');
    ckpt_json_string(text, "directory", rpt_catalog_directory(catalog));
    text_printf(text, ",\"halt\":%s,\"tasks\":[",
                rpt_catalog_is_halted(catalog) ? "true" : "false");
    for (size_t i = 0; rpt_catalog_task(catalog, i, &task) == RPT_OK; i++) {
        text_string(text, i > 0 ? "," : "");
        add_json_task(text, catalog, task);
    }
    text_string(text, "]}\n");
}

int ckpt_list(int argc, char *argv[])
{
    static const struct argp_child children[] = ARGS_CHILDREN;
    static const struct argp argp = {
        options_of_list,
        parse,
        "PATH",
        "List the checkpoints of a directory, or of a task: the newest first, "
        "then those that do not count and why.  Reads no data, changes "
        "nothing.",
        children,
        NULL,
        NULL
    };
    struct list_options o = { NULL, false };
    struct text text = { NULL, 0, 0 };
    rpt_catalog_t *catalog = NULL;
    int code;

    if (!ckpt_parse(&argp, argc, argv, &o, &code)) {
        return code;
    }
    if (rpt_catalog_open(o.path, &catalog) != RPT_OK) {
        return ckpt_failed();
    }
    if (o.json) {
        add_json(&text, catalog);
    } else {
        add_table(&text, catalog);
    }
    rpt_catalog_close(catalog);
    return ckpt_print(&text, CODE_OK);
}
