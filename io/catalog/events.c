/*
 * events.c - the table of what happened to the checkpoints of each task
 *
 * events.jsonl is read line by line as rows are wanted: it may be long, and
 * grow meanwhile.  Lines that are torn or unknown are passed over.
 */
#include "io/catalog/catalog_priv.h"

#include "base/error.h"
#include "base/json.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EVENTS "events.jsonl"

enum {
    EVENT_DIRECTORY,
    EVENT_TASK,
    EVENT_TIME,
    EVENT_EVENT,
    EVENT_ID,
    EVENT_ITERATION,
    EVENT_SECONDS,
    EVENT_PID
};

enum { LINE_BYTES = 64 << 10 }; /* a longer one is none of ours */

struct events_cursor {
    struct rpt_cursor base;
    size_t task;
    int fd; /* of its file, + 1; 0: it is not open */
    char *text;
    size_t from, end; /* of text, what was not used yet     */
    bool is_torn;     /* up to the next end of a line       */
    json_t *event;
};

static void leave(struct events_cursor *cursor)
{
    json_decref(cursor->event);
    cursor->event = NULL;
    if (cursor->fd > 0) {
        close(cursor->fd - 1);
    }
    cursor->fd = 0;
    cursor->from = cursor->end = 0;
    cursor->is_torn = false;
}

/* One that is gone, or has none, has no rows. */
static rpt_status_t open_file(struct events_cursor *cursor)
{
    struct rpt_view *c = cursor->base.catalog;
    struct rpt_dir top = RPT_DIR_CLOSED, dir = RPT_DIR_CLOSED;
    int fd = -1;
    rpt_status_t status = rpt__dir_open_path(c->tasks[cursor->task].directory,
                                             &top);

    if (status == RPT_OK) {
        status = rpt__dir_open(&top, c->tasks[cursor->task].name, &dir);
    }
    if (status == RPT_OK) {
        status = rpt__dir_open_file(&dir, EVENTS, false, &fd);
    }
    rpt__dir_close(&dir);
    rpt__dir_close(&top);
    cursor->fd = fd + 1;
    return status == RPT_ERR_NOT_FOUND ? RPT_OK : status;
}

/* The next whole line, or NULL. */
static char *find_line(struct events_cursor *cursor, size_t *bytes_out)
{
    char *line = cursor->text + cursor->from;
    char *end = memchr(line, '\n', cursor->end - cursor->from);

    if (end == NULL) {
        return NULL;
    }
    *bytes_out = (size_t)(end - line);
    cursor->from += *bytes_out + 1;
    return line;
}

/* RPT_END: the file has no more. */
static rpt_status_t read_more(struct events_cursor *cursor)
{
    const struct rpt_view *c = cursor->base.catalog;
    ssize_t n;

    if (cursor->end - cursor->from == LINE_BYTES) {
        cursor->is_torn = true;
        cursor->from = cursor->end;
    }
    memmove(cursor->text, cursor->text + cursor->from,
            cursor->end - cursor->from);
    cursor->end -= cursor->from;
    cursor->from = 0;
    do {
        n = read(cursor->fd - 1, cursor->text + cursor->end,
                 LINE_BYTES - cursor->end);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return rpt__fail_errno(RPT_ERR_IO, errno, "cannot read %s/%s/" EVENTS,
                               c->tasks[cursor->task].directory,
                               c->tasks[cursor->task].name);
    }
    cursor->end += (size_t)n;
    return n > 0 ? RPT_OK : RPT_END;
}

/* Whether a line is an event. */
static bool take_line(struct events_cursor *cursor, const char *line,
                      size_t bytes)
{
    json_t *root = json_loadb(line, bytes, JSON_REJECT_DUPLICATES, NULL);

    if (json_is_string(json_object_get(root, "event")) &&
        json_is_number(json_object_get(root, "time"))) {
        json_decref(cursor->event);
        cursor->event = root;
        return true;
    }
    json_decref(root);
    return false;
}

/* RPT_END: it is none. */
static rpt_status_t try_line(struct events_cursor *cursor, const char *line,
                             size_t bytes)
{
    bool is_torn = cursor->is_torn;

    cursor->is_torn = false;
    if (is_torn) {
        return RPT_END;
    }
    for (int looks = 0; looks < 2; looks++) {
        if (!rpt__json_has_room(bytes)) {
            return rpt__fail_nomem(bytes);
        }
        if (take_line(cursor, line, bytes)) {
            return RPT_OK;
        }
    }
    return RPT_END;
}

/* RPT_END: this file has no more. */
static rpt_status_t next_of_file(struct events_cursor *cursor)
{
    rpt_status_t status = RPT_OK;
    size_t bytes = 0;

    while (status == RPT_OK) {
        const char *line = find_line(cursor, &bytes);

        if (line != NULL) {
            status = try_line(cursor, line, bytes);
            if (status != RPT_END) {
                return status;
            }
            status = RPT_OK;
            continue;
        }
        status = rpt__view_stops(cursor->base.catalog);
        if (status == RPT_OK) {
            status = read_more(cursor);
        }
    }
    return status;
}

static rpt_status_t events_next(struct rpt_cursor *base)
{
    struct events_cursor *cursor = (struct events_cursor *)base;
    rpt_status_t status = RPT_OK;

    for (; cursor->task < base->catalog->n_tasks; cursor->task++) {
        if (cursor->fd == 0) {
            status = open_file(cursor);
        }
        if (status == RPT_OK && cursor->fd > 0) {
            status = next_of_file(cursor);
            if (status != RPT_END) {
                return status;
            }
            status = RPT_OK;
        }
        if (status != RPT_OK) {
            return status;
        }
        leave(cursor);
    }
    base->is_at_end = true;
    return RPT_OK;
}

static rpt_status_t events_filter(struct rpt_cursor *base, bool in_order,
                                  const char *wishes, sqlite3_value *values[])
{
    struct events_cursor *cursor = (struct events_cursor *)base;

    (void)in_order;
    (void)wishes;
    (void)values;
    leave(cursor);
    cursor->task = 0;
    if (cursor->text == NULL) {
        cursor->text = malloc(LINE_BYTES);
        if (cursor->text == NULL) {
            return rpt__fail_nomem(LINE_BYTES);
        }
    }
    return events_next(base);
}

static void cell_json(sqlite3_context *context, const json_t *value)
{
    if (json_is_integer(value)) {
        rpt__sqlite.result_int64(context, json_integer_value(value));
    } else if (json_is_real(value)) {
        rpt__sqlite.result_double(context, json_real_value(value));
    } else if (json_is_string(value)) {
        rpt__cell_text(context, json_string_value(value));
    }
}

static rpt_status_t events_column(struct rpt_cursor *base,
                                  sqlite3_context *context, int column)
{
    static const char *const keys[] = { NULL, NULL,        "time",    "event",
                                        "id", "iteration", "seconds", "pid" };
    const struct events_cursor *cursor = (const struct events_cursor *)base;
    const struct rpt_view_task *task = &base->catalog->tasks[cursor->task];
    const json_t *value;

    if (column == EVENT_DIRECTORY) {
        rpt__cell_text(context, task->directory);
        return RPT_OK;
    }
    if (column == EVENT_TASK) {
        rpt__cell_text(context, task->name);
        return RPT_OK;
    }
    value = json_object_get(cursor->event, keys[column]);
    if ((column == EVENT_TIME || column == EVENT_SECONDS) &&
        json_is_number(value)) {
        rpt__sqlite.result_double(context, json_number_value(value));
    } else if (column != EVENT_ID || !json_is_string(value) ||
               strcmp(json_string_value(value), "0000000000000000") != 0) {
        cell_json(context, value);
    }
    return RPT_OK;
}

static void events_close(struct rpt_cursor *base)
{
    struct events_cursor *cursor = (struct events_cursor *)base;

    leave(cursor);
    free(cursor->text);
}

const struct rpt_table_ops rpt__table_events = {
    .name = "events",
    .schema = rpt__schema_events,
    .cursor_bytes = sizeof(struct events_cursor),
    .filter = events_filter,
    .next = events_next,
    .column = events_column,
    .close = events_close,
};
