/*
 * verify.c - reads what a checkpoint has and compares its checksums
 *
 * All blocks of all parts in a row; each rank takes a share of them.  A block
 * is a MiB of the stream of a box: its runs are read, and hashed together; or a
 * chunk: what is in its slot is hashed as it is there.
 */
#include "io/checkpoint/verify.h"

#include "base/again.h"
#include "base/error.h"
#include "io/checkpoint/checkpoint_priv.h"
#include "io/checkpoint/chunks.h"
#include "io/checkpoint/routes.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* One block. */
struct checking {
    const struct rpt_opened *opened;
    int fd;
    const struct rpt_written *written;
    uint64_t k;
    char *block;
};

static rpt_status_t damaged(const struct checking *c, const char *why)
{
    const struct rpt_manifest *m = &c->opened->manifest;
    const struct rpt_part *part = &c->written->part;
    struct rpt_buf start = RPT_BUF_EMPTY;

    for (int d = 0; d < rpt__part_n_dims(m->datasets, part); d++) {
        rpt__buf_printf(&start, "%s%llu", d > 0 ? "," : "",
                        (unsigned long long)part->box.start[d]);
    }
    rpt__fail(RPT_ERR_CORRUPT, "%s/" RPT_STATE_FILE " is damaged",
              c->opened->dir.path);
    rpt__fail_why("%s: block %llu of the box at %s of %s, written by rank %u",
                  why, (unsigned long long)c->k,
                  start.data != NULL ? start.data : "?",
                  part->dataset == RPT_RAW ? "the structure of the file"
                                           : m->datasets[part->dataset].name,
                  c->written->writer);
    rpt__buf_free(&start);
    return RPT_ERR_CORRUPT;
}

static rpt_status_t read_block(const struct checking *c, uint64_t from,
                               size_t bytes)
{
    static const uint64_t any = UINT64_MAX;
    const struct rpt_part *part = &c->written->part;
    const struct rpt_manifest *m = &c->opened->manifest;
    const struct rpt_dataset *set = part->dataset == RPT_RAW
                                        ? NULL
                                        : &m->datasets[part->dataset];
    size_t type_bytes = set != NULL ? rpt_type_bytes(set->type) : 1, at = 0;
    uint64_t first, n;
    struct rpt_box_walk walk = rpt__box_walk(
        &part->box, set != NULL ? set->dims : &any,
        set != NULL ? set->n_dims : 1, from / type_bytes,
        (from + bytes + type_bytes - 1) / type_bytes);

    while (rpt__box_next(&walk, &first, &n)) {
        uint64_t offset = (set != NULL ? set->offset : 0) + first * type_bytes;
        size_t length = (size_t)n * type_bytes, skip = 0;
        int error;

        if (at == 0) {
            skip = (size_t)(from % type_bytes);
        }
        length = length - skip < bytes - at ? length - skip : bytes - at;
        error = rpt__read_at(c->fd, c->block + at, length, offset + skip);
        if (error == ENODATA) {
            return damaged(c, "it is too short");
        }
        if (error != 0) {
            return rpt__dir_fail(&c->opened->dir, RPT_STATE_FILE, "read", error,
                                 0);
        }
        at += length;
    }
    return RPT_OK;
}

static rpt_status_t verify_chunk(const struct checking *c)
{
    const struct rpt_written *written = c->written;
    const struct rpt_dataset *set =
        &c->opened->manifest.datasets[written->part.dataset];
    struct rpt_box grid = rpt__chunk_grid(set, &written->part.box);
    const char *why = NULL;
    rpt_status_t status = rpt__slot_verify(
        &c->opened->dir, c->fd, set->slots, rpt__chunk_at(set, &grid, c->k),
        rpt__written_stored(written, c->k), rpt__written_hash(written, c->k),
        &why);

    return why != NULL ? damaged(c, why) : status;
}

rpt_status_t rpt__verify_block(const struct rpt_opened *opened, int fd,
                               const struct rpt_written *written, uint64_t k,
                               char *block_out)
{
    struct checking c = { opened, fd, written, k, block_out };
    size_t bytes;
    rpt_status_t status;

    if (written->slots != NULL) {
        return verify_chunk(&c);
    }
    bytes = (size_t)rpt__written_stored(written, k);
    status = read_block(&c, k * RPT_BLOCK_BYTES, bytes);
    if (status == RPT_OK &&
        rpt__hash64(block_out, bytes, 0) != rpt__written_hash(written, k)) {
        status = damaged(&c, "a checksum differs");
    }
    return status;
}

/* ---- all of them, or a share ---- */

struct verifying {
    const struct rpt_opened *opened;
    int fd;
    char *block;
};

static rpt_status_t check_length(const struct verifying *v)
{
    const struct rpt_manifest *m = &v->opened->manifest;
    uint64_t bytes = 0;
    rpt_status_t status = rpt__dir_bytes(&v->opened->dir, RPT_STATE_FILE, v->fd,
                                         &bytes);

    if (status == RPT_OK && bytes != m->file_bytes) {
        rpt__fail(RPT_ERR_CORRUPT, "%s/" RPT_STATE_FILE " is damaged",
                  v->opened->dir.path);
        rpt__fail_why("it has %llu bytes, not %llu", (unsigned long long)bytes,
                      (unsigned long long)m->file_bytes);
        status = RPT_ERR_CORRUPT;
    }
    return status;
}

/* Blocks [from, end) of all. */
static rpt_status_t check_range(const struct verifying *v, uint64_t from,
                                uint64_t end)
{
    rpt_status_t status = RPT_OK;
    uint64_t at = 0;

    for (size_t i = 0; i < v->opened->n_written && status == RPT_OK; i++) {
        const struct rpt_written *written = &v->opened->written[i];
        uint64_t n = written->n_blocks;

        for (uint64_t k = from > at ? from - at : 0;
             k < n && at + k < end && status == RPT_OK; k++) {
            status = rpt__verify_block(v->opened, v->fd, written, k, v->block);
        }
        at += n;
    }
    return status;
}

rpt_status_t rpt__verify(const struct rpt_opened *opened, int part, int n_parts)
{
    struct verifying v = { opened, -1, malloc(RPT_BLOCK_BYTES) };
    uint64_t n = 0, parts = (uint64_t)n_parts, index = (uint64_t)part;
    rpt_status_t status;

    if (v.block == NULL) {
        return rpt__fail_nomem(RPT_BLOCK_BYTES);
    }
    for (size_t i = 0; i < opened->n_written; i++) {
        n += opened->written[i].n_blocks;
    }
    status = rpt__state_open(&opened->dir, &v.fd);
    if (status == RPT_OK) {
        status = check_length(&v);
    }
    if (status == RPT_OK) {
        status = check_range(&v, n / parts * index + n % parts * index / parts,
                             n / parts * (index + 1) +
                                 n % parts * (index + 1) / parts);
    }
    if (v.fd >= 0) {
        close(v.fd);
    }
    free(v.block);
    for (size_t i = (size_t)part;
         i < opened->manifest.n_files && status == RPT_OK;
         i += (size_t)n_parts) {
        status = rpt__routed_verify(&opened->dir, &opened->manifest.files[i]);
    }
    return status;
}
