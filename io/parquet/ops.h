/*
 * ops.h - what librepartir-parquet gives to librepartir
 *
 * A library of its own links Arrow C++, and is opened when it is needed, so
 * that the same program starts where Arrow is missing.  It knows nothing of
 * librepartir but its public headers, and no file: bytes go out through a
 * function.  A failure leaves its text to why().
 */
#ifndef RPT_IO_PARQUET_OPS_H
#define RPT_IO_PARQUET_OPS_H

#include <repartir/base.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ArrowArray;
struct ArrowSchema;

/* What to write, and how. */
struct rpt_parquet_plan {
    struct ArrowSchema *schema; /* of a table; is released */
    const bool *is_index;       /* of each column: it has differences */
    int zstd_level;             /* 0: no compression */
    int64_t group_rows;         /* most rows of a row group */
    bool has_checksums;         /* of every page */
    /* Takes all the bytes, or gives false: the writer fails. */
    bool (*write)(void *user, const void *data, size_t bytes);
    void *user;
};

struct rpt_parquet_ops {
    size_t size;   /* of this struct */
    int interface; /* RPT_PARQUET_INTERFACE */
    /* Of the last failure in this thread. */
    const char *(*why)(void);

    rpt_status_t (*open)(const struct rpt_parquet_plan *plan,
                         void **writer_out);
    /* Some rows of the row group that is next, which are released: first half
     * of a sample, then the other half. */
    rpt_status_t (*sample)(void *writer, struct ArrowArray *rows, bool is_half);
    /* How the row group that is next, of about so many rows, is encoded: as is
     * best by the sample.  Not sure: a larger one is worth while. */
    rpt_status_t (*choose)(void *writer, int64_t n_rows, bool *is_sure_out);
    /* Rows of all columns, which are released; in a row group of their own and
     * those that follow, or in the one before as long as it has room. */
    rpt_status_t (*append)(void *writer, struct ArrowArray *rows,
                           bool starts_group);
    /* A row group that is written column by column, all of them in their order,
     * each in one piece: without a copy of it in memory. */
    rpt_status_t (*group)(void *writer);
    rpt_status_t (*column)(void *writer, int i, struct ArrowArray *values);
    /* Writes what is left, and the footer.  The writer is gone in any case. */
    rpt_status_t (*close)(void *writer);
    /* Without writing anything more. */
    void (*drop)(void *writer);
};

/* To be raised with every change of this table. */
#define RPT_PARQUET_INTERFACE 3

/* The only function that the library exports. */
typedef const struct rpt_parquet_ops *rpt_parquet_library_fn(void);
#define RPT_PARQUET_SYMBOL "rpt_parquet_library"

#endif /* RPT_IO_PARQUET_OPS_H */
