/*
 * cut.c - which chunks a dataset is compressed in
 *
 * A chunk is written by one rank, so chunks must end where the boxes of ranks
 * do: in each dimension their extent divides the greatest common divisor of all
 * begins and ends (the end of the array may cut a chunk).  Of these chunks the
 * one of about a MiB is taken which has the fastest dimensions as whole as
 * possible, so that its rows are long.
 *
 * Cost: the boxes of all ranks, and the divisors of one number.
 */
#include "io/checkpoint/cut.h"

#include "base/error.h"
#include "base/size.h"
#include "io/checkpoint/deflate.h"

enum { PAGE_BYTES = 4096 };

static uint64_t common(uint64_t a, uint64_t b)
{
    while (b != 0) {
        uint64_t rest = a % b;

        a = b;
        b = rest;
    }
    return a;
}

/* What chunks may be at most in a dimension; any_out: then they may be less, as
 * one likes. */
static uint64_t limit_of(const struct rpt_dataset *set, int d,
                         const struct rpt_box boxes[], size_t n_boxes,
                         bool *any_out)
{
    uint64_t divisor = 0;

    for (size_t i = 0; i < n_boxes; i++) {
        uint64_t end = boxes[i].start[d] + boxes[i].count[d];

        if (!rpt__box_is_empty(&boxes[i], set->n_dims)) {
            divisor = common(divisor, boxes[i].start[d]);
            divisor = end != set->dims[d] ? common(divisor, end) : divisor;
        }
    }
    *any_out = divisor == 0;
    return divisor == 0 ? set->dims[d] : divisor;
}

/* How far a chunk of so many bytes is from the wanted size, as a factor. */
static double distance(double bytes)
{
    return bytes < RPT_CUT_WANTED ? RPT_CUT_WANTED / bytes
                                  : bytes / RPT_CUT_WANTED;
}

static uint64_t better(uint64_t a, uint64_t b, uint64_t row_bytes)
{
    double x = (double)a * (double)row_bytes, y = (double)b * (double)row_bytes;

    if (y > RPT_CUT_LARGEST) {
        return a;
    }
    return x > RPT_CUT_LARGEST || distance(y) < distance(x) ? b : a;
}

/* The best divisor of n, for rows of so many bytes. */
static uint64_t divisor_for(uint64_t n, uint64_t row_bytes)
{
    uint64_t best = 1, most = RPT_CUT_LARGEST / row_bytes;

    for (uint64_t v = 1; v <= most && v <= n / v; v++) {
        if (n % v == 0) {
            best = better(best, v, row_bytes);
            best = better(best, n / v, row_bytes);
        }
    }
    return best;
}

bool rpt__cut_choose(const struct rpt_dataset *set,
                     const struct rpt_box boxes[], size_t n_boxes,
                     uint64_t chunk_out[])
{
    bool any[RPT_BOX_DIMS];
    uint64_t bytes, most = RPT_CUT_WANTED;

    for (int d = 0; d < set->n_dims; d++) {
        chunk_out[d] = limit_of(set, d, boxes, n_boxes, &any[d]);
    }
    bytes = rpt__chunk_bytes(set, chunk_out);
    for (int d = 0; d < set->n_dims && bytes > most; d++) {
        uint64_t limit = chunk_out[d], row;

        chunk_out[d] = 1;
        row = rpt__chunk_bytes(set, chunk_out);
        if (row <= RPT_CUT_LARGEST && any[d]) {
            chunk_out[d] = row < RPT_CUT_WANTED ? RPT_CUT_WANTED / row : 1;
        } else if (row <= RPT_CUT_LARGEST) {
            chunk_out[d] = divisor_for(limit, row);
        }
        bytes = rpt__chunk_bytes(set, chunk_out);
        most = limit > 1 ? RPT_CUT_LARGEST : most;
    }
    return bytes >= RPT_CUT_SMALLEST && bytes <= RPT_CUT_LARGEST;
}

rpt_status_t rpt__cut(struct rpt_dataset *set, const struct rpt_box boxes[],
                      size_t n_boxes)
{
    uint64_t chunk[RPT_BOX_DIMS] = { 0 };

    if (set->is_scalar || set->bytes < RPT_CUT_SMALLEST ||
        !rpt__cut_choose(set, boxes, n_boxes, chunk)) {
        return RPT_OK;
    }
    set->slots = rpt__chunk_slots_create(set, chunk);
    if (set->slots == NULL) {
        return rpt__fail_nomem(sizeof *set->slots);
    }
    set->slots->bytes = rpt__size_align(
        (size_t)rpt__deflate_bound(rpt__chunk_bytes(set, chunk)), PAGE_BYTES);
    return RPT_OK;
}
