/*
 * connect.c - the NCCL communicator of a group: opened, watched, ended
 *
 * It never blocks, so that a rank which does not come, or a network that is
 * gone, is an error of ours in time.  What one rank finds, all are told by the
 * group (rpt__group_fail()), and each ends its communicator.
 */
#include "collectives/device/team.h"

#include "base/clock.h"
#include "base/error.h"

#include <math.h>

/* A look at the communicator while nothing else happens. */
#define LOOK_S 1e-3
#define FINISH_S 10

rpt_status_t rpt__nccl_fail(const struct rpt_device_team *device,
                            rpt_status_t status, const char *what)
{
    rpt__fail(status, "%s on device %d: %s", what, device->device,
              device->nccl->why(device->comm));
    status = rpt__group_fail(device->team->group, status);
    rpt__fail_hint("NCCL_DEBUG=INFO makes NCCL say more; option "
                   "coll.device.road=host does without it");
    return status;
}

/* ---- waiting for it ---- */

static bool is_settled(void *arg)
{
    const struct rpt_device_team *device = arg;

    return device->nccl->status(device->comm) != RPT_PENDING ||
           rpt__group_is_failed(device->team->group);
}

/* RPT_PENDING: time is over. */
static rpt_status_t settle(struct rpt_device_team *device, double limit_s)
{
    double until = rpt__now_s() + limit_s;
    rpt_status_t status = RPT_PENDING;

    while (status == RPT_PENDING && rpt__now_s() < until) {
        status = rpt__comm_wait(device->team->comm, is_settled, device, LOOK_S);
    }
    if (status == RPT_OK && rpt__group_is_failed(device->team->group)) {
        return rpt__group_failure(device->team->group);
    }
    return status == RPT_OK ? device->nccl->status(device->comm) : status;
}

static double patience_of(const struct rpt_team *team)
{
    const rpt_options_t *options = rpt__comm_options(team->comm);
    double limit = rpt__option_seconds(options, RPT_OPT_COLL_DEADLINE_S);
    double own = rpt__option_seconds(options, RPT_OPT_COMM_INTERNAL_DEADLINE_S);

    return limit > 0 ? fmin(limit, own) : own;
}

/* ---- beginning and end ---- */

rpt_status_t rpt__nccl_connect(struct rpt_device_team *device,
                               const char id[RPT_NCCL_ID_BYTES])
{
    struct rpt_team *team = device->team;
    double limit = patience_of(team);
    rpt_status_t status = device->nccl->open(id, team->size, team->rank,
                                             &device->comm);

    if (status >= RPT_OK) {
        status = settle(device, limit);
    }
    if (status == RPT_PENDING) {
        rpt__fail(RPT_ERR_TIMEOUT, "NCCL did not connect %d ranks in %g s",
                  team->size, limit);
        status = rpt__group_fail(team->group, RPT_ERR_TIMEOUT);
        rpt__fail_why("all ranks are there, as their messages say");
        rpt__fail_hint("NCCL_DEBUG=INFO makes NCCL say where it waits; "
                       "NCCL_SOCKET_IFNAME chooses its network");
    } else if (status < RPT_OK) {
        status = rpt__group_is_failed(team->group)
                     ? rpt__group_failure(team->group)
                     : rpt__nccl_fail(device, status, "NCCL does not connect");
    }
    if (status != RPT_OK) {
        rpt__nccl_abort(device);
    }
    return status;
}

void rpt__nccl_abort(struct rpt_device_team *device)
{
    if (device->comm != NULL) {
        device->nccl->abort(device->comm);
        device->comm = NULL;
    }
}

void rpt__nccl_disconnect(struct rpt_device_team *device)
{
    bool is_good = !rpt__group_is_failed(device->team->group);

    if (device->comm != NULL && is_good &&
        device->nccl->finish(device->comm) >= RPT_OK &&
        settle(device, FINISH_S) == RPT_OK) {
        device->nccl->close(device->comm);
        device->comm = NULL;
    }
    rpt__nccl_abort(device);
}

rpt_status_t rpt__nccl_watch(struct rpt_device_team *device)
{
    rpt_status_t status = device->nccl->status(device->comm);

    return status < RPT_OK ? rpt__nccl_fail(device, status, "NCCL gave up")
                           : status;
}
