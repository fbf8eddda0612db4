/*
 * tables.h - the tables of the files of tests
 */
#ifndef RPT_TESTS_EXPORT_TABLES_H
#define RPT_TESTS_EXPORT_TABLES_H

#include "made.h"

extern const struct rpt_test reading_tests[], encodings_tests[],
    refusing_tests[];

#endif /* RPT_TESTS_EXPORT_TABLES_H */
