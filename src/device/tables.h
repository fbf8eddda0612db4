/*
 * tables.h - what the files of librepartir-gpu define
 */
#ifndef RPT_DEVICE_TABLES_H
#define RPT_DEVICE_TABLES_H

#include "device/gpu.h"

extern const struct rpt_device_ops rpt__cuda_ops; /* cuda.c */

/* The one function that it exports: see RPT_GPU_OPEN.  (library.c) */
RPT_API const struct rpt_gpu *rpt_gpu_open(void);

#endif /* RPT_DEVICE_TABLES_H */
