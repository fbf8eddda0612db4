/*
 * saved.c - checkpoints whose values are formulas
 */
#include "saved.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- types ---- */

static const int8_t i8s[] = { -128, -1, 0, 127 };
static const uint8_t u8s[] = { 0, 1, 128, 255 };
static const int16_t i16s[] = { -32768, -1, 0, 32767 };
static const uint16_t u16s[] = { 0, 1, 32768, 65535 };
static const int32_t i32s[] = { INT32_MIN, -1, 0, INT32_MAX };
static const uint32_t u32s[] = { 0, 1, 2147483648u, UINT32_MAX };
static const int64_t i64s[] = { INT64_MIN, -1, 9007199254740993, INT64_MAX };
static const uint64_t u64s[] = { 0, 1, INT64_MAX, UINT64_MAX };
/* 1.5, -2, the smallest subnormal 2^-24, infinity */
static const uint16_t f16s[] = { 0x3e00, 0xc000, 0x0001, 0x7c00 };
/* 1.5, -2, 2^-126, NaN */
static const uint16_t bf16s[] = { 0x3fc0, 0xc000, 0x0080, 0x7fc0 };
static const float f32s[] = { 0.5f, -2, 16777216, 0 };
static const double f64s[] = { 0.1, -2, 1e300, 0 };
static const float c64s[] = { 1, 2, -3, 0.5f, 0, 0, 4, -4 };
static const double c128s[] = { 1, 2, -3, 0.1, 0, 0, 4, -4 };
static const struct {
    float value;
    int32_t index;
} f32_i32s[] = { { 0.5f, 1 }, { -1, -2 }, { 0, 0 }, { 2, INT32_MAX } };
static const struct {
    double value;
    int32_t index;
} f64_i32s[] = { { 0.1, 1 }, { -1, -2 }, { 0, 0 }, { 2, INT32_MAX } };
static const struct {
    int16_t value;
    int32_t index;
} i16_i32s[] = { { 5, 1 }, { -1, -2 }, { 0, 0 }, { 2, INT32_MAX } };
static const struct {
    int32_t value;
    int32_t index;
} i32_i32s[] = { { 5, 1 }, { -1, -2 }, { 0, 0 }, { 2, INT32_MAX } };
static const struct {
    int64_t value;
    int32_t index;
} i64_i32s[] = { { 5, 1 }, { -1, -2 }, { 0, 0 }, { INT64_MAX, INT32_MAX } };

#define NO " NULL NULL;"
#define PAIRS(a) a " NULL 1;-1 NULL -2;0 NULL 0;2 NULL 2147483647;"
#define REALS(a) a " NULL 1;-1.0 NULL -2;0.0 NULL 0;2.0 NULL 2147483647;"

const struct saved_type saved_types[] = {
    { "i8", RPT_TYPE_I8, i8s, "-128" NO "-1" NO "0" NO "127" NO },
    { "u8", RPT_TYPE_U8, u8s, "0" NO "1" NO "128" NO "255" NO },
    { "i16", RPT_TYPE_I16, i16s, "-32768" NO "-1" NO "0" NO "32767" NO },
    { "u16", RPT_TYPE_U16, u16s, "0" NO "1" NO "32768" NO "65535" NO },
    { "i32", RPT_TYPE_I32, i32s,
      "-2147483648" NO "-1" NO "0" NO "2147483647" NO },
    { "u32", RPT_TYPE_U32, u32s,
      "0" NO "1" NO "2147483648" NO "4294967295" NO },
    { "i64", RPT_TYPE_I64, i64s,
      "-9223372036854775808" NO "-1" NO "9007199254740993" NO
      "9223372036854775807" NO },
    { "u64", RPT_TYPE_U64, u64s,
      "0" NO "1" NO "9223372036854775807" NO "'18446744073709551615'" NO },
    { "f16", RPT_TYPE_F16, f16s,
      "1.5" NO "-2.0" NO "5.96046447753906e-08" NO "Inf" NO },
    { "bf16", RPT_TYPE_BF16, bf16s,
      "1.5" NO "-2.0" NO "1.17549435082229e-38" NO "NULL" NO },
    { "f32", RPT_TYPE_F32, f32s, "0.5" NO "-2.0" NO "16777216.0" NO "0.0" NO },
    { "f64", RPT_TYPE_F64, f64s, "0.1" NO "-2.0" NO "1.0e+300" NO "0.0" NO },
    { "c64", RPT_TYPE_C64, c64s,
      "1.0 2.0 NULL;-3.0 0.5 NULL;0.0 0.0 NULL;4.0 -4.0 NULL;" },
    { "c128", RPT_TYPE_C128, c128s,
      "1.0 2.0 NULL;-3.0 0.1 NULL;0.0 0.0 NULL;4.0 -4.0 NULL;" },
    { "f32-i32", RPT_TYPE_F32_I32, f32_i32s, REALS("0.5") },
    { "f64-i32", RPT_TYPE_F64_I32, f64_i32s, REALS("0.1") },
    { "i16-i32", RPT_TYPE_I16_I32, i16_i32s, PAIRS("5") },
    { "i32-i32", RPT_TYPE_I32_I32, i32_i32s, PAIRS("5") },
    { "i64-i32", RPT_TYPE_I64_I32, i64_i32s,
      "5 NULL 1;-1 NULL -2;0 NULL 0;9223372036854775807 NULL 2147483647;" },
    { NULL, RPT_TYPE_U8, NULL, NULL }
};

/* ---- saving ---- */

static bool works(rpt_status_t status)
{
    if (status != RPT_OK) {
        fprintf(stderr, "%s\n", rpt_last_error_text());
    }
    return status == RPT_OK;
}

/* A block of an array, divided along dimension d. */
static rpt_checkpoint_array_t block(const char *name, rpt_type_t type,
                                    int n_dims, const uint64_t dims[], int d,
                                    rpt_context_t *context)
{
    uint64_t rank = (uint64_t)rpt_context_rank(context);
    uint64_t size = (uint64_t)rpt_context_size(context);
    rpt_checkpoint_array_t a = {
        .size = sizeof a, .name = name, .type = type, .n_dims = n_dims
    };

    memcpy(a.dims, dims, (size_t)n_dims * sizeof *dims);
    memcpy(a.count, dims, (size_t)n_dims * sizeof *dims);
    a.start[d] = dims[d] * rank / size;
    a.count[d] = dims[d] * (rank + 1) / size - a.start[d];
    return a;
}

static rpt_status_t measure(void *user, uint64_t *bytes_out)
{
    *bytes_out = (uint64_t) * (int *)user + 1;
    return RPT_OK;
}

static rpt_status_t pack(void *user, void *bytes, uint64_t n_bytes)
{
    memset(bytes, 'A' + *(int *)user, n_bytes);
    return RPT_OK;
}

static rpt_status_t unpack(void *user, const void *bytes, uint64_t n_bytes,
                           int from, int n_from)
{
    (void)user;
    (void)bytes;
    (void)n_bytes;
    (void)from;
    (void)n_from;
    return RPT_OK;
}

static bool add_types(rpt_checkpoint_t *c)
{
    bool good = true;

    for (const struct saved_type *t = saved_types; t->name != NULL; t++) {
        char name[64];

        snprintf(name, sizeof name, "types/%s", t->name);
        good = good && works(rpt_checkpoint_add_value(
                           c, name, t->type, 4, (void *)(uintptr_t)t->values));
    }
    return good;
}

static rpt_status_t save_heat(rpt_context_t *context, void *user)
{
    static char opaque[] = "abcdefg\0i";
    static double hostile[] = { 1, 2 };
    static const uint64_t u_dims[] = { 60, 40 }, w_dims[] = { 6, 9, 10 };
    static const uint64_t none_dims[] = { 0, 5 }, gaps_dims[] = { 12 };
    int rank = rpt_context_rank(context);
    double u[60 * 40];
    int32_t w[6 * 9 * 10];
    int16_t gaps[2];
    rpt_checkpoint_t *c = NULL;
    rpt_checkpoint_blob_t blob = { sizeof blob, "pack", measure,     pack,
                                   unpack,      &rank,  RPT_BLOB_ALL };
    rpt_checkpoint_array_t a = block("u", RPT_TYPE_F64, 2, u_dims, 0, context);
    bool good = works(
        rpt_checkpoint_open(rpt_group_world(context), user, "heat", NULL, &c));

    if (!good) {
        return RPT_ERR_STATE;
    }
    a.data = u;
    good = works(rpt_checkpoint_add_array(c, &a));
    a = block("flow/w", RPT_TYPE_I32, 3, w_dims, 1, context);
    a.data = w;
    for (uint64_t i = 0, n = 0; i < 6; i++) {
        for (uint64_t j = a.start[1]; j < a.start[1] + a.count[1]; j++) {
            for (uint64_t k = 0; k < 10; k++) {
                w[n++] = (int32_t)(100 * i + 10 * j + k);
            }
        }
    }
    good = good && works(rpt_checkpoint_add_array(c, &a));
    a = block("none", RPT_TYPE_F64, 2, none_dims, 1, context);
    good = good && works(rpt_checkpoint_add_array(c, &a));
    a = block("gaps", RPT_TYPE_I16, 1, gaps_dims, 0, context);
    a.start[0] += 1;
    a.count[0] = 2;
    gaps[0] = (int16_t)(a.start[0] + 1);
    gaps[1] = (int16_t)(a.start[0] + 2);
    a.data = gaps;
    good = good && works(rpt_checkpoint_add_array(c, &a)) && add_types(c) &&
           works(rpt_checkpoint_add_value(c, "opaque", RPT_TYPE_OPAQUE(3), 3,
                                          opaque)) &&
           works(rpt_checkpoint_add_value(c, "empty", RPT_TYPE_F64, 0, NULL)) &&
           works(rpt_checkpoint_add_blob(c, &blob)) &&
           works(
               rpt_checkpoint_add_value(c, HOSTILE, RPT_TYPE_F64, 2, hostile));
    for (uint64_t it = 100; it <= 300 && good; it += 100) {
        uint64_t from = 60 * (uint64_t)rank / 3, n = 0;

        for (uint64_t i = from; i < 60 * ((uint64_t)rank + 1) / 3; i++) {
            for (uint64_t j = 0; j < 40; j++) {
                u[n++] = (double)it * 1e6 + (double)(1000 * i + j);
            }
        }
        good = works(rpt_checkpoint_save(c, it));
    }
    rpt_checkpoint_close(c);
    return good ? RPT_OK : RPT_ERR_STATE;
}

static rpt_status_t save_big(rpt_context_t *context, void *user)
{
    static const uint64_t dims[] = { BIG_ROWS, BIG_COLUMNS };
    rpt_checkpoint_array_t a = block("field", RPT_TYPE_F64, 2, dims, 1,
                                     context);
    double *data = malloc(a.count[0] * a.count[1] * sizeof *data);
    rpt_checkpoint_t *c = NULL;
    size_t n = 0;
    bool good = data != NULL &&
                works(rpt_checkpoint_open(rpt_group_world(context), user, "big",
                                          NULL, &c));

    for (uint64_t i = 0; good && i < dims[0]; i++) {
        for (uint64_t j = a.start[1]; j < a.start[1] + a.count[1]; j++) {
            data[n++] = (double)(dims[1] * i + j);
        }
    }
    a.data = data;
    good = good && works(rpt_checkpoint_add_array(c, &a)) &&
           works(rpt_checkpoint_save(c, 7));
    rpt_checkpoint_close(c);
    free(data);
    return good ? RPT_OK : RPT_ERR_STATE;
}

struct more {
    const char *folder, *task, *keep;
    uint64_t first, last;
};

static rpt_status_t save_more(rpt_context_t *context, void *user)
{
    const struct more *m = user;
    static const uint64_t dims[] = { 5 };
    int64_t v[5];
    rpt_checkpoint_array_t a = block("v", RPT_TYPE_I64, 1, dims, 0, context);
    rpt_options_t *options = NULL;
    rpt_checkpoint_t *c = NULL;
    bool good = works(rpt_options_create(&options)) &&
                works(
                    rpt_options_set(options, "io.checkpoint.keep", m->keep)) &&
                works(rpt_options_set(options, "io.checkpoint.sync", "no")) &&
                works(rpt_checkpoint_open(rpt_group_world(context), m->folder,
                                          m->task, options, &c));

    a.data = v;
    good = good && works(rpt_checkpoint_add_array(c, &a));
    for (uint64_t it = m->first; it <= m->last && good; it++) {
        for (size_t i = 0; i < 5; i++) {
            v[i] = (int64_t)it;
        }
        good = works(rpt_checkpoint_save(c, it));
    }
    rpt_checkpoint_close(c);
    rpt_options_destroy(options);
    return good ? RPT_OK : RPT_ERR_STATE;
}

static bool run(int n, rpt_local_fn fn, void *user)
{
    rpt_options_t *options = NULL;
    /* Boxes are those of the ranks. */
    bool good = works(rpt_options_create(&options)) &&
                works(
                    rpt_options_set(options, "io.checkpoint.row_bytes", "0")) &&
                rpt_local_run(n, options, fn, user) == RPT_OK;

    rpt_options_destroy(options);
    return good;
}

bool saved_make(const char *folder)
{
    return run(3, save_heat, (void *)(uintptr_t)folder) &&
           run(2, save_big, (void *)(uintptr_t)folder);
}

bool saved_more(const char *folder, const char *task, uint64_t first,
                uint64_t last, const char *keep)
{
    struct more more = { folder, task, keep, first, last };

    return run(1, save_more, &more);
}
