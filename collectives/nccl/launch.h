/*
 * launch.h - a call as launches of NCCL
 */
#ifndef RPT_COLLECTIVES_NCCL_LAUNCH_H
#define RPT_COLLECTIVES_NCCL_LAUNCH_H

#include "collectives/algorithm/algorithm.h"
#include "collectives/nccl/ops.h"

struct rpt_nccl_call {
    const struct rpt_case *c;
    const rpt_coll_t *coll;
    const char *in; /* where they really are */
    char *out;
};

/* Launches all of it in one group of NCCL.  RPT_OK or RPT_PENDING: the rest
 * goes on in the background. */
rpt_status_t rpt__nccl_launch(const struct rpt_nccl_ops *nccl,
                              struct rpt_nccl_place place,
                              const struct rpt_nccl_call *call);

#endif /* RPT_COLLECTIVES_NCCL_LAUNCH_H */
