/*
 * blocks.c - the checksums of a checkpoint, as bytes
 *
 *   head      "RPTBLKS1", version u32, writers u32, id u64, bytes of a
 *             block u64,
 *             bytes of the file u64, XXH3-64 of what follows up to the sections
 *   table     offset u64 and length u64 of each writer's section
 *   section   id u64, writer u32, parts u32, files u32, 0 u32; for each part
 *   its
 *             dataset u32, its dimensions u32, start and count (u64 each), and
 *             an XXH3-64 for each MiB, or for each chunk its stored bytes
 *             (u64) and the XXH3-64 of these; then the XXH3-128 of all that
 *             (high, low)
 *
 * Little-endian.  Cost: 8 bytes a MiB, and some 50 bytes a part.
 */
#include "io/checkpoint/format.h"

#include "base/error.h"
#include "io/checkpoint/slots.h"

#include <stdlib.h>
#include <string.h>

static const char magic[8] = { 'R', 'P', 'T', 'B', 'L', 'K', 'S', '1' };

enum { SECTION_HEAD_BYTES = 24, PART_HEAD_BYTES = 8 };

size_t rpt__part_bytes_of_element(const struct rpt_dataset datasets[],
                                  const struct rpt_part *part)
{
    return part->dataset == RPT_RAW
               ? 1
               : rpt_type_bytes(datasets[part->dataset].type);
}

int rpt__part_n_dims(const struct rpt_dataset datasets[],
                     const struct rpt_part *part)
{
    return part->dataset == RPT_RAW ? 1 : datasets[part->dataset].n_dims;
}

uint64_t rpt__part_bytes(const struct rpt_dataset datasets[],
                         const struct rpt_part *part)
{
    return rpt__box_volume(&part->box, rpt__part_n_dims(datasets, part)) *
           rpt__part_bytes_of_element(datasets, part);
}

static const struct rpt_chunk_slots *
slots_of(const struct rpt_dataset datasets[], const struct rpt_part *part)
{
    return part->dataset == RPT_RAW ? NULL : datasets[part->dataset].slots;
}

uint64_t rpt__part_n_blocks(const struct rpt_dataset datasets[],
                            const struct rpt_part *part)
{
    uint64_t bytes = rpt__part_bytes(datasets, part);
    struct rpt_box grid;

    if (slots_of(datasets, part) != NULL) {
        grid = rpt__chunk_grid(&datasets[part->dataset], &part->box);
        return rpt__box_volume(&grid, datasets[part->dataset].n_dims);
    }
    return bytes / RPT_BLOCK_BYTES + (bytes % RPT_BLOCK_BYTES > 0);
}

uint64_t rpt__part_n_words(const struct rpt_dataset datasets[],
                           const struct rpt_part *part)
{
    return rpt__part_n_blocks(datasets, part) *
           (slots_of(datasets, part) != NULL ? 2 : 1);
}

uint32_t rpt__format_version(const struct rpt_dataset datasets[],
                             size_t n_datasets)
{
    for (size_t i = 0; i < n_datasets; i++) {
        if (datasets[i].slots != NULL) {
            return 2;
        }
    }
    return 1;
}

/* ---- writing ---- */

uint64_t rpt__section_bytes(const struct rpt_dataset datasets[],
                            const struct rpt_part parts[], size_t n_parts)
{
    uint64_t bytes = SECTION_HEAD_BYTES + RPT_SEAL_BYTES;

    for (size_t i = 0; i < n_parts; i++) {
        bytes += PART_HEAD_BYTES +
                 16 * (uint64_t)rpt__part_n_dims(datasets, &parts[i]) +
                 8 * rpt__part_n_words(datasets, &parts[i]);
    }
    return bytes;
}

void rpt__section_write(uint64_t id, uint32_t writer, uint32_t n_files,
                        const struct rpt_dataset datasets[],
                        const struct rpt_part parts[], size_t n_parts,
                        const uint64_t words[], struct rpt_buf *out)
{
    size_t begin = out->bytes;
    struct rpt_digest seal;

    rpt__buf_u64(out, id);
    rpt__buf_u32(out, writer);
    rpt__buf_u32(out, (uint32_t)n_parts);
    rpt__buf_u32(out, n_files);
    rpt__buf_u32(out, 0);
    for (size_t i = 0; i < n_parts; i++) {
        int n_dims = rpt__part_n_dims(datasets, &parts[i]);
        uint64_t n_words = rpt__part_n_words(datasets, &parts[i]);

        rpt__buf_u32(out, parts[i].dataset);
        rpt__buf_u32(out, (uint32_t)n_dims);
        for (int d = 0; d < n_dims; d++) {
            rpt__buf_u64(out, parts[i].box.start[d]);
        }
        for (int d = 0; d < n_dims; d++) {
            rpt__buf_u64(out, parts[i].box.count[d]);
        }
        for (uint64_t k = 0; k < n_words; k++) {
            rpt__buf_u64(out, *words++);
        }
    }
    if (!out->failed) {
        seal = rpt__digest(out->data + begin, out->bytes - begin);
        rpt__buf_u64(out, seal.high);
        rpt__buf_u64(out, seal.low);
    }
}

void rpt__blocks_head(uint32_t version, uint64_t id, uint32_t n_writers,
                      const uint64_t offsets[], const uint64_t section_bytes[],
                      struct rpt_buf *out)
{
    struct rpt_buf table = RPT_BUF_EMPTY;
    uint64_t bytes = RPT_BLOCKS_HEAD_BYTES + 16 * (uint64_t)n_writers;

    for (uint32_t w = 0; w < n_writers; w++) {
        rpt__buf_u64(&table, offsets[w]);
        rpt__buf_u64(&table, section_bytes[w]);
        bytes += section_bytes[w];
    }
    rpt__buf_add(out, magic, sizeof magic);
    rpt__buf_u32(out, version);
    rpt__buf_u32(out, n_writers);
    rpt__buf_u64(out, id);
    rpt__buf_u64(out, RPT_BLOCK_BYTES);
    rpt__buf_u64(out, bytes);
    rpt__buf_u64(out, rpt__hash64(table.data, table.bytes, id));
    rpt__buf_add(out, table.data, table.bytes);
    out->failed |= table.failed;
    rpt__buf_free(&table);
}

/* ---- reading ---- */

struct reading {
    const char *name;
    const struct rpt_manifest *manifest;
    struct rpt_buf written;
    uint32_t *n_files; /* of each writer, or NULL */
};

static rpt_status_t corrupt(const struct reading *r, const char *why)
{
    rpt__fail(RPT_ERR_CORRUPT, "the checksums in %s are damaged", r->name);
    rpt__fail_why("%s", why);
    return RPT_ERR_CORRUPT;
}

/* Whether a part lies where the manifest says there is something. */
static bool is_inside(const struct reading *r, const struct rpt_part *part,
                      uint32_t n_dims)
{
    const struct rpt_manifest *m = r->manifest;
    struct rpt_box whole = { { 0 }, { m->file_bytes } };

    if (part->dataset != RPT_RAW) {
        if (part->dataset >= m->n_datasets ||
            (int)n_dims != m->datasets[part->dataset].n_dims) {
            return false;
        }
        memcpy(whole.count, m->datasets[part->dataset].dims,
               n_dims * sizeof whole.count[0]);
    } else if (n_dims != 1) {
        return false;
    }
    return rpt__box_holds(&whole, &part->box, (int)n_dims);
}

static uint64_t word(const struct rpt_written *written, uint64_t i)
{
    struct rpt_reader reader = rpt__reader(written->words + 8 * i, 8);

    return rpt__read_u64(&reader);
}

uint64_t rpt__written_hash(const struct rpt_written *written, uint64_t block)
{
    return word(written, written->slots != NULL ? 2 * block + 1 : block);
}

uint64_t rpt__written_stored(const struct rpt_written *written, uint64_t block)
{
    uint64_t left = written->bytes - block * RPT_BLOCK_BYTES;

    if (written->slots != NULL) {
        return word(written, 2 * block);
    }
    return left < RPT_BLOCK_BYTES ? left : RPT_BLOCK_BYTES;
}

/* Whether a part of a dataset in chunks has whole ones, as long as a slot at
 * most. */
static bool fits_slots(const struct reading *r,
                       const struct rpt_written *written)
{
    const struct rpt_chunk_slots *slots = written->slots;

    if (slots == NULL) {
        return true;
    }
    if (!rpt__chunks_fit(&r->manifest->datasets[written->part.dataset],
                         &written->part.box)) {
        return false;
    }
    for (uint64_t k = 0; k < written->n_blocks; k++) {
        uint64_t stored = rpt__written_stored(written, k);

        if (stored == 0 || stored > slots->bytes) {
            return false;
        }
    }
    return true;
}

static rpt_status_t read_part(struct reading *r, struct rpt_reader *reader,
                              uint32_t writer)
{
    struct rpt_written written = { .writer = writer };
    struct rpt_part *part = &written.part;
    uint64_t n_words;
    uint32_t n_dims;

    part->dataset = rpt__read_u32(reader);
    n_dims = rpt__read_u32(reader);
    if (n_dims < 1 || n_dims > RPT_BOX_DIMS) {
        return corrupt(r, "a part has not 1 to 8 dimensions");
    }
    for (uint32_t d = 0; d < n_dims; d++) {
        part->box.start[d] = rpt__read_u64(reader);
    }
    for (uint32_t d = 0; d < n_dims; d++) {
        part->box.count[d] = rpt__read_u64(reader);
    }
    if (reader->failed || !is_inside(r, part, n_dims)) {
        return corrupt(r, "a part does not lie in its dataset");
    }
    written.bytes = rpt__part_bytes(r->manifest->datasets, part);
    written.slots = slots_of(r->manifest->datasets, part);
    written.n_blocks = rpt__part_n_blocks(r->manifest->datasets, part);
    n_words = rpt__part_n_words(r->manifest->datasets, part);
    if (n_words > (uint64_t)(reader->end - reader->next) / 8) {
        return corrupt(r, "a section ends too early");
    }
    written.words = rpt__read_bytes(reader, (size_t)n_words * 8);
    if (!fits_slots(r, &written)) {
        return corrupt(r, "a part is not made of whole chunks, or these are "
                          "longer than their slots");
    }
    rpt__buf_add(&r->written, &written, sizeof written);
    return rpt__buf_status(&r->written);
}

/* Whether the parts have as many bytes as each dataset, and the file: none of
 * what we write is believed without a checksum.  A part that stands there
 * twice, instead of another, is no damage: a digest stands over all of it. */
static rpt_status_t check_cover(const struct reading *r)
{
    const struct rpt_manifest *m = r->manifest;
    const void *data = r->written.data;
    const struct rpt_written *written = data;
    size_t n = r->written.bytes / sizeof *written;
    uint64_t *left = calloc(m->n_datasets + 1, sizeof *left);
    bool ok = true;

    if (left == NULL) {
        return rpt__fail_nomem((m->n_datasets + 1) * sizeof *left);
    }
    left[m->n_datasets] = m->file_bytes;
    for (size_t i = 0; i < m->n_datasets && ok; i++) {
        uint64_t room = rpt__dataset_room(&m->datasets[i]);

        left[i] = m->datasets[i].bytes;
        ok = room <= left[m->n_datasets];
        left[m->n_datasets] -= ok ? room : 0;
    }
    for (size_t i = 0; i < n && ok; i++) {
        size_t set = written[i].part.dataset == RPT_RAW
                         ? m->n_datasets
                         : written[i].part.dataset;

        ok = written[i].bytes <= left[set];
        left[set] -= ok ? written[i].bytes : 0;
    }
    for (size_t i = 0; i <= m->n_datasets && ok; i++) {
        ok = left[i] == 0;
    }
    free(left);
    return ok ? RPT_OK
              : corrupt(r, "its parts are not all that the manifest has");
}

static bool is_zero(const char *data, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (data[i] != 0) {
            return false;
        }
    }
    return true;
}

static rpt_status_t read_section(struct reading *r, const char *data,
                                 size_t bytes, uint32_t writer)
{
    struct rpt_reader reader, seal;
    struct rpt_digest found;
    rpt_status_t status = RPT_OK;
    uint32_t n_parts, n_files;

    if (bytes < SECTION_HEAD_BYTES + RPT_SEAL_BYTES) {
        return corrupt(r, "a section is too short");
    }
    bytes -= RPT_SEAL_BYTES;
    if (is_zero(data + bytes, RPT_SEAL_BYTES)) {
        return RPT_PENDING;
    }
    found = rpt__digest(data, bytes);
    seal = rpt__reader(data + bytes, RPT_SEAL_BYTES);
    if (rpt__read_u64(&seal) != found.high ||
        rpt__read_u64(&seal) != found.low) {
        return corrupt(r, "a section does not match its seal");
    }
    reader = rpt__reader(data, bytes);
    if (rpt__read_u64(&reader) != r->manifest->id ||
        rpt__read_u32(&reader) != writer) {
        return corrupt(r, "a section is of another checkpoint or rank");
    }
    n_parts = rpt__read_u32(&reader);
    n_files = rpt__read_u32(&reader);
    if (r->n_files != NULL) {
        r->n_files[writer] = n_files;
    }
    if (rpt__read_u32(&reader) != 0) {
        return corrupt(r, "a section has a field that must be 0");
    }
    for (uint32_t i = 0; i < n_parts && status == RPT_OK; i++) {
        status = read_part(r, &reader, writer);
    }
    if (status == RPT_OK && reader.next != reader.end) {
        status = corrupt(r, "a section is longer than its parts");
    }
    return status;
}

static rpt_status_t read_sections(struct reading *r, const char *data,
                                  size_t bytes, uint32_t n_writers)
{
    uint64_t at = RPT_BLOCKS_HEAD_BYTES + 16 * (uint64_t)n_writers;
    struct rpt_reader table = rpt__reader(data + RPT_BLOCKS_HEAD_BYTES,
                                          (size_t)n_writers * 16);
    rpt_status_t status = RPT_OK;

    for (uint32_t w = 0; w < n_writers && status == RPT_OK; w++) {
        uint64_t offset = rpt__read_u64(&table);
        uint64_t length = rpt__read_u64(&table);

        if (offset != at || length > bytes - at) {
            return corrupt(r, "its sections do not follow each other");
        }
        status = read_section(r, data + at, (size_t)length, w);
        at += length;
    }
    if (status == RPT_OK && at != bytes) {
        status = corrupt(r, "it is longer than its sections");
    }
    return status;
}

rpt_status_t rpt__section_read(const char *name, const void *data, size_t bytes,
                               const struct rpt_manifest *manifest,
                               uint32_t writer,
                               struct rpt_written **written_out,
                               size_t *n_written_out)
{
    struct reading r = { name, manifest, RPT_BUF_EMPTY, NULL };
    rpt_status_t status = read_section(&r, data, bytes, writer);

    if (status != RPT_OK) {
        rpt__buf_free(&r.written);
        return status == RPT_PENDING ? corrupt(&r, "a seal is missing")
                                     : status;
    }
    *written_out = (struct rpt_written *)(void *)r.written.data;
    *n_written_out = r.written.bytes / sizeof **written_out;
    return RPT_OK;
}

rpt_status_t rpt__blocks_read(const char *name, const void *data, size_t bytes,
                              const struct rpt_manifest *manifest,
                              struct rpt_written **written_out,
                              size_t *n_written_out, uint32_t n_files_out[])
{
    struct reading r = { name, manifest, RPT_BUF_EMPTY, n_files_out };
    struct rpt_reader head = rpt__reader(data, bytes);
    const void *mark = rpt__read_bytes(&head, sizeof magic);
    uint32_t version = rpt__read_u32(&head);
    uint32_t n_writers = rpt__read_u32(&head);
    uint64_t id = rpt__read_u64(&head), block_bytes = rpt__read_u64(&head);
    uint64_t length = rpt__read_u64(&head), hash = rpt__read_u64(&head);
    rpt_status_t status;

    if (head.failed || memcmp(mark, magic, sizeof magic) != 0 ||
        version !=
            rpt__format_version(manifest->datasets, manifest->n_datasets) ||
        block_bytes != RPT_BLOCK_BYTES) {
        return corrupt(&r, "it does not begin as such a file does");
    }
    if (id != manifest->id || n_writers != (uint32_t)manifest->n_ranks ||
        length != bytes) {
        return corrupt(&r, "it belongs to another checkpoint, or was cut");
    }
    if (n_writers > (bytes - RPT_BLOCKS_HEAD_BYTES) / 16 ||
        hash != rpt__hash64(head.next, (size_t)n_writers * 16, id)) {
        return corrupt(&r, "the table of its sections is damaged");
    }
    status = read_sections(&r, data, bytes, n_writers);
    if (status == RPT_OK) {
        status = check_cover(&r);
    }
    if (status != RPT_OK) {
        rpt__buf_free(&r.written);
        return status;
    }
    *written_out = (struct rpt_written *)(void *)r.written.data;
    *n_written_out = r.written.bytes / sizeof **written_out;
    return RPT_OK;
}
