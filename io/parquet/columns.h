/*
 * columns.h - the columns of a file, as Arrow's C data interface gives them
 */
#ifndef RPT_IO_PARQUET_COLUMNS_H
#define RPT_IO_PARQUET_COLUMNS_H

#include "io/parquet/arrow_abi.h"
#include "io/parquet/parquet.h"

struct rpt_parquet_columns;

/* Checks the schema, and copies what is needed of it. */
rpt_status_t
rpt__parquet_columns_create(const struct rpt_parquet_schema *schema,
                            const struct rpt_parquet_settings *settings,
                            struct rpt_parquet_columns **columns_out);

void rpt__parquet_columns_destroy(struct rpt_parquet_columns *columns);

/* The type of the table.  Stays theirs. */
struct ArrowSchema *
rpt__parquet_columns_schema(struct rpt_parquet_columns *columns);

/* Which columns of the table are indices. */
const bool *
rpt__parquet_columns_indices(const struct rpt_parquet_columns *columns);

/* Whether the data can be rows of these columns. */
rpt_status_t
rpt__parquet_columns_check(const struct rpt_parquet_columns *columns,
                           const struct rpt_parquet_data data[],
                           int64_t n_rows);

/* Some rows from `first` on, `most` or less, as an array that is good until the
 * next call; gives how many there are, 1 or more, and the bytes of their
 * values.  NULL: no memory. */
struct ArrowArray *
rpt__parquet_columns_slice(struct rpt_parquet_columns *columns,
                           const struct rpt_parquet_data data[], int64_t first,
                           int64_t most, int64_t *bytes_out);

/* Whether they have numbers only, and so many rows at most so many bytes. */
bool rpt__parquet_columns_is_small(const struct rpt_parquet_columns *columns,
                                   int64_t n_rows, int64_t most_bytes);

/* How many columns the table has. */
int rpt__parquet_columns_count(const struct rpt_parquet_columns *columns);

/* n rows of numbers of one column of the table, as an array that is good until
 * the next call.  NULL: no memory. */
struct ArrowArray *
rpt__parquet_columns_one(struct rpt_parquet_columns *columns, int i,
                         const struct rpt_parquet_data data[], int64_t first,
                         int64_t n);

#endif /* RPT_IO_PARQUET_COLUMNS_H */
