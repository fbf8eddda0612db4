/*
 * keepbits.c - rounded numbers: known ones, those of a formula, those of a file
 */
#include "written.h"

#include "io/parquet/keepbits.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double rounded(double x, int keep)
{
    double y = 0;

    rpt__keepbits_f64(&y, &x, 1, keep);
    return y;
}

static float rounded_f32(float x, int keep)
{
    float y = 0;

    rpt__keepbits_f32(&y, &x, 1, keep);
    return y;
}

static void numbers_are_rounded_to_the_nearest(void)
{
    CU_ASSERT(rounded(1.25, 1) == 1.0); /* a tie, to the even one */
    CU_ASSERT(rounded(1.75, 1) == 2.0);
    CU_ASSERT(rounded(1.2500001, 1) == 1.5);
    CU_ASSERT(rounded(-1.75, 1) == -2.0);
    CU_ASSERT(rounded(1.0 / 3.0, 3) == 0.34375);
    CU_ASSERT(rounded(3.14159265358979, 52) == 3.14159265358979);
    CU_ASSERT(rounded_f32(1.25F, 1) == 1.0F);
    CU_ASSERT(rounded_f32(1.75F, 1) == 2.0F);
    CU_ASSERT(rounded_f32(-1.2500001F, 1) == -1.5F);
    CU_ASSERT(rounded_f32(1.1F, 23) == 1.1F);
}

static void what_is_no_number_or_too_large_stays_what_it_is(void)
{
    CU_ASSERT(rounded(INFINITY, 3) == INFINITY);
    CU_ASSERT(rounded(-INFINITY, 3) == -INFINITY);
    CU_ASSERT(isnan(rounded(NAN, 3)));
    CU_ASSERT(rounded_f32(INFINITY, 3) == INFINITY);
    CU_ASSERT(isnan(rounded_f32(NAN, 3)));
    /* The nearest would be an infinity. */
    CU_ASSERT(rounded(DBL_MAX, 1) == 0x1.8p1023);
    CU_ASSERT(rounded(-DBL_MAX, 1) == -0x1.8p1023);
    CU_ASSERT(rounded_f32(FLT_MAX, 1) == 0x1.8p127F);
    CU_ASSERT(signbit(rounded(-0.0, 1)) != 0);
    CU_ASSERT(rounded(DBL_TRUE_MIN, 1) == 0.0);
}

static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407U;
    return *state ^ *state >> 29;
}

static void write_raw(const char *path, const void *before, const void *after,
                      size_t bytes)
{
    FILE *file = fopen(path, "wb");

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fwrite(before, 1, bytes, file), bytes);
    CU_ASSERT_EQUAL(fwrite(after, 1, bytes, file), bytes);
    CU_ASSERT_EQUAL(fclose(file), 0);
}

enum { N = 20000 };

static void any_bits_are_rounded_as_numpy_does(void)
{
    static uint64_t wide[N], wide_after[N];
    static uint32_t narrow[N], narrow_after[N];
    uint64_t state = 1;
    char arguments[32];

    for (int i = 0; i < N; i++) {
        wide[i] = next_random(&state);
        narrow[i] = (uint32_t)(next_random(&state) >> 16);
        if (i % 50 == 0) { /* the largest exponents, the smallest */
            wide[i] |= (uint64_t)0x7fe << 52;
            narrow[i] |= 0x7f000000;
        } else if (i % 50 == 1) {
            wide[i] &= ~((uint64_t)0x7ff << 52);
            narrow[i] &= ~(0xffU << 23);
        } else if (i % 50 == 2) { /* ties */
            wide[i] &= ~UINT64_C(0) << (i / 50 % 52);
            narrow[i] &= ~0U << (i / 50 % 23);
        } else if (i % 50 == 3) {
            wide[i] |= (uint64_t)0x7ff << 52;
            narrow[i] |= 0x7f800000;
        }
    }
    for (int keep = 1; keep <= 52; keep += keep < 23 ? 2 : 7) {
        rpt__keepbits_f64((double *)wide_after, (double *)wide, N, keep);
        write_raw(in_scratch("raw"), wide, wide_after, sizeof wide);
        snprintf(arguments, sizeof arguments, "f8 %d", keep);
        python("keepbits_raw", in_scratch("raw"), arguments);
        if (keep <= 23) {
            rpt__keepbits_f32((float *)narrow_after, (float *)narrow, N, keep);
            write_raw(in_scratch("raw"), narrow, narrow_after, sizeof narrow);
            snprintf(arguments, sizeof arguments, "f4 %d", keep);
            python("keepbits_raw", in_scratch("raw"), arguments);
        }
    }
}

/* clang-format off */
#define NUMBER(NAME, TYPE, KEEP)                                               \
    { .name = NAME, .type = TYPE, .keepbits = KEEP }
/* clang-format on */

static void a_file_says_which_columns_were_rounded(void)
{
    static const struct rpt_parquet_column columns[] = {
        NUMBER("a", RPT_TYPE_F32, 0),  NUMBER("b", RPT_TYPE_F64, 0),
        NUMBER("c", RPT_TYPE_F64, 30), NUMBER("d", RPT_TYPE_F64, -1),
        NUMBER("e", RPT_TYPE_C64, 0),  NUMBER("f", RPT_TYPE_I32, 0)
    };
    static const struct rpt_parquet_schema schema = { columns, 6, NULL, 0 };
    static const struct rpt_parquet_settings settings = { .keepbits = 10 };
    static float a[N], e[N][2];
    static double b[N];
    static int32_t f[N];
    const struct rpt_parquet_data data[] = { { a, NULL }, { b, NULL },
                                             { b, NULL }, { b, NULL },
                                             { e, NULL }, { f, NULL } };
    struct rpt_parquet *writer = NULL;

    if (!has_library()) {
        return;
    }
    for (int i = 0; i < N; i++) {
        a[i] = (float)i / 3.0F;
        b[i] = i / 7.0;
        e[i][0] = (float)(i / 3.0);
        e[i][1] = (float)(i / 9.0);
        f[i] = i;
    }
    CU_ASSERT_EQUAL_FATAL(
        open_file(in_scratch("keep"), &schema, &settings, &writer), RPT_OK);
    CU_ASSERT_EQUAL(rpt__parquet_append(writer, N, data), RPT_OK);
    CU_ASSERT_EQUAL(b[1], 1 / 7.0); /* the caller's stay what they are */
    CU_ASSERT_EQUAL(rpt__parquet_close(writer), RPT_OK);
    python("keepbits_file", in_scratch("keep"), "20000");
}

const struct rpt_test keepbits_tests[] = {
    RPT_TEST(numbers_are_rounded_to_the_nearest),
    RPT_TEST(what_is_no_number_or_too_large_stays_what_it_is),
    RPT_TEST(any_bits_are_rounded_as_numpy_does),
    RPT_TEST(a_file_says_which_columns_were_rounded), RPT_TEST_END
};
