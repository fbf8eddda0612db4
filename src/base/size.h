/*
 * size.h - sums and products of sizes that say when they do not fit
 */
#ifndef RPT_BASE_SIZE_H
#define RPT_BASE_SIZE_H

#include <stdbool.h>
#include <stddef.h>

static inline bool rpt__size_add(size_t a, size_t b, size_t *sum_out)
{
    return !__builtin_add_overflow(a, b, sum_out);
}

static inline bool rpt__size_mul(size_t a, size_t b, size_t *product_out)
{
    return !__builtin_mul_overflow(a, b, product_out);
}

/* Next multiple of a power of two. */
static inline size_t rpt__size_align(size_t bytes, size_t alignment)
{
    return (bytes + alignment - 1) & ~(alignment - 1);
}

#endif /* RPT_BASE_SIZE_H */
