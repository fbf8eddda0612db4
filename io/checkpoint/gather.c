/*
 * gather.c - arrays whose rows are short are put together inside a node
 */
#include "io/checkpoint/gather.h"

#include "base/error.h"
#include "base/size.h"

#include <stdlib.h>
#include <string.h>

/* Parts of the memory begin at a page of the caches. */
enum { ALIGNMENT = 4096 };

rpt_status_t rpt__gather_begin(struct rpt_gather *gather,
                               const struct rpt_group *group)
{
    const struct rpt_map *map = rpt__comm_map(rpt__group_comm(group));
    int p = rpt__group_size(group), rank = rpt__group_rank(group);
    int node = rpt__map_node_of(map, rpt__group_world_rank(group, rank));

    gather->area = rpt__comm_area(rpt__group_comm(group));
    gather->ranks = calloc((size_t)p, sizeof *gather->ranks);
    if (gather->ranks == NULL) {
        return rpt__fail_nomem((size_t)p * sizeof *gather->ranks);
    }
    for (int r = 0; r < p; r++) {
        if (rpt__map_node_of(map, rpt__group_world_rank(group, r)) == node) {
            if (r == rank) {
                gather->me = gather->n_ranks;
            }
            gather->ranks[gather->n_ranks++] = r;
        }
    }
    return RPT_OK;
}

void rpt__gather_free(struct rpt_gather *gather)
{
    for (size_t i = 0; i < gather->n; i++) {
        free(gather->list[i].boxes);
        free(gather->list[i].offsets);
    }
    free(gather->list);
    free(gather->ranks);
    if (gather->memory != NULL) {
        rpt__area_drop(gather->area, gather->name);
    }
    *gather = (struct rpt_gather){ .n = 0 };
}

/* ---- is it worth while, and possible? ---- */

/* Whether blocks of a node's ranks are a box without holes; blocks do not
 * overlap. */
static bool is_box(const int ranks[], int n_ranks, const struct rpt_item *item,
                   const struct rpt_box *all, struct rpt_box *hull_out)
{
    struct rpt_box hull = all[ranks[0]];
    uint64_t volume = 0;

    for (int i = 0; i < n_ranks; i++) {
        const struct rpt_box *box = &all[ranks[i]];

        hull = rpt__box_hull(&hull, box, item->n_dims);
        volume += rpt__box_volume(box, item->n_dims);
    }
    *hull_out = hull;
    return volume > 0 && volume == rpt__box_volume(&hull, item->n_dims);
}

/* Whether some rank of the node has short rows, and the whole has longer. */
static bool pays(const struct rpt_gather *gather, const struct rpt_item *item,
                 const struct rpt_box *all, const struct rpt_box *hull,
                 uint64_t row_bytes)
{
    uint64_t together = rpt__box_run(hull, item->dims, item->n_dims);

    for (int i = 0; i < gather->n_ranks; i++) {
        const struct rpt_box *box = &all[gather->ranks[i]];
        uint64_t run = rpt__box_run(box, item->dims, item->n_dims);

        if (!rpt__box_is_empty(box, item->n_dims) && run < together &&
            run * item->type_bytes < row_bytes) {
            return true;
        }
    }
    return false;
}

/* Part i of n of a box, cut between rows of chunks. */
static struct rpt_box part_of(const struct rpt_box *hull, int n_dims,
                              const uint64_t chunk[], int i, int n)
{
    struct rpt_box part = *hull, rows = { { 0 }, { 1 } };
    uint64_t from, end;
    int d = 0;

    if (chunk == NULL) {
        return rpt__box_part(hull, n_dims, i, n);
    }
    while (d < n_dims - 1 && hull->count[d] <= chunk[d]) {
        d++;
    }
    rows.count[0] = hull->count[d] / chunk[d] + (hull->count[d] % chunk[d] > 0);
    rows = rpt__box_part(&rows, 1, i, n);
    from = rows.start[0] * chunk[d];
    end = (rows.start[0] + rows.count[0]) * chunk[d];
    from = from < hull->count[d] ? from : hull->count[d];
    end = end < hull->count[d] ? end : hull->count[d];
    part.start[d] += from;
    part.count[d] = end - from;
    return part;
}

/* chunk: NULL, or between which it is cut. */
static rpt_status_t add(struct rpt_gather *gather, size_t index,
                        const struct rpt_item *item, const struct rpt_box *hull,
                        const uint64_t chunk[])
{
    size_t n = (size_t)gather->n_ranks;
    struct rpt_gathered *list, one = { index, calloc(n, sizeof *one.boxes),
                                       calloc(n, sizeof *one.offsets) };

    list = realloc(gather->list, (gather->n + 1) * sizeof *list);
    if (list != NULL) {
        gather->list = list;
    }
    if (list == NULL || one.boxes == NULL || one.offsets == NULL) {
        free(one.boxes);
        free(one.offsets);
        return rpt__fail_nomem(n * sizeof *one.boxes);
    }
    for (int i = 0; i < gather->n_ranks; i++) {
        uint64_t bytes;

        one.boxes[i] = part_of(hull, item->n_dims, chunk, i, gather->n_ranks);
        one.offsets[i] = gather->bytes;
        bytes = rpt__box_volume(&one.boxes[i], item->n_dims) * item->type_bytes;
        gather->bytes += rpt__size_align(bytes, ALIGNMENT);
    }
    list[gather->n++] = one;
    return RPT_OK;
}

rpt_status_t rpt__gather_consider(struct rpt_gather *gather, size_t index,
                                  const struct rpt_item *item,
                                  const struct rpt_box *all, uint64_t row_bytes,
                                  bool *is_gathered_out)
{
    struct rpt_box hull;

    *is_gathered_out = gather->area->head != NULL && gather->n_ranks > 1 &&
                       is_box(gather->ranks, gather->n_ranks, item, all,
                              &hull) &&
                       pays(gather, item, all, &hull, row_bytes);
    return *is_gathered_out ? add(gather, index, item, &hull, NULL) : RPT_OK;
}

/* ---- chunks ---- */

/* The ranks of the node of rank r; 0: r is not the first of them. */
static int ranks_of_node(const struct rpt_group *group, int r, int ranks_out[])
{
    const struct rpt_map *map = rpt__comm_map(rpt__group_comm(group));
    int node = rpt__map_node_of(map, rpt__group_world_rank(group, r)), n = 0;

    for (int s = 0; s < rpt__group_size(group); s++) {
        if (rpt__map_node_of(map, rpt__group_world_rank(group, s)) == node) {
            if (s < r) {
                return 0;
            }
            ranks_out[n++] = s;
        }
    }
    return n;
}

rpt_status_t rpt__gather_hulls(const struct rpt_group *group,
                               const struct rpt_item *item,
                               const struct rpt_box *all,
                               struct rpt_box hulls_out[], size_t *n_out)
{
    int p = rpt__group_size(group);
    int *ranks = calloc((size_t)p, sizeof *ranks);
    size_t n = 0;

    if (ranks == NULL) {
        return rpt__fail_nomem((size_t)p * sizeof *ranks);
    }
    for (int r = 0; r < p; r++) {
        int n_ranks = ranks_of_node(group, r, ranks);

        if (n_ranks > 1 && is_box(ranks, n_ranks, item, all, &hulls_out[n])) {
            n++;
            continue;
        }
        for (int i = 0; i < n_ranks; i++) {
            hulls_out[n++] = all[ranks[i]];
        }
    }
    free(ranks);
    *n_out = n;
    return RPT_OK;
}

rpt_status_t rpt__gather_chunks(struct rpt_gather *gather, size_t index,
                                const struct rpt_item *item,
                                const struct rpt_box *all,
                                const uint64_t chunk[], bool *is_gathered_out)
{
    struct rpt_box hull;

    *is_gathered_out = gather->n_ranks > 1 &&
                       is_box(gather->ranks, gather->n_ranks, item, all, &hull);
    return *is_gathered_out ? add(gather, index, item, &hull, chunk) : RPT_OK;
}

/* ---- the memory ---- */

rpt_status_t rpt__gather_take(struct rpt_gather *gather,
                              const struct rpt_group *group, uint64_t count)
{
    void *memory = NULL;
    rpt_status_t status;

    if (gather->area->head == NULL) {
        return RPT_ERR_FULL;
    }
    /* Nodes that are virtual have the same memory. */
    gather->name = rpt__area_name(RPT_AREA_GATHER, rpt__group_number(group),
                                  count * (uint64_t)rpt__group_size(group) +
                                      (uint64_t)gather->ranks[0]);
    status = rpt__area_take(gather->area, gather->name, (size_t)gather->bytes,
                            gather->n_ranks, &memory);
    gather->memory = memory;
    if (status == RPT_ERR_FULL) {
        rpt__area_drop(gather->area, gather->name);
        gather->memory = NULL;
    }
    return status;
}

bool rpt__gather_shares(const struct rpt_gather *gather, size_t k, int i,
                        const struct rpt_item *item,
                        struct rpt_box_memory *to_out,
                        struct rpt_box *shared_out)
{
    const struct rpt_gathered *one = &gather->list[k];

    *to_out = (struct rpt_box_memory){ gather->memory + one->offsets[i],
                                       one->boxes[i] };
    return rpt__box_shared(&item->box, &one->boxes[i], item->n_dims,
                           shared_out);
}

void rpt__gather_copy(const struct rpt_gather *gather,
                      const struct rpt_items *items)
{
    for (size_t k = 0; k < gather->n; k++) {
        const struct rpt_item *item = &items->list[gather->list[k].item];

        for (int i = 0; item->ferry == NULL && i < gather->n_ranks; i++) {
            struct rpt_box_memory to;
            struct rpt_box shared;

            if (rpt__gather_shares(gather, k, i, item, &to, &shared)) {
                rpt__box_copy(&to, &item->memory, &shared, item->n_dims,
                              item->type_bytes);
            }
        }
    }
}
