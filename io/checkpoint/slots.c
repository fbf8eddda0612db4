/*
 * slots.c - which chunk is where, in the dataset and in the file
 */
#include "io/checkpoint/slots.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

struct rpt_chunk_slots *rpt__chunk_slots_create(const struct rpt_dataset *set,
                                                const uint64_t chunk[])
{
    struct rpt_chunk_slots *slots = calloc(1, sizeof *slots);

    if (slots != NULL) {
        memcpy(slots->chunk, chunk, (size_t)set->n_dims * sizeof *chunk);
        slots->n = rpt__chunks_count(set, chunk);
    }
    return slots;
}

void rpt__chunk_slots_free(struct rpt_chunk_slots *slots)
{
    if (slots != NULL) {
        free(slots->runs);
        free(slots);
    }
}

/* ---- the grid of chunks ---- */

static uint64_t divide_up(uint64_t n, uint64_t by)
{
    return n / by + (n % by > 0);
}

uint64_t rpt__dataset_room(const struct rpt_dataset *set)
{
    return set->slots != NULL ? set->slots->n * set->slots->bytes : set->bytes;
}

uint64_t rpt__chunks_count(const struct rpt_dataset *set,
                           const uint64_t chunk[])
{
    struct rpt_box grid = { { 0 }, { 0 } };

    for (int d = 0; d < set->n_dims; d++) {
        grid.count[d] = divide_up(set->dims[d], chunk[d]);
    }
    return rpt__box_volume(&grid, set->n_dims);
}

uint64_t rpt__chunk_bytes(const struct rpt_dataset *set, const uint64_t chunk[])
{
    uint64_t bytes = rpt_type_bytes(set->type);

    for (int d = 0; d < set->n_dims; d++) {
        if (__builtin_mul_overflow(bytes, chunk[d], &bytes)) {
            return UINT64_MAX;
        }
    }
    return bytes;
}

struct rpt_box rpt__chunk_grid(const struct rpt_dataset *set,
                               const struct rpt_box *box)
{
    const uint64_t *chunk = set->slots->chunk;
    struct rpt_box grid = { { 0 }, { 0 } };

    if (rpt__box_is_empty(box, set->n_dims)) {
        return grid;
    }
    for (int d = 0; d < set->n_dims; d++) {
        grid.start[d] = box->start[d] / chunk[d];
        grid.count[d] = divide_up(box->start[d] + box->count[d], chunk[d]) -
                        grid.start[d];
    }
    return grid;
}

uint64_t rpt__chunk_at(const struct rpt_dataset *set,
                       const struct rpt_box *grid, uint64_t i)
{
    uint64_t k = 0, stride = 1;

    for (int d = set->n_dims - 1; d >= 0; d--) {
        k += (grid->start[d] + i % grid->count[d]) * stride;
        i /= grid->count[d];
        stride *= divide_up(set->dims[d], set->slots->chunk[d]);
    }
    return k;
}

struct rpt_box rpt__chunk_box(const struct rpt_dataset *set, uint64_t k)
{
    struct rpt_box box = { { 0 }, { 0 } };

    for (int d = set->n_dims - 1; d >= 0; d--) {
        uint64_t n = divide_up(set->dims[d], set->slots->chunk[d]);

        box.start[d] = k % n * set->slots->chunk[d];
        box.count[d] = set->slots->chunk[d];
        k /= n;
    }
    return box;
}

bool rpt__chunks_fit(const struct rpt_dataset *set, const struct rpt_box *box)
{
    for (int d = 0; d < set->n_dims; d++) {
        uint64_t chunk = set->slots->chunk[d];
        uint64_t end = box->start[d] + box->count[d];

        if (box->start[d] % chunk != 0 ||
            (end % chunk != 0 && end != set->dims[d])) {
            return false;
        }
    }
    return true;
}

/* ---- the file ---- */

uint64_t rpt__slot_offset(const struct rpt_chunk_slots *slots, uint64_t k)
{
    size_t low = 0, end = slots->n_runs;

    while (end - low > 1) {
        size_t middle = low + (end - low) / 2;

        *(slots->runs[middle].first <= k ? &low : &end) = middle;
    }
    return slots->runs[low].offset +
           (k - slots->runs[low].first) * slots->bytes;
}

rpt_status_t rpt__chunk_slots_add(struct rpt_chunk_slots *slots,
                                  uint64_t offset, uint64_t n)
{
    struct rpt_slot_run *last = NULL, *runs;
    uint64_t first = 0;

    if (slots->n_runs > 0) {
        last = &slots->runs[slots->n_runs - 1];
        first = last->first + last->n;
        if (last->offset + last->n * slots->bytes == offset) {
            last->n += n;
            return RPT_OK;
        }
    }
    runs = realloc(slots->runs, (slots->n_runs + 1) * sizeof *runs);
    if (runs == NULL) {
        return rpt__fail_nomem((slots->n_runs + 1) * sizeof *runs);
    }
    slots->runs = runs;
    runs[slots->n_runs++] = (struct rpt_slot_run){ n, offset, first };
    return RPT_OK;
}

bool rpt__chunk_slots_are_all(const struct rpt_chunk_slots *slots,
                              uint64_t file_bytes)
{
    uint64_t n = 0, bytes;

    for (size_t i = 0; i < slots->n_runs; i++) {
        const struct rpt_slot_run *run = &slots->runs[i];

        if (run->n == 0 || run->n > slots->n - n ||
            __builtin_mul_overflow(run->n, slots->bytes, &bytes) ||
            run->offset > file_bytes || bytes > file_bytes - run->offset) {
            return false;
        }
        n += run->n;
    }
    return n == slots->n;
}

/* ---- all datasets ---- */

static int by_begin(const void *a, const void *b)
{
    const struct rpt_extent *x = a, *y = b;

    return (x->from > y->from) - (x->from < y->from);
}

static size_t add_extents(const struct rpt_dataset *set,
                          struct rpt_extent *list)
{
    if (set->slots == NULL) {
        list[0] = (struct rpt_extent){ set->offset, set->bytes };
        return set->bytes > 0;
    }
    for (size_t i = 0; i < set->slots->n_runs; i++) {
        const struct rpt_slot_run *run = &set->slots->runs[i];

        list[i] = (struct rpt_extent){ run->offset,
                                       run->n * set->slots->bytes };
    }
    return set->slots->n_runs;
}

rpt_status_t rpt__extents_list(const struct rpt_dataset datasets[], size_t n,
                               struct rpt_extent **extents_out, size_t *n_out)
{
    struct rpt_extent *list;
    size_t room = 1, used = 0;

    for (size_t i = 0; i < n; i++) {
        room += datasets[i].slots != NULL ? datasets[i].slots->n_runs : 1;
    }
    list = calloc(room, sizeof *list);
    if (list == NULL) {
        return rpt__fail_nomem(room * sizeof *list);
    }
    for (size_t i = 0; i < n; i++) {
        used += add_extents(&datasets[i], &list[used]);
    }
    qsort(list, used, sizeof *list, by_begin);
    *extents_out = list;
    *n_out = used;
    return RPT_OK;
}

rpt_status_t rpt__chunk_slots_are_apart(const struct rpt_dataset datasets[],
                                        size_t n, bool *ok_out)
{
    struct rpt_extent *list = NULL;
    size_t used = 0;
    rpt_status_t status = rpt__extents_list(datasets, n, &list, &used);

    *ok_out = true;
    for (size_t i = 1; i < used; i++) {
        *ok_out &= list[i - 1].from + list[i - 1].bytes <= list[i].from;
    }
    free(list);
    return status;
}
