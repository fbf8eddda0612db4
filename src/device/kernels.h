/*
 * kernels.h - sums of vectors in the memory of a device (kernels.cu)
 *
 * Both launch and return; what they give is a cudaError_t.
 */
#ifndef RPT_DEVICE_KERNELS_H
#define RPT_DEVICE_KERNELS_H

#include "device/gpu.h"

#ifdef __cplusplus
extern "C" {
#endif

bool rpt__gpu_can_reduce(rpt_type_t type, rpt_op_t op);
int rpt__gpu_reduce(void *stream, const struct rpt_device_reduction *reduction);
int rpt__gpu_divide(void *stream, void *data, size_t count, rpt_type_t type,
                    int n);

#ifdef __cplusplus
}
#endif

#endif /* RPT_DEVICE_KERNELS_H */
