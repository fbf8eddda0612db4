/*
 * staged.c - scatter on one node: everybody copies from the stage of the root
 */
#include "collectives/algorithm/scatter/scatter.h"
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
    struct rpt_range block = { 0, rpt__packed(c, c->rank).count };
    struct rpt_range part = rpt__part(block, round);

    rpt__step_copy(
        schedule, rpt__output(part.offset),
        c->rank == c->root
            ? rpt__input(rpt__block_of(c, c->rank).offset + part.offset)
            : rpt__staged_block(c->root, c->rank, round),
        part.count);
}

static const struct rpt_staged staged = {
    .giver = RPT_ROOT,
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

const struct rpt_algorithm rpt__scatter_staged = {
    .size = sizeof(struct rpt_algorithm),
    .name = "staged",
    .summary = "one node: every rank copies from the stage of the root",
    .in_rank_order = false,
    .applies = applies,
    .cost = cost,
    .build = build,
};
