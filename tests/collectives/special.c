/*
 * special.c - NaN, infinities, zeros with a sign and the smallest numbers
 *
 * Reductions must give what a loop over the ranks gives.  The values are such
 * that no order of them rounds, so there is one right result; a NaN is any NaN,
 * and which of two zeros is the least is not said.
 */
#include "fixture.h"
#include "operations.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- elements ---- */

/* Of f16: denormals and zero are multiples of 2^-24. */
static uint16_t to_f16(float x)
{
    uint16_t sign = signbit(x) ? 0x8000 : 0;
    uint32_t bits;

    x = fabsf(x);
    memcpy(&bits, &x, sizeof bits);
    if (isnan(x)) {
        return 0x7e00;
    }
    if (isinf(x)) {
        return sign | 0x7c00;
    }
    if (x < 0x1p-14f) {
        return (uint16_t)(sign | (uint16_t)(x * 0x1p24f));
    }
    return (uint16_t)(sign | ((bits >> 13) - (112 << 10)));
}

static float of_f16(uint16_t half)
{
    int exponent = half >> 10 & 31, fraction = half & 1023;
    float x = exponent == 31  ? (fraction != 0 ? NAN : INFINITY)
              : exponent == 0 ? ldexpf((float)fraction, -24)
                              : ldexpf((float)(fraction + 1024), exponent - 25);

    return (half & 0x8000) != 0 ? -x : x;
}

static void put(rpt_type_t type, void *data, size_t i, double value)
{
    float single = (float)value;
    uint32_t bits;

    memcpy(&bits, &single, sizeof bits);
    switch (type) {
    case RPT_TYPE_F16:
        ((uint16_t *)data)[i] = to_f16(single);
        break;
    case RPT_TYPE_BF16:
        ((uint16_t *)data)[i] = (uint16_t)(bits >> 16);
        break;
    case RPT_TYPE_F32:
        ((float *)data)[i] = single;
        break;
    default:
        ((double *)data)[i] = value;
        break;
    }
}

static double get(rpt_type_t type, const void *data, size_t i)
{
    uint32_t bits;
    float single;

    switch (type) {
    case RPT_TYPE_F16:
        return (double)of_f16(((const uint16_t *)data)[i]);
    case RPT_TYPE_BF16:
        bits = (uint32_t)((const uint16_t *)data)[i] << 16;
        memcpy(&single, &bits, sizeof single);
        return (double)single;
    case RPT_TYPE_F32:
        return (double)((const float *)data)[i];
    default:
        return ((const double *)data)[i];
    }
}

/* ---- values ---- */

/* The smallest number there is, and the smallest that is normal. */
static double unit_of(rpt_type_t type)
{
    return type == RPT_TYPE_F16    ? 0x1p-24
           : type == RPT_TYPE_BF16 ? 0x1p-133
           : type == RPT_TYPE_F32  ? 0x1p-149
                                   : 0x1p-1074;
}

static double normal_of(rpt_type_t type)
{
    return type == RPT_TYPE_F16   ? 0x1p-14
           : type == RPT_TYPE_F64 ? 0x1p-1022
                                  : 0x1p-126;
}

enum kind {
    MINUS_ZEROS,
    BOTH_ZEROS,
    ONE_NAN,
    ONE_INFINITY,
    BOTH_INFINITIES,
    DENORMALS,
    ONE_DENORMAL,
    DIFFERENCE, /* of two normal numbers, which is not */
    N_VALUES
};

static enum kind kind_of(size_t i)
{
    return (enum kind)(i % N_VALUES);
}

/* One rank, each in its turn, has something else than the others. */
static double value_of(rpt_type_t type, int rank, int size, size_t i)
{
    int odd_one = (int)(i / N_VALUES % (size_t)size);
    bool is_it = rank == odd_one, is_next = rank == (odd_one + 1) % size;
    double unit = unit_of(type), normal = normal_of(type);

    switch (kind_of(i)) {
    case MINUS_ZEROS:
        return -0.0;
    case BOTH_ZEROS:
        return is_it ? 0.0 : -0.0;
    case ONE_NAN:
        return is_it ? (double)NAN : 1;
    case ONE_INFINITY:
        return is_it ? (double)INFINITY : -1;
    case BOTH_INFINITIES:
        return is_it ? (double)INFINITY : is_next ? -(double)INFINITY : 1;
    case DENORMALS:
        return (rank + 1) * unit;
    case ONE_DENORMAL:
        return is_it ? 3 * unit : 1;
    default:
        return is_it ? normal : is_next ? unit - normal : 0;
    }
}

/* ---- the loop ---- */

static double combine(rpt_type_t type, rpt_op_t op, double x, double y)
{
    double both;

    if ((op == RPT_OP_MIN || op == RPT_OP_MAX) && (isnan(x) || isnan(y))) {
        return (double)NAN;
    }
    both = op == RPT_OP_SUM       ? x + y
           : op == RPT_OP_PRODUCT ? x * y
           : op == RPT_OP_MIN     ? (x < y ? x : y)
                                  : (x > y ? x : y);
    /* f16 and bf16 are combined as f32. */
    return type == RPT_TYPE_F64 ? both : (double)(float)both;
}

static bool is_right(rpt_type_t type, rpt_op_t op, int n, int size, size_t i,
                     double found)
{
    double wanted = value_of(type, 0, size, i), element;
    bool any_zero = kind_of(i) == BOTH_ZEROS &&
                    (op == RPT_OP_MIN || op == RPT_OP_MAX);

    for (int r = 1; r < n; r++) {
        wanted = combine(type, op, wanted, value_of(type, r, size, i));
    }
    put(type, &element, 0, wanted); /* what is cut off is less than half */
    wanted = get(type, &element, 0);
    if (isnan(wanted) || isnan(found)) {
        return isnan(wanted) && isnan(found);
    }
    return !(wanted < found) && !(wanted > found) &&
           (any_zero || !signbit(wanted) == !signbit(found));
}

/* ---- calls ---- */

static const rpt_coll_kind_t kinds[] = { RPT_COLL_ALLREDUCE, RPT_COLL_REDUCE,
                                         RPT_COLL_REDUCE_SCATTER, RPT_COLL_SCAN,
                                         RPT_COLL_EXSCAN };

/* Of how many ranks this one gets the sum. */
static int n_summed(const rpt_coll_t *coll, int rank, int size)
{
    return coll->kind == RPT_COLL_SCAN     ? rank + 1
           : coll->kind == RPT_COLL_EXSCAN ? rank
           : coll->kind == RPT_COLL_REDUCE ? (rank == coll->root ? size : 0)
                                           : size;
}

static void try_call(rpt_group_t *group, rpt_coll_t *coll, void *in, void *out)
{
    int rank = rpt_group_rank(group), size = rpt_group_size(group);
    int n = n_summed(coll, rank, size);
    bool scatters = coll->kind == RPT_COLL_REDUCE_SCATTER;
    size_t n_in = scatters ? coll->count * (size_t)size : coll->count;
    size_t from = scatters ? coll->count * (size_t)rank : 0;
    rpt_plan_t *plan;

    for (size_t i = 0; i < n_in; i++) {
        put(coll->type, in, i, value_of(coll->type, rank, size, i));
    }
    coll->in = in;
    coll->out = out;
    CHECK(rpt_coll_start(group, coll, &plan) == RPT_OK);
    CHECK(rpt_plan_wait(plan) == RPT_OK);
    rpt_plan_destroy(plan);
    for (size_t i = 0; n > 0 && i < coll->count; i++) {
        double found = get(coll->type, out, i);

        if (!is_right(coll->type, coll->op, n, size, from + i, found)) {
            printf("  %s, %s of %s, %d ranks, %zu: element %zu is %a\n",
                   rpt_coll_name(coll->kind), rpt_op_name(coll->op),
                   rpt_type_name(coll->type), size, coll->count, from + i,
                   found);
            CHECK(false);
            break;
        }
    }
}

void special_numbers(rpt_group_t *group)
{
    static const size_t counts[] = { 1, 5 * N_VALUES, 400 * N_VALUES };
    static const rpt_type_t types[] = { RPT_TYPE_F16, RPT_TYPE_BF16,
                                        RPT_TYPE_F32, RPT_TYPE_F64 };
    int size = rpt_group_size(group);
    size_t bytes = counts[2] * sizeof(double);
    void *in = malloc(bytes * (size_t)size), *out = malloc(bytes);

    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
            for (int op = RPT_OP_SUM; op <= RPT_OP_MAX; op++) {
                for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
                    rpt_coll_t coll = { .kind = kinds[k],
                                        .count = counts[c],
                                        .type = types[t],
                                        .op = (rpt_op_t)op,
                                        .root = op % size };

                    try_call(group, &coll, in, out);
                }
            }
        }
    }
    free(in);
    free(out);
}
