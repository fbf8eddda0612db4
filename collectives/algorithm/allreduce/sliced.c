/*
 * sliced.c - all-reduce on one node: each rank adds one slice of all vectors
 *
 * The vector goes through the stages in segments.  Each rank copies the other
 * ranks' slices of the segment into its stage; then it adds its own slice, of
 * its input and all other stages in one pass, from the first rank to the last,
 * into its output and its stage; then it copies the other slices of the sum.
 *
 *      stage 0   |    | a1 | a2 |         | S0 |    |    |    S0 = a0 + b0 + c0
 *      stage 1   | b0 |    | b2 |   ->    |    | S1 |    |
 *      stage 2   | c0 | c1 |    |         |    |    | S2 |
 *
 * Two halves of a stage are used in turn, so that a segment is copied in while
 * slower ranks still read the one before.
 *
 * Cost for n elements on p ranks: 2 signals a segment; a rank copies (p-1)/p n
 * in, reads n and writes n/p for the sum, and copies n out.  Every element is
 * summed once, in rank order: same bits on all ranks, whatever the op.
 */
#include "collectives/algorithm/allreduce/allreduce.h"
#include "collectives/pattern/blocks.h"

static bool applies(const struct rpt_case *c)
{
    return c->n_ranks > 1 && c->n_ranks <= RPT_MAX_INPUTS && c->one_node &&
           c->stage_count >= 2 && c->count > 0 &&
           c->count / (c->stage_count / 2) < (size_t)UINT32_MAX / 4;
}

static double cost(const struct rpt_case *c, const struct rpt_model *m,
                   size_t bytes)
{
    double n = (double)c->count * (double)bytes, p = c->n_ranks;
    double rounds = n / ((double)c->stage_count * (double)bytes / 2);

    return (rounds < 1 ? 1 : rounds) * 2 * rpt__flags_cost(c, m) +
           (2 - 1 / p) * n * m->copy_byte_s +
           (1 - 1 / p) * n * m->reduce_byte_s +
           2 * rpt__across_cost(c, m, n / p);
}

static void wait_all(const struct rpt_case *c, struct rpt_schedule *schedule,
                     uint32_t value)
{
    for (int i = 1; i < c->n_ranks; i++) {
        rpt__step_wait(schedule, (c->rank + i) % c->n_ranks, value);
    }
}

/* Flag 2k + 1: segment k is in my stage; 2k + 2: my slice of it is summed. */
static void build_segment(const struct rpt_case *c,
                          struct rpt_schedule *schedule, size_t from,
                          size_t count, uint32_t k)
{
    size_t half = c->stage_count / 2 * (k % 2);
    struct rpt_range mine = rpt__blocks(count, c->n_ranks, c->rank,
                                        c->rank + 1);
    size_t behind = mine.offset + mine.count;
    struct rpt_place inputs[RPT_MAX_INPUTS];

    /* This half was read for segment k - 2 by those who have copied segment
     * k - 1 in, which is known from its sums. */
    rpt__step_copy(schedule, rpt__stage(c->rank, half), rpt__input(from),
                   mine.offset);
    rpt__step_copy(schedule, rpt__stage(c->rank, half + behind),
                   rpt__input(from + behind), count - behind);
    rpt__step_signal(schedule, 2 * k + 1);
    wait_all(c, schedule, 2 * k + 1);
    for (int r = 0; r < c->n_ranks; r++) {
        inputs[r] = r == c->rank ? rpt__input(from + mine.offset)
                                 : rpt__stage(r, half + mine.offset);
    }
    /* Not straight into the stage: what others have read is slow to write. */
    rpt__step_reduce(schedule, rpt__output(from + mine.offset), inputs,
                     c->n_ranks, mine.count);
    rpt__step_copy(schedule, rpt__stage(c->rank, half + mine.offset),
                   rpt__output(from + mine.offset), mine.count);
    rpt__step_signal(schedule, 2 * k + 2);
    for (int i = 1; i < c->n_ranks; i++) {
        int r = (c->rank + i) % c->n_ranks;
        struct rpt_range slice = rpt__blocks(count, c->n_ranks, r, r + 1);

        rpt__step_wait(schedule, r, 2 * k + 2);
        rpt__step_copy(schedule, rpt__output(from + slice.offset),
                       rpt__stage(r, half + slice.offset), slice.count);
    }
}

static void build(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    size_t room = c->stage_count / 2;
    uint32_t k = 0;

    schedule->stage_count = c->count <= room ? c->count : c->stage_count;
    for (size_t from = 0; from < c->count; from += room) {
        size_t left = c->count - from;

        build_segment(c, schedule, from, left < room ? left : room, k++);
    }
    schedule->n_values = 2 * k;
    schedule->free_value = 2 * k + 1; /* who is in the next one has read */
    schedule->seen_value = 2 * k;
}

const struct rpt_algorithm rpt__allreduce_sliced = {
    .size = sizeof(struct rpt_algorithm),
    .name = "sliced",
    .summary = "one node: every rank adds one slice of all vectors",
    .in_rank_order = true,
    .applies = applies,
    .cost = cost,
    .build = build,
};
