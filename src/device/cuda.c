/*
 * cuda.c - the table of device functions by the CUDA runtime
 *
 * Part of librepartir-gpu.  A failure leaves its text to why(); nothing else is
 * kept.
 */
#include "device/gpu.h"
#include "device/kernels.h"
#include "device/tables.h"

#include <cuda_runtime_api.h>

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char text[256];

static const char *why(void)
{
    return text;
}

static rpt_status_t status_of(cudaError_t error, const char *call)
{
    if (error == cudaSuccess) {
        return RPT_OK;
    }
    if (error == cudaErrorNotReady) {
        return RPT_PENDING;
    }
    snprintf(text, sizeof text, "%s: %s", call, cudaGetErrorString(error));
    cudaGetLastError(); /* else the program's next call gets it too */
    return error == cudaErrorMemoryAllocation ? RPT_ERR_NOMEM : RPT_ERR_SYSTEM;
}

#define TRY(call, ...) status_of(call(__VA_ARGS__), #call)

/* ---- devices ---- */

static int n_devices(void)
{
    int n = 0;

    return TRY(cudaGetDeviceCount, &n) == RPT_OK ? n : 0;
}

static int whose(const void *address)
{
    struct cudaPointerAttributes attributes;

    if (cudaPointerGetAttributes(&attributes, address) != cudaSuccess) {
        cudaGetLastError();
        return -1;
    }
    return attributes.type == cudaMemoryTypeDevice ||
                   attributes.type == cudaMemoryTypeManaged
               ? attributes.device
               : -1;
}

static rpt_status_t identify(int device, char id_out[RPT_DEVICE_ID_BYTES])
{
    struct cudaDeviceProp properties;
    rpt_status_t status = TRY(cudaGetDeviceProperties, &properties, device);

    if (status == RPT_OK) {
        memcpy(id_out, &properties.uuid, RPT_DEVICE_ID_BYTES);
    }
    return status;
}

static rpt_status_t use(int device, int *before_out)
{
    rpt_status_t status = TRY(cudaGetDevice, before_out);

    if (status == RPT_OK && *before_out != device) {
        status = TRY(cudaSetDevice, device);
    }
    return status;
}

/* ---- memory ---- */

static rpt_status_t alloc(size_t bytes, void **memory_out)
{
    return TRY(cudaMalloc, memory_out, bytes);
}

static void release(void *memory)
{
    TRY(cudaFree, memory);
}

static rpt_status_t host_alloc(size_t bytes, void **memory_out)
{
    return TRY(cudaMallocHost, memory_out, bytes);
}

static void host_release(void *memory)
{
    TRY(cudaFreeHost, memory);
}

_Static_assert(sizeof(cudaIpcMemHandle_t) == RPT_DEVICE_HANDLE_BYTES,
               "a handle of CUDA has 64 bytes");

static rpt_status_t lend(void *memory, char handle_out[RPT_DEVICE_HANDLE_BYTES])
{
    cudaIpcMemHandle_t handle;
    rpt_status_t status = TRY(cudaIpcGetMemHandle, &handle, memory);

    if (status == RPT_OK) {
        memcpy(handle_out, &handle, sizeof handle);
    }
    return status;
}

static rpt_status_t open(const char handle[RPT_DEVICE_HANDLE_BYTES],
                         void **memory_out)
{
    cudaIpcMemHandle_t copy;

    memcpy(&copy, handle, sizeof copy);
    return TRY(cudaIpcOpenMemHandle, memory_out, copy,
               cudaIpcMemLazyEnablePeerAccess);
}

static void close(void *memory)
{
    TRY(cudaIpcCloseMemHandle, memory);
}

/* ---- streams ---- */

static rpt_status_t stream_create(void **stream_out)
{
    cudaStream_t stream;
    rpt_status_t status = TRY(cudaStreamCreateWithFlags, &stream,
                              cudaStreamNonBlocking);

    if (status == RPT_OK) {
        *stream_out = stream;
    }
    return status;
}

static void stream_destroy(void *stream)
{
    TRY(cudaStreamDestroy, stream);
}

static rpt_status_t stream_query(void *stream)
{
    return TRY(cudaStreamQuery, stream);
}

static rpt_status_t stream_finish(void *stream)
{
    return TRY(cudaStreamSynchronize, stream);
}

static rpt_status_t event_create(void **event_out)
{
    cudaEvent_t event;
    rpt_status_t status = TRY(cudaEventCreateWithFlags, &event,
                              cudaEventDisableTiming);

    if (status == RPT_OK) {
        *event_out = event;
    }
    return status;
}

static void event_destroy(void *event)
{
    TRY(cudaEventDestroy, event);
}

static rpt_status_t event_record(void *event, void *stream)
{
    return TRY(cudaEventRecord, event, stream);
}

static rpt_status_t stream_wait(void *stream, void *event)
{
    return TRY(cudaStreamWaitEvent, stream, event, 0);
}

static rpt_status_t copy(void *stream, void *to, const void *from, size_t bytes)
{
    return TRY(cudaMemcpyAsync, to, from, bytes, cudaMemcpyDefault, stream);
}

/* CUDA's limit for what is from one row to the next. */
#define STEP_MOST ((size_t)INT_MAX)

static rpt_status_t copy_rows(void *stream,
                              const struct rpt_device_block *block)
{
    rpt_status_t status = RPT_OK;

    for (size_t s = 0; s < block->n_slices; s++) {
        char *to = (char *)block->to + s * block->to_slice_step;
        const char *from = (const char *)block->from +
                           s * block->from_slice_step;

        for (size_t r = 0; r < block->n_rows && status == RPT_OK; r++) {
            status = copy(stream, to + r * block->to_row_step,
                          from + r * block->from_row_step, block->row_bytes);
        }
    }
    return status;
}

static rpt_status_t copy_block(void *stream,
                               const struct rpt_device_block *block)
{
    struct cudaMemcpy3DParms parameters;

    if (block->to_row_step > STEP_MOST || block->from_row_step > STEP_MOST) {
        return copy_rows(stream, block);
    }
    memset(&parameters, 0, sizeof parameters);
    parameters.srcPtr.ptr = (void *)(uintptr_t)block->from;
    parameters.srcPtr.pitch = block->from_row_step;
    parameters.srcPtr.xsize = block->row_bytes;
    parameters.srcPtr.ysize = block->from_slice_step / block->from_row_step;
    parameters.dstPtr.ptr = block->to;
    parameters.dstPtr.pitch = block->to_row_step;
    parameters.dstPtr.xsize = block->row_bytes;
    parameters.dstPtr.ysize = block->to_slice_step / block->to_row_step;
    parameters.extent.width = block->row_bytes;
    parameters.extent.height = block->n_rows;
    parameters.extent.depth = block->n_slices;
    parameters.kind = cudaMemcpyDefault;
    return TRY(cudaMemcpy3DAsync, &parameters, stream);
}

static rpt_status_t reduce(void *stream,
                           const struct rpt_device_reduction *reduction)
{
    return status_of((cudaError_t)rpt__gpu_reduce(stream, reduction),
                     "sum of vectors");
}

static rpt_status_t divide(void *stream, void *data, size_t count,
                           rpt_type_t type, int n)
{
    return status_of((cudaError_t)rpt__gpu_divide(stream, data, count, type, n),
                     "division of a vector");
}

const struct rpt_device_ops rpt__cuda_ops = {
    .size = sizeof(struct rpt_device_ops),
    .name = "cuda",
    .why = why,
    .n_devices = n_devices,
    .whose = whose,
    .identify = identify,
    .use = use,
    .alloc = alloc,
    .release = release,
    .host_alloc = host_alloc,
    .host_release = host_release,
    .lend = lend,
    .open = open,
    .close = close,
    .stream_create = stream_create,
    .stream_destroy = stream_destroy,
    .stream_query = stream_query,
    .stream_finish = stream_finish,
    .event_create = event_create,
    .event_destroy = event_destroy,
    .event_record = event_record,
    .stream_wait = stream_wait,
    .copy = copy,
    .copy_block = copy_block,
    .can_reduce = rpt__gpu_can_reduce,
    .reduce = reduce,
    .divide = divide,
};
