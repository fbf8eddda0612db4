/*
 * tasks.c - the table of the tasks of pools, as their state directories tell
 */
#include "io/catalog/catalog_priv.h"

#include <string.h>

struct tasks_cursor {
    struct rpt_cursor base;
    size_t at;    /* which pool */
    size_t inner; /* which of its tasks */
};

enum {
    TASK_DIRECTORY,
    TASK_ID,
    TASK_STATUS,
    TASK_EXIT_CODE,
    TASK_SIGNAL,
    TASK_ATTEMPTS,
    TASK_RANK,
    TASK_HOST,
    TASK_START_TIME,
    TASK_DURATION_S,
    TASK_CHECKPOINTS,
    TASK_RESUMED_ITERATION,
    TASK_WASTED_S
};

static rpt_status_t tasks_settle(struct tasks_cursor *cursor)
{
    struct rpt_view *c = cursor->base.catalog;
    const rpt_state_task_t *task;

    for (; cursor->at < c->n_pools; cursor->at++, cursor->inner = 0) {
        if (rpt_state_task(c->pools[cursor->at].state, cursor->inner, &task) ==
            RPT_OK) {
            break;
        }
    }
    cursor->base.is_at_end = cursor->at == c->n_pools;
    return RPT_OK;
}

static rpt_status_t tasks_filter(struct rpt_cursor *base, bool in_order,
                                 const char *wishes, sqlite3_value *values[])
{
    struct tasks_cursor *cursor = (struct tasks_cursor *)base;
    rpt_status_t status = rpt__view_find_pools(base->catalog);

    (void)in_order;
    (void)wishes;
    (void)values;
    cursor->at = cursor->inner = 0;
    return status == RPT_OK ? tasks_settle(cursor) : status;
}

static rpt_status_t tasks_next(struct rpt_cursor *base)
{
    struct tasks_cursor *cursor = (struct tasks_cursor *)base;

    cursor->inner++;
    return tasks_settle(cursor);
}

/* What has not ended yet has no duration. */
static bool has_ended(const rpt_state_task_t *task)
{
    for (int i = 0; i < RPT_N_OUTCOMES; i++) {
        if (strcmp(task->status, rpt_outcome_name((rpt_outcome_t)i)) == 0) {
            return true;
        }
    }
    return false;
}

/* What is known when it has ended. */
static void cell_ended(sqlite3_context *context, const rpt_state_task_t *task,
                       int column)
{
    switch (column) {
    case TASK_DURATION_S:
        rpt__sqlite.result_double(context, task->duration_s);
        break;
    case TASK_CHECKPOINTS:
        rpt__cell_u64(context, task->checkpoints);
        break;
    case TASK_RESUMED_ITERATION:
        if (task->resumed_iteration > 0) {
            rpt__cell_u64(context, task->resumed_iteration);
        }
        break;
    default:
        rpt__sqlite.result_double(context, task->wasted_s);
        break;
    }
}

static rpt_status_t tasks_column(struct rpt_cursor *base,
                                 sqlite3_context *context, int column)
{
    const struct tasks_cursor *cursor = (const struct tasks_cursor *)base;
    const struct rpt_view_pool *pool = &base->catalog->pools[cursor->at];
    const rpt_state_task_t *task = NULL;
    rpt_status_t status = rpt_state_task(pool->state, cursor->inner, &task);

    if (status != RPT_OK) {
        return status;
    }
    switch (column) {
    case TASK_DIRECTORY:
        rpt__cell_text(context, pool->path);
        break;
    case TASK_ID:
        rpt__cell_text(context, task->id);
        break;
    case TASK_STATUS:
        rpt__cell_text(context, task->status);
        break;
    case TASK_EXIT_CODE:
        rpt__cell_known(context, task->exit_code, 0);
        break;
    case TASK_SIGNAL:
        rpt__cell_known(context, task->signal, 1);
        break;
    case TASK_ATTEMPTS:
        rpt__cell_known(context, task->attempts, 0);
        break;
    case TASK_RANK:
        rpt__cell_known(context, task->rank, 0);
        break;
    case TASK_HOST:
        rpt__cell_text(context, task->host[0] != '\0' ? task->host : NULL);
        break;
    case TASK_START_TIME:
        if (task->start_time > 0) {
            rpt__sqlite.result_double(context, task->start_time);
        }
        break;
    default:
        if (has_ended(task)) {
            cell_ended(context, task, column);
        }
        break;
    }
    return RPT_OK;
}

const struct rpt_table_ops rpt__table_tasks = {
    .name = "tasks",
    .schema = rpt__schema_tasks,
    .cursor_bytes = sizeof(struct tasks_cursor),
    .filter = tasks_filter,
    .next = tasks_next,
    .column = tasks_column,
};
