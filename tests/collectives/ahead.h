/*
 * ahead.h - how far ranks get ahead of each other in calls by chance
 */
#ifndef RPT_TESTS_COLLECTIVES_AHEAD_H
#define RPT_TESTS_COLLECTIVES_AHEAD_H

#include <repartir.h>

enum {
    AHEAD_ELEMENTS = 40000, /* of each buffer                              */
    AHEAD_N_ROOTED = 4,     /* kinds of calls: the first ones have a root, */
    AHEAD_N_GIVING = 7,     /* in these some ranks wait for nobody         */
    AHEAD_N_KINDS = 13
};

struct ahead_call {
    int kind;
    size_t count;
    int root;
    int empty; /* the rank that has nothing, where ranks may differ */
};

rpt_status_t ahead_call(rpt_group_t *group, struct ahead_call call, double *in,
                        double *out);

/* Calls, some of them late, other ones for another seed.  Who ends one knows
 * that all have begun the one before. */
void ahead_run(rpt_group_t *group, unsigned seed, double *in, double *out);

#endif /* RPT_TESTS_COLLECTIVES_AHEAD_H */
