/*
 * level_flush.c - a checkpoint of the local level goes to the shared directory
 *
 * As a save would write it: rank 0 makes .tmp-ID with its files and the draft,
 * every rank writes the parts that it has and their sections, rank 0 commits.
 * Who has a part need not be the rank that saved it.
 */
#include "io/checkpoint/level_priv.h"

#include "base/error.h"
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
    struct rpt_dir dir;
    int state_fd, blocks_fd;
    char *buffer;
};

static rpt_status_t wrong(const char *why)
{
    rpt__fail(RPT_ERR_CORRUPT, "files of io.checkpoint.local_dir do not belong "
                               "together");
    rpt__fail_why("%s", why);
    return RPT_ERR_CORRUPT;
}

/* ---- what all must know ---- */

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
    if (status == RPT_OK &&
        (f->manifest.id != f->id ||
         f->table.bytes !=
             RPT_BLOCKS_HEAD_BYTES + 16 * (size_t)f->manifest.n_ranks)) {
        status = wrong("the draft is of another checkpoint");
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

    if (status == RPT_OK) {
        status = rpt__dir_open_file(&f->dir, RPT_STATE_FILE, true,
                                    &f->state_fd);
    }
    if (status == RPT_OK) {
        status = rpt__dir_open_file(&f->dir, RPT_BLOCKS, true, &f->blocks_fd);
    }
    f->buffer = malloc(RPT_BLOCK_BYTES);
    if (status == RPT_OK && f->buffer == NULL) {
        status = rpt__fail_nomem(RPT_BLOCK_BYTES);
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

/* A block of a part's stream, in f->buffer. */
static int write_block(const struct flushing *f, const struct rpt_part *part,
                       uint64_t from, size_t bytes)
{
    static const uint64_t any = UINT64_MAX;
    const struct rpt_dataset *set = part->dataset == RPT_RAW
                                        ? NULL
                                        : &f->manifest.datasets[part->dataset];
    size_t type_bytes = set != NULL ? rpt_type_bytes(set->type) : 1;
    uint64_t base = set != NULL ? set->offset : 0, first, n;
    struct rpt_box_walk walk;
    size_t at = 0;
    int error = 0;

    /* Blocks may begin inside of an element. */
    walk = rpt__box_walk(&part->box, set != NULL ? set->dims : &any,
                         set != NULL ? set->n_dims : 1, from / type_bytes,
                         (from + bytes + type_bytes - 1) / type_bytes);
    while (error == 0 && rpt__box_next(&walk, &first, &n)) {
        uint64_t skip = at == 0 ? from % type_bytes : 0;
        size_t length = (size_t)(n * type_bytes - skip);

        length = length < bytes - at ? length : bytes - at;
        error = rpt__write_at(f->state_fd, f->buffer + at, length,
                              base + first * type_bytes + skip);
        at += length;
    }
    return error;
}

static rpt_status_t write_part(const struct flushing *f,
                               const struct rpt_held *held,
                               const struct rpt_written *part, uint64_t begin)
{
    for (uint64_t at = 0; at < part->bytes; at += RPT_BLOCK_BYTES) {
        uint64_t left = part->bytes - at;
        size_t n = left < RPT_BLOCK_BYTES ? (size_t)left : RPT_BLOCK_BYTES;
        int error = rpt__supply_read(&held->supply, begin + at, n, f->buffer);

        if (error != 0) {
            return rpt__fail_errno(RPT_ERR_IO, error,
                                   "cannot read a file of "
                                   "io.checkpoint.local_dir");
        }
        error = write_block(f, &part->part, at, n);
        if (error != 0) {
            return rpt__dir_fail(&f->dir, RPT_STATE_FILE, "write", error,
                                 f->manifest.file_bytes);
        }
    }
    return RPT_OK;
}

static rpt_status_t write_parts(const struct flushing *f,
                                const struct rpt_held *held)
{
    const struct rpt_local *local = &held->local;
    uint64_t at = local->head.front_bytes;
    struct rpt_written *parts = NULL;
    size_t n_parts = 0;
    rpt_status_t status = rpt__section_read(
        "a local checkpoint", local->section, local->section_bytes,
        &f->manifest, local->head.number, &parts, &n_parts);

    for (size_t i = 0; i < n_parts && status == RPT_OK; i++) {
        status = write_part(f, held, &parts[i], at);
        at += parts[i].bytes;
    }
    free(parts);
    return status;
}

static rpt_status_t write_section(const struct flushing *f,
                                  const struct rpt_held *held)
{
    const struct rpt_local *local = &held->local;
    struct rpt_reader table = rpt__reader(f->table.data + RPT_BLOCKS_HEAD_BYTES,
                                          f->table.bytes -
                                              RPT_BLOCKS_HEAD_BYTES);
    uint64_t offset, bytes;
    int error;

    if (local->head.number >= (uint32_t)f->manifest.n_ranks) {
        return wrong("there is a rank too many");
    }
    rpt__read_bytes(&table, 16 * (size_t)local->head.number);
    offset = rpt__read_u64(&table);
    bytes = rpt__read_u64(&table);
    if (bytes != local->section_bytes || bytes > f->manifest.blocks_bytes ||
        offset > f->manifest.blocks_bytes - bytes) {
        return wrong("a section has another length");
    }
    error = rpt__write_at(f->blocks_fd, local->section, local->section_bytes,
                          offset);
    return error == 0
               ? RPT_OK
               : rpt__dir_fail(&f->dir, RPT_BLOCKS, "write", error, bytes);
}

static rpt_status_t sync_file(const struct flushing *f, int fd,
                              const char *name)
{
    int error = rpt__option_switch(f->c->options, RPT_OPT_IO_CHECKPOINT_SYNC)
                    ? rpt__sync_file(fd, true)
                    : 0;

    return error == 0 ? RPT_OK : rpt__dir_fail(&f->dir, name, "sync", error, 0);
}

/* Sections, and so their seals, come when the data are on the disk. */
static rpt_status_t write_held(struct flushing *f, const struct rpt_held held[],
                               size_t n_held)
{
    rpt_status_t status = open_folder(f);

    for (size_t i = 0; i < n_held && status == RPT_OK; i++) {
        status = write_parts(f, &held[i]);
    }
    if (status == RPT_OK) {
        status = sync_file(f, f->state_fd, RPT_STATE_FILE);
    }
    for (size_t i = 0; i < n_held && status == RPT_OK; i++) {
        status = write_section(f, &held[i]);
    }
    return status == RPT_OK ? sync_file(f, f->blocks_fd, RPT_BLOCKS) : status;
}

static void close_folder(struct flushing *f)
{
    if (f->state_fd >= 0) {
        close(f->state_fd);
    }
    if (f->blocks_fd >= 0) {
        close(f->blocks_fd);
    }
    rpt__dir_close(&f->dir);
    free(f->buffer);
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
                              const struct rpt_held held[], size_t n_held)
{
    struct flushing f = {
        .c = c, .id = id, .dir = RPT_DIR_CLOSED, .state_fd = -1, .blocks_fd = -1
    };
    char text[RPT_ID_BYTES];
    rpt_status_t status = learn(&f, root, held, n_held);

    rpt__id_text(id, text);
    snprintf(f.folder, sizeof f.folder, ".tmp-%s", text);
    if (status == RPT_OK) {
        status = c->rank == 0 ? make_folder(&f) : RPT_OK;
        status = rpt__talk_agree(c->group, call, status);
        if (status == RPT_OK) {
            status = write_held(&f, held, n_held);
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
    close_folder(&f);
    rpt__manifest_free(&f.manifest);
    rpt__buf_free(&f.draft);
    rpt__buf_free(&f.table);
    return status;
}
