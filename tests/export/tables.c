/*
 * tables.c - all tests of exports
 */
#include "tables.h"

const char test_suite[] = "test_export";

const struct rpt_test *const test_tables[] = { reading_tests, encodings_tests,
                                               refusing_tests, NULL };
