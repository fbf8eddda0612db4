/*
 * staged.c - broadcast on one node: through the stage of the root
 */
#include "collectives/algorithm/broadcast/broadcast.h"
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

    if (c->rank != c->root) {
        rpt__step_copy(schedule, rpt__output(part.offset),
                       rpt__stage(c->root, round.half), part.count);
    }
}

static const struct rpt_staged staged = {
    .giver = RPT_ROOT, .taker = RPT_ALL, .put = put, .get = get
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

const struct rpt_algorithm rpt__broadcast_staged = {
    .size = sizeof(struct rpt_algorithm),
    .name = "staged",
    .summary = "one node: the others copy from the stage of the root",
    .in_rank_order = false,
    .applies = applies,
    .cost = cost,
    .build = build,
};
