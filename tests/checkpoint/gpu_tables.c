/*
 * gpu_tables.c - the tests that GPUs can do
 */
#include "device_tables.h"

const char test_suite[] = "test_gpu_checkpoint";

const struct rpt_test *const test_tables[] = { on_devices_tests, NULL };
