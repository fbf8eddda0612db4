/*
 * reducing.h - reducers against a serial reference
 *
 * Each function is called by all ranks of a context.
 */
#ifndef RPT_TESTS_COLLECTIVES_REDUCING_H
#define RPT_TESTS_COLLECTIVES_REDUCING_H

#include <repartir.h>

void lists_of_every_shape(rpt_group_t *group);
void rounds_in_any_order(rpt_group_t *group);
void several_reducers_at_once(rpt_group_t *group);
void buckets_begin_before_the_wait(rpt_group_t *group);
void sums_as_bf16(rpt_group_t *group);
void special_numbers_as_bf16(rpt_group_t *group);
void marks_that_are_wrong(rpt_group_t *group);
void lists_that_differ(rpt_group_t *group);
void one_rank_that_cannot(rpt_group_t *group);
void one_rank_that_gives_up(rpt_group_t *group);

#endif /* RPT_TESTS_COLLECTIVES_REDUCING_H */
