/*
 * columns.c - checks batches, and gives them slice by slice
 *
 * A slice is as many rows as fit what is converted into some megabytes, so that
 * a batch of any size takes no more memory than that; what is not converted is
 * taken where it is.  Bytes of a slice are limited too, because Arrow looks at
 * how large a page has become only after each one.  A column of a few numbers
 * is given whole.
 */
#include "io/parquet/columns_priv.h"

#include "base/error.h"
#include "base/utf8.h"
#include "io/parquet/convert.h"
#include "io/parquet/keepbits.h"

#include <stdlib.h>
#include <string.h>

enum {
    SLICE_ROWS = 128 * 1024,
    CONVERTED_BYTES = 16 * 1024 * 1024, /* of a slice, all fields */
    PAGE_BYTES = 64 * 1024 * 1024       /* of a slice, one field */
};

#define VALUE_BYTES ((int64_t)1 << 30)

static size_t alignment_of(rpt_type_t type)
{
    switch (type) {
    case RPT_TYPE_C64:
    case RPT_TYPE_F32_I32:
    case RPT_TYPE_I16_I32:
    case RPT_TYPE_I32_I32:
        return sizeof(float);
    case RPT_TYPE_C128:
    case RPT_TYPE_F64_I32:
    case RPT_TYPE_I64_I32:
        return sizeof(double);
    default:
        return type >= RPT_TYPE_OPAQUE_0 ? 1 : rpt_type_bytes(type);
    }
}

static rpt_status_t bad_data(const struct rpt_parquet_source *source,
                             const char *what)
{
    return rpt__fail(RPT_ERR_INVALID, "column %s: %s", source->name, what);
}

static rpt_status_t check_offsets(const struct rpt_parquet_source *source,
                                  const struct rpt_parquet_data *data,
                                  int64_t n_rows)
{
    const int64_t *offsets = data->offsets;

    if (offsets == NULL) {
        return bad_data(source, "there are no offsets");
    }
    if (offsets[0] < 0) {
        return bad_data(source, "the first offset is negative");
    }
    for (int64_t i = 0; i < n_rows; i++) {
        if (offsets[i + 1] < offsets[i]) {
            return rpt__fail(RPT_ERR_INVALID,
                             "column %s: offset %lld is less than the one "
                             "before it",
                             source->name, (long long)i + 1);
        }
        if (offsets[i + 1] - offsets[i] > VALUE_BYTES) {
            rpt__fail(RPT_ERR_OVERFLOW, "column %s: row %lld has %lld bytes",
                      source->name, (long long)i,
                      (long long)(offsets[i + 1] - offsets[i]));
            rpt__fail_why("a value in a Parquet file has 1 GiB at most");
            return RPT_ERR_OVERFLOW;
        }
    }
    if (data->values == NULL && offsets[n_rows] > offsets[0]) {
        return bad_data(source, "there are no bytes");
    }
    return RPT_OK;
}

/* Length of the run of ASCII at the start, less up to 7. */
static size_t ascii_length(const unsigned char *s, size_t bytes)
{
    size_t n = 0;
    uint64_t word;

    while (bytes - n >= sizeof word) {
        memcpy(&word, s + n, sizeof word);
        if ((word & UINT64_C(0x8080808080808080)) != 0) {
            break;
        }
        n += sizeof word;
    }
    return n;
}

static bool is_text(const unsigned char *s, size_t bytes)
{
    size_t at = 0;

    while (at < bytes) {
        size_t n = ascii_length(s + at, bytes - at);

        if (n == 0) {
            n = rpt__utf8_length(s + at, bytes - at);
        }
        if (n == 0) {
            return false;
        }
        at += n;
    }
    return true;
}

/* Readers refuse a file with other bytes in a column of text. */
static rpt_status_t check_text(const struct rpt_parquet_source *source,
                               const struct rpt_parquet_data *data,
                               int64_t n_rows)
{
    for (int64_t i = 0; i < n_rows; i++) {
        int64_t at = data->offsets[i], bytes = data->offsets[i + 1] - at;

        if (bytes > 0 &&
            !is_text((const unsigned char *)data->values + at, (size_t)bytes)) {
            rpt__fail(RPT_ERR_INVALID, "column %s: row %lld is no UTF-8",
                      source->name, (long long)i);
            rpt__fail_hint("a binary column takes all bytes");
            return RPT_ERR_INVALID;
        }
    }
    return RPT_OK;
}

rpt_status_t
rpt__parquet_columns_check(const struct rpt_parquet_columns *columns,
                           const struct rpt_parquet_data data[], int64_t n_rows)
{
    rpt_status_t status = RPT_OK;

    for (int i = 0; i < columns->n_sources && status == RPT_OK; i++) {
        const struct rpt_parquet_source *source = &columns->sources[i];
        bool is_number = source->kind == RPT_PARQUET_NUMBER ||
                         source->kind == RPT_PARQUET_TIME;

        if (!is_number) {
            status = check_offsets(source, &data[i], n_rows);
        } else if (data[i].values == NULL) {
            status = bad_data(source, "there are no values");
        } else if ((uintptr_t)data[i].values % alignment_of(source->type) !=
                   0) {
            status = bad_data(source, "the values are not aligned");
        }
        if (status == RPT_OK && source->kind == RPT_PARQUET_TEXT) {
            status = check_text(source, &data[i], n_rows);
        }
    }
    return status;
}

/* Rows for which there is room; looked for at the first slice. */
static int64_t slice_rows(struct rpt_parquet_columns *columns)
{
    size_t converted = 0, widest = 1, rows = SLICE_ROWS;

    if (columns->slice_rows > 0) {
        return columns->slice_rows;
    }
    for (int i = 0; i < columns->n_fields; i++) {
        const struct rpt_parquet_field *field = &columns->fields[i];

        if (rpt__parquet_field_converts(field)) {
            converted += field->bytes;
        }
        widest = field->bytes > widest ? field->bytes : widest;
    }
    if (converted > CONVERTED_BYTES / rows) {
        rows = CONVERTED_BYTES / converted;
    }
    /* Not fewer than make a vector worth while. */
    rows = rows < 1024 ? 1024 : rows;
    if (widest > PAGE_BYTES / rows) {
        rows = PAGE_BYTES / widest;
    }
    columns->slice_rows = rows < 1 ? 1 : (int64_t)rows;
    return columns->slice_rows;
}

/* So few that no text has too many bytes. */
static int64_t limit_rows(const struct rpt_parquet_columns *columns,
                          const struct rpt_parquet_data data[], int64_t first,
                          int64_t n)
{
    for (int i = 0; i < columns->n_sources; i++) {
        const int64_t *offsets = data[i].offsets;

        if (columns->sources[i].kind != RPT_PARQUET_TEXT &&
            columns->sources[i].kind != RPT_PARQUET_BINARY) {
            continue;
        }
        while (n > 1 && offsets[first + n] - offsets[first] > PAGE_BYTES) {
            n /= 2;
        }
    }
    return n;
}

static void convert(const struct rpt_parquet_field *field, void *to,
                    const void *from, int64_t n_rows)
{
    size_t n = (size_t)n_rows;

    if (field->type == RPT_TYPE_F16) {
        rpt__parquet_from_f16(to, from, n);
    } else if (field->type == RPT_TYPE_BF16) {
        rpt__parquet_from_bf16(to, from, n);
    } else if (field->stride != field->bytes) {
        rpt__parquet_gather(to, from, n, field->bytes, field->stride);
        from = to;
    }
    if (field->keepbits > 0 && field->type == RPT_TYPE_F32) {
        rpt__keepbits_f32(to, from, n, field->keepbits);
    } else if (field->keepbits > 0) {
        rpt__keepbits_f64(to, from, n, field->keepbits);
    }
}

/* Memory of so many bytes, what is in it is lost; NULL: there is none. */
static void *make_room(struct rpt_parquet_room *room, size_t bytes)
{
    if (bytes > room->bytes) {
        free(room->memory);
        room->memory = malloc(bytes);
        room->bytes = room->memory != NULL ? bytes : 0;
    }
    if (room->memory == NULL) {
        rpt__fail_nomem(bytes);
    }
    return room->memory;
}

/* All memory is the caller's, or that of the columns. */
static void release_array(struct ArrowArray *array)
{
    array->release = NULL;
}

/* most: for as many rows there is to be room. */
static struct ArrowArray *give_field(struct rpt_parquet_columns *columns, int i,
                                     const struct rpt_parquet_data *data,
                                     int64_t first, int64_t n, int64_t most,
                                     struct rpt_parquet_room *room)
{
    struct rpt_parquet_field *field = &columns->fields[i];
    bool is_text = field->stride == 0;
    const char *from = data->values;

    if (is_text) {
        field->buffers[1] = data->offsets + first;
        field->buffers[2] = from != NULL ? from : "";
    } else {
        from += (size_t)first * field->stride + field->at;
        field->buffers[1] = from;
    }
    if (rpt__parquet_field_converts(field)) {
        void *to = make_room(room, (size_t)most * field->bytes);

        if (to == NULL) {
            return NULL;
        }
        convert(field, to, from, n);
        field->buffers[1] = to;
    }
    columns->arrays[i] = (struct ArrowArray){ .length = n,
                                              .n_buffers = is_text ? 3 : 2,
                                              .buffers = field->buffers,
                                              .release = release_array };
    return &columns->arrays[i];
}

bool rpt__parquet_columns_is_small(const struct rpt_parquet_columns *columns,
                                   int64_t n_rows, int64_t most_bytes)
{
    int64_t bytes = 0;

    for (int i = 0; i < columns->n_fields; i++) {
        if (columns->fields[i].stride == 0) {
            return false;
        }
        bytes += (int64_t)columns->fields[i].bytes;
    }
    return n_rows <= most_bytes / bytes;
}

int rpt__parquet_columns_count(const struct rpt_parquet_columns *columns)
{
    return columns->n_fields;
}

struct ArrowArray *
rpt__parquet_columns_one(struct rpt_parquet_columns *columns, int i,
                         const struct rpt_parquet_data data[], int64_t first,
                         int64_t n)
{
    return give_field(columns, i, &data[columns->fields[i].source], first, n, n,
                      &columns->room);
}

struct ArrowArray *
rpt__parquet_columns_slice(struct rpt_parquet_columns *columns,
                           const struct rpt_parquet_data data[], int64_t first,
                           int64_t most, int64_t *bytes_out)
{
    static const void *no_buffers[1];
    int64_t room = slice_rows(columns), bytes = 0;
    int64_t n = limit_rows(columns, data, first, most < room ? most : room);

    for (int i = 0; i < columns->n_fields; i++) {
        struct rpt_parquet_field *field = &columns->fields[i];
        const struct rpt_parquet_data *from = &data[field->source];

        columns->array_pointers[i] = give_field(columns, i, from, first, n,
                                                room, &field->room);
        if (columns->array_pointers[i] == NULL) {
            return NULL;
        }
        bytes += field->stride != 0
                     ? n * (int64_t)field->bytes
                     : from->offsets[first + n] - from->offsets[first];
    }
    columns->rows = (struct ArrowArray){ .length = n,
                                         .n_buffers = 1,
                                         .n_children = columns->n_fields,
                                         .buffers = no_buffers,
                                         .children = columns->array_pointers,
                                         .release = release_array };
    *bytes_out = bytes;
    return &columns->rows;
}
