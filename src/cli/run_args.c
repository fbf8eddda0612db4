/*
 * run_args.c - the options of `repartir run`
 *
 * Only what is typed: names of library options and their values are kept as
 * text, and judged by the library.
 */
#include "cli/args.h"
#include "cli/run.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

enum {
    KEY_SLOTS = 0x1001,
    KEY_TIMEOUT,
    KEY_RETRIES,
    KEY_OUTPUT,
    KEY_OUTPUT_DIR,
    KEY_RESULTS,
    KEY_JOBLOG,
    KEY_KEEP_ORDER,
    KEY_STATE,
    KEY_RETRY_FAILED,
    KEY_FAIL_FAST,
    KEY_MAX_FAILURES,
    KEY_DRY_RUN,
    KEY_PROGRESS,
    KEY_SHELL,
    KEY_EACH,
    KEY_FORMAT,
    KEY_GRACE,
    KEY_MEMORY,
    KEY_RESOURCES
};

/* clang-format off */
static const struct argp_option options_of_run[] = {
    { NULL, 0, NULL, 0, "Input:", 1 },
    { "each", KEY_EACH, "FILE", 0,
      "Run the command behind -- once for each line of FILE, with {} {.} {/} "
      "{//} {/.} {#} {%} replaced", 0 },
    { "format", KEY_FORMAT, "FORMAT", 0,
      "What FILE holds: lines, json (JSON lines), or auto", 0 },
    { "shell", KEY_SHELL, NULL, 0, "Leave each line to /bin/sh", 0 },
    { NULL, 0, NULL, 0, "Running:", 2 },
    { "slots", KEY_SLOTS, "N", 0, "Tasks at the same time on each rank", 0 },
    { "memory", KEY_MEMORY, "SIZE", 0,
      "Memory that each rank may hand out to tasks", 0 },
    { "resources", KEY_RESOURCES, "NAME=N,...", 0,
      "Named resources of each rank, such as gpu=2", 0 },
    { "timeout", KEY_TIMEOUT, "TIME", 0,
      "End a task after TIME (30, 10min, 2h)", 0 },
    { "retries", KEY_RETRIES, "N", 0, "Try a failed task N more times", 0 },
    { "fail-fast", KEY_FAIL_FAST, NULL, 0, "Stop when a task has failed", 0 },
    { "max-failures", KEY_MAX_FAILURES, "N", 0,
      "Stop when N tasks have failed", 0 },
    { "grace", KEY_GRACE, "TIME", 0,
      "When interrupted, let running tasks end within TIME (default 30)", 0 },
    { "dry-run", KEY_DRY_RUN, NULL, 0, "Print the commands, run nothing", 0 },
    { NULL, 'o', "NAME=VALUE", 0,
      "Set an option of the library; see repartir.conf(5)", 0 },
    { "option", 'o', "NAME=VALUE", OPTION_ALIAS, NULL, 0 },
    { NULL, 0, NULL, 0, "Resuming:", 3 },
    { "state", KEY_STATE, "DIR", 0,
      "Journal in DIR; the same command again runs only the rest", 0 },
    { "retry-failed", KEY_RETRY_FAILED, NULL, 0,
      "On resume run failed tasks again", 0 },
    { NULL, 0, NULL, 0, "Output:", 4 },
    { "output", KEY_OUTPUT, "HOW", 0,
      "What becomes of the tasks' output: group (whole, when a task has "
      "ended), line (line by line), files, none", 0 },
    { "output-dir", KEY_OUTPUT_DIR, "DIR", 0, "Where --output=files puts them",
      0 },
    { "keep-order", KEY_KEEP_ORDER, NULL, 0,
      "Print output in the order of the input", 0 },
    { "results", KEY_RESULTS, "FILE", 0, "Write one JSON object a task", 0 },
    { "joblog", KEY_JOBLOG, "FILE", 0, "Write a log as GNU parallel does", 0 },
    { "progress", KEY_PROGRESS, "WHEN", 0,
      "Show how far the job is: auto (a bar on a terminal, else a line a "
      "minute), always (a bar), never", 0 },
    { NULL, 0, NULL, 0, NULL, 0 }
};
/* clang-format on */

static void add_set(struct run_options *o, const char *name, const char *value)
{
    text_add(&o->sets, name, strlen(name) + 1);
    text_add(&o->sets, value, strlen(value) + 1);
}

static error_t take_set(struct run_options *o, const char *arg,
                        struct argp_state *state)
{
    const char *equals = strchr(arg, '=');

    if (equals == NULL || equals == arg) {
        argp_error(state, "-o %s: not NAME=VALUE", arg);
        return EINVAL;
    }
    text_add(&o->sets, arg, (size_t)(equals - arg));
    text_char(&o->sets, '\0');
    text_add(&o->sets, equals + 1, strlen(equals + 1) + 1);
    return 0;
}

static error_t take_words(struct run_options *o, int key, const char *arg,
                          struct argp_state *state)
{
    static const char *const outputs[] = { "group", "line", "files", "none",
                                           NULL };
    static const char *const formats[] = { "auto", "lines", "json", NULL };
    static const char *const whens[] = { "auto", "always", "never", NULL };
    int word;

    if (key == KEY_OUTPUT) {
        word = args_word(state, "output", arg, outputs);
        o->output = (enum output_mode)word;
    } else if (key == KEY_FORMAT) {
        word = args_word(state, "format", arg, formats);
        o->input.format = (enum input_format)word;
    } else {
        word = args_word(state, "progress", arg, whens);
        o->progress = (enum progress_when)word;
    }
    return word < 0 ? EINVAL : 0;
}

static error_t take_numbers(struct run_options *o, int key, const char *arg,
                            struct argp_state *state)
{
    long long number;
    int error;

    switch (key) {
    case KEY_TIMEOUT:
        return args_seconds(state, "timeout", arg, &o->timeout_s);
    case KEY_GRACE:
        return args_seconds(state, "grace", arg, &o->grace_s);
    case KEY_RETRIES:
        error = args_integer(state, "retries", arg, 0, &number);
        if (error == 0) {
            o->retries = (int)number;
        }
        return error;
    default:
        return args_integer(state, "max-failures", arg, 1, &o->max_failures);
    }
}

/* Switches and names: no value to check here. */
/* clang-format off */
static bool take_simple(struct run_options *o, int key, const char *arg)
{
    switch (key) {
    case KEY_SLOTS: add_set(o, "pool.slots", arg); break;
    case KEY_MEMORY: add_set(o, "pool.memory", arg); break;
    case KEY_RESOURCES: add_set(o, "pool.resources", arg); break;
    case KEY_RETRY_FAILED: add_set(o, "pool.retry_failed", "yes"); break;
    case KEY_STATE:
        add_set(o, "pool.state_dir", arg);
        o->state = arg;
        break;
    case KEY_OUTPUT_DIR: o->output_dir = arg; break;
    case KEY_RESULTS: o->results = arg; break;
    case KEY_JOBLOG: o->joblog = arg; break;
    case KEY_KEEP_ORDER: o->keep_order = true; break;
    case KEY_FAIL_FAST: o->max_failures = 1; break;
    case KEY_DRY_RUN: o->dry_run = true; break;
    case KEY_SHELL: o->input.shell = true; break;
    case KEY_EACH:
        o->input.each = true;
        o->input.file = arg;
        break;
    default: return false;
    }
    return true;
}
/* clang-format on */

/* What stands behind the options: FILE, or the template of --each. */
static error_t take_rest(struct run_options *o, struct argp_state *state)
{
    char **rest = state->argv + state->next;
    int n = state->argc - state->next;

    if (o->input.each && n == 0) {
        argp_error(state, "--each wants a command: --each FILE -- prog {} ...");
        return EINVAL;
    }
    if (!o->input.each && n != 1) {
        argp_error(state, n == 0 ? "which FILE of tasks?  - is standard input"
                                 : "more than one FILE of tasks");
        return EINVAL;
    }
    if (o->input.each && rest[0][0] == '\0') {
        argp_error(state, "the name of the program is empty");
        return EINVAL;
    }
    if (o->input.each) {
        o->input.words = (const char *const *)rest;
    } else {
        o->input.file = rest[0];
    }
    state->next = state->argc;
    return 0;
}

static error_t check_together(struct run_options *o, struct argp_state *state)
{
    const char *problem = NULL;

    if (o->input.each && o->input.format != FORMAT_AUTO) {
        problem = "--format does not go with --each";
    } else if (o->output_dir != NULL && o->output != OUTPUT_FILES) {
        problem = "--output-dir goes with --output=files only";
    }
    if (problem != NULL) {
        argp_error(state, "%s", problem);
        return EINVAL;
    }
    return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct run_options *o = state->input;

    switch (key) {
    case 'o':
        return take_set(o, arg, state);
    case KEY_OUTPUT:
    case KEY_FORMAT:
    case KEY_PROGRESS:
        return take_words(o, key, arg, state);
    case KEY_TIMEOUT:
    case KEY_GRACE:
    case KEY_RETRIES:
    case KEY_MAX_FAILURES:
        return take_numbers(o, key, arg, state);
    case ARGP_KEY_ARGS:
        return take_rest(o, state);
    case ARGP_KEY_NO_ARGS:
        return take_rest(o, state);
    case ARGP_KEY_END:
        return check_together(o, state);
    default:
        return take_simple(o, key, arg) ? 0 : ARGP_ERR_UNKNOWN;
    }
}

int run_args(int argc, char *argv[], struct run_options *options)
{
    static const struct argp_child children[] = ARGS_CHILDREN;
    static const struct argp argp = {
        options_of_run,
        parse,
        "FILE|-\n--each FILE -- PROGRAM {} ...",
        "Run the commands of FILE as tasks over the ranks of an MPI job "
        "(mpirun -n 4 repartir run FILE), or in one process.\v"
        "FILE has a command on each line, or a JSON object on each line.  "
        "Exit code: 0 all good, 1 some tasks failed, 64 usage, 65 bad input, "
        "73 the state directory is in use, 74 a file could not be written, "
        "75 interrupted: the same command resumes.",
        children,
        NULL,
        NULL
    };

    return args_parse(&argp, argc, argv, options);
}
