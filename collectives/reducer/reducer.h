/*
 * reducer.h - arrays in buckets, and the plan of each bucket
 *
 *   array --pack--> bucket --plan, in place--> bucket --unpack--> array
 *
 * Buckets begin in their order; behind each is a plan of the reducer's own
 * group, whose queue does the rest.
 */
#ifndef RPT_COLLECTIVES_REDUCER_REDUCER_H
#define RPT_COLLECTIVES_REDUCER_REDUCER_H

#include "collectives/plan.h"

#include <repartir/reducer.h>

struct rpt_bucket {
    size_t first;     /* its arrays: from here ... */
    size_t end;       /* ... to before here        */
    size_t count;     /* elements, at least one    */
    size_t n_parts;   /* arrays with elements                        */
    size_t n_missing; /* of these: not ready in this round           */
    void *memory;     /* where it is reduced                         */
    bool is_packed;   /* memory is the bucket's own                  */
    bool is_shared;   /* ... and the ranks of the node can read it   */
    bool is_running;  /* the plan is started, and not seen to be over */
    bool is_good;     /* it is over, and its result may be unpacked  */
    struct rpt_plan *plan;
};

struct rpt_part { /* an array */
    void *data;
    size_t count;
    size_t bucket; /* its index; of no meaning without elements */
    size_t offset; /* in the bucket, in elements                */
    bool is_ready;
};

struct rpt_reducer {
    struct rpt_comm *comm;
    struct rpt_group *group; /* its own */
    rpt_reducer_config_t config;
    rpt_type_t wire_type; /* of the plans */
    rpt_op_t wire_op;
    struct rpt_part *parts;
    size_t n_parts;
    struct rpt_bucket *buckets;
    size_t n_buckets;

    /* Of this round. */
    size_t n_ready;      /* parts                                      */
    size_t n_started;    /* buckets: the first ones                    */
    size_t n_over;       /* of these, the first ones that are over     */
    size_t n_early;      /* were started before the last part was ready */
    rpt_status_t status; /* the first failure ...                    */
    char what[1024];     /* ... and what was known about it          */
    char why[1024];
    char hint[1024];

    uint64_t n_rounds, n_early_ever, n_over_early; /* of good rounds */
    double wait_s;
};

/* Collective; under the lock. */
rpt_status_t rpt__reducer_create(struct rpt_group *group,
                                 const rpt_reducer_config_t *config,
                                 const rpt_reducer_array_t arrays[],
                                 size_t n_arrays,
                                 struct rpt_reducer **reducer_out);

/* These without the lock. */
rpt_status_t rpt__reducer_ready(struct rpt_reducer *reducer, size_t index);
void rpt__reducer_ready_all(struct rpt_reducer *reducer);
rpt_status_t rpt__reducer_test(struct rpt_reducer *reducer);
rpt_status_t rpt__reducer_wait(struct rpt_reducer *reducer);
void rpt__reducer_destroy(struct rpt_reducer *reducer);

rpt_reducer_stats_t rpt__reducer_stats(const struct rpt_reducer *reducer);
rpt_status_t rpt__reducer_explain(const struct rpt_reducer *reducer,
                                  char **text_out);

/* ---- divide.c ---- */

/* Fills parts and buckets from the list; no memory for elements, no plans. */
rpt_status_t rpt__reducer_divide(struct rpt_reducer *reducer,
                                 const rpt_reducer_array_t arrays[],
                                 size_t n_arrays);

/* ---- agree.c; collective, under the lock ---- */

/* Whether all ranks got so far (status: whether this one did), with the same
 * configuration (of reducer, which may be NULL where status is none) and the
 * same arrays.  What it gives is the same failure on all of them, but that a
 * rank which has failed gets its own status. */
rpt_status_t rpt__reducer_agree(struct rpt_group *group, rpt_status_t status,
                                const struct rpt_reducer *reducer,
                                const rpt_reducer_array_t arrays[],
                                size_t n_arrays);

/* ---- round.c ---- */

/* Buckets as they are before a round. */
void rpt__reducer_reset(struct rpt_reducer *reducer);

/* ---- pack.c ---- */

/* The values of an array into its bucket, and all results of a bucket back. */
void rpt__reducer_pack(const struct rpt_reducer *reducer,
                       const struct rpt_part *part);
void rpt__reducer_unpack(const struct rpt_reducer *reducer,
                         const struct rpt_bucket *bucket);

#endif /* RPT_COLLECTIVES_REDUCER_REDUCER_H */
