/*
 * cmd_submit.c - `repartir submit DIR FILE`: adds tasks to a running job
 *
 * The file is read and checked here, with the ids that the job has, so that a
 * mistake is answered at once; the job gets canonical JSON lines.
 */
#include "cli/args.h"
#include "cli/command.h"
#include "cli/input.h"

#include <repartir/state.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct submit_options {
    const char *directory;
    struct input_options input;
};

enum { KEY_SHELL = 0x1001, KEY_EACH, KEY_FORMAT };

static const struct argp_option options_of_submit[] = {
    { "each", KEY_EACH, "FILE", 0,
      "A task for each line of FILE, as in repartir run", 0 },
    { "format", KEY_FORMAT, "FORMAT", 0,
      "What FILE holds: lines, json (JSON lines), or auto", 0 },
    { "shell", KEY_SHELL, NULL, 0, "Leave each line to /bin/sh", 0 },
    { NULL, 0, NULL, 0, NULL, 0 }
};

static error_t take_rest(struct submit_options *o, struct argp_state *state)
{
    char **rest = state->argv + state->next;
    int n = state->argc - state->next;

    if (o->input.each ? n < 2 : n != 2) {
        argp_error(state, o->input.each ? "wanted: DIR -- PROGRAM {} ..."
                                        : "wanted: DIR FILE");
        return EINVAL;
    }
    o->directory = rest[0];
    if (o->input.each) {
        o->input.words = (const char *const *)rest + 1;
    } else {
        o->input.file = rest[1];
    }
    state->next = state->argc;
    return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    static const char *const formats[] = { "auto", "lines", "json", NULL };
    struct submit_options *o = state->input;
    int word;

    switch (key) {
    case KEY_SHELL:
        o->input.shell = true;
        break;
    case KEY_EACH:
        o->input.each = true;
        o->input.file = arg;
        break;
    case KEY_FORMAT:
        word = args_word(state, "format", arg, formats);
        if (word < 0) {
            return EINVAL;
        }
        o->input.format = (enum input_format)word;
        break;
    case ARGP_KEY_ARGS:
    case ARGP_KEY_NO_ARGS:
        return take_rest(o, state);
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

/* Ids of the tasks that the job has; they belong to the state. */
static int known_ids(const rpt_state_t *state, struct map *known,
                     struct fault *fault)
{
    const rpt_state_task_t *task;
    rpt_status_t status;
    size_t i = 0;

    while ((status = rpt_state_task(state, i, &task)) == RPT_OK) {
        map_set_string(known, task->id, i++);
    }
    return status < 0 ? fault_library(fault) : CODE_OK;
}

static int send(const struct submit_options *o, const struct task_list *list,
                struct fault *fault)
{
    struct text lines = { NULL, 0, 0 };
    int code = CODE_OK;

    for (size_t i = 0; i < list->n; i++) {
        spec_json(&lines, &list->tasks[i]);
    }
    if (rpt_state_request(o->directory, "submit", lines.data, lines.bytes) !=
        RPT_OK) {
        code = fault_library(fault);
    } else {
        say("%zu task%s left for the job in %s", list->n,
            list->n == 1 ? "" : "s", o->directory);
    }
    text_free(&lines);
    return code;
}

static int submit(const struct submit_options *o, struct fault *fault)
{
    struct task_list list = { NULL, NULL, 0, 0 };
    struct map known = { NULL, 0, 0 };
    rpt_state_t *state = NULL;
    int code = input_read(&o->input, &list, fault);

    if (code == CODE_OK && rpt_state_open(o->directory, &state) != RPT_OK) {
        code = fault_library(fault);
    }
    if (code == CODE_OK) {
        code = known_ids(state, &known, fault);
    }
    if (code == CODE_OK) {
        code = check_list(&list, &known, fault);
    }
    if (code == CODE_OK && list.n == 0) {
        say("%s has no tasks", list.source);
    } else if (code == CODE_OK) {
        code = send(o, &list, fault);
    }
    map_free(&known);
    rpt_state_close(state);
    list_free(&list);
    return code;
}

int command_submit(int argc, char *argv[])
{
    static const struct argp_child children[] = ARGS_CHILDREN;
    static const struct argp argp = {
        options_of_submit,
        parse,
        "DIR FILE|-\n--each FILE DIR -- PROGRAM {} ...",
        "Add the tasks of FILE to the job that runs with the state directory "
        "DIR.  FILE is as for repartir run.",
        children,
        NULL,
        NULL
    };
    struct submit_options o = { NULL, { 0 } };
    struct fault fault = { 0 };
    int code = args_parse(&argp, argc, argv, &o);

    if (code == CODE_OK) {
        code = submit(&o, &fault);
        fault_print(&fault);
    }
    return code == ARGS_ANSWERED ? CODE_OK : code;
}
