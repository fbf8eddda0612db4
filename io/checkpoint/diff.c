/*
 * diff.c - compares two checkpoints, dataset by dataset
 *
 * Datasets of the same type and extents are read side by side, in the same
 * pieces: a MiB of the elements in their order, or a chunk where one of both is
 * compressed.  Pieces that are the same need no look at their elements.
 */
#include "io/checkpoint/stored.h"

#include "base/error.h"
#include "io/checkpoint/load.h"
#include "io/checkpoint/slots.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE_BYTES = 1 << 20 };

struct comparing {
    struct rpt_stored *first, *second;
    double absolute, relative;
    char *a, *b; /* pieces */
    rpt_difference_t *list;
    size_t n;
};

/* ---- numbers ---- */

static double from_f16(uint16_t bits)
{
    int exponent = bits >> 10 & 31, mantissa = bits & 1023;
    double value = exponent == 31  ? (mantissa != 0 ? NAN : INFINITY)
                   : exponent == 0 ? ldexp(mantissa, -24)
                                   : ldexp(mantissa + 1024, exponent - 25);

    return (bits & 0x8000) != 0 ? -value : value;
}

static double from_bf16(uint16_t bits)
{
    uint32_t wide = (uint32_t)bits << 16;
    float value;

    memcpy(&value, &wide, sizeof value);
    return (double)value;
}

#define TAKE(type)                                                             \
    {                                                                          \
        type value;                                                            \
        memcpy(&value, at, sizeof value);                                      \
        return (long double)value;                                             \
    }

/* A number of a type whose elements are one or two of them. */
static long double number_at(rpt_type_t type, const char *at)
{
    uint16_t bits;

    switch ((int)type) {
    case RPT_TYPE_I8:
        TAKE(int8_t)
    case RPT_TYPE_U8:
        TAKE(uint8_t)
    case RPT_TYPE_I16:
        TAKE(int16_t)
    case RPT_TYPE_U16:
        TAKE(uint16_t)
    case RPT_TYPE_I32:
        TAKE(int32_t)
    case RPT_TYPE_U32:
        TAKE(uint32_t)
    case RPT_TYPE_I64:
        TAKE(int64_t)
    case RPT_TYPE_U64:
        TAKE(uint64_t)
    case RPT_TYPE_F32:
    case RPT_TYPE_C64:
        TAKE(float)
    case RPT_TYPE_F16:
        memcpy(&bits, at, sizeof bits);
        return (long double)from_f16(bits);
    case RPT_TYPE_BF16:
        memcpy(&bits, at, sizeof bits);
        return (long double)from_bf16(bits);
    default:
        TAKE(double)
    }
}

/* In an element; 0: it has none that are compared as such. */
static size_t numbers_of(rpt_type_t type)
{
    switch ((int)type) {
    case RPT_TYPE_I8:
    case RPT_TYPE_U8:
    case RPT_TYPE_I16:
    case RPT_TYPE_U16:
    case RPT_TYPE_I32:
    case RPT_TYPE_U32:
    case RPT_TYPE_I64:
    case RPT_TYPE_U64:
    case RPT_TYPE_F16:
    case RPT_TYPE_BF16:
    case RPT_TYPE_F32:
    case RPT_TYPE_F64:
        return 1;
    case RPT_TYPE_C64:
    case RPT_TYPE_C128:
        return 2;
    default:
        return 0;
    }
}

/* Whether two numbers are the same; how far apart they are is noted. */
static bool is_same(const struct comparing *c, long double x, long double y,
                    double *most)
{
    long double far = fabsl(x - y), larger = fmaxl(fabsl(x), fabsl(y));

    if (x == y || (isnan(x) && isnan(y))) {
        return true;
    }
    if (!isfinite(x) || !isfinite(y)) {
        *most = NAN;
        return false;
    }
    if (far > (long double)*most) {
        *most = (double)far;
    }
    return far <= (long double)c->absolute + (long double)c->relative * larger;
}

static bool is_element_same(const struct comparing *c, rpt_type_t type,
                            const char *a, const char *b, double *most)
{
    size_t bytes = rpt_type_bytes(type), n = numbers_of(type);
    bool same = true;

    if (memcmp(a, b, bytes) == 0) {
        return true;
    }
    for (size_t i = 0; i < n; i++) {
        size_t at = i * bytes / n;

        same &= is_same(c, number_at(type, a + at), number_at(type, b + at),
                        most);
    }
    return n > 0 && same;
}

/* ---- a dataset of both ---- */

/* Where an element of a piece stands in the dataset. */
static uint64_t index_of(const struct rpt_dataset *set,
                         const struct rpt_box *piece, uint64_t i)
{
    struct rpt_box_walk walk = rpt__box_walk(piece, set->dims, set->n_dims, i,
                                             i + 1);
    uint64_t first = 0, n;

    rpt__box_next(&walk, &first, &n);
    return first;
}

static void compare_piece(const struct comparing *c,
                          const struct rpt_dataset *set,
                          const struct rpt_box *piece, rpt_difference_t *out)
{
    size_t bytes = rpt_type_bytes(set->type);
    uint64_t n = rpt__box_volume(piece, set->n_dims), at;

    if (memcmp(c->a, c->b, n * bytes) == 0) {
        return;
    }
    for (uint64_t i = 0; i < n; i++) {
        if (!is_element_same(c, set->type, c->a + i * bytes, c->b + i * bytes,
                             &out->most)) {
            at = index_of(set, piece, i);
            if (out->n_different++ == 0 || at < out->first_different) {
                out->first_different = at;
            }
        }
    }
}

static rpt_status_t read_piece(const struct rpt_stored *s,
                               const struct rpt_dataset *set,
                               const struct rpt_box *piece, char *data)
{
    struct rpt_box_memory memory = { data, *piece };

    return rpt__stored_judge(
        s, rpt__load_box(&s->opened.dir, s->fd, set, piece, &memory));
}

static rpt_status_t do_piece(const struct comparing *c,
                             const struct rpt_dataset *x,
                             const struct rpt_dataset *y,
                             const struct rpt_box *piece, rpt_difference_t *out)
{
    rpt_status_t status = read_piece(c->first, x, piece, c->a);

    if (status == RPT_OK) {
        status = read_piece(c->second, y, piece, c->b);
    }
    if (status == RPT_OK) {
        compare_piece(c, x, piece, out);
    }
    return status;
}

/* Both in one piece: as if they had one dimension. */
static rpt_status_t compare_plain(const struct comparing *c,
                                  const struct rpt_dataset *x,
                                  const struct rpt_dataset *y,
                                  rpt_difference_t *out)
{
    uint64_t bytes = rpt_type_bytes(x->type), end = x->bytes / bytes;
    uint64_t step = bytes < PIECE_BYTES ? PIECE_BYTES / bytes : 1;
    struct rpt_dataset flat = *x, other = *y;
    struct rpt_box piece = { { 0 }, { 0 } };
    rpt_status_t status = RPT_OK;

    flat.n_dims = other.n_dims = 1;
    flat.dims[0] = other.dims[0] = end;
    for (; piece.start[0] < end && status == RPT_OK; piece.start[0] += step) {
        uint64_t left = end - piece.start[0];

        piece.count[0] = left < step ? left : step;
        status = do_piece(c, &flat, &other, &piece, out);
    }
    return status;
}

static rpt_status_t compare_chunks(const struct comparing *c,
                                   const struct rpt_dataset *x,
                                   const struct rpt_dataset *y,
                                   rpt_difference_t *out)
{
    const struct rpt_dataset *cut = x->slots != NULL ? x : y;
    struct rpt_box whole = { { 0 }, { 0 } }, piece;
    rpt_status_t status = RPT_OK;

    memcpy(whole.count, x->dims, sizeof whole.count);
    for (uint64_t k = 0; k < cut->slots->n && status == RPT_OK; k++) {
        struct rpt_box chunk = rpt__chunk_box(cut, k);

        if (rpt__box_shared(&whole, &chunk, x->n_dims, &piece)) {
            status = do_piece(c, x, y, &piece, out);
        }
    }
    return status;
}

static rpt_status_t compare_values(const struct comparing *c,
                                   const struct rpt_dataset *x,
                                   const struct rpt_dataset *y,
                                   rpt_difference_t *out)
{
    bool is_plain = x->slots == NULL && y->slots == NULL;
    rpt_status_t status = is_plain ? compare_plain(c, x, y, out)
                                   : compare_chunks(c, x, y, out);

    out->n_elements = x->bytes / rpt_type_bytes(x->type);
    out->kind = out->n_different > 0 ? RPT_DIFFERENCE_VALUES
                                     : RPT_DIFFERENCE_NONE;
    return status;
}

static bool has_same_shape(const struct rpt_dataset *x,
                           const struct rpt_dataset *y)
{
    return x->kind == y->kind && x->type == y->type && x->n_dims == y->n_dims &&
           x->is_scalar == y->is_scalar &&
           memcmp(x->dims, y->dims, (size_t)x->n_dims * sizeof x->dims[0]) == 0;
}

/* An element, or a chunk, may be longer than a piece. */
static size_t room_for(const struct rpt_manifest *m, size_t bytes)
{
    for (size_t i = 0; i < m->n_datasets; i++) {
        const struct rpt_dataset *set = &m->datasets[i];
        size_t one = set->slots != NULL
                         ? (size_t)rpt__chunk_bytes(set, set->slots->chunk)
                         : rpt_type_bytes(set->type);

        if (set->bytes > 0 && one > bytes) {
            bytes = one;
        }
    }
    return bytes;
}

static rpt_status_t make_room(struct comparing *c)
{
    size_t bytes = room_for(&c->first->opened.manifest, PIECE_BYTES);

    bytes = room_for(&c->second->opened.manifest, bytes);
    c->a = malloc(bytes);
    c->b = malloc(bytes);
    return c->a != NULL && c->b != NULL ? RPT_OK : rpt__fail_nomem(bytes);
}

/* ---- files of the program ---- */

static const struct rpt_routed *find_file(const struct rpt_manifest *m,
                                          const char *name)
{
    for (size_t i = 0; i < m->n_files; i++) {
        if (strcmp(m->files[i].name, name) == 0) {
            return &m->files[i];
        }
    }
    return NULL;
}

static void compare_files(struct comparing *c)
{
    const struct rpt_manifest *x = &c->first->opened.manifest;
    const struct rpt_manifest *y = &c->second->opened.manifest;

    for (size_t i = 0; i < x->n_files; i++) {
        const struct rpt_routed *one = &x->files[i];
        const struct rpt_routed *other = find_file(y, one->name);
        bool same = other != NULL && one->bytes == other->bytes &&
                    one->digest.high == other->digest.high &&
                    one->digest.low == other->digest.low;

        c->list[c->n++] = (rpt_difference_t){
            .name = c->first->files[i].path,
            .kind = same            ? RPT_DIFFERENCE_NONE
                    : other != NULL ? RPT_DIFFERENCE_VALUES
                                    : RPT_DIFFERENCE_FIRST,
            .is_file = 1
        };
    }
    for (size_t i = 0; i < y->n_files; i++) {
        if (find_file(x, y->files[i].name) == NULL) {
            c->list[c->n++] = (rpt_difference_t){
                .name = c->second->files[i].path,
                .kind = RPT_DIFFERENCE_SECOND,
                .is_file = 1
            };
        }
    }
}

/* ---- all of them ---- */

static rpt_status_t compare_all(struct comparing *c)
{
    const struct rpt_manifest *x = &c->first->opened.manifest;
    const struct rpt_manifest *y = &c->second->opened.manifest;
    rpt_status_t status = RPT_OK;
    size_t most = x->n_datasets + y->n_datasets + x->n_files + y->n_files;

    c->list = calloc(most + 1, sizeof *c->list);
    if (c->list == NULL) {
        return rpt__fail_nomem((most + 1) * sizeof *c->list);
    }
    for (size_t i = 0; i < x->n_datasets && status == RPT_OK; i++) {
        const struct rpt_dataset *set = &x->datasets[i];
        const struct rpt_dataset *other = rpt__dataset_find(y, set->name);
        rpt_difference_t *out = &c->list[c->n++];

        out->name = set->name;
        out->kind = other == NULL ? RPT_DIFFERENCE_FIRST : RPT_DIFFERENCE_SHAPE;
        if (other != NULL && has_same_shape(set, other)) {
            status = compare_values(c, set, other, out);
        }
    }
    for (size_t i = 0; i < y->n_datasets; i++) {
        if (rpt__dataset_find(x, y->datasets[i].name) == NULL) {
            c->list[c->n++] = (rpt_difference_t){
                .name = y->datasets[i].name, .kind = RPT_DIFFERENCE_SECOND
            };
        }
    }
    compare_files(c);
    return status;
}

rpt_status_t rpt__stored_diff(struct rpt_stored *first,
                              struct rpt_stored *second, double absolute,
                              double relative,
                              rpt_difference_t **differences_out, size_t *n_out)
{
    struct comparing c = { .first = first,
                           .second = second,
                           .absolute = absolute,
                           .relative = relative };
    rpt_status_t status = rpt__stored_reach(first);

    if (status == RPT_OK) {
        status = rpt__stored_reach(second);
    }
    if (status == RPT_OK) {
        status = make_room(&c);
    }
    if (status == RPT_OK) {
        status = compare_all(&c);
    }
    free(c.a);
    free(c.b);
    if (status != RPT_OK) {
        free(c.list);
        return status;
    }
    *differences_out = c.list;
    *n_out = c.n;
    return RPT_OK;
}
