/*
 * reduce.c - the kernels of one instruction set
 *
 * Compiled once for each: RPT_KERNELS is the name, and the compiler's flags say
 * which instructions it may use.  Loops are plain, the compiler makes vectors
 * of them.
 *
 * More than four inputs are added up in a block that stays in the first cache,
 * three more at a time; the last ones are added while the result is written.
 * So memory is read once and written once, and the result may overwrite an
 * input.
 */
#include "collectives/kernel/kernel.h"
#include "collectives/kernel/stream.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#ifndef RPT_KERNELS
#define RPT_KERNELS generic
#define RPT_KERNELS_SUMMARY "every processor of this kind"
#endif

/* The result is an input or nothing of it: element i depends on i alone. */
#if defined(__clang__)
/* Not all loops become vectors, and that is well. */
#pragma clang diagnostic ignored "-Wpass-failed"
#define EACH(i, n)                                                             \
    _Pragma("clang loop vectorize(assume_safety)") for (size_t i = 0; i < (n); \
                                                        i++)
#else
#define EACH(i, n) _Pragma("GCC ivdep") for (size_t i = 0; i < (n); i++)
#endif

enum { BLOCK_BYTES = 4096 };

typedef struct {
    float re, im;
} c64;
typedef struct {
    double re, im;
} c128;
#define PAIR(name, type)                                                       \
    typedef struct {                                                           \
        type value;                                                            \
        int32_t index;                                                         \
    } name
PAIR(f32_i32, float);
PAIR(f64_i32, double);
PAIR(i16_i32, int16_t);
PAIR(i32_i32, int32_t);
PAIR(i64_i32, int64_t);

/* NAME(to, inputs, n_inputs, count) from an expression of x and y, which are of
 * type T. */
#define REDUCE(NAME, T, EXPRESSION)                                            \
    static inline T NAME##_of(T x, T y)                                        \
    {                                                                          \
        return EXPRESSION;                                                     \
    }                                                                          \
    static void NAME##_2(T *to, const T *a, const T *b, size_t n)              \
    {                                                                          \
        EACH(i, n)                                                             \
        {                                                                      \
            to[i] = NAME##_of(a[i], b[i]);                                     \
        }                                                                      \
    }                                                                          \
    static void NAME##_3(T *to, const T *a, const T *b, const T *c, size_t n)  \
    {                                                                          \
        EACH(i, n)                                                             \
        {                                                                      \
            to[i] = NAME##_of(NAME##_of(a[i], b[i]), c[i]);                    \
        }                                                                      \
    }                                                                          \
    static void NAME##_4(T *to, const T *a, const T *b, const T *c,            \
                         const T *d, size_t n)                                 \
    {                                                                          \
        EACH(i, n)                                                             \
        {                                                                      \
            to[i] = NAME##_of(NAME##_of(NAME##_of(a[i], b[i]), c[i]), d[i]);   \
        }                                                                      \
    }                                                                          \
    static void NAME(void *to, const void *const inputs[], int n_inputs,       \
                     size_t count)                                             \
    {                                                                          \
        T sum[BLOCK_BYTES / sizeof(T)];                                        \
        const T *const *in = (const T *const *)inputs;                         \
                                                                               \
        if (n_inputs == 1) {                                                   \
            memmove(to, inputs[0], count * sizeof(T));                         \
            return;                                                            \
        }                                                                      \
        for (size_t at = 0; at < count;) {                                     \
            size_t left = count - at, most = BLOCK_BYTES / sizeof(T);          \
            size_t n = n_inputs <= 4 || left < most ? left : most;             \
            const T *first = in[0] + at;                                       \
            int i = 1;                                                         \
                                                                               \
            for (; n_inputs - i > 3; i += 3) {                                 \
                NAME##_4(sum, first, in[i] + at, in[i + 1] + at,               \
                         in[i + 2] + at, n);                                   \
                first = sum;                                                   \
            }                                                                  \
            if (n_inputs - i == 1) {                                           \
                NAME##_2((T *)to + at, first, in[i] + at, n);                  \
            } else if (n_inputs - i == 2) {                                    \
                NAME##_3((T *)to + at, first, in[i] + at, in[i + 1] + at, n);  \
            } else {                                                           \
                NAME##_4((T *)to + at, first, in[i] + at, in[i + 1] + at,      \
                         in[i + 2] + at, n);                                   \
            }                                                                  \
            at += n;                                                           \
        }                                                                      \
    }

/* ---- integers ---- */

/* Unsigned in between, where wrapping around is defined. */
#define INTEGER(N, T, U)                                                       \
    REDUCE(N##_sum, T, (T)((U)x + (U)y))                                       \
    REDUCE(N##_product, T, (T)((U)((U)x * (uint64_t)(U)y)))                    \
    REDUCE(N##_min, T, y < x ? y : x)                                          \
    REDUCE(N##_max, T, y > x ? y : x)                                          \
    REDUCE(N##_land, T, (T)((x != 0) & (y != 0)))                              \
    REDUCE(N##_lor, T, (T)((x != 0) | (y != 0)))                               \
    REDUCE(N##_lxor, T, (T)((x != 0) ^ (y != 0)))                              \
    REDUCE(N##_band, T, (T)(x & y))                                            \
    REDUCE(N##_bor, T, (T)(x | y))                                             \
    REDUCE(N##_bxor, T, (T)(x ^ y))

INTEGER(i8, int8_t, uint8_t)
INTEGER(u8, uint8_t, uint8_t)
INTEGER(i16, int16_t, uint16_t)
INTEGER(u16, uint16_t, uint16_t)
INTEGER(i32, int32_t, uint32_t)
INTEGER(u32, uint32_t, uint32_t)
INTEGER(i64, int64_t, uint64_t)
INTEGER(u64, uint64_t, uint64_t)

/* ---- floating point ---- */

#define DIVIDE(N, T, EXPRESSION)                                               \
    static void N##_divide(void *data, size_t count, int n)                    \
    {                                                                          \
        T *x = data;                                                           \
                                                                               \
        EACH(i, count)                                                         \
        {                                                                      \
            x[i] = EXPRESSION;                                                 \
        }                                                                      \
    }

/* A NaN on either side is the result. */
#define REAL(N, T)                                                             \
    REDUCE(N##_sum, T, x + y)                                                  \
    REDUCE(N##_product, T, x *y)                                               \
    REDUCE(N##_min, T, ((x < y) | (x != x)) ? x : y)                           \
    REDUCE(N##_max, T, ((x > y) | (x != x)) ? x : y)                           \
    DIVIDE(N, T, x[i] / (T)n)

REAL(f32, float)
REAL(f64, double)

/* gcc 12 makes one instruction of a product and a sum of complex numbers, with
 * other bits, whatever -ffp-contract says: it must not see both. */
#if defined(__x86_64__)
#define ALONE(x) __asm__("" : "+x"(x))
#elif defined(__aarch64__)
#define ALONE(x) __asm__("" : "+w"(x))
#else
#define ALONE(x) __asm__("" : "+m"(x))
#endif

#define COMPLEX(N, R)                                                          \
    static inline N N##_times(N x, N y)                                        \
    {                                                                          \
        R p = x.re * y.re, q = x.im * y.im, r = x.re * y.im, t = x.im * y.re;  \
                                                                               \
        ALONE(p);                                                              \
        ALONE(q);                                                              \
        ALONE(r);                                                              \
        ALONE(t);                                                              \
        return (N){ p - q, r + t };                                            \
    }                                                                          \
    REDUCE(N##_sum, N, ((N){ x.re + y.re, x.im + y.im }))                      \
    REDUCE(N##_product, N, N##_times(x, y))                                    \
    DIVIDE(N, N, ((N){ x[i].re / (R)n, x[i].im / (R)n }))

COMPLEX(c64, float)
COMPLEX(c128, double)

/* ---- 16 bits: added up in f32 ---- */

static inline uint32_t bits_of(float x)
{
    uint32_t bits;

    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline float float_of(uint32_t bits)
{
    float x;

    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline float from_bf16(uint16_t x)
{
    return float_of((uint32_t)x << 16);
}

/* To the nearest, a tie to the even one; a NaN stays one. */
static inline uint16_t to_bf16(float x)
{
    uint32_t bits = bits_of(x);
    uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    uint32_t nan = bits >> 16 | 0x40;

    return (uint16_t)((bits & 0x7fffffff) > 0x7f800000 ? nan : rounded);
}

/* Exponents are moved by a multiplication, which is right for subnormal numbers
 * too; infinities and NaN get the largest exponent. */
static inline float from_f16(uint16_t x)
{
    uint32_t magnitude = x & 0x7fffU, sign = (x & 0x8000U) << 16;
    float value = float_of(magnitude << 13) * 0x1p112F;
    uint32_t bits = bits_of(value);

    bits |= magnitude >= 0x7c00 ? 0x7f800000 : 0;
    return float_of(bits | sign);
}

/* Normal numbers are rounded as integers; subnormal ones by an addition that
 * moves the last bit of f16 to the last bit of f32. */
static inline uint16_t to_f16(float x)
{
    uint32_t bits = bits_of(x), sign = bits >> 16 & 0x8000;
    uint32_t magnitude = bits & 0x7fffffff;
    uint32_t odd = magnitude >> 13 & 1;
    uint32_t normal = (magnitude - (112U << 23) + 0xfff + odd) >> 13;
    uint32_t small = bits_of(float_of(magnitude) + 0.5F) - bits_of(0.5F);
    uint32_t result = magnitude < 0x38800000 ? small : normal;

    result = magnitude >= 0x477ff000 ? 0x7c00 : result;
    result = magnitude > 0x7f800000 ? 0x7e00 | (magnitude >> 13 & 0x3ff)
                                    : result;
    return (uint16_t)(result | sign);
}

#define SMALL(NAME, N, EXPRESSION)                                             \
    static void NAME(void *to, const void *const inputs[], int n_inputs,       \
                     size_t count)                                             \
    {                                                                          \
        enum { MOST = BLOCK_BYTES / sizeof(float) };                           \
        float sum[MOST];                                                       \
                                                                               \
        for (size_t at = 0; at < count; at += MOST) {                          \
            size_t n = count - at < MOST ? count - at : MOST;                  \
            uint16_t *out = (uint16_t *)to + at;                               \
            const uint16_t *first = (const uint16_t *)inputs[0] + at;          \
                                                                               \
            EACH(i, n)                                                         \
            {                                                                  \
                sum[i] = from_##N(first[i]);                                   \
            }                                                                  \
            for (int k = 1; k < n_inputs; k++) {                               \
                const uint16_t *in = (const uint16_t *)inputs[k] + at;         \
                                                                               \
                EACH(i, n)                                                     \
                {                                                              \
                    float x = sum[i], y = from_##N(in[i]);                     \
                                                                               \
                    sum[i] = EXPRESSION;                                       \
                }                                                              \
            }                                                                  \
            EACH(i, n)                                                         \
            {                                                                  \
                out[i] = to_##N(sum[i]);                                       \
            }                                                                  \
        }                                                                      \
    }

#define SMALL_REAL(N)                                                          \
    SMALL(N##_sum, N, x + y)                                                   \
    SMALL(N##_product, N, x *y)                                                \
    SMALL(N##_min, N, ((x < y) | (x != x)) ? x : y)                            \
    SMALL(N##_max, N, ((x > y) | (x != x)) ? x : y)                            \
    DIVIDE(N, uint16_t, to_##N(from_##N(x[i]) / (float)n))

SMALL_REAL(f16)
SMALL_REAL(bf16)

static void narrow(uint16_t *to, const float *from, size_t count)
{
    EACH(i, count)
    {
        to[i] = to_bf16(from[i]);
    }
}

static void widen(float *to, const uint16_t *from, size_t count)
{
    EACH(i, count)
    {
        to[i] = from_bf16(from[i]);
    }
}

/* ---- pairs ---- */

#define LOCATE(N, T, BETTER, NAN)                                              \
    REDUCE(N, T,                                                               \
           (y.value BETTER x.value && !(NAN(x.value))) ||                      \
                   (NAN(y.value) && !(NAN(x.value))) ||                        \
                   ((y.value == x.value || (NAN(y.value) && NAN(x.value))) &&  \
                    y.index < x.index)                                         \
               ? y                                                             \
               : x)
#define IS_NAN(x) ((x) != (x))
#define NEVER(x) false
#define PAIRS(N, NAN)                                                          \
    LOCATE(N##_min, N, <, NAN)                                                 \
    LOCATE(N##_max, N, >, NAN)

PAIRS(f32_i32, IS_NAN)
PAIRS(f64_i32, IS_NAN)
PAIRS(i16_i32, NEVER)
PAIRS(i32_i32, NEVER)
PAIRS(i64_i32, NEVER)

/* ---- the table ---- */

#define INTEGER_ROW(N)                                                         \
    {                                                                          \
        [RPT_OP_SUM] = N##_sum, [RPT_OP_PRODUCT] = N##_product,                \
        [RPT_OP_MIN] = N##_min, [RPT_OP_MAX] = N##_max,                        \
        [RPT_OP_LOGICAL_AND] = N##_land, [RPT_OP_LOGICAL_OR] = N##_lor,        \
        [RPT_OP_LOGICAL_XOR] = N##_lxor, [RPT_OP_BIT_AND] = N##_band,          \
        [RPT_OP_BIT_OR] = N##_bor, [RPT_OP_BIT_XOR] = N##_bxor                 \
    }
#define REAL_ROW(N)                                                            \
    {                                                                          \
        [RPT_OP_SUM] = N##_sum, [RPT_OP_AVERAGE] = N##_sum,                    \
        [RPT_OP_PRODUCT] = N##_product, [RPT_OP_MIN] = N##_min,                \
        [RPT_OP_MAX] = N##_max                                                 \
    }
#define COMPLEX_ROW(N)                                                         \
    {                                                                          \
        [RPT_OP_SUM] = N##_sum, [RPT_OP_AVERAGE] = N##_sum,                    \
        [RPT_OP_PRODUCT] = N##_product                                         \
    }
#define PAIR_ROW(N)                                                            \
    {                                                                          \
        [RPT_OP_MIN_INDEX] = N##_min, [RPT_OP_MAX_INDEX] = N##_max             \
    }
#define TEXT_OF(x) #x
#define NAME_OF(x) TEXT_OF(x)
#define JOIN(a, b) a##b
#define TABLE_OF(name) JOIN(rpt__kernels_, name)

extern const struct rpt_kernels TABLE_OF(RPT_KERNELS);

const struct rpt_kernels TABLE_OF(RPT_KERNELS) = {
    .size = sizeof(struct rpt_kernels),
    .name = NAME_OF(RPT_KERNELS),
    .summary = RPT_KERNELS_SUMMARY,
    .stream = stream,
    .narrow = narrow,
    .widen = widen,
    .reduce = {
        [RPT_TYPE_I8] = INTEGER_ROW(i8),
        [RPT_TYPE_U8] = INTEGER_ROW(u8),
        [RPT_TYPE_I16] = INTEGER_ROW(i16),
        [RPT_TYPE_U16] = INTEGER_ROW(u16),
        [RPT_TYPE_I32] = INTEGER_ROW(i32),
        [RPT_TYPE_U32] = INTEGER_ROW(u32),
        [RPT_TYPE_I64] = INTEGER_ROW(i64),
        [RPT_TYPE_U64] = INTEGER_ROW(u64),
        [RPT_TYPE_F16] = REAL_ROW(f16),
        [RPT_TYPE_BF16] = REAL_ROW(bf16),
        [RPT_TYPE_F32] = REAL_ROW(f32),
        [RPT_TYPE_F64] = REAL_ROW(f64),
        [RPT_TYPE_C64] = COMPLEX_ROW(c64),
        [RPT_TYPE_C128] = COMPLEX_ROW(c128),
        [RPT_TYPE_F32_I32] = PAIR_ROW(f32_i32),
        [RPT_TYPE_F64_I32] = PAIR_ROW(f64_i32),
        [RPT_TYPE_I16_I32] = PAIR_ROW(i16_i32),
        [RPT_TYPE_I32_I32] = PAIR_ROW(i32_i32),
        [RPT_TYPE_I64_I32] = PAIR_ROW(i64_i32),
    },
    .divide = {
        [RPT_TYPE_F16] = f16_divide,
        [RPT_TYPE_BF16] = bf16_divide,
        [RPT_TYPE_F32] = f32_divide,
        [RPT_TYPE_F64] = f64_divide,
        [RPT_TYPE_C64] = c64_divide,
        [RPT_TYPE_C128] = c128_divide,
    },
};
