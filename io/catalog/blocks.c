/*
 * blocks.c - the table of checksums
 *
 * A row for each MiB that was saved, made when it is looked at from blocks.xxh
 * in memory; the data are not read.  `checkpoint = ...` opens one checkpoint
 * only.
 */
#include "io/catalog/catalog_priv.h"

#include "io/checkpoint/verify.h"

#include <string.h>
#include <strings.h>

enum {
    BLOCK_CHECKPOINT,
    BLOCK_DATASET,
    BLOCK_WRITER,
    BLOCK_START,
    BLOCK_COUNT,
    BLOCK_BLOCK,
    BLOCK_BYTES,
    BLOCK_XXH3
};

struct blocks_cursor {
    struct rpt_cursor base;
    char id[RPT_ID_BYTES]; /* "": of all */
    size_t at;             /* which checkpoint */
    struct rpt_held *held; /* it, when it is open */
    size_t part;
    uint64_t block;
};

/* Ids are compared byte by byte: what a statement wants compared in another way
 * (COLLATE NOCASE) SQLite does, with all rows. */
static bool is_by_bytes(sqlite3_index_info *info, int i)
{
    return strcasecmp(rpt__sqlite.vtab_collation(info, i), "BINARY") == 0;
}

static int blocks_best(struct rpt_table *table, sqlite3_index_info *info)
{
    (void)table;
    for (int i = 0; i < info->nConstraint; i++) {
        if (info->aConstraint[i].iColumn == BLOCK_CHECKPOINT &&
            info->aConstraint[i].op == SQLITE_INDEX_CONSTRAINT_EQ &&
            info->aConstraint[i].usable && is_by_bytes(info, i)) {
            info->aConstraintUsage[i].argvIndex = 1;
            info->idxStr = rpt__sqlite.mprintf("c");
            info->needToFreeIdxStr = 1;
            info->estimatedCost = 1e4;
            info->estimatedRows = 10000;
            return info->idxStr != NULL ? SQLITE_OK : SQLITE_NOMEM;
        }
    }
    return SQLITE_OK;
}

static bool is_wanted(const struct blocks_cursor *cursor,
                      const struct rpt_saved *saved)
{
    char id[RPT_ID_BYTES];

    rpt__id_text(saved->id, id);
    return cursor->id[0] == '\0' || strcmp(cursor->id, id) == 0;
}

/* One that went bad or away since has no rows. */
static rpt_status_t take(struct blocks_cursor *cursor, struct rpt_saved *saved)
{
    struct rpt_view *c = cursor->base.catalog;
    rpt_status_t status = rpt__saved_judge(c, saved);

    if (status == RPT_OK && saved->state == RPT_FOUND_COMMITTED) {
        status = rpt__hold(c, saved->task, saved->name, &cursor->held);
        if (status == RPT_ERR_NOT_FOUND) {
            status = RPT_OK;
        }
    }
    return status;
}

static void leave(struct blocks_cursor *cursor)
{
    rpt__unhold(cursor->base.catalog, cursor->held);
    cursor->held = NULL;
    cursor->part = 0;
    cursor->block = 0;
}

static rpt_status_t settle(struct blocks_cursor *cursor)
{
    struct rpt_view *c = cursor->base.catalog;
    rpt_status_t status = RPT_OK;

    for (; cursor->at < c->n_saved; cursor->at++) {
        struct rpt_saved *saved = &c->saved[cursor->at];

        if (cursor->held == NULL && is_wanted(cursor, saved)) {
            status = rpt__view_stops(c);
            if (status == RPT_OK) {
                status = take(cursor, saved);
            }
            if (status != RPT_OK) {
                return status;
            }
        }
        if (cursor->held != NULL) {
            const struct rpt_opened *o = &cursor->held->opened;

            while (cursor->part < o->n_written &&
                   cursor->block >= o->written[cursor->part].n_blocks) {
                cursor->part++;
                cursor->block = 0;
            }
            if (cursor->part < o->n_written) {
                return RPT_OK;
            }
            leave(cursor);
        }
    }
    cursor->base.is_at_end = true;
    return RPT_OK;
}

static rpt_status_t blocks_filter(struct rpt_cursor *base, bool in_order,
                                  const char *wishes, sqlite3_value *values[])
{
    struct blocks_cursor *cursor = (struct blocks_cursor *)base;
    const unsigned char *id;

    (void)in_order;
    leave(cursor);
    cursor->at = 0;
    cursor->id[0] = '\0';
    if (wishes[0] == 'c') {
        id = rpt__sqlite.value_text(values[0]);
        if (id == NULL || strlen((const char *)id) != RPT_ID_BYTES - 1) {
            base->is_at_end = true;
            return RPT_OK;
        }
        memcpy(cursor->id, id, RPT_ID_BYTES);
    }
    return settle(cursor);
}

static rpt_status_t blocks_next(struct rpt_cursor *base)
{
    struct blocks_cursor *cursor = (struct blocks_cursor *)base;

    cursor->block++;
    return settle(cursor);
}

static rpt_status_t blocks_column(struct rpt_cursor *base,
                                  sqlite3_context *context, int column)
{
    const struct blocks_cursor *cursor = (const struct blocks_cursor *)base;
    const struct rpt_opened *o = &cursor->held->opened;
    const struct rpt_written *written = &o->written[cursor->part];
    const struct rpt_part *part = &written->part;
    int n_dims = rpt__part_n_dims(o->manifest.datasets, part);

    switch (column) {
    case BLOCK_CHECKPOINT:
        rpt__cell_id(context, o->manifest.id);
        break;
    case BLOCK_DATASET:
        if (part->dataset != RPT_RAW) {
            rpt__cell_text(context, o->manifest.datasets[part->dataset].name);
        }
        break;
    case BLOCK_WRITER:
        rpt__cell_u64(context, written->writer);
        break;
    case BLOCK_START:
        rpt__cell_list(context, part->box.start, n_dims, ',');
        break;
    case BLOCK_COUNT:
        rpt__cell_list(context, part->box.count, n_dims, 'x');
        break;
    case BLOCK_BLOCK:
        rpt__cell_u64(context, cursor->block);
        break;
    case BLOCK_BYTES:
        rpt__cell_u64(context, rpt__written_stored(written, cursor->block));
        break;
    default:
        rpt__cell_id(context, rpt__written_hash(written, cursor->block));
        break;
    }
    return RPT_OK;
}

static void blocks_close(struct rpt_cursor *base)
{
    leave((struct blocks_cursor *)base);
}

const struct rpt_table_ops rpt__table_blocks = {
    .name = "blocks",
    .schema = rpt__schema_blocks,
    .cursor_bytes = sizeof(struct blocks_cursor),
    .best = blocks_best,
    .filter = blocks_filter,
    .next = blocks_next,
    .column = blocks_column,
    .close = blocks_close,
};
