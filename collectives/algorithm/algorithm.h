/*
 * algorithm.h - a way to do a collective
 *
 * An algorithm builds the schedule of one rank from what all ranks know alike.
 * To add one: a file here, and a line in the operation's table.
 */
#ifndef RPT_COLLECTIVES_ALGORITHM_ALGORITHM_H
#define RPT_COLLECTIVES_ALGORITHM_ALGORITHM_H

#include "collectives/pattern/blocks.h"
#include "collectives/pattern/layout.h"
#include "collectives/schedule.h"

#include <repartir/coll.h>

/* One call, as a rank sees it.  Zeros where an operation has no such thing. */
struct rpt_case {
    int rank;
    int n_ranks;
    int root;
    size_t count;          /* elements of the vector, or of each block       */
    const size_t *counts;  /* of the block of each rank; NULL: count         */
    const size_t *starts;  /* n_ranks + 1: where blocks begin when nothing is
                              between them; NULL: multiples of count         */
    const size_t *offsets; /* where they are in the buffer; NULL: starts     */
    const size_t *out_counts;  /* all-to-all: blocks of the output           */
    const size_t *out_offsets; /* ... and where they are                     */
    size_t segment;     /* elements of a message, at least 1                */
    size_t stage_count; /* elements that a stage has room for               */
    bool commutative;   /* a op b = b op a                                  */
    bool one_node;      /* all ranks read each other's stages               */
    bool can_pull;      /* ... and each other's buffers                     */
    bool only_reads;    /* ... but does not write them                      */
    int n_across;       /* of the other ranks, those in another domain, for
                           the rank that has most of them                   */
    /* For schedules made of parts: by node; on one node, by domain.  NULL: one
     * node that is not divided. */
    const struct rpt_layout *layout;
    /* Of a group on several nodes. */
    bool node_has_stages;    /* the ranks of this node read each other's */
    size_t node_stage_count; /* room of a stage where there are some      */
    const struct rpt_model *model;
    size_t element_bytes;
};

/* What things cost, in seconds; see select/numbers.h. */
struct rpt_model {
    double step_s;        /* a step of a schedule                          */
    double flag_s;        /* from a raised flag to the rank that waits     */
    double copy_byte_s;   /* a byte copied inside a node                   */
    double reduce_byte_s; /* a byte of one more input of a reduction       */
    double message_s;     /* from a send to the receive, no bytes          */
    double byte_s;        /* a byte of a message                           */
    double across_flag_s; /* a flag of another domain, more than of the own */
    double across_byte_s; /* a byte that goes from domain to domain, more   */
};

struct rpt_algorithm {
    size_t size; /* of this struct */
    const char *name;
    const char *summary;
    /* The sum goes from the first rank to the last, whatever the layout, so
     * that the bits depend on nothing but the number of ranks. */
    bool in_rank_order;
    /* Whether it can do this case at all. */
    bool (*applies)(const struct rpt_case *c);
    /* Seconds, roughly; elements have `bytes` bytes. */
    double (*cost)(const struct rpt_case *c, const struct rpt_model *m,
                   size_t bytes);
    /* The schedule is empty, and applies() was true. */
    void (*build)(const struct rpt_case *c, struct rpt_schedule *schedule);
};

/* Each ends with NULL; the first that applies is the last resort. */
extern const struct rpt_algorithm *const rpt__allreduce_table[];
extern const struct rpt_algorithm *const rpt__reduce_table[];
extern const struct rpt_algorithm *const rpt__broadcast_table[];
extern const struct rpt_algorithm *const rpt__barrier_table[];
extern const struct rpt_algorithm *const rpt__allgather_table[];
extern const struct rpt_algorithm *const rpt__gather_table[];
extern const struct rpt_algorithm *const rpt__scatter_table[];
extern const struct rpt_algorithm *const rpt__reduce_scatter_table[];
extern const struct rpt_algorithm *const rpt__alltoall_table[];
extern const struct rpt_algorithm *const rpt__scan_table[];
extern const struct rpt_algorithm *const rpt__exscan_table[];

/* The table of an operation. */
const struct rpt_algorithm *const *rpt__algorithms(rpt_coll_kind_t kind);

/* All ranks of a node wait for each other, or for one, or it for all: a flag
 * goes into another domain once for each rank there. */
static inline double rpt__flags_cost(const struct rpt_case *c,
                                     const struct rpt_model *m)
{
    return m->flag_s + c->n_ranks * m->step_s + c->n_across * m->across_flag_s;
}

/* ... and with it so many bytes. */
static inline double rpt__across_cost(const struct rpt_case *c,
                                      const struct rpt_model *m, double bytes)
{
    return c->n_across * bytes * m->across_byte_s;
}

/* The block of rank r in a vector of blocks with nothing between them. */
static inline struct rpt_range rpt__packed(const struct rpt_case *c, int r)
{
    if (c->starts == NULL) {
        return (struct rpt_range){ (size_t)r * c->count, c->count };
    }
    return (struct rpt_range){ c->starts[r], c->counts[r] };
}

/* ... and where it is in the caller's buffer. */
static inline struct rpt_range rpt__block_of(const struct rpt_case *c, int r)
{
    struct rpt_range range = rpt__packed(c, r);

    if (c->offsets != NULL) {
        range.offset = c->offsets[r];
    }
    return range;
}

/* All blocks together. */
static inline size_t rpt__packed_count(const struct rpt_case *c)
{
    return c->starts != NULL ? c->starts[c->n_ranks]
                             : (size_t)c->n_ranks * c->count;
}

/* ... and all but one, in the mean where they differ. */
static inline double rpt__other_count(const struct rpt_case *c)
{
    double all = (double)rpt__packed_count(c);

    return all - all / c->n_ranks;
}

/* Elements of the vector of an operation, or of all its blocks; 0 when only a
 * rank knows its own. */
static inline size_t rpt__vector_count(rpt_coll_kind_t kind,
                                       const struct rpt_case *c)
{
    bool has_blocks = kind == RPT_COLL_ALLGATHER || kind == RPT_COLL_GATHER ||
                      kind == RPT_COLL_SCATTER || kind == RPT_COLL_ALLTOALL ||
                      kind == RPT_COLL_REDUCE_SCATTER;

    if (c->out_counts != NULL || kind == RPT_COLL_BARRIER) {
        return 0;
    }
    return has_blocks ? rpt__packed_count(c) : c->count;
}

#endif /* RPT_COLLECTIVES_ALGORITHM_ALGORITHM_H */
