/*
 * slice.h - what the ranks of a group on one node share
 *
 *   | head | short blocks of all ranks, turn 0 | turn 1 | ... turn 15 |
 *          | long blocks of all ranks, turn 16 | turn 17 |
 *
 *   short block   | flag | signature | stage of 32 bytes |
 *              or | flag | signature | ... a line further: stage of 256 bytes |
 *   long block    | flag | signature | exposed | ... 256 bytes further: stage |
 *
 * The blocks of a rank are used in turn, by one collective after another: short
 * ones where the stage is short, so that the shortest collectives move one line
 * from rank to rank, and who comes round to a block finds that nobody reads it.
 */
#ifndef RPT_COLLECTIVES_ENGINE_SLICE_H
#define RPT_COLLECTIVES_ENGINE_SLICE_H

#include "comm/comm.h"

#include <stdatomic.h>
#include <stdbool.h>

enum {
    RPT_STAGE_TINY = 32,    /* bytes of a stage in the flag's line      */
    RPT_STAGE_SHORT = 256,  /* ... behind it, in a short block          */
    RPT_SHORT_OFFSET = 64,  /* of that stage: lines are not cut in two  */
    RPT_STAGE_OFFSET = 256, /* of the stage in a long block             */
    RPT_MANY_RANKS = 16,    /* more than these have half the stage */
    RPT_SHORT_BLOCK = 512,  /* bytes                             */
    RPT_N_SHORT = 16,       /* turns with short blocks           */
    RPT_N_LONG = 2,         /* turns with long ones, behind them */
    RPT_N_TURNS = RPT_N_SHORT + RPT_N_LONG
};

/* In what a call is: its buffers are in the memory of devices. */
#define RPT_SIGNATURE_DEVICE UINT64_C(0x80)

/* What a call is, so that others can compare. */
struct rpt_signature {
    uint64_t what;    /* kind, operator, type, root                   */
    uint64_t size;    /* count, or a hash of counts                   */
    uint64_t history; /* a hash of all calls of the group before this; 0: it is
                         not known what the call is                   */
};

/* Of the first call of a group. */
#define RPT_HISTORY_FIRST UINT64_C(1)

static inline bool rpt__signature_is_call(struct rpt_signature a,
                                          struct rpt_signature b)
{
    return a.what == b.what && a.size == b.size;
}

static inline bool rpt__signature_is_same(struct rpt_signature a,
                                          struct rpt_signature b)
{
    return rpt__signature_is_call(a, b) && a.history == b.history;
}

/* The history of the call after this one. */
static inline uint64_t rpt__signature_next(struct rpt_signature s)
{
    uint64_t mixed = (s.history ^ s.what) * UINT64_C(0x9e3779b97f4a7c15);

    mixed = (mixed ^ mixed >> 29 ^ s.size) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed ^= mixed >> 32;
    return mixed != 0 ? mixed : RPT_HISTORY_FIRST;
}

/* The first bytes of a block.  Only its rank writes it. */
struct rpt_block_head {
    _Atomic uint64_t flag;
    /* The call that raised the flag; history 0: it is being written, or was
     * never. */
    _Atomic uint64_t what, size, history;
};

static inline void rpt__block_sign(struct rpt_block_head *block,
                                   struct rpt_signature s)
{
    atomic_store_explicit(&block->history, 0, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    atomic_store_explicit(&block->what, s.what, memory_order_relaxed);
    atomic_store_explicit(&block->size, s.size, memory_order_relaxed);
    atomic_store_explicit(&block->history, s.history, memory_order_release);
}

/* Known when its flag was seen, and the block is not free.  A rank that makes
 * other calls may write it any time: what it has written is whole, or history
 * is 0. */
static inline struct rpt_signature
rpt__block_signature(const struct rpt_block_head *block)
{
    uint64_t history = atomic_load_explicit(&block->history,
                                            memory_order_acquire);
    struct rpt_signature s = {
        atomic_load_explicit(&block->what, memory_order_relaxed),
        atomic_load_explicit(&block->size, memory_order_relaxed), history
    };

    atomic_thread_fence(memory_order_acquire);
    if (atomic_load_explicit(&block->history, memory_order_relaxed) !=
        history) {
        s.history = 0;
    }
    return s;
}

/* Behind the head of a long block: where the rank's buffers are. */
struct rpt_exposed {
    uint64_t input; /* comm/buffer.h; of private ones the address */
    uint64_t output;
    uint8_t is_open;    /* others can read them                  */
    uint8_t reads_all;  /* from here on as agree.h says          */
    uint8_t is_offered; /* the kernel may read them in this call */
    uint8_t way;        /* enum rpt_way: what this rank tries    */
    _Atomic int8_t failure; /* of the call here: its buffers may go; 0: none */
    uint32_t pid;
    float stored_s, kernel_s; /* how long calls like this took         */
    uint64_t word, word_at;   /* only until all have tried to read it  */
};

struct rpt_slice_head {
    _Atomic uint32_t n_sleeping; /* ranks to ring when a flag is raised */
    _Atomic uint32_t n_closed;   /* ranks that have closed others' stages in the
                                    memory of a device (device/stages.c) */
    _Atomic uint32_t has_full_fences; /* a rank cannot make heavy ones */
    uint32_t unused[13];
};

struct rpt_slice {
    struct rpt_slice_head *head; /* NULL: the node has none */
    char *short_blocks;
    char *long_blocks;
    size_t n;            /* ranks */
    size_t long_bytes;   /* from one long block to the next */
    size_t stage_bytes;  /* of a long stage */
    bool fences_lightly; /* as base/fence.h says, in this process */
};

/* Bytes of a stage in a group whose fullest node has so many ranks of it. */
static inline size_t rpt__stage_bytes(const rpt_options_t *options, int most)
{
    size_t bytes = rpt__option_size(options, RPT_OPT_COLL_STAGE_BYTES);

    return most > RPT_MANY_RANKS ? bytes / 2 : bytes;
}

/* For a group with n ranks on this node.  Without memory for it the slice has
 * no head, on all of them. */
void rpt__slice_take(struct rpt_slice *slice, struct rpt_comm *comm,
                     uint64_t group_number, int n, size_t stage_bytes);
void rpt__slice_drop(struct rpt_slice *slice, struct rpt_comm *comm,
                     uint64_t group_number);

static inline struct rpt_block_head *
rpt__slice_block(const struct rpt_slice *slice, int turn, int place)
{
    size_t row = (size_t)turn * slice->n + (size_t)place;

    return (struct rpt_block_head *)(void *)(turn < RPT_N_SHORT
                                                 ? slice->short_blocks +
                                                       row * RPT_SHORT_BLOCK
                                                 : slice->long_blocks +
                                                       (row - RPT_N_SHORT *
                                                                  slice->n) *
                                                           slice->long_bytes);
}

#endif /* RPT_COLLECTIVES_ENGINE_SLICE_H */
