/*
 * allocations.h - what a thread allocates, counted, and made to fail
 *
 * Only of objects that are linked into the program, by RPT_TEST_WRAP of
 * tests/local.mk: the linker leads their calls here.
 */
#ifndef RPT_TESTS_HARNESS_ALLOCATIONS_H
#define RPT_TESTS_HARNESS_ALLOCATIONS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* Of this thread, ever. */
extern _Thread_local unsigned rpt_test_n_allocated;

/* Allocations of this thread until one fails; 0: none does. */
extern _Thread_local unsigned rpt_test_fails_in;
/* Then all of this thread fail, until it is false again. */
extern _Thread_local bool rpt_test_fails_on, rpt_test_is_out;

/* The same of all threads together that are not in front, such as those which
 * the library makes. */
extern atomic_uint rpt_test_fails_behind;
extern _Thread_local bool rpt_test_is_in_front;

/* For json_set_alloc_funcs().  What jansson doubles, the buffer of its reader,
 * is had: without it some versions end the process (an assertion). */
void *rpt_test_json_malloc(size_t bytes);
void rpt_test_json_free(void *memory);

#endif /* RPT_TESTS_HARNESS_ALLOCATIONS_H */
