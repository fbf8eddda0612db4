/*
 * alone.c - every operation of one rank: a copy, or nothing
 */
#include "collectives/algorithm/alone.h"

static bool applies(const struct rpt_case *c)
{
    return c->n_ranks == 1;
}

static double cost(const struct rpt_case *c, const struct rpt_model *m,
                   size_t bytes)
{
    return (double)c->count * (double)bytes * m->copy_byte_s;
}

static void copy_vector(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    rpt__step_copy(schedule, rpt__output(0), rpt__input(0), c->count);
}

static void copy_gathered(const struct rpt_case *c,
                          struct rpt_schedule *schedule)
{
    struct rpt_range block = rpt__block_of(c, 0);

    rpt__step_copy(schedule, rpt__output(block.offset), rpt__input(0),
                   block.count);
}

static void copy_scattered(const struct rpt_case *c,
                           struct rpt_schedule *schedule)
{
    struct rpt_range block = rpt__block_of(c, 0);

    rpt__step_copy(schedule,
                   rpt__output(c->out_offsets != NULL ? c->out_offsets[0] : 0),
                   rpt__input(block.offset), block.count);
}

static void nothing(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    (void)c;
    (void)schedule;
}

#define ALONE(name_, build_)                                                   \
    const struct rpt_algorithm rpt__alone_##name_ = {                          \
        .size = sizeof(struct rpt_algorithm),                                  \
        .name = "copy",                                                        \
        .summary = "one rank: its own is the result",                          \
        .in_rank_order = true,                                                 \
        .applies = applies,                                                    \
        .cost = cost,                                                          \
        .build = build_,                                                       \
    }

ALONE(vector, copy_vector);
ALONE(gathered, copy_gathered);
ALONE(scattered, copy_scattered);
ALONE(nothing, nothing);
