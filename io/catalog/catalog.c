/*
 * catalog.c - directories are opened: what is in them, and a database in memory
 * whose tables show it
 */
#include "io/catalog/catalog_priv.h"

#include "base/error.h"
#include "base/options.h"

#include <stdlib.h>
#include <string.h>

static rpt_status_t copy_names(struct rpt_view *c,
                               const char *const directories[], size_t n)
{
    c->directories = calloc(n, sizeof *c->directories);
    if (c->directories == NULL) {
        return rpt__fail_nomem(n * sizeof *c->directories);
    }
    for (size_t i = 0; i < n; i++) {
        c->directories[i] = strdup(directories[i]);
        if (c->directories[i] == NULL) {
            return rpt__fail_nomem(strlen(directories[i]) + 1);
        }
        c->n_directories = i + 1;
    }
    return RPT_OK;
}

static rpt_status_t open_database(struct rpt_view *c)
{
    rpt_status_t status;
    int code = rpt__sqlite.open_v2(":memory:", &c->db,
                                   SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
                                       SQLITE_OPEN_MEMORY | SQLITE_OPEN_NOMUTEX,
                                   NULL);

    if (code != SQLITE_OK) {
        rpt__fail(RPT_ERR_NOMEM, "SQLite cannot open a database in memory");
        if (c->db != NULL) {
            rpt__fail_why("%s", rpt__sqlite.errmsg(c->db));
        }
        return RPT_ERR_NOMEM;
    }
    status = rpt__tables_add(c);
    return status == RPT_OK ? rpt__guard(c) : status;
}

/* The database goes before what its tables show. */
static void destroy(struct rpt_view *c)
{
    if (c->db != NULL) {
        rpt__sqlite.close(c->db);
    }
    rpt__unhold_all(c);
    rpt__view_forget(c);
    for (size_t i = 0; i < c->n_directories; i++) {
        free(c->directories[i]);
    }
    free(c->directories);
    rpt_options_destroy(c->options);
    free(c);
}

rpt_status_t rpt__view_open(const char *const directories[], size_t n,
                            const rpt_options_t *options,
                            struct rpt_view **catalog_out)
{
    struct rpt_view *c = calloc(1, sizeof *c);
    rpt_status_t status;

    if (c == NULL) {
        return rpt__fail_nomem(sizeof *c);
    }
    status = rpt__options_copy(options, &c->options);
    if (status == RPT_OK) {
        status = copy_names(c, directories, n);
    }
    if (status == RPT_OK) {
        status = rpt__sqlite_load(c->options);
    }
    if (status == RPT_OK) {
        status = open_database(c);
    }
    if (status == RPT_OK) {
        status = rpt__view_find(c);
    }
    if (status != RPT_OK) {
        destroy(c);
        return status;
    }
    *catalog_out = c;
    return RPT_OK;
}

void rpt__view_release(struct rpt_view *c)
{
    if (c->is_closed && c->n_queries == 0) {
        destroy(c);
    }
}

void rpt__view_close(struct rpt_view *c)
{
    c->is_closed = true;
    rpt__view_release(c);
}

void rpt__view_interrupt(struct rpt_view *c)
{
    atomic_store(&c->is_interrupted, 1);
}
