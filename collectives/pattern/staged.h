/*
 * staged.h - collectives of one node in which some put and others get
 *
 * In each round who has something to give puts a part of it into its stage and
 * raises its flag; who wants something waits for those flags and gets it.  Two
 * halves of the stage are used in turn, so that the next part is put while
 * slower ranks still get this one.
 */
#ifndef RPT_COLLECTIVES_PATTERN_STAGED_H
#define RPT_COLLECTIVES_PATTERN_STAGED_H

#include "collectives/algorithm/algorithm.h"

enum rpt_who {
    RPT_NOBODY,
    RPT_ROOT,
    RPT_ALL,
    RPT_LOWER /* the ranks below, who give to those above */
};

/* A round: elements `from` to `from + most` of each block (or of the vector),
 * at `half` in the stages. */
struct rpt_round {
    size_t from;
    size_t most;
    size_t half;
};

struct rpt_staged {
    enum rpt_who giver;
    enum rpt_who taker;
    bool in_blocks; /* a stage has a block for each other rank, not a vector */
    bool in_pieces; /* a long block is got while the rest of it is put */
    void (*put)(const struct rpt_case *c, struct rpt_schedule *schedule,
                struct rpt_round round);
    void (*get)(const struct rpt_case *c, struct rpt_schedule *schedule,
                struct rpt_round round);
};

/* Whether the stages do. */
bool rpt__staged_applies(const struct rpt_staged *staged,
                         const struct rpt_case *c);
void rpt__staged_build(const struct rpt_staged *staged,
                       const struct rpt_case *c, struct rpt_schedule *schedule);
/* About how long a call takes, in seconds; `bytes`: of an element. */
double rpt__staged_cost(const struct rpt_staged *staged,
                        const struct rpt_case *c, const struct rpt_model *m,
                        size_t bytes);

/* The part of a range that a round moves. */
static inline struct rpt_range rpt__part(struct rpt_range range,
                                         struct rpt_round round)
{
    return rpt__segment(range, round.from, round.most);
}

/* Where a giver has put the block of another rank: a stage in blocks has none
 * for its owner. */
static inline struct rpt_place rpt__staged_block(int giver, int taker,
                                                 struct rpt_round round)
{
    size_t k = (size_t)(taker > giver ? taker - 1 : taker);

    return rpt__stage(giver, round.half + k * round.most);
}

#endif /* RPT_COLLECTIVES_PATTERN_STAGED_H */
