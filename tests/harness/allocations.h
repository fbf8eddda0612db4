/*
 * allocations.h - what a thread allocates, counted, and made to fail
 *
 * Only of objects that are linked into the program, by RPT_TEST_WRAP of
 * tests/local.mk: the linker leads their calls here.
 */
#ifndef RPT_TESTS_HARNESS_ALLOCATIONS_H
#define RPT_TESTS_HARNESS_ALLOCATIONS_H

/* Of this thread, ever. */
extern _Thread_local unsigned rpt_test_n_allocated;

/* Allocations of this thread until one fails; 0: none does. */
extern _Thread_local unsigned rpt_test_fails_in;

#endif /* RPT_TESTS_HARNESS_ALLOCATIONS_H */
