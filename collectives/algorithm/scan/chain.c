/*
 * chain.c - scan along the ranks, in segments
 *
 * Each rank gets the sum of those below it, adds its own and hands that on.  A
 * segment is a lane, so that the next one is under way meanwhile.
 *
 * Cost for n elements: n elements sent and n reductions on each rank; the last
 * one waits for p-1 messages.  The sum goes from the first rank on.
 */
#include "collectives/algorithm/scan/scan.h"

enum { WINDOW = 4 };

static bool applies(const struct rpt_case *c)
{
    return c->n_ranks > 1;
}

static double cost(const struct rpt_case *c, const struct rpt_model *m,
                   size_t bytes)
{
    double n = (double)c->count * (double)bytes;
    double segment = (double)c->segment * (double)bytes;
    double last = n < segment ? n : segment;

    return (c->n_ranks - 1) * (m->message_s + last * m->byte_s) +
           n * (m->byte_s + m->reduce_byte_s);
}

static void build_lane(const struct rpt_case *c, struct rpt_schedule *schedule,
                       struct rpt_range part, size_t lane)
{
    struct rpt_place both[2] = { rpt__scratch(lane % WINDOW * c->segment),
                                 rpt__input(part.offset) };
    struct rpt_place sum = rpt__output(part.offset);

    rpt__lane(schedule);
    if (c->rank == 0) {
        rpt__step_copy(schedule, sum, both[1], part.count);
    } else {
        rpt__step_recv(schedule, c->rank - 1, both[0], part.count);
        rpt__step_reduce(schedule, sum, both, 2, part.count);
    }
    if (c->rank + 1 < c->n_ranks) {
        rpt__step_send(schedule, c->rank + 1, sum, part.count);
    }
}

static void build(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    size_t lane = 0;

    schedule->window = WINDOW;
    schedule->scratch_count = WINDOW * c->segment;
    for (size_t from = 0; from < c->count; from += c->segment) {
        build_lane(
            c, schedule,
            rpt__segment((struct rpt_range){ 0, c->count }, from, c->segment),
            lane++);
    }
}

const struct rpt_algorithm rpt__scan_chain = {
    .size = sizeof(struct rpt_algorithm),
    .name = "chain",
    .summary = "from rank to rank, in segments",
    .in_rank_order = true,
    .applies = applies,
    .cost = cost,
    .build = build,
};
