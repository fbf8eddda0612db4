/*
 * stream.c - a rank copies its part of the state, then writes it
 *
 * The copy is contiguous: each part's box in row-major order.  Writing goes by
 * blocks of a MiB: the checksum brings a block into the cache, pwrite() takes
 * it from there, in as many runs as the box has rows in the file, and the disk
 * is set to work at once.
 *
 * Cost: one copy in the call; a checksum and a write of each byte in the
 * thread.
 */
#include "io/checkpoint/stream.h"

#include "base/again.h"
#include "base/clock.h"
#include "base/error.h"
#include "io/checkpoint/chunks.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

void rpt__stream_free(struct rpt_stream *stream)
{
    if (stream->release != NULL) {
        stream->release(stream->data);
    } else {
        free(stream->data);
    }
    *stream = (struct rpt_stream){ NULL, 0, NULL };
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
    *stream = (struct rpt_stream){ data, (size_t)bytes, NULL };
    return RPT_OK;
}

/* ---- the copy ---- */

struct taking {
    const struct rpt_items *items;
    const struct rpt_file_layout *layout;
    const struct rpt_stamp *stamp;
};

static void take_stamp(const struct taking *t, size_t set, char *to)
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
    return rpt__item_judge(
        item, "pack", "packed",
        item->blob.pack(item->blob.user, to, item->blob_bytes));
}

static rpt_status_t take_part(const struct taking *t,
                              const struct rpt_part *part,
                              struct rpt_source source, uint64_t bytes,
                              char *to)
{
    struct rpt_box_memory target = { to, part->box };
    const struct rpt_item *item;

    switch (source.kind) {
    case RPT_FROM_ITEM:
        item = &t->items->list[source.index];
        if (item->ferry == NULL) {
            rpt__box_copy(&target, &item->memory, &part->box, item->n_dims,
                          item->type_bytes);
        }
        return RPT_OK;
    case RPT_FROM_BLOB:
        return pack(&t->items->list[source.index], to);
    case RPT_FROM_BEGINS:
        memcpy(to, t->layout->begins[source.index], (size_t)bytes);
        return RPT_OK;
    case RPT_FROM_STAMP:
        take_stamp(t, source.index, to);
        return RPT_OK;
    case RPT_FROM_RAW:
        memcpy(to, t->layout->raw[source.index].data, (size_t)bytes);
        return RPT_OK;
    default:
        memset(to, 0, (size_t)bytes);
        return RPT_OK;
    }
}

const char *rpt__stream_part(const struct rpt_stream *stream,
                             const struct rpt_file_layout *layout, size_t i,
                             uint64_t *at)
{
    const struct rpt_gather *gather = &layout->gather;
    const struct rpt_source *source = &layout->sources[i];
    const char *data = stream->data + *at;

    if (source->kind == RPT_FROM_GATHER) {
        return gather->memory + gather->list[source->index].offsets[gather->me];
    }
    if (source->kind == RPT_FROM_HOLE) {
        return NULL;
    }
    *at += rpt__part_bytes(layout->datasets, &layout->parts[i]);
    return data;
}

rpt_status_t rpt__stream_take(struct rpt_stream *stream,
                              const struct rpt_items *items,
                              const struct rpt_file_layout *layout,
                              const struct rpt_stamp *stamp)
{
    struct taking t = { items, layout, stamp };
    rpt_status_t status = RPT_OK;
    uint64_t at = 0;

    for (size_t i = 0; i < layout->n_parts && status == RPT_OK; i++) {
        uint64_t bytes = rpt__part_bytes(layout->datasets, &layout->parts[i]);

        if (layout->sources[i].kind != RPT_FROM_GATHER &&
            layout->sources[i].kind != RPT_FROM_HOLE) {
            status = take_part(&t, &layout->parts[i], layout->sources[i], bytes,
                               stream->data + at);
            at += bytes;
        }
    }
    if (status == RPT_OK) {
        rpt__gather_copy(&layout->gather, items);
    }
    return status;
}

/* ---- writing ---- */

struct writing {
    const struct rpt_file_layout *layout;
    const struct rpt_target *target;
    struct rpt_write_times times;
    char *back;            /* what is in the file already, a block     */
    char *zeros;           /* a block of a hole; NULL: there are none  */
    uint64_t zeros_hash;   /* of all of it                             */
    const uint64_t *known; /* of the next part; NULL: not known        */
    struct rpt_packer *packer; /* NULL: no chunks so far               */
    struct rpt_pack_target pack;
    /* written since the disk was last set to work, and where */
    uint64_t begun_bytes, begun_from, begun_to;
};

static rpt_status_t wrong_data(const struct writing *w,
                               const struct rpt_dataset *set)
{
    bool is_full = rpt__dir_is_full(w->target->dir); /* MPI-IO may not say */

    rpt__fail(RPT_ERR_IO, "%s/" RPT_STATE_FILE " is not what was written",
              w->target->dir->path);
    rpt__fail_why("dataset \"%s\" reads back differently%s%s", set->name,
                  is_full ? ": " : "", is_full ? strerror(ENOSPC) : "");
    rpt__fail_hint("%s", is_full
                             ? rpt__disk_advice(ENOSPC)
                             : "use io.checkpoint.engine=direct, or another "
                               "component of this MPI's MPI-IO (Open MPI: "
                               "OMPI_MCA_io=romio321)");
    return RPT_ERR_IO;
}

/* HDF5 has written it.  What is HDF5's own is written again: it changes that
 * when it closes the file, and does not always hear that this failed. */
static bool is_there(const struct writing *w, const struct rpt_part *part)
{
    return w->target->is_written && part->dataset != RPT_RAW;
}

/* The disk works while this rank hashes what comes next, so that little is left
 * for the sync at the end.  What other ranks have written in between is theirs
 * to sync, too. */
static void write_behind(struct writing *w, uint64_t offset, size_t bytes)
{
    if (w->begun_bytes == 0 || offset < w->begun_to) {
        w->begun_bytes = 0;
        w->begun_from = offset;
    }
    w->begun_bytes += bytes;
    w->begun_to = offset + bytes;
    if (w->begun_bytes >= RPT_BLOCK_BYTES && w->target->syncs) {
        rpt__sync_soon(w->target->state_fd, w->begun_from,
                       w->begun_to - w->begun_from);
        w->begun_bytes = 0;
    }
}

/* One run of bytes of the file: written, or read back to `back`. */
static rpt_status_t move_run(struct writing *w, const char *data,
                             size_t bytes, uint64_t offset, char *back)
{
    const struct rpt_target *target = w->target;
    int error = back != NULL
                    ? rpt__read_at(target->state_fd, back, bytes, offset)
                    : rpt__write_at(target->state_fd, data, bytes, offset);

    if (error == 0) {
        if (back == NULL) {
            write_behind(w, offset, bytes);
        }
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
    /* A new file has holes, and where HDF5 has written it, too. */
    bool is_hole = data == w->zeros && !w->target->is_used;
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
        *hash_out = data == w->zeros && bytes == RPT_BLOCK_BYTES
                        ? w->zeros_hash
                        : rpt__hash64(data, bytes, 0);
    }
    began_s = rpt__now_s();
    w->times.hash_s += began_s - hashed_s;
    is_written |= is_hole || (w->known != NULL && *w->known == *hash_out);
    w->known += w->known != NULL;
    if (status == RPT_OK && !is_written) {
        status = move_block(w, part, data, from, bytes);
        w->times.write_s += rpt__now_s() - began_s;
        w->times.bytes += bytes;
    }
    return status;
}

static rpt_status_t do_chunks(struct writing *w, const struct rpt_part *part,
                              const char *data, uint64_t *words)
{
    rpt_status_t status = RPT_OK;

    if (w->packer == NULL) {
        status = rpt__packer_create(w->layout->level, &w->packer);
    }
    w->pack.known = w->known;
    if (status == RPT_OK) {
        status = rpt__pack_box(w->packer, &w->pack,
                               &w->layout->datasets[part->dataset], &part->box,
                               data, words);
    }
    w->known = w->pack.known;
    return status;
}

static rpt_status_t do_part(struct writing *w, const struct rpt_part *part,
                            const char *data, uint64_t *words)
{
    uint64_t bytes = rpt__part_bytes(w->layout->datasets, part);
    rpt_status_t status = RPT_OK;

    if (part->dataset != RPT_RAW &&
        w->layout->datasets[part->dataset].slots != NULL) {
        return do_chunks(w, part, data, words);
    }
    for (uint64_t from = 0; from < bytes && status == RPT_OK;
         from += RPT_BLOCK_BYTES) {
        uint64_t left = bytes - from;

        sched_yield(); /* ranks that share this core may still be copying */
        status = do_block(
            w, part, data != NULL ? data + from : w->zeros, from,
            left < RPT_BLOCK_BYTES ? (size_t)left : RPT_BLOCK_BYTES, words++);
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
                                  const uint64_t *words)
{
    const struct rpt_file_layout *layout = w->layout;
    struct rpt_buf section = RPT_BUF_EMPTY;
    rpt_status_t status;
    int error;

    rpt__section_write(id, (uint32_t)rank, w->target->n_files, layout->datasets,
                       layout->parts, layout->n_parts, words, &section);
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

static uint64_t count_words(const struct rpt_file_layout *layout)
{
    uint64_t n = 0;

    for (size_t i = 0; i < layout->n_parts; i++) {
        n += rpt__part_n_words(layout->datasets, &layout->parts[i]);
    }
    return n;
}

uint64_t *rpt__stream_words(const struct rpt_file_layout *layout)
{
    return calloc((size_t)count_words(layout) + 1, sizeof(uint64_t));
}

static void add_pack_times(struct writing *w)
{
    w->times.pack_s += w->pack.pack_s;
    w->times.hash_s += w->pack.hash_s;
    w->times.write_s += w->pack.write_s;
    w->times.bytes += w->pack.bytes;
}

rpt_status_t rpt__stream_write(const struct rpt_stream *stream,
                               const struct rpt_file_layout *layout, int rank,
                               uint64_t id, const struct rpt_target *target,
                               uint64_t words[],
                               struct rpt_write_times *times_out)
{
    struct writing w = { .layout = layout,
                         .target = target,
                         .known = target->known,
                         .pack = { .dir = target->dir,
                                   .fd = target->state_fd,
                                   .is_used = target->is_used } };
    uint64_t n_words = 0, at = 0;
    rpt_status_t status = RPT_OK;

    w.back = target->is_written ? malloc(RPT_BLOCK_BYTES) : NULL;
    w.zeros = layout->has_holes ? calloc(1, RPT_BLOCK_BYTES) : NULL;
    if ((target->is_written && w.back == NULL) ||
        (layout->has_holes && w.zeros == NULL)) {
        status = rpt__fail_nomem(RPT_BLOCK_BYTES);
    } else if (layout->has_holes) {
        w.zeros_hash = rpt__hash64(w.zeros, RPT_BLOCK_BYTES, 0);
    }
    for (size_t i = 0; i < layout->n_parts && status == RPT_OK; i++) {
        status = do_part(&w, &layout->parts[i],
                         rpt__stream_part(stream, layout, i, &at),
                         words + n_words);
        n_words += rpt__part_n_words(layout->datasets, &layout->parts[i]);
    }
    if (status == RPT_OK) {
        status = sync_file(&w, target->state_fd, RPT_STATE_FILE);
    }
    if (status == RPT_OK) {
        status = write_section(&w, rank, id, words);
    }
    add_pack_times(&w);
    rpt__packer_destroy(w.packer);
    free(w.back);
    free(w.zeros);
    *times_out = w.times;
    return status;
}
