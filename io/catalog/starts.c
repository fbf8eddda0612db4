/*
 * starts.c - each time that a task was started: from the journals of pools, and
 * from the events of tasks with checkpoints
 *
 * A journal says how attempts ended.  Events say when a job opened its
 * checkpoints and closed them; between these, what it committed, could not
 * save, and restored.  A task of a pool that saves has both: its journal is in
 * the state directory, its events are with the checkpoints.  What a "history"
 * of events has summed up are no rows, but counted.
 */
#include "io/catalog/catalog_priv.h"

#include "base/error.h"
#include "io/checkpoint/events.h"

#include <stdlib.h>
#include <string.h>

void rpt__starts_free(struct rpt_starts *starts)
{
    for (size_t i = 0; starts != NULL && i < starts->n; i++) {
        if (starts->list[i].is_event) {
            free((char *)(uintptr_t)starts->list[i].said.host);
        }
    }
    free(starts != NULL ? starts->list : NULL);
    free(starts);
}

/* ---- journals ---- */

static rpt_status_t add_attempts(struct rpt_buf *rows,
                                 const struct rpt_view_pool *pool)
{
    const struct rpt_attempt *list = NULL;
    size_t n = 0;
    rpt_status_t status = rpt__state_attempts(pool->state, &list, &n);

    for (size_t i = 0; i < n && status == RPT_OK; i++) {
        struct rpt_start row = { .directory = pool->path, .said = list[i] };

        rpt__buf_add(rows, &row, sizeof row);
        status = rpt__buf_status(rows);
    }
    return status;
}

/* ---- events ---- */

struct reading {
    struct rpt_buf *rows;
    const struct rpt_view_task *task;
    size_t before;   /* rows of other tasks */
    int n;           /* jobs so far         */
    bool is_running; /* the last one        */
    rpt_status_t status;
};

/* The last row of this task; NULL: there is none, or it has ended. */
static struct rpt_start *open_row(const struct reading *r)
{
    size_t n = r->rows->bytes / sizeof(struct rpt_start);
    struct rpt_start *list = (struct rpt_start *)(void *)r->rows->data;

    return n > r->before && !list[n - 1].said.has_end ? &list[n - 1] : NULL;
}

static void begin(struct reading *r, double time_s, const char *host,
                  bool has_saves)
{
    struct rpt_start row = { .directory = r->task->directory,
                             .is_event = true,
                             .said = { .task = r->task->name,
                                       .number = ++r->n,
                                       .rank = -1,
                                       .exit_code = -1,
                                       .start_time = time_s,
                                       .status = "lost",
                                       .has_saves = has_saves } };

    row.said.host = strdup(host);
    if (row.said.host == NULL) {
        r->status = rpt__fail_nomem(strlen(host) + 1);
        return;
    }
    rpt__buf_add(r->rows, &row, sizeof row);
    r->status = rpt__buf_status(r->rows);
    if (r->status != RPT_OK) {
        free((char *)(uintptr_t)row.said.host);
    }
}

static void end(struct rpt_start *row, double time_s)
{
    row->said.has_end = true;
    row->said.status = "closed";
    row->said.duration_s = time_s > row->said.start_time
                               ? time_s - row->said.start_time
                               : 0;
}

static void take(void *user, const struct rpt_event *event)
{
    struct reading *r = user;
    struct rpt_start *row = open_row(r);

    if (r->status != RPT_OK) {
        return;
    }
    if (strcmp(event->name, "history") == 0) {
        r->n = (int)event->history.n_jobs - event->history.is_open;
        if (event->history.is_open) {
            begin(r, event->history.open_s, "", false);
        }
    } else if (strcmp(event->name, "open") == 0) {
        begin(r, event->time_s, event->host, true);
    } else if (row == NULL) {
        return;
    } else if (strcmp(event->name, "close") == 0) {
        end(row, event->time_s);
    } else if (strcmp(event->name, "commit") == 0) {
        row->said.checkpoints++;
    } else if (strcmp(event->name, "failure") == 0) {
        row->failed_saves++;
    } else if (strcmp(event->name, "restore") == 0) {
        row->said.resumed_iteration = event->iteration;
    }
}

static rpt_status_t read_events(struct reading *r)
{
    struct rpt_dir top = RPT_DIR_CLOSED, dir = RPT_DIR_CLOSED;
    struct rpt_holder holder = { .is_held = false };
    rpt_status_t status = rpt__dir_open_path(r->task->directory, &top);

    if (status == RPT_OK) {
        status = rpt__dir_open(&top, r->task->name, &dir);
    }
    if (status == RPT_OK) {
        rpt__holder_read(&dir, &holder); /* before it closes, if it does */
        status = rpt__events_each(&dir, take, r);
    }
    rpt__dir_close(&dir);
    rpt__dir_close(&top);
    r->is_running = holder.is_held;
    /* One that is gone, or has none, has no rows. */
    return status == RPT_OK || status == RPT_ERR_NOT_FOUND ? r->status : status;
}

static rpt_status_t add_events(struct rpt_buf *rows,
                               const struct rpt_view_task *task)
{
    struct reading r = { .rows = rows,
                         .task = task,
                         .before = rows->bytes / sizeof(struct rpt_start) };
    rpt_status_t status = read_events(&r);
    struct rpt_start *last = status == RPT_OK ? open_row(&r) : NULL;

    if (last != NULL && r.is_running) {
        last->said.status = "running";
    }
    return status;
}

/* ---- both ---- */

rpt_status_t rpt__view_find_starts(struct rpt_view *c)
{
    struct rpt_buf rows = RPT_BUF_EMPTY;
    struct rpt_starts *starts;
    rpt_status_t status = rpt__view_find_pools(c);

    if (status != RPT_OK || c->starts != NULL) {
        return status;
    }
    starts = calloc(1, sizeof *starts);
    if (starts == NULL) {
        return rpt__fail_nomem(sizeof *starts);
    }
    for (size_t i = 0; i < c->n_pools && status == RPT_OK; i++) {
        status = add_attempts(&rows, &c->pools[i]);
    }
    for (size_t i = 0; i < c->n_tasks && status == RPT_OK; i++) {
        status = add_events(&rows, &c->tasks[i]);
    }
    starts->list = (struct rpt_start *)(void *)rows.data;
    starts->n = rows.bytes / sizeof *starts->list;
    if (status != RPT_OK) {
        rpt__starts_free(starts);
        return status;
    }
    c->starts = starts;
    return RPT_OK;
}
