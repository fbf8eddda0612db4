/*
 * staged.c - barrier on one node: everybody raises a flag, and waits for all
 */
#include "collectives/algorithm/barrier/barrier.h"
#include "collectives/pattern/staged.h"

static const struct rpt_staged staged = { .giver = RPT_ALL, .taker = RPT_ALL };

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

const struct rpt_algorithm rpt__barrier_staged = {
    .size = sizeof(struct rpt_algorithm),
    .name = "staged",
    .summary = "one node: a flag of each rank",
    .in_rank_order = false,
    .applies = applies,
    .cost = cost,
    .build = build,
};
