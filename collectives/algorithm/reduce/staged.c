/*
 * staged.c - reduce on one node: the root adds all stages
 *
 * The sum goes from the first rank to the last.
 */
#include "collectives/algorithm/reduce/reduce.h"
#include "collectives/pattern/staged.h"

static void put(const struct rpt_case *c, struct rpt_schedule *schedule,
                struct rpt_round round)
{
    struct rpt_range part = rpt__part((struct rpt_range){ 0, c->count }, round);

    if (c->rank != c->root) {
        rpt__step_copy(schedule, rpt__stage(c->rank, round.half),
                       rpt__input(part.offset), part.count);
    }
}

static void get(const struct rpt_case *c, struct rpt_schedule *schedule,
                struct rpt_round round)
{
    struct rpt_range part = rpt__part((struct rpt_range){ 0, c->count }, round);
    struct rpt_place inputs[RPT_MAX_INPUTS];

    for (int r = 0; r < c->n_ranks; r++) {
        inputs[r] = r == c->rank ? rpt__input(part.offset)
                                 : rpt__stage(r, round.half);
    }
    rpt__step_reduce(schedule, rpt__output(part.offset), inputs, c->n_ranks,
                     part.count);
}

static const struct rpt_staged staged = {
    .giver = RPT_ALL, .taker = RPT_ROOT, .put = put, .get = get
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

const struct rpt_algorithm rpt__reduce_staged = {
    .size = sizeof(struct rpt_algorithm),
    .name = "staged",
    .summary = "one node: the root adds all stages",
    .in_rank_order = true,
    .applies = applies,
    .cost = cost,
    .build = build,
};
