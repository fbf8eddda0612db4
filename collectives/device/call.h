/*
 * call.h - a plan whose buffers are in the memory of a device
 *
 * It is a plan as any other: a schedule that the engine runs in its turn, and a
 * part of its own before the first step and behind the last one.
 *
 *   road     before             schedule                behind
 *   NCCL     (bounce)           a barrier of the host   NCCL is launched, done
 *   SHARED   (bounce)           steps on the device     all is done
 *   HOST     input -> host      the host's own          output -> device
 *
 * So whatever the road, calls of a group have one order, a rank that makes
 * another call or none is found by the host's flags and messages before a
 * device waits for it, and whoever waits does so in the loop.
 */
#ifndef RPT_COLLECTIVES_DEVICE_CALL_H
#define RPT_COLLECTIVES_DEVICE_CALL_H

#include "collectives/device/team.h"
#include "collectives/plan.h"

struct rpt_device_call {
    struct rpt_device_team *device;
    enum rpt_road road;
    void *event;         /* what the caller's stream had at the start     */
    rpt_status_t status; /* of the start                                  */
    char *input;         /* the caller's                                  */
    char *output;
    size_t in_bytes, out_bytes; /* of these, on this rank                 */
    char *host_in, *host_out;   /* HOST: in their place                   */
    bool fills_out; /* ... whose old values may stay in the output   */
    char *bounce;   /* a copy of an input that is in place, or NULL  */
    size_t bounce_bytes;
    char *scratch; /* SHARED: of the schedule                       */
    size_t scratch_bytes;
    size_t divided_count; /* SHARED: elements that are an average         */
    bool is_entered;      /* of this start: what is before is under way   */
    bool is_launched;     /* ... what is behind                           */
};

/* Whose memory a call's buffers are in; -1: the host's.  RPT_ERR_INVALID:
 * partly here, partly there. */
rpt_status_t rpt__device_where(const struct rpt_group *group,
                               const rpt_coll_t *coll, int *device_out);
/* The same for those who pay for every nanosecond; true for what is invalid. */
static inline bool rpt__device_holds(const struct rpt_group *group,
                                     const rpt_coll_t *coll)
{
    int device = -1;

    return rpt__device_gpu() != NULL &&
           (rpt__device_where(group, coll, &device) != RPT_OK || device >= 0);
}

/* For the making of a plan (plan.c), in this order: connects the group,
 * chooses the road, builds the schedule; takes what memory that needs. */
rpt_status_t rpt__device_call_create(struct rpt_plan *plan, int device);
rpt_status_t rpt__device_call_complete(struct rpt_plan *plan);
void rpt__device_call_free(struct rpt_device_call *call);
/* At a start, when the plan has been bound to the caller's buffers. */
void rpt__device_call_bind(struct rpt_plan *plan);
/* The road, for a person. */
const char *rpt__device_call_text(const struct rpt_device_call *call);

/* ---- steps.c: what the engine calls ---- */

extern const struct rpt_run_ops rpt__device_nccl_run;
extern const struct rpt_run_ops rpt__device_shared_run;
extern const struct rpt_run_ops rpt__device_host_run;

#endif /* RPT_COLLECTIVES_DEVICE_CALL_H */
