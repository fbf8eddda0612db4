/*
 * values.c - what is the same on all ranks, a row for each number
 *
 * Values of all types in one table: a number as a double, and exactly, as a
 * text.  Of complex numbers and pairs there are two rows, of two parts; bytes
 * of no known type are hexadecimal digits, and no number.  Written by rank 0:
 * they are few.
 */
#include "io/export/export_priv.h"

#include "base/error.h"
#include "base/plain.h"
#include "io/parquet/convert.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 4096 }; /* elements */

enum { NAME, INDEX, PART, TYPE, VALUE, TEXT, N_COLUMNS };

static const struct rpt_parquet_column columns[N_COLUMNS] = {
    [NAME] = { "name", RPT_PARQUET_TEXT, RPT_TYPE_U8, 0, false },
    [INDEX] = { "index", RPT_PARQUET_NUMBER, RPT_TYPE_I64, 0, false },
    [PART] = { "part", RPT_PARQUET_TEXT, RPT_TYPE_U8, 0, false },
    [TYPE] = { "type", RPT_PARQUET_TEXT, RPT_TYPE_U8, 0, false },
    [VALUE] = { "value", RPT_PARQUET_NUMBER, RPT_TYPE_F64, -1, false },
    [TEXT] = { "text", RPT_PARQUET_TEXT, RPT_TYPE_U8, 0, false }
};

/* A column of a batch. */
struct column {
    struct rpt_buf bytes;
    struct rpt_buf offsets; /* of texts: int64_t, one more than rows */
};

struct values {
    size_t set;       /* index in the table */
    uint64_t element; /* the next one in it */
    struct column columns[N_COLUMNS];
    struct rpt_buf elements;
};

/* Complex numbers and pairs: what the second part is, and where. */
struct second {
    rpt_type_t type;
    rpt_type_t parts[2];
    const char *names[2];
    size_t at;
};

static const struct second seconds[] = {
#define COMPLEX(T, P, AT)                                                      \
    {                                                                          \
        RPT_TYPE_##T, { RPT_TYPE_##P, RPT_TYPE_##P }, { "re", "im" }, AT       \
    }
#define PAIR(T, AT)                                                            \
    {                                                                          \
        RPT_TYPE_##T##_I32, { RPT_TYPE_##T, RPT_TYPE_I32 },                    \
            { "value", "index" }, AT                                           \
    }
    COMPLEX(C64, F32, 4), COMPLEX(C128, F64, 8), PAIR(F32, 4), PAIR(F64, 8),
    PAIR(I16, 4),         PAIR(I32, 4),          PAIR(I64, 8)
};

static const struct second *second_of(rpt_type_t type)
{
    for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++) {
        if (seconds[i].type == type) {
            return &seconds[i];
        }
    }
    return NULL;
}

/* ---- numbers ---- */

/* One number as a double, and as text. */
static double convert(rpt_type_t type, const void *from, char text_out[40])
{
    float narrow = 0;
    double number = 0;

    switch (type) {
#define INTEGER(T, ctype, format, wide)                                        \
    case RPT_TYPE_##T: {                                                       \
        ctype value;                                                           \
        memcpy(&value, from, sizeof value);                                    \
        snprintf(text_out, 40, "%" format, (wide)value);                       \
        return (double)value;                                                  \
    }
        INTEGER(I8, int8_t, PRId64, int64_t)
        INTEGER(U8, uint8_t, PRIu64, uint64_t)
        INTEGER(I16, int16_t, PRId64, int64_t)
        INTEGER(U16, uint16_t, PRIu64, uint64_t)
        INTEGER(I32, int32_t, PRId64, int64_t)
        INTEGER(U32, uint32_t, PRIu64, uint64_t)
        INTEGER(I64, int64_t, PRId64, int64_t)
        INTEGER(U64, uint64_t, PRIu64, uint64_t)
#undef INTEGER
    case RPT_TYPE_F16:
        rpt__parquet_from_f16(&narrow, from, 1);
        break;
    case RPT_TYPE_BF16:
        rpt__parquet_from_bf16(&narrow, from, 1);
        break;
    case RPT_TYPE_F32:
        memcpy(&narrow, from, sizeof narrow);
        break;
    default: /* f64 */
        memcpy(&number, from, sizeof number);
        rpt__plain_print(text_out, 40, "%.17g", number);
        return number;
    }
    rpt__plain_print(text_out, 40, "%.9g", (double)narrow);
    return (double)narrow;
}

static void add_text(struct column *column, const char *text)
{
    rpt__buf_add(&column->bytes, text, strlen(text));
    rpt__buf_add(&column->offsets, &(int64_t){ (int64_t)column->bytes.bytes },
                 sizeof(int64_t));
}

static void add_hex(struct column *column, const unsigned char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        rpt__buf_printf(&column->bytes, "%02x", bytes[i]);
    }
    rpt__buf_add(&column->offsets, &(int64_t){ (int64_t)column->bytes.bytes },
                 sizeof(int64_t));
}

static void add_row(struct values *v, const struct rpt_dataset *set,
                    uint64_t index, const char *part, double value)
{
    char type[32];

    rpt__export_type_text(set->type, type);
    add_text(&v->columns[NAME], set->name);
    rpt__buf_add(&v->columns[INDEX].bytes, &(int64_t){ (int64_t)index },
                 sizeof(int64_t));
    add_text(&v->columns[PART], part);
    add_text(&v->columns[TYPE], type);
    rpt__buf_add(&v->columns[VALUE].bytes, &value, sizeof value);
}

/* The rows of one element. */
static void add_element(struct values *v, const struct rpt_dataset *set,
                        uint64_t index, const char *bytes)
{
    const struct second *second = second_of(set->type);
    char text[40];

    if (set->type >= RPT_TYPE_OPAQUE_0) {
        add_row(v, set, index, "", NAN);
        add_hex(&v->columns[TEXT], (const unsigned char *)bytes,
                rpt_type_bytes(set->type));
        return;
    }
    for (int p = 0; p < (second != NULL ? 2 : 1); p++) {
        double value = convert(second != NULL ? second->parts[p] : set->type,
                               p > 0 ? bytes + second->at : bytes, text);

        add_row(v, set, index, second != NULL ? second->names[p] : "", value);
        add_text(&v->columns[TEXT], text);
    }
}

/* ---- the part ---- */

static rpt_status_t begin(struct rpt_export *e, struct rpt_export_part *part)
{
    const struct rpt_export_table *table = part->table;
    struct values *v = calloc(1, sizeof *v);

    part->columns = malloc(sizeof columns);
    part->state = v;
    if (v == NULL || part->columns == NULL) {
        return rpt__fail_nomem(sizeof *v + sizeof columns);
    }
    memcpy(part->columns, columns, sizeof columns);
    part->n_columns = N_COLUMNS;
    for (size_t i = 0; i < table->n_sets; i++) {
        part->n_rows += rpt__export_elements(table->sets[i]) *
                        (second_of(table->sets[i]->type) != NULL ? 2 : 1);
    }
    part->end = e->rank == 0 ? part->n_rows : 0;
    return RPT_OK;
}

static void clear(struct values *v)
{
    for (int c = 0; c < N_COLUMNS; c++) {
        struct column *column = &v->columns[c];

        rpt__buf_clear(&column->bytes);
        rpt__buf_clear(&column->offsets);
        rpt__buf_add(&column->offsets, &(int64_t){ 0 }, sizeof(int64_t));
    }
}

static rpt_status_t append(struct values *v, struct rpt_export_part *part,
                           uint64_t n_rows)
{
    struct rpt_parquet_data data[N_COLUMNS];

    for (int c = 0; c < N_COLUMNS; c++) {
        struct column *column = &v->columns[c];

        if (column->bytes.failed || column->offsets.failed) {
            return rpt__fail_nomem(column->bytes.bytes);
        }
        data[c].values = column->bytes.data;
        data[c].offsets = (const int64_t *)(const void *)column->offsets.data;
    }
    return rpt__parquet_append(part->writer, (int64_t)n_rows, data);
}

static rpt_status_t step(struct rpt_export *e, struct rpt_export_part *part)
{
    struct values *v = part->state;
    const struct rpt_dataset *set = part->table->sets[v->set];
    uint64_t n = rpt__export_elements(set) - v->element, n_rows;
    size_t type_bytes = rpt_type_bytes(set->type);
    rpt_status_t status;
    char *elements;

    if (n == 0) {
        v->set++;
        v->element = 0;
        return RPT_OK;
    }
    n = n < BATCH ? n : BATCH;
    n = n * type_bytes < RPT_EXPORT_BATCH_BYTES ? n : 1;
    rpt__buf_clear(&v->elements);
    elements = rpt__buf_reserve(&v->elements, (size_t)n * type_bytes);
    if (elements == NULL) {
        return rpt__buf_status(&v->elements);
    }
    status = rpt__export_read(e, set, v->element, n, elements);
    if (status != RPT_OK) {
        return status;
    }
    clear(v);
    for (uint64_t i = 0; i < n; i++) {
        add_element(v, set, v->element + i, elements + i * type_bytes);
    }
    n_rows = n * (second_of(set->type) != NULL ? 2 : 1);
    v->element += n;
    part->at += n_rows;
    e->result.n_rows += n_rows;
    e->result.raw_bytes += n * type_bytes;
    return append(v, part, n_rows);
}

static void end(struct rpt_export_part *part)
{
    struct values *v = part->state;

    if (v == NULL) {
        return;
    }
    for (int c = 0; c < N_COLUMNS; c++) {
        rpt__buf_free(&v->columns[c].bytes);
        rpt__buf_free(&v->columns[c].offsets);
    }
    rpt__buf_free(&v->elements);
    free(v);
}

const struct rpt_export_ops rpt__export_values = { "values", begin, step, end };
