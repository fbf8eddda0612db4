/*
 * load.c - from the file of a verified checkpoint into the program's memory
 *
 * A box is read in slabs of some MiB along its slowest dimension: the rows of
 * the file that a slab touches, whole, when it needs a good part of them, and
 * copied from there; otherwise run by run.  Who saved what does not matter.
 */
#include "io/checkpoint/load.h"

#include "base/again.h"
#include "base/error.h"
#include "io/checkpoint/chunks.h"
#include "io/checkpoint/ferry.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    SLAB_BYTES = 4 << 20,
    LONG_RUN_BYTES = 64 << 10, /* worth a read of its own           */
    MOST_WASTE = 4             /* so many bytes may be read for one */
};

const struct rpt_dataset *rpt__dataset_find(const struct rpt_manifest *m,
                                            const char *name)
{
    for (size_t i = 0; i < m->n_datasets; i++) {
        if (strcmp(m->datasets[i].name, name) == 0) {
            return &m->datasets[i];
        }
    }
    return NULL;
}

/* ---- does it fit? ---- */

static void print_dims(struct rpt_buf *text, const uint64_t dims[], int n_dims)
{
    for (int d = 0; d < n_dims; d++) {
        rpt__buf_printf(text, "%s%llu", d > 0 ? "x" : "",
                        (unsigned long long)dims[d]);
    }
}

static rpt_status_t differs(const struct rpt_item *item,
                            const struct rpt_dataset *set)
{
    struct rpt_buf text = RPT_BUF_EMPTY;

    rpt__fail(RPT_ERR_MISMATCH, "item \"%s\" is not as it was saved",
              item->name);
    rpt__buf_printf(&text, "it is %s %s of ", rpt__item_kind_name(item->kind),
                    rpt_type_name(item->type));
    print_dims(&text, item->dims, item->n_dims);
    rpt__buf_printf(&text, "; in the checkpoint it is %s %s of ",
                    rpt__item_kind_name(set->kind), rpt_type_name(set->type));
    print_dims(&text, set->dims, set->n_dims);
    if (!text.failed) {
        rpt__fail_why("%s", text.data);
    }
    rpt__buf_free(&text);
    rpt__fail_hint("describe the state as the program that saved it did");
    return RPT_ERR_MISMATCH;
}

static rpt_status_t check_blob(const struct rpt_item *item,
                               const struct rpt_manifest *m, int n_ranks)
{
    if (item->blob.policy == RPT_BLOB_SAME_RANKS && n_ranks != m->n_ranks) {
        rpt__fail(RPT_ERR_UNSUPPORTED,
                  "blob \"%s\" was saved by %d ranks and is for as many",
                  item->name, m->n_ranks);
        rpt__fail_hint("start %d ranks, or give the blob another policy than "
                       "RPT_BLOB_SAME_RANKS",
                       m->n_ranks);
        return RPT_ERR_UNSUPPORTED;
    }
    return RPT_OK;
}

static rpt_status_t check_item(const struct rpt_item *item,
                               const struct rpt_manifest *m, int n_ranks)
{
    const struct rpt_dataset *set = rpt__dataset_find(m, item->name);

    if (set == NULL) {
        rpt__fail(RPT_ERR_NOT_FOUND,
                  "the checkpoint of iteration %llu has no item \"%s\"",
                  (unsigned long long)m->iteration, item->name);
        rpt__fail_hint("describe the state as the program that saved it did");
        return RPT_ERR_NOT_FOUND;
    }
    if (set->kind != item->kind || set->type != item->type) {
        return differs(item, set);
    }
    if (item->kind == RPT_ITEM_BLOB) {
        return check_blob(item, m, n_ranks);
    }
    return set->n_dims == item->n_dims &&
                   memcmp(set->dims, item->dims,
                          (size_t)item->n_dims * sizeof set->dims[0]) == 0
               ? RPT_OK
               : differs(item, set);
}

rpt_status_t rpt__load_check(const struct rpt_manifest *m,
                             const struct rpt_items *items, int n_ranks)
{
    rpt_status_t status = RPT_OK;

    for (size_t i = 0; i < items->n && status == RPT_OK; i++) {
        status = check_item(&items->list[i], m, n_ranks);
    }
    return status;
}

/* ---- boxes ---- */

struct loading {
    const struct rpt_dir *dir;
    int fd;
    const struct rpt_dataset *set;
    const struct rpt_box_memory *memory;
    size_t type_bytes;
    char *buffer;
    size_t buffer_bytes;
};

static rpt_status_t read_some(const struct loading *l, void *to, uint64_t first,
                              uint64_t n)
{
    int error = rpt__read_at(l->fd, to, (size_t)n * l->type_bytes,
                             l->set->offset + first * l->type_bytes);

    return error == 0 ? RPT_OK
                      : rpt__dir_fail(l->dir, RPT_STATE_FILE, "read", error, 0);
}

static rpt_status_t make_room(struct loading *l, uint64_t bytes)
{
    char *buffer;

    if (bytes <= l->buffer_bytes) {
        return RPT_OK;
    }
    buffer = realloc(l->buffer, (size_t)bytes);
    if (buffer == NULL) {
        return rpt__fail_nomem((size_t)bytes);
    }
    l->buffer = buffer;
    l->buffer_bytes = (size_t)bytes;
    return RPT_OK;
}

/* All rows that the slab touches, from its first to its last. */
static struct rpt_box rows_of(const struct loading *l,
                              const struct rpt_box *slab)
{
    struct rpt_box rows = *slab;
    int d = 0;

    while (d < l->set->n_dims && slab->count[d] == 1) {
        d++;
    }
    for (d++; d < l->set->n_dims; d++) {
        rows.start[d] = 0;
        rows.count[d] = l->set->dims[d];
    }
    return rows;
}

static rpt_status_t load_rows(struct loading *l, const struct rpt_box *slab,
                              const struct rpt_box *rows)
{
    int n_dims = l->set->n_dims;
    uint64_t n = rpt__box_volume(rows, n_dims), first, run;
    struct rpt_box_walk walk = rpt__box_walk(rows, l->set->dims, n_dims, 0, n);
    struct rpt_box_memory from;
    rpt_status_t status = make_room(l, n * l->type_bytes);

    if (status == RPT_OK && rpt__box_next(&walk, &first, &run)) {
        status = read_some(l, l->buffer, first, n);
    }
    if (status == RPT_OK) {
        from = (struct rpt_box_memory){ l->buffer, *rows };
        rpt__box_copy(l->memory, &from, slab, n_dims, l->type_bytes);
    }
    return status;
}

static rpt_status_t load_runs(struct loading *l, const struct rpt_box *slab)
{
    int n_dims = l->set->n_dims;
    uint64_t n = rpt__box_volume(slab, n_dims), first, run, at = 0;
    struct rpt_box_walk walk = rpt__box_walk(slab, l->set->dims, n_dims, 0, n);
    struct rpt_box_memory from;
    rpt_status_t status = make_room(l, n * l->type_bytes);

    while (status == RPT_OK && rpt__box_next(&walk, &first, &run)) {
        status = read_some(l, l->buffer + at * l->type_bytes, first, run);
        at += run;
    }
    if (status == RPT_OK) {
        from = (struct rpt_box_memory){ l->buffer, *slab };
        rpt__box_copy(l->memory, &from, slab, n_dims, l->type_bytes);
    }
    return status;
}

/* The memory has just these elements, in a row. */
static bool is_plain(const struct loading *l, const struct rpt_box *box)
{
    return rpt__box_equals(&l->memory->whole, box, l->set->n_dims) &&
           rpt__box_run(box, l->set->dims, l->set->n_dims) ==
               rpt__box_volume(box, l->set->n_dims);
}

static rpt_status_t load_slab(struct loading *l, const struct rpt_box *slab)
{
    struct rpt_box rows = rows_of(l, slab);
    int n_dims = l->set->n_dims;
    uint64_t run = rpt__box_run(slab, l->set->dims, n_dims);

    if (run * l->type_bytes < LONG_RUN_BYTES &&
        rpt__box_volume(&rows, n_dims) / MOST_WASTE <=
            rpt__box_volume(slab, n_dims)) {
        return load_rows(l, slab, &rows);
    }
    return load_runs(l, slab);
}

/* Along the slowest dimension that has more than one row. */
static rpt_status_t load_slabs(struct loading *l, const struct rpt_box *box)
{
    struct rpt_box slab = *box;
    uint64_t row, n_rows, end;
    rpt_status_t status = RPT_OK;
    int d = 0;

    while (d < l->set->n_dims - 1 && box->count[d] == 1) {
        d++;
    }
    row = rpt__box_volume(box, l->set->n_dims) / box->count[d] * l->type_bytes;
    n_rows = row < SLAB_BYTES ? SLAB_BYTES / row : 1;
    end = box->start[d] + box->count[d];
    for (; slab.start[d] < end && status == RPT_OK; slab.start[d] += n_rows) {
        uint64_t left = end - slab.start[d];

        slab.count[d] = left < n_rows ? left : n_rows;
        status = load_slab(l, &slab);
    }
    return status;
}

rpt_status_t rpt__load_box(const struct rpt_dir *dir, int fd,
                           const struct rpt_dataset *set,
                           const struct rpt_box *box,
                           const struct rpt_box_memory *memory)
{
    struct loading l = { dir,  fd, set, memory, rpt_type_bytes(set->type),
                         NULL, 0 };
    uint64_t first, n = rpt__box_volume(box, set->n_dims);
    struct rpt_box_walk walk = rpt__box_walk(box, set->dims, set->n_dims, 0, n);
    rpt_status_t status = RPT_OK;

    if (n == 0) {
        return RPT_OK;
    }
    if (set->slots != NULL) {
        return rpt__unpack_box(dir, fd, set, box, memory);
    }
    if (is_plain(&l, box) && rpt__box_next(&walk, &first, &n)) {
        status = read_some(&l, memory->data, first, n);
    } else {
        status = load_slabs(&l, box);
    }
    free(l.buffer);
    return status;
}

/* ---- blobs ---- */

static rpt_status_t unpack_one(const struct rpt_opened *o, int fd,
                               const struct rpt_dataset *set,
                               struct rpt_item *item, const uint64_t *begins,
                               int from)
{
    uint64_t bytes = begins[from + 1] - begins[from];
    struct rpt_box box = { { begins[from] }, { bytes } };
    char *data = malloc((size_t)bytes + 1);
    struct rpt_box_memory memory = { data, box };
    rpt_status_t status;

    if (data == NULL) {
        return rpt__fail_nomem((size_t)bytes);
    }
    status = rpt__load_box(&o->dir, fd, set, &box, &memory);
    if (status == RPT_OK) {
        status = rpt__item_judge(item, "unpack", "unpacked",
                                 item->blob.unpack(item->blob.user, data, bytes,
                                                   from, o->manifest.n_ranks));
    }
    free(data);
    return status;
}

rpt_status_t rpt__load_begins(const struct rpt_opened *o, int fd,
                              const struct rpt_dataset *set,
                              uint64_t **begins_out)
{
    const char *name = set->name;
    char index_name[512];
    const struct rpt_dataset *index;
    uint64_t n = (uint64_t)o->manifest.n_ranks + 1, *begins;
    struct rpt_box whole = { { 0 }, { n } };
    struct rpt_box_memory memory = { NULL, whole };
    rpt_status_t status = RPT_OK;
    bool ok;

    snprintf(index_name, sizeof index_name, "repartir/begins/%s", name);
    index = rpt__dataset_find(&o->manifest, index_name);
    /* All that is read into below, or by who asks, is as long as it says. */
    ok = index != NULL && index->type == RPT_TYPE_U64 && index->n_dims == 1 &&
         index->dims[0] == n && set->type == RPT_TYPE_U8 && set->n_dims == 1;
    begins = malloc((size_t)n * sizeof *begins);
    if (begins == NULL) {
        return rpt__fail_nomem((size_t)n * sizeof *begins);
    }
    memory.data = begins;
    if (ok) {
        status = rpt__load_box(&o->dir, fd, index, &whole, &memory);
    }
    for (uint64_t r = 0; status == RPT_OK && ok && r + 1 < n; r++) {
        ok = begins[r] <= begins[r + 1];
    }
    if (status == RPT_OK && ok && begins[0] == 0 &&
        begins[n - 1] == set->bytes) {
        *begins_out = begins;
        return RPT_OK;
    }
    free(begins);
    if (status != RPT_OK) {
        return status;
    }
    rpt__fail(RPT_ERR_CORRUPT, "blob \"%s\" has no table of its ranks", name);
    return RPT_ERR_CORRUPT;
}

static rpt_status_t load_blob(const struct rpt_opened *o, int fd,
                              struct rpt_item *item, int rank, int n_ranks)
{
    const struct rpt_dataset *set = rpt__dataset_find(&o->manifest, item->name);
    int64_t saved = o->manifest.n_ranks;
    int from = rank, end = rank + 1;
    uint64_t *begins = NULL;
    rpt_status_t status = rpt__load_begins(o, fd, set, &begins);

    if (status != RPT_OK) {
        return status;
    }
    if (item->blob.policy == RPT_BLOB_ALL) {
        from = 0;
        end = (int)saved;
    } else if (item->blob.policy == RPT_BLOB_SPREAD) {
        from = (int)(saved * rank / n_ranks);
        end = (int)(saved * (rank + 1) / n_ranks);
    }
    for (int r = from; r < end && status == RPT_OK; r++) {
        status = unpack_one(o, fd, set, item, begins, r);
    }
    free(begins);
    return status;
}

/* ---- all ---- */

rpt_status_t rpt__load(const struct rpt_opened *o, struct rpt_items *items,
                       int rank, int n_ranks)
{
    int fd = -1;
    rpt_status_t status = rpt__dir_open_file(&o->dir, RPT_STATE_FILE, false,
                                             &fd);

    for (size_t i = 0; i < items->n && status == RPT_OK; i++) {
        struct rpt_item *item = &items->list[i];
        const struct rpt_dataset *set = rpt__dataset_find(&o->manifest,
                                                          item->name);

        if (item->kind == RPT_ITEM_BLOB) {
            status = load_blob(o, fd, item, rank, n_ranks);
        } else if (item->ferry != NULL) {
            status = rpt__ferry_load(&o->dir, fd, set, item);
        } else {
            status = rpt__load_box(&o->dir, fd, set, &item->box, &item->memory);
        }
    }
    if (fd >= 0) {
        close(fd);
    }
    return status;
}
