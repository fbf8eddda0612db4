/*
 * doubling.c - scan in ceil(log2 p) rounds
 *
 * In round k a rank has the sum of 2^k ranks up to itself; it sends that to the
 * one 2^k above and adds what comes from the one 2^k below in front.
 *
 * Cost for n elements: ceil(log2 p) messages of n elements, as many reductions
 * (Hillis, Steele 1986, doi:10.1145/7902.7903).  For any op.
 */
#include "collectives/algorithm/scan/scan.h"
#include "collectives/pattern/wrapped.h"

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

static void build(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    struct rpt_place both[2] = { rpt__scratch(0), rpt__output(0) };

    schedule->scratch_count = c->count;
    rpt__step_copy(schedule, rpt__output(0), rpt__input(0), c->count);
    for (int d = 1; d < c->n_ranks; d *= 2) {
        if (c->rank + d < c->n_ranks) {
            rpt__step_send(schedule, c->rank + d, rpt__output(0), c->count);
        }
        if (c->rank - d >= 0) {
            rpt__step_recv(schedule, c->rank - d, both[0], c->count);
            rpt__step_flush(schedule, 0);
            rpt__step_reduce(schedule, rpt__output(0), both, 2, c->count);
        }
    }
}

const struct rpt_algorithm rpt__scan_doubling = {
    .size = sizeof(struct rpt_algorithm),
    .name = "doubling",
    .summary = "ceil(log2 p) rounds of the whole vector",
    .in_rank_order = false,
    .applies = applies,
    .cost = cost,
    .build = build,
};
