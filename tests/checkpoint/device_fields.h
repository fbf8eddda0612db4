/*
 * device_fields.h - the arrays of a state, in the memory of devices
 *
 * The state keeps its own memory, where it is filled and looked at; each array
 * has a twin on a device, and that is what a checkpoint is given.
 */
#ifndef RPT_TESTS_CHECKPOINT_DEVICE_FIELDS_H
#define RPT_TESTS_CHECKPOINT_DEVICE_FIELDS_H

#include "state.h"

#include "device/gpu.h"

struct twins {
    struct state state;
    void *there[N_FIELDS];
    int devices[N_FIELDS];
};

const struct rpt_device_ops *device_ops(void);

/* Memory of a device with what is at data. */
void *device_give(int device, const void *data, size_t bytes);
void device_write(int device, void *there, const void *data, size_t bytes);
void device_read(int device, void *data, const void *there, size_t bytes);
void device_release(int device, void *there);

/* As state_make(); arrays of a rank are on several devices, if there are. */
void twins_make(struct twins *twins, const struct world *world, bool turned);
void twins_free(struct twins *twins);
/* The arrays of the state to the devices, and back. */
void twins_write(struct twins *twins);
void twins_read(struct twins *twins);
/* As state_add(), with the arrays that are on devices. */
void twins_add(struct twins *twins, rpt_checkpoint_t *checkpoint);

#endif /* RPT_TESTS_CHECKPOINT_DEVICE_FIELDS_H */
