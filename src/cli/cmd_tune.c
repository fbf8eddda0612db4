/*
 * cmd_tune.c - `repartir tune`: measures algorithms, writes rules
 *
 * All ranks measure together; rank 0 prints the tables and writes the file,
 * in one step, so that nobody ever reads half of it.
 */
#include "cli/args.h"
#include "cli/command.h"
#include "cli/launch.h"
#include "cli/outfile.h"
#include "cli/tune.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KEY_OPERATIONS = 0x3001, KEY_MAX_BYTES, KEY_TIME, KEY_OUT };
enum { N_SERIES = 2 * TUNE_KINDS };

struct tune_options {
    bool wanted[TUNE_KINDS];
    size_t max_bytes;
    double budget_s;
    const char *out;
    rpt_options_t *options;
};

static const struct argp_option options_of_tune[] = {
    { "operations", KEY_OPERATIONS, "NAME,...", 0, "Only these (all)", 0 },
    { "max-bytes", KEY_MAX_BYTES, "SIZE", 0,
      "Largest vector, or all blocks of it together (4MiB)", 0 },
    { "time", KEY_TIME, "TIME", 0, "Take about so long (30s)", 0 },
    { "out", KEY_OUT, "FILE", 0, "Write the rules to FILE (repartir.rules)",
      0 },
    { "option", 'o', "NAME=VALUE", 0, "Set an option of the library", 0 },
    { NULL, 0, NULL, 0, NULL, 0 }
};

/* ---- command line ---- */

static error_t take_operations(struct argp_state *state, const char *arg,
                               struct tune_options *o)
{
    char *list = copy_string(arg), *rest = list;
    error_t error = 0;

    memset(o->wanted, 0, sizeof o->wanted);
    while (rest != NULL && error == 0) {
        int kind = args_word(state, "operations", strsep(&rest, ","),
                             args_operations);

        if (kind >= 0) {
            o->wanted[kind] = true;
        } else {
            error = EINVAL;
        }
    }
    free(list);
    return error;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct tune_options *o = state->input;

    switch (key) {
    case KEY_OPERATIONS:
        return take_operations(state, arg, o);
    case KEY_MAX_BYTES:
        return args_size(state, "max-bytes", arg, &o->max_bytes);
    case KEY_TIME:
        return args_seconds(state, "time", arg, &o->budget_s);
    case KEY_OUT:
        o->out = arg;
        return 0;
    case 'o':
        return args_option(state, o->options, arg);
    case ARGP_KEY_ARG:
        argp_error(state, "\"%s\": no argument is wanted", arg);
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- the file ---- */

static int not_written(const char *path, int error, struct fault *fault)
{
    fault_set(fault, CODE_IO, "%s cannot be written", path);
    fault_why(fault, "%s", strerror(error));
    fault_hint(fault, "name another file with --out");
    return CODE_IO;
}

static void add_head(struct text *text, struct tune_layout layout)
{
    char *mpi = launch_mpi_version(), host[256] = "";

    gethostname(host, sizeof host - 1);
    mpi[strcspn(mpi, ",\n")] = '\0';
    for (char *c = mpi; *c != '\0'; c++) {
        *c = *c == '\t' ? ' ' : *c;
    }
    text_printf(text,
                "# By repartir tune %s with %s: %d ranks on %d node%s, the "
                "first %s.\n"
                "# Files for several layouts can be put one behind the other; "
                "see repartir-tune(1).\n",
                rpt_version_text(), mpi, layout.n_ranks, layout.n_nodes,
                layout.n_nodes > 1 ? "s" : "", host);
    free(mpi);
}

/* ---- measuring ---- */

static int n_algorithms(rpt_coll_kind_t kind)
{
    int n = 0;

    while (n < MOST_ALGORITHMS && rpt_coll_algorithm(kind, n) != NULL) {
        n++;
    }
    return n;
}

/* Series 2 k is of operation k, 2 k + 1 of that with shared buffers; false: it
 * is not wanted, or there is nothing to measure. */
static bool begin_series(const struct tune_options *o,
                         struct tune_layout layout, int number,
                         struct tune_series *series)
{
    series->kind = (rpt_coll_kind_t)(number / 2);
    series->shared = number % 2 == 1;
    series->n_algorithms = n_algorithms(series->kind);
    tune_sizes(series, layout, o->max_bytes);
    return o->wanted[series->kind] && series->n_points > 0 &&
           (!series->shared ||
            (layout.n_nodes == 1 && tune_reader(series->kind) >= 0));
}

static int n_points(const struct tune_options *o, struct tune_layout layout)
{
    struct tune_series series;
    int n = 0;

    for (int number = 0; number < N_SERIES; number++) {
        n += begin_series(o, layout, number, &series) ? series.n_points : 0;
    }
    return n;
}

/* Without buffers for it the series is empty. */
static int tune_operation(const struct tune_options *o, struct tuner *tuner,
                          struct tune_series *series, struct fault *fault)
{
    double budget_s = o->budget_s / n_points(o, tuner_layout(tuner));
    bool taken;
    int code = tuner_take(tuner, series, &taken, fault);

    series->n_points = code == CODE_OK && taken ? series->n_points : 0;
    for (int k = 0; k < series->n_points && code == CODE_OK; k++) {
        code = tuner_time(tuner, series->kind, budget_s, &series->points[k],
                          fault);
    }
    tune_choose(series);
    return code;
}

/* Rank 0 shows each operation when it is done. */
static int tune_all(const struct tune_options *o, struct tuner *tuner,
                    bool speaks, struct text *rules, struct fault *fault)
{
    struct tune_layout layout = tuner_layout(tuner);
    struct tune_series *series = get_memory(sizeof *series);
    int code = CODE_OK;

    add_head(rules, layout);
    for (int number = 0; number < N_SERIES && code == CODE_OK; number++) {
        struct text table = { NULL, 0, 0 };

        if (!begin_series(o, layout, number, series)) {
            continue;
        }
        code = tune_operation(o, tuner, series, fault);
        if (code == CODE_OK && speaks && series->n_points > 0) {
            tune_table(&table, series, layout);
            tune_rules(rules, series, layout);
            fputs(table.data, stdout);
            fflush(stdout);
        }
        text_free(&table);
    }
    free(series);
    return code;
}

static int tune(const struct tune_options *o, const struct launch *launch,
                struct fault *fault)
{
    struct tuner *tuner = NULL;
    struct text rules = { NULL, 0, 0 };
    int code = tuner_open(launch, o->options, o->max_bytes, &tuner, fault);

    if (code == CODE_OK) {
        code = tune_all(o, tuner, launch->rank == 0, &rules, fault);
        tuner_close(tuner);
    }
    if (code == CODE_OK && launch->rank == 0) {
        int error = outfile_replace(o->out, &rules);

        if (error != 0) {
            code = not_written(o->out, error, fault);
        } else {
            printf("The rules (*) are in %s: option coll.rules names them.\n",
                   o->out);
        }
    }
    text_free(&rules);
    return code;
}

/* What is wrong with a start like this. */
static int check_start(const struct tune_options *o,
                       const struct launch *launch, struct fault *fault)
{
    if (launch->size == 1) {
        fault_set(fault, CODE_USAGE, "one rank has nothing to choose from");
        fault_hint(fault, "start as many as the job will have: mpirun -n 4 "
                          "repartir tune");
        return CODE_USAGE;
    }
    if (launch->rank == 0) { /* said before the work, not after it */
        int error = outfile_check(o->out);

        return error == 0 ? CODE_OK : not_written(o->out, error, fault);
    }
    return CODE_OK;
}

static int tune_over_ranks(const struct tune_options *o)
{
    struct fault fault = { 0 };
    struct launch launch;
    int code;

    launch_begin(&launch);
    say_quiet(launch.rank != 0);
    code = check_start(o, &launch, &fault);
    if (launch_agree(&launch, code, NULL) == CODE_OK) {
        code = tune(o, &launch, &fault);
    }
    fault_print(&fault);
    return launch_end(&launch, code);
}

int command_tune(int argc, char *argv[])
{
    static const struct argp_child children[] = ARGS_CHILDREN;
    static const struct argp argp = {
        options_of_tune,
        parse,
        NULL,
        "Measure every algorithm of the collective operations on these ranks "
        "(mpirun -n 4 repartir tune), print the times, and write rules that "
        "choose the fastest at each size to a file.",
        children,
        NULL,
        NULL
    };
    struct tune_options o = { .max_bytes = 4 << 20,
                              .budget_s = 30,
                              .out = "repartir.rules" };
    struct fault fault = { 0 };
    int code;

    memset(o.wanted, true, sizeof o.wanted);
    if (rpt_options_create(&o.options) != RPT_OK) {
        code = fault_library(&fault);
        fault_print(&fault);
        return launch_give_up(code);
    }
    code = args_parse(&argp, argc, argv, &o);
    if (code == CODE_OK) {
        code = tune_over_ranks(&o);
    } else {
        code = code == ARGS_ANSWERED ? CODE_OK : launch_give_up(code);
    }
    rpt_options_destroy(o.options);
    return code;
}
