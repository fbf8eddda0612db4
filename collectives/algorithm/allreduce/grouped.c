/*
 * grouped.c - all-reduce of any number of ranks, in groups of neighbours
 *
 *      p = 11 in 5 groups     0 1 (2)   3 4   5 6   7 8   9 10
 *      inside, halve          a b       a b   a b   a b   a b
 *      between, all a, all b  A B       A B   A B   A B   A B
 *      inside, gather         all ranks have A B
 *
 * A rank that its group has more than others, (2), gives each of its neighbours
 * the part that it keeps, and gets it back.
 *
 * Cost for n elements and groups of b = 2^k: 2 log2 b rounds and 2 (b-1)/b n
 * elements beside what goes on between them.  The rank more: b messages and n
 * elements before, the same after that, while the others halve and gather.
 */
#include "collectives/algorithm/allreduce/grouped.h"

/* A rank more than others have: the last of its group, with b before it. */
static void give_and_get(const struct rpt_case *c,
                         struct rpt_schedule *schedule, int b)
{
    const struct rpt_range whole = { 0, c->count };

    for (int i = 0; i < b; i++) {
        struct rpt_range part = rpt__exchange_kept(whole, i, b);

        rpt__step_send(schedule, c->rank - b + i, rpt__input(part.offset),
                       part.count);
    }
    rpt__step_flush(schedule, 0); /* in place, input is output */
    for (int i = 0; i < b; i++) {
        struct rpt_range part = rpt__exchange_kept(whole, i, b);

        rpt__step_recv(schedule, c->rank - b + i, rpt__output(part.offset),
                       part.count);
    }
}

void rpt__allreduce_grouped(const struct rpt_case *c,
                            struct rpt_schedule *schedule, int n_groups,
                            void (*between)(struct rpt_exchange *x,
                                            const struct rpt_members *m))
{
    const struct rpt_range whole = { 0, c->count };
    struct rpt_exchange x = { c, schedule, rpt__input(0), whole };
    int b = c->n_ranks / n_groups, extra = c->n_ranks % n_groups;
    bool has_more = c->rank < extra * (b + 1);
    int group = has_more ? c->rank / (b + 1) : (c->rank - extra) / b;
    int first = group * b + (has_more ? group : extra), last = first + b;
    struct rpt_members inside = { b, c->rank - first, first, 1, 0 };
    struct rpt_members across = { n_groups, group, c->rank - first, b, extra };

    schedule->scratch_count = c->count;
    if (c->rank == last) {
        give_and_get(c, schedule, b);
        return;
    }
    rpt__exchange_halve(&x, &inside);
    if (has_more) {
        rpt__step_recv(schedule, last, rpt__scratch(x.part.offset),
                       x.part.count);
        rpt__exchange_reduce(&x, last);
    }
    between(&x, &across);
    if (has_more) {
        rpt__step_send(schedule, last, rpt__output(x.part.offset),
                       x.part.count);
    }
    rpt__exchange_gather(&x, &inside, whole);
}
