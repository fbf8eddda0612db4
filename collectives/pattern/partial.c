/*
 * partial.c - reduce-scatter on a circulant graph
 *
 * With distances s = ceil(p/2), ... 1 a rank sends, s ranks further, the blocks
 * from s on of those it is still concerned with, and adds what comes from s
 * ranks before.  What it has not added to yet still stands in the input.
 *
 * Cost for a vector of n elements: ceil(log2 p) rounds, (p-1)/p n elements sent
 * and as many reductions (Traeff 2024, arXiv:2410.14234).
 */
#include "collectives/pattern/partial.h"

#include "base/error.h"

#include <stdlib.h>

struct partial {
    const struct rpt_case *c;
    struct rpt_schedule *schedule;
    rpt_pieces_fn pieces_fn;
    struct rpt_range *pieces; /* room for all */
    size_t count;
    int n_summed; /* blocks from the own one on whose sums are in scratch */
    struct rpt_place own_sum;
};

/* One block, or blocks that are all summed or all not. */
static void send(struct partial *x, int peer, int first, int end, bool summed)
{
    int n = x->pieces_fn(x->c, x->c->rank, first, end, x->pieces);

    for (int i = 0; i < n; i++) {
        size_t at = x->pieces[i].offset;

        rpt__step_send(x->schedule, peer,
                       summed ? rpt__scratch(at) : rpt__input(at),
                       x->pieces[i].count);
    }
}

static void receive_and_add(struct partial *x, int peer, int end, bool is_last)
{
    int n = x->pieces_fn(x->c, x->c->rank, 0, end, x->pieces);

    for (int i = 0; i < n; i++) {
        size_t at = x->pieces[i].offset;
        struct rpt_place both[2] = { rpt__scratch(x->count + at),
                                     x->n_summed > 0 ? rpt__scratch(at)
                                                     : rpt__input(at) };

        rpt__step_recv(x->schedule, peer, both[0], x->pieces[i].count);
        rpt__step_reduce(x->schedule, is_last ? x->own_sum : rpt__scratch(at),
                         both, 2, x->pieces[i].count);
    }
}

/* For odd p the first round leaves a block alone that goes on in the next. */
static void copy_middle(struct partial *x, int middle)
{
    int n = x->pieces_fn(x->c, x->c->rank, middle, middle + 1, x->pieces);

    for (int i = 0; i < n; i++) {
        rpt__step_copy(x->schedule, rpt__scratch(x->pieces[i].offset),
                       rpt__input(x->pieces[i].offset), x->pieces[i].count);
    }
}

void rpt__partial_build(const struct rpt_case *c, struct rpt_schedule *schedule,
                        rpt_pieces_fn pieces, size_t count,
                        struct rpt_place own_sum)
{
    int skips[RPT_SKIPS_MAX], p = c->n_ranks, n = rpt__skips(p, skips);
    struct partial x = { c, schedule, pieces, NULL, count, 0, own_sum };

    x.pieces = malloc((size_t)p * sizeof *x.pieces);
    if (x.pieces == NULL) {
        schedule->status = rpt__fail_nomem((size_t)p * sizeof *x.pieces);
        return;
    }
    if (schedule->scratch_count < 2 * count) {
        schedule->scratch_count = 2 * count;
    }
    if (p % 2 == 1 && n > 1) {
        copy_middle(&x, p / 2);
    }
    for (int k = 1; k <= n; k++) {
        int s = skips[k];

        send(&x, (c->rank + s) % p, s, skips[k - 1], x.n_summed > 0);
        receive_and_add(&x, rpt__modulo(c->rank - s, p), skips[k - 1] - s,
                        k == n);
        x.n_summed = s;
    }
    free(x.pieces);
}
