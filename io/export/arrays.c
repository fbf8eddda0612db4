/*
 * arrays.c - an element of an array is a row: where it is, and its value
 *
 * Rows are divided over the ranks along the slowest dimension that has more
 * than one row, so that files hold the table in row-major order, one after
 * another.  A batch of rows is a range of the stored bytes: no copy but the
 * read, and as much memory as a batch takes.
 */
#include "io/export/export_priv.h"

#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arrays {
    const struct rpt_dataset *first; /* all are of its extents           */
    uint64_t strides[RPT_BOX_DIMS];  /* elements from a row to the next  */
    int n_index;                     /* columns; 0: without              */
    uint64_t batch;                  /* rows                             */
    struct rpt_parquet_data *data;   /* of each column                   */
    void **buffers;
};

static bool is_short(const struct rpt_dataset *set, int d)
{
    return set->dims[d] <= (uint64_t)INT32_MAX + 1;
}

static void find_strides(struct arrays *a)
{
    uint64_t stride = 1;

    for (int d = a->first->n_dims - 1; d >= 0; d--) {
        a->strides[d] = stride;
        stride *= a->first->dims[d];
    }
}

enum { MOST_MARKS = 16 };

/* The name of an index, with so many '_'s that no array is called so; with more
 * than these Parquet refuses the two names. */
static void name_index(const struct rpt_export_table *table, int d, int n,
                       char name_out[32])
{
    snprintf(name_out, 32, "i%.*s%d", n, "________________", d);
    for (size_t i = 0; i < table->n_sets && n < MOST_MARKS; i++) {
        if (strcmp(table->sets[i]->name, name_out) == 0) {
            name_index(table, d, n + 1, name_out);
            return;
        }
    }
}

static rpt_status_t add_columns(const struct rpt_export_table *table,
                                struct arrays *a, struct rpt_export_part *part)
{
    size_t n = (size_t)a->n_index + table->n_sets;

    part->columns = calloc(n, sizeof *part->columns);
    part->names = calloc((size_t)a->n_index + 1, 32);
    a->data = calloc(n, sizeof *a->data);
    a->buffers = calloc(n, sizeof *a->buffers);
    if (part->columns == NULL || part->names == NULL || a->data == NULL ||
        a->buffers == NULL) {
        return rpt__fail_nomem(n * sizeof *part->columns);
    }
    for (int d = 0; d < a->n_index; d++) {
        char *name = part->names + 32 * d;

        name_index(table, d, 0, name);
        part->columns[d] = (struct rpt_parquet_column){
            name, RPT_PARQUET_NUMBER,
            is_short(a->first, d) ? RPT_TYPE_I32 : RPT_TYPE_I64, -1, true
        };
    }
    for (size_t i = 0; i < table->n_sets; i++) {
        part->columns[(size_t)a->n_index + i] = (struct rpt_parquet_column){
            table->sets[i]->name, RPT_PARQUET_NUMBER, table->sets[i]->type, 0,
            false
        };
    }
    part->n_columns = (int)n;
    return RPT_OK;
}

/* This rank's rows. */
static void divide(const struct rpt_export *e, const struct arrays *a,
                   struct rpt_export_part *part)
{
    int d = 0;

    part->n_rows = rpt__export_elements(a->first);
    while (d < a->first->n_dims - 1 && a->first->dims[d] == 1) {
        d++;
    }
    rpt__export_share(e, a->first->dims[d], &part->at, &part->end);
    part->at *= a->strides[d];
    part->end *= a->strides[d];
    part->own_rows = part->end - part->at;
}

/* As many rows as fit; whole row groups where one does, because these are
 * written without a copy. */
static uint64_t batch_rows(const struct rpt_export *e, uint64_t row_bytes)
{
    uint64_t group = e->config->group_rows > 0 ? (uint64_t)e->config->group_rows
                                               : RPT_PARQUET_GROUP_ROWS;
    uint64_t rows = RPT_EXPORT_BATCH_BYTES / row_bytes;

    if (group <= RPT_PARQUET_WHOLE_BYTES / row_bytes) {
        rows = rows < group ? group : rows - rows % group;
    }
    return rows < 1 ? 1 : rows;
}

static rpt_status_t make_buffers(const struct rpt_export *e, struct arrays *a,
                                 const struct rpt_export_part *part)
{
    uint64_t row_bytes = 0, most = part->end - part->at;

    for (int c = 0; c < part->n_columns; c++) {
        row_bytes += rpt_type_bytes(part->columns[c].type);
    }
    a->batch = batch_rows(e, row_bytes);
    a->batch = a->batch > most ? most : a->batch;
    for (int c = 0; c < part->n_columns && a->batch > 0; c++) {
        size_t bytes = (size_t)a->batch * rpt_type_bytes(part->columns[c].type);

        a->buffers[c] = malloc(bytes);
        a->data[c].values = a->buffers[c];
        if (a->buffers[c] == NULL) {
            return rpt__fail_nomem(bytes);
        }
    }
    return RPT_OK;
}

static rpt_status_t begin(struct rpt_export *e, struct rpt_export_part *part)
{
    struct arrays *a = calloc(1, sizeof *a);
    rpt_status_t status;

    if (a == NULL) {
        return rpt__fail_nomem(sizeof *a);
    }
    part->state = a;
    a->first = part->table->sets[0];
    a->n_index = (e->config->flags & RPT_EXPORT_NO_INDEX) != 0
                     ? 0
                     : a->first->n_dims;
    find_strides(a);
    divide(e, a, part);
    status = add_columns(part->table, a, part);
    return status == RPT_OK ? make_buffers(e, a, part) : status;
}

/* ---- a batch ---- */

/* Index d of n elements from `at` on: runs of the same number, or where these
 * have one element each a range of numbers. */
#define FILL(name, type)                                                       \
    static void name(type *to, uint64_t at, uint64_t n, uint64_t stride,       \
                     uint64_t dim)                                             \
    {                                                                          \
        uint64_t value = at / stride % dim, left = stride - at % stride;       \
                                                                               \
        while (n > 0) {                                                        \
            uint64_t some = stride == 1 ? dim - value : left;                  \
            type first = (type)value, by = stride == 1;                        \
                                                                               \
            some = some < n ? some : n;                                        \
            for (type i = 0; i < (type)some; i++) {                            \
                to[i] = first + i * by;                                        \
            }                                                                  \
            to += some;                                                        \
            n -= some;                                                         \
            value = stride > 1 && value + 1 < dim ? value + 1 : 0;             \
            left = stride;                                                     \
        }                                                                      \
    }
FILL(fill_narrow, int32_t)
FILL(fill_wide, int64_t)
#undef FILL

static void fill_index(const struct arrays *a, int d, uint64_t at, uint64_t n)
{
    if (is_short(a->first, d)) {
        fill_narrow(a->buffers[d], at, n, a->strides[d], a->first->dims[d]);
    } else {
        fill_wide(a->buffers[d], at, n, a->strides[d], a->first->dims[d]);
    }
}

static rpt_status_t step(struct rpt_export *e, struct rpt_export_part *part)
{
    struct arrays *a = part->state;
    uint64_t left = part->end - part->at, n = left < a->batch ? left : a->batch;
    rpt_status_t status = RPT_OK;

    for (int d = 0; d < a->n_index; d++) {
        fill_index(a, d, part->at, n);
    }
    for (size_t i = 0; i < part->table->n_sets && status == RPT_OK; i++) {
        const struct rpt_dataset *set = part->table->sets[i];

        status = rpt__export_read(e, set, part->at, n,
                                  a->buffers[(size_t)a->n_index + i]);
        e->result.raw_bytes += n * rpt_type_bytes(set->type);
    }
    if (status == RPT_OK) {
        status = rpt__parquet_append(part->writer, (int64_t)n, a->data);
    }
    part->at += n;
    e->result.n_rows += n;
    return status;
}

static void end(struct rpt_export_part *part)
{
    struct arrays *a = part->state;

    if (a == NULL) {
        return;
    }
    for (int c = 0; c < part->n_columns; c++) {
        free(a->buffers[c]);
    }
    free(a->buffers);
    free(a->data);
    free(a);
}

const struct rpt_export_ops rpt__export_arrays = { "array", begin, step, end };
