/*
 * kernels.c - sums of vectors on a fake device, by the kernels of the host
 */
#include "fake.h"

#include "collectives/kernel/kernel.h"
#include "device/kernels.h"

#include <stdlib.h>

/* Whether kernels.cu has it. */
bool rpt__gpu_can_reduce(rpt_type_t type, rpt_op_t op)
{
    return type >= RPT_TYPE_I8 && type <= RPT_TYPE_F64 &&
           op <= RPT_OP_BIT_XOR && rpt__kernels()->reduce[type][op] != NULL;
}

static bool reduce(void *arg)
{
    const struct rpt_device_reduction *r = arg;
    size_t bytes = r->count * rpt_type_bytes(r->type);
    const void *inputs[RPT_DEVICE_INPUTS_MAX];

    for (int i = 0; i < r->n_inputs; i++) {
        inputs[i] = fake_reach(r->inputs[i], bytes);
    }
    rpt__kernels()->reduce[r->type][r->op](fake_reach(r->to, bytes), inputs,
                                           r->n_inputs, r->count);
    return true;
}

int rpt__gpu_reduce(void *stream, const struct rpt_device_reduction *reduction)
{
    struct rpt_device_reduction *copy = malloc(sizeof *copy);
    cudaError_t error;

    if (copy == NULL) {
        abort();
    }
    *copy = *reduction;
    fake_lock();
    error = fake_put(stream, reduce, copy);
    fake_unlock();
    return (int)error;
}

struct division {
    void *data;
    size_t count;
    rpt_type_t type;
    int n;
};

static bool divide(void *arg)
{
    const struct division *d = arg;
    void *data = fake_reach(d->data, d->count * rpt_type_bytes(d->type));

    rpt__kernels()->divide[d->type](data, d->count, d->n);
    return true;
}

int rpt__gpu_divide(void *stream, void *data, size_t count, rpt_type_t type,
                    int n)
{
    struct division *d = malloc(sizeof *d);
    cudaError_t error;

    if (d == NULL) {
        abort();
    }
    *d = (struct division){ data, count, type, n };
    fake_lock();
    error = fake_put(stream, divide, d);
    fake_unlock();
    return (int)error;
}
