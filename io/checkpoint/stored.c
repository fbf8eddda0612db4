/*
 * stored.c - one checkpoint, looked at without a job
 *
 * Manifest and checksums are proven when it is opened; data when that is asked
 * for.  A job may remove it at any moment: whatever fails is looked at once
 * more, since a folder that lost its name is gone, not damaged.
 */
#include "io/checkpoint/stored.h"

#include "base/error.h"
#include "io/checkpoint/load.h"
#include "io/checkpoint/outside.h"
#include "io/checkpoint/slots.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

rpt_status_t rpt__stored_judge(const struct rpt_stored *s, rpt_status_t status)
{
    if (status == RPT_OK || status == RPT_ERR_NOMEM ||
        !rpt__dir_lacks(&s->task, s->name)) {
        return status;
    }
    return rpt__gone(&s->task, s->name);
}

/* ---- opening ---- */

static void describe_box(struct rpt_stored *s, size_t i)
{
    const struct rpt_written *written = &s->opened.written[i];
    const struct rpt_dataset *sets = s->opened.manifest.datasets;
    const struct rpt_part *part = &written->part;
    rpt_stored_box_t *box = &s->boxes[i];

    box->size = sizeof *box;
    box->dataset = part->dataset == RPT_RAW ? SIZE_MAX : part->dataset;
    box->writer_rank = (int)written->writer;
    box->n_dims = rpt__part_n_dims(sets, part);
    memcpy(box->start, part->box.start, sizeof box->start);
    memcpy(box->count, part->box.count, sizeof box->count);
    box->bytes = written->bytes;
    box->n_blocks = rpt__part_n_blocks(sets, part);
    if (part->dataset != RPT_RAW) {
        rpt_stored_dataset_t *set = &s->datasets[part->dataset];

        set->n_boxes++;
        set->n_blocks += box->n_blocks;
        for (uint64_t k = 0; k < written->n_blocks; k++) {
            set->stored_bytes += rpt__written_stored(written, k);
        }
    }
}

static void describe_dataset(struct rpt_stored *s, size_t i)
{
    const struct rpt_dataset *set = &s->opened.manifest.datasets[i];
    rpt_stored_dataset_t *out = &s->datasets[i];

    out->size = sizeof *out;
    out->name = set->name;
    out->kind = (rpt_stored_kind_t)set->kind;
    out->type = set->type;
    out->n_dims = set->is_scalar ? 0 : set->n_dims;
    memcpy(out->dims, set->dims, sizeof out->dims);
    out->offset = set->offset;
    out->bytes = set->bytes;
    out->block_bytes = RPT_BLOCK_BYTES;
    if (set->slots != NULL) {
        memcpy(out->chunk, set->slots->chunk, sizeof out->chunk);
        out->block_bytes = rpt__chunk_bytes(set, set->slots->chunk);
    }
}

static void describe_file(struct rpt_stored *s, size_t i)
{
    const struct rpt_routed *file = &s->opened.manifest.files[i];
    struct rpt_stored_routed *out = &s->files[i];

    snprintf(out->path, sizeof out->path, RPT_FILES "/%s", file->name);
    snprintf(out->digest, sizeof out->digest, "%016" PRIx64 "%016" PRIx64,
             file->digest.high, file->digest.low);
    out->shown = (rpt_stored_file_t){ .size = sizeof out->shown,
                                      .name = out->path + sizeof RPT_FILES,
                                      .writer_rank = file->rank,
                                      .bytes = file->bytes,
                                      .xxh3 = out->digest };
}

static rpt_status_t describe(struct rpt_stored *s)
{
    size_t n_sets = s->opened.manifest.n_datasets, n = s->opened.n_written;
    size_t n_files = s->opened.manifest.n_files;

    s->datasets = calloc(n_sets + 1, sizeof *s->datasets);
    s->boxes = calloc(n + 1, sizeof *s->boxes);
    s->files = calloc(n_files + 1, sizeof *s->files);
    if (s->datasets == NULL || s->boxes == NULL || s->files == NULL) {
        return rpt__fail_nomem((n + 1) * sizeof *s->boxes +
                               (n_files + 1) * sizeof *s->files);
    }
    for (size_t i = 0; i < n_files; i++) {
        describe_file(s, i);
    }
    for (size_t i = 0; i < n_sets; i++) {
        describe_dataset(s, i);
    }
    for (size_t i = 0; i < n; i++) {
        describe_box(s, i);
    }
    return RPT_OK;
}

static rpt_status_t not_committed(const struct rpt_catalog *c,
                                  const rpt_catalog_entry_t *entry)
{
    rpt__fail(RPT_ERR_STATE, "%s/%s/%s is not committed", c->top.path,
              entry->task, entry->name);
    rpt__fail_why("a job writes it, or was killed while it did");
    rpt__fail_hint("choose one that is committed; the next job of this task "
                   "finishes or removes what was left");
    return RPT_ERR_STATE;
}

rpt_status_t rpt__stored_open(const struct rpt_catalog *c,
                              const rpt_catalog_entry_t *entry,
                              struct rpt_stored **stored_out)
{
    struct rpt_stored *s;
    rpt_status_t status;

    if (entry->state == RPT_STORED_TMP) {
        return not_committed(c, entry);
    }
    s = calloc(1, sizeof *s);
    if (s == NULL) {
        return rpt__fail_nomem(sizeof *s);
    }
    s->fd = -1;
    s->opened = (struct rpt_opened)RPT_OPENED_NONE;
    s->task = (struct rpt_dir)RPT_DIR_CLOSED;
    snprintf(s->name, sizeof s->name, "%s", entry->name);
    status = rpt__dir_open(&c->top, entry->task, &s->task);
    if (status == RPT_OK) {
        status = rpt__stored_judge(
            s, rpt__opened_read(&s->task, s->name, &s->opened));
    }
    if (status == RPT_OK) {
        status = describe(s);
    }
    if (status != RPT_OK) {
        rpt__stored_close(s);
        return status;
    }
    *stored_out = s;
    return RPT_OK;
}

void rpt__stored_close(struct rpt_stored *s)
{
    if (s->fd >= 0) {
        close(s->fd);
    }
    free(s->datasets);
    free(s->boxes);
    free(s->files);
    rpt__opened_free(&s->opened);
    rpt__dir_close(&s->task);
    free(s);
}

/* ---- looking ---- */

const rpt_stored_dataset_t *rpt__stored_dataset(const struct rpt_stored *s,
                                                size_t index)
{
    return index < s->opened.manifest.n_datasets ? &s->datasets[index] : NULL;
}

const rpt_stored_file_t *rpt__stored_file(const struct rpt_stored *s,
                                          size_t index)
{
    return index < s->opened.manifest.n_files ? &s->files[index].shown : NULL;
}

const rpt_stored_box_t *rpt__stored_box(const struct rpt_stored *s,
                                        size_t index)
{
    return index < s->opened.n_written ? &s->boxes[index] : NULL;
}

/* ---- reading ---- */

rpt_status_t rpt__stored_reach(struct rpt_stored *s)
{
    const struct rpt_manifest *m = &s->opened.manifest;
    uint64_t bytes = 0;
    rpt_status_t status = RPT_OK;

    if (s->fd < 0) {
        status = rpt__state_open(&s->opened.dir, &s->fd);
        /* From now on no job takes the file for another one. */
        if (status == RPT_OK &&
            !rpt__dir_is_still(&s->task, s->name, &s->opened.dir)) {
            close(s->fd);
            s->fd = -1;
            return rpt__gone(&s->task, s->name);
        }
    }
    if (status == RPT_OK) {
        status = rpt__dir_bytes(&s->opened.dir, RPT_STATE_FILE, s->fd, &bytes);
    }
    if (status == RPT_OK && bytes != m->file_bytes) {
        rpt__fail(RPT_ERR_CORRUPT, "%s/" RPT_STATE_FILE " is damaged",
                  s->opened.dir.path);
        rpt__fail_why("it has %llu bytes, not %llu", (unsigned long long)bytes,
                      (unsigned long long)m->file_bytes);
        status = RPT_ERR_CORRUPT;
    }
    return rpt__stored_judge(s, status);
}

static rpt_status_t make_box(const struct rpt_dataset *set,
                             const uint64_t start[], const uint64_t count[],
                             struct rpt_box *box)
{
    struct rpt_box whole = { { 0 }, { 0 } };

    memcpy(whole.count, set->dims, sizeof whole.count);
    *box = whole;
    for (int d = 0; d < set->n_dims && !set->is_scalar; d++) {
        box->start[d] = start != NULL ? start[d] : 0;
        box->count[d] = count != NULL ? count[d]
                        : box->start[d] < set->dims[d]
                            ? set->dims[d] - box->start[d]
                            : 0;
        if (box->start[d] > set->dims[d] ||
            box->count[d] > set->dims[d] - box->start[d]) {
            rpt__fail(RPT_ERR_INVALID, "dataset \"%s\" has no such part",
                      set->name);
            rpt__fail_why("dimension %d has %llu elements, not from %llu on "
                          "%llu",
                          d, (unsigned long long)set->dims[d],
                          (unsigned long long)box->start[d],
                          (unsigned long long)box->count[d]);
            return RPT_ERR_INVALID;
        }
    }
    return RPT_OK;
}

static rpt_status_t no_dataset(const struct rpt_stored *s, const char *name)
{
    rpt__fail(RPT_ERR_NOT_FOUND, "%s has no dataset \"%s\"", s->opened.dir.path,
              name);
    rpt__fail_hint("`repartir ckpt show' lists them");
    return RPT_ERR_NOT_FOUND;
}

rpt_status_t rpt__stored_read(struct rpt_stored *s, const char *name,
                              const uint64_t start[], const uint64_t count[],
                              void *data, size_t bytes)
{
    const struct rpt_dataset *set = rpt__dataset_find(&s->opened.manifest,
                                                      name);
    struct rpt_box_memory memory = { .data = data };
    rpt_status_t status;
    uint64_t needed;

    if (set == NULL) {
        return no_dataset(s, name);
    }
    status = make_box(set, start, count, &memory.whole);
    if (status != RPT_OK) {
        return status;
    }
    needed = rpt__box_volume(&memory.whole, set->n_dims) *
             rpt_type_bytes(set->type);
    if (needed > bytes) {
        rpt__fail(RPT_ERR_OVERFLOW, "%llu bytes are wanted of dataset \"%s\"",
                  (unsigned long long)needed, name);
        rpt__fail_why("there is room for %zu", bytes);
        return RPT_ERR_OVERFLOW;
    }
    status = rpt__stored_reach(s);
    return status == RPT_OK ? rpt__load_box(&s->opened.dir, s->fd, set,
                                            &memory.whole, &memory)
                            : status;
}

/* ---- verifying ---- */

/* The parts have as many bytes as the file: see check_cover() of blocks.c. */
static rpt_status_t check_cover(const struct rpt_stored *s)
{
    const struct rpt_manifest *m = &s->opened.manifest;
    uint64_t bytes = 0;

    for (size_t i = 0; i < s->opened.n_written; i++) {
        const struct rpt_written *w = &s->opened.written[i];
        uint64_t room = w->slots != NULL ? w->n_blocks * w->slots->bytes
                                         : w->bytes;

        if (__builtin_add_overflow(bytes, room, &bytes)) {
            bytes = UINT64_MAX;
            break;
        }
    }
    if (bytes == m->file_bytes) {
        return RPT_OK;
    }
    rpt__fail(RPT_ERR_CORRUPT, "the checksums of %s are not of all bytes",
              s->opened.dir.path);
    rpt__fail_why("they are of %llu, the file has %llu",
                  (unsigned long long)bytes, (unsigned long long)m->file_bytes);
    return RPT_ERR_CORRUPT;
}

static rpt_status_t check_with_hdf5(struct rpt_stored *s,
                                    const rpt_options_t *options)
{
    rpt_options_t *own = NULL;
    char path[PATH_MAX];
    rpt_status_t status = rpt__stored_reach(s);

    if (s->opened.manifest.n_datasets == 0 &&
        s->opened.manifest.file_bytes == 0) {
        return status; /* of files only: it is empty, and no HDF5 file */
    }
    if (status == RPT_OK && options == NULL) {
        status = rpt__options_copy(NULL, &own);
    }
    if (status == RPT_OK) {
        snprintf(path, sizeof path, "%s/" RPT_STATE_FILE, s->opened.dir.path);
        status = rpt__check_outside(path, s->fd, &s->opened.manifest,
                                    options != NULL ? options : own);
    }
    rpt_options_destroy(own);
    return status;
}

rpt_status_t rpt__stored_verify(struct rpt_stored *s, int what,
                                const rpt_options_t *options)
{
    rpt_status_t status = RPT_OK;

    if ((what & RPT_VERIFY_CHECKSUMS) != 0) {
        status = check_cover(s);
        if (status == RPT_OK) {
            status = rpt__verify(&s->opened, 0, 1);
        }
    }
    if (status == RPT_OK && (what & RPT_VERIFY_HDF5) != 0) {
        status = check_with_hdf5(s, options);
    }
    return rpt__stored_judge(s, status);
}
