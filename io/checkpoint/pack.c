/*
 * pack.c - a rank compresses its chunks and writes each to its slot
 *
 * A chunk is taken out of the rank's copy, shuffled, deflated, and the stream
 * is written to the begin of the slot.  Behind it nothing is written: in a new
 * file there is a hole.
 *
 * Cost: the time of deflate, by far; two copies of a chunk.
 */
#include "io/checkpoint/chunks.h"

#include "base/again.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/size.h"
#include "io/checkpoint/deflate.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

struct rpt_packer {
    struct rpt_deflater *deflater;
    char *plain;    /* of a chunk */
    char *shuffled; /* the same   */
    char *stream;
    size_t plain_bytes, stream_bytes;
};

rpt_status_t rpt__packer_create(int level, struct rpt_packer **out)
{
    struct rpt_packer *p = calloc(1, sizeof *p);
    rpt_status_t status;

    if (p == NULL) {
        return rpt__fail_nomem(sizeof *p);
    }
    status = rpt__deflater_create(level, &p->deflater);
    if (status != RPT_OK) {
        free(p);
        return status;
    }
    *out = p;
    return RPT_OK;
}

static void release(struct rpt_packer *p)
{
    free(p->plain);
    free(p->shuffled);
    free(p->stream);
    p->plain = p->shuffled = p->stream = NULL;
    p->plain_bytes = p->stream_bytes = 0;
}

void rpt__packer_destroy(struct rpt_packer *p)
{
    if (p != NULL) {
        rpt__deflater_destroy(p->deflater);
        release(p);
        free(p);
    }
}

/* The memory is as large as the largest chunk so far wants it. */
static rpt_status_t make_room(struct rpt_packer *p, size_t plain, size_t stream)
{
    if (plain <= p->plain_bytes && stream <= p->stream_bytes) {
        return RPT_OK;
    }
    release(p);
    p->plain = malloc(plain);
    p->shuffled = malloc(plain);
    p->stream = malloc(stream);
    if (p->plain == NULL || p->shuffled == NULL || p->stream == NULL) {
        release(p);
        return rpt__fail_nomem(2 * plain + stream);
    }
    p->plain_bytes = plain;
    p->stream_bytes = stream;
    return RPT_OK;
}

/* ---- the file ---- */

/* Makes [from, end) of a slot zeros; a hole where the file system has holes. */
static int clear(int fd, uint64_t from, uint64_t end)
{
    static const char zeros[65536];
    int error = 0;

    if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)from,
                  (off_t)(end - from)) == 0) {
        return 0;
    }
    for (uint64_t at = from; at < end && error == 0; at += sizeof zeros) {
        uint64_t left = end - at;

        error = rpt__write_at(
            fd, zeros, left < sizeof zeros ? (size_t)left : sizeof zeros, at);
    }
    return error;
}

/* All that is ever written to a slot. */
static rpt_status_t put_stream(const struct rpt_pack_target *target,
                               const struct rpt_chunk_slots *slots, uint64_t k,
                               const char *stream, size_t bytes)
{
    uint64_t at = rpt__slot_offset(slots, k);
    int error = rpt__write_at(target->fd, stream, bytes, at);

    if (error == 0 && target->is_used && bytes < slots->bytes) {
        error = clear(target->fd, at + bytes, at + slots->bytes);
    }
    return error == 0 ? RPT_OK
                      : rpt__dir_fail(target->dir, RPT_STATE_FILE, "write",
                                      error, bytes);
}

/* ---- a chunk ---- */

/* The chunk is in `plain`. */
static rpt_status_t pack(struct rpt_packer *p, const struct rpt_dataset *set,
                         size_t bytes, size_t *stored_out)
{
    size_t type_bytes = rpt_type_bytes(set->type);

    if (type_bytes > 1) {
        rpt__shuffle(p->plain, bytes, type_bytes, p->shuffled);
    }
    return rpt__deflate(p->deflater, type_bytes > 1 ? p->shuffled : p->plain,
                        bytes, type_bytes, p->stream, p->stream_bytes,
                        stored_out);
}

/* Whether the slot has this already; the next one follows. */
static bool is_there(struct rpt_pack_target *target, const uint64_t words[2])
{
    const uint64_t *known = target->known;

    if (known == NULL) {
        return false;
    }
    target->known += 2;
    return known[0] == words[0] && known[1] == words[1];
}

static rpt_status_t do_chunk(struct rpt_packer *p,
                             struct rpt_pack_target *target,
                             const struct rpt_dataset *set, uint64_t k,
                             uint64_t words_out[2])
{
    size_t bytes = (size_t)rpt__chunk_bytes(set, set->slots->chunk), stored = 0;
    double began_s = rpt__now_s(), packed_s, hashed_s;
    rpt_status_t status = pack(p, set, bytes, &stored);

    packed_s = rpt__now_s();
    target->pack_s += packed_s - began_s;
    if (status == RPT_OK && stored > set->slots->bytes) {
        status = rpt__fail(RPT_ERR_INTERNAL,
                           "%zu bytes became %zu, and a slot has %llu", bytes,
                           stored, (unsigned long long)set->slots->bytes);
    }
    if (status != RPT_OK) {
        return status;
    }
    words_out[0] = stored;
    words_out[1] = rpt__hash64(p->stream, stored, 0);
    hashed_s = rpt__now_s();
    target->hash_s += hashed_s - packed_s;
    if (!is_there(target, words_out)) {
        status = put_stream(target, set->slots, k, p->stream, stored);
        target->write_s += rpt__now_s() - hashed_s;
        target->bytes += stored;
    }
    return status;
}

rpt_status_t rpt__pack_box(struct rpt_packer *p, struct rpt_pack_target *target,
                           const struct rpt_dataset *set,
                           const struct rpt_box *box, const char *data,
                           uint64_t words_out[])
{
    struct rpt_box grid = rpt__chunk_grid(set, box), shared;
    uint64_t n = rpt__box_volume(&grid, set->n_dims);
    uint64_t bytes = rpt__chunk_bytes(set, set->slots->chunk);
    struct rpt_box_memory from = { (void *)(uintptr_t)data, *box };
    rpt_status_t status = make_room(p, (size_t)bytes,
                                    (size_t)rpt__deflate_bound(bytes));

    for (uint64_t i = 0; i < n && status == RPT_OK; i++) {
        uint64_t k = rpt__chunk_at(set, &grid, i);
        struct rpt_box_memory to = { p->plain, rpt__chunk_box(set, k) };

        if (rpt__box_shared(&to.whole, box, set->n_dims, &shared) &&
            !rpt__box_equals(&to.whole, &shared, set->n_dims)) {
            memset(p->plain, 0, (size_t)bytes); /* what is beyond the end */
        }
        rpt__box_copy(&to, &from, &shared, set->n_dims,
                      rpt_type_bytes(set->type));
        sched_yield(); /* ranks that share this core may still be copying */
        status = do_chunk(p, target, set, k, &words_out[2 * i]);
    }
    return status;
}
