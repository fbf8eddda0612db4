/*
 * device_tables.h - the tables of tests with devices
 */
#ifndef RPT_TESTS_CHECKPOINT_DEVICE_TABLES_H
#define RPT_TESTS_CHECKPOINT_DEVICE_TABLES_H

#include "world.h"

extern const struct rpt_test on_devices_tests[], device_faults_tests[];

#endif /* RPT_TESTS_CHECKPOINT_DEVICE_TABLES_H */
