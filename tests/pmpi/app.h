/*
 * app.h - what the files of the program share
 */
#ifndef RPT_TESTS_PMPI_APP_H
#define RPT_TESTS_PMPI_APP_H

#include "forms.h"

#include <CUnit/CUnit.h>

#include <mpi.h>

#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#define CHECK(condition) CU_ASSERT(condition)

extern int world_rank, world_size;
extern bool is_multiple;

/* Whether the shim stands in front of the MPI. */
bool has_shim(void);

/* MPI_STATUSES_IGNORE, of which gcc thinks with MPICH that it is too small. */
MPI_Status *statuses_ignored(void);

/* Ranks differ in n of a sum; with errors that return, each is told so in this
 * call or the next one. */
void a_wrong_call_is_told(int (*call)(const double in[], double out[], int n,
                                      MPI_Comm comm));

/* Files that are compiled for each form: reductions.c, moves.c, holes.c,
 * layouts.c. */
#define IN_ALL_FORMS(X)                                                        \
    X(reductions)                                                              \
    X(numbers)                                                                 \
    X(pairs)                                                                   \
    X(parts)                                                                   \
    X(others)                                                                  \
    X(moves)                                                                   \
    X(large)                                                                   \
    X(blocks)                                                                  \
    X(nothing)                                                                 \
    X(holes)                                                                   \
    X(blocks_with_holes)                                                       \
    X(layouts)

#define DECLARE(name)                                                          \
    void name(MPI_Comm comm);                                                  \
    void name##_started(MPI_Comm comm);                                        \
    void name##_persistent(MPI_Comm comm);                                     \
    void name##_large(MPI_Comm comm);                                          \
    void name##_large_started(MPI_Comm comm);                                  \
    void name##_large_persistent(MPI_Comm comm);
IN_ALL_FORMS(DECLARE)
#undef DECLARE

/* requests.c */
void a_started_call_needs_no_caller(void);
void a_started_call_waits_for_nobody(void);
void messages_go_on_while_ours_are_waited_for(void);
void a_wrong_call_is_told_in_its_status(void);
void wait_takes_requests_of_both_kinds(void);
void test_takes_requests_of_both_kinds(void);
void one_or_some_are_waited_for(void);
void requests_are_waited_for_in_any_order(void);
void a_status_may_be_asked_for(void);
void thousands_of_requests_leave_nothing(void);
void a_collective_cannot_be_cancelled(void);

/* lifetimes.c */
void a_communicator_may_be_freed_meanwhile(void);
void a_type_may_be_freed_meanwhile(void);
void a_request_may_be_freed_meanwhile(void);
void a_thread_may_wait_while_another_one_starts(void);
void persistent_requests_start_again(void);
void persistent_requests_stand_beside_others(void);
void persistent_requests_start_in_any_order(void);

/* missing.c */
void a_missing_rank_is_told_to_who_waits_or_asks(void);

/* failures.c */
void wait_and_test_tell_of_a_failure(void);
void a_failure_is_told_to_all_who_ask(void);
void any_tells_of_a_failure(void);
void some_tell_of_a_failure(void);
void all_tell_of_a_failure_when_all_are_over(void);
void a_failure_after_its_communicator_is_told_to_the_world(void);

/* endings.c */
void types_of_blocks_may_be_freed_meanwhile(void);
void a_persistent_request_outlives_its_communicator(void);
void a_persistent_request_may_be_freed_meanwhile(void);
void a_persistent_request_tells_once_that_it_failed(void);
void persistent_requests_start_again_as_they_end(void);
void types_and_communicators_leave_nothing(void);
/* Before MPI_Finalize, which ends what the program leaves; and after it. */
void leave_requests(void);
bool what_was_left_is_done(void);

/* large.c */
void large_counts_are_right(void);
void counts_of_both_kinds_match(void);
void places_may_be_above_int(void);
void counts_above_int_arrive(void);
void an_element_may_be_above_int(void);
void types_may_be_made_with_large_counts(void);
void a_wrong_large_call_is_told_to_the_error_handler(void);
void a_bad_argument_of_a_large_call_is_left_to_the_mpi(void);

/* attributes.c */
void a_delete_function_may_call_collectives(void);
void a_delete_function_may_run_beside_a_request(void);
void a_delete_function_may_free_a_communicator(void);
void threads_may_free_communicators(void);
void functions_of_a_living_one_may_call_collectives(void);
void finalize_may_call_collectives(void);

#endif /* RPT_TESTS_PMPI_APP_H */
