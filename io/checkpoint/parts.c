/*
 * parts.c - the blocks of all ranks are compared, and become parts of writers
 *
 * Arrays that are divided alike, on every rank, are compared once.  Each rank
 * looks whether its own block overlaps that of another; whether some of the
 * array belongs to nobody is seen by the sum of the volumes, and what that is,
 * which rank 0 writes as zeros, by taking one block after the other away.
 *
 * Cost: an exchange of 16 bytes a dimension for each way of dividing, p
 * comparisons on each rank.
 */
#include "io/checkpoint/layout.h"

#include "base/error.h"
#include "base/size.h"
#include "io/checkpoint/talk.h"

#include <stdlib.h>
#include <string.h>

static const char call[] = "rpt_checkpoint_save";

rpt_status_t rpt__file_layout_add_part(struct rpt_file_layout *layout,
                                       uint32_t dataset,
                                       const struct rpt_box *box)
{
    struct rpt_part part = { dataset, *box };
    uint64_t bytes = rpt__part_bytes(layout->datasets, &part);
    struct rpt_part *parts;

    if (bytes == 0) {
        return RPT_OK;
    }
    parts = realloc(layout->parts, (layout->n_parts + 1) * sizeof *parts);
    if (parts == NULL) {
        return rpt__fail_nomem((layout->n_parts + 1) * sizeof *parts);
    }
    layout->parts = parts;
    parts[layout->n_parts++] = part;
    layout->stream_bytes += bytes;
    return RPT_OK;
}

/* ---- what belongs to nobody ---- */

struct boxes {
    struct rpt_box *list;
    size_t n;
};

static rpt_status_t push(struct boxes *boxes, const struct rpt_box *box)
{
    struct rpt_box *list = realloc(boxes->list, (boxes->n + 1) * sizeof *list);

    if (list == NULL) {
        return rpt__fail_nomem((boxes->n + 1) * sizeof *list);
    }
    boxes->list = list;
    list[boxes->n++] = *box;
    return RPT_OK;
}

/* What of `from` is not in `taken`, as up to two boxes a dimension. */
static rpt_status_t subtract(struct rpt_box from, const struct rpt_box *taken,
                             int n_dims, struct boxes *rest)
{
    struct rpt_box shared, piece;
    rpt_status_t status = RPT_OK;

    if (!rpt__box_shared(&from, taken, n_dims, &shared)) {
        return push(rest, &from);
    }
    for (int d = 0; d < n_dims && status == RPT_OK; d++) {
        uint64_t end = from.start[d] + from.count[d];
        uint64_t shared_end = shared.start[d] + shared.count[d];

        piece = from;
        piece.count[d] = shared.start[d] - from.start[d];
        if (piece.count[d] > 0) {
            status = push(rest, &piece);
        }
        piece.start[d] = shared_end;
        piece.count[d] = end - shared_end;
        if (piece.count[d] > 0 && status == RPT_OK) {
            status = push(rest, &piece);
        }
        from.start[d] = shared.start[d];
        from.count[d] = shared.count[d];
    }
    return status;
}

static rpt_status_t add_gaps(struct rpt_file_layout *layout, uint32_t set,
                             const struct rpt_box *all)
{
    int n_dims = layout->datasets[set].n_dims;
    struct boxes left = { NULL, 0 };
    struct rpt_box whole = { { 0 }, { 0 } };
    rpt_status_t status;

    memcpy(whole.count, layout->datasets[set].dims, sizeof whole.count);
    status = push(&left, &whole);
    for (int r = 0; r < layout->n_ranks && status == RPT_OK; r++) {
        struct boxes rest = { NULL, 0 };

        for (size_t i = 0; i < left.n && status == RPT_OK; i++) {
            status = subtract(left.list[i], &all[r], n_dims, &rest);
        }
        free(left.list);
        left = rest;
    }
    for (size_t i = 0; i < left.n && status == RPT_OK; i++) {
        status = rpt__file_layout_add_part(layout, set, &left.list[i]);
    }
    free(left.list);
    return status;
}

/* ---- arrays that are divided alike ---- */

static bool is_alike(const struct rpt_item *a, const struct rpt_item *b)
{
    return a->kind == b->kind && a->n_dims == b->n_dims &&
           memcmp(a->dims, b->dims, (size_t)a->n_dims * sizeof a->dims[0]) ==
               0 &&
           rpt__box_equals(&a->box, &b->box, a->n_dims);
}

/* The first array that is divided as each one is, here. */
static void find_alike(const struct rpt_items *items, uint32_t first[])
{
    for (size_t i = 0; i < items->n; i++) {
        first[i] = (uint32_t)i;
        for (uint32_t j = 0; j < i; j++) {
            if (first[j] == j && is_alike(&items->list[i], &items->list[j])) {
                first[i] = j;
                break;
            }
        }
    }
}

/* Whether all ranks have found the same; if not, each is compared alone.  all:
 * room for a box of each rank. */
static rpt_status_t agree_alike(struct rpt_group *group, uint32_t first[],
                                size_t n, void *all)
{
    uint64_t mine = rpt__hash64(first, n * sizeof first[0], n);
    const uint64_t *of_rank = all;
    rpt_status_t status = rpt__talk_all(group, call, &mine, sizeof mine, all);

    for (int r = 0; status == RPT_OK && r < rpt__group_size(group); r++) {
        for (size_t i = 0; of_rank[r] != of_rank[0] && i < n; i++) {
            first[i] = (uint32_t)i;
        }
    }
    return status;
}

/* ---- comparing ---- */

static rpt_status_t overlap(const struct rpt_group *group, const char *name,
                            int other)
{
    rpt__fail(RPT_ERR_INVALID,
              "blocks of array \"%s\" overlap: those of ranks %d and %d", name,
              rpt__group_rank(group), other);
    rpt__fail_hint("give each element to one rank, without ghost cells "
                   "(start, count; ghost cells are memory_dims)");
    return RPT_ERR_INVALID;
}

static rpt_status_t compare(const struct rpt_group *group,
                            const struct rpt_item *item,
                            const struct rpt_box *all, uint64_t *volume_out)
{
    struct rpt_box shared;
    uint64_t volume = 0;
    int p = rpt__group_size(group), rank = rpt__group_rank(group);

    for (int r = 0; r < p; r++) {
        if (r != rank &&
            rpt__box_shared(&all[r], &item->box, item->n_dims, &shared)) {
            return overlap(group, item->name, r);
        }
        volume += rpt__box_volume(&all[r], item->n_dims);
    }
    *volume_out = volume;
    return RPT_OK;
}

/* All arrays that are divided as item `like` is; all: room for a box of each
 * rank.  Fails on all ranks or on none, but for own_out. */
static rpt_status_t divide_alike(struct rpt_group *group,
                                 const struct rpt_items *items,
                                 const uint32_t first[], size_t like,
                                 struct rpt_file_layout *layout,
                                 struct rpt_box *all, rpt_status_t *own_out)
{
    const struct rpt_item *item = &items->list[like];
    struct rpt_box whole = { { 0 }, { 0 } };
    uint64_t volume = 0;
    rpt_status_t status, own = *own_out;

    memcpy(whole.count, item->dims, sizeof whole.count);
    status = rpt__talk_all(group, call, &item->box, sizeof item->box, all);
    if (status == RPT_OK) {
        status = rpt__talk_agree(group, call,
                                 compare(group, item, all, &volume));
    }
    for (size_t i = like; i < items->n && status == RPT_OK; i++) {
        uint32_t set = layout->set_of[i];

        if (first[i] == like && own == RPT_OK) {
            own = rpt__file_layout_add_part(layout, set, &item->box);
        }
        if (first[i] == like && own == RPT_OK && rpt__group_rank(group) == 0 &&
            volume < rpt__box_volume(&whole, item->n_dims)) {
            own = add_gaps(layout, set, all);
        }
    }
    *own_out = own;
    return status;
}

/* ---- the rest ---- */

static rpt_status_t add_whole(struct rpt_file_layout *layout, uint32_t set)
{
    struct rpt_box box = { { 0 }, { 0 } };

    memcpy(box.count, layout->datasets[set].dims, sizeof box.count);
    return rpt__file_layout_add_part(layout, set, &box);
}

/* Rank 0 writes what is the same on all, and where blobs begin. */
static rpt_status_t add_common(const struct rpt_items *items,
                               struct rpt_file_layout *layout)
{
    rpt_status_t status = RPT_OK;

    for (uint32_t set = 0; set < RPT_N_OWN_SETS && status == RPT_OK; set++) {
        status = add_whole(layout, set);
    }
    for (size_t i = 0; i < items->n && status == RPT_OK; i++) {
        if (items->list[i].kind == RPT_ITEM_VALUE) {
            status = add_whole(layout, layout->set_of[i]);
        } else if (items->list[i].kind == RPT_ITEM_BLOB) {
            status = add_whole(layout, layout->index_of[i]);
        }
    }
    return status;
}

static rpt_status_t add_blobs(const struct rpt_items *items, int rank,
                              struct rpt_file_layout *layout)
{
    rpt_status_t status = RPT_OK;

    for (size_t i = 0; i < items->n && status == RPT_OK; i++) {
        struct rpt_box box = { { 0 }, { items->list[i].blob_bytes } };

        if (items->list[i].kind == RPT_ITEM_BLOB) {
            box.start[0] = layout->begins[i][rank];
            status = rpt__file_layout_add_part(layout, layout->set_of[i], &box);
        }
    }
    return status;
}

static rpt_status_t divide_arrays(struct rpt_group *group,
                                  const struct rpt_items *items,
                                  uint32_t first[], struct rpt_box *all,
                                  struct rpt_file_layout *layout)
{
    rpt_status_t own = RPT_OK, status;

    find_alike(items, first);
    status = agree_alike(group, first, items->n, all);
    for (size_t i = 0; i < items->n && status == RPT_OK; i++) {
        if (items->list[i].kind == RPT_ITEM_ARRAY && first[i] == i) {
            status = divide_alike(group, items, first, i, layout, all, &own);
        }
    }
    return status == RPT_OK ? own : status;
}

rpt_status_t rpt__file_layout_divide(struct rpt_group *group,
                                     const struct rpt_items *items,
                                     struct rpt_file_layout *layout)
{
    size_t p = (size_t)rpt__group_size(group);
    uint32_t *first = calloc(items->n + 1, sizeof *first);
    struct rpt_box *all = calloc(p, sizeof *all);
    rpt_status_t status = first != NULL && all != NULL
                              ? RPT_OK
                              : rpt__fail_nomem(p * sizeof *all);

    status = rpt__talk_agree(group, call, status);
    if (status == RPT_OK) {
        status = divide_arrays(group, items, first, all, layout);
    }
    free(first);
    free(all);
    if (status == RPT_OK && rpt__group_rank(group) == 0) {
        status = add_common(items, layout);
    }
    return status == RPT_OK ? add_blobs(items, rpt__group_rank(group), layout)
                            : status;
}
