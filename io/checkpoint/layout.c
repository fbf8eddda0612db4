/*
 * layout.c - the datasets of a file, in order, and the sections of its
 * checksums
 */
#include "io/checkpoint/layout.h"

#include "base/error.h"
#include "base/log.h"
#include "io/checkpoint/cut.h"
#include "io/checkpoint/talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char call[] = "rpt_checkpoint_save";

void rpt__file_layout_free(struct rpt_file_layout *layout)
{
    for (size_t i = 0; i < layout->n_datasets; i++) {
        free(layout->datasets[i].name);
        rpt__chunk_slots_free(layout->datasets[i].slots);
    }
    for (size_t i = 0; layout->begins != NULL && i < layout->n_items; i++) {
        free(layout->begins[i]);
    }
    for (size_t i = 0; i < layout->n_raw; i++) {
        free(layout->raw[i].data);
    }
    free(layout->datasets);
    free(layout->begins);
    free(layout->set_of);
    free(layout->index_of);
    free(layout->parts);
    free(layout->sources);
    rpt__gather_free(&layout->gather);
    free(layout->section_offsets);
    free(layout->section_bytes);
    free(layout->raw);
    *layout = (struct rpt_file_layout){ .n_datasets = 0 };
}

/* ---- datasets ---- */

static rpt_status_t add_set(struct rpt_file_layout *layout, const char *name,
                            enum rpt_item_kind kind, rpt_type_t type,
                            int n_dims, const uint64_t dims[])
{
    struct rpt_dataset *set = &layout->datasets[layout->n_datasets];
    struct rpt_box box = { { 0 }, { 0 } };

    *set = (struct rpt_dataset){
        .name = strdup(name), .kind = kind, .type = type, .n_dims = n_dims
    };
    if (set->name == NULL) {
        return rpt__fail_nomem(strlen(name) + 1);
    }
    for (int d = 0; d < n_dims; d++) {
        set->dims[d] = box.count[d] = dims[d];
    }
    set->bytes = rpt__box_volume(&box, n_dims) * rpt_type_bytes(type);
    layout->n_datasets++;
    return RPT_OK;
}

static rpt_status_t add_value(struct rpt_file_layout *layout, const char *name,
                              rpt_type_t type, uint64_t count)
{
    rpt_status_t status = add_set(layout, name, RPT_ITEM_VALUE, type, 1,
                                  &count);

    if (status == RPT_OK) {
        layout->datasets[layout->n_datasets - 1].is_scalar = count == 1;
    }
    return status;
}

/* The bytes of all ranks one after another, and where each one's begin. */
static rpt_status_t add_blob(struct rpt_file_layout *layout,
                             const struct rpt_items *items, size_t i,
                             const uint64_t *sizes)
{
    const char *name = items->list[i].name;
    uint64_t n = (uint64_t)layout->n_ranks + 1, at = 0;
    uint64_t *begins = calloc(n, sizeof *begins);
    char index_name[512];
    rpt_status_t status;

    layout->begins[i] = begins;
    if (begins == NULL) {
        return rpt__fail_nomem(n * sizeof *begins);
    }
    for (int r = 0; r < layout->n_ranks; r++) {
        begins[r] = at;
        if (__builtin_add_overflow(at, sizes[r], &at) || at > INT64_MAX) {
            rpt__fail(RPT_ERR_OVERFLOW, "blob \"%s\" is too large", name);
            return RPT_ERR_OVERFLOW;
        }
    }
    begins[layout->n_ranks] = at;
    layout->set_of[i] = (uint32_t)layout->n_datasets;
    status = add_set(layout, name, RPT_ITEM_BLOB, RPT_TYPE_U8, 1, &at);
    snprintf(index_name, sizeof index_name, "repartir/begins/%s", name);
    layout->index_of[i] = (uint32_t)layout->n_datasets;
    return status == RPT_OK ? add_set(layout, index_name, RPT_ITEM_VALUE,
                                      RPT_TYPE_U64, 1, &n)
                            : status;
}

static rpt_status_t add_item(struct rpt_file_layout *layout,
                             const struct rpt_items *items, size_t i,
                             const uint64_t *sizes)
{
    const struct rpt_item *item = &items->list[i];

    layout->set_of[i] = (uint32_t)layout->n_datasets;
    switch (item->kind) {
    case RPT_ITEM_VALUE:
        return add_value(layout, item->name, item->type, item->dims[0]);
    case RPT_ITEM_BLOB:
        return add_blob(layout, items, i, sizes);
    default:
        return add_set(layout, item->name, RPT_ITEM_ARRAY, item->type,
                       item->n_dims, item->dims);
    }
}

static rpt_status_t allocate(struct rpt_file_layout *layout, size_t n_items)
{
    layout->n_items = n_items;
    layout->datasets = calloc(RPT_N_OWN_SETS + 2 * n_items,
                              sizeof *layout->datasets);
    layout->set_of = calloc(n_items + 1, sizeof *layout->set_of);
    layout->index_of = calloc(n_items + 1, sizeof *layout->index_of);
    layout->begins = calloc(n_items + 1, sizeof *layout->begins);
    layout->section_offsets = calloc((size_t)layout->n_ranks, sizeof(uint64_t));
    layout->section_bytes = calloc((size_t)layout->n_ranks, sizeof(uint64_t));
    return layout->datasets != NULL && layout->set_of != NULL &&
                   layout->index_of != NULL && layout->begins != NULL &&
                   layout->section_offsets != NULL &&
                   layout->section_bytes != NULL
               ? RPT_OK
               : rpt__fail_nomem((n_items + (size_t)layout->n_ranks) * 64);
}

/* sizes: of blobs, all ranks of one after another. */
static rpt_status_t add_sets(struct rpt_file_layout *layout,
                             const struct rpt_items *items,
                             const uint64_t *sizes)
{
    rpt_status_t status = add_value(layout, "repartir/iteration", RPT_TYPE_U64,
                                    1);
    size_t blob = 0;

    if (status == RPT_OK) {
        status = add_value(layout, "repartir/time", RPT_TYPE_F64, 1);
    }
    if (status == RPT_OK) {
        status = add_value(layout, "repartir/ranks", RPT_TYPE_I32, 1);
    }
    for (size_t i = 0; i < items->n && status == RPT_OK; i++) {
        status = add_item(layout, items, i,
                          sizes + blob * (size_t)layout->n_ranks);
        blob += items->list[i].kind == RPT_ITEM_BLOB;
    }
    return status;
}

/* ---- sizes of blobs ---- */

static rpt_status_t exchange_sizes(struct rpt_group *group,
                                   const struct rpt_items *items,
                                   uint64_t **sizes_out)
{
    size_t n = 0, p = (size_t)rpt__group_size(group);
    uint64_t *mine, *all, *sizes;
    rpt_status_t status = RPT_OK;

    mine = calloc(items->n + 1, sizeof *mine);
    for (size_t i = 0; mine != NULL && i < items->n; i++) {
        if (items->list[i].kind == RPT_ITEM_BLOB) {
            mine[n++] = items->list[i].blob_bytes;
        }
    }
    all = calloc(n * p + 1, sizeof *all);
    sizes = calloc(n * p + 1, sizeof *sizes);
    if (mine == NULL || all == NULL || sizes == NULL) {
        status = rpt__fail_nomem(n * p * sizeof *all);
    }
    status = rpt__talk_agree(group, call, status);
    if (status == RPT_OK && n > 0) {
        status = rpt__talk_all(group, call, mine, n * sizeof *mine, all);
    }
    for (size_t r = 0; status == RPT_OK && r < p; r++) {
        for (size_t k = 0; k < n; k++) {
            sizes[k * p + r] = all[r * n + k];
        }
    }
    free(mine);
    free(all);
    if (status != RPT_OK) {
        free(sizes);
        return status;
    }
    *sizes_out = sizes;
    return RPT_OK;
}

/* ---- where they are ---- */

static void pack_slots(const struct rpt_chunk_slots *slots,
                       struct rpt_buf *bytes)
{
    rpt__buf_u64(bytes, slots->n_runs);
    for (size_t i = 0; i < slots->n_runs; i++) {
        rpt__buf_u64(bytes, slots->runs[i].offset);
        rpt__buf_u64(bytes, slots->runs[i].n);
    }
}

static rpt_status_t unpack_slots(struct rpt_reader *reader,
                                 struct rpt_chunk_slots *slots)
{
    uint64_t n_runs = rpt__read_u64(reader);
    rpt_status_t status = RPT_OK;

    slots->n_runs = 0;
    for (uint64_t i = 0; i < n_runs && status == RPT_OK; i++) {
        uint64_t offset = rpt__read_u64(reader);

        status = rpt__chunk_slots_add(slots, offset, rpt__read_u64(reader));
    }
    return status;
}

static void pack_offsets(const struct rpt_file_layout *layout,
                         struct rpt_buf *bytes)
{
    rpt__buf_u64(bytes, layout->file_bytes);
    for (size_t i = 0; i < layout->n_datasets; i++) {
        rpt__buf_u64(bytes, layout->datasets[i].offset);
        if (layout->datasets[i].slots != NULL) {
            pack_slots(layout->datasets[i].slots, bytes);
        }
    }
}

static rpt_status_t unpack_offsets(struct rpt_reader reader,
                                   struct rpt_file_layout *layout)
{
    rpt_status_t status = RPT_OK;

    layout->file_bytes = rpt__read_u64(&reader);
    for (size_t i = 0; i < layout->n_datasets && status == RPT_OK; i++) {
        layout->datasets[i].offset = rpt__read_u64(&reader);
        if (layout->datasets[i].slots != NULL) {
            status = unpack_slots(&reader, layout->datasets[i].slots);
        }
    }
    return status;
}

/* Rank 0 has made the structure; all learn where the datasets lie. */
static rpt_status_t share_offsets(struct rpt_group *group,
                                  struct rpt_file_layout *layout)
{
    struct rpt_buf bytes = RPT_BUF_EMPTY;
    rpt_status_t status;

    if (rpt__group_rank(group) == 0) {
        pack_offsets(layout, &bytes);
    }
    status = rpt__talk_agree(group, call, rpt__buf_status(&bytes));
    if (status == RPT_OK) {
        status = rpt__talk_one(group, call, &bytes);
    }
    if (status == RPT_OK) {
        status = rpt__talk_agree(
            group, call,
            unpack_offsets(rpt__reader(bytes.data, bytes.bytes), layout));
    }
    rpt__buf_free(&bytes);
    return status;
}

/* Chunks that ranks of a node put together need memory there. */
static rpt_status_t agree_on_memory(struct rpt_group *group,
                                    const struct rpt_layout_wish *wish,
                                    const struct rpt_file_layout *layout)
{
    uint64_t mine = layout->lacks, *all;
    rpt_status_t status;

    if (!wish->gathers_chunks) {
        return RPT_OK;
    }
    all = calloc((size_t)layout->n_ranks, sizeof *all);
    status = rpt__talk_agree(group, call,
                             all != NULL ? RPT_OK : rpt__fail_nomem(8));
    if (status == RPT_OK) {
        status = rpt__talk_all(group, call, &mine, sizeof mine, all);
    }
    for (int r = 0; status == RPT_OK && r < layout->n_ranks; r++) {
        status = all[r] != 0 ? RPT_PENDING : RPT_OK;
    }
    free(all);
    return status;
}

/* What was asked for and does not come about is said once. */
static void tell_uncut(const struct rpt_file_layout *layout)
{
    for (size_t i = 0; i < layout->n_datasets; i++) {
        const struct rpt_dataset *set = &layout->datasets[i];

        if (set->slots == NULL && set->bytes >= RPT_CUT_SMALLEST) {
            rpt__log_rank0(RPT_LOG_INFO,
                           "\"%s\" is not compressed: blocks of ranks begin "
                           "and end where no chunks of %d KiB to %d MiB can",
                           set->name, RPT_CUT_SMALLEST >> 10,
                           RPT_CUT_LARGEST >> 20);
        }
    }
}

static rpt_status_t add_raw_parts(struct rpt_file_layout *layout)
{
    rpt_status_t status = RPT_OK;

    for (size_t i = 0; i < layout->n_raw && status == RPT_OK; i++) {
        struct rpt_box box = { { layout->raw[i].offset },
                               { layout->raw[i].bytes } };

        status = rpt__file_layout_add_part(
            layout, RPT_RAW, &box, (struct rpt_source){ RPT_FROM_RAW, i });
    }
    return status;
}

static rpt_status_t place_sections(struct rpt_group *group,
                                   struct rpt_file_layout *layout)
{
    uint64_t mine[2] = { rpt__section_bytes(layout->datasets, layout->parts,
                                            layout->n_parts),
                         layout->gather.n > 0 };
    uint64_t *all = calloc((size_t)layout->n_ranks, sizeof mine);
    uint64_t at = RPT_BLOCKS_HEAD_BYTES + 16 * (uint64_t)layout->n_ranks;
    rpt_status_t status = all != NULL ? RPT_OK : rpt__fail_nomem(sizeof mine);

    status = rpt__talk_agree(group, call, status);
    if (status == RPT_OK) {
        status = rpt__talk_all(group, call, mine, sizeof mine, all);
    }
    for (int r = 0; status == RPT_OK && r < layout->n_ranks; r++) {
        layout->section_offsets[r] = at;
        layout->section_bytes[r] = all[2 * r];
        layout->meets |= all[2 * r + 1] != 0;
        at += all[2 * r];
    }
    layout->blocks_bytes = at;
    free(all);
    return status;
}

static rpt_status_t make(struct rpt_group *group, const struct rpt_items *items,
                         const struct rpt_layout_wish *wish,
                         struct rpt_file_layout *layout)
{
    bool is_root = rpt__group_rank(group) == 0;
    uint64_t *sizes = NULL;
    rpt_status_t status = exchange_sizes(group, items, &sizes);

    if (status == RPT_OK) {
        status = allocate(layout, items->n);
        if (status == RPT_OK) {
            status = add_sets(layout, items, sizes);
        }
        status = rpt__talk_agree(group, call, status);
    }
    free(sizes);
    layout->level = wish->level;
    if (status == RPT_OK) {
        status = rpt__file_layout_divide(group, items, wish, layout);
    }
    if (status == RPT_OK) {
        status = agree_on_memory(group, wish, layout);
    }
    if (status == RPT_OK) {
        if (is_root) {
            status = rpt__skeleton_make(wish->hdf5, items, layout);
        }
        if (status == RPT_OK) {
            status = add_raw_parts(layout);
        }
        status = rpt__talk_agree(group, call, status);
    }
    if (status == RPT_OK) {
        status = share_offsets(group, layout);
    }
    return status == RPT_OK ? place_sections(group, layout) : status;
}

rpt_status_t rpt__file_layout_make(struct rpt_group *group,
                                   const struct rpt_items *items,
                                   const struct rpt_layout_wish *wish,
                                   struct rpt_file_layout *layout_out)
{
    struct rpt_file_layout layout = { .n_ranks = rpt__group_size(group) };
    struct rpt_layout_wish less = *wish;
    rpt_status_t status = make(group, items, wish, &layout);

    if (status == RPT_PENDING) {
        rpt__file_layout_free(&layout);
        layout.n_ranks = rpt__group_size(group);
        less.gathers_chunks = false;
        less.row_bytes = 0;
        status = make(group, items, &less, &layout);
    }
    if (status == RPT_OK && wish->level > 0 && wish->count == 0) {
        tell_uncut(&layout);
    }
    if (status != RPT_OK) {
        rpt__file_layout_free(&layout);
        return status;
    }
    *layout_out = layout;
    return RPT_OK;
}
