/*
 * whole.c - row groups that come in one call
 *
 * They are written column by column, others batch by batch: the files are to
 * say the same, whatever becomes of the values on the way.
 */
#include "written.h"

#include <stdio.h>
#include <string.h>

enum { N = 100, GROUP = 40, BATCH = 7, COLUMNS = 6 };

struct pair {
    double value;
    int32_t index;
};

static const struct rpt_parquet_column columns[COLUMNS] = {
    { "i", RPT_PARQUET_NUMBER, RPT_TYPE_I32, -1, true },
    { "f64", RPT_PARQUET_NUMBER, RPT_TYPE_F64, 0, false },
    { "c64", RPT_PARQUET_NUMBER, RPT_TYPE_C64, 0, false },
    { "f16", RPT_PARQUET_NUMBER, RPT_TYPE_F16, 0, false },
    { "i8", RPT_PARQUET_NUMBER, RPT_TYPE_I8, 0, false },
    { "pair", RPT_PARQUET_NUMBER, RPT_TYPE_F64_I32, 0, false }
};

static struct {
    int32_t i[N];
    double f64[N];
    float c64[N][2];
    uint16_t f16[N];
    int8_t i8[N];
    struct pair pair[N];
} values;

static void fill(void)
{
    memset(&values, 0, sizeof values);
    for (int i = 0; i < N; i++) {
        values.i[i] = i;
        values.f64[i] = i / 3.0;
        values.c64[i][0] = (float)i / 7;
        values.c64[i][1] = (float)i / -9;
        values.f16[i] = (uint16_t)(i * 300); /* no NaN */
        values.i8[i] = (int8_t)(i % 5);
        values.pair[i].value = i / 11.0;
        values.pair[i].index = -i;
    }
}

static void write_in(const char *path, int batch, int64_t n_rows)
{
    const struct rpt_parquet_schema schema = { columns, COLUMNS, NULL, 0 };
    const struct rpt_parquet_settings settings = { .keepbits = 6,
                                                   .group_rows = GROUP,
                                                   .n_rows = n_rows };
    struct rpt_parquet *writer = NULL;

    CU_ASSERT_EQUAL_FATAL(open_file(path, &schema, &settings, &writer), RPT_OK);
    for (int at = 0; at < N; at += batch) {
        const struct rpt_parquet_data data[COLUMNS] = {
            { values.i + at, NULL },   { values.f64 + at, NULL },
            { values.c64 + at, NULL }, { values.f16 + at, NULL },
            { values.i8 + at, NULL },  { values.pair + at, NULL }
        };
        int n = N - at < batch ? N - at : batch;

        CU_ASSERT_EQUAL(rpt__parquet_append(writer, n, data), RPT_OK);
    }
    CU_ASSERT_EQUAL(rpt__parquet_close(writer), RPT_OK);
}

static void row_groups_that_come_whole_are_the_same(void)
{
    char arguments[512];

    if (!has_library()) {
        return;
    }
    fill();
    write_in(in_scratch("batches"), BATCH, 0);
    python("groups", in_scratch("batches"), "40 40 20");
    snprintf(arguments, sizeof arguments, "'%s'", in_scratch("batches"));
    write_in(in_scratch("whole"), N, N);
    python("groups", in_scratch("whole"), "40 40 20");
    python("equal", in_scratch("whole"), arguments);
    write_in(in_scratch("last"), N, 0); /* the last row group is buffered */
    python("equal", in_scratch("last"), arguments);
}

static void rows_may_be_more_or_fewer_than_was_said(void)
{
    char arguments[512];

    if (!has_library()) {
        return;
    }
    fill();
    write_in(in_scratch("batches"), BATCH, 0);
    snprintf(arguments, sizeof arguments, "'%s'", in_scratch("batches"));
    write_in(in_scratch("more"), 60, 50);
    python("equal", in_scratch("more"), arguments);
    write_in(in_scratch("fewer"), 60, 1000);
    python("equal", in_scratch("fewer"), arguments);
}

const struct rpt_test whole_tests[] = {
    RPT_TEST(row_groups_that_come_whole_are_the_same),
    RPT_TEST(rows_may_be_more_or_fewer_than_was_said), RPT_TEST_END
};
