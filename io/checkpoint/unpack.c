/*
 * unpack.c - what is in a slot: proven, and expanded to the elements of a chunk
 *
 * A slot is a stream of zlib with zeros behind it.  No more comes out of one
 * than a chunk has, whatever it says; a slot's hole is passed over without
 * reading it where the file system knows holes.
 */
#include "io/checkpoint/chunks.h"

#include "base/again.h"
#include "base/error.h"
#include "io/checkpoint/deflate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIECE_BYTES = 64 << 10 };

/* ---- proving ---- */

static bool is_zero(const char *data, size_t bytes)
{
    return bytes == 0 ||
           (data[0] == 0 && memcmp(data, data + 1, bytes - 1) == 0);
}

/* Whether [from, end) are zeros; holes are. */
static rpt_status_t look_for_zeros(int fd, uint64_t from, uint64_t end,
                                   bool *zero_out, int *error_out)
{
    char piece[PIECE_BYTES];

    *zero_out = true;
    while (from < end && *zero_out) {
        off_t data = lseek(fd, (off_t)from, SEEK_DATA);
        size_t bytes;

        if (data < 0 && errno == ENXIO) {
            return RPT_OK; /* nothing but a hole up to the end */
        }
        from = data > (off_t)from ? (uint64_t)data : from;
        if (from >= end) {
            return RPT_OK;
        }
        bytes = end - from < sizeof piece ? (size_t)(end - from) : sizeof piece;
        *error_out = rpt__read_at(fd, piece, bytes, from);
        if (*error_out != 0) {
            return RPT_ERR_IO;
        }
        *zero_out = is_zero(piece, bytes);
        from += bytes;
    }
    return RPT_OK;
}

static rpt_status_t cannot_read(const struct rpt_dir *dir, int error,
                                const char **why_out)
{
    if (error == ENODATA) {
        *why_out = "it is too short";
        return RPT_ERR_CORRUPT;
    }
    return rpt__dir_fail(dir, RPT_STATE_FILE, "read", error, 0);
}

rpt_status_t rpt__slot_verify(const struct rpt_dir *dir, int fd,
                              const struct rpt_chunk_slots *slots, uint64_t k,
                              uint64_t stored, uint64_t hash,
                              const char **why_out)
{
    uint64_t at = rpt__slot_offset(slots, k);
    char *stream = malloc((size_t)stored);
    bool is_same, is_clear = true;
    int error;

    *why_out = NULL;
    if (stream == NULL) {
        return rpt__fail_nomem((size_t)stored);
    }
    error = rpt__read_at(fd, stream, (size_t)stored, at);
    is_same = error == 0 && rpt__hash64(stream, (size_t)stored, 0) == hash;
    free(stream);
    if (is_same && look_for_zeros(fd, at + stored, at + slots->bytes, &is_clear,
                                  &error) != RPT_OK) {
        return cannot_read(dir, error, why_out);
    }
    if (error != 0) {
        return cannot_read(dir, error, why_out);
    }
    if (!is_same || !is_clear) {
        *why_out = is_same ? "there is something behind a chunk"
                           : "a checksum differs";
        return RPT_ERR_CORRUPT;
    }
    return RPT_OK;
}

/* ---- reading ---- */

struct rpt_unpacker {
    struct rpt_inflater *inflater;
    char *shuffled; /* of a chunk */
    char *plain;    /* the same   */
    size_t bytes;
    char piece[PIECE_BYTES];
};

rpt_status_t rpt__unpacker_create(const struct rpt_dataset *set,
                                  struct rpt_unpacker **out)
{
    struct rpt_unpacker *u = calloc(1, sizeof *u);
    rpt_status_t status;

    if (u == NULL) {
        return rpt__fail_nomem(sizeof *u);
    }
    u->bytes = (size_t)rpt__chunk_bytes(set, set->slots->chunk);
    u->shuffled = malloc(u->bytes);
    u->plain = malloc(u->bytes);
    status = u->shuffled != NULL && u->plain != NULL
                 ? rpt__inflater_create(&u->inflater)
                 : rpt__fail_nomem(2 * u->bytes);
    if (status != RPT_OK) {
        rpt__unpacker_destroy(u);
        return status;
    }
    *out = u;
    return RPT_OK;
}

void rpt__unpacker_destroy(struct rpt_unpacker *u)
{
    if (u != NULL) {
        rpt__inflater_destroy(u->inflater);
        free(u->shuffled);
        free(u->plain);
        free(u);
    }
}

static rpt_status_t no_chunk(const struct rpt_dir *dir,
                             const struct rpt_dataset *set, uint64_t k)
{
    rpt__fail(RPT_ERR_CORRUPT, "%s/" RPT_STATE_FILE " is damaged", dir->path);
    rpt__fail_why("chunk %llu of %s is no stream of zlib of %llu bytes",
                  (unsigned long long)k, set->name,
                  (unsigned long long)rpt__chunk_bytes(set, set->slots->chunk));
    return RPT_ERR_CORRUPT;
}

/* Reads as much of the slot as its stream has. */
static rpt_status_t inflate_slot(struct rpt_unpacker *u,
                                 const struct rpt_dir *dir, int fd,
                                 const struct rpt_dataset *set, uint64_t k)
{
    uint64_t at = rpt__slot_offset(set->slots, k), left = set->slots->bytes;
    rpt_status_t status = rpt__inflate_begin(u->inflater, u->shuffled,
                                             u->bytes);

    if (status == RPT_OK) {
        status = RPT_PENDING;
    }
    while (status == RPT_PENDING && left > 0) {
        size_t bytes = left < sizeof u->piece ? (size_t)left : sizeof u->piece;
        int error = rpt__read_at(fd, u->piece, bytes, at);

        if (error != 0) {
            return rpt__dir_fail(dir, RPT_STATE_FILE, "read", error, 0);
        }
        status = rpt__inflate(u->inflater, u->piece, bytes);
        at += bytes;
        left -= bytes;
    }
    return status == RPT_PENDING || status == RPT_ERR_CORRUPT
               ? no_chunk(dir, set, k)
               : status;
}

rpt_status_t rpt__unpack_chunk(struct rpt_unpacker *u,
                               const struct rpt_dir *dir, int fd,
                               const struct rpt_dataset *set, uint64_t k,
                               const char **data_out)
{
    size_t type_bytes = rpt_type_bytes(set->type);
    rpt_status_t status = inflate_slot(u, dir, fd, set, k);

    *data_out = u->shuffled;
    if (status == RPT_OK && type_bytes > 1) {
        rpt__unshuffle(u->shuffled, u->bytes, type_bytes, u->plain);
        *data_out = u->plain;
    }
    return status;
}

rpt_status_t rpt__unpack_box(const struct rpt_dir *dir, int fd,
                             const struct rpt_dataset *set,
                             const struct rpt_box *box,
                             const struct rpt_box_memory *memory)
{
    struct rpt_box grid = rpt__chunk_grid(set, box), shared;
    uint64_t n = rpt__box_volume(&grid, set->n_dims);
    struct rpt_unpacker *u = NULL;
    rpt_status_t status = rpt__unpacker_create(set, &u);

    for (uint64_t i = 0; i < n && status == RPT_OK; i++) {
        uint64_t k = rpt__chunk_at(set, &grid, i);
        struct rpt_box_memory from = { NULL, rpt__chunk_box(set, k) };
        const char *data = NULL;

        status = rpt__unpack_chunk(u, dir, fd, set, k, &data);
        if (status == RPT_OK &&
            rpt__box_shared(&from.whole, box, set->n_dims, &shared)) {
            from.data = (void *)(uintptr_t)data;
            rpt__box_copy(memory, &from, &shared, set->n_dims,
                          rpt_type_bytes(set->type));
        }
    }
    rpt__unpacker_destroy(u);
    return status;
}
