/*
 * library.c - the one function that librepartir-gpu exports
 */
#include "collectives/nccl/ops.h"
#include "device/tables.h"

static const struct rpt_gpu tables = {
    .size = sizeof(struct rpt_gpu),
    .interface = RPT_GPU_INTERFACE,
    .device = &rpt__cuda_ops,
#ifdef RPT_HAVE_NCCL
    .nccl = &rpt__nccl_ops,
#endif
};

const struct rpt_gpu *rpt_gpu_open(void)
{
    return &tables;
}
