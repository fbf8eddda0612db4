/*
 * buffers.h - tests of buffers that all ranks of a node can read
 */
#ifndef RPT_TESTS_COLLECTIVES_BUFFERS_H
#define RPT_TESTS_COLLECTIVES_BUFFERS_H

#include <repartir.h>

void shared_buffers(rpt_context_t *context);
void buffers_come_and_go(rpt_context_t *context);
/* With coll.gather.algorithm=pulled. */
void empty_parts_need_no_buffer(rpt_context_t *context);

#endif /* RPT_TESTS_COLLECTIVES_BUFFERS_H */
