/*
 * paired.c - from any number of ranks to 2^k members and back
 *
 * Cost beside that of the members: two messages of the whole vector, one after
 * the other, where p is no power of two.
 */
#include "collectives/algorithm/allreduce/paired.h"

static struct rpt_place at(struct rpt_place place, size_t offset)
{
    place.offset += offset;
    return place;
}

void rpt__paired_reduce(struct rpt_paired *p, int from_rank, size_t offset,
                        size_t count)
{
    struct rpt_place both[2] = { at(p->mine, offset), rpt__scratch(offset) };

    if (from_rank < p->c->rank) {
        both[0] = rpt__scratch(offset);
        both[1] = at(p->mine, offset);
    }
    rpt__step_reduce(p->schedule, rpt__output(offset), both, 2, count);
}

void rpt__allreduce_paired(const struct rpt_case *c,
                           struct rpt_schedule *schedule,
                           void (*among)(struct rpt_paired *p))
{
    struct rpt_paired p = { c, schedule, rpt__fold(c->n_ranks), 0,
                            rpt__input(0) };

    p.member = rpt__fold_member(p.fold, c->rank);
    schedule->scratch_count = c->count;
    if (p.member < 0) {
        rpt__step_send(schedule, c->rank + 1, rpt__input(0), c->count);
        rpt__step_flush(schedule, 0); /* in place, input is output */
        rpt__step_recv(schedule, c->rank + 1, rpt__output(0), c->count);
        return;
    }
    if (p.member < p.fold.extra) {
        rpt__step_recv(schedule, c->rank - 1, rpt__scratch(0), c->count);
        rpt__paired_reduce(&p, c->rank - 1, 0, c->count);
        p.mine = rpt__output(0);
    }
    among(&p);
    if (p.member < p.fold.extra) {
        rpt__step_send(schedule, c->rank - 1, rpt__output(0), c->count);
    }
}
