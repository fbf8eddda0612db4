/*
 * export.c - `repartir ckpt export PATH --out=DIR`: a checkpoint as tables
 *
 * In this process, with threads as ranks; over MPI programs call
 * rpt_checkpoint_export() themselves.
 */
#include "cli/ckpt/ckpt_priv.h"

#include <repartir/export.h>

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEY_DIR = CKPT_KEY,
    KEY_TASK,
    KEY_CHECKPOINT,
    KEY_ARRAY,
    KEY_OUT,
    KEY_KEEPBITS,
    KEY_LEVEL,
    KEY_NO_INDEX,
    KEY_TOGETHER,
    KEY_TABLE,
    KEY_NO_DATA,
    KEY_ALL_DATA,
    KEY_REPLACE,
    KEY_THREADS
};

struct export_options {
    const char *path;
    const char *task;
    rpt_export_config_t config;
    const char **names; /* of config, ends with NULL */
    size_t n_names;
    int n_threads;
    bool json;
    rpt_options_t *options;
};

static const struct argp_option options_of_export[] = {
    { "out", KEY_OUT, "DIR", 0,
      "Where the tables go: a folder that is not "
      "there yet, or see --replace",
      0 },
    { "dir", KEY_DIR, "PATH", 0, "The directory of checkpoints, as PATH", 0 },
    { "task", KEY_TASK, "TASK", 0, "A task of the directory", 0 },
    { "checkpoint", KEY_CHECKPOINT, "CHECKPOINT", 0,
      "An id, an iteration, the name of a folder, or newest (the default)", 0 },
    { "array", KEY_ARRAY, "NAME", 0,
      "Only this array, value or blob; may be given several times; not with "
      "--table=checkpoints",
      0 },
    { "table", KEY_TABLE, "TABLES", 0,
      "arrays (the default; with values and blobs), checkpoints (a row for "
      "each checkpoint, with its file), or all",
      0 },
    { "no-index", KEY_NO_INDEX, NULL, 0, "Arrays without columns i0, i1, ...",
      0 },
    { "together", KEY_TOGETHER, NULL, 0,
      "Arrays of the same extents in one table", 0 },
    { "keepbits", KEY_KEEPBITS, "K", 0,
      "Round f32 and f64 of arrays to K bits of mantissa", 0 },
    { "level", KEY_LEVEL, "L", 0, "Of zstd, 1 to 22 (3)", 0 },
    { "no-data", KEY_NO_DATA, NULL, 0, "Checkpoints without their files", 0 },
    { "all-data", KEY_ALL_DATA, NULL, 0,
      "Fail when a file of a checkpoint is too large for a row, 1 GiB", 0 },
    { "replace", KEY_REPLACE, NULL, 0, "Replace what an export wrote before",
      0 },
    { "threads", KEY_THREADS, "N", 0, "Threads; each writes a part (1)", 0 },
    { "json", 'j', NULL, 0, "Print one JSON object", 0 },
    { "option", 'o', "NAME=VALUE", 0, "Set an option of the library", 0 },
    { NULL, 0, NULL, 0, NULL, 0 }
};

static error_t take_number(struct argp_state *state, const char *name,
                           const char *text, int most, int *out)
{
    long long number = 0;
    int error = args_integer_to(state, name, text, 1, most, &number);

    *out = (int)number;
    return error;
}

static error_t take_table(struct argp_state *state, const char *text,
                          struct export_options *o)
{
    static const char *const words[] = { "arrays", "checkpoints", "all", NULL };
    static const int tables[] = { RPT_EXPORT_ARRAYS | RPT_EXPORT_VALUES |
                                      RPT_EXPORT_BLOBS,
                                  RPT_EXPORT_CHECKPOINTS,
                                  RPT_EXPORT_ARRAYS | RPT_EXPORT_VALUES |
                                      RPT_EXPORT_BLOBS |
                                      RPT_EXPORT_CHECKPOINTS };
    int word = args_word(state, "table", text, words);

    o->config.tables = word >= 0 ? tables[word] : 0;
    return word >= 0 ? 0 : EINVAL;
}

static error_t add_name(struct export_options *o, const char *name)
{
    o->names = get_more(o->names, (o->n_names + 2) * sizeof *o->names);
    o->names[o->n_names++] = name;
    o->names[o->n_names] = NULL;
    o->config.names = o->names;
    return 0;
}

/* PATH [CHECKPOINT]. */
static error_t add_word(struct argp_state *state, struct export_options *o,
                        const char *word)
{
    if (o->path == NULL) {
        o->path = word;
    } else if (o->config.checkpoint == NULL) {
        o->config.checkpoint = word;
    } else {
        argp_error(state, "\"%s\": one checkpoint at a time", word);
        return EINVAL;
    }
    return 0;
}

static error_t check(struct argp_state *state, const struct export_options *o)
{
    if (o->path == NULL) {
        argp_error(state, "which directory of checkpoints?");
    } else if (o->config.output == NULL) {
        argp_error(state, "--out=DIR says where the tables go");
    } else if (o->config.output[0] == '\0') {
        argp_error(state, "--out: \"\" is no name of a folder");
    } else if (o->n_names > 0 && o->config.tables == RPT_EXPORT_CHECKPOINTS) {
        argp_error(state, "--array chooses from arrays, values and blobs: not "
                          "with --table=checkpoints");
    } else {
        return 0;
    }
    return EINVAL;
}

static error_t parse_flag(int key, struct export_options *o)
{
    switch (key) {
    case KEY_NO_INDEX:
        o->config.flags |= RPT_EXPORT_NO_INDEX;
        return 0;
    case KEY_TOGETHER:
        o->config.flags |= RPT_EXPORT_TOGETHER;
        return 0;
    case KEY_NO_DATA:
        o->config.flags |= RPT_EXPORT_NO_DATA;
        return 0;
    case KEY_ALL_DATA:
        o->config.flags |= RPT_EXPORT_ALL_DATA;
        return 0;
    case KEY_REPLACE:
        o->config.flags |= RPT_EXPORT_REPLACE;
        return 0;
    case 'j':
        o->json = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct export_options *o = state->input;

    switch (key) {
    case KEY_DIR:
        o->path = arg;
        return 0;
    case KEY_TASK:
        o->task = arg;
        return 0;
    case KEY_CHECKPOINT:
        o->config.checkpoint = arg;
        return 0;
    case KEY_ARRAY:
        return add_name(o, arg);
    case KEY_OUT:
        o->config.output = arg;
        return 0;
    case KEY_TABLE:
        return take_table(state, arg, o);
    case KEY_KEEPBITS:
        return take_number(state, "keepbits", arg, 52, &o->config.keepbits);
    case KEY_LEVEL:
        return take_number(state, "level", arg, 22, &o->config.level);
    case KEY_THREADS:
        return take_number(state, "threads", arg, 4096, &o->n_threads);
    case 'o':
        return args_option(state, o->options, arg);
    case ARGP_KEY_ARG:
        return add_word(state, o, arg);
    case ARGP_KEY_END:
        return check(state, o);
    default:
        return parse_flag(key, o);
    }
}

/* ---- what was written ---- */

static void add_text(struct text *text, const struct export_options *o,
                     const rpt_export_result_t *r)
{
    if (r->id != 0) {
        text_printf(text, "iteration %" PRIu64 ", id %016" PRIx64 ": ",
                    r->iteration, r->id);
    }
    text_printf(text,
                "%" PRIu64 " tables in %s, %" PRIu64 " files, %" PRIu64
                " rows\n  ",
                r->n_tables, o->config.output, r->n_files, r->n_rows);
    ckpt_add_bytes(text, r->raw_bytes);
    text_string(text, " became ");
    ckpt_add_bytes(text, r->file_bytes);
    text_char(text, '\n');
    if (r->n_left_out > 0) {
        text_printf(text,
                    "  %" PRIu64 " checkpoints are too large for a row and "
                    "have no data there\n",
                    r->n_left_out);
    }
}

static void add_json(struct text *text, const struct export_options *o,
                     const rpt_export_result_t *r)
{
    text_char(text, '{');
    ckpt_json_string(text, "output", o->config.output);
    if (r->id != 0) {
        text_printf(text, ",\"id\":\"%016" PRIx64 "\",\"iteration\":%" PRIu64,
                    r->id, r->iteration);
    }
    text_printf(text,
                ",\"tables\":%" PRIu64 ",\"files\":%" PRIu64
                ",\"rows\":%" PRIu64 ",\"raw_bytes\":%" PRIu64
                ",\"file_bytes\":%" PRIu64 ",\"left_out\":%" PRIu64 "}\n",
                r->n_tables, r->n_files, r->n_rows, r->raw_bytes, r->file_bytes,
                r->n_left_out);
}

/* Directory, task and checkpoint that PATH names; what was given on its own
 * goes first. */
static int run(struct export_options *o)
{
    rpt_export_config_t config = o->config;
    rpt_export_result_t result;
    rpt_catalog_t *catalog = NULL;
    const rpt_catalog_task_t *task, *second;
    const char *name = o->task;
    struct text text = { NULL, 0, 0 };
    rpt_status_t status = rpt_catalog_open(o->path, &catalog);

    if (status != RPT_OK) {
        return ckpt_failed();
    }
    if (name == NULL && rpt_catalog_task(catalog, 0, &task) == RPT_OK &&
        rpt_catalog_task(catalog, 1, &second) == RPT_END) {
        name = task->name;
    }
    if (config.checkpoint == NULL) {
        config.checkpoint = rpt_catalog_checkpoint(catalog);
    }
    status = rpt_checkpoint_export_local(o->n_threads,
                                         rpt_catalog_directory(catalog), name,
                                         &config, o->options, &result);
    rpt_catalog_close(catalog);
    if (status != RPT_OK) {
        return ckpt_failed();
    }
    if (o->json) {
        add_json(&text, o, &result);
    } else {
        add_text(&text, o, &result);
    }
    return ckpt_print(&text, CODE_OK);
}

int ckpt_export(int argc, char *argv[])
{
    static const struct argp_child children[] = ARGS_CHILDREN;
    static const struct argp argp = {
        options_of_export,
        parse,
        "PATH [CHECKPOINT]",
        "Write a checkpoint as tables in Parquet files, which pandas, polars, "
        "DuckDB and others read.  All its checksums are compared first.",
        children,
        NULL,
        NULL
    };
    struct export_options o = { .n_threads = 1 };
    int code;

    o.config.size = sizeof o.config;
    if (rpt_options_create(&o.options) != RPT_OK) {
        return ckpt_failed();
    }
    if (ckpt_parse(&argp, argc, argv, &o, &code)) {
        code = run(&o);
    }
    rpt_options_destroy(o.options);
    free(o.names);
    return code;
}
