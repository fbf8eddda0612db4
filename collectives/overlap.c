/*
 * overlap.c - whether the input of a call shares bytes with its output
 *
 * Most calls have them far apart, which two comparisons show.  Where blocks of
 * one lie in gaps of the other, all blocks are sorted by where they begin; then
 * a block that begins before an earlier one of the other side has ended shares
 * bytes with it.
 *
 * Cost: nothing is allocated unless the hulls of both overlap; then room for
 * 2p blocks, and their sort.
 */
#include "collectives/plan.h"

#include "base/error.h"

#include <stdint.h>
#include <stdlib.h>

/* One block, as addresses. */
struct span {
    uintptr_t begin;
    uintptr_t end;
    bool is_output;
};

/* One side of a call; no counts: one block of all elements. */
struct side {
    uintptr_t address;
    size_t count;
    const size_t *counts;
    const size_t *offsets;
    bool is_output;
};

static struct side input_of(const rpt_coll_t *coll, size_t count)
{
    bool has_blocks = coll->kind == RPT_COLL_SCATTER ||
                      coll->kind == RPT_COLL_REDUCE_SCATTER ||
                      coll->kind == RPT_COLL_ALLTOALL;

    return (struct side){ (uintptr_t)coll->in, count,
                          has_blocks ? coll->counts : NULL, coll->offsets,
                          false };
}

static struct side output_of(const rpt_coll_t *coll, size_t count)
{
    struct side side = { (uintptr_t)coll->out, count, NULL, NULL, true };

    if (coll->kind == RPT_COLL_ALLTOALL) {
        side.counts = coll->out_counts;
        side.offsets = coll->out_offsets;
    } else if (coll->kind == RPT_COLL_ALLGATHER ||
               coll->kind == RPT_COLL_GATHER) {
        side.counts = coll->counts;
        side.offsets = coll->offsets;
    }
    return side;
}

/* Those that are not empty; how many. */
static size_t list_spans(struct side side, int n, size_t element,
                         struct span spans[])
{
    size_t at = 0, n_spans = 0;

    if (side.counts == NULL) {
        spans[0] = (struct span){ side.address,
                                  side.address + side.count * element,
                                  side.is_output };
        return 1;
    }
    for (int r = 0; r < n; r++) {
        size_t offset = side.offsets != NULL ? side.offsets[r] : at;
        uintptr_t begin = side.address + offset * element;

        if (side.counts[r] > 0) {
            spans[n_spans++] = (struct span){ begin,
                                              begin + side.counts[r] * element,
                                              side.is_output };
        }
        at += side.counts[r];
    }
    return n_spans;
}

static int compare(const void *a, const void *b)
{
    const struct span *x = a, *y = b;

    return (x->begin > y->begin) - (x->begin < y->begin);
}

static bool any_overlap(struct span spans[], size_t n)
{
    uintptr_t ends[2] = { 0, 0 };

    qsort(spans, n, sizeof *spans, compare);
    for (size_t i = 0; i < n; i++) {
        bool side = spans[i].is_output;

        if (spans[i].begin < ends[!side]) {
            return true;
        }
        if (spans[i].end > ends[side]) {
            ends[side] = spans[i].end;
        }
    }
    return false;
}

rpt_status_t rpt__coll_overlap(const rpt_coll_t *coll, int n, size_t n_in,
                               size_t n_out, bool *overlap_out)
{
    size_t element = rpt_type_bytes(coll->type), n_spans;
    uintptr_t in = (uintptr_t)coll->in, out = (uintptr_t)coll->out;
    struct span *spans;

    *overlap_out = n_in > 0 && n_out > 0 && in < out + n_out * element &&
                   out < in + n_in * element;
    if (!*overlap_out || coll->counts == NULL) {
        return RPT_OK;
    }
    spans = malloc(2 * (size_t)n * sizeof *spans);
    if (spans == NULL) {
        return rpt__fail(RPT_ERR_NOMEM, "no memory to compare the blocks of %s",
                         rpt_coll_name(coll->kind));
    }
    n_spans = list_spans(input_of(coll, n_in), n, element, spans);
    n_spans += list_spans(output_of(coll, n_out), n, element, spans + n_spans);
    *overlap_out = any_overlap(spans, n_spans);
    free(spans);
    return RPT_OK;
}
