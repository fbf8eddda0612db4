/*
 * harness.h - a table of tests, run by CUnit, with one line of counts
 *
 * A test is a function without arguments that uses CU_ASSERT…; its name is a
 * sentence.  The last line of every test program (and of every test script) is
 *
 *     == NAME: 3 passed, 0 failed, 1 skipped
 *
 * which ./quickstart check adds up.
 */
#ifndef RPT_TESTS_HARNESS_H
#define RPT_TESTS_HARNESS_H

#include <CUnit/CUnit.h>

#include <stdbool.h>
#include <stddef.h>

struct rpt_test {
    const char *name;
    void (*run)(void);
};

#define RPT_TEST(function) { #function, function }
#define RPT_TEST_END { NULL, NULL }

/* Runs the tests of a table that ends with RPT_TEST_END; the program is ended
 * by SIGALRM after limit_s seconds.  argv may name tests to run only these.
 * Gives the exit code: 0, 1 (a test failed), 77 (all were skipped). */
int rpt_test_main(const char *suite, const struct rpt_test tests[],
                  unsigned limit_s, int argc, char *argv[]);

/* Ends the running test as skipped: call it, then return. */
void rpt_test_skip(const char *reason);

/* Whether this is a run that leaves some of the many cases out, with
 * RPT_TEST_SHORT: in CI, with another compiler, MPI or sanitizer. */
bool rpt_test_is_short(void);

/* Bytes that the process has allocated; 0 under a sanitizer, which has an
 * allocator of its own. */
size_t rpt_test_heap_bytes(void);

/* For programs under mpirun: ranks other than 0 print nothing, and `any` says
 * whether a flag is set on any rank (an all-reduce with logical or), so that a
 * test passes when it passes on every rank.  Before rpt_test_main(). */
void rpt_test_over_ranks(int rank, int (*any)(int flag));

#endif /* RPT_TESTS_HARNESS_H */
