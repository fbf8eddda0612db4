/*
 * cmd_bench.c - `repartir bench coll|plan|group`: ours against the MPI's
 *
 * All ranks measure together; rank 0 prints the table, and writes the files as
 * points come, the plot at the end.
 */
#include "cli/args.h"
#include "cli/bench/bench.h"
#include "cli/command.h"
#include "cli/launch.h"
#include "cli/sink.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEY_BUFFERS = 0x4001,
    KEY_MAX_BYTES,
    KEY_SAMPLES,
    KEY_CSV,
    KEY_JSON,
    KEY_SVG
};

enum { WHAT_COLL, WHAT_PLAN, WHAT_GROUP };
static const char *const whats[] = { "coll", "plan", "group", NULL };

/* Elements are counted by int in the MPI's calls. */
static const size_t most_bytes = (size_t)4 << 30;

struct bench_options {
    int what; /* -1: not said yet */
    bool wanted[BENCH_KINDS];
    bool some_wanted;
    struct bench_wishes wishes;
    const char *csv, *json, *svg;
};

static const struct argp_option options_of_bench[] = {
    { "buffers", KEY_BUFFERS, "private|shared", 0,
      "Ours in memory of its own, or of rpt_buffer_alloc (private)", 0 },
    { "max-bytes", KEY_MAX_BYTES, "SIZE", 0,
      "Largest vector, or all blocks of it together (64MiB)", 0 },
    { "samples", KEY_SAMPLES, "N", 0,
      "Of each size; the median counts (25, and 9 above 1MiB)", 0 },
    { "csv", KEY_CSV, "FILE", 0, "Write the points to FILE as a table", 0 },
    { "json", KEY_JSON, "FILE", 0, "The same, a JSON object each line", 0 },
    { "svg", KEY_SVG, "FILE", 0, "Write a plot to FILE", 0 },
    { "option", 'o', "NAME=VALUE", 0, "Set an option of the library", 0 },
    { NULL, 0, NULL, 0, NULL, 0 }
};

/* ---- command line ---- */

static error_t take_argument(struct argp_state *state, const char *arg,
                             struct bench_options *o)
{
    int word;

    if (o->what < 0) {
        o->what = args_word(state, "WHAT", arg, whats);
        return o->what < 0 ? EINVAL : 0;
    }
    if (o->what != WHAT_COLL) {
        argp_error(state, "\"%s\": %s takes no operation", arg, whats[o->what]);
        return EINVAL;
    }
    word = args_word(state, "OPERATION", arg, args_operations);
    if (word < 0) {
        return EINVAL;
    }
    o->wanted[word] = true;
    o->some_wanted = true;
    return 0;
}

static error_t take_samples(struct argp_state *state, const char *arg,
                            struct bench_options *o)
{
    long long n = 0;
    error_t error = args_integer(state, "samples", arg, 1, &n);

    if (error == 0 && n > 10000) {
        argp_error(state, "--samples: \"%s\" is more than 10000", arg);
        error = EINVAL;
    }
    o->wishes.n_samples = (int)n;
    return error;
}

static error_t take_max_bytes(struct argp_state *state, const char *arg,
                              struct bench_options *o)
{
    error_t error = args_size(state, "max-bytes", arg, &o->wishes.max_bytes);

    if (error == 0 && o->wishes.max_bytes > most_bytes) {
        argp_error(state, "--max-bytes: \"%s\" is more than 4GiB", arg);
        error = EINVAL;
    }
    return error;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    static const char *const buffers[] = { "private", "shared", NULL };
    struct bench_options *o = state->input;
    int word;

    switch (key) {
    case KEY_BUFFERS:
        word = args_word(state, "buffers", arg, buffers);
        o->wishes.shared = word == 1;
        return word < 0 ? EINVAL : 0;
    case KEY_MAX_BYTES:
        return take_max_bytes(state, arg, o);
    case KEY_SAMPLES:
        return take_samples(state, arg, o);
    case KEY_CSV:
        o->csv = arg;
        return 0;
    case KEY_JSON:
        o->json = arg;
        return 0;
    case KEY_SVG:
        o->svg = arg;
        return 0;
    case 'o':
        return args_option(state, o->wishes.options, arg);
    case ARGP_KEY_ARG:
        return take_argument(state, arg, o);
    case ARGP_KEY_END:
        if (o->what < 0) {
            argp_error(state, "what to measure is wanted: coll, plan or group");
            return EINVAL;
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- files ---- */

struct files {
    struct sink csv, json, svg;
};

static int open_files(struct files *files, const struct bench_options *o,
                      struct fault *fault)
{
    int code = sink_open(&files->csv, o->csv, fault);

    if (code == CODE_OK) {
        code = sink_open(&files->json, o->json, fault);
    }
    if (code == CODE_OK) {
        code = sink_open(&files->svg, o->svg, fault);
    }
    return code;
}

static void begin_files(struct files *files)
{
    sink_begin(&files->csv);
    sink_begin(&files->json);
    sink_begin(&files->svg);
    bench_add_csv_head(&files->csv.pending);
    sink_flush(&files->csv);
}

static int close_files(struct files *files, struct fault *fault)
{
    struct sink *all[] = { &files->csv, &files->json, &files->svg };
    int code = CODE_OK;

    for (int i = 0; i < 3; i++) {
        sink_close(all[i]);
        if (code == CODE_OK && sink_status(all[i], fault) != CODE_OK) {
            fault_hint(fault, "make room, or give a file elsewhere");
            code = CODE_IO;
        }
    }
    return code;
}

/* ---- measuring ---- */

struct run {
    struct bench *bench;
    const struct bench_machine *machine;
    struct files *files; /* NULL: this rank writes nothing */
    struct bench_series series[BENCH_KINDS];
    int n_series;
};

static void print(struct text *text)
{
    fputs(text->data, stdout);
    fflush(stdout);
    text_clear(text);
}

static void show_point(const struct run *run, const struct bench_series *series,
                       const struct bench_point *point)
{
    struct text text = { NULL, 0, 0 };

    if (run->files == NULL) {
        return;
    }
    bench_add_point(&text, series, point);
    print(&text);
    text_free(&text);
    bench_add_csv(&run->files->csv.pending, run->machine, series, point);
    sink_flush(&run->files->csv);
    bench_add_json(&run->files->json.pending, run->machine, series, point);
    sink_flush(&run->files->json);
}

static int run_contest(struct run *run, const struct bench_contest *contest,
                       struct fault *fault)
{
    struct bench_series *series = &run->series[run->n_series++];
    struct text text = { NULL, 0, 0 };
    int code = CODE_OK;

    bench_begin(run->bench, contest, series);
    if (run->files != NULL) {
        bench_add_columns(&text, series);
        print(&text);
    }
    for (int k = 0; k < series->n_points && code == CODE_OK; k++) {
        code = bench_measure(run->bench, contest, &series->points[k], fault);
        if (code == CODE_OK) {
            show_point(run, series, &series->points[k]);
        }
    }
    if (code == CODE_OK && run->files != NULL) {
        bench_add_summary(&text, series);
        print(&text);
    }
    text_free(&text);
    return code;
}

static int run_all(struct run *run, const struct bench_options *o,
                   struct fault *fault)
{
    int code = CODE_OK;

    if (o->what == WHAT_PLAN) {
        return run_contest(run, bench_plan(), fault);
    }
    if (o->what == WHAT_GROUP) {
        return run_contest(run, bench_group(), fault);
    }
    for (int kind = 0; kind < BENCH_KINDS && code == CODE_OK; kind++) {
        if (o->wanted[kind] || !o->some_wanted) {
            code = run_contest(run, bench_call((rpt_coll_kind_t)kind), fault);
        }
    }
    return code;
}

static int measure(const struct launch *launch, const struct bench_options *o,
                   struct files *files, struct fault *fault)
{
    struct run *run = get_memory(sizeof *run);
    struct text head = { NULL, 0, 0 };
    int code;

    run->files = launch->rank == 0 ? files : NULL;
    run->n_series = 0;
    code = bench_open(launch, &o->wishes, &run->bench, fault);
    if (code == CODE_OK) {
        run->machine = bench_machine(run->bench);
        if (run->files != NULL) {
            begin_files(files);
            bench_add_head(&head, run->machine);
            print(&head);
        }
        code = run_all(run, o, fault);
        if (code == CODE_OK && run->files != NULL) {
            bench_add_svg(&files->svg.pending, run->machine, run->series,
                          run->n_series);
        }
        bench_close(run->bench);
    }
    text_free(&head);
    free(run);
    return code;
}

/* What is wrong with a start like this. */
static int check_start(const struct bench_options *o,
                       const struct launch *launch, struct files *files,
                       struct fault *fault)
{
    if (o->what == WHAT_PLAN && bench_plan() == NULL) {
        fault_set(fault, CODE_USAGE, "plans cannot be compared");
        fault_why(fault, "this MPI has no persistent collectives "
                         "(MPI_Allreduce_init)");
        fault_hint(fault, "compare calls: repartir bench coll allreduce");
        return CODE_USAGE;
    }
    return launch->rank == 0 ? open_files(files, o, fault) : CODE_OK;
}

static int bench_over_ranks(const struct bench_options *o)
{
    struct files files = { .csv = { .fd = -1 },
                           .json = { .fd = -1 },
                           .svg = { .fd = -1 } };
    struct fault fault = { 0 };
    struct launch launch;
    int code;

    launch_begin_single(&launch);
    say_quiet(launch.rank != 0);
    code = check_start(o, &launch, &files, &fault);
    if (launch_agree(&launch, code, NULL) == CODE_OK) {
        code = measure(&launch, o, &files, &fault);
    }
    if (launch.rank == 0) {
        struct fault unwritten = { 0 };
        int closed = close_files(&files, &unwritten);

        if (code == CODE_OK && closed != CODE_OK) {
            code = closed;
            fault = unwritten;
        }
    }
    fault_print(&fault);
    return launch_end(&launch, code);
}

int command_bench(int argc, char *argv[])
{
    static const struct argp_child children[] = ARGS_CHILDREN;
    static const struct argp argp = {
        options_of_bench,
        parse,
        "coll [OPERATION...]\nplan\ngroup",
        "Measure the collective operations of this library and those of the "
        "MPI by turns, on these ranks (mpirun -n 4 repartir bench coll).  "
        "coll: all operations, or those named; plan: an all-reduce as a plan, "
        "and as a persistent call; group: the first all-reduce on a new group.",
        children,
        NULL,
        NULL
    };
    struct bench_options o = { .what = -1,
                               .wishes = { .max_bytes = 64 << 20 } };
    struct fault fault = { 0 };
    int code;

    if (rpt_options_create(&o.wishes.options) != RPT_OK) {
        code = fault_library(&fault);
        fault_print(&fault);
        return launch_give_up(code);
    }
    code = args_parse(&argp, argc, argv, &o);
    if (code == CODE_OK) {
        code = bench_over_ranks(&o);
    } else {
        code = code == ARGS_ANSWERED ? CODE_OK : launch_give_up(code);
    }
    rpt_options_destroy(o.wishes.options);
    return code;
}
