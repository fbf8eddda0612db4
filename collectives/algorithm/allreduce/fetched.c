/*
 * fetched.c - all-reduce on one node, of buffers that others only read
 *
 * Each rank adds its slice of all inputs, from the first rank to the last, into
 * its output; then it copies the other slices from the outputs of the others.
 *
 *      in 0   | a0 a1 |        out 0  | S0 .. |  <-->  | S0 S1 |
 *      in 1   | b0 b1 |        out 1  | .. S1 |        | S0 S1 |
 *
 * Cost for n elements on p ranks: (p-1)/p n read from others for the sum and as
 * much for the copy, which is the least for bandwidth; 2 flags a segment.  The
 * same bits on all ranks, whatever the op; inputs may be in place.
 *
 * A slice goes in segments, so that what is copied is still in a cache.
 */
#include "collectives/algorithm/allreduce/allreduce.h"
#include "collectives/pattern/pulled.h"

/* A segment of the slice of rank r. */
static struct rpt_range part_of(const struct rpt_case *c, int r, size_t from)
{
    return rpt__segment(rpt__blocks(c->count, c->n_ranks, r, r + 1), from,
                        c->segment);
}

static void add(const struct rpt_case *c, struct rpt_schedule *schedule,
                size_t from)
{
    struct rpt_range part = part_of(c, c->rank, from);
    struct rpt_place inputs[RPT_MAX_INPUTS];

    for (int r = 0; r < c->n_ranks; r++) {
        inputs[r] = r == c->rank ? rpt__input(part.offset)
                                 : rpt__input_of(r, part.offset);
    }
    rpt__step_reduce(schedule, rpt__output(part.offset), inputs, c->n_ranks,
                     part.count);
}

static void pull(const struct rpt_case *c, struct rpt_schedule *schedule,
                 size_t from, uint32_t value)
{
    for (int i = 1; i < c->n_ranks; i++) {
        int r = (c->rank + i) % c->n_ranks;
        struct rpt_range part = part_of(c, r, from);

        rpt__step_wait(schedule, r, value);
        rpt__step_copy(schedule, rpt__output(part.offset),
                       rpt__output_of(r, part.offset), part.count);
    }
}

/* Flag k + 1: segment k of my slice is added. */
void rpt__allreduce_fetch(const struct rpt_case *c,
                          struct rpt_schedule *schedule)
{
    size_t longest = rpt__block_start(c->count, c->n_ranks, 1);
    uint32_t k = 0;

    for (size_t from = 0; from < longest; from += c->segment) {
        add(c, schedule, from);
        rpt__step_signal(schedule, ++k);
        if (k > 1) { /* the others had time for the segment before */
            pull(c, schedule, from - c->segment, k - 1);
        }
    }
    pull(c, schedule, (k - 1) * c->segment, k);
    rpt__pulled_end(c, schedule, k + 1);
}
