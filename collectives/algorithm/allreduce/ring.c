/*
 * ring.c - all-reduce on a ring, in segments
 *
 * The vector is cut into p blocks.  In p-1 rounds every rank passes one block
 * to its right neighbour and adds the block that comes from the left
 * (reduce-scatter); in p-1 more rounds the finished blocks go round once
 * (all-gather).  Blocks travel in segments, a lane each, so that a segment is
 * added while the next one is on the wire.
 *
 *      rank 0 --block 0--> rank 1 --block 1--> rank 2 --block 2--> rank 0
 *
 * Cost for n elements on p ranks: 2(p-1) messages a segment, 2(p-1)/p n
 * elements sent and (p-1)/p n reductions on each rank, which is the least for
 * bandwidth (Patarasuk and Yuan 2009, doi:10.1016/j.jpdc.2008.09.002).  Each
 * block is summed once, so all ranks get the same bits; the order of the sum
 * differs from block to block: for commutative ops.
 *
 * Not for short vectors: the latency grows with p.
 */
#include "collectives/algorithm/allreduce/allreduce.h"
#include "collectives/pattern/blocks.h"

enum { WINDOW = 4 };

struct ring {
    const struct rpt_case *c;
    struct rpt_schedule *schedule;
    int left;
    int right;
};

static bool applies(const struct rpt_case *c)
{
    return c->n_ranks > 1 && c->commutative && c->count >= (size_t)c->n_ranks;
}

static double cost(const struct rpt_case *c, const struct rpt_model *m,
                   size_t bytes)
{
    double n = (double)c->count * (double)bytes, p = c->n_ranks;

    /* The reduction is under the transfer. */
    return 2 * (p - 1) * m->message_s + 2 * (p - 1) / p * n * m->byte_s +
           n / p * m->reduce_byte_s;
}

/* The segment that is sent in a round; what is received is that of the next
 * round.  Segment `from` of a block is the same distance into it on all ranks,
 * so neighbours agree on its size. */
static struct rpt_range segment_of(const struct ring *ring, int round,
                                   size_t from)
{
    const struct rpt_case *c = ring->c;
    int b = rpt__modulo(c->rank - round, c->n_ranks);

    return rpt__segment(rpt__blocks(c->count, c->n_ranks, b, b + 1), from,
                        c->segment);
}

/* Sends behind the one of round `sent`, as far as `round`: those of no elements
 * are none. */
static uint32_t sends_since(const struct ring *ring, int sent, int round,
                            size_t from)
{
    const struct rpt_case *c = ring->c;
    uint32_t n = 0;

    if (from < c->count / (size_t)c->n_ranks) { /* all blocks go so far */
        return (uint32_t)(round - sent);
    }
    for (int i = sent + 1; i <= round; i++) {
        n += segment_of(ring, i, from).count > 0;
    }
    return n;
}

/* All rounds of one segment of every block. */
static void build_lane(struct ring *ring, size_t from, size_t lane)
{
    const struct rpt_case *c = ring->c;
    struct rpt_schedule *schedule = ring->schedule;
    size_t scratch = lane % WINDOW * c->segment;
    int p = c->n_ranks;

    rpt__lane(schedule);
    for (int round = 0; round < 2 * (p - 1); round++) {
        struct rpt_range out = segment_of(ring, round, from);
        struct rpt_range in = segment_of(ring, round + 1, from);

        rpt__step_send(schedule, ring->right,
                       round == 0 ? rpt__input(out.offset)
                                  : rpt__output(out.offset),
                       out.count);
        if (round < p - 1) {
            struct rpt_place both[2] = { rpt__scratch(scratch),
                                         rpt__input(in.offset) };

            rpt__step_recv(schedule, ring->left, both[0], in.count);
            rpt__step_reduce(schedule, rpt__output(in.offset), both, 2,
                             in.count);
        } else {
            /* It was sent p - 1 rounds ago. */
            rpt__step_flush(schedule,
                            sends_since(ring, round + 1 - p, round, from));
            rpt__step_recv(schedule, ring->left, rpt__output(in.offset),
                           in.count);
        }
    }
}

static void build(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    struct ring ring = { c, schedule, rpt__modulo(c->rank - 1, c->n_ranks),
                         (c->rank + 1) % c->n_ranks };
    size_t longest = rpt__block_start(c->count, c->n_ranks, 1);
    size_t lane = 0;

    schedule->window = WINDOW;
    schedule->scratch_count = WINDOW * c->segment;
    for (size_t from = 0; from < longest; from += c->segment) {
        build_lane(&ring, from, lane++);
    }
}

const struct rpt_algorithm rpt__allreduce_ring = {
    .size = sizeof(struct rpt_algorithm),
    .name = "ring",
    .summary = "segmented ring: least bytes, neighbours only, any p",
    .applies = applies,
    .cost = cost,
    .build = build,
};
