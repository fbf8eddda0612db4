/*
 * tables.h - the tables of the files of tests
 */
#ifndef RPT_TESTS_CHECKPOINT_TABLES_H
#define RPT_TESTS_CHECKPOINT_TABLES_H

#include "world.h"

extern const struct rpt_test saving_tests[], restoring_tests[], damage_tests[],
    timing_tests[], refusing_tests[], routing_tests[], leaving_tests[],
    recycling_tests[], packing_tests[], chunks_tests[], level_tests[],
    level_mix_tests[], erring_tests[], damage_more_tests[], comma_tests[];

#endif /* RPT_TESTS_CHECKPOINT_TABLES_H */
