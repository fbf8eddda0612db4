/*
 * forge.c - files that somebody made to harm, with checksums that fit
 *
 * HDF5 itself changes state.h5; then one part covers all its bytes.
 */
#include "make.h"

#include "io/checkpoint/commit.h"

#include <hdf5.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- what is done to the file ---- */

static void add_nothing(hid_t file)
{
    (void)file;
}

static void add_soft_link(hid_t file)
{
    H5Lcreate_soft("/nowhere/at/all", file, "soft", H5P_DEFAULT, H5P_DEFAULT);
}

static void add_external_link(hid_t file)
{
    H5Lcreate_external("/etc/passwd", "/x", file, "flow/outside", H5P_DEFAULT,
                       H5P_DEFAULT);
}

/* A dataset u of 8 numbers, with these creation properties. */
static void add_dataset(hid_t file, const char *name, hid_t how)
{
    hsize_t eight = 8;
    hid_t space = H5Screate_simple(1, &eight, NULL);
    hid_t set = H5Dcreate2(file, name, H5T_NATIVE_DOUBLE, space, H5P_DEFAULT,
                           how, H5P_DEFAULT);

    H5Dclose(set);
    H5Sclose(space);
}

static void add_external_storage(hid_t file)
{
    hid_t how = H5Pcreate(H5P_DATASET_CREATE);

    H5Pset_external(how, "/etc/passwd", 0, 64);
    add_dataset(file, "outside", how);
    H5Pclose(how);
}

static void add_virtual(hid_t file)
{
    hsize_t eight = 8;
    hid_t how = H5Pcreate(H5P_DATASET_CREATE);
    hid_t space = H5Screate_simple(1, &eight, NULL);

    H5Pset_virtual(how, space, "../../other/state.h5", "u", space);
    add_dataset(file, "outside", how);
    H5Sclose(space);
    H5Pclose(how);
}

static void add_virtual_inside(hid_t file)
{
    hsize_t eight = 8;
    hid_t how = H5Pcreate(H5P_DATASET_CREATE);
    hid_t space = H5Screate_simple(1, &eight, NULL);

    H5Pset_virtual(how, space, ".", "time", space);
    add_dataset(file, "inside", how);
    H5Sclose(space);
    H5Pclose(how);
}

static size_t no_filter(unsigned flags, size_t n, const unsigned values[],
                        size_t bytes, size_t *room, void **data)
{
    (void)flags;
    (void)n;
    (void)values;
    (void)room;
    (void)data;
    return bytes;
}

static void add_plug_in(hid_t file)
{
    static const H5Z_class2_t filter = { .version = H5Z_CLASS_T_VERS,
                                         .id = 32123,
                                         .encoder_present = 1,
                                         .decoder_present = 1,
                                         .name = "foreign",
                                         .filter = no_filter };
    hsize_t eight = 8;
    hid_t how = H5Pcreate(H5P_DATASET_CREATE);

    H5Zregister(&filter);
    H5Pset_chunk(how, 1, &eight);
    H5Pset_filter(how, 32123, H5Z_FLAG_OPTIONAL, 0, NULL);
    add_dataset(file, "filtered", how);
    H5Pclose(how);
}

static void add_extra(hid_t file)
{
    add_dataset(file, "extra", H5P_DEFAULT);
}

static void remove_time(hid_t file)
{
    H5Ldelete(file, "time", H5P_DEFAULT);
}

static void change_shape(hid_t file)
{
    remove_time(file);
    add_dataset(file, "time", H5P_DEFAULT);
}

static void add_time(hid_t file, hid_t type)
{
    hid_t space = H5Screate(H5S_SCALAR), set;
    hid_t how = H5Pcreate(H5P_DATASET_CREATE);

    H5Pset_alloc_time(how, H5D_ALLOC_TIME_EARLY);
    set = H5Dcreate2(file, "new", type, space, H5P_DEFAULT, how, H5P_DEFAULT);
    H5Dclose(set);
    remove_time(file);
    H5Lmove(file, "new", file, "time", H5P_DEFAULT, H5P_DEFAULT);
    H5Sclose(space);
    H5Pclose(how);
}

static void change_type(hid_t file)
{
    add_time(file, H5T_NATIVE_INT64);
}

static void move(hid_t file)
{
    add_time(file, H5T_NATIVE_DOUBLE);
}

static void link_twice(hid_t file)
{
    H5Lcreate_hard(file, "time", file, "again", H5P_DEFAULT, H5P_DEFAULT);
}

static const struct {
    const char *kind;
    void (*change)(hid_t file);
} changes[] = {
    { "external-link", add_external_link },
    { "external-storage", add_external_storage },
    { "virtual", add_virtual },
    { "virtual-inside", add_virtual_inside },
    { "plug-in", add_plug_in },
    { "extra", add_extra },
    { "missing", remove_time },
    { "shape", change_shape },
    { "type", change_type },
    { "place", move },
    { "twice", link_twice },
    { "garbage", NULL },
    /* no harm */
    { "soft-link", add_soft_link },
    /* the last bytes without a checksum */
    { "uncovered", add_nothing },
};

const char *const forged_kinds[] = {
    "external-link", "external-storage", "virtual", "virtual-inside", "plug-in",
    "extra",         "missing",          "shape",   "type",           "place",
    "twice",         "garbage",          NULL
};

/* ---- checksums that fit ---- */

static char *read_all(const char *path, size_t *bytes_out)
{
    FILE *file = fopen(path, "r");
    char *data;

    fseek(file, 0, SEEK_END);
    *bytes_out = (size_t)ftell(file);
    rewind(file);
    data = malloc(*bytes_out + 1);
    *bytes_out = fread(data, 1, *bytes_out, file);
    data[*bytes_out] = '\0';
    fclose(file);
    return data;
}

static void write_all(const char *path, const char *data, size_t bytes)
{
    FILE *file = fopen(path, "w");

    fwrite(data, 1, bytes, file);
    fclose(file);
}

enum { MOST_PARTS = 64, MOST_BLOCKS = 256 };

/* All bytes up to `covered`, as parts of datasets and of the rest. */
struct covering {
    struct rpt_part parts[MOST_PARTS];
    size_t n_parts;
    uint64_t hashes[MOST_BLOCKS];
    size_t n_hashes;
};

static void cover(struct covering *c, uint32_t set, struct rpt_box box,
                  const char *data, uint64_t bytes)
{
    if (bytes == 0) {
        return;
    }
    c->parts[c->n_parts++] = (struct rpt_part){ set, box };
    for (uint64_t at = 0; at < bytes; at += RPT_BLOCK_BYTES) {
        uint64_t left = bytes - at;

        c->hashes[c->n_hashes++] = rpt__hash64(
            data + at, left < RPT_BLOCK_BYTES ? (size_t)left : RPT_BLOCK_BYTES,
            0);
    }
}

static void cover_raw(struct covering *c, const char *data, uint64_t from,
                      uint64_t end)
{
    if (end > from) {
        cover(c, RPT_RAW, (struct rpt_box){ { from }, { end - from } },
              data + from, end - from);
    }
}

/* The dataset that begins first at or behind `at`; NULL: there is none. */
static const struct rpt_dataset *next_set(const struct rpt_manifest *m,
                                          uint64_t at)
{
    const struct rpt_dataset *next = NULL;

    for (size_t i = 0; i < m->n_datasets; i++) {
        const struct rpt_dataset *set = &m->datasets[i];

        if (set->bytes > 0 && set->offset >= at &&
            (next == NULL || set->offset < next->offset)) {
            next = set;
        }
    }
    return next;
}

static void cover_all(struct covering *c, const struct rpt_manifest *m,
                      const char *data, uint64_t covered)
{
    const struct rpt_dataset *set;
    uint64_t at = 0;

    for (; (set = next_set(m, at)) != NULL; at = set->offset + set->bytes) {
        struct rpt_box box = { { 0 }, { 0 } };

        memcpy(box.count, set->dims, sizeof box.count);
        cover_raw(c, data, at, set->offset);
        cover(c, (uint32_t)(set - m->datasets), box, data + set->offset,
              set->bytes);
    }
    cover_raw(c, data, at, covered);
}

static void make_blocks(const struct rpt_manifest *m, const char *data,
                        uint64_t covered, struct rpt_buf *out)
{
    struct covering c = { .n_parts = 0 };
    uint32_t n = (uint32_t)m->n_ranks;
    uint64_t *offsets = calloc(n, sizeof *offsets);
    uint64_t *lengths = calloc(n, sizeof *lengths);
    uint64_t at = RPT_BLOCKS_HEAD_BYTES + 16 * (uint64_t)n;

    cover_all(&c, m, data, covered);
    for (uint32_t w = 0; w < n; w++) {
        lengths[w] = rpt__section_bytes(m->datasets, c.parts,
                                        w == 0 ? c.n_parts : 0);
        offsets[w] = at;
        at += lengths[w];
    }
    rpt__blocks_head(rpt__format_version(m->datasets, m->n_datasets), m->id, n,
                     offsets, lengths, out);
    for (uint32_t w = 0; w < n; w++) {
        rpt__section_write(m->id, w, 0, m->datasets, c.parts,
                           w == 0 ? c.n_parts : 0, c.hashes, out);
    }
    free(offsets);
    free(lengths);
}

/* left_out: bytes at the end that have no checksum. */
static void seal(const char *folder, uint64_t left_out)
{
    struct rpt_buf blocks = RPT_BUF_EMPTY, text = RPT_BUF_EMPTY;
    struct rpt_manifest m;
    char path[PATH_MAX], *data, *old;
    size_t bytes, old_bytes;

    snprintf(path, sizeof path, "%s/state.h5", folder);
    data = read_all(path, &bytes);
    snprintf(path, sizeof path, "%s/MANIFEST.json", folder);
    old = read_all(path, &old_bytes);
    if (rpt__manifest_read(path, old, old_bytes, false, &m) != RPT_OK) {
        abort();
    }
    m.file_bytes = bytes;
    make_blocks(&m, data, bytes - left_out, &blocks);
    m.blocks_bytes = blocks.bytes;
    m.blocks_digest = rpt__digest(blocks.data, blocks.bytes);
    rpt__manifest_write(&m, false, &text);
    write_all(path, text.data, text.bytes);
    snprintf(path, sizeof path, "%s/blocks.xxh", folder);
    write_all(path, blocks.data, blocks.bytes);
    rpt__manifest_free(&m);
    rpt__buf_free(&blocks);
    rpt__buf_free(&text);
    free(old);
    free(data);
}

bool forge(const char *kind, const char *folder)
{
    char path[PATH_MAX];

    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        hid_t file;

        if (strcmp(kind, changes[i].kind) != 0) {
            continue;
        }
        snprintf(path, sizeof path, "%s/state.h5", folder);
        if (changes[i].change == NULL) {
            size_t bytes;
            char *data = read_all(path, &bytes);

            memset(data + 16, 0xff, 200); /* behind the first signature */
            write_all(path, data, bytes);
            free(data);
        } else {
            file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
            changes[i].change(file);
            H5Fclose(file);
        }
        seal(folder, strcmp(kind, "uncovered") == 0 ? 8 : 0);
        return true;
    }
    return false;
}
