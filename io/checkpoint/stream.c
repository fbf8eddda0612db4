/*
 * stream.c - a rank copies its part of the state, then writes it
 *
 * The copy is contiguous: each part's box in row-major order.  Writing goes by
 * blocks of a MiB: the checksum brings a block into the cache, pwrite() takes
 * it from there, in as many runs as the box has rows in the file.
 *
 * Cost: one copy in the call; a checksum and a write of each byte in the
 * thread.
 */
#include "io/checkpoint/stream.h"

#include "base/clock.h"
#include "base/error.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void rpt__stream_free(struct rpt_stream *stream)
{
    free(stream->data);
    *stream = (struct rpt_stream){ NULL, 0 };
}

rpt_status_t rpt__stream_reserve(struct rpt_stream *stream, uint64_t bytes)
{
    void *data = NULL;

    if (bytes <= stream->capacity) {
        return RPT_OK;
    }
    rpt__stream_free(stream);
    if (bytes > SIZE_MAX / 2 ||
        posix_memalign(&data, 4096, (size_t)bytes) != 0) {
        rpt__fail_nomem((size_t)bytes);
        rpt__fail_hint("a save needs memory for one copy of what this rank "
                       "writes");
        return RPT_ERR_NOMEM;
    }
    *stream = (struct rpt_stream){ data, (size_t)bytes };
    return RPT_OK;
}

/* ---- the copy ---- */

struct taking {
    const struct rpt_items *items;
    const struct rpt_file_layout *layout;
    const struct rpt_stamp *stamp;
    int rank;
    size_t raw; /* next of them */
};

/* The item that a dataset belongs to; NULL: one of the library's own. */
static const struct rpt_item *item_of(const struct taking *t, uint32_t set,
                                      bool *is_index_out, size_t *index_out)
{
    for (size_t i = 0; i < t->items->n; i++) {
        bool is_index = t->items->list[i].kind == RPT_ITEM_BLOB &&
                        t->layout->index_of[i] == set;

        if (t->layout->set_of[i] == set || is_index) {
            *is_index_out = is_index;
            *index_out = i;
            return &t->items->list[i];
        }
    }
    return NULL;
}

static void take_own(const struct taking *t, uint32_t set, char *to)
{
    switch (set) {
    case RPT_SET_ITERATION:
        memcpy(to, &t->stamp->iteration, 8);
        break;
    case RPT_SET_TIME:
        memcpy(to, &t->stamp->time_s, 8);
        break;
    default:
        memcpy(to, &t->stamp->n_ranks, 4);
    }
}

static rpt_status_t pack(const struct rpt_item *item, char *to)
{
    rpt_status_t status = item->blob.pack(item->blob.user, to,
                                          item->blob_bytes);

    if (status < 0) {
        rpt__fail(status, "blob \"%s\" was not packed", item->name);
        rpt__fail_why("its function pack() returned %s",
                      rpt_status_name(status));
        return status;
    }
    return RPT_OK;
}

static rpt_status_t take_part(struct taking *t, const struct rpt_part *part,
                              uint64_t bytes, char *to)
{
    struct rpt_box_memory target = { to, part->box };
    const struct rpt_item *item;
    bool is_index = false;
    size_t i = 0;

    if (part->dataset == RPT_RAW) {
        memcpy(to, t->layout->raw[t->raw++].data, (size_t)bytes);
        return RPT_OK;
    }
    item = item_of(t, part->dataset, &is_index, &i);
    if (item == NULL) {
        take_own(t, part->dataset, to);
    } else if (is_index) {
        memcpy(to, t->layout->begins[i], (size_t)bytes);
    } else if (item->kind == RPT_ITEM_BLOB) {
        return pack(item, to);
    } else if (item->kind == RPT_ITEM_ARRAY &&
               !rpt__box_holds(&item->box, &part->box, item->n_dims)) {
        memset(to, 0, (size_t)bytes); /* it belongs to nobody */
    } else {
        rpt__box_copy(&target, &item->memory, &part->box, item->n_dims,
                      item->type_bytes);
    }
    return RPT_OK;
}

rpt_status_t rpt__stream_take(struct rpt_stream *stream,
                              const struct rpt_items *items,
                              const struct rpt_file_layout *layout, int rank,
                              const struct rpt_stamp *stamp)
{
    struct taking t = { items, layout, stamp, rank, 0 };
    rpt_status_t status = RPT_OK;
    char *to = stream->data;

    for (size_t i = 0; i < layout->n_parts && status == RPT_OK; i++) {
        uint64_t bytes = rpt__part_bytes(layout->datasets, &layout->parts[i]);

        status = take_part(&t, &layout->parts[i], bytes, to);
        to += bytes;
    }
    return status;
}

/* ---- writing ---- */

struct writing {
    const struct rpt_file_layout *layout;
    const struct rpt_target *target;
    struct rpt_write_times times;
    char *back; /* what is in the file already, a block */
};

static rpt_status_t wrong_data(const struct writing *w,
                               const struct rpt_dataset *set)
{
    rpt__fail(RPT_ERR_IO, "%s/" RPT_STATE_FILE " is not what was written",
              w->target->dir->path);
    rpt__fail_why("dataset \"%s\" reads back differently", set->name);
    rpt__fail_hint("use io.checkpoint.engine=direct, or another component of "
                   "this MPI's MPI-IO (Open MPI: OMPI_MCA_io=romio321)");
    return RPT_ERR_IO;
}

/* HDF5 has written it.  What is HDF5's own is written again: it changes that
 * when it closes the file, and does not always hear that this failed. */
static bool is_there(const struct writing *w, const struct rpt_part *part)
{
    return w->target->is_written && part->dataset != RPT_RAW;
}

/* One run of bytes of the file: written, or read back to `back`. */
static rpt_status_t move_run(const struct writing *w, const char *data,
                             size_t bytes, uint64_t offset, char *back)
{
    const struct rpt_target *target = w->target;
    int error = back != NULL
                    ? rpt__read_at(target->state_fd, back, bytes, offset)
                    : rpt__write_at(target->state_fd, data, bytes, offset);

    if (error == 0) {
        return RPT_OK;
    }
    return rpt__dir_fail(target->dir, RPT_STATE_FILE,
                         back != NULL ? "read back" : "write", error,
                         back != NULL ? 0 : w->layout->file_bytes);
}

static rpt_status_t move_block(struct writing *w, const struct rpt_part *part,
                               const char *data, uint64_t from, size_t bytes)
{
    static const uint64_t any = UINT64_MAX;
    const struct rpt_dataset *set = part->dataset == RPT_RAW
                                        ? NULL
                                        : &w->layout->datasets[part->dataset];
    size_t type_bytes = set != NULL ? rpt_type_bytes(set->type) : 1;
    uint64_t base = set != NULL ? set->offset : 0, first, n;
    struct rpt_box_walk walk;
    rpt_status_t status = RPT_OK;
    size_t at = 0;

    /* Blocks may begin inside of an element: bytes are the last dimension. */
    walk = rpt__box_walk(&part->box, set != NULL ? set->dims : &any,
                         set != NULL ? set->n_dims : 1, from / type_bytes,
                         (from + bytes + type_bytes - 1) / type_bytes);
    while (status == RPT_OK && rpt__box_next(&walk, &first, &n)) {
        uint64_t offset = base + first * type_bytes;
        size_t length = (size_t)n * type_bytes;

        if (at == 0) {
            offset += from % type_bytes;
            length -= (size_t)(from % type_bytes);
        }
        length = length < bytes - at ? length : bytes - at;
        status = move_run(w, data + at, length, offset,
                          is_there(w, part) ? w->back + at : NULL);
        at += length;
    }
    return status;
}

static rpt_status_t do_block(struct writing *w, const struct rpt_part *part,
                             const char *data, uint64_t from, size_t bytes,
                             uint64_t *hash_out)
{
    double began_s = rpt__now_s(), hashed_s;
    bool is_written = is_there(w, part);
    rpt_status_t status = RPT_OK;

    if (is_written) {
        status = move_block(w, part, data, from, bytes);
        if (status == RPT_OK && memcmp(data, w->back, bytes) != 0) {
            status = wrong_data(w, &w->layout->datasets[part->dataset]);
        }
    }
    hashed_s = rpt__now_s();
    w->times.write_s += hashed_s - began_s;
    if (status == RPT_OK) {
        *hash_out = rpt__hash64(data, bytes, 0);
    }
    began_s = rpt__now_s();
    w->times.hash_s += began_s - hashed_s;
    if (status == RPT_OK && !is_written) {
        status = move_block(w, part, data, from, bytes);
        w->times.write_s += rpt__now_s() - began_s;
    }
    return status;
}

static rpt_status_t do_part(struct writing *w, const struct rpt_part *part,
                            const char *data, uint64_t *hashes)
{
    uint64_t bytes = rpt__part_bytes(w->layout->datasets, part);
    rpt_status_t status = RPT_OK;

    for (uint64_t from = 0; from < bytes && status == RPT_OK;
         from += RPT_BLOCK_BYTES) {
        uint64_t left = bytes - from;

        status = do_block(
            w, part, data + from, from,
            left < RPT_BLOCK_BYTES ? (size_t)left : RPT_BLOCK_BYTES, hashes++);
    }
    return status;
}

static rpt_status_t sync_file(struct writing *w, int fd, const char *name)
{
    double began_s = rpt__now_s();
    int error = w->target->syncs ? rpt__sync_file(fd, true) : 0;

    w->times.sync_s += rpt__now_s() - began_s;
    return error == 0 ? RPT_OK
                      : rpt__dir_fail(w->target->dir, name, "sync", error, 0);
}

static rpt_status_t write_section(struct writing *w, int rank, uint64_t id,
                                  const uint64_t *hashes)
{
    const struct rpt_file_layout *layout = w->layout;
    struct rpt_buf section = RPT_BUF_EMPTY;
    rpt_status_t status;
    int error;

    rpt__section_write(id, (uint32_t)rank, layout->datasets, layout->parts,
                       layout->n_parts, hashes, &section);
    status = rpt__buf_status(&section);
    if (status == RPT_OK) {
        error = rpt__write_at(w->target->blocks_fd, section.data, section.bytes,
                              layout->section_offsets[rank]);
        status = error == 0 ? sync_file(w, w->target->blocks_fd, RPT_BLOCKS)
                            : rpt__dir_fail(w->target->dir, RPT_BLOCKS, "write",
                                            error, section.bytes);
    }
    rpt__buf_free(&section);
    return status;
}

rpt_status_t rpt__stream_write(const struct rpt_stream *stream,
                               const struct rpt_file_layout *layout, int rank,
                               uint64_t id, const struct rpt_target *target,
                               struct rpt_write_times *times_out)
{
    struct writing w = { layout, target, { 0, 0, 0 }, NULL };
    const char *data = stream->data;
    uint64_t n_blocks = 0, *hashes;
    rpt_status_t status = RPT_OK;

    for (size_t i = 0; i < layout->n_parts; i++) {
        n_blocks += rpt__part_n_blocks(layout->datasets, &layout->parts[i]);
    }
    hashes = malloc((size_t)n_blocks * sizeof *hashes + 1);
    w.back = target->is_written ? malloc(RPT_BLOCK_BYTES) : NULL;
    if (hashes == NULL || (target->is_written && w.back == NULL)) {
        status = rpt__fail_nomem((size_t)n_blocks * sizeof *hashes);
    }
    n_blocks = 0;
    for (size_t i = 0; i < layout->n_parts && status == RPT_OK; i++) {
        status = do_part(&w, &layout->parts[i], data, hashes + n_blocks);
        data += rpt__part_bytes(layout->datasets, &layout->parts[i]);
        n_blocks += rpt__part_n_blocks(layout->datasets, &layout->parts[i]);
    }
    if (status == RPT_OK) {
        status = sync_file(&w, target->state_fd, RPT_STATE_FILE);
    }
    if (status == RPT_OK) {
        status = write_section(&w, rank, id, hashes);
    }
    free(w.back);
    free(hashes);
    *times_out = w.times;
    return status;
}
