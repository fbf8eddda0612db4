/*
 * kernel.h - combines vectors: to <- input 0 op input 1 op ...
 *
 * All inputs are read in one pass over memory, from the left; the result is
 * written once.  Kernels are compiled from one source for several instruction
 * sets; the best one that the processor has is used.  They give the same bits,
 * because none of them contracts or reorders.
 */
#ifndef RPT_COLLECTIVES_KERNEL_KERNEL_H
#define RPT_COLLECTIVES_KERNEL_KERNEL_H

#include <repartir/types.h>

#include <stddef.h>
#include <stdint.h>

/* n_inputs >= 1.  `to` is one of the inputs, or overlaps none. */
typedef void (*rpt_reduce_fn)(void *to, const void *const inputs[],
                              int n_inputs, size_t count);
/* data <- data / n, rounded as the type does. */
typedef void (*rpt_divide_fn)(void *data, size_t count, int n);
/* f32 to bf16, to the nearest, ties to even, NaN to NaN; and back. */
typedef void (*rpt_narrow_fn)(uint16_t *to, const float *from, size_t count);
typedef void (*rpt_widen_fn)(float *to, const uint16_t *from, size_t count);
/* As memcpy(), but past the caches; all of it is seen before a later store. */
typedef void (*rpt_stream_fn)(void *to, const void *from, size_t bytes);

enum { RPT_N_TYPES = RPT_TYPE_I64_I32 + 1, RPT_N_OPS = RPT_OP_MAX_INDEX + 1 };

/* One instruction set. */
struct rpt_kernels {
    size_t size; /* of this struct */
    const char *name;
    const char *summary;
    /* NULL where the type has no such operator.  An average is summed. */
    rpt_reduce_fn reduce[RPT_N_TYPES][RPT_N_OPS];
    rpt_divide_fn divide[RPT_N_TYPES];
    rpt_stream_fn stream;
    rpt_narrow_fn narrow;
    rpt_widen_fn widen;
};

/* Those that were built, the best one first; ends with NULL. */
extern const struct rpt_kernels *const rpt__kernel_table[];

/* Whether this processor can run them. */
int rpt__kernels_run_here(const struct rpt_kernels *kernels);
/* The best that can. */
const struct rpt_kernels *rpt__kernels(void);

#endif /* RPT_COLLECTIVES_KERNEL_KERNEL_H */
