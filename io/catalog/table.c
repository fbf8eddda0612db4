/*
 * table.c - tables of SQL from struct rpt_table_ops
 *
 * Each is a module of SQLite that needs no CREATE VIRTUAL TABLE and cannot be
 * written to.  A function that fails leaves its status in the catalog; its
 * error is the thread's last one when SQLite has come back.
 */
#include "io/catalog/catalog_priv.h"

#include "base/error.h"

#include <stdlib.h>

static const struct rpt_table_ops *const tables[RPT_N_TABLES] = {
    &rpt__table_checkpoints, &rpt__table_datasets, &rpt__table_files,
    &rpt__table_blocks,      &rpt__table_events,   &rpt__table_tasks,
    &rpt__table_attempts,    &rpt__table_array
};

static int failed(struct rpt_view *catalog, rpt_status_t status)
{
    catalog->fault = status;
    return SQLITE_ERROR;
}

static int connect_table(sqlite3 *db, void *user, int argc,
                         const char *const *argv, sqlite3_vtab **out,
                         char **error_out)
{
    const struct rpt_table_module *module = user;
    struct rpt_table *table;
    int code = rpt__sqlite.declare_vtab(db, module->ops->schema);

    (void)argc;
    (void)argv;
    if (code != SQLITE_OK) {
        *error_out = rpt__sqlite.mprintf("%s", rpt__sqlite.errmsg(db));
        return code;
    }
    table = calloc(1, sizeof *table);
    if (table == NULL) {
        return SQLITE_NOMEM;
    }
    table->catalog = module->catalog;
    table->ops = module->ops;
    *out = &table->base;
    return SQLITE_OK;
}

static int disconnect(sqlite3_vtab *base)
{
    free(base);
    return SQLITE_OK;
}

static int best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
    struct rpt_table *table = (struct rpt_table *)base;

    info->estimatedCost = 1e6;
    info->estimatedRows = 1000000;
    return table->ops->best != NULL ? table->ops->best(table, info) : SQLITE_OK;
}

static int open_cursor(sqlite3_vtab *base, sqlite3_vtab_cursor **out)
{
    const struct rpt_table *table = (const struct rpt_table *)base;
    struct rpt_cursor *cursor = calloc(1, table->ops->cursor_bytes);

    if (cursor == NULL) {
        return SQLITE_NOMEM;
    }
    cursor->catalog = table->catalog;
    cursor->ops = table->ops;
    *out = &cursor->base;
    return SQLITE_OK;
}

static int close_cursor(sqlite3_vtab_cursor *base)
{
    struct rpt_cursor *cursor = (struct rpt_cursor *)base;

    if (cursor->ops->close != NULL) {
        cursor->ops->close(cursor);
    }
    free(cursor);
    return SQLITE_OK;
}

static int filter(sqlite3_vtab_cursor *base, int number, const char *text,
                  int n_values, sqlite3_value **values)
{
    struct rpt_cursor *cursor = (struct rpt_cursor *)base;
    rpt_status_t status = rpt__view_stops(cursor->catalog);

    (void)n_values;
    cursor->is_at_end = false;
    cursor->row = 0;
    if (status == RPT_OK) {
        status = cursor->ops->filter(cursor, number != 0,
                                     text != NULL ? text : "", values);
    }
    return status == RPT_OK ? SQLITE_OK : failed(cursor->catalog, status);
}

static int next(sqlite3_vtab_cursor *base)
{
    struct rpt_cursor *cursor = (struct rpt_cursor *)base;
    rpt_status_t status = cursor->ops->next(cursor);

    cursor->row++;
    return status == RPT_OK ? SQLITE_OK : failed(cursor->catalog, status);
}

static int is_at_end(sqlite3_vtab_cursor *base)
{
    return ((struct rpt_cursor *)base)->is_at_end;
}

static int column(sqlite3_vtab_cursor *base, sqlite3_context *context,
                  int index)
{
    struct rpt_cursor *cursor = (struct rpt_cursor *)base;
    rpt_status_t status = cursor->ops->column(cursor, context, index);

    return status == RPT_OK ? SQLITE_OK : failed(cursor->catalog, status);
}

static int rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *out)
{
    *out = ((struct rpt_cursor *)base)->row;
    return SQLITE_OK;
}

static const sqlite3_module module = {
    .iVersion = 0,
    .xConnect = connect_table, /* no xCreate: there is one of each */
    .xBestIndex = best_index,
    .xDisconnect = disconnect,
    .xOpen = open_cursor,
    .xClose = close_cursor,
    .xFilter = filter,
    .xNext = next,
    .xEof = is_at_end,
    .xColumn = column,
    .xRowid = rowid,
};

rpt_status_t rpt__tables_add(struct rpt_view *c)
{
    for (size_t i = 0; i < RPT_N_TABLES; i++) {
        c->modules[i] = (struct rpt_table_module){ c, tables[i] };
        if (rpt__sqlite.create_module(c->db, tables[i]->name, &module,
                                      &c->modules[i]) != SQLITE_OK) {
            return rpt__fail_nomem(sizeof module);
        }
    }
    return RPT_OK;
}
