/*
 * schema.c - columns that a caller names, as columns of a file
 *
 * Complex numbers and pairs become two of them, small floating-point numbers
 * larger ones; all else is one column that is taken as it is.
 */
#include "io/parquet/columns_priv.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/utf8.h"
#include "io/parquet/keepbits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEEPBITS_KEY "repartir.keepbits."

/* Arrow's names of types.  Of two parts the second is what follows. */
struct part {
    const char *suffix;
    const char *format;
    rpt_type_t type;
    size_t at;
    size_t bytes; /* in the file */
};

struct mapping {
    rpt_type_t type;
    int n_parts;
    struct part parts[2];
};

struct pair_i16 {
    int16_t value;
    int32_t index;
};

#define ONE(TYPE, FORMAT, BYTES)                                               \
    {                                                                          \
        RPT_TYPE_##TYPE, 1,                                                    \
        {                                                                      \
            {                                                                  \
                "", FORMAT, RPT_TYPE_##TYPE, 0, BYTES                          \
            }                                                                  \
        }                                                                      \
    }
#define COMPLEX(TYPE, FORMAT, PART, BYTES)                                     \
    {                                                                          \
        RPT_TYPE_##TYPE, 2,                                                    \
        {                                                                      \
            { "_re", FORMAT, RPT_TYPE_##PART, 0, BYTES },                      \
            {                                                                  \
                "_im", FORMAT, RPT_TYPE_##PART, BYTES, BYTES                   \
            }                                                                  \
        }                                                                      \
    }
#define PAIR(VALUE, FORMAT, BYTES, AT)                                         \
    {                                                                          \
        RPT_TYPE_##VALUE##_I32, 2,                                             \
        {                                                                      \
            { "_value", FORMAT, RPT_TYPE_##VALUE, 0, BYTES },                  \
            {                                                                  \
                "_index", "i", RPT_TYPE_I32, AT, 4                             \
            }                                                                  \
        }                                                                      \
    }

static const struct mapping mappings[] = {
    ONE(I8, "c", 1),
    ONE(U8, "C", 1),
    ONE(I16, "s", 2),
    ONE(U16, "S", 2),
    ONE(I32, "i", 4),
    ONE(U32, "I", 4),
    ONE(I64, "l", 8),
    ONE(U64, "L", 8),
    ONE(F16, "f", 4),
    ONE(BF16, "f", 4),
    ONE(F32, "f", 4),
    ONE(F64, "g", 8),
    COMPLEX(C64, "f", F32, 4),
    COMPLEX(C128, "g", F64, 8),
    PAIR(F32, "f", 4, 4),
    PAIR(F64, "g", 8, 8),
    PAIR(I16, "s", 2, offsetof(struct pair_i16, index)),
    PAIR(I32, "i", 4, 4),
    PAIR(I64, "l", 8, 8),
};

static const struct mapping *mapping_of(rpt_type_t type)
{
    for (size_t i = 0; i < sizeof mappings / sizeof *mappings; i++) {
        if (mappings[i].type == type) {
            return &mappings[i];
        }
    }
    return NULL;
}

static bool is_text(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t bytes = strlen(text), n = 1;

    for (size_t i = 0; i < bytes && n > 0; i += n) {
        n = rpt__utf8_length(s + i, bytes - i);
    }
    return n > 0;
}

/* Bits to keep of a part, 0: all that it has. */
static int keepbits_of(const struct rpt_parquet_column *column, rpt_type_t type,
                       const struct rpt_parquet_settings *settings)
{
    int keep = column->keepbits == 0 ? settings->keepbits : column->keepbits;
    int all = type == RPT_TYPE_F32   ? RPT_KEEPBITS_F32
              : type == RPT_TYPE_F64 ? RPT_KEEPBITS_F64
                                     : 0;

    return keep > 0 && keep < all ? keep : 0;
}

static rpt_status_t add_field(struct rpt_parquet_columns *columns,
                              const struct rpt_parquet_field *field,
                              const char *name, const char *suffix)
{
    struct rpt_parquet_field *added = &columns->fields[columns->n_fields];
    size_t bytes = strlen(name) + strlen(suffix) + 1;
    char *full = malloc(bytes);

    if (full == NULL) {
        return rpt__fail_nomem(bytes);
    }
    snprintf(full, bytes, "%s%s", name, suffix);
    *added = *field;
    added->name = full;
    columns->is_index[columns->n_fields] =
        columns->sources[field->source].is_index;
    columns->n_fields++;
    return RPT_OK;
}

static rpt_status_t add_number(struct rpt_parquet_columns *columns,
                               const struct rpt_parquet_column *column,
                               const struct rpt_parquet_settings *settings)
{
    const struct mapping *mapping = mapping_of(column->type);
    size_t stride = rpt_type_bytes(column->type);
    struct rpt_parquet_field field = { .source = columns->n_sources - 1,
                                       .stride = stride,
                                       .bytes = stride,
                                       .type = column->type };
    rpt_status_t status = RPT_OK;

    if (stride == 0) {
        rpt__fail(RPT_ERR_INVALID, "column %s is of type %d", column->name,
                  (int)column->type);
        rpt__fail_hint("see RPT_TYPE_LIST and RPT_TYPE_OPAQUE()");
        return RPT_ERR_INVALID;
    }
    if (mapping == NULL) { /* opaque */
        snprintf(field.format, sizeof field.format, "w:%zu", stride);
        return add_field(columns, &field, column->name, "");
    }
    for (int i = 0; i < mapping->n_parts && status == RPT_OK; i++) {
        const struct part *part = &mapping->parts[i];

        snprintf(field.format, sizeof field.format, "%s", part->format);
        field.type = part->type;
        field.at = part->at;
        field.bytes = part->bytes;
        field.keepbits = keepbits_of(column, part->type, settings);
        status = add_field(columns, &field, column->name, part->suffix);
    }
    return status;
}

static rpt_status_t add_column(struct rpt_parquet_columns *columns,
                               const struct rpt_parquet_column *column,
                               const struct rpt_parquet_settings *settings)
{
    struct rpt_parquet_source *source = &columns->sources[columns->n_sources];
    struct rpt_parquet_field field = { .source = columns->n_sources };
    const char *format = "tsu:UTC";

    if (column->name == NULL || column->name[0] == '\0' ||
        !is_text(column->name)) {
        return rpt__fail(RPT_ERR_INVALID,
                         "the name of column %d is no text in UTF-8",
                         columns->n_sources);
    }
    source->name = strdup(column->name);
    source->kind = column->kind;
    source->type = column->type;
    source->is_index = column->is_index;
    if (source->name == NULL) {
        return rpt__fail_nomem(strlen(column->name) + 1);
    }
    columns->n_sources++;
    switch (column->kind) {
    case RPT_PARQUET_NUMBER:
        return add_number(columns, column, settings);
    case RPT_PARQUET_TEXT:
        format = "U";
        break;
    case RPT_PARQUET_BINARY:
        format = "Z";
        break;
    case RPT_PARQUET_TIME:
        field.type = source->type = RPT_TYPE_I64;
        field.stride = field.bytes = sizeof(int64_t);
        break;
    default:
        return rpt__fail(RPT_ERR_INVALID, "column %s is of no known kind",
                         column->name);
    }
    snprintf(field.format, sizeof field.format, "%s", format);
    return add_field(columns, &field, column->name, "");
}

static int compare_names(const void *a, const void *b)
{
    const struct rpt_parquet_field *const *x = a, *const *y = b;

    return strcmp((*x)->name, (*y)->name);
}

static rpt_status_t check_names(const struct rpt_parquet_columns *columns)
{
    size_t n = (size_t)columns->n_fields;
    const struct rpt_parquet_field **sorted = calloc(n + 1, sizeof *sorted);
    rpt_status_t status = RPT_OK;

    if (sorted == NULL) {
        return rpt__fail_nomem((n + 1) * sizeof *sorted);
    }
    for (size_t i = 0; i < n; i++) {
        sorted[i] = &columns->fields[i];
    }
    qsort(sorted, n, sizeof *sorted, compare_names);
    for (size_t i = 1; i < n && status == RPT_OK; i++) {
        if (strcmp(sorted[i - 1]->name, sorted[i]->name) == 0) {
            rpt__fail(RPT_ERR_INVALID, "two columns of a file are called %s",
                      sorted[i]->name);
            rpt__fail_hint("complex numbers NAME take NAME_re and NAME_im, "
                           "pairs NAME_value and NAME_index");
            status = RPT_ERR_INVALID;
        }
    }
    free(sorted);
    return status;
}

static void add_text(struct rpt_buf *buf, const char *prefix, const char *text)
{
    int32_t bytes = (int32_t)(strlen(prefix) + strlen(text));

    rpt__buf_add(buf, &bytes, sizeof bytes);
    rpt__buf_add(buf, prefix, strlen(prefix));
    rpt__buf_add(buf, text, strlen(text));
}

static rpt_status_t check_entry(const struct rpt_parquet_entry *entry)
{
    if (entry->key == NULL || entry->value == NULL || !is_text(entry->key) ||
        !is_text(entry->value) || strlen(entry->key) > INT32_MAX / 2 ||
        strlen(entry->value) > INT32_MAX / 2) {
        return rpt__fail(RPT_ERR_INVALID,
                         "an entry of a file is no text in UTF-8");
    }
    if (strcmp(entry->key, "ARROW:schema") == 0) {
        return rpt__fail(RPT_ERR_INVALID,
                         "the entry ARROW:schema is written by Arrow");
    }
    return RPT_OK;
}

/* What the caller says of the file, and what was rounded: as Arrow packs it. */
static rpt_status_t pack_entries(struct rpt_parquet_columns *columns,
                                 const struct rpt_parquet_schema *schema)
{
    struct rpt_buf buf = RPT_BUF_EMPTY;
    int32_t n = schema->n_entries;
    rpt_status_t status = RPT_OK;
    char bits[16];

    for (int i = 0; i < columns->n_fields; i++) {
        n += columns->fields[i].keepbits > 0;
    }
    rpt__buf_add(&buf, &n, sizeof n);
    for (int i = 0; i < schema->n_entries && status == RPT_OK; i++) {
        status = check_entry(&schema->entries[i]);
        if (status == RPT_OK) {
            add_text(&buf, "", schema->entries[i].key);
            add_text(&buf, "", schema->entries[i].value);
        }
    }
    for (int i = 0; i < columns->n_fields; i++) {
        const struct rpt_parquet_field *field = &columns->fields[i];

        if (field->keepbits > 0) {
            snprintf(bits, sizeof bits, "%d", field->keepbits);
            add_text(&buf, KEEPBITS_KEY, field->name);
            add_text(&buf, "", bits);
        }
    }
    if (status == RPT_OK) {
        status = rpt__buf_status(&buf);
    }
    if (status != RPT_OK) {
        rpt__buf_free(&buf);
        return status;
    }
    columns->metadata = buf.data;
    return RPT_OK;
}

/* All memory is that of the columns. */
static void release_schema(struct ArrowSchema *schema)
{
    schema->release = NULL;
}

static void give_schema(struct rpt_parquet_columns *columns)
{
    for (int i = 0; i < columns->n_fields; i++) {
        columns->types[i] = (struct ArrowSchema){
            .format = columns->fields[i].format,
            .name = columns->fields[i].name,
            .release = release_schema
        };
        columns->type_pointers[i] = &columns->types[i];
    }
    columns->table = (struct ArrowSchema){ .format = "+s",
                                           .name = "",
                                           .metadata = columns->metadata,
                                           .n_children = columns->n_fields,
                                           .children = columns->type_pointers,
                                           .release = release_schema };
}

/* Zeros for n, and one more, so that 0 is no special case. */
static bool allocate(struct rpt_parquet_columns *columns, size_t n)
{
    size_t n_fields = 2 * n + 1;

    columns->sources = calloc(n + 1, sizeof *columns->sources);
    columns->fields = calloc(n_fields, sizeof *columns->fields);
    columns->is_index = calloc(n_fields, sizeof(bool));
    columns->types = calloc(n_fields, sizeof *columns->types);
    columns->type_pointers = calloc(n_fields, sizeof *columns->type_pointers);
    columns->arrays = calloc(n_fields, sizeof *columns->arrays);
    columns->array_pointers = calloc(n_fields, sizeof *columns->array_pointers);
    return columns->sources != NULL && columns->fields != NULL &&
           columns->is_index != NULL && columns->types != NULL &&
           columns->type_pointers != NULL && columns->arrays != NULL &&
           columns->array_pointers != NULL;
}

static rpt_status_t fill(struct rpt_parquet_columns *columns,
                         const struct rpt_parquet_schema *schema,
                         const struct rpt_parquet_settings *settings)
{
    rpt_status_t status = RPT_OK;

    for (int i = 0; i < schema->n_columns && status == RPT_OK; i++) {
        status = add_column(columns, &schema->columns[i], settings);
    }
    if (status == RPT_OK) {
        status = check_names(columns);
    }
    if (status == RPT_OK) {
        status = pack_entries(columns, schema);
    }
    if (status == RPT_OK) {
        give_schema(columns);
    }
    return status;
}

rpt_status_t
rpt__parquet_columns_create(const struct rpt_parquet_schema *schema,
                            const struct rpt_parquet_settings *settings,
                            struct rpt_parquet_columns **columns_out)
{
    struct rpt_parquet_columns *columns;
    rpt_status_t status;

    if (schema == NULL || schema->n_columns < 1 || schema->columns == NULL ||
        schema->n_entries < 0 ||
        (schema->n_entries > 0 && schema->entries == NULL)) {
        return rpt__fail(RPT_ERR_INVALID,
                         "a Parquet file needs a column or more");
    }
    columns = calloc(1, sizeof *columns);
    if (columns == NULL) {
        return rpt__fail_nomem(sizeof *columns);
    }
    status = allocate(columns, (size_t)schema->n_columns)
                 ? fill(columns, schema, settings)
                 : rpt__fail_nomem((size_t)schema->n_columns *
                                   sizeof *columns->fields);
    if (status != RPT_OK) {
        rpt__parquet_columns_destroy(columns);
        return status;
    }
    *columns_out = columns;
    return RPT_OK;
}

void rpt__parquet_columns_destroy(struct rpt_parquet_columns *columns)
{
    if (columns == NULL) {
        return;
    }
    for (int i = 0; i < columns->n_fields; i++) {
        free(columns->fields[i].name);
        free(columns->fields[i].room.memory);
    }
    for (int i = 0; i < columns->n_sources; i++) {
        free(columns->sources[i].name);
    }
    free(columns->sources);
    free(columns->fields);
    free(columns->is_index);
    free(columns->types);
    free((void *)columns->type_pointers);
    free(columns->arrays);
    free((void *)columns->array_pointers);
    free(columns->room.memory);
    free(columns->metadata);
    free(columns);
}

struct ArrowSchema *
rpt__parquet_columns_schema(struct rpt_parquet_columns *columns)
{
    return &columns->table;
}

const bool *
rpt__parquet_columns_indices(const struct rpt_parquet_columns *columns)
{
    return columns->is_index;
}
