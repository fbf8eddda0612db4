/*
 * devices.h - devices for tests: fake ones, or those of this machine
 *
 * fake.c and real.c begin; places.c is for both.
 */
#ifndef RPT_TESTS_DEVICE_DEVICES_H
#define RPT_TESTS_DEVICE_DEVICES_H

#include "operations.h"

#include "device/device.h"

/* NULL, or why there are none. */
const char *begin_devices(void);

/* This rank's device from now on; buffers of device_memory are there. */
void use_device(int device);
extern const struct memory device_memory;

/* Memory of the device, as the functions of device_memory do it. */
void *give_to_device(const void *data, size_t bytes);
void take_from_device(void *there, void *data, size_t bytes);

#endif /* RPT_TESTS_DEVICE_DEVICES_H */
