/*
 * show.c - `repartir ckpt show PATH [CHECKPOINT]`: what is in a checkpoint
 *
 * Its manifest and datasets; with --boxes who wrote what, with --read values
 * (values.c); with --events instead what happened to the task's checkpoints.
 */
#include "cli/ckpt/ckpt_priv.h"
#include "cli/ckpt/values.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_BOXES = CKPT_KEY, KEY_EVENTS, KEY_READ, KEY_START, KEY_COUNT };

struct show_options {
    const char *path;
    const char *which;
    bool json;
    bool boxes;
    bool events;
    struct values values;
};

static const struct argp_option options_of_show[] = {
    { "json", 'j', NULL, 0, "Print one JSON object", 0 },
    { "boxes", KEY_BOXES, NULL, 0, "List which rank wrote which part", 0 },
    { "events", KEY_EVENTS, NULL, 0,
      "Print what happened to the task's checkpoints instead", 0 },
    { "read", KEY_READ, "DATASET", 0, "Print the values of a dataset instead",
      0 },
    { "start", KEY_START, "N,...", 0,
      "With --read: first element, a number for each dimension", 0 },
    { "count", KEY_COUNT, "N,...", 0, "With --read: how many", 0 },
    { NULL, 0, NULL, 0, NULL, 0 }
};

static error_t check(struct argp_state *state, const struct show_options *o)
{
    bool is_part = o->values.n_start > 0 || o->values.n_count > 0;

    if (is_part && o->values.dataset == NULL) {
        argp_error(state, "--start and --count are for --read");
        return EINVAL;
    }
    if (o->events + o->boxes + (o->values.dataset != NULL) > 1) {
        argp_error(state, "--boxes, --events and --read: one of them");
        return EINVAL;
    }
    if (o->events && o->which != NULL) {
        argp_error(state, "--events are of a task, not of a checkpoint");
        return EINVAL;
    }
    return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct show_options *o = state->input;

    switch (key) {
    case 'j':
        o->json = true;
        return 0;
    case KEY_BOXES:
        o->boxes = true;
        return 0;
    case KEY_EVENTS:
        o->events = true;
        return 0;
    case KEY_READ:
        o->values.dataset = arg;
        return 0;
    case KEY_START:
        return values_take_list(state, "start", arg, o->values.start,
                                &o->values.n_start);
    case KEY_COUNT:
        return values_take_list(state, "count", arg, o->values.count,
                                &o->values.n_count);
    case ARGP_KEY_ARG:
        if (o->which != NULL) {
            argp_error(state, "\"%s\": one checkpoint at a time", arg);
            return EINVAL;
        }
        *(o->path == NULL ? &o->path : &o->which) = arg;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which checkpoint?");
        return EINVAL;
    case ARGP_KEY_END:
        return check(state, o);
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- as a table ---- */

static void add_boxes(struct text *text, const rpt_stored_t *stored)
{
    const rpt_stored_dataset_t *set;
    const rpt_stored_box_t *box;

    text_printf(text, "%4s %-24s %-20s %-20s %10s\n", "rank", "dataset",
                "start", "count", "bytes");
    for (size_t i = 0; rpt_stored_box(stored, i, &box) == RPT_OK; i++) {
        const char *name = box->dataset != SIZE_MAX &&
                                   rpt_stored_dataset(stored, box->dataset,
                                                      &set) == RPT_OK
                               ? set->name
                               : "(structure of the file)";
        struct text start = { NULL, 0, 0 }, count = { NULL, 0, 0 };

        ckpt_add_dims(&start, box->start, box->n_dims);
        ckpt_add_dims(&count, box->count, box->n_dims);
        for (size_t k = 0; k < start.bytes; k++) {
            start.data[k] = start.data[k] == 'x' ? ',' : start.data[k];
        }
        text_printf(text, "%4d %-24s %-20s %-20s ", box->writer_rank, name,
                    start.data, count.data);
        ckpt_add_bytes(text, box->bytes);
        text_char(text, '\n');
        text_free(&start);
        text_free(&count);
    }
}

static void add_datasets(struct text *text, const rpt_stored_t *stored)
{
    const rpt_stored_dataset_t *set;

    text_printf(text, "%-24s %-6s %-9s %-20s %12s %10s %10s %6s %6s\n",
                "dataset", "kind", "type", "dimensions", "offset", "bytes",
                "stored", "boxes", "blocks");
    for (size_t i = 0; rpt_stored_dataset(stored, i, &set) == RPT_OK; i++) {
        struct text dims = { NULL, 0, 0 };

        ckpt_add_dims(&dims, set->dims, set->n_dims);
        text_printf(text, "%-24s %-6s ", set->name,
                    rpt_stored_kind_name(set->kind));
        ckpt_add_type(text, set->type);
        text_printf(text, " %-20s %12" PRIu64 " ", dims.data, set->offset);
        ckpt_add_bytes(text, set->bytes);
        text_char(text, ' ');
        ckpt_add_bytes(text, set->stored_bytes);
        text_printf(text, " %6" PRIu64 " %6" PRIu64 "\n", set->n_boxes,
                    set->n_blocks);
        text_free(&dims);
    }
}

/* Those that the program wrote itself, if any. */
static void add_files(struct text *text, const rpt_stored_t *stored)
{
    const rpt_stored_file_t *file;

    for (size_t i = 0; rpt_stored_file(stored, i, &file) == RPT_OK; i++) {
        if (i == 0) {
            text_printf(text, "\n%4s %-32s %10s  file\n", "rank", "XXH3-128",
                        "bytes");
        }
        text_printf(text, "%4d %-32s ", file->writer_rank, file->xxh3);
        ckpt_add_bytes(text, file->bytes);
        text_printf(text, "  %s\n", file->name);
    }
}

static void add_head(struct text *text, const struct ckpt_choice *c)
{
    const rpt_catalog_entry_t *e = c->entry;

    text_printf(text,
                "%s/%s/%s\n"
                "  iteration %" PRIu64 ", saved ",
                rpt_catalog_directory(c->catalog), e->task, e->name,
                e->iteration);
    ckpt_add_time(text, e->time_s);
    text_printf(text,
                " by %d ranks, rank 0 on %s\n"
                "  engine %s, librepartir %s, %" PRIu64 " bytes, %s\n\n",
                e->n_ranks, e->host[0] != '\0' ? e->host : "-", e->engine,
                e->library, e->bytes, rpt_stored_state_name(e->state));
}

/* ---- as JSON ---- */

static void add_json_boxes(struct text *text, const rpt_stored_t *stored)
{
    const rpt_stored_box_t *box;

    text_string(text, ",\"boxes\":[");
    for (size_t i = 0; rpt_stored_box(stored, i, &box) == RPT_OK; i++) {
        text_printf(text, "%s{\"rank\":%d,", i > 0 ? "," : "",
                    box->writer_rank);
        if (box->dataset == SIZE_MAX) {
            text_string(text, "\"dataset\":null,");
        } else {
            text_printf(text, "\"dataset\":%zu,", box->dataset);
        }
        ckpt_json_numbers(text, "start", box->start, box->n_dims);
        text_char(text, ',');
        ckpt_json_numbers(text, "count", box->count, box->n_dims);
        text_printf(text, ",\"bytes\":%" PRIu64 ",\"blocks\":%" PRIu64 "}",
                    box->bytes, box->n_blocks);
    }
    text_char(text, ']');
}

static void add_json_datasets(struct text *text, const rpt_stored_t *stored)
{
    const rpt_stored_dataset_t *set;

    text_string(text, ",\"datasets\":[");
    for (size_t i = 0; rpt_stored_dataset(stored, i, &set) == RPT_OK; i++) {
        struct text type = { NULL, 0, 0 };

        ckpt_add_type(&type, set->type);
        type.data[strcspn(type.data, " ")] = '\0';
        text_string(text, i > 0 ? ",{" : "{");
        ckpt_json_string(text, "name", set->name);
        text_char(text, ',');
        ckpt_json_string(text, "kind", rpt_stored_kind_name(set->kind));
        text_char(text, ',');
        ckpt_json_string(text, "type", type.data);
        text_char(text, ',');
        ckpt_json_numbers(text, "dims", set->dims, set->n_dims);
        text_printf(text,
                    ",\"offset\":%" PRIu64 ",\"bytes\":%" PRIu64
                    ",\"boxes\":%" PRIu64 ",\"block_bytes\":%" PRIu64
                    ",\"blocks\":%" PRIu64 ",\"stored\":%" PRIu64,
                    set->offset, set->bytes, set->n_boxes, set->block_bytes,
                    set->n_blocks, set->stored_bytes);
        if (set->chunk[0] > 0) {
            text_char(text, ',');
            ckpt_json_numbers(text, "chunk", set->chunk, set->n_dims);
        }
        text_char(text, '}');
        text_free(&type);
    }
    text_char(text, ']');
}

static void add_json_files(struct text *text, const rpt_stored_t *stored)
{
    const rpt_stored_file_t *file;

    text_string(text, ",\"files\":[");
    for (size_t i = 0; rpt_stored_file(stored, i, &file) == RPT_OK; i++) {
        text_string(text, i > 0 ? ",{" : "{");
        ckpt_json_string(text, "name", file->name);
        text_printf(text, ",\"rank\":%d,\"bytes\":%" PRIu64 ",",
                    file->writer_rank, file->bytes);
        ckpt_json_string(text, "xxh3", file->xxh3);
        text_char(text, '}');
    }
    text_char(text, ']');
}

static void add_json(struct text *text, const struct show_options *o,
                     const struct ckpt_choice *c)
{
    text_char(text, '{');
    ckpt_json_string(text, "directory", rpt_catalog_directory(c->catalog));
    text_string(text, ",\"checkpoint\":");
    ckpt_json_entry(text, c->entry);
    add_json_datasets(text, c->stored);
    add_json_files(text, c->stored);
    if (o->boxes) {
        add_json_boxes(text, c->stored);
    }
    text_string(text, "}\n");
}

/* ---- events ---- */

static void add_event(struct text *text, const rpt_catalog_event_t *e,
                      bool json)
{
    if (!json) {
        ckpt_add_time(text, e->time_s);
        text_printf(text,
                    " %-8s %016" PRIx64 " %12" PRIu64 " %10.3f %8" PRId64 "\n",
                    e->event, e->id, e->iteration, e->seconds, e->pid);
        return;
    }
    text_char(text, '{');
    ckpt_json_real(text, "time", e->time_s);
    text_char(text, ',');
    ckpt_json_string(text, "event", e->event);
    text_printf(text, ",\"id\":\"%016" PRIx64 "\",\"iteration\":%" PRIu64 ",",
                e->id, e->iteration);
    ckpt_json_real(text, "seconds", e->seconds);
    text_printf(text, ",\"pid\":%" PRId64 "}", e->pid);
}

static int show_events(const struct show_options *o)
{
    struct text text = { NULL, 0, 0 };
    rpt_catalog_t *catalog = NULL;
    rpt_catalog_event_t *events = NULL;
    size_t n = 0;

    if (rpt_catalog_open(o->path, &catalog) != RPT_OK ||
        rpt_catalog_events(catalog, NULL, &events, &n) != RPT_OK) {
        rpt_catalog_close(catalog);
        return ckpt_failed();
    }
    if (o->json) {
        text_string(&text, "{\"events\":[");
    } else {
        text_printf(&text, "%-19s %-8s %-16s %12s %10s %8s\n", "time", "event",
                    "id", "iteration", "seconds", "pid");
    }
    for (size_t i = 0; i < n; i++) {
        text_string(&text, o->json && i > 0 ? "," : "");
        add_event(&text, &events[i], o->json);
    }
    text_string(&text, o->json ? "]}\n" : "");
    free(events);
    rpt_catalog_close(catalog);
    return ckpt_print(&text, CODE_OK);
}

/* ---- the verb ---- */

static int show(const struct show_options *o)
{
    struct text text = { NULL, 0, 0 };
    struct ckpt_choice c;
    int code = ckpt_choose(o->path, o->which, &c);

    if (code != CODE_OK) {
        return code;
    }
    if (o->values.dataset != NULL) {
        code = values_add(&text, &o->values, c.stored, o->json);
    } else if (o->json) {
        add_json(&text, o, &c);
    } else {
        add_head(&text, &c);
        (o->boxes ? add_boxes : add_datasets)(&text, c.stored);
        add_files(&text, c.stored);
    }
    ckpt_release(&c);
    return ckpt_print(&text, code);
}

int ckpt_show(int argc, char *argv[])
{
    static const struct argp_child children[] = ARGS_CHILDREN;
    static const struct argp argp = {
        options_of_show,
        parse,
        "PATH [CHECKPOINT]",
        "Say what is in a checkpoint: who saved it, and its datasets.  "
        "CHECKPOINT is the name of a folder, an id, an iteration or \"newest\""
        ", which is the default.  Changes nothing.",
        children,
        NULL,
        NULL
    };
    struct show_options o = { .path = NULL };
    int code;

    if (!ckpt_parse(&argp, argc, argv, &o, &code)) {
        return code;
    }
    return o.events ? show_events(&o) : show(&o);
}
