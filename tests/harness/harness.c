/*
 * harness.c - runs a table of tests and counts
 */
#include "harness.h"

#include <CUnit/Basic.h>
#include <CUnit/TestRun.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
static const bool sanitized = true;
#else
static const bool sanitized = false;
#endif

static int this_rank;
static int (*any_rank)(int flag);
static bool skipped;
static const struct rpt_test *current;

void rpt_test_over_ranks(int rank, int (*any)(int flag))
{
    this_rank = rank;
    any_rank = any;
}

void rpt_test_skip(const char *reason)
{
    skipped = true;
    if (this_rank == 0) {
        printf("  skip: %s\n", reason);
    }
}

bool rpt_test_is_short(void)
{
    return getenv("RPT_TEST_SHORT") != NULL;
}

size_t rpt_test_heap_bytes(void)
{
    return sanitized ? 0 : mallinfo2().uordblks;
}

static void run_current(void)
{
    current->run();
}

static void print_failures(CU_pFailureRecord from)
{
    for (; from != NULL; from = from->pNext) {
        printf("  rank %d: %s:%u: %s\n", this_rank, from->strFileName,
               from->uiLineNumber, from->strCondition);
    }
}

/* Each test is a registry of its own, so that what failed is known at once. */
static bool run_one(const char *suite_name, const struct rpt_test *test)
{
    CU_pSuite suite;
    unsigned failed = 1;

    if (CU_initialize_registry() != CUE_SUCCESS) {
        return false;
    }
    current = test;
    suite = CU_add_suite(suite_name, NULL, NULL);
    if (suite != NULL && CU_add_test(suite, test->name, run_current) != NULL) {
        CU_run_all_tests();
        failed = CU_get_number_of_failures();
        print_failures(CU_get_failure_list());
    }
    CU_cleanup_registry();
    return failed == 0;
}

static bool wanted(const char *name, int argc, char *argv[])
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(name, argv[i]) == 0) {
            return true;
        }
    }
    return argc <= 1;
}

int rpt_test_main(const char *suite, const struct rpt_test tests[],
                  unsigned limit_s, int argc, char *argv[])
{
    int n_passed = 0, n_failed = 0, n_skipped = 0;

    setvbuf(stdout, NULL, _IOLBF, 0);
    for (const struct rpt_test *t = tests; t->name != NULL; t++) {
        bool failed;

        if (!wanted(t->name, argc, argv)) {
            continue;
        }
        alarm(limit_s);
        skipped = false;
        failed = !run_one(suite, t);
        if (any_rank != NULL) {
            failed = any_rank(failed) != 0;
            skipped = any_rank(skipped) != 0;
        }
        n_failed += failed;
        n_skipped += !failed && skipped;
        n_passed += !failed && !skipped;
        if (this_rank == 0) {
            printf("%s %s\n", failed ? "FAIL" : skipped ? "skip" : "ok  ",
                   t->name);
        }
    }
    if (this_rank == 0) {
        printf("== %s: %d passed, %d failed, %d skipped\n", suite, n_passed,
               n_failed, n_skipped);
    }
    return n_failed > 0 ? 1 : n_passed == 0 && n_skipped > 0 ? 77 : 0;
}
