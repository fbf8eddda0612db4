/*
 * values.c - the values of a part of a dataset, printed
 *
 * A row of the last dimension is a line; in JSON all values are one list, with
 * the extents beside it.  Complex numbers and pairs are two values; bytes
 * without a type are hexadecimal.
 */
#include "cli/ckpt/values.h"

#include "cli/ckpt/ckpt_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of what is printed at once. */
static const uint64_t MOST_BYTES = UINT64_C(1) << 30;

int values_take_list(struct argp_state *state, const char *name,
                     const char *text, uint64_t list[], int *n_out)
{
    const char *at = text;
    int n = 0;

    while (n < RPT_CHECKPOINT_DIMS && *at >= '0' && *at <= '9') {
        char *rest;

        errno = 0;
        list[n++] = strtoull(at, &rest, 10);
        if (errno != 0) {
            break;
        }
        if (*rest == '\0') {
            *n_out = n;
            return 0;
        }
        at = *rest == ',' ? rest + 1 : "";
    }
    argp_error(state, "--%s: \"%s\" is no list of numbers such as 0,16", name,
               text);
    return EINVAL;
}

/* ---- one value ---- */

static void add_real(struct text *text, double value, int digits, bool json)
{
    if (json && !isfinite(value)) {
        text_string(text, "null");
    } else {
        text_printf(text, "%.*g", digits, value);
    }
}

#define ADD(type, format)                                                      \
    {                                                                          \
        type value;                                                            \
        memcpy(&value, at, sizeof value);                                      \
        text_printf(text, "%" format, value);                                  \
    }                                                                          \
    break;
#define ADD_REAL(type, digits)                                                 \
    {                                                                          \
        type value;                                                            \
        memcpy(&value, at, sizeof value);                                      \
        add_real(text, (double)value, digits, json);                           \
    }                                                                          \
    break;

/* A part of an element; false: there is no such one. */
static bool add_part(struct text *text, rpt_type_t type, const char *at,
                     bool json)
{
    switch ((int)type) {
    case RPT_TYPE_I8:
        ADD(int8_t, PRId8)
    case RPT_TYPE_U8:
        ADD(uint8_t, PRIu8)
    case RPT_TYPE_I16:
        ADD(int16_t, PRId16)
    case RPT_TYPE_U16:
        ADD(uint16_t, PRIu16)
    case RPT_TYPE_I32:
        ADD(int32_t, PRId32)
    case RPT_TYPE_U32:
        ADD(uint32_t, PRIu32)
    case RPT_TYPE_I64:
        ADD(int64_t, PRId64)
    case RPT_TYPE_U64:
        ADD(uint64_t, PRIu64)
    case RPT_TYPE_F32:
        ADD_REAL(float, 9)
    case RPT_TYPE_F64:
        ADD_REAL(double, 17)
    default:
        return false;
    }
    return true;
}

/* Types of two parts: what these are, and where the second one is. */
static bool parts_of(rpt_type_t type, rpt_type_t parts[2], size_t *second)
{
    static const struct {
        rpt_type_t type, first, second;
        size_t at;
    } pairs[] = {
        { RPT_TYPE_C64, RPT_TYPE_F32, RPT_TYPE_F32, 4 },
        { RPT_TYPE_C128, RPT_TYPE_F64, RPT_TYPE_F64, 8 },
        { RPT_TYPE_F32_I32, RPT_TYPE_F32, RPT_TYPE_I32, 4 },
        { RPT_TYPE_F64_I32, RPT_TYPE_F64, RPT_TYPE_I32, 8 },
        { RPT_TYPE_I16_I32, RPT_TYPE_I16, RPT_TYPE_I32, 4 },
        { RPT_TYPE_I32_I32, RPT_TYPE_I32, RPT_TYPE_I32, 4 },
        { RPT_TYPE_I64_I32, RPT_TYPE_I64, RPT_TYPE_I32, 8 },
    };

    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        if (pairs[i].type == type) {
            parts[0] = pairs[i].first;
            parts[1] = pairs[i].second;
            *second = pairs[i].at;
            return true;
        }
    }
    return false;
}

static void add_bytes(struct text *text, const char *at, size_t bytes,
                      bool json)
{
    text_string(text, json ? "\"" : "");
    for (size_t i = 0; i < bytes; i++) {
        text_printf(text, "%02x", (unsigned)(unsigned char)at[i]);
    }
    text_string(text, json ? "\"" : "");
}

static void add_value(struct text *text, rpt_type_t type, const char *at,
                      bool json)
{
    rpt_type_t parts[2];
    size_t second;

    if (parts_of(type, parts, &second)) {
        text_string(text, json ? "[" : "");
        add_part(text, parts[0], at, json);
        text_string(text, json ? "," : ":");
        add_part(text, parts[1], at + second, json);
        text_string(text, json ? "]" : "");
    } else if (!add_part(text, type, at, json)) {
        add_bytes(text, at, rpt_type_bytes(type), json);
    }
}

/* ---- all of them ---- */

static const rpt_stored_dataset_t *find(const rpt_stored_t *stored,
                                        const char *name)
{
    const rpt_stored_dataset_t *set;

    for (size_t i = 0; rpt_stored_dataset(stored, i, &set) == RPT_OK; i++) {
        if (strcmp(set->name, name) == 0) {
            return set;
        }
    }
    return NULL;
}

static int wrong_list(const struct values *v, const rpt_stored_dataset_t *set)
{
    struct fault fault = { 0 };
    int code = fault_set(&fault, CODE_USAGE,
                         "--start and --count do not fit dataset \"%s\"",
                         v->dataset);

    fault_why(&fault, "it has %d dimensions", set->n_dims);
    fault_hint(&fault, "give a number for each dimension");
    fault_print(&fault);
    return code;
}

static int too_much(const struct values *v, uint64_t bytes)
{
    struct fault fault = { 0 };
    int code = fault_set(&fault, CODE_USAGE,
                         "dataset \"%s\" is too long to be printed",
                         v->dataset);

    fault_why(&fault,
              "%" PRIu64 " bytes are wanted, at most %" PRIu64 " are printed",
              bytes, MOST_BYTES);
    fault_hint(&fault, "name a part with --start and --count");
    fault_print(&fault);
    return code;
}

static void print(struct text *text, const rpt_stored_dataset_t *set,
                  const uint64_t count[], const char *data, bool json)
{
    size_t type_bytes = rpt_type_bytes(set->type);
    uint64_t n = 1, row = set->n_dims > 0 ? count[set->n_dims - 1] : 1;

    for (int d = 0; d < set->n_dims; d++) {
        n *= count[d];
    }
    if (json) {
        text_char(text, '{');
        ckpt_json_string(text, "dataset", set->name);
        text_char(text, ',');
        ckpt_json_numbers(text, "count", count, set->n_dims);
        text_string(text, ",\"values\":[");
    }
    for (uint64_t i = 0; i < n; i++) {
        bool is_last = (i + 1) % row == 0;

        add_value(text, set->type, data + i * type_bytes, json);
        text_string(text, json ? (i + 1 < n ? "," : "") : is_last ? "\n" : " ");
    }
    text_string(text, json ? "]}\n" : "");
}

/* Of a start without a count nothing would be left, which is no answer. */
static int too_far(const struct values *v, const rpt_stored_dataset_t *set,
                   int d)
{
    struct fault fault = { 0 };
    int code = fault_set(&fault, CODE_INPUT,
                         "there is nothing of dataset \"%s\" at the start",
                         v->dataset);

    fault_why(&fault,
              "dimension %d has %" PRIu64 " elements, and the start is %" PRIu64
              ", counted from 0",
              d, set->dims[d], v->start[d]);
    fault_hint(&fault, "`repartir ckpt show' prints the dimensions");
    fault_print(&fault);
    return code;
}

int values_add(struct text *text, const struct values *v, rpt_stored_t *stored,
               bool json)
{
    const rpt_stored_dataset_t *set = find(stored, v->dataset);
    uint64_t count[RPT_CHECKPOINT_DIMS] = { 0 }, bytes;
    char *data;
    int code = CODE_OK;

    if (set == NULL) { /* which the library says better */
        rpt_stored_read(stored, v->dataset, NULL, NULL, NULL, 0);
        return ckpt_failed();
    }
    if ((v->n_start > 0 && v->n_start != set->n_dims) ||
        (v->n_count > 0 && v->n_count != set->n_dims)) {
        return wrong_list(v, set);
    }
    bytes = rpt_type_bytes(set->type);
    for (int d = 0; d < set->n_dims; d++) {
        uint64_t left = v->start[d] < set->dims[d] ? set->dims[d] - v->start[d]
                                                   : 0;

        if (left == 0 && v->start[d] > 0) {
            return too_far(v, set, d);
        }
        count[d] = v->n_count > 0 ? v->count[d] : left;
        bytes *= count[d] < left ? count[d] : left;
    }
    if (bytes > MOST_BYTES) {
        return too_much(v, bytes);
    }
    data = get_memory((size_t)bytes + 1);
    if (rpt_stored_read(stored, v->dataset, v->start, count, data,
                        (size_t)bytes) != RPT_OK) {
        code = ckpt_failed();
    } else {
        print(text, set, count, data, json);
    }
    free(data);
    return code;
}
