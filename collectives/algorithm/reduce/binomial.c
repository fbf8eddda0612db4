/*
 * binomial.c - reduce on a binomial tree, in segments
 *
 *      1 -> 0, 3 -> 2, 5 -> 4, 7 -> 6      2 -> 0, 6 -> 4      4 -> 0
 *
 * Each rank adds what comes from those above it, in the order of the ranks, and
 * hands the sum down.  For an op that is commutative ranks are counted from the
 * root; else the sum goes to rank 0, and from there to the root.  A segment is
 * a lane.
 *
 * Cost for n elements: ceil(log2 p) rounds a segment, n elements sent by a
 * rank, at most n ceil(log2 p) reductions.
 */
#include "collectives/algorithm/reduce/reduce.h"
#include "collectives/pattern/wrapped.h"

enum { WINDOW = 4 };

static bool applies(const struct rpt_case *c)
{
    return c->n_ranks > 1;
}

static double cost(const struct rpt_case *c, const struct rpt_model *m,
                   size_t bytes)
{
    int skips[RPT_SKIPS_MAX], rounds = rpt__skips(c->n_ranks, skips);
    double n = (double)c->count * (double)bytes;

    return rounds * (m->message_s + n * (m->byte_s + m->reduce_byte_s));
}

/* The root of the tree. */
static int top_of(const struct rpt_case *c)
{
    return c->commutative ? c->root : 0;
}

static void build_lane(const struct rpt_case *c, struct rpt_schedule *schedule,
                       struct rpt_range part, size_t lane)
{
    size_t slot = lane % WINDOW * 2 * c->segment;
    int p = c->n_ranks, top = top_of(c), mine = rpt__modulo(c->rank - top, p);
    struct rpt_place sum = c->rank == c->root ? rpt__output(part.offset)
                                              : rpt__scratch(slot);
    struct rpt_place both[2] = { rpt__input(part.offset),
                                 rpt__scratch(slot + c->segment) };

    rpt__lane(schedule);
    for (int mask = 1; mask < p; mask *= 2) {
        if ((mine & mask) != 0) {
            rpt__step_send(schedule, (mine - mask + top) % p, both[0],
                           part.count);
            break;
        }
        if (mine + mask < p) {
            rpt__step_recv(schedule, (mine + mask + top) % p, both[1],
                           part.count);
            rpt__step_reduce(schedule, sum, both, 2, part.count);
            both[0] = sum;
        }
    }
    if (top != c->root && c->rank == top) {
        rpt__step_send(schedule, c->root, both[0], part.count);
    }
    if (top != c->root && c->rank == c->root) {
        rpt__step_flush(schedule, 0);
        rpt__step_recv(schedule, top, rpt__output(part.offset), part.count);
    }
}

static void build(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    size_t lane = 0;

    schedule->window = WINDOW;
    schedule->scratch_count = WINDOW * 2 * c->segment;
    for (size_t from = 0; from < c->count; from += c->segment) {
        build_lane(
            c, schedule,
            rpt__segment((struct rpt_range){ 0, c->count }, from, c->segment),
            lane++);
    }
}

const struct rpt_algorithm rpt__reduce_binomial = {
    .size = sizeof(struct rpt_algorithm),
    .name = "binomial",
    .summary = "binomial tree in segments: ceil(log2 p) rounds, any op",
    .in_rank_order = false,
    .applies = applies,
    .cost = cost,
    .build = build,
};
