/*
 * part.h - a collective of some of the ranks, as a part of a larger one
 *
 *      part 0   reduce to rank 0 of a node    | a0 a1 | b0 b1 b2 | c0 |
 *      part 1   all-reduce of these             a0      b0         c0
 *      part 2   broadcast in the node         | a0 a1 | b0 b1 b2 | c0 |
 *
 * A rank's parts go one after the other.  Each is done by the cheapest way for
 * its ranks; others may do theirs in another way, as those of a node without
 * shared memory.
 *
 * On one node the parts are those of its domains and of one rank of each.  All
 * of them raise the flags of the same block and read the same stages, so each
 * part has its own range of values and of the stage, as much as it needs where
 * it needs most: some domains are larger, and most ranks have no part among the
 * leaders.  A rank that raises less in a part passes the rest by.
 *
 *      values    1 ... 2 | 3 | 4 ... 6         stage   | part 0 | 1 | part 2 |
 *      leader    1     2   3   4     6
 *      another   1     2       4     6
 */
#ifndef RPT_COLLECTIVES_PATTERN_PART_H
#define RPT_COLLECTIVES_PATTERN_PART_H

#include "collectives/algorithm/algorithm.h"

typedef void (*rpt_parts_fn)(const struct rpt_case *c,
                             struct rpt_schedule *schedule);

/* Builds a schedule of parts; `parts` builds those that this rank has.  For
 * all: no rank is done before all have begun. */
void rpt__parts_build(const struct rpt_case *c, rpt_parts_fn parts,
                      bool for_all, struct rpt_schedule *schedule);

struct rpt_part {
    rpt_coll_kind_t kind;
    bool in_rooms;     /* flags and stages are shared with other parts     */
    struct rpt_case c; /* as a rank of the part sees it                */
    const int *ranks;  /* in the group, by rank of the part            */
    struct rpt_place input, output; /* where they begin                */
};

/* Of all ranks of this one's node (domain); through a share of each stage where
 * there are some: of a node there may be two such parts, of a domain two and
 * one among the leaders. */
struct rpt_part rpt__part_of_node(const struct rpt_case *c,
                                  rpt_coll_kind_t kind);

/* Of one rank of each node (domain); the array is kept until the part is
 * built. */
struct rpt_part rpt__part_of_leaders(const struct rpt_case *c,
                                     rpt_coll_kind_t kind, const int leaders[]);

/* Rank `place` of each node (domain); or the first, but the root in its own.
 * NULL: no memory, which the schedule says.  Released with free(). */
int *rpt__leaders(const struct rpt_case *c, int place,
                  struct rpt_schedule *schedule);
int *rpt__leaders_with_root(const struct rpt_case *c,
                            struct rpt_schedule *schedule);

/* Number: that of the part, the same on all ranks, upwards from 0. */
void rpt__part_build(const struct rpt_part *part, uint32_t number,
                     struct rpt_schedule *whole);

/* What parts cost on the largest node (domain), or among nodes, with a vector
 * of so many elements; the same on all ranks. */
double rpt__part_cost_of_node(const struct rpt_case *c,
                              const struct rpt_model *m, size_t bytes,
                              rpt_coll_kind_t kind, size_t count);
double rpt__part_cost_of_leaders(const struct rpt_case *c,
                                 const struct rpt_model *m, size_t bytes,
                                 rpt_coll_kind_t kind, size_t count);

/* Whether there are several nodes (domains), and some rank has neighbours. */
bool rpt__is_on_two_levels(const struct rpt_case *c);

/* Whether a reduction may be made node by node (domain by domain). */
bool rpt__may_add_nodes(const struct rpt_case *c);

#endif /* RPT_COLLECTIVES_PATTERN_PART_H */
