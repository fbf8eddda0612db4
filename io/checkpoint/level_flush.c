/*
 * level_flush.c - a checkpoint of the local level goes to the shared directory
 *
 * As a save would write it: rank 0 makes .tmp-ID with its files and the draft,
 * every rank writes the parts that it has and their sections, rank 0 commits.
 * Who has a part need not be the rank that saved it.  What is to be compressed
 * is compressed here.
 *
 * Cost: memory for one part at a time, as a save of it takes; a checksum more
 * of each byte, since it was on a disk meanwhile.
 */
#include "io/checkpoint/level_priv.h"

#include "base/again.h"
#include "base/error.h"
#include "io/checkpoint/slots.h"
#include "io/checkpoint/talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char call[] = "rpt_checkpoint_restore";

struct flushing {
    struct rpt_checkpoint *c;
    uint64_t id;
    char folder[RPT_FOLDER_NAME_BYTES];
    struct rpt_buf draft, table; /* of rank 0 of those that saved */
    struct rpt_manifest manifest;
    struct rpt_manifest local; /* the same, as the sections on the nodes are */
    uint64_t *offsets, *lengths; /* of the sections in blocks.xxh */
    struct rpt_dir dir;
    struct rpt_target target;
};

static rpt_status_t wrong(const char *why)
{
    rpt__fail(RPT_ERR_CORRUPT, "files of io.checkpoint.local_dir do not belong "
                               "together");
    rpt__fail_why("%s", why);
    return RPT_ERR_CORRUPT;
}

/* ---- what all must know ---- */

/* Where the section of each rank goes. */
static rpt_status_t read_table(struct flushing *f)
{
    size_t n = (size_t)f->manifest.n_ranks;
    struct rpt_reader table;

    if (f->manifest.id != f->id ||
        f->table.bytes != RPT_BLOCKS_HEAD_BYTES + 16 * n) {
        return wrong("the draft is of another checkpoint");
    }
    f->offsets = calloc(n, sizeof *f->offsets);
    f->lengths = calloc(n, sizeof *f->lengths);
    f->local = f->manifest;
    f->local.datasets = rpt__local_datasets(f->manifest.datasets,
                                            f->manifest.n_datasets);
    if (f->offsets == NULL || f->lengths == NULL || f->local.datasets == NULL) {
        return rpt__fail_nomem(n * 16);
    }
    table = rpt__reader(f->table.data + RPT_BLOCKS_HEAD_BYTES, 16 * n);
    for (size_t r = 0; r < n; r++) {
        f->offsets[r] = rpt__read_u64(&table);
        f->lengths[r] = rpt__read_u64(&table);
        if (f->lengths[r] > f->manifest.blocks_bytes ||
            f->offsets[r] > f->manifest.blocks_bytes - f->lengths[r]) {
            return wrong("a section lies outside of blocks.xxh");
        }
    }
    return RPT_OK;
}

/* Collective. */
static rpt_status_t learn(struct flushing *f, int root,
                          const struct rpt_held held[], size_t n_held)
{
    struct rpt_checkpoint *c = f->c;
    rpt_status_t status = RPT_OK;

    for (size_t i = 0; i < n_held && c->rank == root; i++) {
        const struct rpt_local *local = &held[i].local;

        if (local->head.number == 0) {
            rpt__buf_add(&f->draft, local->draft, local->draft_bytes);
            rpt__buf_add(&f->table, local->table, local->table_bytes);
        }
    }
    rpt__buf_u8(&f->draft, 0);
    status = rpt__buf_status(&f->draft);
    if (status == RPT_OK) {
        status = rpt__buf_status(&f->table);
    }
    status = rpt__talk_agree(c->group, call, status);
    if (status == RPT_OK) {
        status = rpt__talk_from(c->group, call, root, &f->draft);
    }
    if (status == RPT_OK) {
        status = rpt__talk_from(c->group, call, root, &f->table);
    }
    if (status == RPT_OK) {
        f->draft.bytes--; /* without the 0 */
        status = rpt__manifest_read("the draft of a local checkpoint",
                                    f->draft.data, f->draft.bytes, true,
                                    &f->manifest);
    }
    if (status == RPT_OK) {
        status = read_table(f);
    }
    return rpt__talk_agree(c->group, call, status);
}

/* ---- the folder ---- */

static rpt_status_t create(const struct flushing *f, const struct rpt_dir *dir,
                           const char *name, uint64_t bytes)
{
    int fd = -1, error;
    rpt_status_t status = rpt__dir_create(dir, name, &fd);

    if (status != RPT_OK) {
        return status;
    }
    error = rpt__truncate_file(fd, bytes);
    if (error == 0 && strcmp(name, RPT_BLOCKS) == 0) {
        error = rpt__write_at(fd, f->table.data, f->table.bytes, 0);
    }
    close(fd);
    return error == 0 ? RPT_OK
                      : rpt__dir_fail(dir, name, "write", error, bytes);
}

/* Rank 0. */
static rpt_status_t make_folder(const struct flushing *f)
{
    struct rpt_dir dir = RPT_DIR_CLOSED;
    rpt_status_t status = rpt__dir_remove(&f->c->dir, f->folder);

    if (status == RPT_OK) {
        status = rpt__dir_make(&f->c->dir, f->folder, false);
    }
    if (status == RPT_OK) {
        status = rpt__dir_open(&f->c->dir, f->folder, &dir);
    }
    if (status == RPT_OK) {
        status = create(f, &dir, RPT_STATE_FILE, f->manifest.file_bytes);
    }
    if (status == RPT_OK) {
        status = create(f, &dir, RPT_BLOCKS, f->manifest.blocks_bytes);
    }
    if (status == RPT_OK) {
        status = rpt__dir_put(&dir, RPT_DRAFT, f->draft.data, f->draft.bytes);
    }
    rpt__dir_close(&dir);
    return status;
}

static rpt_status_t open_folder(struct flushing *f)
{
    rpt_status_t status = rpt__dir_open(&f->c->dir, f->folder, &f->dir);

    f->target.dir = &f->dir;
    f->target.syncs = rpt__option_switch(f->c->options,
                                         RPT_OPT_IO_CHECKPOINT_SYNC);
    if (status == RPT_OK) {
        status = rpt__dir_open_file(&f->dir, RPT_STATE_FILE, true,
                                    &f->target.state_fd);
    }
    if (status == RPT_OK) {
        status = rpt__dir_open_file(&f->dir, RPT_BLOCKS, true,
                                    &f->target.blocks_fd);
    }
    if (status == RPT_ERR_NOT_FOUND) {
        status = rpt__fail(RPT_ERR_IO,
                           "this rank does not see %s/%s, which rank 0 has "
                           "made",
                           f->c->dir.path, f->folder);
    }
    return status;
}

/* ---- parts ---- */

static rpt_status_t read_part(const struct rpt_held *held,
                              const struct rpt_written *part, uint64_t begin,
                              char *to)
{
    for (uint64_t k = 0; k < part->n_blocks; k++) {
        size_t n = (size_t)rpt__written_stored(part, k);
        int error = rpt__supply_read(&held->supply, begin, n, to);

        if (error != 0) {
            return rpt__fail_errno(RPT_ERR_CORRUPT, error,
                                   "cannot read a file of "
                                   "io.checkpoint.local_dir");
        }
        if (rpt__hash64(to, n, 0) != rpt__written_hash(part, k)) {
            return wrong("a part does not match its checksums");
        }
        begin += n;
        to += n;
    }
    return RPT_OK;
}

/* Whether the part can be a rank's. */
static bool is_part(const struct flushing *f, const struct rpt_part *part)
{
    const struct rpt_dataset *set = part->dataset == RPT_RAW
                                        ? NULL
                                        : &f->manifest.datasets[part->dataset];

    return set == NULL || set->slots == NULL ||
           rpt__chunks_fit(set, &part->box);
}

/* All parts of a rank, in memory as a save has them.  layout: room for them. */
static rpt_status_t take_parts(struct flushing *f, const struct rpt_held *held,
                               const struct rpt_written parts[],
                               struct rpt_file_layout *layout)
{
    const struct rpt_local_head *head = &held->local.head;
    struct rpt_stream *stream = &f->c->stream;
    rpt_status_t status = rpt__stream_reserve(stream, head->body_bytes);
    uint64_t at = 0;

    for (size_t i = 0; i < layout->n_parts && status == RPT_OK; i++) {
        layout->parts[i] = parts[i].part;
        if (parts[i].bytes > head->body_bytes - at ||
            !is_part(f, &parts[i].part)) {
            return wrong("a part is not one of such a checkpoint");
        }
        status = read_part(held, &parts[i], head->front_bytes + at,
                           stream->data + at);
        at += parts[i].bytes;
    }
    if (status == RPT_OK &&
        f->lengths[head->number] != rpt__section_bytes(layout->datasets,
                                                       layout->parts,
                                                       layout->n_parts)) {
        status = wrong("a section has another length");
    }
    return status;
}

static rpt_status_t write_parts(struct flushing *f,
                                const struct rpt_file_layout *layout,
                                uint32_t rank)
{
    uint64_t *words = rpt__stream_words(layout);
    struct rpt_write_times times;
    rpt_status_t status = words != NULL ? RPT_OK : rpt__fail_nomem(8);

    if (status == RPT_OK) {
        status = rpt__stream_write(&f->c->stream, layout, (int)rank, f->id,
                                   &f->target, words, &times);
    }
    free(words);
    return status;
}

/* What one rank has saved. */
static rpt_status_t write_held(struct flushing *f, const struct rpt_held *held)
{
    const struct rpt_local *local = &held->local;
    struct rpt_file_layout layout = {
        .datasets = f->manifest.datasets,
        .n_datasets = f->manifest.n_datasets,
        .file_bytes = f->manifest.file_bytes,
        .section_offsets = f->offsets,
        .level = (int)rpt__option_integer(f->c->options,
                                          RPT_OPT_IO_CHECKPOINT_COMPRESS_LEVEL),
    };
    struct rpt_written *parts = NULL;
    rpt_status_t status;

    if (local->head.number >= (uint32_t)f->manifest.n_ranks) {
        return wrong("there is a rank too many");
    }
    status = rpt__section_read("a local checkpoint", local->section,
                               local->section_bytes, &f->local,
                               local->head.number, &parts, &layout.n_parts);
    if (status == RPT_OK) {
        layout.parts = calloc(layout.n_parts + 1, sizeof *layout.parts);
        layout.sources = calloc(layout.n_parts + 1, sizeof *layout.sources);
        if (layout.parts == NULL || layout.sources == NULL) {
            status = rpt__fail_nomem(layout.n_parts * sizeof *layout.parts);
        }
    }
    if (status == RPT_OK) {
        status = take_parts(f, held, parts, &layout);
    }
    if (status == RPT_OK) {
        status = write_parts(f, &layout, local->head.number);
    }
    free(layout.parts);
    free(layout.sources);
    free(parts);
    return status;
}

/* What a node cannot give any more is lost. */
static rpt_status_t open_held(struct rpt_held *held)
{
    return rpt__held_open(held) == RPT_OK ? RPT_OK : RPT_ERR_CORRUPT;
}

static rpt_status_t write_all(struct flushing *f, struct rpt_held held[],
                              size_t n_held)
{
    rpt_status_t status = open_folder(f);

    for (size_t i = 0; i < n_held && status == RPT_OK; i++) {
        status = open_held(&held[i]);
        if (status == RPT_OK) {
            status = write_held(f, &held[i]);
        }
        rpt__held_close(&held[i]);
    }
    return status;
}

static void release(struct flushing *f)
{
    if (f->target.state_fd >= 0) {
        close(f->target.state_fd);
    }
    if (f->target.blocks_fd >= 0) {
        close(f->target.blocks_fd);
    }
    rpt__dir_close(&f->dir);
    free(f->local.datasets);
    free(f->offsets);
    free(f->lengths);
    rpt__manifest_free(&f->manifest);
    rpt__buf_free(&f->draft);
    rpt__buf_free(&f->table);
}

/* ---- all of it ---- */

static rpt_status_t commit(const struct flushing *f)
{
    rpt_status_t status = rpt__commit(&f->c->dir, f->folder, NULL);

    return status == RPT_PENDING ? wrong("their parts are not all of it")
                                 : status;
}

/* Rank 0; the last error stays. */
static void give_up(const struct flushing *f)
{
    struct rpt_buf error = RPT_BUF_EMPTY;
    struct rpt_reader reader;

    rpt__error_pack(&error);
    rpt__dir_remove(&f->c->dir, f->folder);
    reader = rpt__reader(error.data, error.bytes);
    rpt__error_unpack(&reader);
    rpt__buf_free(&error);
}

rpt_status_t rpt__level_flush(struct rpt_checkpoint *c, uint64_t id, int root,
                              struct rpt_held held[], size_t n_held)
{
    struct flushing f = { .c = c,
                          .id = id,
                          .dir = RPT_DIR_CLOSED,
                          .target = { .state_fd = -1, .blocks_fd = -1 } };
    char text[RPT_ID_BYTES];
    rpt_status_t status = learn(&f, root, held, n_held);

    rpt__id_text(id, text);
    snprintf(f.folder, sizeof f.folder, ".tmp-%s", text);
    if (status == RPT_OK) {
        status = c->rank == 0 ? make_folder(&f) : RPT_OK;
        status = rpt__talk_agree(c->group, call, status);
        if (status == RPT_OK) {
            status = write_all(&f, held, n_held);
            status = rpt__talk_agree(c->group, call, status);
        }
        if (status == RPT_OK) {
            status = c->rank == 0 ? commit(&f) : RPT_OK;
            status = rpt__talk_agree(c->group, call, status);
        }
        if (status != RPT_OK && c->rank == 0) {
            give_up(&f);
        }
    }
    release(&f);
    return status;
}
