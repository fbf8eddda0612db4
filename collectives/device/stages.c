/*
 * stages.c - stages in the memory of devices, for ranks of one node
 *
 *   | short stages, a turn each | long stage, turn 16 | turn 17 |
 *
 * They are what the stages of a slice (engine/slice.h) are in the memory of the
 * host, and are used in the same turns; flags are those of the slice.
 *
 * Memory must not be given back while another process has it open.  So who
 * leaves closes what it has opened, counts itself in the slice, and waits for
 * the others.
 */
#include "collectives/device/team.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/size.h"

#include <unistd.h>

#define LEAVE_S 10

/* CUDA lends whole blocks of 2 MiB: what else is in one would be seen too. */
enum { LENT_BYTES = 2 << 20 };

static size_t stage_bytes(const struct rpt_device_team *device)
{
    return rpt__size_align((size_t)RPT_N_SHORT * RPT_SHORT_BLOCK +
                               (size_t)RPT_N_LONG *
                                   device->team->slice.stage_bytes,
                           LENT_BYTES);
}

char *rpt__stage_of(const struct rpt_device_team *device, int turn, int rank)
{
    size_t at = (size_t)turn * RPT_SHORT_BLOCK;

    if (turn >= RPT_N_SHORT) {
        at = (size_t)RPT_N_SHORT * RPT_SHORT_BLOCK +
             (size_t)(turn - RPT_N_SHORT) * device->team->slice.stage_bytes;
    }
    return device->stages[rank] + at;
}

rpt_status_t rpt__stage_take(struct rpt_device_team *device,
                             struct rpt_stage_card *card_out)
{
    const struct rpt_device_ops *ops = device->ops;
    void *memory = NULL;
    rpt_status_t status = ops->alloc(stage_bytes(device), &memory);

    if (status == RPT_OK) {
        status = ops->lend(memory, card_out->handle);
    }
    if (status != RPT_OK && memory != NULL) {
        ops->release(memory);
        memory = NULL;
    }
    device->stage = memory;
    card_out->address = memory;
    card_out->process = getpid();
    return status;
}

rpt_status_t rpt__stage_open(struct rpt_device_team *device, int r,
                             const struct rpt_stage_card *card)
{
    void *memory = card->address;
    rpt_status_t status = RPT_OK;

    if (card->process != getpid()) { /* threads see each other's as it is */
        status = device->ops->open(card->handle, &memory);
        device->opened[r] = status == RPT_OK;
    }
    if (status == RPT_OK) {
        device->stages[r] = memory;
    }
    return status;
}

static bool have_all_closed(void *arg)
{
    const struct rpt_team *team = arg;

    return (int)atomic_load(&team->slice.head->n_closed) >= team->n_near;
}

void rpt__stages_release(struct rpt_device_team *device)
{
    struct rpt_team *team = device->team;
    double until = rpt__now_s() + LEAVE_S;

    for (int r = 0; r < team->size; r++) {
        if (device->opened[r]) {
            device->ops->close(device->stages[r]);
        }
    }
    if (device->is_lent) {
        atomic_fetch_add(&team->slice.head->n_closed, 1);
    }
    while (device->is_lent && rpt__now_s() < until) {
        rpt__comm_wait(team->comm, have_all_closed, team, 1e-3);
        device->is_lent = !have_all_closed(team);
    }
    if (!device->is_lent && device->stage != NULL) {
        device->ops->release(device->stage);
        device->stage = NULL;
    } else if (device->is_lent) {
        rpt__log(RPT_LOG_WARN,
                 "%zu bytes of device memory are not given back: other ranks "
                 "still have the group",
                 stage_bytes(device));
    }
}
