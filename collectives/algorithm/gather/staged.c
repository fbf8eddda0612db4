/*
 * staged.c - gather on one node: the root copies from all stages
 */
#include "collectives/algorithm/gather/gather.h"
#include "collectives/pattern/staged.h"

static void put(const struct rpt_case *c, struct rpt_schedule *schedule,
                struct rpt_round round)
{
    struct rpt_range part = rpt__part(
        (struct rpt_range){ 0, rpt__packed(c, c->rank).count }, round);

    if (c->rank != c->root) {
        rpt__step_copy(schedule, rpt__stage(c->rank, round.half),
                       rpt__input(part.offset), part.count);
    }
}

static void get(const struct rpt_case *c, struct rpt_schedule *schedule,
                struct rpt_round round)
{
    for (int i = 0; i < c->n_ranks; i++) {
        int r = (c->rank + i) % c->n_ranks;
        struct rpt_range part = rpt__part(rpt__block_of(c, r), round);

        rpt__step_copy(schedule, rpt__output(part.offset),
                       r == c->rank ? rpt__input(round.from)
                                    : rpt__stage(r, round.half),
                       part.count);
    }
}

static const struct rpt_staged staged = {
    .giver = RPT_ALL,
    .taker = RPT_ROOT,
    .in_pieces = true,
    .put = put,
    .get = get,
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

const struct rpt_algorithm rpt__gather_staged = {
    .size = sizeof(struct rpt_algorithm),
    .name = "staged",
    .summary = "one node: the root copies from all stages",
    .in_rank_order = false,
    .applies = applies,
    .cost = cost,
    .build = build,
};
