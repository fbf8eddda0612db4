/*
 * catalog.h - the door of this folder: src/api/query.c checks arguments and
 * calls these
 *
 * See <repartir/query.h> for what they do.
 */
#ifndef RPT_IO_CATALOG_CATALOG_H
#define RPT_IO_CATALOG_CATALOG_H

#include <repartir/query.h>

rpt_status_t rpt__view_open(const char *const directories[], size_t n,
                            const rpt_options_t *options,
                            struct rpt_view **catalog_out);
void rpt__view_close(struct rpt_view *catalog);
void rpt__view_interrupt(struct rpt_view *catalog);
const char *rpt__view_schema(void);

rpt_status_t rpt__query_open(struct rpt_view *catalog, const char *sql,
                             struct rpt_query **query_out);
void rpt__query_close(struct rpt_query *query);
int rpt__query_n_parameters(const struct rpt_query *query);
/* Of a parameter that is there; of a text only data. */
rpt_status_t rpt__query_bind(struct rpt_query *query, int parameter,
                             const rpt_value_t *value);
rpt_status_t rpt__query_step(struct rpt_query *query);
void rpt__query_reset(struct rpt_query *query);
int rpt__query_n_columns(const struct rpt_query *query);
/* Of a column that is there. */
const char *rpt__query_column_name(const struct rpt_query *query, int column);
rpt_status_t rpt__query_value(struct rpt_query *query, int column,
                              rpt_value_t *value_out);

#endif /* RPT_IO_CATALOG_CATALOG_H */
