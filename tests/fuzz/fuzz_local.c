/*
 * fuzz_local.c - files of checkpoints on the nodes made of any bytes
 *
 * The first byte of the input says what the rest is:
 *
 *   bit 0   set: changes of a file of parity, else of a rank's part
 *   bit 1   set: the file itself; else changes of a right one, each an offset
 *           (2 bytes) and a byte
 *   bit 2   set: as it stands; else its seal is made right, as anybody can
 *
 * What is believed lies in the file, and its body ends well or with an error.
 *
 * fuzz-sources: src/base io/checkpoint/level_file.c io/checkpoint/blocks.c
 * fuzz-sources: io/checkpoint/box.c io/checkpoint/manifest.c
 * fuzz-sources: io/checkpoint/dir.c io/checkpoint/slots.c
 * fuzz-packages: libxxhash jansson
 */
#include "io/checkpoint/level_priv.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

enum { BODY_BYTES = 40, AT_FRONT_BYTES = 56 };

static void must(bool good)
{
    if (!good) {
        abort();
    }
}

/* ---- a right one ---- */

static void write_right(bool is_parity, struct rpt_buf *out)
{
    static const char body[BODY_BYTES] = "what a rank would write";
    struct rpt_local_member members[] = { { 0, 300 }, { 5, 2 }, { 9, 40 } };
    struct rpt_local_head head = { .kind = is_parity ? RPT_LOCAL_XOR
                                                     : RPT_LOCAL_RANK,
                                   .n_ranks = 10,
                                   .id = 77,
                                   .iteration = 3,
                                   .time_s = 1.5,
                                   .base = 76,
                                   .body_bytes = BODY_BYTES,
                                   .body = rpt__digest(body, BODY_BYTES) };
    struct rpt_buf section = RPT_BUF_EMPTY, draft = RPT_BUF_EMPTY,
                   table = RPT_BUF_EMPTY;

    if (is_parity) {
        members[0].bytes = 80;
        rpt__local_put_xor(&head, 1, BODY_BYTES, members, 3, out);
    } else {
        rpt__buf_str(&section, "section");
        rpt__buf_str(&draft, "draft");
        rpt__local_put_rank(&head, &section, &draft, &table, out);
    }
    rpt__buf_add(out, body, BODY_BYTES);
    rpt__buf_free(&section);
    rpt__buf_free(&draft);
}

static void make_right(struct rpt_buf *file)
{
    uint64_t front = 0;
    struct rpt_digest seal;

    if (file->bytes < AT_FRONT_BYTES + 8) {
        return;
    }
    for (int i = 0; i < 8; i++) {
        front |= (uint64_t)(unsigned char)file->data[AT_FRONT_BYTES + i]
                 << (8 * i);
    }
    if (front < RPT_SEAL_BYTES || front > file->bytes) {
        return;
    }
    seal = rpt__digest(file->data, (size_t)front - RPT_SEAL_BYTES);
    for (int i = 0; i < 8; i++) {
        char *at = file->data + front - RPT_SEAL_BYTES;

        at[i] = (char)(seal.high >> (8 * i));
        at[i + 8] = (char)(seal.low >> (8 * i));
    }
}

/* ---- what must hold ---- */

static void in_front(const struct rpt_local *local, const char *at,
                     size_t bytes)
{
    must(bytes == 0 || (at >= local->front.data &&
                        at + bytes <= local->front.data + local->front.bytes));
}

static void check(const struct rpt_local *local, uint64_t bytes)
{
    must(local->head.front_bytes + local->head.body_bytes == bytes);
    in_front(local, local->section, local->section_bytes);
    in_front(local, local->draft, local->draft_bytes);
    in_front(local, local->table, local->table_bytes);
    must(local->n_members == 0 || local->me < local->n_members);
    for (uint32_t i = 0; i < local->n_members; i++) {
        must(local->members[i].bytes <= local->chunk * (local->n_members - 1));
    }
}

static void try_file(const struct rpt_buf *file, bool is_right)
{
    struct rpt_piece piece = { file->data, file->bytes };
    struct rpt_supply supply = { &piece, 1, -1, file->bytes };
    struct rpt_local local;
    rpt_status_t status = rpt__local_read("f", &supply, &local);

    if (status != RPT_OK) {
        must(status == RPT_ERR_CORRUPT && !is_right);
        return;
    }
    check(&local, file->bytes);
    status = rpt__local_verify("f", &supply, &local.head);
    must(status == RPT_OK || (status == RPT_ERR_CORRUPT && !is_right));
    rpt__local_free(&local);
}

static void try_name(const uint8_t *data, size_t bytes)
{
    char name[128];
    uint64_t id = 0;
    uint32_t number = 0;

    bytes = bytes < sizeof name ? bytes : sizeof name - 1;
    memcpy(name, data, bytes);
    name[bytes] = '\0';
    rpt__local_parse(name, &id, &number);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct rpt_buf file = RPT_BUF_EMPTY;
    uint8_t how = bytes > 0 ? data[0] : 0;
    bool is_right = bytes < 4;

    if (bytes > 0) {
        data++, bytes--;
    }
    try_name(data, bytes);
    if ((how & 2) != 0 && bytes > 0) {
        is_right = false;
        rpt__buf_add(&file, data, bytes);
    } else {
        write_right((how & 1) != 0, &file);
        for (; bytes >= 3; data += 3, bytes -= 3) {
            size_t at = (size_t)(data[0] | data[1] << 8) % file.bytes;

            file.data[at] = (char)data[2];
        }
    }
    if ((how & 4) == 0) {
        make_right(&file);
    }
    try_file(&file, is_right);
    rpt__buf_free(&file);
    return 0;
}

#ifndef RPT_LIBFUZZER
#include "corpus.h"

int main(int argc, char *argv[])
{
    return rpt_fuzz_corpus("local", argc, argv);
}
#endif
