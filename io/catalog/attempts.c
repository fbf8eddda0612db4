/*
 * attempts.c - the table of each time that a task was started
 */
#include "io/catalog/catalog_priv.h"

enum {
    ATTEMPT_DIRECTORY,
    ATTEMPT_SOURCE,
    ATTEMPT_TASK,
    ATTEMPT_JOB,
    ATTEMPT_ATTEMPT,
    ATTEMPT_RANK,
    ATTEMPT_HOST,
    ATTEMPT_START_TIME,
    ATTEMPT_DURATION_S,
    ATTEMPT_STATUS,
    ATTEMPT_EXIT_CODE,
    ATTEMPT_SIGNAL,
    ATTEMPT_CHECKPOINTS,
    ATTEMPT_FAILED_SAVES,
    ATTEMPT_RESUMED_ITERATION,
    ATTEMPT_WASTED_S
};

struct attempts_cursor {
    struct rpt_cursor base;
    size_t at;
};

static rpt_status_t attempts_to(struct attempts_cursor *cursor, size_t at)
{
    cursor->at = at;
    cursor->base.is_at_end = at >= cursor->base.catalog->starts->n;
    return RPT_OK;
}

static rpt_status_t attempts_filter(struct rpt_cursor *base, bool in_order,
                                    const char *wishes, sqlite3_value *values[])
{
    rpt_status_t status = rpt__view_find_starts(base->catalog);

    (void)in_order;
    (void)wishes;
    (void)values;
    return status == RPT_OK ? attempts_to((struct attempts_cursor *)base, 0)
                            : status;
}

static rpt_status_t attempts_next(struct rpt_cursor *base)
{
    struct attempts_cursor *cursor = (struct attempts_cursor *)base;

    return attempts_to(cursor, cursor->at + 1);
}

/* Where and when it began. */
static void cell_begin(sqlite3_context *context, const struct rpt_start *row,
                       int column)
{
    const struct rpt_attempt *a = &row->said;

    switch (column) {
    case ATTEMPT_DIRECTORY:
        rpt__cell_text(context, row->directory);
        break;
    case ATTEMPT_SOURCE:
        rpt__cell_text(context, row->is_event ? "events" : "journal");
        break;
    case ATTEMPT_TASK:
        rpt__cell_text(context, a->task);
        break;
    case ATTEMPT_JOB:
        if (a->job > 0) {
            rpt__cell_u64(context, a->job);
        }
        break;
    case ATTEMPT_ATTEMPT:
        rpt__sqlite.result_int64(context, a->number);
        break;
    case ATTEMPT_RANK:
        rpt__cell_known(context, a->rank, 0);
        break;
    case ATTEMPT_HOST:
        rpt__cell_text(context, a->host[0] != '\0' ? a->host : NULL);
        break;
    default:
        rpt__sqlite.result_double(context, a->start_time);
        break;
    }
}

/* What it saved, and what was lost. */
static void cell_saves(sqlite3_context *context, const struct rpt_start *row,
                       int column)
{
    const struct rpt_attempt *a = &row->said;

    switch (column) {
    case ATTEMPT_CHECKPOINTS:
        rpt__cell_u64(context, a->checkpoints);
        break;
    case ATTEMPT_FAILED_SAVES:
        if (row->is_event) {
            rpt__cell_u64(context, row->failed_saves);
        }
        break;
    case ATTEMPT_RESUMED_ITERATION:
        if (a->resumed_iteration > 0) {
            rpt__cell_u64(context, a->resumed_iteration);
        }
        break;
    default:
        if (!row->is_event) {
            rpt__sqlite.result_double(context, a->wasted_s);
        }
        break;
    }
}

static rpt_status_t attempts_column(struct rpt_cursor *base,
                                    sqlite3_context *context, int column)
{
    size_t at = ((const struct attempts_cursor *)base)->at;
    const struct rpt_start *row = &base->catalog->starts->list[at];
    const struct rpt_attempt *a = &row->said;

    if (column < ATTEMPT_DURATION_S) {
        cell_begin(context, row, column);
        return RPT_OK;
    }
    switch (column) {
    case ATTEMPT_DURATION_S:
        if (a->has_end) {
            rpt__sqlite.result_double(context, a->duration_s);
        }
        break;
    case ATTEMPT_STATUS:
        rpt__cell_text(context, a->status);
        break;
    case ATTEMPT_EXIT_CODE:
        rpt__cell_known(context, a->exit_code, 0);
        break;
    case ATTEMPT_SIGNAL:
        rpt__cell_known(context, a->signal, 1);
        break;
    default:
        if (a->has_saves) {
            cell_saves(context, row, column);
        }
        break;
    }
    return RPT_OK;
}

const struct rpt_table_ops rpt__table_attempts = {
    .name = "attempts",
    .schema = rpt__schema_attempts,
    .cursor_bytes = sizeof(struct attempts_cursor),
    .filter = attempts_filter,
    .next = attempts_next,
    .column = attempts_column,
};
