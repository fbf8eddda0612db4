/*
 * cells.c - numbers, texts and elements as values of SQL
 *
 * SQLite's integers have a sign and 64 bits; what does not fit in becomes a
 * text of its digits.  It has no NaN: that becomes NULL.
 */
#include "io/catalog/catalog_priv.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

void rpt__cell_text(sqlite3_context *context, const char *text)
{
    if (text == NULL) {
        rpt__sqlite.result_null(context);
    } else {
        rpt__sqlite.result_text(context, text, -1, SQLITE_TRANSIENT);
    }
}

void rpt__cell_u64(sqlite3_context *context, uint64_t value)
{
    char text[24];

    if (value <= INT64_MAX) {
        rpt__sqlite.result_int64(context, (int64_t)value);
        return;
    }
    snprintf(text, sizeof text, "%" PRIu64, value);
    rpt__cell_text(context, text);
}

void rpt__cell_known(sqlite3_context *context, int number, int least)
{
    if (number >= least) {
        rpt__sqlite.result_int64(context, number);
    }
}

void rpt__cell_id(sqlite3_context *context, uint64_t id)
{
    char text[RPT_ID_BYTES];

    rpt__id_text(id, text);
    rpt__cell_text(context, text);
}

void rpt__cell_list(sqlite3_context *context, const uint64_t numbers[], int n,
                    char mark)
{
    char text[RPT_BOX_DIMS * 21 + 1] = "";
    size_t at = 0;

    for (int i = 0; i < n; i++) {
        at += (size_t)snprintf(text + at, sizeof text - at, "%.*s%" PRIu64,
                               i > 0, &mark, numbers[i]);
    }
    rpt__cell_text(context, text);
}

/* ---- elements ---- */

static double of_f16(uint16_t bits)
{
    int exponent = bits >> 10 & 31;
    double fraction = bits & 1023, value;

    if (exponent == 31) {
        value = fraction > 0 ? (double)NAN : (double)INFINITY;
    } else if (exponent == 0) {
        value = ldexp(fraction, -24);
    } else {
        value = ldexp(fraction + 1024, exponent - 25);
    }
    return (bits & 0x8000) != 0 ? -value : value;
}

static double of_f32(const void *element)
{
    float value;

    memcpy(&value, element, sizeof value);
    return (double)value;
}

static double of_f64(const void *element)
{
    double value;

    memcpy(&value, element, sizeof value);
    return value;
}

static double of_bf16(const void *element)
{
    uint16_t bits;
    uint32_t wide;

    memcpy(&bits, element, sizeof bits);
    wide = (uint32_t)bits << 16;
    return of_f32(&wide);
}

static int64_t of_signed(const void *element, size_t bytes)
{
    int64_t i64;
    int32_t i32;
    int16_t i16;
    int8_t i8;

    switch (bytes) {
    case 1:
        memcpy(&i8, element, sizeof i8);
        return i8;
    case 2:
        memcpy(&i16, element, sizeof i16);
        return i16;
    case 4:
        memcpy(&i32, element, sizeof i32);
        return i32;
    default:
        memcpy(&i64, element, sizeof i64);
        return i64;
    }
}

static uint64_t of_unsigned(const void *element, size_t bytes)
{
    uint64_t value = (uint64_t)of_signed(element, bytes);

    return bytes < 8 ? value & ((UINT64_C(1) << 8 * bytes) - 1) : value;
}

/* The first, or only, number of an element. */
static void cell_number(sqlite3_context *context, rpt_type_t type,
                        const void *element)
{
    uint16_t half;

    switch ((int)type) {
    case RPT_TYPE_I8:
    case RPT_TYPE_I16:
    case RPT_TYPE_I32:
    case RPT_TYPE_I64:
        rpt__sqlite.result_int64(context,
                                 of_signed(element, rpt_type_bytes(type)));
        break;
    case RPT_TYPE_F16:
        memcpy(&half, element, sizeof half);
        rpt__sqlite.result_double(context, of_f16(half));
        break;
    case RPT_TYPE_BF16:
        rpt__sqlite.result_double(context, of_bf16(element));
        break;
    case RPT_TYPE_F32:
        rpt__sqlite.result_double(context, of_f32(element));
        break;
    case RPT_TYPE_F64:
        rpt__sqlite.result_double(context, of_f64(element));
        break;
    default:
        rpt__cell_u64(context, of_unsigned(element, rpt_type_bytes(type)));
        break;
    }
}

/* What the first number is in a type that has two; the type itself. */
static rpt_type_t first_of(rpt_type_t type)
{
    switch ((int)type) {
    case RPT_TYPE_C64:
    case RPT_TYPE_F32_I32:
        return RPT_TYPE_F32;
    case RPT_TYPE_C128:
    case RPT_TYPE_F64_I32:
        return RPT_TYPE_F64;
    case RPT_TYPE_I16_I32:
        return RPT_TYPE_I16;
    case RPT_TYPE_I32_I32:
        return RPT_TYPE_I32;
    case RPT_TYPE_I64_I32:
        return RPT_TYPE_I64;
    default:
        return type;
    }
}

static bool is_complex(rpt_type_t type)
{
    return type == RPT_TYPE_C64 || type == RPT_TYPE_C128;
}

void rpt__cell_value(sqlite3_context *context, rpt_type_t type,
                     const void *element)
{
    if (type >= RPT_TYPE_OPAQUE_0) {
        rpt__sqlite.result_blob64(context, element, rpt_type_bytes(type),
                                  SQLITE_TRANSIENT);
    } else {
        cell_number(context, first_of(type), element);
    }
}

/* Both halves of these types begin with a number. */
static const char *second_half(rpt_type_t type, const void *element)
{
    return (const char *)element + rpt_type_bytes(type) / 2;
}

void rpt__cell_imag(sqlite3_context *context, rpt_type_t type,
                    const void *element)
{
    if (is_complex(type)) {
        cell_number(context, first_of(type), second_half(type, element));
    } else {
        rpt__sqlite.result_null(context);
    }
}

void rpt__cell_index(sqlite3_context *context, rpt_type_t type,
                     const void *element)
{
    if (first_of(type) != type && !is_complex(type)) {
        cell_number(context, RPT_TYPE_I32, second_half(type, element));
    } else {
        rpt__sqlite.result_null(context);
    }
}
