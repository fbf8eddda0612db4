/*
 * call.c - plans are started and waited for
 *
 * A blocking call that is like one of the last ones on its group needs no lock,
 * no cache and nearly no check: it is started with other buffers.
 */
#include "collectives/plan.h"

#include "collectives/device/call.h"

#include <string.h>

static char *at(const void *base, size_t offset, size_t element_bytes)
{
    return (char *)(uintptr_t)base + offset * element_bytes;
}

static void bind(struct rpt_plan *plan, const void *in, void *out)
{
    struct rpt_run *run = &plan->run;
    const struct rpt_case *c = &plan->c;
    size_t element = rpt_type_bytes(plan->coll.type);

    run->input = at(in, 0, element);
    run->output = out;
    if (plan->coll.kind == RPT_COLL_BROADCAST) {
        run->input = out;
    } else if (plan->coll.kind == RPT_COLL_SCATTER && c->rank == c->root &&
               out == NULL) {
        run->output = at(in, rpt__block_of(c, c->rank).offset, element);
    } else if (plan->bounce != NULL) {
        memcpy(plan->bounce, out, plan->bounce_bytes);
        run->input = plan->bounce;
    } else if (plan->in_place) {
        bool gathers = plan->coll.kind == RPT_COLL_ALLGATHER ||
                       plan->coll.kind == RPT_COLL_GATHER;

        run->input = at(out, gathers ? rpt__block_of(c, c->rank).offset : 0,
                        element);
    }
    if (plan->call != NULL) {
        rpt__device_call_bind(plan);
    }
}

rpt_status_t rpt__plan_start(struct rpt_plan *plan)
{
    struct rpt_team *team = plan->team;
    rpt_status_t status = RPT_OK;

    if (!rpt__run_needs_lock(&plan->run) && !rpt__team_is_busy(team) &&
        !rpt__group_is_failed(team->group)) {
        bind(plan, plan->coll.in, plan->coll.out);
        rpt__run_start_here(&plan->run);
        return RPT_OK;
    }
    rpt__engine_lock(team->engine);
    status = rpt__group_run_status(team->group);
    if (status == RPT_OK) {
        bind(plan, plan->coll.in, plan->coll.out);
        rpt__run_queue(&plan->run);
    }
    rpt__engine_unlock(team->engine);
    return status;
}

/* Another thread may have found a failure: the owner is told what it said. */
static rpt_status_t tell(struct rpt_plan *plan, rpt_status_t status)
{
    if (status < RPT_OK) {
        rpt__engine_lock(plan->team->engine);
        status = rpt__run_say(&plan->run, status);
        rpt__engine_unlock(plan->team->engine);
    }
    return status;
}

static rpt_status_t under_lock(struct rpt_plan *plan,
                               rpt_status_t (*fn)(struct rpt_run *run))
{
    struct rpt_engine *engine = plan->team->engine;
    rpt_status_t status;

    rpt__engine_lock(engine);
    status = fn(&plan->run);
    rpt__engine_unlock(engine);
    return tell(plan, status);
}

static rpt_status_t look(struct rpt_plan *plan,
                         rpt_status_t (*fn)(struct rpt_run *run))
{
    struct rpt_run *run = &plan->run;
    int state = atomic_load(&run->state);

    if (state == RPT_RUN_LAZY) {
        rpt_status_t status = rpt__run_go_on(run, true);

        if (atomic_load(&run->state) == RPT_RUN_IDLE) {
            return status;
        }
        state = RPT_RUN_QUEUED; /* or still lazy: let the loop turn once */
    }
    if (state == RPT_RUN_OVER) {
        atomic_store(&run->state, RPT_RUN_IDLE);
        return tell(plan, run->status);
    }
    return state == RPT_RUN_IDLE ? RPT_OK : under_lock(plan, fn);
}

rpt_status_t rpt__plan_test(struct rpt_plan *plan)
{
    return look(plan, rpt__run_test);
}

rpt_status_t rpt__plan_look(struct rpt_plan *plan)
{
    return look(plan, rpt__run_look);
}

rpt_status_t rpt__plan_wait(struct rpt_plan *plan)
{
    struct rpt_run *run = &plan->run;
    int state = atomic_load(&run->state);

    if (state == RPT_RUN_IDLE) {
        return RPT_OK;
    }
    if (state == RPT_RUN_OVER) {
        atomic_store(&run->state, RPT_RUN_IDLE);
        return tell(plan, run->status);
    }
    if (state == RPT_RUN_LAZY) {
        rpt_status_t status = rpt__run_go_on(run, false);

        if (atomic_load(&run->state) == RPT_RUN_IDLE) {
            return status;
        }
    }
    return under_lock(plan, rpt__run_wait);
}

rpt_status_t rpt__plan_run(struct rpt_plan *plan, const void *in, void *out)
{
    bind(plan, in, out);
    rpt__run_queue(&plan->run);
    return rpt__run_wait(&plan->run);
}

/* Under the lock. */
static rpt_status_t run_locked(struct rpt_group *group, const rpt_coll_t *coll,
                               struct rpt_plan **here_out)
{
    struct rpt_team *team = NULL;
    struct rpt_plan *plan = NULL;
    rpt_status_t status = rpt__group_run_status(group);

    if (status == RPT_OK) {
        status = rpt__team_of(group, &team);
    }
    if (status == RPT_OK) {
        status = rpt__plan_find(team, coll, &plan);
    }
    if (status != RPT_OK) {
        return status;
    }
    if (!rpt__run_needs_lock(&plan->run) && !rpt__team_is_busy(team)) {
        bind(plan, coll->in, coll->out);
        *here_out = plan;
        return RPT_OK;
    }
    plan->coll.stream = coll->stream;
    status = rpt__plan_run(plan, coll->in, coll->out);
    rpt__plan_drop(plan);
    return status;
}

/* The root of a scatter leaves its block where it is. */
static bool keeps_block(const struct rpt_plan *plan, uintptr_t out)
{
    return out == 0 && plan->coll.kind == RPT_COLL_SCATTER &&
           plan->c.rank == plan->c.root;
}

/* What a good call has in its buffers, and where most calls have them; who is
 * false here may still be good. */
static bool is_plain(const struct rpt_plan *plan, const rpt_coll_t *coll)
{
    uintptr_t in = (uintptr_t)coll->in, out = (uintptr_t)coll->out;
    bool has_out = out != 0 && out != (uintptr_t)RPT_IN_PLACE;

    if (plan->in_place) {
        return has_out;
    }
    return (in != 0 || plan->input_bytes == 0) &&
           (has_out || plan->output_bytes == 0 || keeps_block(plan, out)) &&
           (in + plan->input_bytes <= out || out + plan->output_bytes <= in);
}

/* The plan of a call like this one among the last ones, if nothing else is
 * under way. */
static struct rpt_plan *recent_plan(struct rpt_group *group,
                                    const rpt_coll_t *coll)
{
    struct rpt_team *team = rpt__group_attached(group);
    struct rpt_plan *plan = NULL;

    for (int i = 0; team != NULL && plan == NULL && i < RPT_N_RECENT; i++) {
        plan = team->recent[i];
        if (plan != NULL && !rpt__plan_fits(plan, coll)) {
            plan = NULL;
        }
    }
    return plan != NULL && is_plain(plan, coll) &&
                   !rpt__run_needs_lock(&plan->run) &&
                   !rpt__team_is_busy(team) && !rpt__group_is_failed(group) &&
                   !rpt__device_holds(group, coll)
               ? plan
               : NULL;
}

/* Those like this one go back into the cache, where the call finds them.  Under
 * the lock. */
static void give_back(struct rpt_group *group, const rpt_coll_t *coll)
{
    struct rpt_team *team = rpt__group_attached(group);

    for (int i = 0; team != NULL && i < RPT_N_RECENT; i++) {
        struct rpt_plan *plan = team->recent[i];

        if (plan != NULL && rpt__plan_fits(plan, coll)) {
            team->recent[i] = NULL;
            rpt__plan_drop(plan);
        }
    }
}

/* Another one instead of the oldest.  Under the lock. */
static void remember(struct rpt_plan *plan)
{
    struct rpt_team *team = plan->team;
    struct rpt_plan **oldest =
        &team->recent[team->next_recent++ % RPT_N_RECENT];

    if (*oldest != NULL) {
        rpt__plan_drop(*oldest);
    }
    *oldest = plan;
}

/* Another one; *plan_out NULL: it was run. */
static rpt_status_t next_plan(struct rpt_group *group, const rpt_coll_t *coll,
                              struct rpt_plan **plan_out)
{
    struct rpt_engine *engine = rpt__comm_engine(rpt__group_comm(group));
    rpt_status_t status = rpt__coll_check(group, coll);

    if (status != RPT_OK) {
        return status;
    }
    rpt__engine_lock(engine);
    give_back(group, coll);
    status = run_locked(group, coll, plan_out);
    if (*plan_out != NULL) {
        remember(*plan_out); /* in use, by this thread's calls */
    }
    rpt__engine_unlock(engine);
    return status;
}

rpt_status_t rpt__coll_run(struct rpt_group *group, const rpt_coll_t *coll)
{
    struct rpt_plan *plan = recent_plan(group, coll);

    if (plan != NULL) {
        bind(plan, coll->in, coll->out);
    } else {
        rpt_status_t status = next_plan(group, coll, &plan);

        if (status != RPT_OK || plan == NULL) {
            return status;
        }
    }
    return rpt__run_here(&plan->run);
}
