/*
 * table.c - the instruction sets, and which of them runs here
 */
#include "collectives/kernel/kernel.h"

#include <stdatomic.h>
#include <string.h>

extern const struct rpt_kernels rpt__kernels_generic;
#ifdef RPT_HAVE_X86_KERNELS
extern const struct rpt_kernels rpt__kernels_avx2, rpt__kernels_avx512;
#endif

const struct rpt_kernels *const rpt__kernel_table[] = {
#ifdef RPT_HAVE_X86_KERNELS
    &rpt__kernels_avx512, /* 64 bytes at a time  */
    &rpt__kernels_avx2,   /* 32 bytes            */
#endif
    &rpt__kernels_generic, /* what every processor of this kind has */
    NULL,
};

int rpt__kernels_run_here(const struct rpt_kernels *kernels)
{
#ifdef RPT_HAVE_X86_KERNELS
    if (kernels == &rpt__kernels_avx512) {
        return __builtin_cpu_supports("avx512f") &&
               __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512vl");
    }
    if (kernels == &rpt__kernels_avx2) {
        return __builtin_cpu_supports("avx2");
    }
#endif
    return kernels == &rpt__kernels_generic;
}

const struct rpt_kernels *rpt__kernels(void)
{
    static const struct rpt_kernels *_Atomic best;
    const struct rpt_kernels *found = atomic_load_explicit(
        &best, memory_order_relaxed);

    for (int i = 0; found == NULL; i++) {
        if (rpt__kernels_run_here(rpt__kernel_table[i])) {
            found = rpt__kernel_table[i];
            atomic_store_explicit(&best, found, memory_order_relaxed);
        }
    }
    return found;
}
