/*
 * fuzz_manifest.c - manifests of checkpoints made of any bytes
 *
 * The first byte of the input says what the rest is:
 *
 *   bit 0   set: a draft
 *   bit 1   set: as it stands; else without its last line, the seal, which is
 *           made right here, as anybody can
 *   bit 2   set: it must be believed (where no fuzzer chose it)
 *
 * What is believed lies in the file and is as long as it says, and written and
 * read again it is the same.
 *
 * fuzz-sources: src/base io/checkpoint/manifest.c io/checkpoint/box.c
 * fuzz-sources: io/checkpoint/blocks.c io/checkpoint/slots.c
 * fuzz-packages: libxxhash jansson
 */
#include "io/checkpoint/slots.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void must(bool good)
{
    if (!good) {
        abort();
    }
}

/* Every slot lies in the file, and none is so long that it could do harm. */
static void check_slots(const struct rpt_manifest *m,
                        const struct rpt_dataset *set)
{
    const struct rpt_chunk_slots *slots = set->slots;
    uint64_t bytes = rpt__chunk_bytes(set, slots->chunk);

    must(!set->is_scalar && set->bytes > 0 && slots->n > 0);
    must(bytes > 0 && bytes <= RPT_CHUNK_BYTES_MAX);
    must(slots->bytes > 0 && slots->bytes <= 2 * bytes + RPT_BLOCK_BYTES);
    must(slots->n == rpt__chunks_count(set, slots->chunk));
    must(rpt__dataset_room(set) <= m->file_bytes);
    for (uint64_t k = 0; k < slots->n && k < 1000; k++) {
        uint64_t at = rpt__slot_offset(slots, k);
        struct rpt_box box = rpt__chunk_box(set, k);

        must(at <= m->file_bytes && slots->bytes <= m->file_bytes - at);
        for (int d = 0; d < set->n_dims; d++) {
            must(box.start[d] < set->dims[d]);
        }
        must(k == 0 || rpt__slot_offset(slots, k - 1) + slots->bytes <= at ||
             at + slots->bytes <= rpt__slot_offset(slots, k - 1));
    }
}

static void check_dataset(const struct rpt_manifest *m,
                          const struct rpt_dataset *set)
{
    struct rpt_box box = { { 0 }, { 0 } };

    must(set->name != NULL && set->n_dims >= 1 && set->n_dims <= RPT_BOX_DIMS);
    must(set->offset <= m->file_bytes);
    if (set->slots != NULL) {
        check_slots(m, set);
    } else {
        must(set->bytes <= m->file_bytes - set->offset);
    }
    memcpy(box.count, set->dims, sizeof box.count);
    must(set->bytes ==
         rpt__box_volume(&box, set->n_dims) * rpt_type_bytes(set->type));
    must(rpt_type_bytes(set->type) > 0);
}

static void check_files(const struct rpt_manifest *m)
{
    for (size_t i = 0; i < m->n_files; i++) {
        must(rpt__name_check(m->files[i].name) == NULL);
        must(m->files[i].rank >= 0 && m->files[i].rank < m->n_ranks);
    }
}

/* The list of a rank's files, of the same bytes. */
static void try_list(const struct rpt_buf *text)
{
    struct rpt_manifest m = { .n_ranks = 4 };
    rpt_status_t status = rpt__routed_read("l", text->data, text->bytes - 1,
                                           &m);

    must(status == RPT_OK || status == RPT_ERR_CORRUPT ||
         status == RPT_ERR_NOMEM);
    if (status == RPT_OK) {
        check_files(&m);
    }
    rpt__manifest_free(&m);
}

static void come_back(const struct rpt_manifest *m, bool is_draft)
{
    struct rpt_buf once = RPT_BUF_EMPTY, twice = RPT_BUF_EMPTY;
    struct rpt_manifest again;

    rpt__manifest_write(m, is_draft, &once);
    must(rpt__manifest_read("again", once.data, once.bytes, is_draft, &again) ==
         RPT_OK);
    rpt__manifest_write(&again, is_draft, &twice);
    must(once.bytes == twice.bytes &&
         memcmp(once.data, twice.data, once.bytes) == 0);
    rpt__manifest_free(&again);
    rpt__buf_free(&once);
    rpt__buf_free(&twice);
}

static void add_seal(struct rpt_buf *text)
{
    struct rpt_digest seal = rpt__digest(text->data, text->bytes);

    rpt__buf_printf(text, " \"seal\": \"%016" PRIx64 "%016" PRIx64 "\"}\n",
                    seal.high, seal.low);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct rpt_buf text = RPT_BUF_EMPTY;
    struct rpt_manifest m;
    bool is_draft;
    rpt_status_t status;

    if (bytes == 0) {
        return 0;
    }
    is_draft = (data[0] & 1) != 0;
    rpt__buf_reserve(&text, bytes + 64);
    rpt__buf_add(&text, data + 1, bytes - 1);
    if ((data[0] & 2) == 0) {
        add_seal(&text);
    }
    /* Of just that length, for the sanitizer; with a 0 behind it. */
    rpt__buf_add(&text, "", 1);
    status = rpt__manifest_read("m", text.data, text.bytes - 1, is_draft, &m);
    if (status == RPT_OK) {
        must(m.n_ranks >= 1 && m.task != NULL && m.host != NULL);
        for (size_t i = 0; i < m.n_datasets; i++) {
            check_dataset(&m, &m.datasets[i]);
        }
        check_files(&m);
        come_back(&m, is_draft);
        rpt__manifest_free(&m);
    } else {
        must(status == RPT_ERR_CORRUPT || status == RPT_ERR_VERSION ||
             status == RPT_ERR_NOMEM);
#ifndef RPT_LIBFUZZER
        must((data[0] & 4) == 0);
#endif
    }
    try_list(&text);
    rpt__buf_free(&text);
    return 0;
}

#ifndef RPT_LIBFUZZER
#include "corpus.h"

int main(int argc, char *argv[])
{
    return rpt_fuzz_corpus("manifest", argc, argv);
}
#endif
