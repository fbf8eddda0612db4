/*
 * columns_priv.h - what is known about the columns of a file
 */
#ifndef RPT_IO_PARQUET_COLUMNS_PRIV_H
#define RPT_IO_PARQUET_COLUMNS_PRIV_H

#include "io/parquet/columns.h"

enum {
    RPT_PARQUET_BUFFERS = 3,      /* no validity, offsets, bytes */
    RPT_PARQUET_FORMAT_BYTES = 24 /* of Arrow's name of a type */
};

/* A column of the caller. */
struct rpt_parquet_source {
    char *name;
    enum rpt_parquet_kind kind;
    rpt_type_t type;
    bool is_index;
};

/* Memory that grows; NULL: not yet, or never. */
struct rpt_parquet_room {
    void *memory;
    size_t bytes;
};

/* A column of the file: a column of the caller, or a part of one. */
struct rpt_parquet_field {
    char *name;
    char format[RPT_PARQUET_FORMAT_BYTES];
    int source;      /* which column of the caller */
    rpt_type_t type; /* of the values there; unless it is text or binary */
    size_t at;       /* offset in an element */
    size_t stride;   /* bytes of an element; 0: text, binary */
    size_t bytes;    /* of a value in the file */
    int keepbits;    /* 0: all */
    struct rpt_parquet_room room; /* of a slice's converted values */
    const void *buffers[RPT_PARQUET_BUFFERS];
};

struct rpt_parquet_columns {
    struct rpt_parquet_source *sources;
    struct rpt_parquet_field *fields;
    bool *is_index; /* of each field */
    int n_sources;
    int n_fields;
    int64_t slice_rows;           /* for which the fields have room */
    struct rpt_parquet_room room; /* of a whole column's converted values */
    char *metadata;
    struct ArrowSchema table, *types, **type_pointers;
    struct ArrowArray rows, *arrays, **array_pointers;
};

/* Whether values are not taken where they are. */
static inline bool
rpt__parquet_field_converts(const struct rpt_parquet_field *field)
{
    return field->stride != 0 &&
           (field->stride != field->bytes || field->keepbits > 0);
}

#endif /* RPT_IO_PARQUET_COLUMNS_PRIV_H */
