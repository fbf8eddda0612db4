/*
 * forbid.h - what a system may forbid, forbidden to this process by a filter
 */
#ifndef RPT_TESTS_HARNESS_FORBID_H
#define RPT_TESTS_HARNESS_FORBID_H

#include <stdbool.h>

/* To read other processes (process_vm_readv(2)): EPERM from now on, for good.
 * False: there are no such filters here. */
bool rpt_test_forbid_reads(void);

#endif /* RPT_TESTS_HARNESS_FORBID_H */
