/*
 * cache.c - the plans of a team, the latest first
 *
 * Those that are in use stay in the list, but are not given out.
 */
#include "collectives/device/call.h"
#include "collectives/plan.h"

enum { CACHE_MAX = 32 };

/* Away with the oldest one that is in no use. */
static void make_room(struct rpt_team *team)
{
    struct rpt_plan **link = &team->cached, **oldest = NULL;

    if (team->n_cached < CACHE_MAX) {
        return;
    }
    for (; *link != NULL; link = &(*link)->next) {
        if (!(*link)->is_used) {
            oldest = link;
        }
    }
    if (oldest != NULL) {
        struct rpt_plan *plan = *oldest;

        *oldest = plan->next;
        team->n_cached--;
        rpt__plan_free(plan);
    }
}

/* -1: its buffers are the host's. */
static int device_of(const struct rpt_plan *plan)
{
    return plan->call != NULL ? plan->call->device->device : -1;
}

rpt_status_t rpt__plan_find(struct rpt_team *team, const rpt_coll_t *coll,
                            struct rpt_plan **plan_out)
{
    struct rpt_plan **link = &team->cached, *plan;
    int device = -1;
    rpt_status_t status = rpt__device_where(team->group, coll, &device);

    if (status != RPT_OK) {
        return status;
    }
    while (*link != NULL && ((*link)->is_used || device_of(*link) != device ||
                             !rpt__plan_fits(*link, coll))) {
        link = &(*link)->next;
    }
    plan = *link;
    if (plan != NULL) { /* to the front */
        *link = plan->next;
        team->n_cached--;
    } else {
        make_room(team);
        status = rpt__plan_create(team, coll, &plan);
        if (status != RPT_OK) {
            return status;
        }
    }
    plan->is_cached = plan->is_used = true;
    plan->next = team->cached;
    team->cached = plan;
    team->n_cached++;
    *plan_out = plan;
    return RPT_OK;
}

static void forget(struct rpt_plan *plan)
{
    struct rpt_plan **link = &plan->team->cached;

    while (plan->is_cached && *link != plan) {
        link = &(*link)->next;
    }
    if (plan->is_cached) {
        *link = plan->next;
        plan->team->n_cached--;
    }
    rpt__plan_free(plan);
}

void rpt__plan_drop(struct rpt_plan *plan)
{
    plan->is_used = plan->is_dropped = false;
    if (!plan->is_cached || plan->team->n_cached > CACHE_MAX) {
        forget(plan);
    }
}

void rpt__plans_release(struct rpt_team *team)
{
    while (team->cached != NULL) {
        forget(team->cached);
    }
}
