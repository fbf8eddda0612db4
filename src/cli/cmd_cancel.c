/*
 * cmd_cancel.c - `repartir cancel DIR ID…`: cuts tasks from a running job
 */
#include "cli/args.h"
#include "cli/command.h"
#include "cli/map.h"
#include "cli/text.h"

#include <repartir/state.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct cancel_options {
    const char *directory;
    char **ids;
    int n_ids;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct cancel_options *o = state->input;
    int n = state->argc - state->next;

    (void)arg;
    if (key != ARGP_KEY_ARGS && key != ARGP_KEY_NO_ARGS) {
        return ARGP_ERR_UNKNOWN;
    }
    if (key == ARGP_KEY_NO_ARGS || n < 2) {
        argp_error(state, "wanted: DIR ID...");
        return EINVAL;
    }
    o->directory = state->argv[state->next];
    o->ids = state->argv + state->next + 1;
    o->n_ids = n - 1;
    state->next = state->argc;
    return 0;
}

static int no_such_task(const rpt_state_t *state, const char *id,
                        struct fault *fault)
{
    size_t n = (size_t)rpt_state_summary(state)->n_tasks;
    const char **ids = get_memory(n * sizeof *ids);
    const rpt_state_task_t *task;
    const char *near;
    size_t i = 0;

    while (i < n && rpt_state_task(state, i, &task) == RPT_OK) {
        ids[i++] = task->id;
    }
    near = nearest_word(id, ids, i);
    fault_set(fault, CODE_INPUT, "the job has no task \"%s\"", id);
    if (near != NULL) {
        fault_hint(fault, "did you mean \"%s\"?", near);
    } else {
        fault_hint(fault, "repartir status --tasks lists them");
    }
    free(ids);
    return CODE_INPUT;
}

/* All ids exist: else nothing is cancelled. */
static int check_ids(const struct cancel_options *o, const rpt_state_t *state,
                     struct fault *fault)
{
    struct map known = { NULL, 0, 0 };
    const rpt_state_task_t *task;
    int code = CODE_OK;

    for (size_t i = 0; rpt_state_task(state, i, &task) == RPT_OK; i++) {
        map_set_string(&known, task->id, i);
    }
    for (int k = 0; k < o->n_ids && code == CODE_OK; k++) {
        if (map_find_string(&known, o->ids[k]) == MAP_NONE) {
            code = no_such_task(state, o->ids[k], fault);
        }
    }
    map_free(&known);
    return code;
}

static int send(const struct cancel_options *o, struct fault *fault)
{
    struct text lines = { NULL, 0, 0 };
    int code = CODE_OK;

    for (int i = 0; i < o->n_ids; i++) {
        text_printf(&lines, "%s\n", o->ids[i]);
    }
    if (rpt_state_request(o->directory, "cancel", lines.data, lines.bytes) !=
        RPT_OK) {
        code = fault_library(fault);
    }
    text_free(&lines);
    return code;
}

static int cancel(const struct cancel_options *o, struct fault *fault)
{
    rpt_state_t *state;
    int code;

    if (rpt_state_open(o->directory, &state) != RPT_OK) {
        return fault_library(fault);
    }
    code = check_ids(o, state, fault);
    rpt_state_close(state);
    return code == CODE_OK ? send(o, fault) : code;
}

int command_cancel(int argc, char *argv[])
{
    static const struct argp_child children[] = ARGS_CHILDREN;
    static const struct argp argp = {
        NULL,
        parse,
        "DIR ID...",
        "Cancel tasks of the job that runs with the state directory DIR: one "
        "that waits never starts, one that runs is ended.",
        children,
        NULL,
        NULL
    };
    struct cancel_options o = { NULL, NULL, 0 };
    struct fault fault = { 0 };
    int code = args_parse(&argp, argc, argv, &o);

    if (code == CODE_OK) {
        code = cancel(&o, &fault);
        fault_print(&fault);
    }
    return code == ARGS_ANSWERED ? CODE_OK : code;
}
