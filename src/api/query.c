/*
 * query.c - the public functions of queries
 */
#include "api/api.h"

#include "base/error.h"
#include "io/catalog/catalog.h"

#include <repartir/query.h>

rpt_status_t rpt_view_open(const char *const directories[], size_t n,
                           const rpt_options_t *options, rpt_view_t **view_out)
{
    RPT_REQUIRE(directories != NULL && view_out != NULL, "NULL argument");
    RPT_REQUIRE(n > 0, "no directory");
    for (size_t i = 0; i < n; i++) {
        RPT_REQUIRE(directories[i] != NULL && directories[i][0] != '\0',
                    "a directory has no name");
    }
    return rpt__view_open(directories, n, options, view_out);
}

void rpt_view_close(rpt_view_t *view)
{
    if (view != NULL) {
        rpt__view_close(view);
    }
}

void rpt_view_interrupt(rpt_view_t *view)
{
    if (view != NULL) {
        rpt__view_interrupt(view);
    }
}

const char *rpt_view_schema(void)
{
    return rpt__view_schema();
}

rpt_status_t rpt_query_open(rpt_view_t *view, const char *sql,
                            rpt_query_t **query_out)
{
    RPT_REQUIRE(view != NULL && sql != NULL && query_out != NULL,
                "NULL argument");
    return rpt__query_open(view, sql, query_out);
}

void rpt_query_close(rpt_query_t *query)
{
    if (query != NULL) {
        rpt__query_close(query);
    }
}

int rpt_query_n_parameters(const rpt_query_t *query)
{
    return query != NULL ? rpt__query_n_parameters(query) : 0;
}

/* What the four have in common. */
static rpt_status_t bind(rpt_query_t *query, int parameter,
                         const rpt_value_t *value, const char *name)
{
    RPT_REQUIRE_IN(name, query != NULL, "NULL argument");
    RPT_REQUIRE_IN(name, parameter >= 1, "parameters are counted from 1");
    RPT_REQUIRE_IN(name, parameter <= rpt__query_n_parameters(query),
                   "the statement has less parameters");
    return rpt__query_bind(query, parameter, value);
}

rpt_status_t rpt_query_bind_i64(rpt_query_t *query, int parameter,
                                int64_t value)
{
    const rpt_value_t v = { .type = RPT_VALUE_I64, .i64 = value };

    return bind(query, parameter, &v, __func__);
}

rpt_status_t rpt_query_bind_f64(rpt_query_t *query, int parameter, double value)
{
    const rpt_value_t v = { .type = RPT_VALUE_F64, .f64 = value };

    return bind(query, parameter, &v, __func__);
}

rpt_status_t rpt_query_bind_text(rpt_query_t *query, int parameter,
                                 const char *text)
{
    const rpt_value_t v = { .type = RPT_VALUE_TEXT, .data = text };

    RPT_REQUIRE(text != NULL, "NULL argument");
    return bind(query, parameter, &v, __func__);
}

rpt_status_t rpt_query_bind_null(rpt_query_t *query, int parameter)
{
    const rpt_value_t v = { .type = RPT_VALUE_NULL };

    return bind(query, parameter, &v, __func__);
}

rpt_status_t rpt_query_step(rpt_query_t *query)
{
    RPT_REQUIRE(query != NULL, "NULL argument");
    return rpt__query_step(query);
}

rpt_status_t rpt_query_reset(rpt_query_t *query)
{
    RPT_REQUIRE(query != NULL, "NULL argument");
    rpt__query_reset(query);
    return RPT_OK;
}

int rpt_query_n_columns(const rpt_query_t *query)
{
    return query != NULL ? rpt__query_n_columns(query) : 0;
}

const char *rpt_query_column_name(const rpt_query_t *query, int column)
{
    return query != NULL && column >= 0 && column < rpt__query_n_columns(query)
               ? rpt__query_column_name(query, column)
               : NULL;
}

rpt_status_t rpt_query_value(rpt_query_t *query, int column,
                             rpt_value_t *value_out)
{
    RPT_REQUIRE(query != NULL && value_out != NULL, "NULL argument");
    RPT_REQUIRE(column >= 0 && column < rpt__query_n_columns(query),
                "the statement has no such column");
    return rpt__query_value(query, column, value_out);
}
