/*
 * dissemination.c - barrier by dissemination
 *
 * In round k a rank tells the one 2^k above that it is here, and hears from the
 * one 2^k below, which speaks for all that it has heard of.
 *
 * A message is one element of the input, which says nothing.
 *
 * Cost: ceil(log2 p) rounds of one message of one element (Hensgen, Finkel,
 * Manber 1988, doi:10.1007/BF01379320).
 */
#include "collectives/algorithm/barrier/barrier.h"
#include "collectives/pattern/wrapped.h"

static bool applies(const struct rpt_case *c)
{
    return c->n_ranks > 1;
}

static double cost(const struct rpt_case *c, const struct rpt_model *m,
                   size_t bytes)
{
    int skips[RPT_SKIPS_MAX];

    (void)bytes;
    return rpt__skips(c->n_ranks, skips) * m->message_s;
}

static void build(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    int p = c->n_ranks;

    schedule->scratch_count = 1;
    for (int d = 1; d < p; d *= 2) {
        rpt__step_send(schedule, (c->rank + d) % p, rpt__input(0), 1);
        rpt__step_recv(schedule, rpt__modulo(c->rank - d, p), rpt__scratch(0),
                       1);
    }
}

const struct rpt_algorithm rpt__barrier_dissemination = {
    .size = sizeof(struct rpt_algorithm),
    .name = "dissemination",
    .summary = "ceil(log2 p) rounds of one small message",
    .in_rank_order = false,
    .applies = applies,
    .cost = cost,
    .build = build,
};
