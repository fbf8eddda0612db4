/*
 * blocks.h - a vector cut into blocks, blocks cut into segments
 *
 *   count 11, n 4:   |0 1 2|3 4 5|6 7 8|9 10|      the first count % n blocks
 *                                                  are one element longer
 */
#ifndef RPT_COLLECTIVES_PATTERN_BLOCKS_H
#define RPT_COLLECTIVES_PATTERN_BLOCKS_H

#include <stddef.h>

struct rpt_range {
    size_t offset;
    size_t count;
};

/* Where block b of n begins; b = n: the end of the vector. */
static inline size_t rpt__block_start(size_t count, int n, int b)
{
    size_t extra = count % (size_t)n, i = (size_t)b;

    return count / (size_t)n * i + (i < extra ? i : extra);
}

/* Blocks first to end - 1. */
static inline struct rpt_range rpt__blocks(size_t count, int n, int first,
                                           int end)
{
    size_t start = rpt__block_start(count, n, first);

    return (struct rpt_range){ start, rpt__block_start(count, n, end) - start };
}

/* Block b of n of a range. */
static inline struct rpt_range rpt__blocks_of(struct rpt_range range, int n,
                                              int b)
{
    struct rpt_range block = rpt__blocks(range.count, n, b, b + 1);

    block.offset += range.offset;
    return block;
}

/* The part of a range from `from` on, of at most `most` elements. */
static inline struct rpt_range rpt__segment(struct rpt_range range, size_t from,
                                            size_t most)
{
    size_t left = range.count > from ? range.count - from : 0;

    return (struct rpt_range){ range.offset + from, left < most ? left : most };
}

static inline int rpt__modulo(int a, int n)
{
    return (a % n + n) % n;
}

#endif /* RPT_COLLECTIVES_PATTERN_BLOCKS_H */
