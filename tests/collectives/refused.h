/*
 * refused.h - tests of calls that no rank can make, of groups that go on
 */
#ifndef RPT_TESTS_COLLECTIVES_REFUSED_H
#define RPT_TESTS_COLLECTIVES_REFUSED_H

#include <repartir.h>

/* Ranks 0 and 1 of a job that is forced to pull, with private buffers. */
void refused_calls(rpt_context_t *context);

#endif /* RPT_TESTS_COLLECTIVES_REFUSED_H */
