/*
 * chunks.c - how datasets are cut, and what a slot may hold; without ranks
 */
#include "tables.h"

#include "io/checkpoint/chunks.h"
#include "io/checkpoint/cut.h"
#include "io/checkpoint/deflate.h"
#include "io/hdf5/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- which chunks ---- */

struct cut_case {
    rpt_type_t type;
    int n_dims;
    uint64_t dims[3];
    int n_boxes;
    struct rpt_box boxes[4];
    uint64_t chunk[3]; /* 0: stays in one piece */
};

static const struct cut_case cases[] = {
    /* one rank: rows of about a MiB */
    { RPT_TYPE_F64,
      2,
      { 1000, 1024 },
      1,
      { { { 0 }, { 1000, 1024 } } },
      { 128, 1024 } },
    { RPT_TYPE_F64,
      1,
      { 1 << 20 },
      1,
      { { { 0 }, { 1 << 20 } } },
      { 1 << 17 } },
    /* rows of two ranks: what divides 300 */
    { RPT_TYPE_F64,
      2,
      { 600, 1024 },
      2,
      { { { 0 }, { 300, 1024 } }, { { 300, 0 }, { 300, 1024 } } },
      { 150, 1024 } },
    /* the end of the array may cut a chunk */
    { RPT_TYPE_F64,
      2,
      { 500, 1024 },
      2,
      { { { 0 }, { 300, 1024 } }, { { 300, 0 }, { 200, 1024 } } },
      { 150, 1024 } },
    /* columns: no longer than a rank has */
    { RPT_TYPE_F64,
      2,
      { 1024, 512 },
      2,
      { { { 0 }, { 1024, 256 } }, { { 0, 256 }, { 1024, 256 } } },
      { 512, 256 } },
    /* a rank with nothing counts nothing */
    { RPT_TYPE_F64,
      2,
      { 1000, 1024 },
      2,
      { { { 0 }, { 1000, 1024 } }, { { 7, 7 }, { 0, 3 } } },
      { 128, 1024 } },
    /* prime numbers of elements: no chunk is large enough */
    { RPT_TYPE_F64,
      1,
      { 100000 },
      2,
      { { { 0 }, { 49999 } }, { { 49999 }, { 50001 } } },
      { 49999 } },
    { RPT_TYPE_F64,
      1,
      { 1000000 },
      3,
      { { { 0 }, { 333333 } },
        { { 333333 }, { 333334 } },
        { { 666667 }, { 333333 } } },
      { 0 } },
    /* small ones stay as they are */
    { RPT_TYPE_U8, 1, { 65535 }, 1, { { { 0 }, { 65535 } } }, { 0 } },
    { RPT_TYPE_U8, 1, { 65536 }, 1, { { { 0 }, { 65536 } } }, { 65536 } },
    { RPT_TYPE_F64, 2, { 0, 1024 }, 1, { { { 0 }, { 0, 1024 } } }, { 0 } },
    /* long rows are cut themselves */
    { RPT_TYPE_F64,
      3,
      { 4, 2048, 2048 },
      1,
      { { { 0 }, { 4, 2048, 2048 } } },
      { 1, 64, 2048 } },
};

static struct rpt_dataset dataset_of(const struct cut_case *c)
{
    struct rpt_dataset set = { .type = c->type, .n_dims = c->n_dims };

    set.bytes = rpt_type_bytes(c->type);
    for (int d = 0; d < c->n_dims; d++) {
        set.dims[d] = c->dims[d];
        set.bytes *= c->dims[d];
    }
    return set;
}

static void chunks_end_where_the_boxes_of_ranks_do(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct cut_case *c = &cases[i];
        struct rpt_dataset set = dataset_of(c);
        bool same;

        WORKS(rpt__cut(&set, c->boxes, (size_t)c->n_boxes));
        same = (set.slots == NULL) == (c->chunk[0] == 0);
        for (int d = 0; same && set.slots != NULL && d < c->n_dims; d++) {
            same = set.slots->chunk[d] == c->chunk[d];
        }
        if (!CHECK(same)) {
            fprintf(stderr, "case %zu: chunk %llu x %llu\n", i,
                    set.slots != NULL ? (unsigned long long)set.slots->chunk[0]
                                      : 0,
                    set.slots != NULL ? (unsigned long long)set.slots->chunk[1]
                                      : 0);
        }
        for (int b = 0; b < c->n_boxes && set.slots != NULL; b++) {
            CHECK(rpt__box_is_empty(&c->boxes[b], c->n_dims) ||
                  rpt__chunks_fit(&set, &c->boxes[b]));
        }
        rpt__chunk_slots_free(set.slots);
    }
}

/* ---- a file with one dataset in two chunks ---- */

enum { N = 50000, CHUNK = 30000, BEGIN = 512 };

struct file {
    struct rpt_dir dir;
    struct rpt_dataset set;
    int fd;
};

static struct file make_file(void)
{
    static char name[] = "u", path[] = "memory";
    static const uint64_t chunk[] = { CHUNK };
    struct file f = { .dir = { .path = path },
                      .set = { .name = name,
                               .type = RPT_TYPE_I32,
                               .n_dims = 1,
                               .dims = { N },
                               .bytes = 4 * N } };

    f.set.slots = rpt__chunk_slots_create(&f.set, chunk);
    f.set.slots->bytes = rpt__deflate_bound(4 * CHUNK);
    WORKS(rpt__chunk_slots_add(f.set.slots, BEGIN, 2));
    f.fd = memfd_create("chunks", MFD_CLOEXEC);
    CHECK(f.fd >= 0 &&
          ftruncate(f.fd, (off_t)(BEGIN + 2 * f.set.slots->bytes)) == 0);
    return f;
}

static void free_file(struct file *f)
{
    rpt__chunk_slots_free(f->set.slots);
    close(f->fd);
}

/* Random numbers up to a limit: how well they compress differs. */
static void fill(int32_t *values, int32_t limit)
{
    uint32_t x = 1;

    for (size_t i = 0; i < N; i++) {
        x = x * 1664525 + 1013904223;
        values[i] = (int32_t)(x >> 1) % limit;
    }
}

static void write_values(const struct file *f, const int32_t *values,
                         bool is_used, uint64_t words[4])
{
    struct rpt_pack_target target = { .dir = &f->dir,
                                      .fd = f->fd,
                                      .is_used = is_used };
    struct rpt_box whole = { { 0 }, { N } };
    struct rpt_packer *packer = NULL;

    WORKS(rpt__packer_create(1, &packer));
    WORKS(rpt__pack_box(packer, &target, &f->set, &whole, (const char *)values,
                        words));
    rpt__packer_destroy(packer);
}

static rpt_status_t verify(const struct file *f, const uint64_t words[4])
{
    const char *why = NULL;
    rpt_status_t status = rpt__slot_verify(&f->dir, f->fd, f->set.slots, 0,
                                           words[0], words[1], &why);

    return status == RPT_OK ? rpt__slot_verify(&f->dir, f->fd, f->set.slots, 1,
                                               words[2], words[3], &why)
                            : status;
}

static void a_slot_is_used_again_for_less(void)
{
    static int32_t values[N], again[N];
    static const int32_t limits[] = { INT32_MAX, 3, 1000, 2 };
    struct file f = make_file();
    struct rpt_box whole = { { 0 }, { N } };
    struct rpt_box_memory memory = { again, whole };
    uint64_t words[4] = { 0 };

    for (size_t i = 0; i < 4; i++) {
        fill(values, limits[i]);
        write_values(&f, values, i > 0, words);
        CHECK(verify(&f, words) == RPT_OK);
        memset(again, 1, sizeof again);
        WORKS(rpt__unpack_box(&f.dir, f.fd, &f.set, &whole, &memory));
        CHECK(memcmp(values, again, sizeof values) == 0);
    }
    /* Were the slots not cleared, this would be found. */
    fill(values, INT32_MAX);
    write_values(&f, values, true, words);
    fill(values, 2);
    write_values(&f, values, false, words);
    CHECK(verify(&f, words) == RPT_ERR_CORRUPT);
    free_file(&f);
}

/* A stream of so many zeros, of which most is in a few bytes. */
static void put_zeros(const struct file *f, size_t bytes)
{
    char *zeros = calloc(1, bytes), *stream = malloc(bytes + 65536);
    struct rpt_deflater *deflater = NULL;
    size_t stored = 0;

    WORKS(rpt__deflater_create(9, &deflater));
    WORKS(rpt__deflate(deflater, zeros, bytes, 1, stream, bytes + 65536,
                       &stored));
    CHECK(stored < f->set.slots->bytes);
    CHECK(pwrite(f->fd, stream, stored, BEGIN) == (ssize_t)stored);
    rpt__deflater_destroy(deflater);
    free(zeros);
    free(stream);
}

static void a_slot_gives_just_the_bytes_of_its_chunk(void)
{
    static int32_t to[N];
    struct file f = make_file();
    struct rpt_box first = { { 0 }, { CHUNK } };
    struct rpt_box_memory memory = { to, first };

    put_zeros(&f, 4 * CHUNK);
    WORKS(rpt__unpack_box(&f.dir, f.fd, &f.set, &first, &memory));
    put_zeros(&f, 4 * CHUNK - 1);
    FAILS(RPT_ERR_CORRUPT, "no stream of zlib of 120000 bytes",
          rpt__unpack_box(&f.dir, f.fd, &f.set, &first, &memory));
    put_zeros(&f, 4 * CHUNK + 1);
    FAILS(RPT_ERR_CORRUPT, "no stream of zlib of 120000 bytes",
          rpt__unpack_box(&f.dir, f.fd, &f.set, &first, &memory));
    put_zeros(&f, 20 << 20);
    FAILS(RPT_ERR_CORRUPT, "no stream of zlib of 120000 bytes",
          rpt__unpack_box(&f.dir, f.fd, &f.set, &first, &memory));
    /* No stream at all, and one that is torn. */
    first.start[0] = CHUNK;
    first.count[0] = N - CHUNK;
    FAILS(RPT_ERR_CORRUPT, "chunk 1 of u",
          rpt__unpack_box(&f.dir, f.fd, &f.set, &first, &memory));
    free_file(&f);
}

/* Planes that are stored as they are, between others that are not. */
static void noise_between_other_bytes_comes_back(void)
{
    enum { BYTES = 8 << 17 };
    char *plain = malloc(BYTES), *shuffled = malloc(BYTES);
    char *again = malloc(BYTES);
    size_t room = (size_t)rpt__deflate_bound(BYTES), stored = 0;
    char *stream = malloc(room);
    struct rpt_deflater *deflater = NULL;
    struct rpt_inflater *inflater = NULL;
    uint32_t x = 1;

    WORKS(rpt__deflater_create(1, &deflater));
    WORKS(rpt__inflater_create(&inflater));
    for (int planes = 0; planes < 256; planes += 7) { /* bit b: noise in b */
        for (size_t i = 0; i < BYTES; i++) {
            x = x * 1664525 + 1013904223;
            plain[i] = (char)((planes >> i % 8 & 1) != 0 ? x >> 24 : i >> 12);
        }
        rpt__shuffle(plain, BYTES, 8, shuffled);
        WORKS(
            rpt__deflate(deflater, shuffled, BYTES, 8, stream, room, &stored));
        CHECK(stored <= room);
        WORKS(rpt__inflate_begin(inflater, again, BYTES));
        CHECK(rpt__inflate(inflater, stream, stored) == RPT_OK);
        CHECK(memcmp(again, shuffled, BYTES) == 0);
        rpt__unshuffle(shuffled, BYTES, 8, again);
        CHECK(memcmp(again, plain, BYTES) == 0);
    }
    rpt__deflater_destroy(deflater);
    rpt__inflater_destroy(inflater);
    free(plain);
    free(shuffled);
    free(again);
    free(stream);
}

/* ---- HDF5 ---- */

enum { SLOT = 135168, N_SLOTS = 3000 };

struct slots {
    struct rpt_hdf5_run runs[16];
    size_t n_runs;
    uint64_t n;
};

static rpt_status_t note_slot(void *user, size_t index, uint64_t offset)
{
    struct slots *s = user;
    struct rpt_hdf5_run *last = &s->runs[s->n_runs > 0 ? s->n_runs - 1 : 0];

    CHECK(index == 1 && offset % 4096 == 0);
    if (s->n_runs == 0 || offset != last->offset + last->n * SLOT) {
        CHECK(s->n_runs < 16);
        last = &s->runs[s->n_runs++];
        last->offset = offset;
    }
    last->n++;
    s->n++;
    return RPT_OK;
}

static void forget_nothing(void *user)
{
    (void)user;
}

/* A file of 400 MB, of which some 200 KiB are on the disk. */
static void hdf5_has_each_slot_where_it_said(void)
{
    struct slots slots = { .n = 0 };
    struct rpt_hdf5_dataset sets[2] = { { .name = "v", .type = RPT_TYPE_F64 },
                                        { .name = "g/u",
                                          .type = RPT_TYPE_F64,
                                          .n_dims = 2,
                                          .dims = { N_SLOTS, 16000 },
                                          .slot_bytes = SLOT,
                                          .chunk = { 1, 16000 } } };
    struct rpt_hdf5_shape shape = { .datasets = sets,
                                    .n_datasets = 2,
                                    .level = 1,
                                    .placed = note_slot,
                                    .user = &slots };
    char path[] = "/tmp/rpt-slots-XXXXXX";
    const struct rpt_hdf5_ops *hdf5 = NULL;
    rpt_options_t *options = options_with(NULL);
    struct stat file;

    close(mkstemp(path));
    WORKS(rpt__hdf5_load(options, &hdf5));
    CHECK(hdf5->make(path, &shape, forget_nothing, NULL) == RPT_OK);
    CHECK(slots.n == N_SLOTS);
    CHECK(stat(path, &file) == 0 && file.st_size > N_SLOTS * SLOT &&
          file.st_blocks * 512 < N_SLOTS * 256);
    sets[1].runs = slots.runs;
    sets[1].n_runs = slots.n_runs;
    CHECK(hdf5->check(path, sets, 2) == RPT_OK);
    slots.runs[slots.n_runs - 1].offset += 4096;
    CHECK(hdf5->check(path, sets, 2) == RPT_ERR_CORRUPT);
    CHECK(strstr(hdf5->why(), "at another place") != NULL);
    slots.runs[slots.n_runs - 1].offset -= 4096;
    sets[1].slot_bytes += 4096;
    CHECK(hdf5->check(path, sets, 2) == RPT_ERR_CORRUPT);
    sets[1].slot_bytes -= 4096;
    sets[1].chunk[1] = 8000;
    CHECK(hdf5->check(path, sets, 2) == RPT_ERR_CORRUPT);
    CHECK(strstr(hdf5->why(), "has not the chunks") != NULL);
    sets[1].slot_bytes = 0;
    CHECK(hdf5->check(path, sets, 2) == RPT_ERR_CORRUPT);
    CHECK(strstr(hdf5->why(), "is not in one piece") != NULL);
    unlink(path);
    rpt_options_destroy(options);
}

const struct rpt_test chunks_tests[] = {
    RPT_TEST(chunks_end_where_the_boxes_of_ranks_do),
    RPT_TEST(a_slot_is_used_again_for_less),
    RPT_TEST(a_slot_gives_just_the_bytes_of_its_chunk),
    RPT_TEST(hdf5_has_each_slot_where_it_said),
    RPT_TEST(noise_between_other_bytes_comes_back),
    RPT_TEST_END,
};
