/*
 * slice.h - what the ranks of a group on one node share
 *
 *   | head | block of rank 0 | block of rank 1 | ... |     in turn 0
 *          | block of rank 0 | block of rank 1 | ... |     in turn 1
 *
 *   block   | flag | signature | short stage ...
 *           | 256 bytes further: stage ...
 *
 * Two blocks of each rank are used in turn, by one collective after another.
 * A stage of few bytes begins in the cache line of the flag, so that a short
 * collective moves one line from rank to rank.
 */
#ifndef RPT_COLLECTIVES_ENGINE_SLICE_H
#define RPT_COLLECTIVES_ENGINE_SLICE_H

#include "comm/comm.h"

#include <stdatomic.h>
#include <stdbool.h>

enum {
    RPT_STAGE_SHORT = 232, /* bytes of a stage behind the flag */
    RPT_STAGE_OFFSET = 256 /* of a longer one, in the block    */
};

/* What a call is, so that others can compare: 16 bytes. */
struct rpt_signature {
    uint64_t what; /* kind, operator, type, root */
    uint64_t size; /* count, or a hash of counts */
};

/* The first bytes of a block.  Only its rank writes it. */
struct rpt_block_head {
    _Atomic uint64_t flag;
    struct rpt_signature signature; /* of the call that raised the flag */
};

struct rpt_slice_head {
    _Atomic uint32_t n_sleeping; /* ranks to ring when a flag is raised */
    uint32_t unused[15];
};

struct rpt_slice {
    struct rpt_slice_head *head; /* NULL: the node has none */
    char *blocks;
    size_t block_bytes; /* from one block to the next            */
    size_t turn_bytes;  /* from the blocks of one turn to the other */
    size_t stage_bytes; /* of a long stage                       */
};

/* For a group with n ranks on this node.  Without memory for it the slice has
 * no head, on all of them. */
void rpt__slice_take(struct rpt_slice *slice, struct rpt_comm *comm,
                     uint64_t group_number, int n, size_t stage_bytes);
void rpt__slice_drop(struct rpt_slice *slice, struct rpt_comm *comm,
                     uint64_t group_number);

static inline struct rpt_block_head *
rpt__slice_block(const struct rpt_slice *slice, int turn, int place)
{
    return (struct rpt_block_head *)(void *)(slice->blocks +
                                             (size_t)turn * slice->turn_bytes +
                                             (size_t)place *
                                                 slice->block_bytes);
}

#endif /* RPT_COLLECTIVES_ENGINE_SLICE_H */
