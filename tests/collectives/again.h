/*
 * again.h - calls like one of those before, by all ranks of a group
 */
#ifndef RPT_TESTS_COLLECTIVES_AGAIN_H
#define RPT_TESTS_COLLECTIVES_AGAIN_H

#include <repartir.h>

/* Those of a step, which comes again and again. */
void calls_by_turns(rpt_group_t *group);
/* Of all kinds, sizes and roots; some ranks give often, and run ahead. */
void calls_of_all_kinds(rpt_group_t *group);
/* One may get the number of another that is gone. */
void operators_one_after_another(rpt_group_t *group);
/* A large stage goes through the block, in a room that grows. */
void stages_move(rpt_group_t *group);

#endif /* RPT_TESTS_COLLECTIVES_AGAIN_H */
