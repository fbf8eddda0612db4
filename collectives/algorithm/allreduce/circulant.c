/*
 * circulant.c - all-reduce on a circulant graph, for any number of ranks
 *
 * The vector is cut into p blocks.  With distances s = ceil(p/2), ceil(s/2),
 * ... 1 a rank sends, s ranks further, the blocks from s on of those it is
 * still concerned with (counted from its own), and adds what comes from s ranks
 * before.  After ceil(log2 p) rounds it has the sum of its own block.  The same
 * distances backward bring all blocks to all.
 *
 *      p = 5, rank r:   blocks r .. r+4   s = 3: sends r+3, r+4
 *                       blocks r .. r+2   s = 2: sends r+2
 *                       blocks r, r+1     s = 1: sends r+1
 *
 * Cost for n elements: 2 ceil(log2 p) rounds, 2 (p-1)/p n elements sent and
 * (p-1)/p n reductions on each rank, for any p: the least possible in both; for
 * odd p a block is copied (Traeff 2024, arXiv:2410.14234).  A round is two
 * messages where its blocks go over the vector's end.  The order of the sum
 * differs from block to block: for commutative ops.
 */
#include "collectives/algorithm/allreduce/allreduce.h"
#include "collectives/pattern/wrapped.h"

struct circulant {
    const struct rpt_case *c;
    struct rpt_schedule *schedule;
    bool in_output; /* what is sent stands in the output, not in the input */
};

static bool applies(const struct rpt_case *c)
{
    return c->n_ranks > 1 && c->commutative && c->count >= (size_t)c->n_ranks;
}

static double cost(const struct rpt_case *c, const struct rpt_model *m,
                   size_t bytes)
{
    double n = (double)c->count * (double)bytes, p = c->n_ranks;
    int skips[RPT_SKIPS_MAX], rounds = rpt__skips(c->n_ranks, skips);

    return 3.0 * rounds * m->message_s + 2 * (p - 1) / p * n * m->byte_s +
           n * m->reduce_byte_s;
}

/* Both sides cut the blocks where the vector ends, so that they agree. */
static void send_blocks(struct circulant *x, int peer, int first, int end)
{
    struct rpt_range ranges[2];
    int n = rpt__vector_pieces(x->c, x->c->rank, first, end, ranges);

    for (int i = 0; i < n; i++) {
        rpt__step_send(x->schedule, peer,
                       x->in_output ? rpt__output(ranges[i].offset)
                                    : rpt__input(ranges[i].offset),
                       ranges[i].count);
    }
}

static void reduce_blocks(struct circulant *x, int peer, int end)
{
    struct rpt_range ranges[2];
    int n = rpt__vector_pieces(x->c, x->c->rank, 0, end, ranges);

    for (int i = 0; i < n; i++) {
        struct rpt_place both[2] = { rpt__scratch(ranges[i].offset),
                                     x->in_output
                                         ? rpt__output(ranges[i].offset)
                                         : rpt__input(ranges[i].offset) };

        rpt__step_recv(x->schedule, peer, both[0], ranges[i].count);
        rpt__step_reduce(x->schedule, rpt__output(ranges[i].offset), both, 2,
                         ranges[i].count);
    }
}

static void build(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    struct circulant x = { c, schedule, false };
    int skips[RPT_SKIPS_MAX], p = c->n_ranks, n = rpt__skips(p, skips);

    schedule->scratch_count = c->count;
    if (p % 2 == 1) { /* the block that the first round leaves alone */
        int b = (c->rank + p / 2) % p;
        struct rpt_range block = rpt__blocks(c->count, p, b, b + 1);

        rpt__step_copy(schedule, rpt__output(block.offset),
                       rpt__input(block.offset), block.count);
    }
    for (int k = 1; k <= n; k++) {
        int s = skips[k];

        send_blocks(&x, (c->rank + s) % p, s, skips[k - 1]);
        reduce_blocks(&x, rpt__modulo(c->rank - s, p), skips[k - 1] - s);
        x.in_output = true;
    }
    rpt__step_flush(schedule, 0);
    for (int k = n; k >= 1; k--) {
        int s = skips[k], end = skips[k - 1];
        struct rpt_range ranges[2];
        int n_ranges = rpt__vector_pieces(c, c->rank, s, end, ranges);

        send_blocks(&x, rpt__modulo(c->rank - s, p), 0, end - s);
        for (int i = 0; i < n_ranges; i++) {
            rpt__step_recv(schedule, (c->rank + s) % p,
                           rpt__output(ranges[i].offset), ranges[i].count);
        }
    }
}

const struct rpt_algorithm rpt__allreduce_circulant = {
    .size = sizeof(struct rpt_algorithm),
    .name = "circulant",
    .summary = "circulant graph: 2 ceil(log2 p) rounds, least bytes, any p",
    .applies = applies,
    .cost = cost,
    .build = build,
};
