/*
 * by_kernel.h - tests of private buffers that the kernel reads
 */
#ifndef RPT_TESTS_COLLECTIVES_BY_KERNEL_H
#define RPT_TESTS_COLLECTIVES_BY_KERNEL_H

#include <repartir.h>

#include <stdbool.h>
#include <stdint.h>

/* Calls of a group in which the kernel has read. */
uint64_t n_by_kernel(rpt_group_t *group);
/* Whether all ranks of the job may read each other. */
bool all_may_read(void);

/* Large blocks of different sizes, some of them empty. */
void uneven_private_blocks(rpt_group_t *group);
/* Sums have the bits that they have with shared buffers. */
void same_bits(rpt_context_t *context);
/* The root's buffer cannot be read to its end. */
void buffer_that_ends_early(rpt_group_t *group);

#endif /* RPT_TESTS_COLLECTIVES_BY_KERNEL_H */
