/*
 * device_tables.c - all tests with devices that are none
 */
#include "device_tables.h"

const char test_suite[] = "test_checkpoint_device";

const struct rpt_test *const test_tables[] = { on_devices_tests,
                                               device_faults_tests, NULL };
