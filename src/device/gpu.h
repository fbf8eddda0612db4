/*
 * gpu.h - what librepartir-gpu gives to librepartir
 *
 * A library of its own links CUDA and NCCL, and is opened when it is needed, so
 * that the same program starts where they are missing.  It knows nothing of
 * librepartir but its public headers: it gives tables of functions, and has no
 * state and no policy.
 *
 * Functions give RPT_OK, RPT_PENDING (not yet), or a failure, of which why()
 * has the text.  Memory, streams and events are those of the device that the
 * calling thread uses.
 */
#ifndef RPT_DEVICE_GPU_H
#define RPT_DEVICE_GPU_H

#include <repartir/base.h>
#include <repartir/types.h>

#include <stdbool.h>
#include <stddef.h>

enum {
    RPT_DEVICE_ID_BYTES = 16,     /* names a device, or a part of one */
    RPT_DEVICE_HANDLE_BYTES = 64, /* names memory to another process  */
    RPT_DEVICE_INPUTS_MAX = 32    /* of one reduction                 */
};

/* to <- inputs[0] op inputs[1] op ...; `to` may be one of them. */
struct rpt_device_reduction {
    void *to;
    const void *inputs[RPT_DEVICE_INPUTS_MAX];
    int n_inputs;
    size_t count;
    rpt_type_t type;
    rpt_op_t op; /* an average is summed */
};

/* Rows of bytes that lie apart, in slices of such rows; steps are bytes from
 * one to the next, those of slices whole rows. */
struct rpt_device_block {
    void *to;
    const void *from;
    size_t row_bytes, n_rows, n_slices;
    size_t to_row_step, to_slice_step;
    size_t from_row_step, from_slice_step;
};

struct rpt_device_ops {
    size_t size; /* of this struct */
    const char *name;
    /* Of the last failure in this thread. */
    const char *(*why)(void);

    int (*n_devices)(void);
    /* The device whose memory this is, -1: none, it is the host's. */
    int (*whose)(const void *address);
    rpt_status_t (*identify)(int device, char id_out[RPT_DEVICE_ID_BYTES]);
    /* This thread uses a device from now on; gives the one before. */
    rpt_status_t (*use)(int device, int *before_out);

    rpt_status_t (*alloc)(size_t bytes, void **memory_out);
    void (*release)(void *memory);
    /* Memory of the host that the device copies to and from by itself. */
    rpt_status_t (*host_alloc)(size_t bytes, void **memory_out);
    void (*host_release)(void *memory);

    /* Memory for another process of this node, which opens it. */
    rpt_status_t (*lend)(void *memory,
                         char handle_out[RPT_DEVICE_HANDLE_BYTES]);
    rpt_status_t (*open)(const char handle[RPT_DEVICE_HANDLE_BYTES],
                         void **memory_out);
    void (*close)(void *memory);

    /* NULL is the default stream of the program. */
    rpt_status_t (*stream_create)(void **stream_out);
    void (*stream_destroy)(void *stream);
    /* Whether all that was put into it is done. */
    rpt_status_t (*stream_query)(void *stream);
    rpt_status_t (*stream_finish)(void *stream); /* waits, without us */
    rpt_status_t (*event_create)(void **event_out);
    void (*event_destroy)(void *event);
    rpt_status_t (*event_record)(void *event, void *stream);
    /* What is put into the stream after this comes after the event. */
    rpt_status_t (*stream_wait)(void *stream, void *event);

    /* Put into a stream.  copy: host or device on either side. */
    rpt_status_t (*copy)(void *stream, void *to, const void *from,
                         size_t bytes);
    rpt_status_t (*copy_block)(void *stream,
                               const struct rpt_device_block *block);
    bool (*can_reduce)(rpt_type_t type, rpt_op_t op);
    rpt_status_t (*reduce)(void *stream,
                           const struct rpt_device_reduction *reduction);
    /* data <- data / n */
    rpt_status_t (*divide)(void *stream, void *data, size_t count,
                           rpt_type_t type, int n);
};

struct rpt_nccl_ops; /* collectives/nccl/ops.h */

struct rpt_gpu {
    size_t size;   /* of this struct        */
    int interface; /* RPT_GPU_INTERFACE      */
    const struct rpt_device_ops *device;
    const struct rpt_nccl_ops *nccl; /* NULL: it was built without */
};

/* To be raised with every change of these tables. */
#define RPT_GPU_INTERFACE 2

/* The only function that the library exports. */
typedef const struct rpt_gpu *rpt_gpu_open_fn(void);
#define RPT_GPU_OPEN "rpt_gpu_open"

#endif /* RPT_DEVICE_GPU_H */
