/*
 * keepbits.c - rounds numbers to some bits of their mantissas
 *
 * The other bits become zeros, which cost next to nothing once they are
 * compressed.  Numbers are rounded as integers, to the nearest, a tie to the
 * even one: half of the last bit that stays is added, less one where that bit
 * is 0, and the rest is cut.  A carry out of the mantissa raises the exponent,
 * as it should.  NaN and infinities stay as they are; what would become an
 * infinity is cut and not rounded.  The relative error of normal numbers is at
 * most 2^-(keep + 1), there 2^-keep.  M. Kloewer and others, Compressing
 * atmospheric data into its real information content, Nature Computational
 * Science 1 (2021).
 */
#include "io/parquet/keepbits.h"

#include <stdint.h>
#include <string.h>

#define INFINITE_F32 UINT32_C(0x7f800000)
#define INFINITE_F64 UINT64_C(0x7ff0000000000000)

static inline uint32_t round_u32(uint32_t bits, int drop, uint32_t half)
{
    uint32_t rest = half * 2 + 1; /* what is dropped */
    uint32_t up = bits + half + (bits >> drop & 1);
    uint32_t value = (up & INFINITE_F32) == INFINITE_F32 ? bits : up;

    return (bits & INFINITE_F32) == INFINITE_F32 ? bits : value & ~rest;
}

void rpt__keepbits_f32(float *to, const float *from, size_t n, int keep)
{
    int drop = RPT_KEEPBITS_F32 - keep;
    uint32_t half, bits;

    if (drop <= 0) {
        memmove(to, from, n * sizeof *to);
        return;
    }
    half = (UINT32_C(1) << (drop - 1)) - 1;
    for (size_t i = 0; i < n; i++) {
        memcpy(&bits, &from[i], sizeof bits);
        bits = round_u32(bits, drop, half);
        memcpy(&to[i], &bits, sizeof bits);
    }
}

static inline uint64_t round_u64(uint64_t bits, int drop, uint64_t half)
{
    uint64_t rest = half * 2 + 1;
    uint64_t up = bits + half + (bits >> drop & 1);
    uint64_t value = (up & INFINITE_F64) == INFINITE_F64 ? bits : up;

    return (bits & INFINITE_F64) == INFINITE_F64 ? bits : value & ~rest;
}

void rpt__keepbits_f64(double *to, const double *from, size_t n, int keep)
{
    int drop = RPT_KEEPBITS_F64 - keep;
    uint64_t half, bits;

    if (drop <= 0) {
        memmove(to, from, n * sizeof *to);
        return;
    }
    half = (UINT64_C(1) << (drop - 1)) - 1;
    for (size_t i = 0; i < n; i++) {
        memcpy(&bits, &from[i], sizeof bits);
        bits = round_u64(bits, drop, half);
        memcpy(&to[i], &bits, sizeof bits);
    }
}
