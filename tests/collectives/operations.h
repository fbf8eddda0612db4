/*
 * operations.h - every collective operation against a serial reference
 *
 * Each function is called by all ranks of a context.  Elements are small whole
 * numbers, so that every order of a sum gives the same result.
 */
#ifndef RPT_TESTS_COLLECTIVES_OPERATIONS_H
#define RPT_TESTS_COLLECTIVES_OPERATIONS_H

#include <repartir.h>

/* Memory of another kind, for the buffers of calls. */
struct memory {
    void *(*give)(const void *data, size_t bytes); /* a copy there          */
    void (*take)(void *there, void *data, size_t bytes); /* back; released  */
};
/* Where buffers are from now on, but for operators of users and what is about
 * bits; NULL: where malloc() puts them. */
void operate_in(const struct memory *memory);

/* In what way a call is made. */
enum form { BLOCKING, STARTED, PLANNED, N_FORMS };

void every_operation(rpt_group_t *group);
void every_form_of_call(rpt_group_t *group);
void every_type_and_operator(rpt_group_t *group);
void logical_operators(rpt_group_t *group);
void operators_of_users(rpt_group_t *group);
void blocks_of_different_sizes(rpt_group_t *group);
void random_calls(rpt_group_t *group);
void several_groups_at_once(rpt_group_t *group);
void many_started_at_once(rpt_group_t *group);
void groups_come_and_go(rpt_group_t *group);
void all_ranks_have_the_same_bits(rpt_group_t *group);
void special_numbers(rpt_group_t *group);
/* A hash of results that must not depend on the layout. */
unsigned long long reproducible_bits(rpt_group_t *group);

#endif /* RPT_TESTS_COLLECTIVES_OPERATIONS_H */
