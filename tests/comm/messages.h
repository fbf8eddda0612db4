/*
 * messages.h - what ranks do in tests, over any transport
 *
 * Each function is called by all ranks of a context, without the lock.
 */
#ifndef RPT_TESTS_COMM_MESSAGES_H
#define RPT_TESTS_COMM_MESSAGES_H

#include "comm/comm.h"

void all_sizes_from_all_to_all(struct rpt_comm *comm);
void many_small_messages_in_order(struct rpt_comm *comm);
void one_message_of_30_megabytes(struct rpt_comm *comm);
void one_message_of_300_megabytes(struct rpt_comm *comm);
void one_message_above_two_gigabytes(struct rpt_comm *comm);
void messages_without_a_function_are_kept(struct rpt_comm *comm);
void a_function_may_register_another(struct rpt_comm *comm);
/* Ends while messages are under way. */
void messages_on_the_way_at_the_end(struct rpt_comm *comm);
void a_rank_that_does_not_exist(struct rpt_comm *comm);

void splits_into_many_colours(struct rpt_comm *comm);
void groups_of_listed_ranks(struct rpt_comm *comm);
void exchanges_of_all_sizes(struct rpt_comm *comm);
void nobody_leaves_a_barrier_early(struct rpt_comm *comm);
void thousands_of_groups_leave_nothing(struct rpt_comm *comm);
void a_bad_colour_fails_on_all(struct rpt_comm *comm);

#endif /* RPT_TESTS_COMM_MESSAGES_H */
