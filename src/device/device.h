/*
 * device.h - whether there are devices, and whose memory an address is
 *
 * The first look opens librepartir-gpu, or finds that there is no reason to:
 * with device.use=auto only a program that has loaded the CUDA driver itself
 * can have device buffers.
 */
#ifndef RPT_DEVICE_DEVICE_H
#define RPT_DEVICE_DEVICE_H

#include "base/options.h"
#include "device/gpu.h"

#include <stdatomic.h>

/* NULL: no devices (yet).  Does not change any more once it is set. */
extern const struct rpt_gpu *_Atomic rpt__gpu;

/* What a call of a program without devices pays. */
static inline const struct rpt_gpu *rpt__device_gpu(void)
{
    return atomic_load_explicit(&rpt__gpu, memory_order_acquire);
}

/* Looks whether there are devices.  RPT_OK without any, too: a failure is that
 * device.use=yes cannot be obeyed. */
rpt_status_t rpt__device_look(const rpt_options_t *options);

/* Takes these tables instead of a library's.  For tests. */
void rpt__device_set(const struct rpt_gpu *gpu);

#endif /* RPT_DEVICE_DEVICE_H */
