/*
 * packing.c - compressed checkpoints: every type, constant values and noise, on
 * any number of ranks
 */
#include "state.h"
#include "tables.h"

#include "io/checkpoint/checkpoint_priv.h"
#include "io/checkpoint/slots.h"

#include <repartir/catalog.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- a state of large arrays ---- */

static const rpt_type_t types[] = {
    RPT_TYPE_I8,           RPT_TYPE_U16,
    RPT_TYPE_F16,          RPT_TYPE_I32,
    RPT_TYPE_F32,          RPT_TYPE_F64,
    RPT_TYPE_U64,          RPT_TYPE_C64,
    RPT_TYPE_C128,         RPT_TYPE_F32_I32,
    RPT_TYPE_F64_I32,      RPT_TYPE_I16_I32,
    RPT_TYPE_I64_I32,      RPT_TYPE_BF16,
    RPT_TYPE_OPAQUE_0 + 3, RPT_TYPE_OPAQUE_0 + 1000
};

static const uint64_t shapes[][3] = {
    { 70001, 0, 0 }, { 301, 257, 0 }, { 41, 44, 43 }, { 4, 0, 9000 }
};

enum {
    N_TYPES = sizeof types / sizeof *types,
    N_SHAPES = sizeof shapes / sizeof *shapes,
    N_FIELDS_MOST = N_TYPES * N_SHAPES
};

/* What the bytes are like. */
enum { CONSTANT, RAMP, NOISE, N_CLASSES };

struct field {
    rpt_checkpoint_array_t array;
    char name[64];
    int class;
};

struct fields {
    struct field list[N_FIELDS_MOST];
    size_t n;
};

static uint64_t mix(uint64_t x)
{
    x ^= x >> 31;
    x *= 0x9e3779b97f4a7c15;
    x ^= x >> 29;
    x *= 0xbf58476d1ce4e5b9;
    return x ^ x >> 32;
}

static unsigned char byte_of(int class, uint64_t index, size_t byte, int seed)
{
    switch (class) {
    case CONSTANT:
        return (unsigned char)(seed + (int)byte);
    case RAMP:
        return (unsigned char)(byte < 8 ? (index + (uint64_t)seed) >> 8 * byte
                                        : 0);
    default:
        return (unsigned char)mix(index * 1009 + byte + (uint64_t)seed);
    }
}

/* Cut along its first or its last dimension, or both in halves. */
static void divide(rpt_checkpoint_array_t *a, int rank, int size, int how)
{
    uint64_t r = (uint64_t)rank, n = (uint64_t)size;
    int d = how == 1 ? a->n_dims - 1 : 0;

    memset(a->start, 0, sizeof a->start);
    memcpy(a->count, a->dims, sizeof a->count);
    if (how == 2 && size == 4) {
        int last = a->n_dims - 1;

        a->start[last] = rank % 2 == 0 ? 0 : a->dims[last] / 2;
        a->count[last] = rank % 2 == 0 ? a->dims[last] / 2
                                       : a->dims[last] - a->dims[last] / 2;
        n = 2;
        r = last == 0 ? 0 : r / 2;
        if (last == 0) {
            a->count[0] = rank < 2 ? a->count[0] : 0;
            return;
        }
    }
    a->start[d] = a->dims[d] * r / n;
    a->count[d] = a->dims[d] * (r + 1) / n - a->start[d];
}

static uint64_t volume_of(const rpt_checkpoint_array_t *a)
{
    uint64_t volume = 1;

    for (int d = 0; d < a->n_dims; d++) {
        volume *= a->count[d];
    }
    return volume;
}

static void make_fields(struct fields *f, int rank, int size, int how)
{
    f->n = 0;
    for (size_t i = 0; i < N_FIELDS_MOST; i++) {
        struct field *one = &f->list[f->n++];
        rpt_checkpoint_array_t *a = &one->array;
        const uint64_t *dims = shapes[i % N_SHAPES];
        rpt_type_t type = types[i / N_SHAPES];

        memset(one, 0, sizeof *one);
        one->class = (int)((i + i / N_SHAPES) % N_CLASSES);
        snprintf(one->name, sizeof one->name, "g%zu/t%d", i, (int)type);
        a->size = sizeof *a;
        a->name = one->name;
        a->type = type;
        a->n_dims = i % N_SHAPES == 3 ? 3 : (int)(i % N_SHAPES) + 1;
        memcpy(a->dims, dims, 3 * sizeof *dims);
        if (rpt_type_bytes(type) > 16) {
            a->dims[0] = 1 + a->dims[0] / 41; /* large elements are fewer */
        }
        divide(a, rank, size, how);
        a->data = malloc((size_t)volume_of(a) * rpt_type_bytes(type) + 1);
    }
}

static void free_fields(struct fields *f)
{
    for (size_t i = 0; i < f->n; i++) {
        free(f->list[i].array.data);
    }
}

/* Sets all elements, or counts those that are others. */
static size_t each_element(struct field *f, int seed, bool sets)
{
    const rpt_checkpoint_array_t *a = &f->array;
    size_t bytes = rpt_type_bytes(a->type), n_wrong = 0;
    uint64_t n = volume_of(a);
    unsigned char *at = a->data;

    for (uint64_t i = 0; i < n; i++) {
        uint64_t rest = i, index = 0, stride = 1;

        for (int d = a->n_dims - 1; d >= 0; d--) {
            index += (a->start[d] + rest % a->count[d]) * stride;
            rest /= a->count[d];
            stride *= a->dims[d];
        }
        for (size_t k = 0; k < bytes; k++, at++) {
            unsigned char byte = byte_of(f->class, index, k, seed);

            n_wrong += *at != byte;
            *at = sets ? byte : *at;
        }
    }
    return n_wrong;
}

static void save_fields(rpt_group_t *group, const char *folder, int seed,
                        int how)
{
    struct fields *f = malloc(sizeof *f);
    rpt_checkpoint_t *c = NULL;

    make_fields(f, rpt_group_rank(group), rpt_group_size(group), how);
    WORKS(rpt_checkpoint_open(group, folder, "task", NULL, &c));
    for (size_t i = 0; i < f->n; i++) {
        each_element(&f->list[i], seed, true);
        WORKS(rpt_checkpoint_add_array(c, &f->list[i].array));
    }
    WORKS(rpt_checkpoint_save(c, (uint64_t)seed));
    rpt_checkpoint_close(c);
    free_fields(f);
    free(f);
}

static void restore_fields(rpt_group_t *group, const char *folder, int seed,
                           int how)
{
    struct fields *f = malloc(sizeof *f);
    rpt_checkpoint_t *c = NULL;
    uint64_t iteration = 0;

    make_fields(f, rpt_group_rank(group), rpt_group_size(group), how);
    WORKS(rpt_checkpoint_open(group, folder, "task", NULL, &c));
    for (size_t i = 0; i < f->n; i++) {
        memset(f->list[i].array.data, 0xee,
               (size_t)volume_of(&f->list[i].array));
        WORKS(rpt_checkpoint_add_array(c, &f->list[i].array));
    }
    WORKS(rpt_checkpoint_restore(c, &iteration));
    CHECK(iteration == (uint64_t)seed);
    for (size_t i = 0; i < f->n; i++) {
        if (!CHECK(each_element(&f->list[i], seed, false) == 0)) {
            fprintf(stderr, "%s is wrong\n", f->list[i].name);
        }
    }
    rpt_checkpoint_close(c);
    free_fields(f);
    free(f);
}

static void from_any_to_any(struct world *w)
{
    int most = w->size < 4 ? w->size : 4;

    for (int i = 0; i < most * most && w->size <= 4; i++) {
        int from = 1 + i / most, to = 1 + i % most, seed = from * 10 + to;
        rpt_group_t *savers = NULL, *restorers = NULL;

        WORKS(rpt_group_split(w->group, w->rank < from ? 0 : -1, w->rank,
                              &savers));
        WORKS(rpt_group_split(w->group, w->rank >= w->size - to ? 0 : -1,
                              w->rank, &restorers));
        if (savers != NULL) {
            save_fields(savers, w->folder, seed, i % 3);
        }
        meet(w);
        if (restorers != NULL) {
            restore_fields(restorers, w->folder, seed, (i + to) % 3);
        }
        meet(w);
        rpt_group_destroy(savers);
        rpt_group_destroy(restorers);
    }
}

static void any_number_of_ranks_restores_what_was_compressed(void)
{
    on_all(4,
           "io.checkpoint.compress=deflate io.checkpoint.keep=1 "
           "io.checkpoint.sync=no",
           from_any_to_any);
}

static void so_it_does_where_nodes_share_no_memory(void)
{
    on_all(4,
           "io.checkpoint.compress=deflate io.checkpoint.keep=1 "
           "io.checkpoint.sync=no topo.virtual_nodes=2 comm.shm=no",
           from_any_to_any);
}

/* ---- other settings, and what becomes of bytes ---- */

enum { ROWS = 64, COLUMNS = 4096 };

/* Rows of f64, all of one class. */
static void save_one(struct world *w, const char *task, const char *settings,
                     int class, uint64_t iteration)
{
    rpt_options_t *options = options_with(settings);
    struct field f = { .class = class };
    rpt_checkpoint_t *c = NULL;
    uint64_t at = 0;

    f.array = (rpt_checkpoint_array_t){ .size = sizeof f.array,
                                        .name = "u",
                                        .type = RPT_TYPE_F64,
                                        .n_dims = 2,
                                        .dims = { ROWS, COLUMNS } };
    divide(&f.array, w->rank, w->size, 0);
    f.array.data = malloc((size_t)volume_of(&f.array) * 8 + 1);
    WORKS(rpt_checkpoint_open(w->group, w->folder, task, options, &c));
    WORKS(rpt_checkpoint_add_array(c, &f.array));
    if (iteration > 1) {
        WORKS(rpt_checkpoint_restore(c, &at));
        CHECK(at == iteration - 1);
        CHECK(each_element(&f, (int)at, false) == 0);
    }
    each_element(&f, (int)iteration, true);
    WORKS(rpt_checkpoint_save(c, iteration));
    rpt_checkpoint_close(c);
    rpt_options_destroy(options);
    free(f.array.data);
}

static void change_settings(struct world *w)
{
    static const char *const settings[] = {
        "io.checkpoint.compress=deflate",
        "io.checkpoint.compress=none",
        "io.checkpoint.compress=deflate io.checkpoint.compress_level=9",
        "io.checkpoint.compress=deflate io.checkpoint.compress_level=6",
    };

    for (uint64_t i = 1; i <= 4; i++) {
        save_one(w, "task", settings[i - 1], RAMP, i);
    }
}

static void each_restores_what_the_other_setting_saved(void)
{
    on_all(1, NULL, change_settings);
}

/* The structure is made once, and used again. */
static void save_twice(struct world *w)
{
    double *values = calloc(ROWS * COLUMNS, sizeof *values);
    rpt_checkpoint_t *c = NULL;
    uint64_t iteration = 0;

    WORKS(rpt_checkpoint_open(w->group, w->folder, "task", NULL, &c));
    WORKS(
        rpt_checkpoint_add_value(c, "v", RPT_TYPE_F64, ROWS * COLUMNS, values));
    for (uint64_t i = 1; i <= 2; i++) {
        for (size_t k = 0; k < ROWS * COLUMNS; k++) {
            values[k] = (double)(k * i);
        }
        WORKS(rpt_checkpoint_save(c, i));
    }
    memset(values, 0, ROWS * COLUMNS * sizeof *values);
    WORKS(rpt_checkpoint_restore(c, &iteration));
    CHECK(iteration == 2);
    for (size_t k = 0; k < ROWS * COLUMNS; k++) {
        if (values[k] < (double)(2 * k) || values[k] > (double)(2 * k)) {
            CHECK(false);
            break;
        }
    }
    rpt_checkpoint_close(c);
    free(values);
}

/* Of 300 007 numbers, cut into as many blocks as there are ranks. */
static void save_uneven(struct world *w)
{
    struct field f = { .class = RAMP };
    rpt_checkpoint_t *c = NULL;
    uint64_t at = 0;

    f.array = (rpt_checkpoint_array_t){ .size = sizeof f.array,
                                        .name = "u",
                                        .type = RPT_TYPE_I64,
                                        .n_dims = 1,
                                        .dims = { 300007 } };
    divide(&f.array, w->rank, w->size, 0);
    f.array.data = malloc((size_t)volume_of(&f.array) * 8 + 1);
    each_element(&f, 3, true);
    WORKS(rpt_checkpoint_open(w->group, w->folder, "task", NULL, &c));
    WORKS(rpt_checkpoint_add_array(c, &f.array));
    WORKS(rpt_checkpoint_save(c, 1));
    memset(f.array.data, 0, (size_t)volume_of(&f.array) * 8);
    WORKS(rpt_checkpoint_restore(c, &at));
    CHECK(each_element(&f, 3, false) == 0);
    rpt_checkpoint_close(c);
    free(f.array.data);
}

static bool is_cut(const struct world *w)
{
    const rpt_stored_dataset_t *set = NULL;
    const rpt_catalog_entry_t *entry = NULL;
    rpt_catalog_t *catalog = NULL;
    rpt_stored_t *stored = NULL;
    bool cut = false;

    WORKS(rpt_catalog_open(w->folder, &catalog));
    WORKS(rpt_catalog_entry(catalog, 0, &entry));
    WORKS(rpt_stored_open(catalog, entry, &stored));
    for (size_t i = 0; rpt_stored_dataset(stored, i, &set) == RPT_OK; i++) {
        if (strcmp(set->name, "u") == 0) {
            cut = set->chunk[0] > 0;
            CHECK(cut == (set->stored_bytes < set->bytes));
        }
    }
    rpt_stored_close(stored);
    rpt_catalog_close(catalog);
    return cut;
}

static void save_on_a_node(struct world *w)
{
    save_uneven(w);
    CHECK(w->rank > 0 || is_cut(w));
}

static void save_on_four(struct world *w)
{
    save_uneven(w);
    CHECK(w->rank > 0 || w->size > 4 || !is_cut(w));
}

static void blocks_of_a_node_are_put_together_to_be_cut(void)
{
    on_all(1, "io.checkpoint.compress=deflate", save_on_a_node);
}

static void what_no_chunks_fit_stays_in_one_piece(void)
{
    on_all(4, "io.checkpoint.compress=deflate topo.virtual_nodes=4",
           save_on_four);
}

static void measure(struct world *w)
{
    uint64_t raw = ROWS * COLUMNS * 8;

    save_one(w, "constant", "io.checkpoint.compress=deflate", CONSTANT, 1);
    save_one(w, "ramp", "io.checkpoint.compress=deflate", RAMP, 1);
    save_one(w, "noise", "io.checkpoint.compress=deflate", NOISE, 1);
    if (w->rank == 0) {
        CHECK(room_of(w, "constant") < raw / 20);
        CHECK(room_of(w, "ramp") < raw / 10);
        CHECK(room_of(w, "noise") < raw + raw / 20);
        CHECK(room_of(w, "noise") > raw - raw / 20);
    }
}

static void only_noise_keeps_its_size_on_the_disk(void)
{
    on_all(1, NULL, measure);
}

static void refuse_collective(struct world *w)
{
    rpt_checkpoint_t *c = NULL;

    FAILS(RPT_ERR_UNSUPPORTED, "collective does not compress",
          rpt_checkpoint_open(w->group, w->folder, "task", NULL, &c));
}

static void the_collective_engine_does_not_compress(void)
{
    on_all(1, "io.checkpoint.compress=deflate io.checkpoint.engine=collective",
           refuse_collective);
}

static void values_in_chunks_are_saved_again(void)
{
    on_all(1, "io.checkpoint.compress=deflate", save_twice);
}

/* ---- damage ---- */

static void flip_file(const char *task, const char *name, const char *file)
{
    off_t step = rpt_test_is_short() ? 17 : 1;
    char path[2048];
    unsigned char byte;
    struct stat found;
    int fd;

    snprintf(path, sizeof path, "%s/%s/%s", task, name, file);
    fd = open(path, O_RDWR);
    CHECK(fd >= 0 && fstat(fd, &found) == 0);
    for (off_t at = 0; at < found.st_size; at += step) {
        CHECK(pread(fd, &byte, 1, at) == 1);
        byte ^= (unsigned char)(1 << at % 8);
        CHECK(pwrite(fd, &byte, 1, at) == 1);
        if (!CHECK(verdict(task, name) == RPT_ERR_CORRUPT)) {
            fprintf(stderr, "%s, byte %lld\n", file, (long long)at);
        }
        byte ^= (unsigned char)(1 << at % 8);
        CHECK(pwrite(fd, &byte, 1, at) == 1);
    }
    close(fd);
    CHECK(verdict(task, name) == RPT_OK);
}

static void flip_all(struct world *w)
{
    static uint16_t values[33000];
    rpt_checkpoint_t *c = NULL;
    char *name, task[512];

    if (w->size > 1) {
        return;
    }
    for (size_t i = 0; i < 33000; i++) {
        values[i] = (uint16_t)(i / 7);
    }
    WORKS(rpt_checkpoint_open(w->group, w->folder, "task", NULL, &c));
    WORKS(rpt_checkpoint_add_value(c, "v", RPT_TYPE_U16, 33000, values));
    WORKS(rpt_checkpoint_save(c, 1));
    rpt_checkpoint_close(c);
    name = nth_newest(w, "task", 0);
    snprintf(task, sizeof task, "%s/task", w->folder);
    flip_file(task, name, "MANIFEST.json");
    flip_file(task, name, "blocks.xxh");
    flip_file(task, name, "state.h5");
    free(name);
}

static void every_byte_that_changes_in_a_compressed_one_is_found(void)
{
    on_all(1, "io.checkpoint.compress=deflate io.checkpoint.sync=no", flip_all);
}

const struct rpt_test packing_tests[] = {
    RPT_TEST(any_number_of_ranks_restores_what_was_compressed),
    RPT_TEST(so_it_does_where_nodes_share_no_memory),
    RPT_TEST(each_restores_what_the_other_setting_saved),
    RPT_TEST(values_in_chunks_are_saved_again),
    RPT_TEST(blocks_of_a_node_are_put_together_to_be_cut),
    RPT_TEST(what_no_chunks_fit_stays_in_one_piece),
    RPT_TEST(only_noise_keeps_its_size_on_the_disk),
    RPT_TEST(the_collective_engine_does_not_compress),
    RPT_TEST(every_byte_that_changes_in_a_compressed_one_is_found),
    RPT_TEST_END,
};
