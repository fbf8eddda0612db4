/*
 * parts.c - the blocks of all ranks are compared, and become parts of writers
 *
 * Arrays that are divided alike, on every rank, are compared once.  Each rank
 * looks whether its own block overlaps that of another; whether some of the
 * array belongs to nobody is seen by the sum of the volumes, and what that is,
 * which rank 0 writes as zeros, by taking one block after the other away.
 *
 * Cost: an exchange of 16 bytes a dimension for each way of dividing, and some
 * for all, p comparisons on each rank.
 */
#include "io/checkpoint/layout.h"

#include "base/error.h"
#include "base/size.h"
#include "io/checkpoint/cut.h"
#include "io/checkpoint/talk.h"

#include <stdlib.h>
#include <string.h>

static const char call[] = "rpt_checkpoint_save";

rpt_status_t rpt__file_layout_add_part(struct rpt_file_layout *layout,
                                       uint32_t dataset,
                                       const struct rpt_box *box,
                                       struct rpt_source source)
{
    struct rpt_part part = { dataset, *box };
    uint64_t bytes = rpt__part_bytes(layout->datasets, &part);
    size_t n = layout->n_parts + 1;
    struct rpt_source *sources;
    struct rpt_part *parts;

    if (bytes == 0) {
        return RPT_OK;
    }
    parts = realloc(layout->parts, n * sizeof *parts);
    if (parts == NULL) {
        return rpt__fail_nomem(n * sizeof *parts);
    }
    layout->parts = parts;
    sources = realloc(layout->sources, n * sizeof *sources);
    if (sources == NULL) {
        return rpt__fail_nomem(n * sizeof *sources);
    }
    layout->sources = sources;
    parts[layout->n_parts] = part;
    sources[layout->n_parts] = source;
    layout->n_parts = n;
    layout->has_holes |= source.kind == RPT_FROM_HOLE;
    if (source.kind != RPT_FROM_GATHER && source.kind != RPT_FROM_HOLE) {
        layout->stream_bytes += bytes;
    }
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

/* Much may be nobody's: it needs memory only where somebody looks at it. */
static rpt_status_t add_gaps(struct rpt_file_layout *layout, uint32_t set,
                             const struct rpt_box *all, size_t n,
                             bool needs_zeros)
{
    struct rpt_source source = { layout->datasets[set].slots != NULL ||
                                         needs_zeros
                                     ? RPT_FROM_NOBODY
                                     : RPT_FROM_HOLE,
                                 0 };
    int n_dims = layout->datasets[set].n_dims;
    struct boxes left = { NULL, 0 };
    struct rpt_box whole = { { 0 }, { 0 } };
    rpt_status_t status;

    memcpy(whole.count, layout->datasets[set].dims, sizeof whole.count);
    status = push(&left, &whole);
    for (size_t r = 0; r < n && status == RPT_OK; r++) {
        struct boxes rest = { NULL, 0 };

        for (size_t i = 0; i < left.n && status == RPT_OK; i++) {
            status = subtract(left.list[i], &all[r], n_dims, &rest);
        }
        free(left.list);
        left = rest;
    }
    for (size_t i = 0; i < left.n && status == RPT_OK; i++) {
        status = rpt__file_layout_add_part(layout, set, &left.list[i], source);
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

/* What the functions below need. */
struct dividing {
    struct rpt_group *group;
    const struct rpt_items *items;
    const struct rpt_layout_wish *wish;
    struct rpt_file_layout *layout;
    uint32_t *first;       /* of each array: the first that is divided alike */
    struct rpt_box *all;   /* room for a box of each rank                    */
    struct rpt_box *hulls; /* likewise: of nodes, where chunks cut these ...  */
    size_t n_hulls;        /* ... 0: they cut all, or there are none          */
    rpt_status_t own;      /* a failure of this rank alone                   */
};

/* Whether an array is in chunks, and of what. */
static rpt_status_t cut_array(struct dividing *d, size_t i)
{
    struct rpt_dataset *set = &d->layout->datasets[d->layout->set_of[i]];
    rpt_status_t status = RPT_OK;

    d->n_hulls = 0;
    if (d->wish->level > 0) {
        status = rpt__cut(set, d->all, (size_t)d->layout->n_ranks);
    }
    if (status != RPT_OK || !d->wish->gathers_chunks || set->slots != NULL ||
        set->bytes < RPT_CUT_SMALLEST) {
        return status;
    }
    status = rpt__gather_hulls(d->group, &d->items->list[i], d->all, d->hulls,
                               &d->n_hulls);
    if (status == RPT_OK) {
        status = rpt__cut(set, d->hulls, d->n_hulls);
    }
    d->n_hulls = set->slots != NULL ? d->n_hulls : 0;
    return status;
}

static rpt_status_t consider(struct dividing *d, size_t i,
                             const struct rpt_chunk_slots *slots,
                             bool *is_gathered_out)
{
    const struct rpt_item *item = &d->items->list[i];
    struct rpt_gather *gather = &d->layout->gather;

    *is_gathered_out = false;
    if (d->n_hulls > 0) {
        return rpt__gather_chunks(gather, i, item, d->all, slots->chunk,
                                  is_gathered_out);
    }
    return slots == NULL
               ? rpt__gather_consider(gather, i, item, d->all,
                                      d->wish->row_bytes, is_gathered_out)
               : RPT_OK;
}

/* This rank's part of an array: its block, or its piece of the node's. */
static rpt_status_t add_array(struct dividing *d, size_t i)
{
    uint32_t set = d->layout->set_of[i];
    struct rpt_gather *gather = &d->layout->gather;
    struct rpt_source source = { RPT_FROM_ITEM, i };
    const struct rpt_box *box = &d->items->list[i].box;
    bool is_gathered = false;
    rpt_status_t status = cut_array(d, i);

    if (status == RPT_OK) {
        status = consider(d, i, d->layout->datasets[set].slots, &is_gathered);
    }
    if (is_gathered && status == RPT_OK) {
        source = (struct rpt_source){ RPT_FROM_GATHER, gather->n - 1 };
        box = &gather->list[gather->n - 1].boxes[gather->me];
    }
    return status == RPT_OK
               ? rpt__file_layout_add_part(d->layout, set, box, source)
               : status;
}

/* All arrays that are divided as item `like` is.  Fails on all ranks or on
 * none, but for d->own. */
static rpt_status_t divide_alike(struct dividing *d, size_t like)
{
    const struct rpt_item *item = &d->items->list[like];
    struct rpt_box whole = { { 0 }, { 0 } };
    uint64_t volume = 0;
    rpt_status_t status;

    memcpy(whole.count, item->dims, sizeof whole.count);
    status = rpt__talk_all(d->group, call, &item->box, sizeof item->box,
                           d->all);
    if (status == RPT_OK) {
        status = rpt__talk_agree(d->group, call,
                                 compare(d->group, item, d->all, &volume));
    }
    for (size_t i = like; i < d->items->n && status == RPT_OK; i++) {
        if (d->first[i] == like && d->own == RPT_OK) {
            d->own = add_array(d, i);
        }
        if (d->first[i] == like && d->own == RPT_OK &&
            rpt__group_rank(d->group) == 0 &&
            volume < rpt__box_volume(&whole, item->n_dims)) {
            d->own = add_gaps(d->layout, d->layout->set_of[i],
                              d->n_hulls > 0 ? d->hulls : d->all,
                              d->n_hulls > 0 ? d->n_hulls
                                             : (size_t)d->layout->n_ranks,
                              d->wish->needs_zeros);
        }
    }
    return status;
}

/* There is no memory to gather in: each rank of the node writes its own. */
static rpt_status_t ungather(const struct dividing *d)
{
    struct rpt_file_layout *layout = d->layout;
    struct rpt_gather gather = layout->gather;
    size_t n = 0;
    rpt_status_t status = RPT_OK;

    for (size_t i = 0; i < layout->n_parts; i++) {
        if (layout->sources[i].kind != RPT_FROM_GATHER) {
            layout->parts[n] = layout->parts[i];
            layout->sources[n++] = layout->sources[i];
        }
    }
    layout->n_parts = n;
    layout->gather = (struct rpt_gather){ .n = 0 };
    for (size_t k = 0; k < gather.n && status == RPT_OK; k++) {
        size_t i = gather.list[k].item;

        layout->lacks |= layout->datasets[layout->set_of[i]].slots != NULL;
        status = rpt__file_layout_add_part(
            layout, layout->set_of[i], &d->items->list[i].box,
            (struct rpt_source){ RPT_FROM_ITEM, i });
    }
    rpt__gather_free(&gather);
    return status;
}

/* ---- the rest ---- */

static rpt_status_t add_whole(struct rpt_file_layout *layout, uint32_t set,
                              enum rpt_source_kind kind, size_t index)
{
    struct rpt_box box = { { 0 }, { 0 } };

    memcpy(box.count, layout->datasets[set].dims, sizeof box.count);
    return rpt__file_layout_add_part(layout, set, &box,
                                     (struct rpt_source){ kind, index });
}

/* Rank 0 writes what is the same on all, and where blobs begin. */
static rpt_status_t add_common(const struct rpt_items *items,
                               struct rpt_file_layout *layout)
{
    rpt_status_t status = RPT_OK;

    for (uint32_t set = 0; set < RPT_N_OWN_SETS && status == RPT_OK; set++) {
        status = add_whole(layout, set, RPT_FROM_STAMP, set);
    }
    for (size_t i = 0; i < items->n && status == RPT_OK; i++) {
        if (items->list[i].kind == RPT_ITEM_VALUE) {
            status = add_whole(layout, layout->set_of[i], RPT_FROM_ITEM, i);
        } else if (items->list[i].kind == RPT_ITEM_BLOB) {
            status = add_whole(layout, layout->index_of[i], RPT_FROM_BEGINS, i);
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
            status = rpt__file_layout_add_part(
                layout, layout->set_of[i], &box,
                (struct rpt_source){ RPT_FROM_BLOB, i });
        }
    }
    return status;
}

/* Values and blobs in chunks. */
static rpt_status_t cut_others(const struct dividing *d)
{
    struct rpt_file_layout *layout = d->layout;
    rpt_status_t status = RPT_OK;

    for (size_t i = 0; i < d->items->n && status == RPT_OK; i++) {
        struct rpt_dataset *set = &layout->datasets[layout->set_of[i]];
        struct rpt_box whole = { { 0 }, { set->dims[0] } };

        if (set->kind == RPT_ITEM_VALUE) {
            status = rpt__cut(set, &whole, 1);
        } else if (set->kind == RPT_ITEM_BLOB) {
            for (int r = 0; r < layout->n_ranks; r++) {
                d->all[r].start[0] = layout->begins[i][r];
                d->all[r].count[0] = layout->begins[i][r + 1] -
                                     layout->begins[i][r];
            }
            status = rpt__cut(set, d->all, (size_t)layout->n_ranks);
        }
    }
    return status;
}

static rpt_status_t divide_arrays(struct dividing *d)
{
    struct rpt_gather *gather = &d->layout->gather;
    rpt_status_t status;

    find_alike(d->items, d->first);
    status = agree_alike(d->group, d->first, d->items->n, d->all);
    for (size_t i = 0; i < d->items->n && status == RPT_OK; i++) {
        if (d->items->list[i].kind == RPT_ITEM_ARRAY && d->first[i] == i) {
            status = divide_alike(d, i);
        }
    }
    /* Before anybody takes memory all know that all will. */
    if (status == RPT_OK) {
        status = rpt__talk_agree(d->group, call, d->own);
    }
    if (status == RPT_OK && gather->n > 0) {
        d->own = rpt__gather_take(gather, d->group, d->wish->count);
        if (d->own == RPT_ERR_FULL) {
            d->own = ungather(d);
        }
    }
    return status;
}

/* Not collective; chunks before parts. */
static rpt_status_t finish(const struct dividing *d)
{
    int rank = rpt__group_rank(d->group);
    rpt_status_t status = d->own;

    if (status == RPT_OK && d->wish->level > 0) {
        status = cut_others(d);
    }
    if (status == RPT_OK && rank == 0) {
        status = add_common(d->items, d->layout);
    }
    return status == RPT_OK ? add_blobs(d->items, rank, d->layout) : status;
}

rpt_status_t rpt__file_layout_divide(struct rpt_group *group,
                                     const struct rpt_items *items,
                                     const struct rpt_layout_wish *wish,
                                     struct rpt_file_layout *layout)
{
    size_t p = (size_t)rpt__group_size(group);
    struct dividing d = { group,
                          items,
                          wish,
                          layout,
                          calloc(items->n + 1, sizeof *d.first),
                          calloc(p, sizeof *d.all),
                          calloc(p, sizeof *d.hulls),
                          0,
                          RPT_OK };
    rpt_status_t status = d.first != NULL && d.all != NULL && d.hulls != NULL
                              ? rpt__gather_begin(&layout->gather, group)
                              : rpt__fail_nomem(p * sizeof *d.all);

    status = rpt__talk_agree(group, call, status);
    if (status == RPT_OK) {
        status = divide_arrays(&d);
    }
    if (status == RPT_OK) {
        status = rpt__talk_agree(group, call, finish(&d));
    }
    free(d.first);
    free(d.all);
    free(d.hulls);
    return status;
}
