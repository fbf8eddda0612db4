/*
 * state.c - a state with every kind of item, whose values are a formula
 */
#include "state.h"

#include "io/checkpoint/checkpoint_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SPOILT = 0xee };

struct shape {
    const char *name;
    rpt_type_t type;
    int n_dims;
    uint64_t dims[RPT_CHECKPOINT_DIMS];
    int divided; /* dimension; -1: the last rank has all; -2: with gaps */
    uint64_t ghosts;
};

static const struct shape shapes[N_FIELDS] = {
    { "rows", RPT_TYPE_F64, 1, { 1007 }, 0, 0 },
    { "grid/columns", RPT_TYPE_I32, 2, { 13, 64 }, 1, 0 },
    { "grid/cells", RPT_TYPE_F32, 3, { 8, 9, 10 }, 1, 1 },
    { "one", RPT_TYPE_U8, 1, { 100000 }, -1, 0 },
    { "big", RPT_TYPE_C128, 2, { 300, 1000 }, 0, 2 },
    { "none", RPT_TYPE_I64, 2, { 0, 5 }, 0, 0 },
    { "gaps", RPT_TYPE_I16, 2, { 40, 41 }, -2, 0 },
    { "bytes", (rpt_type_t)(RPT_TYPE_OPAQUE_0 + 3), 1, { 900001 }, 0, 0 },
    { "eight", RPT_TYPE_U16, 8, { 2, 1, 3, 2, 2, 1, 2, 3 }, 2, 0 },
};

static _Atomic bool is_small;

void state_shrink(bool small)
{
    is_small = small;
}

static struct shape shape_of(int field)
{
    struct shape shape = shapes[field];

    if (is_small && shape.dims[0] > 2000) {
        shape.dims[0] /= 100;
    }
    if (is_small && shape.dims[0] == 300) {
        shape.dims[0] = 30;
        shape.dims[1] = 100;
    }
    return shape;
}

static void divide(const struct shape *shape, int rank, int size,
                   rpt_checkpoint_array_t *a)
{
    uint64_t n = (uint64_t)size, r = (uint64_t)rank;
    int d = shape->divided < 0 ? 0 : shape->divided;

    memcpy(a->dims, shape->dims, sizeof a->dims);
    memcpy(a->count, shape->dims, sizeof a->count);
    if (shape->divided == -1) {
        a->count[0] = rank == size - 1 ? shape->dims[0] : 0;
    } else if (shape->divided == -2) {
        a->start[0] = 40 / n * r;
        a->count[0] = 40 / n > 2 ? 40 / n - 2 : 1;
        a->start[1] = 3;
        a->count[1] = 30;
    } else {
        a->start[d] = shape->dims[d] * r / n;
        a->count[d] = shape->dims[d] * (r + 1) / n - a->start[d];
    }
}

/* Elements of the memory of a field. */
static uint64_t memory_volume(const rpt_checkpoint_array_t *a)
{
    uint64_t volume = 1;

    for (int d = 0; d < a->n_dims; d++) {
        volume *= a->memory_dims[d];
    }
    return volume;
}

void state_make(struct state *state, int rank, int size, bool turned)
{
    *state = (struct state){ .rank = rank, .size = size };
    for (int f = 0; f < N_FIELDS; f++) {
        struct shape shape = shape_of(f);
        rpt_checkpoint_array_t *a = &state->fields[f];

        if (turned && shape.divided >= 0) {
            shape.divided = shape.n_dims - 1 - shape.divided;
        }
        a->size = sizeof *a;
        a->name = shape.name;
        a->type = shape.type;
        a->n_dims = shape.n_dims;
        divide(&shape, turned ? size - 1 - rank : rank, size, a);
        for (int d = 0; d < a->n_dims; d++) {
            a->memory_dims[d] = a->count[d] + 2 * shape.ghosts;
            a->memory_start[d] = shape.ghosts;
        }
        a->data = malloc(memory_volume(a) * rpt_type_bytes(a->type) + 1);
    }
    state->blob_bytes = ((uint64_t)rank * 1000 + 500) % 3001;
    state->blob = malloc(state->blob_bytes + 1);
}

void state_free(struct state *state)
{
    for (int f = 0; f < N_FIELDS; f++) {
        free(state->fields[f].data);
    }
    free(state->blob);
}

enum { ELEMENT_BYTES = 16 }; /* of the longest type */

/* The bytes of element i of a field. */
static void element_of(int field, uint64_t i, int seed, unsigned char *bytes)
{
    uint64_t words[2] = { i * 2654435761u ^ (uint64_t)(field * 131) ^
                          (uint64_t)seed << 20 };

    words[0] = (words[0] + 1) * UINT64_C(0x9e3779b97f4a7c15);
    words[0] ^= words[0] >> 32;
    words[1] = words[0] * UINT64_C(0xd6e8feb86659fd93);
    memcpy(bytes, words, ELEMENT_BYTES);
}

static unsigned char blob_byte(int rank, uint64_t i, int seed)
{
    unsigned char bytes[ELEMENT_BYTES];

    element_of(100 + rank, i, seed, bytes);
    return bytes[3];
}

/* Calls fn with each element of the memory: its bytes, its index in the array,
 * or UINT64_MAX for a ghost cell. */
static void each_element(const rpt_checkpoint_array_t *a,
                         void (*fn)(void *user, unsigned char *bytes,
                                    uint64_t index),
                         void *user)
{
    size_t type_bytes = rpt_type_bytes(a->type);
    uint64_t n = memory_volume(a);

    for (uint64_t m = 0; m < n; m++) {
        uint64_t rest = m, index = 0, stride = 1;
        bool inside = true;

        for (int d = a->n_dims - 1; d >= 0; d--) {
            uint64_t at = rest % a->memory_dims[d];

            rest /= a->memory_dims[d];
            inside = inside && at >= a->memory_start[d] &&
                     at - a->memory_start[d] < a->count[d];
            index += (a->start[d] + at - a->memory_start[d]) * stride;
            stride *= a->dims[d];
        }
        fn(user, (unsigned char *)a->data + m * type_bytes,
           inside ? index : UINT64_MAX);
    }
}

struct filling {
    int field, seed;
    size_t type_bytes;
    bool good;
    int n_savers;
};

/* What no rank of those that saved had is 0. */
static bool was_saved(const struct filling *f, uint64_t index)
{
    rpt_checkpoint_array_t a = { .n_dims = 2 };
    const struct shape *shape = &shapes[f->field];
    uint64_t row, column;
    bool found = false;

    if (shape->divided != -2) {
        return true;
    }
    row = index / shape->dims[1];
    column = index % shape->dims[1];

    for (int r = 0; r < f->n_savers && !found; r++) {
        divide(shape, r, f->n_savers, &a);
        found = row - a.start[0] < a.count[0] &&
                column - a.start[1] < a.count[1];
    }
    return found;
}

static void fill_one(void *user, unsigned char *bytes, uint64_t index)
{
    const struct filling *f = user;
    unsigned char wanted[ELEMENT_BYTES];

    if (index == UINT64_MAX) {
        memset(bytes, SPOILT, f->type_bytes);
        return;
    }
    element_of(f->field, index, f->seed, wanted);
    memcpy(bytes, wanted, f->type_bytes);
}

static void check_one(void *user, unsigned char *bytes, uint64_t index)
{
    struct filling *f = user;
    unsigned char wanted[ELEMENT_BYTES];

    if (index == UINT64_MAX) {
        memset(wanted, SPOILT, sizeof wanted);
    } else if (was_saved(f, index)) {
        element_of(f->field, index, f->seed, wanted);
    } else {
        memset(wanted, 0, sizeof wanted);
    }
    f->good = f->good && memcmp(bytes, wanted, f->type_bytes) == 0;
}

void state_fill(struct state *state, int seed)
{
    for (int f = 0; f < N_FIELDS; f++) {
        struct filling filling = { f, seed,
                                   rpt_type_bytes(state->fields[f].type), true,
                                   0 };

        each_element(&state->fields[f], fill_one, &filling);
    }
    state->time = seed * 0.25;
    for (int i = 0; i < TABLE; i++) {
        state->table[i] = seed * 10 + i;
    }
    for (uint64_t i = 0; i < state->blob_bytes; i++) {
        state->blob[i] = blob_byte(state->rank, i, seed);
    }
    state->seed = seed;
}

void state_spoil(struct state *state)
{
    for (int f = 0; f < N_FIELDS; f++) {
        const rpt_checkpoint_array_t *a = &state->fields[f];

        memset(a->data, SPOILT, memory_volume(a) * rpt_type_bytes(a->type));
    }
    state->time = -1;
    memset(state->table, SPOILT, sizeof state->table);
    memset(state->blob, SPOILT, state->blob_bytes);
    state->n_unpacked = 0;
    state->is_good = true;
}

/* Blobs that are to come back on this rank. */
static int n_due(const struct state *state)
{
    int saved = state->n_savers > 0 ? state->n_savers : state->size;

    switch (state->policy) {
    case RPT_BLOB_ALL:
        return saved;
    case RPT_BLOB_SPREAD:
        return saved * (state->rank + 1) / state->size -
               saved * state->rank / state->size;
    default:
        return 1;
    }
}

bool state_is(struct state *state, int seed)
{
    bool good = state->time == seed * 0.25 && state->is_good &&
                state->n_unpacked == n_due(state);

    for (int f = 0; f < N_FIELDS; f++) {
        struct filling filling = { f, seed,
                                   rpt_type_bytes(state->fields[f].type), true,
                                   state->n_savers > 0 ? state->n_savers
                                                       : state->size };

        each_element(&state->fields[f], check_one, &filling);
        if (!filling.good) {
            fprintf(stderr, "rank %d: field %s is wrong\n", state->rank,
                    state->fields[f].name);
        }
        good = good && filling.good;
    }
    for (int i = 0; i < TABLE; i++) {
        good = good && state->table[i] == seed * 10 + i;
    }
    return good;
}

/* ---- items ---- */

static rpt_status_t measure(void *user, uint64_t *bytes_out)
{
    *bytes_out = ((struct state *)user)->blob_bytes;
    return RPT_OK;
}

static rpt_status_t pack(void *user, void *bytes, uint64_t n_bytes)
{
    struct state *state = user;

    if (state->seed < 0) {
        return RPT_ERR_CANCELLED;
    }
    memcpy(bytes, state->blob, n_bytes);
    return RPT_OK;
}

/* The restoring state knows which seed it wants. */
static rpt_status_t unpack(void *user, const void *bytes, uint64_t n_bytes,
                           int from, int n_from)
{
    struct state *state = user;
    const unsigned char *b = bytes;

    (void)n_from;
    state->n_unpacked++;
    state->is_good = state->is_good &&
                     n_bytes == ((uint64_t)from * 1000 + 500) % 3001;
    for (uint64_t i = 0; i < n_bytes; i++) {
        state->is_good = state->is_good &&
                         b[i] == blob_byte(from, i, state->seed);
    }
    return RPT_OK;
}

void state_add(struct state *state, rpt_checkpoint_t *checkpoint)
{
    rpt_checkpoint_blob_t blob = { sizeof blob, "rng", measure,      pack,
                                   unpack,      state, state->policy };

    for (int f = 0; f < N_FIELDS; f++) {
        WORKS(rpt_checkpoint_add_array(checkpoint, &state->fields[f]));
    }
    WORKS(rpt_checkpoint_add_value(checkpoint, "time", RPT_TYPE_F64, 1,
                                   &state->time));
    WORKS(rpt_checkpoint_add_value(checkpoint, "tables/t", RPT_TYPE_I32, TABLE,
                                   state->table));
    WORKS(rpt_checkpoint_add_value(checkpoint, "tables/empty", RPT_TYPE_F64, 0,
                                   NULL));
    WORKS(rpt_checkpoint_add_blob(checkpoint, &blob));
    WORKS(rpt_checkpoint_set_text(checkpoint, "rows", "units", "m/s"));
    WORKS(rpt_checkpoint_set_attribute(checkpoint, NULL, "dt", RPT_TYPE_F64, 1,
                                       &(double){ 0.5 }));
}

/* ---- what was saved ---- */

rpt_status_t verdict(const char *task, const char *name)
{
    struct rpt_dir dir;
    struct rpt_opened opened = RPT_OPENED_NONE;
    rpt_status_t status = rpt__dir_open_path(task, &dir);

    if (status == RPT_OK) {
        status = rpt__opened_read(&dir, name, &opened);
    }
    if (status == RPT_OK) {
        status = rpt__verify(&opened, 0, 1);
    }
    rpt__opened_free(&opened);
    rpt__dir_close(&dir);
    return status;
}
