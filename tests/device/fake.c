/*
 * fake.c - devices that are not there (tests/fakes)
 */
#include "devices.h"

#include "device/tables.h"

const char *begin_devices(void)
{
    rpt__device_set(rpt_gpu_open());
    return NULL;
}
