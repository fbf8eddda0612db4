/*
 * pulled.c - the end of schedules that read each other's buffers
 *
 * There is no stage that must be free; the flags are those of a block, which is
 * free when all are in the next collective.
 */
#include "collectives/pattern/pulled.h"

bool rpt__pulled_applies(const struct rpt_case *c)
{
    return c->n_ranks > 1 && c->n_ranks <= RPT_MAX_INPUTS && c->one_node &&
           c->can_pull;
}

void rpt__pulled_wait_all(const struct rpt_case *c,
                          struct rpt_schedule *schedule, uint32_t value)
{
    for (int i = 1; i < c->n_ranks; i++) {
        rpt__step_wait(schedule, (c->rank + i) % c->n_ranks, value);
    }
}

void rpt__pulled_end(const struct rpt_case *c, struct rpt_schedule *schedule,
                     uint32_t value)
{
    rpt__step_signal(schedule, value);
    rpt__pulled_wait_all(c, schedule, value);
    schedule->pulls = true;
    schedule->n_values = value;
    schedule->free_value = value + 1; /* who is in the next one waits no more */
    schedule->seen_value = value;
}
