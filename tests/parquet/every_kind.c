/*
 * every_kind.c - a column of each kind, written here and read by others
 */
#include "written.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pair_f32 {
    float value;
    int32_t index;
};
struct pair_f64 {
    double value;
    int32_t index;
};
struct pair_i16 {
    int16_t value;
    int32_t index;
};
struct pair_i32 {
    int32_t value;
    int32_t index;
};
struct pair_i64 {
    int64_t value;
    int32_t index;
};

enum { OPAQUE_BYTES = 5, TEXT_BYTES = 32 };

/* clang-format off */
#define NUMBER(NAME, TYPE) { .name = NAME, .type = TYPE }
/* clang-format on */

static const struct rpt_parquet_column columns[] = {
    NUMBER("i8", RPT_TYPE_I8),
    NUMBER("u8", RPT_TYPE_U8),
    NUMBER("i16", RPT_TYPE_I16),
    NUMBER("u16", RPT_TYPE_U16),
    NUMBER("i32", RPT_TYPE_I32),
    NUMBER("u32", RPT_TYPE_U32),
    NUMBER("i64", RPT_TYPE_I64),
    NUMBER("u64", RPT_TYPE_U64),
    NUMBER("f16", RPT_TYPE_F16),
    NUMBER("bf16", RPT_TYPE_BF16),
    NUMBER("f32", RPT_TYPE_F32),
    NUMBER("f64", RPT_TYPE_F64),
    NUMBER("c64", RPT_TYPE_C64),
    NUMBER("c128", RPT_TYPE_C128),
    NUMBER("p_f32", RPT_TYPE_F32_I32),
    NUMBER("p_f64", RPT_TYPE_F64_I32),
    NUMBER("p_i16", RPT_TYPE_I16_I32),
    NUMBER("p_i32", RPT_TYPE_I32_I32),
    NUMBER("p_i64", RPT_TYPE_I64_I32),
    NUMBER("opaque", RPT_TYPE_OPAQUE(OPAQUE_BYTES)),
    { .name = "text", .kind = RPT_PARQUET_TEXT },
    { .name = "binary", .kind = RPT_PARQUET_BINARY },
    { .name = "time", .kind = RPT_PARQUET_TIME },
};

enum {
    N_COLUMNS = sizeof columns / sizeof *columns,
    TEXT = N_COLUMNS - 3,
    BINARY = N_COLUMNS - 2
};

static const struct rpt_parquet_entry entries[] = { { "job", "42" },
                                                    { "Grüße", "Welt ✓" },
                                                    { "empty", "" } };

/* Value i of a column of numbers, or of times. */
static void set_number(int column, int64_t i, void *to)
{
    uint64_t u = (uint64_t)i;

#define PUT(TYPE, ...)                                                         \
    do {                                                                       \
        const TYPE value = __VA_ARGS__;                                        \
        memcpy(to, &value, sizeof value);                                      \
    } while (0)

    switch (columns[column].kind == RPT_PARQUET_TIME
                ? -1
                : (int)columns[column].type) {
    case -1:
        PUT(int64_t, 1700000000000000 + i * 1000001);
        break;
    case RPT_TYPE_I8:
    case RPT_TYPE_U8:
        PUT(uint8_t, (uint8_t)(u * 7));
        break;
    case RPT_TYPE_I16:
    case RPT_TYPE_U16:
        PUT(uint16_t, (uint16_t)(u * 4099));
        break;
    case RPT_TYPE_I32:
    case RPT_TYPE_U32:
        PUT(uint32_t, (uint32_t)(u * 2654435761U));
        break;
    case RPT_TYPE_I64:
    case RPT_TYPE_U64:
        PUT(uint64_t, u * UINT64_C(0x9e3779b97f4a7c15));
        break;
    case RPT_TYPE_F16:
    case RPT_TYPE_BF16:
        PUT(uint16_t, (uint16_t)u); /* all there are */
        break;
    case RPT_TYPE_F32:
        PUT(float, (float)i / 3.0F);
        break;
    case RPT_TYPE_F64:
        PUT(double, (double)i / 3.0);
        break;
    case RPT_TYPE_C64:
        ((float *)to)[0] = (float)i * 0.25F;
        ((float *)to)[1] = (float)-i;
        break;
    case RPT_TYPE_C128:
        ((double *)to)[0] = (double)i * 0.125;
        ((double *)to)[1] = (double)-i;
        break;
    case RPT_TYPE_F32_I32:
        PUT(struct pair_f32, { (float)i * 0.5F, (int32_t)i });
        break;
    case RPT_TYPE_F64_I32:
        PUT(struct pair_f64, { (double)i * 0.5, (int32_t)i + 1 });
        break;
    case RPT_TYPE_I16_I32:
        PUT(struct pair_i16, { (int16_t)(i % 1000), (int32_t)i + 2 });
        break;
    case RPT_TYPE_I32_I32:
        PUT(struct pair_i32, { (int32_t)-i, (int32_t)i + 3 });
        break;
    case RPT_TYPE_I64_I32:
        PUT(struct pair_i64, { -i * 1000003, (int32_t)i + 4 });
        break;
    default:
        for (int k = 0; k < OPAQUE_BYTES; k++) {
            ((unsigned char *)to)[k] = (unsigned char)(i + k);
        }
    }
#undef PUT
}

/* Row i of a column of text, or of bytes; gives how many. */
static int64_t set_text(int column, int64_t i, char *to)
{
    if (column == TEXT) {
        return i % 7 == 0
                   ? 0
                   : snprintf(to, TEXT_BYTES, "row %lld ✓", (long long)i);
    }
    memset(to, (int)(i % 256), (size_t)(i % 5));
    return i % 5;
}

static void fill(int column, int64_t first, int64_t n,
                 struct rpt_parquet_data *data)
{
    size_t bytes = columns[column].kind == RPT_PARQUET_TIME
                       ? sizeof(int64_t)
                       : rpt_type_bytes(columns[column].type);
    /* Not every text begins with the first byte. */
    int64_t at = 3, *offsets = calloc((size_t)n + 1, sizeof *offsets);
    char *values = calloc((size_t)n + 1,
                          bytes > TEXT_BYTES ? bytes : TEXT_BYTES);

    CU_ASSERT_FATAL(offsets != NULL && values != NULL);
    for (int64_t i = 0; i < n; i++) {
        if (column == TEXT || column == BINARY) {
            offsets[i] = at;
            at += set_text(column, first + i, values + at);
        } else {
            set_number(column, first + i, values + (size_t)i * bytes);
        }
    }
    offsets[n] = at;
    data->values = values;
    data->offsets = column == TEXT || column == BINARY ? offsets : NULL;
    if (data->offsets == NULL) {
        free(offsets);
    }
}

void write_every_kind(const char *path, int64_t n_rows,
                      const struct rpt_parquet_settings *settings)
{
    static const struct rpt_parquet_schema schema = {
        columns, N_COLUMNS, entries, sizeof entries / sizeof *entries
    };
    struct rpt_parquet_data data[N_COLUMNS];
    struct rpt_parquet *writer = NULL;
    int64_t n;

    CU_ASSERT_EQUAL_FATAL(open_file(path, &schema, settings, &writer), RPT_OK);
    for (int64_t at = 0; at < n_rows; at += n) {
        n = 1 + at * 2 < n_rows - at ? 1 + at * 2 : n_rows - at;
        for (int i = 0; i < N_COLUMNS; i++) {
            fill(i, at, n, &data[i]);
        }
        CU_ASSERT_EQUAL(rpt__parquet_append(writer, n, data), RPT_OK);
        for (int i = 0; i < N_COLUMNS; i++) {
            free((void *)data[i].values);
            free((void *)data[i].offsets);
        }
    }
    CU_ASSERT_EQUAL(rpt__parquet_close(writer), RPT_OK);
}

enum { N_ROWS = 70000, GROUP_ROWS = 30000 };

static void read_by(const char *reader)
{
    static const struct rpt_parquet_settings settings = {
        .group_rows = GROUP_ROWS
    };
    char arguments[64];

    if (!has_library()) {
        return;
    }
    write_every_kind(in_scratch("kinds"), N_ROWS, &settings);
    snprintf(arguments, sizeof arguments, "%s %d", reader, N_ROWS);
    python("every_kind", in_scratch("kinds"), arguments);
}

static void pyarrow_reads_every_kind(void)
{
    read_by("pyarrow");
}

static void pandas_reads_every_kind(void)
{
    read_by("pandas");
}

static void duckdb_reads_every_kind(void)
{
    read_by("duckdb");
}

static void polars_reads_every_kind(void)
{
    read_by("polars");
}

static void every_kind_is_encoded_as_is_said(void)
{
    static const struct rpt_parquet_settings settings = {
        .group_rows = GROUP_ROWS
    };

    if (has_library()) {
        write_every_kind(in_scratch("kinds"), N_ROWS, &settings);
        python("encodings", in_scratch("kinds"), "30000 30000 10000");
    }
}

static void entries_of_the_file_are_read_by(const char *reader)
{
    if (has_library()) {
        write_every_kind(in_scratch("kinds"), 10, NULL);
        python("entries", in_scratch("kinds"), reader);
    }
}

static void pyarrow_reads_the_entries_of_the_file(void)
{
    entries_of_the_file_are_read_by("pyarrow");
}

static void duckdb_reads_the_entries_of_the_file(void)
{
    entries_of_the_file_are_read_by("duckdb");
}

static void a_file_without_rows_is_read(void)
{
    if (has_library()) {
        write_every_kind(in_scratch("nothing"), 0, NULL);
        python("every_kind", in_scratch("nothing"), "pyarrow 0");
        python("every_kind", in_scratch("nothing"), "duckdb 0");
    }
}

static void a_file_without_compression_is_read(void)
{
    static const struct rpt_parquet_settings settings = {
        .compression = "none"
    };

    if (has_library()) {
        write_every_kind(in_scratch("plain"), 1000, &settings);
        python("every_kind", in_scratch("plain"), "pyarrow 1000");
        python("compression", in_scratch("plain"), "UNCOMPRESSED");
    }
}

const struct rpt_test kind_tests[] = {
    RPT_TEST(pyarrow_reads_every_kind),
    RPT_TEST(pandas_reads_every_kind),
    RPT_TEST(duckdb_reads_every_kind),
    RPT_TEST(polars_reads_every_kind),
    RPT_TEST(every_kind_is_encoded_as_is_said),
    RPT_TEST(pyarrow_reads_the_entries_of_the_file),
    RPT_TEST(duckdb_reads_the_entries_of_the_file),
    RPT_TEST(a_file_without_rows_is_read),
    RPT_TEST(a_file_without_compression_is_read),
    RPT_TEST_END
};
