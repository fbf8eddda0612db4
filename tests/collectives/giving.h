/*
 * giving.h - calls in which some ranks wait for nobody, and that do not fit
 */
#ifndef RPT_TESTS_COLLECTIVES_GIVING_H
#define RPT_TESTS_COLLECTIVES_GIVING_H

void who_waits_for_nobody_is_told_in_the_next_call(void);
void who_waits_for_some_is_told_in_the_next_call(void);
void who_gives_again_names_who_did_not_come(void);
void who_ends_a_call_knows_that_all_have_begun_the_one_before(void);
void every_second_call_by_messages_compares_what_ranks_call(void);

#endif /* RPT_TESTS_COLLECTIVES_GIVING_H */
