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

#include "collectives/engine/agree.h"
#include "collectives/engine/look.h"
#include "collectives/engine/pace.h"
#include "collectives/engine/slice.h"
#include "collectives/pattern/layout.h"

#include <repartir/coll.h>

#include <sys/queue.h>

/* What a rank does in an operation: of each kind, as the root and else. */
enum { RPT_N_ROLES = 2 * (RPT_COLL_EXSCAN + 1) };

/* The last calls, so that what is told of them late can be compared.  One
 * thread begins runs, while the loop looks. */
enum { RPT_N_PAST = 16 };
/* The roots of a program, or the calls of a step. */
enum { RPT_N_RECENT = 4 };
struct rpt_past {
    _Atomic uint64_t number; /* of the run, from 1 on; 0: is being written */
    _Atomic uint64_t what, size, history;
};

/* A run whose flags can still be seen, in the blocks of its turn. */
struct rpt_trace {
    int turn;
    uint64_t flag; /* where flags stood before it: who is above is in it */
    uint64_t seq;
    struct rpt_signature signature;
    bool is_known; /* there was one, and not all are known to have been in it */
};

/* How a rank may end a run before all have begun it. */
enum rpt_ahead {
    RPT_AHEAD_NOT,
    RPT_AHEAD_BY_FLAGS, /* which the next run with flags can look for */
    RPT_AHEAD_BY_MESSAGES
};

struct rpt_run;
struct rpt_plan;
struct rpt_colls;
struct rpt_device_team;

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
    bool of_reducer;            /* the group was made for one          */
    struct rpt_layout *layout;  /* NULL: all ranks are on one node     */
    struct rpt_layout *domains; /* of these; NULL: nothing divides them */
    struct rpt_look look;

    size_t stage_bytes; /* of a rank, on every node */
    struct rpt_slice slice;
    unsigned n_short, n_long; /* runs that had a turn                   */
    uint64_t flag;            /* all flags stand here when such a run begins */
    int last_role;            /* of the last short run: see RPT_N_ROLES      */
    uint64_t free_at[RPT_N_TURNS]; /* flags here: my block is free */
    size_t stage_at[RPT_N_LONG]; /* where the next stage begins in the block */
    size_t stage_room[RPT_N_LONG]; /* they move through so many bytes   */
    struct rpt_pace paces[RPT_N_ROLES][RPT_N_PACES];
    struct rpt_probe probe;
    uint64_t seen_all; /* all flags were seen at this value           */
    struct rpt_trace latest; /* of the last run with flags */
    _Atomic uint64_t n_runs;
    uint64_t history; /* of the next run's signature */
    enum rpt_ahead ahead; /* of the last run */
    struct rpt_past past[RPT_N_PAST];

    STAILQ_HEAD(, rpt_run) queue; /* under the lock */
    LIST_ENTRY(rpt_team) all;     /* in colls */
    LIST_ENTRY(rpt_team) busy;    /* in colls, when the queue is not empty */
    _Atomic int n_queued;
    struct rpt_run *_Atomic lazy; /* the one run that is, or NULL */
    uint64_t lazy_seen;   /* number of the one that the loop saw last  */
    struct rpt_run *here; /* the one that sleeps in rpt__run_here(), or NULL */

    struct rpt_device_team *device; /* NULL: no call on device buffers yet */
    struct rpt_plan *cached;        /* latest first */
    int n_cached;
    /* Of the last blocking calls; in use by these. */
    struct rpt_plan *recent[RPT_N_RECENT];
    unsigned next_recent; /* where the next one comes */
};

/* Of a group, made when there is none.  Under the lock. */
rpt_status_t rpt__team_of(struct rpt_group *group, struct rpt_team **team_out);

/* Sets layout and domains; nodes.c. */
rpt_status_t rpt__team_find_nodes(struct rpt_team *team);

/* A block of a rank that is near. */
static inline struct rpt_block_head *
rpt__team_block(const struct rpt_team *team, int turn, int rank)
{
    return rpt__slice_block(&team->slice, turn, team->places[rank]);
}

static inline uint64_t rpt__team_flag_in(const struct rpt_team *team, int turn,
                                         int rank)
{
    return atomic_load_explicit(&rpt__team_block(team, turn, rank)->flag,
                                memory_order_acquire);
}

/* Whether runs are under way: another one must be queued.  A lazy one that is
 * queued counts before it is lazy no more. */
static inline bool rpt__team_is_busy(const struct rpt_team *team)
{
    return atomic_load_explicit(&team->lazy, memory_order_acquire) != NULL ||
           atomic_load_explicit(&team->n_queued, memory_order_acquire) > 0;
}

/* Of a run of this team, if it has begun not long ago. */
bool rpt__team_past(const struct rpt_team *team, uint64_t seq,
                    struct rpt_signature *signature_out);

/* How far a near rank has come; looks into all its blocks. */
uint64_t rpt__team_flag_of(const struct rpt_team *team, int rank);

#endif /* RPT_COLLECTIVES_ENGINE_TEAM_H */
