/*
 * copy.c - all-reduce of one rank
 */
#include "collectives/algorithm/allreduce/allreduce.h"

static bool applies(const struct rpt_case *c)
{
    return c->n_ranks == 1;
}

static void build(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    rpt__step_copy(schedule, rpt__output(0), rpt__input(0), c->count);
}

const struct rpt_algorithm rpt__allreduce_copy = {
    .size = sizeof(struct rpt_algorithm),
    .name = "copy",
    .summary = "one rank: its vector is the result",
    .applies = applies,
    .build = build,
};
