/*
 * real.c - the devices of this machine, by librepartir-gpu
 */
#include "devices.h"

#include <stdlib.h>

const char *begin_devices(void)
{
    rpt_options_t *options = NULL;
    rpt_status_t status;

    if (rpt_options_create(&options) != RPT_OK ||
        rpt_options_set(options, "device.use", "yes") != RPT_OK ||
        rpt_options_set(options, "device.library",
                        getenv("BUILD_GPU_LIBRARY")) != RPT_OK) {
        return rpt_last_error_text();
    }
    status = rpt__device_look(options);
    rpt_options_destroy(options);
    return status == RPT_OK ? NULL : rpt_last_error_text();
}
