/*
 * fuzz_manifest.c - manifests of checkpoints made of any bytes
 *
 * The first byte of the input says what the rest is:
 *
 *   bit 0   set: a draft
 *   bit 1   set: as it stands; else without its last line, the seal, which is
 *           made right here, as anybody can
 *
 * What is believed lies in the file and is as long as it says, and written and
 * read again it is the same.
 *
 * fuzz-sources: src/base io/checkpoint/manifest.c io/checkpoint/box.c
 * fuzz-packages: libxxhash jansson
 */
#include "io/checkpoint/format.h"

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

static void check_dataset(const struct rpt_manifest *m,
                          const struct rpt_dataset *set)
{
    struct rpt_box box = { { 0 }, { 0 } };

    must(set->name != NULL && set->n_dims >= 1 && set->n_dims <= RPT_BOX_DIMS);
    must(set->offset <= m->file_bytes &&
         set->bytes <= m->file_bytes - set->offset);
    memcpy(box.count, set->dims, sizeof box.count);
    must(set->bytes ==
         rpt__box_volume(&box, set->n_dims) * rpt_type_bytes(set->type));
    must(rpt_type_bytes(set->type) > 0);
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
        come_back(&m, is_draft);
        rpt__manifest_free(&m);
    } else {
        must(status == RPT_ERR_CORRUPT || status == RPT_ERR_VERSION ||
             status == RPT_ERR_NOMEM);
    }
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
