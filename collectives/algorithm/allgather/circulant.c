/*
 * circulant.c - all-gather on a circulant graph, for any number of ranks
 *
 * The rounds of allreduce/circulant.c from its middle on: with distances 1, 2,
 * ... ceil(p/2) a rank gets, from the one s above, the blocks that it has not.
 *
 * Cost for blocks of n elements: ceil(log2 p) rounds and (p-1) n elements sent,
 * the least possible in both (Bruck et al. 1997, doi:10.1109/71.642949; Traeff
 * 2024, arXiv:2410.14234).
 */
#include "collectives/algorithm/allgather/allgather.h"
#include "collectives/pattern/wrapped.h"

#include "base/error.h"

#include <stdlib.h>

static bool applies(const struct rpt_case *c)
{
    return c->n_ranks > 1;
}

static double cost(const struct rpt_case *c, const struct rpt_model *m,
                   size_t bytes)
{
    int skips[RPT_SKIPS_MAX], rounds = rpt__skips(c->n_ranks, skips);
    double others = rpt__other_count(c) * (double)bytes;

    return (c->counts != NULL ? c->n_ranks - 1 : 1.5 * rounds) * m->message_s +
           others * m->byte_s;
}

static void build(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    struct rpt_range mine = rpt__block_of(c, c->rank);
    struct rpt_range *pieces = malloc((size_t)c->n_ranks * sizeof *pieces);
    int skips[RPT_SKIPS_MAX], p = c->n_ranks;

    if (pieces == NULL) {
        schedule->status = rpt__fail_nomem((size_t)c->n_ranks * sizeof *pieces);
        return;
    }
    rpt__step_copy(schedule, rpt__output(mine.offset), rpt__input(0),
                   mine.count);
    for (int k = rpt__skips(p, skips); k >= 1; k--) {
        int s = skips[k], n = skips[k - 1] - s, n_pieces;

        n_pieces = rpt__pieces(c, c->rank, 0, n, pieces);
        for (int i = 0; i < n_pieces; i++) {
            rpt__step_send(schedule, rpt__modulo(c->rank - s, p),
                           rpt__output(pieces[i].offset), pieces[i].count);
        }
        n_pieces = rpt__pieces(c, c->rank, s, s + n, pieces);
        for (int i = 0; i < n_pieces; i++) {
            rpt__step_recv(schedule, (c->rank + s) % p,
                           rpt__output(pieces[i].offset), pieces[i].count);
        }
    }
    free(pieces);
}

const struct rpt_algorithm rpt__allgather_circulant = {
    .size = sizeof(struct rpt_algorithm),
    .name = "circulant",
    .summary = "circulant graph: ceil(log2 p) rounds, any p",
    .in_rank_order = false,
    .applies = applies,
    .cost = cost,
    .build = build,
};
