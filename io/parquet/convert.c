/*
 * convert.c - parts of elements, and small numbers as larger ones
 */
#include "io/parquet/convert.h"

#include <stdint.h>
#include <string.h>

#define GATHER(TYPE)                                                           \
    for (size_t i = 0; i < n; i++) {                                           \
        memcpy((TYPE *)to + i, (const char *)from + i * stride, sizeof(TYPE)); \
    }

void rpt__parquet_gather(void *to, const void *from, size_t n, size_t bytes,
                         size_t stride)
{
    switch (bytes) {
    case sizeof(uint16_t):
        GATHER(uint16_t)
        break;
    case sizeof(uint32_t):
        GATHER(uint32_t)
        break;
    case sizeof(uint64_t):
        GATHER(uint64_t)
        break;
    default:
        for (size_t i = 0; i < n; i++) {
            memcpy((char *)to + i * bytes, (const char *)from + i * stride,
                   bytes);
        }
    }
}

static inline float float_of(uint32_t bits)
{
    float x;

    memcpy(&x, &bits, sizeof x);
    return x;
}

/* A subnormal number is its integer times the smallest one. */
static inline float from_f16(uint16_t x)
{
    uint32_t sign = (x & 0x8000U) << 16, rest = x & 0x7fffU;
    float small = (float)rest * 0x1p-24F;
    uint32_t bits;

    memcpy(&bits, &small, sizeof bits);
    if (rest >= 0x7c00) {
        bits = 0x7f800000 | (rest & 0x3ff) << 13;
    } else if (rest >= 0x400) {
        bits = (rest << 13) + ((127U - 15U) << 23);
    }
    return float_of(bits | sign);
}

void rpt__parquet_from_f16(float *to, const void *from, size_t n)
{
    const uint16_t *x = from;

    for (size_t i = 0; i < n; i++) {
        to[i] = from_f16(x[i]);
    }
}

void rpt__parquet_from_bf16(float *to, const void *from, size_t n)
{
    const uint16_t *x = from;

    for (size_t i = 0; i < n; i++) {
        to[i] = float_of((uint32_t)x[i] << 16);
    }
}
