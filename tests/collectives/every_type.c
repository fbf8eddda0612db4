/*
 * every_type.c - each operator on each type that has it, by an all-reduce; and
 * what logical operators make of numbers that are neither 0 nor 1
 *
 * Values are small, so that no type overflows or rounds; only averages round.
 */
#include "fixture.h"
#include "operations.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT = 100, MOST_BYTES = 16 };

/* ---- elements ---- */

/* Halves: the first bits of an f32, but f16 has other ones. */
static uint16_t half_of(rpt_type_t type, float x)
{
    uint32_t bits;

    memcpy(&bits, &x, sizeof bits);
    if (type == RPT_TYPE_BF16) {
        return (uint16_t)(bits >> 16);
    }
    return (uint16_t)(x == 0 ? 0 : (bits >> 13) - (112 << 10));
}

static double of_half(rpt_type_t type, uint16_t half)
{
    uint32_t bits = (uint32_t)half << 16;
    float x;

    if (type == RPT_TYPE_F16) {
        bits = half == 0 ? 0 : ((uint32_t)half + (112 << 10)) << 13;
    }
    memcpy(&x, &bits, sizeof x);
    return x;
}

#define NUMBERS(X)                                                             \
    X(I8, int8_t)                                                              \
    X(U8, uint8_t)                                                             \
    X(I16, int16_t)                                                            \
    X(U16, uint16_t)                                                           \
    X(I32, int32_t)                                                            \
    X(U32, uint32_t)                                                           \
    X(I64, int64_t)                                                            \
    X(U64, uint64_t)                                                           \
    X(F32, float)                                                              \
    X(F64, double)                                                             \
    X(C64, float)                                                              \
    X(C128, double)                                                            \
    X(F32_I32, float)                                                          \
    X(F64_I32, double)                                                         \
    X(I16_I32, int16_t)                                                        \
    X(I32_I32, int32_t)                                                        \
    X(I64_I32, int64_t)

static void put(rpt_type_t type, void *at, double value)
{
    switch (type) {
#define PUT(name, c_type)                                                      \
    case RPT_TYPE_##name:                                                      \
        *(c_type *)at = (c_type)value;                                         \
        break;
        NUMBERS(PUT)
    default:
        *(uint16_t *)at = half_of(type, (float)value);
        break;
    }
}

static double get(rpt_type_t type, const void *at)
{
    switch (type) {
#define GET(name, c_type)                                                      \
    case RPT_TYPE_##name:                                                      \
        return (double)*(const c_type *)at;
        NUMBERS(GET)
    default:
        return of_half(type, *(const uint16_t *)at);
    }
}

static bool is_pair(rpt_type_t type)
{
    return type >= RPT_TYPE_F32_I32;
}

/* Behind the value, aligned. */
static char *index_at(rpt_type_t type, char *element)
{
    size_t value = type == RPT_TYPE_F64_I32 || type == RPT_TYPE_I64_I32 ? 8 : 4;

    return element + value;
}

/* ---- what comes out ---- */

/* 1 or 2; of a logical operator 0 or 1. */
static double value_of(rpt_op_t op, int rank, int i)
{
    double value = (rank + i) % 3 == 0 ? 2 : 1;

    return op >= RPT_OP_LOGICAL_AND && op <= RPT_OP_LOGICAL_XOR ? value - 1
                                                                : value;
}

static double combine(rpt_op_t op, double a, double b)
{
    unsigned x = (unsigned)a, y = (unsigned)b;

    switch (op) {
    case RPT_OP_PRODUCT:
        return a * b;
    case RPT_OP_MIN:
    case RPT_OP_MIN_INDEX:
        return fmin(a, b);
    case RPT_OP_MAX:
    case RPT_OP_MAX_INDEX:
        return fmax(a, b);
    case RPT_OP_LOGICAL_AND:
    case RPT_OP_BIT_AND:
        return x & y;
    case RPT_OP_LOGICAL_OR:
    case RPT_OP_BIT_OR:
        return x | y;
    case RPT_OP_LOGICAL_XOR:
    case RPT_OP_BIT_XOR:
        return x ^ y;
    default:
        return a + b;
    }
}

/* And the lowest rank that has it. */
static double expected(rpt_op_t op, int n_ranks, int i, int *first_out)
{
    double sum = value_of(op, 0, i);

    for (int r = 1; r < n_ranks; r++) {
        sum = combine(op, sum, value_of(op, r, i));
    }
    *first_out = 0;
    while (*first_out < n_ranks - 1 && value_of(op, *first_out, i) != sum) {
        ++*first_out;
    }
    return op == RPT_OP_AVERAGE ? sum / n_ranks : sum;
}

static bool is_right(rpt_type_t type, rpt_op_t op, int n_ranks, int i,
                     char *element)
{
    int first, found = 0;
    double wanted = expected(op, n_ranks, i, &first);
    double rounding = op == RPT_OP_AVERAGE ? 0.01 * wanted : 0;

    if (is_pair(type)) {
        memcpy(&found, index_at(type, element), sizeof found);
        if (found != first) {
            return false;
        }
    }
    return fabs(get(type, element) - wanted) <= rounding;
}

/* ---- calls ---- */

/* Whether there is such an operator. */
static bool try_one(rpt_group_t *group, rpt_type_t type, rpt_op_t op)
{
    _Alignas(16) static _Thread_local char in[COUNT * MOST_BYTES];
    _Alignas(16) static _Thread_local char out[COUNT * MOST_BYTES];
    int rank = rpt_group_rank(group), size = rpt_group_size(group);
    size_t bytes = rpt_type_bytes(type);
    rpt_status_t status;
    bool right = true;

    memset(in, 0, sizeof in);
    memset(out, 1, sizeof out);
    for (int i = 0; i < COUNT; i++) {
        char *element = in + (size_t)i * bytes;

        put(type, element, value_of(op, rank, i));
        if (is_pair(type)) {
            memcpy(index_at(type, element), &rank, sizeof rank);
        }
    }
    status = rpt_allreduce(group, in, out, COUNT, type, op);
    CHECK(status == RPT_OK || status == RPT_ERR_UNSUPPORTED);
    for (int i = 0; status == RPT_OK && i < COUNT; i++) {
        right = right && is_right(type, op, size, i, out + (size_t)i * bytes);
    }
    if (!right) {
        printf("  %s of %s is wrong\n", rpt_op_name(op), rpt_type_name(type));
    }
    CHECK(right);
    return status == RPT_OK;
}

void every_type_and_operator(rpt_group_t *group)
{
    int n_done = 0;

    for (int type = 0; type <= RPT_TYPE_I64_I32; type++) {
        for (int op = 0; op <= RPT_OP_MAX_INDEX; op++) {
            n_done += try_one(group, (rpt_type_t)type, (rpt_op_t)op);
        }
    }
    CHECK(n_done > 100);
}

/* ---- logical operators ---- */

/* Of n ranks that give 5 each; no rank gives nothing, `left` stays. */
static double logical(rpt_op_t op, int n, double left)
{
    if (n < 2) {
        return n == 1 ? 5 : left;
    }
    return op == RPT_OP_LOGICAL_XOR ? n % 2 : 1;
}

static void try_logical(rpt_group_t *group, const rpt_coll_t *wanted)
{
    _Alignas(16) char in[COUNT * MOST_BYTES], out[COUNT * MOST_BYTES];
    int rank = rpt_group_rank(group), size = rpt_group_size(group), n = size;
    size_t bytes = rpt_type_bytes(wanted->type);
    rpt_coll_t coll = *wanted;
    rpt_plan_t *plan;

    for (size_t i = 0; i < COUNT; i++) {
        put(coll.type, in + i * bytes, 5);
        put(coll.type, out + i * bytes, 7);
    }
    coll.in = in;
    coll.out = out;
    CHECK(rpt_coll_start(group, &coll, &plan) == RPT_OK);
    CHECK(rpt_plan_wait(plan) == RPT_OK);
    rpt_plan_destroy(plan);
    if (coll.kind == RPT_COLL_SCAN || coll.kind == RPT_COLL_EXSCAN) {
        n = coll.kind == RPT_COLL_SCAN ? rank + 1 : rank;
    } else if (coll.kind == RPT_COLL_REDUCE && rank != coll.root) {
        n = 0;
    }
    for (size_t i = 0; i < coll.count; i++) {
        CHECK(get(coll.type, out + i * bytes) == logical(coll.op, n, 7));
    }
}

void logical_operators(rpt_group_t *group)
{
    static const rpt_coll_kind_t kinds[] = { RPT_COLL_ALLREDUCE,
                                             RPT_COLL_REDUCE,
                                             RPT_COLL_REDUCE_SCATTER,
                                             RPT_COLL_SCAN, RPT_COLL_EXSCAN };

    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        for (int type = RPT_TYPE_I8; type <= RPT_TYPE_U64; type++) {
            for (int op = RPT_OP_LOGICAL_AND; op <= RPT_OP_LOGICAL_XOR; op++) {
                rpt_coll_t coll = { .kind = kinds[k],
                                    .count = COUNT / 16,
                                    .type = (rpt_type_t)type,
                                    .op = (rpt_op_t)op };

                try_logical(group, &coll);
            }
        }
    }
}
