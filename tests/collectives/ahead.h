/*
 * ahead.h - how far ranks get ahead of each other in calls by chance
 */
#ifndef RPT_TESTS_COLLECTIVES_AHEAD_H
#define RPT_TESTS_COLLECTIVES_AHEAD_H

#include <repartir.h>

enum { AHEAD_ELEMENTS = 40000 };

/* Calls, some of them late, other ones for another seed.  Buffers of
 * AHEAD_ELEMENTS each. */
void ahead_run(rpt_group_t *group, unsigned seed, double *in, double *out);

#endif /* RPT_TESTS_COLLECTIVES_AHEAD_H */
