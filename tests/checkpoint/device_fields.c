/*
 * device_fields.c - the arrays of a state, in the memory of devices
 */
#include "device_fields.h"

#include "devices.h"

#include <stdio.h>
#include <stdlib.h>

const struct rpt_device_ops *device_ops(void)
{
    const char *why = rpt__device_gpu() == NULL ? begin_devices() : NULL;

    if (why != NULL) {
        fprintf(stderr, "no devices: %s\n", why);
        abort();
    }
    return rpt__device_gpu()->device;
}

/* ---- memory ---- */

static void copy(int device, void *to, const void *from, size_t bytes)
{
    int before = 0;

    CHECK(device_ops()->use(device, &before) == RPT_OK);
    CHECK(bytes == 0 || device_ops()->copy(NULL, to, from, bytes) == RPT_OK);
    CHECK(device_ops()->stream_finish(NULL) == RPT_OK);
    device_ops()->use(before, &before);
}

void device_write(int device, void *there, const void *data, size_t bytes)
{
    copy(device, there, data, bytes);
}

void device_read(int device, void *data, const void *there, size_t bytes)
{
    copy(device, data, there, bytes);
}

void *device_give(int device, const void *data, size_t bytes)
{
    void *there = NULL;
    int before = 0;

    CHECK(device_ops()->use(device, &before) == RPT_OK);
    if (!CHECK(device_ops()->alloc(bytes + 1, &there) == RPT_OK)) {
        abort();
    }
    device_ops()->use(before, &before);
    device_write(device, there, data, bytes);
    return there;
}

void device_release(int device, void *there)
{
    int before = 0;

    device_ops()->use(device, &before);
    device_ops()->release(there);
    device_ops()->use(before, &before);
}

/* ---- arrays ---- */

static size_t bytes_of(const rpt_checkpoint_array_t *a)
{
    size_t bytes = rpt_type_bytes(a->type);

    for (int d = 0; d < a->n_dims; d++) {
        bytes *= (size_t)a->memory_dims[d];
    }
    return bytes;
}

void twins_make(struct twins *t, const struct world *w, bool turned)
{
    state_make(&t->state, w->rank, w->size, turned);
    state_spoil(&t->state);
    for (int f = 0; f < N_FIELDS; f++) {
        const rpt_checkpoint_array_t *a = &t->state.fields[f];

        t->devices[f] = (w->rank + f) % device_ops()->n_devices() % 3;
        t->there[f] = device_give(t->devices[f], a->data, bytes_of(a));
    }
}

void twins_free(struct twins *t)
{
    for (int f = 0; f < N_FIELDS; f++) {
        device_release(t->devices[f], t->there[f]);
    }
    state_free(&t->state);
}

void twins_write(struct twins *t)
{
    for (int f = 0; f < N_FIELDS; f++) {
        const rpt_checkpoint_array_t *a = &t->state.fields[f];

        device_write(t->devices[f], t->there[f], a->data, bytes_of(a));
    }
}

void twins_read(struct twins *t)
{
    for (int f = 0; f < N_FIELDS; f++) {
        const rpt_checkpoint_array_t *a = &t->state.fields[f];

        device_read(t->devices[f], a->data, t->there[f], bytes_of(a));
    }
}

static void exchange(struct twins *t)
{
    for (int f = 0; f < N_FIELDS; f++) {
        void *data = t->state.fields[f].data;

        t->state.fields[f].data = t->there[f];
        t->there[f] = data;
    }
}

void twins_add(struct twins *t, rpt_checkpoint_t *checkpoint)
{
    exchange(t);
    state_add(&t->state, checkpoint);
    exchange(t);
}
