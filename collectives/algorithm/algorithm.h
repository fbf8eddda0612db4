/*
 * algorithm.h - a way to do a collective
 *
 * An algorithm builds the schedule of one rank from what all ranks know alike.
 * To add one: a file here, and a line in the operation's table.
 */
#ifndef RPT_COLLECTIVES_ALGORITHM_ALGORITHM_H
#define RPT_COLLECTIVES_ALGORITHM_ALGORITHM_H

#include "collectives/schedule.h"

struct rpt_case {
    int rank;
    int n_ranks;
    size_t count;       /* elements of the vector                           */
    size_t segment;     /* elements that travel at once, at least 1         */
    size_t stage_count; /* elements that a stage has room for               */
    bool commutative;   /* a op b = b op a                                  */
    bool one_node;      /* all ranks read each other's stages               */
};

struct rpt_algorithm {
    size_t size; /* of this struct */
    const char *name;
    const char *summary;
    /* Whether it can do this case at all. */
    bool (*applies)(const struct rpt_case *c);
    /* The schedule is empty, and applies() was true. */
    void (*build)(const struct rpt_case *c, struct rpt_schedule *schedule);
};

/* Ends with NULL. */
extern const struct rpt_algorithm *const rpt__allreduce_table[];

#endif /* RPT_COLLECTIVES_ALGORITHM_ALGORITHM_H */
