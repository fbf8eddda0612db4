/*
 * staged.c - reduce-scatter on one node: everybody adds its block of all stages
 *
 * The sum goes from the first rank to the last.
 */
#include "collectives/algorithm/reduce_scatter/reduce_scatter.h"
#include "collectives/pattern/staged.h"

static void put(const struct rpt_case *c, struct rpt_schedule *schedule,
                struct rpt_round round)
{
    for (int r = 0; r < c->n_ranks; r++) {
        struct rpt_range part = rpt__part(rpt__block_of(c, r), round);

        if (r != c->rank) {
            rpt__step_copy(schedule, rpt__staged_block(c->rank, r, round),
                           rpt__input(part.offset), part.count);
        }
    }
}

static void get(const struct rpt_case *c, struct rpt_schedule *schedule,
                struct rpt_round round)
{
    struct rpt_range part = rpt__part(rpt__packed(c, c->rank), round);
    struct rpt_place inputs[RPT_MAX_INPUTS];

    for (int r = 0; r < c->n_ranks; r++) {
        inputs[r] = r == c->rank ? rpt__input(part.offset)
                                 : rpt__staged_block(r, c->rank, round);
    }
    rpt__step_reduce(schedule, rpt__output(round.from), inputs, c->n_ranks,
                     part.count);
}

static const struct rpt_staged staged = {
    .giver = RPT_ALL,
    .taker = RPT_ALL,
    .in_blocks = true,
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

const struct rpt_algorithm rpt__reduce_scatter_staged = {
    .size = sizeof(struct rpt_algorithm),
    .name = "staged",
    .summary = "one node: every rank adds its block of all stages",
    .in_rank_order = true,
    .applies = applies,
    .cost = cost,
    .build = build,
};
