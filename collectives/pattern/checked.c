/*
 * checked.c - all ranks have made the same call before any data moves
 */
#include "collectives/pattern/checked.h"

#include "base/error.h"
#include "collectives/pattern/subtree.h"

#include <stdlib.h>

/* What is in the element says nothing: each message has the call beside it. */
static void build(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    int p = c->n_ranks, mine = c->rank, mask = rpt__subtree_mask(p, mine);
    struct rpt_place said = rpt__scratch(0);

    schedule->scratch_count = 1;
    for (int d = 1; d < mask; d *= 2) {
        if (mine + d < p) {
            rpt__step_recv(schedule, mine + d, said, 1);
        }
    }
    if (mine > 0) {
        rpt__step_send(schedule, mine - mask, said, 1);
        rpt__step_flush(schedule, 0);
        rpt__step_recv(schedule, mine - mask, said, 1);
    }
    for (int d = mask / 2; d > 0; d /= 2) {
        if (mine + d < p) {
            rpt__step_send(schedule, mine + d, said, 1);
        }
    }
}

static int *all_ranks(int n)
{
    int *ranks = calloc((size_t)n, sizeof *ranks);

    for (int r = 0; ranks != NULL && r < n; r++) {
        ranks[r] = r;
    }
    return ranks;
}

void rpt__checked(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    struct rpt_schedule whole = { .window = 1 }, check = { .window = 1 };
    int *ranks = all_ranks(c->n_ranks);

    if (ranks == NULL) {
        schedule->status = rpt__fail_nomem((size_t)c->n_ranks * sizeof *ranks);
        return;
    }
    build(c, &check);
    whole.status = check.status != RPT_OK ? check.status : schedule->status;
    rpt__schedule_append(&whole, &check, RPT_MAX_PARTS - 1, ranks,
                         rpt__input(0), rpt__output(0));
    rpt__schedule_append(&whole, schedule, 0, ranks, rpt__input(0),
                         rpt__output(0));
    whole.has_token = true;
    free(ranks);
    rpt__schedule_free(&check);
    rpt__schedule_free(schedule);
    *schedule = whole;
}
