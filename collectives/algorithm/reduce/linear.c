/*
 * linear.c - reduce at the root, which gets all vectors
 *
 * In segments; the root adds those of all ranks in one pass, from the first to
 * the last.
 *
 * Cost for n elements: the root receives (p-1) n and does (p-1) n reductions.
 *
 * For the same bits in any layout; or for few ranks.
 */
#include "collectives/algorithm/reduce/reduce.h"

static bool applies(const struct rpt_case *c)
{
    return c->n_ranks > 1 && c->n_ranks <= RPT_MAX_INPUTS;
}

static double cost(const struct rpt_case *c, const struct rpt_model *m,
                   size_t bytes)
{
    double n = (double)c->count * (double)bytes;

    return (c->n_ranks - 1) *
           (m->message_s + n * (m->byte_s + m->reduce_byte_s));
}

static void build_root(const struct rpt_case *c, struct rpt_schedule *schedule,
                       struct rpt_range part, size_t most)
{
    struct rpt_place inputs[RPT_MAX_INPUTS];

    for (int r = 0; r < c->n_ranks; r++) {
        inputs[r] = rpt__input(part.offset);
        if (r != c->rank) {
            inputs[r] = rpt__scratch((size_t)r * most);
            rpt__step_recv(schedule, r, inputs[r], part.count);
        }
    }
    rpt__step_reduce(schedule, rpt__output(part.offset), inputs, c->n_ranks,
                     part.count);
}

static void build(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    size_t most = c->segment < c->count ? c->segment : c->count;

    schedule->scratch_count = c->rank == c->root ? (size_t)c->n_ranks * most
                                                 : 0;
    for (size_t from = 0; from < c->count; from += most) {
        struct rpt_range part = rpt__segment((struct rpt_range){ 0, c->count },
                                             from, most);

        rpt__lane(schedule);
        if (c->rank == c->root) {
            build_root(c, schedule, part, most);
        } else {
            rpt__step_send(schedule, c->root, rpt__input(part.offset),
                           part.count);
        }
    }
}

const struct rpt_algorithm rpt__reduce_linear = {
    .size = sizeof(struct rpt_algorithm),
    .name = "linear",
    .summary = "the root gets all vectors and adds them in rank order",
    .in_rank_order = true,
    .applies = applies,
    .cost = cost,
    .build = build,
};
