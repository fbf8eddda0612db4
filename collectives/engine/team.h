/*
 * team.h - a group as its collectives see it
 *
 * Who is near (shares memory), where flags stand, which runs wait.  Made at the
 * first collective of a group, without a message: ranks of a node meet in the
 * shared area under the number of the group.
 *
 * One run of a group goes on at a time; the others wait in its queue.  So flags
 * need one number for each rank, and it only grows.
 */
#ifndef RPT_COLLECTIVES_ENGINE_TEAM_H
#define RPT_COLLECTIVES_ENGINE_TEAM_H

#include "collectives/engine/slice.h"

#include <sys/queue.h>

struct rpt_run;
struct rpt_plan;
struct rpt_colls;

struct rpt_team {
    struct rpt_group *group;
    struct rpt_comm *comm;
    struct rpt_engine *engine;
    struct rpt_colls *colls; /* of the context */
    int rank;
    int size;
    int *places; /* of each rank among those near; -1: it is far */
    int *near;   /* ranks, by place                              */
    int n_near;  /* this one among them                          */
    bool one_node;
    int n_spins; /* looks at a flag before others get the core   */
    int n_yields;

    struct rpt_slice slice;
    int turn;            /* of the next run with flags                  */
    uint64_t flag;       /* all flags stand here when such a run begins */
    uint64_t free_at[2]; /* flags at this value: my block is free       */
    uint64_t seen_all;   /* all flags were seen at this value           */
    uint64_t n_runs;

    STAILQ_HEAD(, rpt_run) queue; /* under the lock */
    LIST_ENTRY(rpt_team) busy;    /* in colls, when the queue is not empty */
    _Atomic int n_queued;

    struct rpt_plan *cached; /* latest first */
    struct rpt_plan *last;   /* the latest one that is in no use */
    int n_cached;
};

/* Of a group, made when there is none.  Under the lock. */
rpt_status_t rpt__team_of(struct rpt_group *group, struct rpt_team **team_out);

/* A block of a rank that is near. */
static inline struct rpt_block_head *
rpt__team_block(const struct rpt_team *team, int turn, int rank)
{
    return rpt__slice_block(&team->slice, turn, team->places[rank]);
}

/* How far a near rank has come. */
static inline uint64_t rpt__team_flag_of(const struct rpt_team *team, int rank)
{
    uint64_t a = atomic_load_explicit(&rpt__team_block(team, 0, rank)->flag,
                                      memory_order_acquire);
    uint64_t b = atomic_load_explicit(&rpt__team_block(team, 1, rank)->flag,
                                      memory_order_acquire);

    return a > b ? a : b;
}

#endif /* RPT_COLLECTIVES_ENGINE_TEAM_H */
