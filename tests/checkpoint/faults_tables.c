/*
 * faults_tables.c - tests where functions of libc fail and block
 */
#include "faults_tables.h"

const char test_suite[] = "test_checkpoint_faults";

const struct rpt_test *const test_tables[] = { opening_tests, meanwhile_tests,
                                               keeping_tests, no_memory_tests,
                                               NULL };
