/*
 * staged.c - exscan on one node: everybody adds the stages of the ranks below
 *
 * The sum goes from the first rank on.  Elements of 16 bits are rounded once,
 * which other algorithms do more often: not the same bits in every layout.
 */
#include "collectives/algorithm/exscan/exscan.h"
#include "collectives/pattern/staged.h"

static void put(const struct rpt_case *c, struct rpt_schedule *schedule,
                struct rpt_round round)
{
    struct rpt_range part = rpt__part((struct rpt_range){ 0, c->count }, round);

    rpt__step_copy(schedule, rpt__stage(c->rank, round.half),
                   rpt__input(part.offset), part.count);
}

static void get(const struct rpt_case *c, struct rpt_schedule *schedule,
                struct rpt_round round)
{
    struct rpt_range part = rpt__part((struct rpt_range){ 0, c->count }, round);
    struct rpt_place inputs[RPT_MAX_INPUTS];
    int n = c->rank;

    for (int r = 0; r < n; r++) {
        inputs[r] = r == c->rank ? rpt__input(part.offset)
                                 : rpt__stage(r, round.half);
    }
    if (n > 0) {
        rpt__step_reduce(schedule, rpt__output(part.offset), inputs, n,
                         part.count);
    }
}

static const struct rpt_staged staged = {
    .giver = RPT_LOWER, .taker = RPT_LOWER, .put = put, .get = get
};

static bool applies(const struct rpt_case *c)
{
    return rpt__staged_applies(&staged, c);
}

static double cost(const struct rpt_case *c, const struct rpt_model *m,
                   size_t bytes)
{
    return rpt__staged_cost(&staged, c, m, bytes);
}

static void build(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    rpt__staged_build(&staged, c, schedule);
}

const struct rpt_algorithm rpt__exscan_staged = {
    .size = sizeof(struct rpt_algorithm),
    .name = "staged",
    .summary = "one node: every rank adds the stages of the ranks below",
    .in_rank_order = false,
    .applies = applies,
    .cost = cost,
    .build = build,
};
