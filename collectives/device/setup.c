/*
 * setup.c - the ranks of a group meet for their first call on device buffers
 *
 * Each gives a card: its device, the id of a communicator (the first rank's is
 * taken), its stage.  All see the same cards, and so choose the same road.  The
 * cards travel by an all-gather of the host under the signature of the call, so
 * that a rank which makes another call, or none, is found and named as ever.
 */
#include "collectives/device/team.h"

#include "collectives/plan.h"

#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct card {
    rpt_status_t status; /* of finding that out */
    char why[100];       /* ... that failed     */
    char device[RPT_DEVICE_ID_BYTES];
    char id[RPT_NCCL_ID_BYTES];
    bool has_nccl, has_stage;
    struct rpt_stage_card stage;
};

rpt_status_t rpt__device_fail(const struct rpt_device_team *device,
                              rpt_status_t status, const char *what)
{
    return rpt__fail(status, "%s on device %d: %s", what, device->device,
                     device->ops->why());
}

/* ---- cards ---- */

static rpt_status_t gather(struct rpt_team *team,
                           struct rpt_signature signature, const void *mine,
                           size_t bytes, void *all)
{
    rpt_coll_t coll = { .kind = RPT_COLL_ALLGATHER,
                        .in = mine,
                        .out = all,
                        .count = bytes,
                        .type = RPT_TYPE_U8 };
    struct rpt_plan *plan = NULL;
    rpt_status_t status = rpt__plan_create(team, &coll, &plan);

    if (status != RPT_OK) {
        return rpt__group_fail(team->group, status);
    }
    plan->run.signature = signature;
    status = rpt__plan_run(plan, mine, all);
    rpt__plan_drop(plan);
    return status;
}

/* Without a stage, or an id, there is a road less. */
static void fill_card(struct rpt_device_team *device, struct card *card)
{
    const struct rpt_team *team = device->team;

    card->status = device->ops->identify(device->device, card->device);
    if (card->status != RPT_OK) {
        snprintf(card->why, sizeof card->why, "%s", device->ops->why());
        return;
    }
    card->has_stage = team->one_node &&
                      (team->size == 1 ||
                       rpt__stage_take(device, &card->stage) == RPT_OK);
    card->has_nccl = device->nccl != NULL &&
                     (team->rank != 0 ||
                      device->nccl->make_id(card->id) == RPT_OK);
}

/* ---- the road ---- */

static bool share_a_device(const struct rpt_team *team,
                           const struct card cards[], int a, int b)
{
    const struct rpt_map *map = rpt__comm_map(team->comm);
    const char *host_a = rpt__map_host_of(
        map, rpt__group_world_rank(team->group, a));
    const char *host_b = rpt__map_host_of(
        map, rpt__group_world_rank(team->group, b));

    return memcmp(cards[a].device, cards[b].device, RPT_DEVICE_ID_BYTES) == 0 &&
           strcmp(host_a, host_b) == 0;
}

/* Whether every rank has what a road needs, but for a device of its own. */
static bool is_open(const struct rpt_team *team, const struct card cards[],
                    enum rpt_road road)
{
    bool all = true;

    for (int r = 0; r < team->size; r++) {
        all = all && (road != RPT_ROAD_NCCL || cards[r].has_nccl) &&
              (road != RPT_ROAD_SHARED || cards[r].has_stage);
    }
    return all;
}

static bool have_their_own(const struct rpt_team *team,
                           const struct card cards[])
{
    for (int a = 0; a < team->size; a++) {
        for (int b = 0; b < a; b++) {
            if (share_a_device(team, cards, a, b)) {
                return false;
            }
        }
    }
    return team->size > 1; /* alone, a copy is enough */
}

static rpt_status_t choose_road(const struct rpt_team *team,
                                const struct card cards[],
                                enum rpt_road *road_out)
{
    static const char *const names[] = { [RPT_ROAD_NCCL] = "nccl",
                                         [RPT_ROAD_SHARED] = "shared",
                                         [RPT_ROAD_HOST] = "host" };
    const char *wanted = rpt__option_text(rpt__comm_options(team->comm),
                                          RPT_OPT_COLL_DEVICE_ROAD);
    bool is_free = strcmp(wanted, "auto") == 0;

    for (int i = RPT_ROAD_NCCL; i <= RPT_ROAD_HOST; i++) {
        enum rpt_road road = (enum rpt_road)i;
        bool is_good = is_free ? road != RPT_ROAD_NCCL ||
                                     have_their_own(team, cards)
                               : strcmp(wanted, names[road]) == 0;

        if (is_good && is_open(team, cards, road)) {
            *road_out = road;
            return RPT_OK;
        }
    }
    rpt__fail(RPT_ERR_UNSUPPORTED, "coll.device.road=%s", wanted);
    rpt__fail_hint("it is auto, host, shared (ranks of one node), or nccl "
                   "(where librepartir-gpu was built with it)");
    return RPT_ERR_UNSUPPORTED;
}

/* When one rank cannot open a stage, all go through the host. */
static rpt_status_t open_stages(struct rpt_device_team *device,
                                struct rpt_signature signature,
                                const struct card cards[])
{
    struct rpt_team *team = device->team;
    char mine = 1, *all = calloc((size_t)team->size, 1);
    rpt_status_t status;

    if (all == NULL) {
        return rpt__group_fail(team->group,
                               rpt__fail_nomem((size_t)team->size));
    }
    device->is_lent = true;
    for (int r = 0; r < team->size; r++) {
        mine &= rpt__stage_open(device, r, &cards[r].stage) == RPT_OK;
    }
    status = gather(team, signature, &mine, 1, all);
    for (int r = 0; r < team->size; r++) {
        if (!all[r]) {
            device->road = RPT_ROAD_HOST;
        }
    }
    free(all);
    return status;
}

static rpt_status_t connect(struct rpt_device_team *device,
                            struct rpt_signature signature,
                            const struct card cards[])
{
    struct rpt_team *team = device->team;
    rpt_status_t status = choose_road(team, cards, &device->road);

    for (int r = 0; r < team->size && status == RPT_OK; r++) {
        if (cards[r].status != RPT_OK) {
            status = rpt__fail(RPT_ERR_PEER,
                               "rank %d cannot use its device: %s", r,
                               cards[r].why);
        }
    }
    if (status != RPT_OK) { /* the same on all ranks: the group goes on */
        return status;
    }
    if (device->road == RPT_ROAD_SHARED && team->size > 1) {
        return open_stages(device, signature, cards);
    }
    rpt__stages_release(device);
    return device->road == RPT_ROAD_NCCL
               ? rpt__nccl_connect(device, cards[0].id)
               : RPT_OK;
}

/* ---- making and releasing ---- */

static rpt_status_t meet(struct rpt_device_team *device,
                         struct rpt_signature signature)
{
    struct rpt_team *team = device->team;
    struct card mine, *cards = calloc((size_t)team->size, sizeof *cards);
    rpt_status_t status;

    if (cards == NULL) {
        return rpt__group_fail(
            team->group, rpt__fail_nomem((size_t)team->size * sizeof *cards));
    }
    memset(&mine, 0, sizeof mine);
    fill_card(device, &mine);
    status = gather(team, signature, &mine, sizeof mine, cards);
    if (status == RPT_OK) {
        status = connect(device, signature, cards);
    }
    free(cards);
    return status;
}

static rpt_status_t take(struct rpt_device_team *device)
{
    size_t n = (size_t)device->team->size;
    rpt_status_t status;

    device->stages = calloc(n, sizeof *device->stages);
    device->opened = calloc(n, sizeof *device->opened);
    if (device->stages == NULL || device->opened == NULL) {
        return rpt__fail_nomem(n * sizeof *device->stages);
    }
    status = device->ops->stream_create(&device->stream);
    return status == RPT_OK
               ? RPT_OK
               : rpt__device_fail(device, status, "no stream can be made");
}

void rpt__device_team_free(struct rpt_device_team *device)
{
    int before;

    if (device == NULL) {
        return;
    }
    before = device->device; /* if the one before is not told */
    device->ops->use(device->device, &before);
    rpt__nccl_disconnect(device);
    if (device->opened != NULL) {
        rpt__stages_release(device);
    }
    if (device->stream != NULL) {
        device->ops->stream_destroy(device->stream);
    }
    device->ops->use(before, &before);
    free(device->stages);
    free(device->opened);
    free(device);
}

rpt_status_t rpt__device_team_of(struct rpt_team *team,
                                 struct rpt_signature signature, int number)
{
    const struct rpt_gpu *gpu = rpt__device_gpu();
    struct rpt_device_team *device = calloc(1, sizeof *device);
    rpt_status_t status;
    int before = 0;

    if (device == NULL) {
        return rpt__group_fail(team->group, rpt__fail_nomem(sizeof *device));
    }
    device->team = team;
    device->ops = gpu->device;
    device->nccl = gpu->nccl;
    device->device = number;
    status = device->ops->use(number, &before);
    if (status != RPT_OK) {
        rpt__device_fail(device, status, "nothing can be done");
        status = rpt__group_fail(team->group, status);
    } else {
        status = take(device);
        status = status == RPT_OK ? meet(device, signature)
                                  : rpt__group_fail(team->group, status);
        device->ops->use(before, &before);
    }
    if (status != RPT_OK) {
        rpt__device_team_free(device);
        return status;
    }
    team->device = device;
    return RPT_OK;
}
