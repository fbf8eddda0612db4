/*
 * query.c - statements: prepared, given values, stepped through
 *
 * How a step ended comes from three sides: a table that failed has recorded its
 * error (catalog->fault); the progress handler has ended it (catalog->stopped);
 * or SQLite says so itself.
 */
#include "io/catalog/catalog_priv.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/options.h"

#include <stdlib.h>
#include <string.h>

enum phase {
    PHASE_BEFORE, /* the first step */
    PHASE_ROW,
    PHASE_END,
    PHASE_FAILED
};

struct rpt_query {
    struct rpt_view *catalog;
    sqlite3_stmt *statement;
    enum phase phase;
    double deadline_s; /* 0: none */
    int64_t memory_begin;
};

/* ---- how it went wrong ---- */

static rpt_status_t refused(const struct rpt_view *c)
{
    rpt__fail(RPT_ERR_UNSUPPORTED, "the statement does more than read");
    rpt__fail_why("%s", rpt__sqlite.errmsg(c->db));
    rpt__fail_hint("SELECT, VALUES and EXPLAIN may be used");
    return RPT_ERR_UNSUPPORTED;
}

static rpt_status_t too_long(void)
{
    rpt__fail(RPT_ERR_OVERFLOW, "a text or blob is too long");
    rpt__fail_why("a value has %d bytes at most, a statement 1000000",
                  RPT_CELL_BYTES_MAX);
    return RPT_ERR_OVERFLOW;
}

static rpt_status_t malformed(const struct rpt_view *c)
{
    const char *why = rpt__sqlite.errmsg(c->db);

    /* Not all refusals have a code of their own. */
    if (strstr(why, "may not be modified") != NULL ||
        strstr(why, "not authorized") == why) {
        return refused(c);
    }
    rpt__fail(RPT_ERR_PARSE, "the statement cannot be used");
    rpt__fail_why("%s", why);
    rpt__fail_hint("%s", strcmp(why, "no query solution") == 0
                             ? "array() needs the name of a dataset: "
                               "array('NAME')"
                             : "`repartir query --schema' prints the tables "
                               "and their columns");
    return RPT_ERR_PARSE;
}

static rpt_status_t failed(struct rpt_view *c, int code, bool is_step)
{
    if (c->fault != RPT_OK) {
        return c->fault;
    }
    if (c->stopped != RPT_OK) {
        return rpt__guard_fail(c, c->stopped);
    }
    switch (code & 0xff) {
    case SQLITE_AUTH:
        return refused(c);
    case SQLITE_TOOBIG:
        return too_long();
    case SQLITE_NOMEM:
        rpt__fail(RPT_ERR_NOMEM, "SQLite has no memory for the query");
        return RPT_ERR_NOMEM;
    default:
        break;
    }
    if (!is_step) {
        return malformed(c);
    }
    rpt__fail(RPT_ERR_INVALID, "the query failed");
    rpt__fail_why("%s", rpt__sqlite.errmsg(c->db));
    return RPT_ERR_INVALID;
}

/* Now the catalog is looked at on behalf of this query. */
static void enter(struct rpt_query *query)
{
    struct rpt_view *c = query->catalog;

    c->fault = c->stopped = RPT_OK;
    c->deadline_s = query->deadline_s;
    c->memory_begin = query->memory_begin;
}

static void begin(struct rpt_query *query)
{
    double most_s = rpt__option_seconds(query->catalog->options,
                                        RPT_OPT_IO_QUERY_DEADLINE_S);

    query->deadline_s = most_s > 0 ? rpt__now_s() + most_s : 0;
    query->memory_begin = rpt__sqlite.memory_used();
}

/* ---- opening ---- */

/* What follows is no statement where SQLite makes none of it: blanks,
 * semicolons, comments. */
static rpt_status_t check_rest(const struct rpt_view *c, const char *rest)
{
    sqlite3_stmt *second = NULL;
    const char *next = rest;
    int code = SQLITE_OK;

    while (code == SQLITE_OK && second == NULL && *rest != '\0') {
        code = rpt__sqlite.prepare_v2(c->db, rest, -1, &second, &next);
        if (code == SQLITE_OK && second == NULL) {
            rest = next > rest ? next : "";
        }
    }
    rpt__sqlite.finalize(second);
    if (*rest == '\0') {
        return RPT_OK;
    }
    rest += strspn(rest, " \t\r\n\f;");
    rpt__fail(RPT_ERR_PARSE, "there is something after the statement");
    rpt__fail_why("%.100s", rest);
    rpt__fail_hint("ask one thing at a time");
    return RPT_ERR_PARSE;
}

static rpt_status_t prepare(struct rpt_query *query, const char *sql)
{
    struct rpt_view *c = query->catalog;
    size_t bytes = strlen(sql);
    const char *rest = "";
    int code;

    if (bytes > 1000000) {
        return too_long();
    }
    begin(query);
    enter(query);
    code = rpt__sqlite.prepare_v2(c->db, sql, (int)bytes + 1, &query->statement,
                                  &rest);
    if (code != SQLITE_OK) {
        return failed(c, code, false);
    }
    if (query->statement == NULL) {
        return rpt__fail(RPT_ERR_PARSE, "there is no statement");
    }
    /* The authorizer has seen to it. */
    if (rpt__sqlite.stmt_readonly(query->statement) == 0) {
        return refused(c);
    }
    return check_rest(c, rest);
}

rpt_status_t rpt__query_open(struct rpt_view *catalog, const char *sql,
                             struct rpt_query **query_out)
{
    struct rpt_query *query = calloc(1, sizeof *query);
    rpt_status_t status;

    if (query == NULL) {
        return rpt__fail_nomem(sizeof *query);
    }
    query->catalog = catalog;
    catalog->n_queries++;
    status = prepare(query, sql);
    if (status != RPT_OK) {
        rpt__query_close(query);
        return status;
    }
    *query_out = query;
    return RPT_OK;
}

void rpt__query_close(struct rpt_query *query)
{
    rpt__sqlite.finalize(query->statement);
    query->catalog->n_queries--;
    rpt__view_release(query->catalog);
    free(query);
}

/* ---- values in ---- */

int rpt__query_n_parameters(const struct rpt_query *query)
{
    return rpt__sqlite.bind_parameter_count(query->statement);
}

rpt_status_t rpt__query_bind(struct rpt_query *query, int parameter,
                             const rpt_value_t *value)
{
    sqlite3_stmt *statement = query->statement;
    int code;

    if (query->phase != PHASE_BEFORE) {
        rpt__fail(RPT_ERR_STATE, "the query has begun");
        rpt__fail_hint("call rpt_query_reset() first");
        return RPT_ERR_STATE;
    }
    enter(query);
    switch (value->type) {
    case RPT_VALUE_I64:
        code = rpt__sqlite.bind_int64(statement, parameter, value->i64);
        break;
    case RPT_VALUE_F64:
        code = rpt__sqlite.bind_double(statement, parameter, value->f64);
        break;
    case RPT_VALUE_TEXT:
        code = rpt__sqlite.bind_text64(statement, parameter, value->data,
                                       strlen(value->data), SQLITE_TRANSIENT,
                                       SQLITE_UTF8);
        break;
    default:
        code = rpt__sqlite.bind_null(statement, parameter);
        break;
    }
    return code == SQLITE_OK ? RPT_OK : failed(query->catalog, code, true);
}

/* ---- rows ---- */

static rpt_status_t fail_after_failure(void)
{
    rpt__fail(RPT_ERR_STATE, "the query has failed before");
    rpt__fail_hint("call rpt_query_reset() to begin anew");
    return RPT_ERR_STATE;
}

rpt_status_t rpt__query_step(struct rpt_query *query)
{
    struct rpt_view *c = query->catalog;
    rpt_status_t status;
    int code;

    if (query->phase == PHASE_END || query->phase == PHASE_FAILED) {
        return query->phase == PHASE_END ? RPT_END : fail_after_failure();
    }
    if (query->phase == PHASE_BEFORE) {
        begin(query);
    }
    enter(query);
    status = rpt__view_stops(c);
    if (status == RPT_OK) {
        code = rpt__sqlite.step(query->statement);
        if (code == SQLITE_ROW) {
            query->phase = PHASE_ROW;
            return RPT_OK;
        }
        status = code == SQLITE_DONE ? RPT_END : failed(c, code, true);
    }
    query->phase = status == RPT_END ? PHASE_END : PHASE_FAILED;
    /* What its tables hold is given back now. */
    rpt__sqlite.reset(query->statement);
    return status;
}

void rpt__query_reset(struct rpt_query *query)
{
    rpt__sqlite.reset(query->statement);
    query->phase = PHASE_BEFORE;
}

/* ---- values out ---- */

int rpt__query_n_columns(const struct rpt_query *query)
{
    return rpt__sqlite.column_count(query->statement);
}

const char *rpt__query_column_name(const struct rpt_query *query, int column)
{
    return rpt__sqlite.column_name(query->statement, column);
}

/* What points to bytes is good until they are asked for in another way.  Those
 * of a blob are counted first: one for which there is no memory has none. */
static rpt_status_t take_data(sqlite3_stmt *statement, int column,
                              rpt_value_t *value)
{
    bool is_text = value->type == RPT_VALUE_TEXT;

    if (is_text) {
        value->data = (const char *)rpt__sqlite.column_text(statement, column);
        value->bytes = (size_t)rpt__sqlite.column_bytes(statement, column);
    } else {
        value->bytes = (size_t)rpt__sqlite.column_bytes(statement, column);
        value->data = rpt__sqlite.column_blob(statement, column);
    }
    if (value->data == NULL && (is_text || value->bytes > 0)) {
        return rpt__fail_nomem(value->bytes);
    }
    if (value->data == NULL) {
        value->data = ""; /* a blob without bytes */
    }
    return RPT_OK;
}

rpt_status_t rpt__query_value(struct rpt_query *query, int column,
                              rpt_value_t *value_out)
{
    rpt_value_t value = { .size = sizeof value };
    rpt_status_t status = RPT_OK;

    if (query->phase != PHASE_ROW) {
        return rpt__fail(RPT_ERR_STATE, "the query is at no row");
    }
    switch (rpt__sqlite.column_type(query->statement, column)) {
    case SQLITE_INTEGER:
        value.type = RPT_VALUE_I64;
        value.i64 = rpt__sqlite.column_int64(query->statement, column);
        break;
    case SQLITE_FLOAT:
        value.type = RPT_VALUE_F64;
        value.f64 = rpt__sqlite.column_double(query->statement, column);
        break;
    case SQLITE_TEXT:
        value.type = RPT_VALUE_TEXT;
        status = take_data(query->statement, column, &value);
        break;
    case SQLITE_BLOB:
        value.type = RPT_VALUE_BLOB;
        status = take_data(query->statement, column, &value);
        break;
    default:
        value.type = RPT_VALUE_NULL;
        break;
    }
    if (status == RPT_OK) {
        *value_out = value;
    }
    return status;
}
