/*
 * cmd_query.c - `repartir query SQL --dir DIR`: directories of checkpoints and
 * of pools, seen by SQL
 *
 * Rows are written as they come: neither the command nor the library keeps a
 * result as a whole.
 */
#include "cli/args.h"
#include "cli/command.h"
#include "cli/rows.h"
#include "cli/sink.h"

#include <repartir/query.h>

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEY_DIR = 0x3001,
    KEY_PARAM,
    KEY_TEXT,
    KEY_FORMAT,
    KEY_OUTPUT,
    KEY_HEADER,
    KEY_LIMIT,
    KEY_SCHEMA
};

enum { FLUSH_BYTES = 64 << 10 };

struct names {
    const char **list;
    size_t n;
};

struct parameter {
    const char *value;
    bool is_text; /* whatever it looks like */
};

struct query_options {
    const char *sql;
    struct names directories;
    struct parameter *parameters;
    size_t n_parameters;
    int format;
    bool has_header;
    bool wants_schema;
    const char *output; /* NULL: standard output */
    rpt_options_t *options;
};

static const struct argp_option options_of_query[] = {
    { "dir", KEY_DIR, "DIR", 0,
      "Look at this directory of checkpoints, task in one, or state "
      "directory; may be given again",
      0 },
    { "param", KEY_PARAM, "VALUE", 0,
      "The value of the next ? in the statement: a number, or else a text", 0 },
    { "text", KEY_TEXT, "VALUE", 0,
      "The same, a text even if it looks like a number, such as an id", 0 },
    { "format", KEY_FORMAT, "FORMAT", 0, "table, csv or json (table)", 0 },
    { "output", KEY_OUTPUT, "FILE", 0, "Write to FILE", 0 },
    { "header", KEY_HEADER, "yes|no", 0,
      "Print the names of the columns (yes); json always has them", 0 },
    { "limit-s", KEY_LIMIT, "SECONDS", 0,
      "End a query that takes longer (as option io.query.deadline_s)", 0 },
    { "schema", KEY_SCHEMA, NULL, 0, "Print the tables and their columns", 0 },
    { "option", 'o', "NAME=VALUE", 0, "Set an option of the library", 0 },
    { NULL, 0, NULL, 0, NULL, 0 }
};

static void add_name(struct names *names, const char *name)
{
    names->list = get_more(names->list, (names->n + 1) * sizeof *names->list);
    names->list[names->n++] = name;
}

static void add_parameter(struct query_options *o, const char *value,
                          bool is_text)
{
    o->parameters = get_more(o->parameters,
                             (o->n_parameters + 1) * sizeof *o->parameters);
    o->parameters[o->n_parameters++] = (struct parameter){ value, is_text };
}

static error_t take_limit(struct argp_state *state, struct query_options *o,
                          const char *text)
{
    double seconds = 0;
    char value[64];
    error_t error = args_seconds(state, "limit-s", text, &seconds);

    if (error != 0) {
        return error;
    }
    snprintf(value, sizeof value, "%.6f", seconds);
    if (rpt_options_set(o->options, "io.query.deadline_s", value) != RPT_OK) {
        argp_error(state, "--limit-s: %s", rpt_last_error()->what);
        return EINVAL;
    }
    return 0;
}

static error_t take_header(struct argp_state *state, struct query_options *o,
                           const char *text)
{
    static const char *const words[] = { "no", "yes", NULL };
    int word = args_word(state, "header", text, words);

    o->has_header = word == 1;
    return word < 0 ? EINVAL : 0;
}

static error_t take_sql(struct argp_state *state, struct query_options *o,
                        const char *text)
{
    if (o->sql != NULL) {
        argp_error(state, "more than one statement; is it in quotes?");
        return EINVAL;
    }
    o->sql = text;
    return 0;
}

static error_t check(struct argp_state *state, const struct query_options *o)
{
    if (o->wants_schema) {
        return 0;
    }
    if (o->sql == NULL) {
        argp_error(state, "which statement?  Such as 'SELECT * FROM "
                          "checkpoints'");
        return EINVAL;
    }
    if (o->directories.n == 0) {
        argp_error(state, "which directory?  Name it with --dir");
        return EINVAL;
    }
    return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct query_options *o = state->input;

    switch (key) {
    case KEY_DIR:
        add_name(&o->directories, arg);
        return 0;
    case KEY_PARAM:
    case KEY_TEXT:
        add_parameter(o, arg, key == KEY_TEXT);
        return 0;
    case KEY_FORMAT:
        o->format = args_word(state, "format", arg, rows_formats);
        return o->format < 0 ? EINVAL : 0;
    case KEY_OUTPUT:
        o->output = arg;
        return 0;
    case KEY_HEADER:
        return take_header(state, o, arg);
    case KEY_LIMIT:
        return take_limit(state, o, arg);
    case KEY_SCHEMA:
        o->wants_schema = true;
        return 0;
    case 'o':
        return args_option(state, o->options, arg);
    case ARGP_KEY_ARG:
        return take_sql(state, o, arg);
    case ARGP_KEY_END:
        return check(state, o);
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- the query ---- */

/* What was asked for was too much; all else is as everywhere. */
static int failed(struct fault *fault)
{
    rpt_status_t status = rpt_last_error()->status;
    int code = fault_library(fault);

    if (status == RPT_ERR_TIMEOUT || status == RPT_ERR_NOMEM ||
        status == RPT_ERR_OVERFLOW) {
        code = fault->code = CODE_FAILED;
    }
    return code;
}

/* A whole number, another number, or a text; also what a number would lose its
 * zeros as, such as 007. */
static rpt_status_t bind(rpt_query_t *query, int n,
                         const struct parameter *parameter)
{
    const char *text = parameter->value;
    const char *digits = text + strspn(text, "+-");
    bool is_name = parameter->is_text ||
                   (digits[0] == '0' && isdigit((unsigned char)digits[1]));
    char *rest;
    long long whole;
    double real;

    if (is_name) {
        return rpt_query_bind_text(query, n, text);
    }
    errno = 0;
    whole = strtoll(text, &rest, 10);
    if (rest != text && *rest == '\0' && errno == 0) {
        return rpt_query_bind_i64(query, n, (int64_t)whole);
    }
    real = strtod(text, &rest);
    if (rest != text && *rest == '\0' &&
        text[strspn(text, "+-.0123456789eE")] == '\0') {
        return rpt_query_bind_f64(query, n, real);
    }
    return rpt_query_bind_text(query, n, text);
}

static int bind_all(const struct query_options *o, rpt_query_t *query,
                    struct fault *fault)
{
    size_t n = (size_t)rpt_query_n_parameters(query);

    if (n != o->n_parameters) {
        fault_set(fault, CODE_USAGE,
                  "the statement has %zu parameters, --param gives %zu", n,
                  o->n_parameters);
        fault_hint(fault, "give a --param, or a --text, for each ?");
        return CODE_USAGE;
    }
    for (size_t i = 0; i < n; i++) {
        if (bind(query, (int)i + 1, &o->parameters[i]) != RPT_OK) {
            return failed(fault);
        }
    }
    return CODE_OK;
}

/* Where rows go to. */
struct target {
    struct rows rows;
    struct sink sink; /* with --output */
    bool has_begun;
};

static int not_written(struct fault *fault, const char *path, int error)
{
    fault_set(fault, CODE_IO, "%s could not be written",
              path != NULL ? path : "standard output");
    fault_why(fault, "%s", strerror(error));
    fault_hint(fault, "what was written is not whole; make room, or give "
                      "--output=FILE in another place, and ask again");
    return CODE_IO;
}

static int flush(struct target *t, struct fault *fault)
{
    struct text *out = &t->rows.out;

    if (t->sink.fd >= 0) {
        if (!t->has_begun) {
            sink_begin(&t->sink);
        }
        t->has_begun = true;
        if (out->bytes > 0) {
            text_add(&t->sink.pending, out->data, out->bytes);
        }
        sink_flush(&t->sink);
        text_clear(out);
        if (t->sink.error != 0) {
            return not_written(fault, t->sink.path, t->sink.error);
        }
        return CODE_OK;
    }
    if (fwrite(out->data, 1, out->bytes, stdout) < out->bytes ||
        fflush(stdout) != 0) {
        return not_written(fault, NULL, errno);
    }
    text_clear(out);
    return CODE_OK;
}

static int add_row(rpt_query_t *query, struct target *t, rpt_value_t *values,
                   struct fault *fault)
{
    for (int i = 0; i < t->rows.n_columns; i++) {
        if (rpt_query_value(query, i, &values[i]) != RPT_OK) {
            return failed(fault);
        }
    }
    rows_add(&t->rows, values);
    return t->rows.out.bytes < FLUSH_BYTES ? CODE_OK : flush(t, fault);
}

static int print_rows(rpt_query_t *query, struct target *t, struct fault *fault)
{
    int n = rpt_query_n_columns(query), code = CODE_OK;
    const char **names = get_memory(((size_t)n + 1) * sizeof *names);
    rpt_value_t *values = get_memory(((size_t)n + 1) * sizeof *values);
    rpt_status_t status;

    for (int i = 0; i < n; i++) {
        names[i] = rpt_query_column_name(query, i);
    }
    rows_begin(&t->rows, names, n);
    while ((status = rpt_query_step(query)) == RPT_OK && code == CODE_OK) {
        code = add_row(query, t, values, fault);
    }
    if (status < 0) {
        code = failed(fault);
    } else if (code == CODE_OK) {
        rows_end(&t->rows);
        code = flush(t, fault);
    }
    free(names);
    free(values);
    return code;
}

static int run(const struct query_options *o, rpt_view_t *catalog,
               struct fault *fault)
{
    struct target target = { .rows = { .format = (enum rows_format)o->format,
                                       .has_header = o->has_header },
                             .sink = { .fd = -1 } };
    rpt_query_t *query = NULL;
    int code;

    if (rpt_query_open(catalog, o->sql, &query) != RPT_OK) {
        return failed(fault);
    }
    code = bind_all(o, query, fault);
    if (code == CODE_OK) {
        code = sink_open(&target.sink, o->output, fault);
    }
    if (code == CODE_OK) {
        code = print_rows(query, &target, fault);
        sink_close(&target.sink);
        if (code == CODE_OK && target.sink.error != 0) {
            code = not_written(fault, o->output, target.sink.error);
        }
    }
    rows_free(&target.rows);
    rpt_query_close(query);
    return code;
}

static int query(const struct query_options *o)
{
    struct fault fault = { 0 };
    rpt_view_t *catalog = NULL;
    int code;

    if (o->wants_schema) {
        if (fputs(rpt_view_schema(), stdout) == EOF || fflush(stdout) != 0) {
            code = not_written(&fault, NULL, errno);
            fault_print(&fault);
            return code;
        }
        return CODE_OK;
    }
    code = rpt_view_open(o->directories.list, o->directories.n, o->options,
                         &catalog) == RPT_OK
               ? run(o, catalog, &fault)
               : failed(&fault);
    rpt_view_close(catalog);
    fault_print(&fault);
    return code;
}

int command_query(int argc, char *argv[])
{
    static const struct argp_child children[] = ARGS_CHILDREN;
    static const struct argp argp = {
        options_of_query,
        parse,
        "SQL",
        "Answer a statement of SQL from directories of checkpoints and state "
        "directories of jobs.  Changes nothing there.  --schema tells which "
        "tables there are.",
        children,
        NULL,
        NULL
    };
    struct query_options o = { .has_header = true };
    struct fault fault = { 0 };
    int code;

    if (rpt_options_create(&o.options) != RPT_OK) {
        code = fault_library(&fault);
        fault_print(&fault);
        return code;
    }
    code = args_parse(&argp, argc, argv, &o);
    if (code == CODE_OK) {
        code = query(&o);
    } else if (code == ARGS_ANSWERED) {
        code = CODE_OK;
    }
    rpt_options_destroy(o.options);
    free(o.directories.list);
    free(o.parameters);
    return code;
}
