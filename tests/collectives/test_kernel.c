/*
 * test_kernel.c - every type, operator and instruction set against a loop
 *
 * The expected values are computed here, element by element in the order of the
 * inputs, with other means than the kernels': 128-bit integers, and for the
 * 16-bit floating point types the definition of their bits.
 */
#include "harness.h"

#include "collectives/kernel/kernel.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_INPUTS = 9, MAX_COUNT = 3000, MAX_BYTES = 16 * MAX_COUNT };

static uint64_t seed = 1;

static uint64_t draw(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

/* ---- 16 bits, by definition ---- */

/* Sign, exponent of `e` bits, fraction of 15 - e. */
static float decode(uint16_t x, int e)
{
    int fraction_bits = 15 - e, bias = (1 << (e - 1)) - 1;
    int exponent = x >> fraction_bits & ((1 << e) - 1);
    double fraction = x & ((1 << fraction_bits) - 1), value;

    if (exponent == (1 << e) - 1) {
        value = fraction != 0 ? (double)NAN : (double)INFINITY;
    } else if (exponent == 0) {
        value = ldexp(fraction, 1 - bias - fraction_bits);
    } else {
        value = ldexp(fraction + ldexp(1, fraction_bits),
                      exponent - bias - fraction_bits);
    }
    return (float)(x >> 15 ? -value : value);
}

/* The nearest, of two as near the one with an even fraction: nearbyint() in
 * units of the last place. */
static uint16_t encode(float x, int e)
{
    int fraction_bits = 15 - e, bias = (1 << (e - 1)) - 1, exponent;
    uint32_t sign = signbit(x) ? 0x8000 : 0, bits;
    double value = fabs((double)x);

    if (isnan(x)) {
        return (uint16_t)(sign | (((1U << e) - 1) << fraction_bits) | 1);
    }
    if (isinf(x)) {
        return (uint16_t)(sign | (((1U << e) - 1) << fraction_bits));
    }
    if (value == 0) {
        return (uint16_t)sign;
    }
    frexp(value, &exponent);
    exponent = exponent - 1 > 1 - bias ? exponent - 1 : 1 - bias;
    /* Fraction and exponent follow each other: a carry is right. */
    bits = (uint32_t)nearbyint(ldexp(value, fraction_bits - exponent)) +
           ((uint32_t)(exponent + bias - 1) << fraction_bits);
    if (bits > ((1U << e) - 1) << fraction_bits) {
        bits = ((1U << e) - 1) << fraction_bits;
    }
    return (uint16_t)(sign | bits);
}

/* ---- the serial reference ---- */

static double least(double x, double y)
{
    return isnan(x) || isnan(y) ? (double)NAN : x < y ? x : y;
}

static double most(double x, double y)
{
    return isnan(x) || isnan(y) ? (double)NAN : x > y ? x : y;
}

static float real32(rpt_op_t op, float x, float y)
{
    return op == RPT_OP_PRODUCT ? x * y
           : op == RPT_OP_MIN   ? (float)least((double)x, (double)y)
           : op == RPT_OP_MAX   ? (float)most((double)x, (double)y)
                                : x + y;
}

static double real64(rpt_op_t op, double x, double y)
{
    return op == RPT_OP_PRODUCT ? x * y
           : op == RPT_OP_MIN   ? least(x, y)
           : op == RPT_OP_MAX   ? most(x, y)
                                : x + y;
}

__extension__ typedef __int128 wide;

static wide integer(rpt_op_t op, wide x, wide y)
{
    switch (op) {
    case RPT_OP_SUM:
        return x + y;
    case RPT_OP_PRODUCT:
        return (wide)((unsigned __int128)x * (unsigned __int128)y);
    case RPT_OP_MIN:
        return x < y ? x : y;
    case RPT_OP_MAX:
        return x > y ? x : y;
    case RPT_OP_LOGICAL_AND:
        return x != 0 && y != 0;
    case RPT_OP_LOGICAL_OR:
        return x != 0 || y != 0;
    case RPT_OP_LOGICAL_XOR:
        return (x != 0) != (y != 0);
    case RPT_OP_BIT_AND:
        return x & y;
    case RPT_OP_BIT_OR:
        return x | y;
    default:
        return x ^ y;
    }
}

static wide load(rpt_type_t type, const void *at)
{
    switch (type) {
    case RPT_TYPE_I8:
        return *(const int8_t *)at;
    case RPT_TYPE_U8:
        return *(const uint8_t *)at;
    case RPT_TYPE_I16:
        return *(const int16_t *)at;
    case RPT_TYPE_U16:
        return *(const uint16_t *)at;
    case RPT_TYPE_I32:
        return *(const int32_t *)at;
    case RPT_TYPE_U32:
        return *(const uint32_t *)at;
    case RPT_TYPE_I64:
        return *(const int64_t *)at;
    default:
        return *(const uint64_t *)at;
    }
}

/* The low bytes: little-endian, as the library demands. */
static void store(rpt_type_t type, void *at, wide x)
{
    memcpy(at, &x, rpt_type_bytes(type));
}

static double value_of(rpt_type_t type, const char *at)
{
    switch (type) {
    case RPT_TYPE_F32_I32:
        return (double)*(const float *)(const void *)at;
    case RPT_TYPE_F64_I32:
        return *(const double *)(const void *)at;
    case RPT_TYPE_I16_I32:
        return *(const int16_t *)(const void *)at;
    case RPT_TYPE_I32_I32:
        return *(const int32_t *)(const void *)at;
    default: /* the test gives no numbers that a double cannot hold */
        return (double)*(const int64_t *)(const void *)at;
    }
}

static int32_t index_of(rpt_type_t type, const char *at)
{
    size_t offset = rpt_type_bytes(type) / 2;
    int32_t index;

    memcpy(&index, at + offset, sizeof index);
    return index;
}

static bool is_better(rpt_type_t type, rpt_op_t op, const char *y,
                      const char *x)
{
    double a = value_of(type, x), b = value_of(type, y);

    if (isnan(a) != isnan(b)) {
        return isnan(b);
    }
    if (a == b || isnan(a)) {
        return index_of(type, y) < index_of(type, x);
    }
    return op == RPT_OP_MIN_INDEX ? b < a : b > a;
}

/* to <- to op with, of n elements. */
static void expect(rpt_type_t type, rpt_op_t op, void *to, const void *with,
                   size_t n)
{
    size_t bytes = rpt_type_bytes(type);

    for (size_t i = 0; i < n; i++) {
        char *x = (char *)to + i * bytes;
        const char *y = (const char *)with + i * bytes;

        if (type <= RPT_TYPE_U64) {
            store(type, x, integer(op, load(type, x), load(type, y)));
        } else if (type == RPT_TYPE_F32) {
            *(float *)(void *)x = real32(op, *(float *)(void *)x,
                                         *(const float *)(const void *)y);
        } else if (type == RPT_TYPE_F64) {
            *(double *)(void *)x = real64(op, *(double *)(void *)x,
                                          *(const double *)(const void *)y);
        } else if (type == RPT_TYPE_C64) {
            float *a = (float *)(void *)x, re = a[0], im = a[1];
            const float *b = (const float *)(const void *)y;

            a[0] = op == RPT_OP_SUM ? re + b[0] : re * b[0] - im * b[1];
            a[1] = op == RPT_OP_SUM ? im + b[1] : re * b[1] + im * b[0];
        } else if (type == RPT_TYPE_C128) {
            double *a = (double *)(void *)x, re = a[0], im = a[1];
            const double *b = (const double *)(const void *)y;

            a[0] = op == RPT_OP_SUM ? re + b[0] : re * b[0] - im * b[1];
            a[1] = op == RPT_OP_SUM ? im + b[1] : re * b[1] + im * b[0];
        } else if (is_better(type, op, y, x)) {
            memcpy(x, y, bytes);
        }
    }
}

/* Sums of 16-bit types stay in f32 until the end. */
static void expect_small(rpt_type_t type, rpt_op_t op, uint16_t *to,
                         const uint16_t *const inputs[], int n_inputs, size_t n)
{
    int e = type == RPT_TYPE_F16 ? 5 : 8;

    for (size_t i = 0; i < n; i++) {
        float sum = decode(inputs[0][i], e);

        for (int k = 1; k < n_inputs; k++) {
            sum = real32(op, sum, decode(inputs[k][i], e));
        }
        to[i] = encode(sum, e);
    }
}

/* ---- comparing ---- */

/* Two NaN are one, whatever their bits. */
static bool same_real(rpt_type_t type, const char *a, const char *b)
{
    if (type == RPT_TYPE_F16 || type == RPT_TYPE_BF16) {
        int e = type == RPT_TYPE_F16 ? 5 : 8;
        uint16_t x, y;

        memcpy(&x, a, sizeof x);
        memcpy(&y, b, sizeof y);
        return x == y || (isnan(decode(x, e)) && isnan(decode(y, e)));
    }
    if (type == RPT_TYPE_F32 || type == RPT_TYPE_C64) {
        float x, y;

        memcpy(&x, a, sizeof x);
        memcpy(&y, b, sizeof y);
        return memcmp(&x, &y, sizeof x) == 0 || (isnan(x) && isnan(y));
    }
    {
        double x, y;

        memcpy(&x, a, sizeof x);
        memcpy(&y, b, sizeof y);
        return memcmp(&x, &y, sizeof x) == 0 || (isnan(x) && isnan(y));
    }
}

/* The gaps of pairs do not count. */
static bool same(rpt_type_t type, const char *a, const char *b)
{
    size_t bytes = rpt_type_bytes(type);

    if (type <= RPT_TYPE_U64) {
        return memcmp(a, b, bytes) == 0;
    }
    if (type >= RPT_TYPE_F32_I32) {
        double x = value_of(type, a), y = value_of(type, b);

        return (x == y || (isnan(x) && isnan(y))) &&
               index_of(type, a) == index_of(type, b);
    }
    if (type == RPT_TYPE_C64 || type == RPT_TYPE_C128) {
        return same_real(type, a, b) &&
               same_real(type, a + bytes / 2, b + bytes / 2);
    }
    return same_real(type, a, b);
}

/* ---- data ---- */

static char *inputs[MAX_INPUTS];

/* A number of the kind, now and then a special one. */
static double some_number(void)
{
    static const double special[] = { 0.0,         -0.0,     1e-40,
                                      -1e-310,     INFINITY, -INFINITY,
                                      (double)NAN, 65504,    1e38 };
    uint64_t x = draw();

    if (x % 16 == 0) {
        return special[(x >> 8) % (sizeof special / sizeof *special)];
    }
    return ldexp((double)(int64_t)x, -60 - (int)((x >> 3) % 12));
}

static void fill_element(rpt_type_t type, char *at)
{
    uint64_t random = draw();
    double number = some_number();
    float f = (float)number;
    int32_t index = (int32_t)(random % 7);
    /* Few values, so that some are equal. */
    int64_t value = (int64_t)(random >> 32 & 15) - 8;

    switch (type) {
    case RPT_TYPE_F32:
        memcpy(at, &f, sizeof f);
        return;
    case RPT_TYPE_C64:
        memcpy(at, &f, sizeof f);
        f = (float)some_number();
        memcpy(at + 4, &f, sizeof f);
        return;
    case RPT_TYPE_F64:
        memcpy(at, &number, sizeof number);
        return;
    case RPT_TYPE_C128:
        memcpy(at, &number, sizeof number);
        number = some_number();
        memcpy(at + 8, &number, sizeof number);
        return;
    case RPT_TYPE_F32_I32:
        f = isnan(f) ? f : (float)value;
        memcpy(at, &f, sizeof f);
        memcpy(at + 4, &index, sizeof index);
        return;
    case RPT_TYPE_F64_I32:
        number = isnan(number) ? number : (double)value;
        memcpy(at, &number, sizeof number);
        memcpy(at + 8, &index, sizeof index);
        return;
    case RPT_TYPE_I16_I32:
    case RPT_TYPE_I32_I32:
    case RPT_TYPE_I64_I32:
        memcpy(at, &value, rpt_type_bytes(type) / 2);
        memcpy(at + rpt_type_bytes(type) / 2, &index, sizeof index);
        return;
    default: /* all bits; now and then 0, for logic */
        random = random % 8 == 0 ? 0 : draw();
        memcpy(at, &random, rpt_type_bytes(type));
    }
}

static void fill_inputs(rpt_type_t type, size_t count)
{
    for (int k = 0; k < MAX_INPUTS; k++) {
        for (size_t i = 0; i < count; i++) {
            fill_element(type, inputs[k] + i * rpt_type_bytes(type));
        }
    }
}

static void expect_all(rpt_type_t type, rpt_op_t op, char *to, int n_inputs,
                       size_t count)
{
    if (type == RPT_TYPE_F16 || type == RPT_TYPE_BF16) {
        expect_small(type, op, (uint16_t *)(void *)to,
                     (const uint16_t *const *)inputs, n_inputs, count);
        return;
    }
    memcpy(to, inputs[0], count * rpt_type_bytes(type));
    for (int k = 1; k < n_inputs; k++) {
        expect(type, op == RPT_OP_AVERAGE ? RPT_OP_SUM : op, to, inputs[k],
               count);
    }
}

/* ---- tests ---- */

static bool check_one(const struct rpt_kernels *kernels, rpt_type_t type,
                      rpt_op_t op, int n_inputs, size_t count, int over)
{
    static char expected[MAX_BYTES], kept[MAX_BYTES], out[MAX_BYTES];
    size_t bytes = rpt_type_bytes(type);
    char *to = over >= 0 ? inputs[over] : out;
    bool good = true;

    expect_all(type, op, expected, n_inputs, count);
    memcpy(kept, to, sizeof kept);
    kernels->reduce[type][op](to, (const void *const *)inputs, n_inputs, count);
    for (size_t i = 0; good && i < count; i++) {
        good = same(type, to + i * bytes, expected + i * bytes);
        if (!good) {
            printf("  %s %s %s: element %zu of %zu, %d inputs, over %d\n",
                   kernels->name, rpt_type_name(type), rpt_op_name(op), i,
                   count, n_inputs, over);
        }
    }
    good = good && memcmp(to + count * bytes, kept + count * bytes,
                          MAX_BYTES - count * bytes) == 0;
    memcpy(to, kept, sizeof kept);
    return good;
}

static void check_kernel(const struct rpt_kernels *kernels, rpt_type_t type,
                         rpt_op_t op)
{
    static const size_t counts[] = { 0, 1, 7, 33, 1025, 2999 };

    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        for (int n = 1; n <= MAX_INPUTS; n++) {
            CU_ASSERT(check_one(kernels, type, op, n, counts[c], -1));
            CU_ASSERT(check_one(kernels, type, op, n, counts[c], 0));
            CU_ASSERT(check_one(kernels, type, op, n, counts[c], n - 1));
            CU_ASSERT(check_one(kernels, type, op, n, counts[c], n / 2));
        }
    }
}

static void every_kernel_gives_what_a_loop_gives(void)
{
    int n_checked = 0;

    for (int type = 0; type < RPT_N_TYPES; type++) {
        fill_inputs((rpt_type_t)type, MAX_COUNT);
        for (int i = 0; rpt__kernel_table[i] != NULL; i++) {
            const struct rpt_kernels *kernels = rpt__kernel_table[i];

            for (int op = 0; op < RPT_N_OPS; op++) {
                if (kernels->reduce[type][op] != NULL &&
                    rpt__kernels_run_here(kernels)) {
                    check_kernel(kernels, (rpt_type_t)type, (rpt_op_t)op);
                    n_checked++;
                }
            }
        }
    }
    CU_ASSERT(n_checked >= 120);
}

/* Which types have which operators: the table of repartir/types.h. */
static bool has(rpt_type_t type, rpt_op_t op)
{
    bool is_integer = type <= RPT_TYPE_U64, is_pair = type >= RPT_TYPE_F32_I32;
    bool is_complex = type == RPT_TYPE_C64 || type == RPT_TYPE_C128;

    switch (op) {
    case RPT_OP_SUM:
    case RPT_OP_PRODUCT:
        return !is_pair;
    case RPT_OP_AVERAGE:
        return !is_pair && !is_integer;
    case RPT_OP_MIN:
    case RPT_OP_MAX:
        return !is_pair && !is_complex;
    case RPT_OP_MIN_INDEX:
    case RPT_OP_MAX_INDEX:
        return is_pair;
    default:
        return is_integer;
    }
}

static void types_have_the_operators_that_the_header_says(void)
{
    for (int i = 0; rpt__kernel_table[i] != NULL; i++) {
        const struct rpt_kernels *kernels = rpt__kernel_table[i];

        CU_ASSERT_EQUAL(kernels->size, sizeof *kernels);
        CU_ASSERT(kernels->name[0] != '\0' && kernels->summary[0] != '\0');
        for (int type = 0; type < RPT_N_TYPES; type++) {
            for (int op = 0; op < RPT_N_OPS; op++) {
                CU_ASSERT_EQUAL(kernels->reduce[type][op] != NULL,
                                has((rpt_type_t)type, (rpt_op_t)op));
            }
            CU_ASSERT_EQUAL(kernels->divide[type] != NULL,
                            has((rpt_type_t)type, RPT_OP_AVERAGE));
        }
    }
}

/* x + 0 for every x. */
static void every_number_of_16_bits_survives(void)
{
    static uint16_t all[65536], zeros[65536], out[65536];
    const void *both[] = { all, zeros };

    for (int i = 0; i < 65536; i++) {
        all[i] = (uint16_t)i;
    }
    for (int i = 0; rpt__kernel_table[i] != NULL; i++) {
        const struct rpt_kernels *kernels = rpt__kernel_table[i];

        for (int type = RPT_TYPE_F16; type <= RPT_TYPE_BF16; type++) {
            int n_wrong = 0;

            if (!rpt__kernels_run_here(kernels)) {
                continue;
            }
            kernels->reduce[type][RPT_OP_SUM](out, both, 2, 65536);
            for (int x = 0; x < 65536; x++) {
                uint16_t expected = x == 0x8000 ? 0 : (uint16_t)x; /* -0 + 0 */

                n_wrong += !same_real((rpt_type_t)type, (const char *)&out[x],
                                      (const char *)&expected);
            }
            CU_ASSERT_EQUAL(n_wrong, 0);
        }
    }
}

/* ---- f32 as bf16 ---- */

static bool same_bf16(uint16_t a, uint16_t b)
{
    return same_real(RPT_TYPE_BF16, (const char *)&a, (const char *)&b);
}

static void every_bf16_is_widened(void)
{
    static uint16_t all[65536];
    static float out[65536];

    for (int i = 0; i < 65536; i++) {
        all[i] = (uint16_t)i;
    }
    for (int k = 0; rpt__kernel_table[k] != NULL; k++) {
        int n_wrong = 0;

        if (!rpt__kernels_run_here(rpt__kernel_table[k])) {
            continue;
        }
        rpt__kernel_table[k]->widen(out, all, 65536);
        for (int i = 0; i < 65536; i++) {
            float expected = decode((uint16_t)i, 8);

            n_wrong += !same_real(RPT_TYPE_F32, (const char *)&out[i],
                                  (const char *)&expected);
        }
        CU_ASSERT_EQUAL(n_wrong, 0);
    }
}

/* Every upper half of an f32 with lower halves around a tie: what lies between
 * two bf16, infinities, NaN that have bits only in the lower half. */
static void numbers_are_narrowed_to_the_nearest(void)
{
    static const uint32_t low[] = { 0,      1,      0x1234, 0x7fff,
                                    0x8000, 0x8001, 0xfedc, 0xffff };
    static float in[65536];
    static uint16_t out[65536];

    for (size_t l = 0; l < sizeof low / sizeof *low; l++) {
        for (uint32_t i = 0; i < 65536; i++) {
            uint32_t bits = i << 16 | low[l];

            memcpy(&in[i], &bits, sizeof bits);
        }
        for (int k = 0; rpt__kernel_table[k] != NULL; k++) {
            int n_wrong = 0;

            if (!rpt__kernels_run_here(rpt__kernel_table[k])) {
                continue;
            }
            rpt__kernel_table[k]->narrow(out, in, 65536);
            for (int i = 0; i < 65536; i++) {
                n_wrong += !same_bf16(out[i], encode(in[i], 8));
            }
            CU_ASSERT_EQUAL(n_wrong, 0);
        }
    }
}

static void no_more_than_asked_for_is_converted(void)
{
    static float in[200], back[201];
    static uint16_t narrow[201];

    for (int i = 0; i < 200; i++) {
        in[i] = (float)i;
    }
    for (int k = 0; rpt__kernel_table[k] != NULL; k++) {
        const struct rpt_kernels *kernels = rpt__kernel_table[k];

        for (size_t n = 0; rpt__kernels_run_here(kernels) && n <= 200; n++) {
            narrow[n] = 0xabcd;
            back[n] = -1;
            kernels->narrow(narrow, in, n);
            kernels->widen(back, narrow, n);
            CU_ASSERT(narrow[n] == 0xabcd && back[n] < 0);
            CU_ASSERT(memcmp(back, in, n * sizeof *in) == 0);
        }
    }
}

static void averages_are_divided(void)
{
    double f64[3] = { 3, -1, 0 };
    float f32[3] = { 3, -1, 0 };
    uint16_t f16[1] = { 0x4200 }, bf16[1] = { 0x4040 }; /* 3 */
    const struct rpt_kernels *kernels = rpt__kernels();

    kernels->divide[RPT_TYPE_F64](f64, 3, 3);
    CU_ASSERT(f64[0] == 1 && f64[1] == -1.0 / 3 && f64[2] == 0);
    kernels->divide[RPT_TYPE_F32](f32, 3, 3);
    CU_ASSERT(f32[0] == 1 && f32[1] == -1.0F / 3 && f32[2] == 0);
    kernels->divide[RPT_TYPE_C64](f32, 1, 4);
    CU_ASSERT(f32[0] == 0.25F && f32[1] == -1.0F / 3 / 4);
    kernels->divide[RPT_TYPE_C128](f64, 1, 4);
    CU_ASSERT(f64[0] == 0.25 && f64[1] == -1.0 / 3 / 4);
    kernels->divide[RPT_TYPE_F16](f16, 1, 2);
    kernels->divide[RPT_TYPE_BF16](bf16, 1, 2);
    CU_ASSERT(f16[0] == 0x3e00 && bf16[0] == 0x3fc0); /* 1.5 */
}

static void types_and_operators_have_names(void)
{
    CU_ASSERT_STRING_EQUAL(rpt_type_name(RPT_TYPE_BF16), "bf16");
    CU_ASSERT_STRING_EQUAL(rpt_type_name((rpt_type_t)RPT_N_TYPES), "unknown");
    CU_ASSERT_STRING_EQUAL(rpt_op_name(RPT_OP_MIN_INDEX), "min-index");
    CU_ASSERT_STRING_EQUAL(rpt_op_name((rpt_op_t)RPT_N_OPS), "unknown");
    CU_ASSERT_EQUAL(rpt_type_bytes((rpt_type_t)RPT_N_TYPES), 0);
    for (int type = 0; type < RPT_N_TYPES; type++) {
        CU_ASSERT(rpt_type_bytes((rpt_type_t)type) > 0);
        CU_ASSERT_STRING_NOT_EQUAL(rpt_type_name((rpt_type_t)type), "unknown");
    }
    for (int op = 0; op < RPT_N_OPS; op++) {
        CU_ASSERT_STRING_NOT_EQUAL(rpt_op_name((rpt_op_t)op), "unknown");
    }
}

static const struct rpt_test tests[] = {
    RPT_TEST(every_kernel_gives_what_a_loop_gives),
    RPT_TEST(types_have_the_operators_that_the_header_says),
    RPT_TEST(every_number_of_16_bits_survives),
    RPT_TEST(every_bf16_is_widened),
    RPT_TEST(numbers_are_narrowed_to_the_nearest),
    RPT_TEST(no_more_than_asked_for_is_converted),
    RPT_TEST(averages_are_divided),
    RPT_TEST(types_and_operators_have_names),
    RPT_TEST_END,
};

int main(int argc, char *argv[])
{
    int code;

    for (int k = 0; k < MAX_INPUTS; k++) {
        inputs[k] = calloc(1, MAX_BYTES);
        if (inputs[k] == NULL) {
            return 1;
        }
    }
    code = rpt_test_main("collectives kernel", tests, 300, argc, argv);
    for (int k = 0; k < MAX_INPUTS; k++) {
        free(inputs[k]);
    }
    return code;
}
