/*
 * faults_tables.h - the tables of the files of tests/test_checkpoint_faults,
 * where functions of libc fail and block
 */
#ifndef RPT_TESTS_CHECKPOINT_FAULTS_TABLES_H
#define RPT_TESTS_CHECKPOINT_FAULTS_TABLES_H

#include "world.h"

extern const struct rpt_test opening_tests[], meanwhile_tests[],
    keeping_tests[], no_memory_tests[];

#endif /* RPT_TESTS_CHECKPOINT_FAULTS_TABLES_H */
