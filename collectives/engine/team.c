/*
 * team.c - who is near, and what they share
 */
#include "collectives/engine/team.h"

#include "collectives/device/team.h"
#include "collectives/engine/run.h"
#include "collectives/plan.h"

#include "base/error.h"

#include <stdlib.h>

static void find_near(struct rpt_team *team)
{
    for (int r = 0; r < team->size; r++) {
        int world = rpt__group_world_rank(team->group, r);

        team->places[r] = -1;
        if (r == team->rank || rpt__comm_shares_area(team->comm, world)) {
            team->places[r] = team->n_near;
            team->near[team->n_near++] = r;
        }
    }
}

static void share(struct rpt_team *team)
{
    team->stage_bytes = rpt__stage_bytes(
        rpt__comm_options(team->comm),
        team->layout != NULL ? team->layout->most : team->size);
    if (team->n_near < 2) {
        team->one_node = team->size == 1;
        return;
    }
    rpt__slice_take(&team->slice, team->comm, rpt__group_number(team->group),
                    team->n_near, team->stage_bytes);
    team->one_node = team->n_near == team->size && team->slice.head != NULL;
}

static void team_free(struct rpt_team *team)
{
    rpt__layout_destroy(team->layout);
    rpt__layout_destroy(team->domains);
    free(team->places);
    free(team->near);
    free(team);
}

static void team_release(void *data)
{
    struct rpt_team *team = data;

    rpt__team_queue_lazy(team);
    rpt__gone_note(team->colls, team);
    rpt__team_leave(team);
    LIST_REMOVE(team, all);
    rpt__plans_release(team);
    rpt__device_team_free(team->device);
    rpt__early_forget(team->colls->early, rpt__group_number(team->group));
    if (team->n_near > 1) {
        rpt__slice_drop(&team->slice, team->comm,
                        rpt__group_number(team->group));
    }
    team_free(team);
}

static rpt_status_t team_create(struct rpt_group *group,
                                struct rpt_team **team_out)
{
    struct rpt_team *team = calloc(1, sizeof *team);
    size_t n = (size_t)rpt__group_size(group);
    rpt_status_t status;

    if (team == NULL) {
        return rpt__fail_nomem(sizeof *team);
    }
    team->group = group;
    team->comm = rpt__group_comm(group);
    team->engine = rpt__comm_engine(team->comm);
    team->rank = rpt__group_rank(group);
    team->size = (int)n;
    STAILQ_INIT(&team->queue);
    team->places = malloc(n * sizeof *team->places);
    team->near = malloc(n * sizeof *team->near);
    status = team->places != NULL && team->near != NULL
                 ? rpt__colls_of(team->comm, &team->colls)
                 : rpt__fail_nomem(2 * n * sizeof *team->places);
    if (status == RPT_OK) {
        status = rpt__team_find_nodes(team);
    }
    if (status == RPT_OK) {
        status = rpt__device_look(rpt__comm_options(team->comm));
        if (status != RPT_OK) { /* the other ranks may find no fault */
            status = rpt__group_fail(group, status);
        }
    }
    if (status != RPT_OK) {
        team_free(team);
        return status;
    }
    find_near(team);
    share(team);
    rpt__look_init(&team->look, rpt__comm_is_crowded(team->comm));
    team->lazy_seen = UINT64_MAX;
    team->history = RPT_HISTORY_FIRST;
    LIST_INSERT_HEAD(&team->colls->teams, team, all);
    *team_out = team;
    return RPT_OK;
}

static uint64_t n_runs(const void *data)
{
    return atomic_load(&((const struct rpt_team *)data)->n_runs);
}

static const struct rpt_group_layer layer = { .release = team_release,
                                              .n_runs = n_runs,
                                              .name_run = rpt__team_name_run };

rpt_status_t rpt__team_of(struct rpt_group *group, struct rpt_team **team_out)
{
    struct rpt_team *team = rpt__group_attached(group);
    rpt_status_t status = RPT_OK;

    if (team == NULL) {
        status = team_create(group, &team);
        if (status == RPT_OK) {
            rpt__group_attach(group, team, &layer);
        }
    }
    if (status == RPT_OK) {
        *team_out = team;
    }
    return status;
}

uint64_t rpt__team_flag_of(const struct rpt_team *team, int rank)
{
    uint64_t most = 0;

    for (int turn = 0; turn < RPT_N_TURNS; turn++) {
        uint64_t flag = rpt__team_flag_in(team, turn, rank);

        most = flag > most ? flag : most;
    }
    return most;
}

bool rpt__team_past(const struct rpt_team *team, uint64_t seq,
                    struct rpt_signature *signature_out)
{
    const struct rpt_past *past = &team->past[seq % RPT_N_PAST];
    uint64_t before = atomic_load_explicit(&past->number, memory_order_acquire);

    signature_out->what = atomic_load_explicit(&past->what,
                                               memory_order_relaxed);
    signature_out->size = atomic_load_explicit(&past->size,
                                               memory_order_relaxed);
    signature_out->history = atomic_load_explicit(&past->history,
                                                  memory_order_relaxed);
    atomic_thread_fence(memory_order_acquire);
    return before == seq + 1 &&
           atomic_load_explicit(&past->number, memory_order_relaxed) == before;
}
