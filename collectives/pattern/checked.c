/*
 * checked.c - all ranks have made the same call before any data moves
 */
#include "collectives/pattern/checked.h"

#include "base/error.h"
#include "collectives/pattern/wrapped.h"

#include <stdlib.h>

/* What a token is says nothing: each message has the call beside it. */
static void build(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    int p = c->n_ranks;

    schedule->scratch_count = 2;
    for (int d = 1; d < p; d *= 2) {
        rpt__step_send(schedule, (c->rank + d) % p, rpt__scratch(0), 1);
        rpt__step_token(schedule);
        rpt__step_recv(schedule, rpt__modulo(c->rank - d, p), rpt__scratch(1),
                       1);
        rpt__step_token(schedule);
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
