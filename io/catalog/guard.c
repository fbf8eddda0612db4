/*
 * guard.c - what statements may do, and how long
 *
 * SQLite asks the authorizer while it prepares a statement: reading passes,
 * all else is refused.  While one runs, the progress handler looks at the
 * clock, at the memory that SQLite has, and whether somebody said stop.
 */
#include "io/catalog/catalog_priv.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/options.h"

#include <string.h>
#include <strings.h>

enum { STEPS_BETWEEN_LOOKS = 500 };

/* ---- what ---- */

/* PRAGMAs that only tell something. */
static bool is_harmless(const char *pragma)
{
    static const char *const names[] = { "table_info",    "table_xinfo",
                                         "table_list",    "function_list",
                                         "module_list",   "collation_list",
                                         "database_list", "compile_options" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (pragma != NULL && strcasecmp(pragma, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_dangerous(const char *function)
{
    return function != NULL && (strcasecmp(function, "load_extension") == 0 ||
                                strcasecmp(function, "fts3_tokenizer") == 0);
}

static int authorize(void *user, int action, const char *a, const char *b,
                     const char *database, const char *trigger)
{
    (void)user;
    (void)database;
    (void)trigger;
    switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE:
        return SQLITE_OK;
    case SQLITE_FUNCTION:
        return is_dangerous(b) ? SQLITE_DENY : SQLITE_OK;
    case SQLITE_UPDATE:
        /* SQLite asks so when a table of ours, or one of its own, is declared
         * to it, and writes nothing; a statement that wants to does not get
         * here, since the schema is defended. */
        return strcmp(a, "sqlite_master") == 0 ? SQLITE_OK : SQLITE_DENY;
    case SQLITE_PRAGMA:
        return is_harmless(a) ? SQLITE_OK : SQLITE_DENY;
    default:
        return SQLITE_DENY;
    }
}

/* ---- how long ---- */

static rpt_status_t why_stop(struct rpt_view *c)
{
    uint64_t most = rpt__option_size(c->options, RPT_OPT_IO_QUERY_MEMORY_BYTES);

    if (atomic_load(&c->is_interrupted) != 0) {
        return RPT_ERR_CANCELLED;
    }
    if (c->deadline_s > 0 && rpt__now_s() > c->deadline_s) {
        return RPT_ERR_TIMEOUT;
    }
    if (rpt__sqlite.memory_used() - c->memory_begin > (int64_t)most) {
        return RPT_ERR_NOMEM;
    }
    return RPT_OK;
}

rpt_status_t rpt__guard_fail(struct rpt_view *c, rpt_status_t status)
{
    switch (status) {
    case RPT_ERR_CANCELLED:
        atomic_store(&c->is_interrupted, 0);
        rpt__fail(status, "the query was interrupted");
        break;
    case RPT_ERR_TIMEOUT:
        rpt__fail(status, "the query took longer than %g s",
                  rpt__option_seconds(c->options, RPT_OPT_IO_QUERY_DEADLINE_S));
        rpt__fail_hint("ask for less, or raise io.query.deadline_s");
        break;
    default:
        rpt__fail(status, "the query takes more than %llu bytes of memory",
                  (unsigned long long)rpt__option_size(
                      c->options, RPT_OPT_IO_QUERY_MEMORY_BYTES));
        rpt__fail_hint("ORDER BY, GROUP BY and DISTINCT keep rows in memory: "
                       "ask for less of them (ORDER BY i0, i1, ... of an "
                       "array needs none), or raise io.query.memory_bytes");
        break;
    }
    return status;
}

rpt_status_t rpt__view_stops(struct rpt_view *c)
{
    rpt_status_t status = why_stop(c);

    return status == RPT_OK ? RPT_OK : rpt__guard_fail(c, status);
}

/* May be called inside SQLite's own work: records nothing. */
static int look(void *user)
{
    struct rpt_view *c = user;

    c->stopped = why_stop(c);
    return c->stopped != RPT_OK;
}

/* ---- how much ---- */

static const struct {
    int what;
    int most;
} limits[] = { { SQLITE_LIMIT_LENGTH, RPT_CELL_BYTES_MAX },
               { SQLITE_LIMIT_SQL_LENGTH, 1000000 },
               { SQLITE_LIMIT_COLUMN, 2000 },
               { SQLITE_LIMIT_EXPR_DEPTH, 1000 },
               { SQLITE_LIMIT_COMPOUND_SELECT, 500 },
               { SQLITE_LIMIT_VDBE_OP, 1000000 },
               { SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 10000 },
               { SQLITE_LIMIT_VARIABLE_NUMBER, 1000 },
               { SQLITE_LIMIT_ATTACHED, 0 },
               { SQLITE_LIMIT_TRIGGER_DEPTH, 1 },
               { SQLITE_LIMIT_WORKER_THREADS, 0 } };

rpt_status_t rpt__guard(struct rpt_view *c)
{
    int code = rpt__sqlite.exec(c->db, "PRAGMA temp_store = MEMORY", NULL, NULL,
                                NULL);

    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        rpt__sqlite.limit(c->db, limits[i].what, limits[i].most);
    }
    if (code == SQLITE_OK) {
        code = rpt__sqlite.db_config(c->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    }
    if (code == SQLITE_OK) {
        code = rpt__sqlite.db_config(
            c->db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
    }
    if (code == SQLITE_OK) {
        code = rpt__sqlite.set_authorizer(c->db, authorize, NULL);
    }
    rpt__sqlite.progress_handler(c->db, STEPS_BETWEEN_LOOKS, look, c);
    if (code != SQLITE_OK) {
        rpt__fail(RPT_ERR_UNSUPPORTED, "SQLite cannot be made to read only");
        rpt__fail_why("%s", rpt__sqlite.errmsg(c->db));
        return RPT_ERR_UNSUPPORTED;
    }
    return RPT_OK;
}
