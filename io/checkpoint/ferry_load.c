/*
 * ferry_load.c - from the file of a checkpoint into the memory of a device
 *
 * By pieces of a few MiB, or chunk by chunk, through memory of the host that
 * has two of them: one is read while the one before is copied.
 *
 *   read 0 | copy 0         | copy 1
 *          | read 1 | wait 0  read 2 | wait 1 ...
 */
#include "io/checkpoint/ferry.h"
#include "io/checkpoint/load.h"

#include "base/error.h"
#include "io/checkpoint/slots.h"

enum { PIECE_BYTES = 4 << 20 };

struct loading {
    const struct rpt_dir *dir;
    int fd;
    const struct rpt_dataset *set;
    const struct rpt_item *item;
    size_t piece_bytes;
    char *pieces[2];
    int next; /* the one that is not under way */
};

static uint64_t bytes_of(const struct loading *l, const struct rpt_box *box)
{
    return rpt__box_volume(box, l->item->n_dims) * l->item->type_bytes;
}

static rpt_status_t load_piece(struct loading *l, const struct rpt_box *piece)
{
    struct rpt_box_memory memory = { l->pieces[l->next], *piece };
    rpt_status_t status = rpt__load_box(l->dir, l->fd, l->set, piece, &memory);

    if (status == RPT_OK) {
        status = rpt__ferry_finish(l->item->ferry, RPT_OK);
    }
    if (status == RPT_OK) {
        status = rpt__ferry_copy(l->item, &l->item->memory, &memory, piece);
    }
    l->next = 1 - l->next;
    return status;
}

/* Cuts along the slowest dimension that has more than one row, and rows that
 * are too long along the next. */
static rpt_status_t load_slabs(struct loading *l, const struct rpt_box *box)
{
    struct rpt_box slab = *box;
    uint64_t row, n_rows, end;
    rpt_status_t status = RPT_OK;
    int d = 0;

    if (bytes_of(l, box) <= l->piece_bytes) {
        return load_piece(l, box);
    }
    while (box->count[d] == 1) {
        d++; /* one element is no longer than a piece */
    }
    row = bytes_of(l, box) / box->count[d];
    n_rows = row < l->piece_bytes ? l->piece_bytes / row : 1;
    end = box->start[d] + box->count[d];
    for (; slab.start[d] < end && status == RPT_OK; slab.start[d] += n_rows) {
        uint64_t left = end - slab.start[d];

        slab.count[d] = left < n_rows ? left : n_rows;
        status = load_slabs(l, &slab);
    }
    return status;
}

/* A chunk is expanded whole, so it is a piece. */
static rpt_status_t load_chunks(struct loading *l)
{
    const struct rpt_dataset *set = l->set;
    const struct rpt_box *box = &l->item->box;
    struct rpt_box grid = rpt__chunk_grid(set, box), piece;
    uint64_t n = rpt__box_volume(&grid, set->n_dims);
    rpt_status_t status = RPT_OK;

    for (uint64_t i = 0; i < n && status == RPT_OK; i++) {
        struct rpt_box chunk = rpt__chunk_box(set,
                                              rpt__chunk_at(set, &grid, i));

        if (rpt__box_shared(&chunk, box, set->n_dims, &piece)) {
            status = load_piece(l, &piece);
        }
    }
    return status;
}

static size_t piece_bytes_of(const struct loading *l)
{
    uint64_t bytes = PIECE_BYTES, all = bytes_of(l, &l->item->box);

    if (l->set->slots != NULL) {
        bytes = rpt__chunk_bytes(l->set, l->set->slots->chunk);
    }
    if (bytes < l->item->type_bytes) {
        bytes = l->item->type_bytes;
    }
    return (size_t)(bytes < all ? bytes : all);
}

rpt_status_t rpt__ferry_load(const struct rpt_dir *dir, int fd,
                             const struct rpt_dataset *set,
                             const struct rpt_item *item)
{
    struct loading l = { .dir = dir, .fd = fd, .set = set, .item = item };
    rpt_status_t status;

    l.piece_bytes = piece_bytes_of(&l);
    status = rpt__ferry_host_alloc(item->ferry, 2 * l.piece_bytes,
                                   &l.pieces[0]);
    if (status != RPT_OK) {
        return status;
    }
    l.pieces[1] = l.pieces[0] + l.piece_bytes;
    status = set->slots != NULL ? load_chunks(&l) : load_slabs(&l, &item->box);
    status = rpt__ferry_finish(item->ferry, status);
    rpt__ferry_host_release(item->ferry, l.pieces[0]);
    return status;
}
