/*
 * places.c - buffers on a device
 */
#include "devices.h"

#include "fixture.h"

#include <stdlib.h>

static const struct rpt_device_ops *ops(void)
{
    return rpt__device_gpu()->device;
}

void use_device(int device)
{
    int before = 0;

    CHECK(ops()->use(device, &before) == RPT_OK);
}

/* What is copied from or to pageable memory is there when this returns. */
static void copy(void *to, const void *from, size_t bytes)
{
    rpt_status_t status = bytes > 0 ? ops()->copy(NULL, to, from, bytes)
                                    : RPT_OK;

    while (status == RPT_OK && ops()->stream_query(NULL) == RPT_PENDING) {
    }
    CHECK(status == RPT_OK);
}

void *give_to_device(const void *data, size_t bytes)
{
    void *there = NULL;

    CHECK(ops()->alloc(bytes + 1, &there) == RPT_OK);
    if (there == NULL) {
        abort();
    }
    copy(there, data, bytes);
    return there;
}

void take_from_device(void *there, void *data, size_t bytes)
{
    copy(data, there, bytes);
    ops()->release(there);
}

const struct memory device_memory = { give_to_device, take_from_device };
