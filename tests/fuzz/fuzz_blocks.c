/*
 * fuzz_blocks.c - files of checksums made of any bytes
 *
 * The first byte of the input says what the rest is:
 *
 *   bits 0, 1   ranks, less one
 *   bit 2       set: blocks.xxh itself; else changes of a right one, each an
 *               offset (2 bytes) and a byte
 *   bit 3       set: as it stands; else all lengths, hashes and seals are made
 *               right, as anybody can
 *   bit 4       set: 6 bytes of extents of the array come first, each the
 *               exponent of a power of two
 *   bit 5       set: the array is in chunks; 3 bytes of their extents and one
 *               of their number of bytes come first
 *
 * Parts that are believed lie in their datasets and cover them, and what is
 * then read of the file (all zeros) ends well or with an error.
 *
 * fuzz-sources: src/base io/checkpoint/blocks.c io/checkpoint/box.c
 * fuzz-sources: io/checkpoint/manifest.c io/checkpoint/dir.c
 * fuzz-sources: io/checkpoint/verify.c io/checkpoint/routes.c
 * fuzz-sources: io/checkpoint/slots.c io/checkpoint/unpack.c
 * fuzz-sources: io/checkpoint/deflate.c io/checkpoint/commit.c
 * fuzz-sources: io/checkpoint/retain.c io/checkpoint/found.c
 * fuzz-packages: libxxhash jansson zlib
 */
#include "base/error.h"
#include "io/checkpoint/checkpoint_priv.h"
#include "io/checkpoint/chunks.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

enum { ID = 77, RAW_BYTES = 96, N_DIMS = 3, ARRAY_BYTES = 4 * 6 * 8 * 8 };

static void must(bool good)
{
    if (!good) {
        abort();
    }
}

/* ---- a file of zeros ---- */

static char folder[256];
static struct rpt_dir dir = RPT_DIR_CLOSED;
static int state_fd = -1;

static void remove_folder(void)
{
    rpt__dir_remove(&dir, RPT_STATE_FILE);
    rmdir(folder);
}

static void make_folder(void)
{
    if (folder[0] != '\0') {
        must(ftruncate(state_fd, RAW_BYTES + ARRAY_BYTES) == 0);
        return;
    }
    snprintf(folder, sizeof folder, "%s/rpt-fuzz-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    must(mkdtemp(folder) != NULL);
    must(rpt__dir_open_path(folder, &dir) == RPT_OK);
    must(rpt__dir_create(&dir, RPT_STATE_FILE, &state_fd) == RPT_OK);
    must(ftruncate(state_fd, RAW_BYTES + ARRAY_BYTES) == 0);
    atexit(remove_folder);
}

/* ---- a right one ---- */

static char array[] = "u", scalar[] = "v", text[] = "";

static struct rpt_dataset sets[] = {
    { array,
      RPT_ITEM_ARRAY,
      RPT_TYPE_F64,
      N_DIMS,
      { 4, 6, 8 },
      false,
      RAW_BYTES,
      ARRAY_BYTES,
      NULL },
    { scalar, RPT_ITEM_VALUE, RPT_TYPE_I32, 1, { 1 }, true, 8, 4, NULL },
};

/* Of all blocks; what is stored of a chunk is said to be one byte. */
static size_t add_words(const struct rpt_dataset *mine,
                        const struct rpt_part *part, uint64_t *words)
{
    static const char zeros[RAW_BYTES + ARRAY_BYTES];
    uint64_t n = rpt__part_n_words(mine, part);

    for (uint64_t k = 0; k < n; k++) {
        words[k] = rpt__hash64(zeros, 1, 0);
        words[k] = k % 2 == 0 ? 1 : words[k];
    }
    if (part->dataset == RPT_RAW || mine[part->dataset].slots == NULL) {
        words[0] = rpt__hash64(zeros, (size_t)rpt__part_bytes(mine, part), 0);
    }
    return (size_t)n;
}

/* Rank 0 has what HDF5 needs and the scalar, all have some rows. */
static void write_right(const struct rpt_dataset *mine, int n_ranks,
                        struct rpt_buf *out)
{
    struct rpt_buf sections[4];
    uint64_t offsets[4], lengths[4], words[2 * ARRAY_BYTES + 8];
    uint64_t at = RPT_BLOCKS_HEAD_BYTES + 16 * (uint64_t)n_ranks;

    for (int r = 0; r < n_ranks; r++) {
        uint64_t from = (uint64_t)(4 * r / n_ranks);
        uint64_t end = (uint64_t)(4 * (r + 1) / n_ranks);
        struct rpt_part parts[] = {
            { 0, { { from }, { end - from, 6, 8 } } },
            { 1, { { 0 }, { 1 } } },
            { RPT_RAW, { { 0 }, { 8 } } },
            { RPT_RAW, { { 12 }, { RAW_BYTES - 12 } } },
        };

        for (size_t i = 0, n = 0; i < 4; i++) {
            n += add_words(mine, &parts[i], words + n);
        }
        sections[r] = (struct rpt_buf)RPT_BUF_EMPTY;
        rpt__section_write(ID, (uint32_t)r, 0, mine, parts, r == 0 ? 4 : 1,
                           words, &sections[r]);
        offsets[r] = at;
        lengths[r] = sections[r].bytes;
        at += lengths[r];
    }
    rpt__blocks_head(rpt__format_version(mine, 2), ID, (uint32_t)n_ranks,
                     offsets, lengths, out);
    for (int r = 0; r < n_ranks; r++) {
        rpt__buf_add(out, sections[r].data, sections[r].bytes);
        rpt__buf_free(&sections[r]);
    }
}

/* ---- what anybody can make right ---- */

static uint64_t number_at(const char *at, size_t bytes)
{
    uint64_t number = 0;

    for (size_t i = 0; i < bytes; i++) {
        number |= (uint64_t)(unsigned char)at[i] << (8 * i);
    }
    return number;
}

static void put_number(char *at, uint64_t number)
{
    for (int i = 0; i < 8; i++) {
        at[i] = (char)(number >> (8 * i));
    }
}

static void make_right(struct rpt_buf *file, uint32_t version, int n_ranks)
{
    struct rpt_buf head = RPT_BUF_EMPTY;
    size_t table = 16 * (size_t)n_ranks;
    char *at = file->data;
    uint64_t begin = RPT_BLOCKS_HEAD_BYTES + table;

    if (file->bytes < begin) {
        return;
    }
    for (size_t i = 0; i < table; i += 16) {
        uint64_t length = number_at(at + RPT_BLOCKS_HEAD_BYTES + i + 8, 8);

        if (length >= 16 && length <= file->bytes - begin) {
            struct rpt_digest seal = rpt__digest(at + begin,
                                                 (size_t)length - 16);

            put_number(at + begin + length - 16, seal.high);
            put_number(at + begin + length - 8, seal.low);
            begin += length;
        }
    }
    rpt__blocks_head(version, ID, 0, NULL, NULL, &head);
    memcpy(at, head.data, 40);
    at[12] = (char)n_ranks;
    put_number(at + 32, file->bytes);
    put_number(at + 40, rpt__hash64(at + RPT_BLOCKS_HEAD_BYTES, table, ID));
    rpt__buf_free(&head);
}

/* ---- what must hold ---- */

static void check_parts(const struct rpt_manifest *m, const char *data,
                        size_t bytes, const struct rpt_written *written,
                        size_t n)
{
    uint64_t all = 0;

    for (size_t i = 0; i < n; i++) {
        const struct rpt_written *w = &written[i];
        bool is_cut = w->slots != NULL;
        uint64_t blocks = is_cut ? 2 * w->n_blocks
                                 : (w->bytes + RPT_BLOCK_BYTES - 1) /
                                       RPT_BLOCK_BYTES;

        must(w->part.dataset == RPT_RAW || w->part.dataset < m->n_datasets);
        must(w->writer < (uint32_t)m->n_ranks);
        must(w->words >= data && blocks <= bytes / 8 &&
             w->words + 8 * blocks <= data + bytes);
        all += is_cut ? w->n_blocks * w->slots->bytes : w->bytes;
        for (uint64_t k = 0; is_cut && k < w->n_blocks; k++) {
            must(rpt__written_stored(w, k) <= w->slots->bytes);
        }
    }
    must(all == m->file_bytes);
}

/* Zeros are no chunk. */
static void expand(const struct rpt_manifest *m)
{
    static double to[ARRAY_BYTES / 8];
    const struct rpt_dataset *set = &m->datasets[0];
    struct rpt_box whole = { { 0 }, { 4, 6, 8 } };
    struct rpt_box_memory memory = { to, whole };

    must(rpt__unpack_box(&dir, state_fd, set, &whole, &memory) ==
         RPT_ERR_CORRUPT);
}

static void try_file(struct rpt_manifest *m, const struct rpt_buf *file,
                     bool is_right)
{
    struct rpt_opened opened = RPT_OPENED_NONE;
    rpt_status_t status = rpt__blocks_read("b", file->data, file->bytes, m,
                                           &opened.written, &opened.n_written,
                                           NULL);

    if (status != RPT_OK) {
        must(!is_right);
        must(status == RPT_ERR_CORRUPT || status == RPT_PENDING ||
             status == RPT_ERR_NOMEM);
        return;
    }
    check_parts(m, file->data, file->bytes, opened.written, opened.n_written);
    opened.dir = dir;
    opened.manifest = *m;
    for (int part = 0; part < 3; part++) {
        status = rpt__verify(&opened, part, 3);
        must(status == RPT_OK || (status == RPT_ERR_CORRUPT && !is_right));
    }
    if (m->datasets[0].slots != NULL) {
        expand(m);
    }
    free(opened.written);
}

/* The array in chunks, as a manifest may say it. */
static bool set_chunks(const uint8_t *data, struct rpt_manifest *m)
{
    struct rpt_dataset *set = &m->datasets[0];
    uint64_t chunk[N_DIMS];

    for (int d = 0; d < N_DIMS; d++) {
        chunk[d] = 1 + data[d] % set->dims[d];
    }
    set->slots = rpt__chunk_slots_create(set, chunk);
    must(set->slots != NULL);
    set->slots->bytes = 1 + data[3];
    must(rpt__chunk_slots_add(set->slots, RAW_BYTES, set->slots->n) == RPT_OK);
    m->file_bytes = RAW_BYTES + rpt__dataset_room(set);
    return m->file_bytes <= RAW_BYTES + ARRAY_BYTES &&
           ftruncate(state_fd, (off_t)m->file_bytes) == 0;
}

/* False: no manifest would have such extents. */
static bool set_extents(const uint8_t *exponents, struct rpt_manifest *m)
{
    struct rpt_box box = { { 0 }, { 0 } };
    uint64_t volume;

    for (int d = 0; d < N_DIMS; d++) {
        box.count[d] = (UINT64_C(1) << exponents[2 * d] % 63) +
                       exponents[2 * d + 1] % 4;
    }
    volume = rpt__box_volume(&box, N_DIMS);
    if (volume > INT64_MAX / 16) {
        return false;
    }
    memcpy(m->datasets[0].dims, box.count, sizeof box.count);
    m->datasets[0].bytes = volume * 8;
    m->file_bytes = RAW_BYTES + volume * 8;
    return true;
}

static void fill(const uint8_t *data, size_t bytes,
                 const struct rpt_manifest *m, bool is_whole,
                 struct rpt_buf *file)
{
    if (is_whole) {
        rpt__buf_add(file, data, bytes);
        return;
    }
    write_right(m->datasets, m->n_ranks, file);
    for (; bytes >= 3; data += 3, bytes -= 3) {
        size_t at = (size_t)(data[0] | data[1] << 8) % file->bytes;

        file->data[at] = (char)data[2];
    }
}

/* The first byte of magic, made 0, is made right again. */
static bool is_zero(const uint8_t *data, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (data[i] != 0) {
            return false;
        }
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct rpt_dataset mine[2] = { sets[0], sets[1] };
    struct rpt_manifest m = { .id = ID,
                              .task = text,
                              .datasets = mine,
                              .n_datasets = 2,
                              .file_bytes = RAW_BYTES + ARRAY_BYTES };
    struct rpt_buf file = RPT_BUF_EMPTY;
    uint8_t how = bytes > 0 ? data[0] : 0;

    make_folder();
    if (bytes < 8) {
        return 0;
    }
    m.n_ranks = 1 + (how & 3);
    data++, bytes--;
    if ((how & 16) != 0) {
        if (!set_extents(data, &m)) {
            return 0;
        }
        data += 6, bytes -= 6;
    } else if ((how & 32) != 0) {
        if (!set_chunks(data, &m)) {
            rpt__chunk_slots_free(mine[0].slots);
            return 0;
        }
        data += 4, bytes -= 4;
    }
    fill(data, bytes, &m, (how & 4) != 0, &file);
    if ((how & 8) == 0) {
        make_right(&file, rpt__format_version(mine, 2), m.n_ranks);
    }
    /* Chunks of one row fit all ranks. */
    try_file(&m, &file,
             (how & ~35) == 0 && is_zero(data, bytes) &&
                 (mine[0].slots == NULL || mine[0].slots->chunk[0] == 1));
    rpt__buf_free(&file);
    rpt__chunk_slots_free(mine[0].slots);
    return 0;
}

#ifndef RPT_LIBFUZZER
#include "corpus.h"

int main(int argc, char *argv[])
{
    return rpt_fuzz_corpus("blocks", argc, argv);
}
#endif
