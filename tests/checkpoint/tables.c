/*
 * tables.c - all tests of checkpoints
 */
#include "tables.h"

const char test_suite[] = "test_checkpoint";

const struct rpt_test *const test_tables[] = {
    saving_tests,    restoring_tests,   damage_tests,  timing_tests,
    refusing_tests,  routing_tests,     leaving_tests, packing_tests,
    recycling_tests, chunks_tests,      level_tests,   level_mix_tests,
    erring_tests,    damage_more_tests, comma_tests,   NULL
};
