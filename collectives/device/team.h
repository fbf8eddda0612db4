/*
 * team.h - what the ranks of a group have for calls on device buffers
 *
 * Made at the first such call of the group, by all its ranks: they tell each
 * other on which device they are, choose the road that all take, and connect.
 *
 *   NCCL     every rank has a device of its own
 *   SHARED   ranks of one node that share a device, which NCCL refuses: stages
 *            in its memory, which the others open, and our own kernels
 *   HOST     everything else: through memory of the host
 */
#ifndef RPT_COLLECTIVES_DEVICE_TEAM_H
#define RPT_COLLECTIVES_DEVICE_TEAM_H

#include "collectives/engine/team.h"
#include "collectives/nccl/ops.h"
#include "device/device.h"

enum rpt_road { RPT_ROAD_NCCL, RPT_ROAD_SHARED, RPT_ROAD_HOST };

struct rpt_device_team {
    struct rpt_team *team;
    const struct rpt_device_ops *ops;
    const struct rpt_nccl_ops *nccl; /* NULL: there is none */
    int device;
    enum rpt_road road;
    void *stream;  /* all that the group does */
    void *comm;    /* NCCL's, NULL: not, or not any more */
    char *stage;   /* SHARED: this rank's                  */
    bool is_lent;  /* ... which others may have open       */
    char **stages; /* of all ranks; this one's among them  */
    bool *opened;  /* those that must be closed            */
};

/* The device's last failure, as this thread's last error.  what: of whom. */
rpt_status_t rpt__device_fail(const struct rpt_device_team *device,
                              rpt_status_t status, const char *what);
/* The same of NCCL. */
rpt_status_t rpt__nccl_fail(const struct rpt_device_team *device,
                            rpt_status_t status, const char *what);

/* Of a team, made when there is none.  Waits for all ranks, which make the call
 * of this signature.  Under the lock. */
rpt_status_t rpt__device_team_of(struct rpt_team *team,
                                 struct rpt_signature signature, int device);
/* Waits a while for the others where memory is shared.  NULL is ignored. */
void rpt__device_team_free(struct rpt_device_team *device);

/* ---- connect.c: NCCL ---- */

/* Opens the communicator; ends with a failure on all ranks or on none. */
rpt_status_t rpt__nccl_connect(struct rpt_device_team *device,
                               const char id[RPT_NCCL_ID_BYTES]);
void rpt__nccl_disconnect(struct rpt_device_team *device);
/* Ends what was launched. */
void rpt__nccl_abort(struct rpt_device_team *device);
/* RPT_OK, RPT_PENDING, or the failure that came up, which all are told. */
rpt_status_t rpt__nccl_watch(struct rpt_device_team *device);

/* ---- stages.c: SHARED ---- */

/* What a rank tells others about its stage. */
struct rpt_stage_card {
    char handle[RPT_DEVICE_HANDLE_BYTES];
    char *address;
    int64_t process;
};

/* Takes memory, and says how others find it. */
rpt_status_t rpt__stage_take(struct rpt_device_team *device,
                             struct rpt_stage_card *card_out);
/* Opens that of rank r. */
rpt_status_t rpt__stage_open(struct rpt_device_team *device, int r,
                             const struct rpt_stage_card *card);
/* Closes what was opened; gives back this rank's when all have closed it. */
void rpt__stages_release(struct rpt_device_team *device);
/* Where a stage of a rank begins in a turn. */
char *rpt__stage_of(const struct rpt_device_team *device, int turn, int rank);

#endif /* RPT_COLLECTIVES_DEVICE_TEAM_H */
