/*
 * lists.c - the tables of what the catalog knows: checkpoints, their datasets,
 * and the files that programs wrote themselves
 */
#include "io/catalog/catalog_priv.h"

#include "base/error.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- checkpoints ---- */

enum {
    CHECKPOINT_DIRECTORY,
    CHECKPOINT_TASK,
    CHECKPOINT_ID,
    CHECKPOINT_NAME,
    CHECKPOINT_ITERATION,
    CHECKPOINT_TIME,
    CHECKPOINT_RANKS,
    CHECKPOINT_HOST,
    CHECKPOINT_ENGINE,
    CHECKPOINT_LIBRARY,
    CHECKPOINT_BYTES,
    CHECKPOINT_FILE_BYTES,
    CHECKPOINT_N_DATASETS,
    CHECKPOINT_N_FILES,
    CHECKPOINT_FILES_BYTES,
    CHECKPOINT_STATE
};

struct list_cursor {
    struct rpt_cursor base;
    size_t at;    /* which checkpoint */
    size_t inner; /* which of its datasets, or files */
};

static const char *const states[] = { "committed",  "damaged",    "aside",
                                      "unfinished", "unreadable", "removed" };

static rpt_status_t checkpoints_to(struct list_cursor *cursor, size_t at)
{
    cursor->at = at;
    cursor->base.is_at_end = at >= cursor->base.catalog->n_saved;
    return RPT_OK;
}

static rpt_status_t checkpoints_filter(struct rpt_cursor *base, bool in_order,
                                       const char *wishes,
                                       sqlite3_value *values[])
{
    (void)in_order;
    (void)wishes;
    (void)values;
    return checkpoints_to((struct list_cursor *)base, 0);
}

static rpt_status_t checkpoints_next(struct rpt_cursor *base)
{
    struct list_cursor *cursor = (struct list_cursor *)base;

    return checkpoints_to(cursor, cursor->at + 1);
}

static uint64_t bytes_of(const struct rpt_manifest *m)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < m->n_datasets; i++) {
        bytes += m->datasets[i].bytes;
    }
    return bytes;
}

static uint64_t bytes_of_files(const struct rpt_manifest *m)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < m->n_files; i++) {
        bytes += m->files[i].bytes;
    }
    return bytes;
}

/* What the manifest says. */
static void cell_manifest(sqlite3_context *context,
                          const struct rpt_manifest *m, int column)
{
    switch (column) {
    case CHECKPOINT_TIME:
        rpt__sqlite.result_double(context, m->time_s);
        break;
    case CHECKPOINT_RANKS:
        rpt__sqlite.result_int64(context, m->n_ranks);
        break;
    case CHECKPOINT_HOST:
        rpt__cell_text(context, m->host);
        break;
    case CHECKPOINT_ENGINE:
        rpt__cell_text(context, m->engine);
        break;
    case CHECKPOINT_LIBRARY:
        rpt__cell_text(context, m->library);
        break;
    case CHECKPOINT_BYTES:
        rpt__cell_u64(context, bytes_of(m));
        break;
    case CHECKPOINT_FILE_BYTES:
        rpt__cell_u64(context, m->file_bytes);
        break;
    case CHECKPOINT_N_DATASETS:
        rpt__cell_u64(context, m->n_datasets);
        break;
    case CHECKPOINT_N_FILES:
        rpt__cell_u64(context, m->n_files);
        break;
    default:
        rpt__cell_u64(context, bytes_of_files(m));
        break;
    }
}

static rpt_status_t checkpoints_column(struct rpt_cursor *base,
                                       sqlite3_context *context, int column)
{
    struct rpt_view *c = base->catalog;
    struct rpt_saved *saved = &c->saved[((struct list_cursor *)base)->at];
    rpt_status_t status = RPT_OK;

    switch (column) {
    case CHECKPOINT_DIRECTORY:
        rpt__cell_text(context, c->tasks[saved->task].directory);
        break;
    case CHECKPOINT_TASK:
        rpt__cell_text(context, c->tasks[saved->task].name);
        break;
    case CHECKPOINT_ID:
        rpt__cell_id(context, saved->id);
        break;
    case CHECKPOINT_NAME:
        rpt__cell_text(context, saved->name);
        break;
    case CHECKPOINT_ITERATION:
        if (saved->has_iteration) {
            rpt__cell_u64(context, saved->iteration);
        }
        break;
    case CHECKPOINT_STATE:
        status = rpt__saved_judge(c, saved);
        if (status == RPT_OK) {
            rpt__cell_text(context, states[saved->state]);
        }
        break;
    default:
        if (saved->has_manifest) {
            cell_manifest(context, &saved->manifest, column);
        }
        break;
    }
    return status;
}

const struct rpt_table_ops rpt__table_checkpoints = {
    .name = "checkpoints",
    .schema = rpt__schema_checkpoints,
    .cursor_bytes = sizeof(struct list_cursor),
    .filter = checkpoints_filter,
    .next = checkpoints_next,
    .column = checkpoints_column,
};

/* ---- datasets ---- */

enum {
    DATASET_CHECKPOINT,
    DATASET_TASK,
    DATASET_NAME,
    DATASET_KIND,
    DATASET_TYPE,
    DATASET_N_DIMS,
    DATASET_DIMS,
    DATASET_ELEMENTS,
    DATASET_OFFSET,
    DATASET_BYTES,
    DATASET_PATH,
    DATASET_CHUNK
};

static size_t n_datasets(const struct rpt_manifest *m)
{
    return m->n_datasets;
}

/* To the first thing from here on of a checkpoint that counts, which has so
 * many. */
static rpt_status_t settle(struct list_cursor *cursor,
                           size_t (*count)(const struct rpt_manifest *m))
{
    struct rpt_view *c = cursor->base.catalog;
    rpt_status_t status = RPT_OK;

    for (; cursor->at < c->n_saved; cursor->at++, cursor->inner = 0) {
        struct rpt_saved *saved = &c->saved[cursor->at];

        status = rpt__saved_judge(c, saved);
        if (status != RPT_OK || (saved->state == RPT_FOUND_COMMITTED &&
                                 cursor->inner < count(&saved->manifest))) {
            break;
        }
    }
    cursor->base.is_at_end = cursor->at == c->n_saved;
    return status;
}

static rpt_status_t datasets_filter(struct rpt_cursor *base, bool in_order,
                                    const char *wishes, sqlite3_value *values[])
{
    struct list_cursor *cursor = (struct list_cursor *)base;

    (void)in_order;
    (void)wishes;
    (void)values;
    cursor->at = cursor->inner = 0;
    return settle(cursor, n_datasets);
}

static rpt_status_t datasets_next(struct rpt_cursor *base)
{
    struct list_cursor *cursor = (struct list_cursor *)base;

    cursor->inner++;
    return settle(cursor, n_datasets);
}

static void cell_type(sqlite3_context *context, rpt_type_t type)
{
    char text[32];

    if (type >= RPT_TYPE_OPAQUE_0) {
        snprintf(text, sizeof text, "opaque%zu", rpt_type_bytes(type));
        rpt__cell_text(context, text);
    } else {
        rpt__cell_text(context, rpt_type_name(type));
    }
}

static void cell_path(sqlite3_context *context,
                      const struct rpt_view_task *task, const char *name,
                      const char *file)
{
    struct rpt_buf path = RPT_BUF_EMPTY;

    rpt__buf_printf(&path, "%s/%s/%s/%s", task->directory, task->name, name,
                    file);
    rpt__cell_text(context, path.data);
    rpt__buf_free(&path);
}

static rpt_status_t datasets_column(struct rpt_cursor *base,
                                    sqlite3_context *context, int column)
{
    const struct list_cursor *cursor = (const struct list_cursor *)base;
    const struct rpt_saved *saved = &base->catalog->saved[cursor->at];
    const struct rpt_view_task *task = &base->catalog->tasks[saved->task];
    const struct rpt_dataset *set = &saved->manifest.datasets[cursor->inner];
    int n_dims = set->is_scalar ? 0 : set->n_dims;

    switch (column) {
    case DATASET_CHECKPOINT:
        rpt__cell_id(context, saved->id);
        break;
    case DATASET_TASK:
        rpt__cell_text(context, task->name);
        break;
    case DATASET_NAME:
        rpt__cell_text(context, set->name);
        break;
    case DATASET_KIND:
        rpt__cell_text(context, rpt__item_kind_name(set->kind));
        break;
    case DATASET_TYPE:
        cell_type(context, set->type);
        break;
    case DATASET_N_DIMS:
        rpt__sqlite.result_int64(context, n_dims);
        break;
    case DATASET_DIMS:
        rpt__cell_list(context, set->dims, n_dims, 'x');
        break;
    case DATASET_ELEMENTS:
        rpt__cell_u64(context, set->bytes / rpt_type_bytes(set->type));
        break;
    case DATASET_OFFSET:
        rpt__cell_u64(context, set->offset);
        break;
    case DATASET_BYTES:
        rpt__cell_u64(context, set->bytes);
        break;
    case DATASET_CHUNK:
        if (set->slots != NULL) {
            rpt__cell_list(context, set->slots->chunk, n_dims, 'x');
        }
        break;
    default:
        cell_path(context, task, saved->name, RPT_STATE_FILE);
        break;
    }
    return RPT_OK;
}

const struct rpt_table_ops rpt__table_datasets = {
    .name = "datasets",
    .schema = rpt__schema_datasets,
    .cursor_bytes = sizeof(struct list_cursor),
    .filter = datasets_filter,
    .next = datasets_next,
    .column = datasets_column,
};

/* ---- files of the program ---- */

enum {
    FILE_CHECKPOINT,
    FILE_TASK,
    FILE_NAME,
    FILE_WRITER,
    FILE_BYTES,
    FILE_XXH3,
    FILE_PATH
};

static size_t n_files(const struct rpt_manifest *m)
{
    return m->n_files;
}

static rpt_status_t files_filter(struct rpt_cursor *base, bool in_order,
                                 const char *wishes, sqlite3_value *values[])
{
    struct list_cursor *cursor = (struct list_cursor *)base;

    (void)in_order;
    (void)wishes;
    (void)values;
    cursor->at = cursor->inner = 0;
    return settle(cursor, n_files);
}

static rpt_status_t files_next(struct rpt_cursor *base)
{
    struct list_cursor *cursor = (struct list_cursor *)base;

    cursor->inner++;
    return settle(cursor, n_files);
}

static void cell_digest(sqlite3_context *context, struct rpt_digest digest)
{
    char text[33];

    snprintf(text, sizeof text, "%016" PRIx64 "%016" PRIx64, digest.high,
             digest.low);
    rpt__cell_text(context, text);
}

static rpt_status_t files_column(struct rpt_cursor *base,
                                 sqlite3_context *context, int column)
{
    const struct list_cursor *cursor = (const struct list_cursor *)base;
    const struct rpt_saved *saved = &base->catalog->saved[cursor->at];
    const struct rpt_view_task *task = &base->catalog->tasks[saved->task];
    const struct rpt_routed *file = &saved->manifest.files[cursor->inner];
    char path[sizeof RPT_FILES + 256];

    switch (column) {
    case FILE_CHECKPOINT:
        rpt__cell_id(context, saved->id);
        break;
    case FILE_TASK:
        rpt__cell_text(context, task->name);
        break;
    case FILE_NAME:
        rpt__cell_text(context, file->name);
        break;
    case FILE_WRITER:
        rpt__sqlite.result_int64(context, file->rank);
        break;
    case FILE_BYTES:
        rpt__cell_u64(context, file->bytes);
        break;
    case FILE_XXH3:
        cell_digest(context, file->digest);
        break;
    default:
        snprintf(path, sizeof path, RPT_FILES "/%s", file->name);
        cell_path(context, task, saved->name, path);
        break;
    }
    return RPT_OK;
}

const struct rpt_table_ops rpt__table_files = {
    .name = "files",
    .schema = rpt__schema_files,
    .cursor_bytes = sizeof(struct list_cursor),
    .filter = files_filter,
    .next = files_next,
    .column = files_column,
};
