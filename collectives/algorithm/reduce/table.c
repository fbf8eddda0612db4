/*
 * table.c - every reduce there is, in one place
 */
#include "collectives/algorithm/alone.h"
#include "collectives/algorithm/reduce/reduce.h"

const struct rpt_algorithm *const rpt__reduce_table[] = {
    &rpt__alone_vector,
    &rpt__reduce_staged,
    &rpt__reduce_binomial,
    &rpt__reduce_scattered,
    &rpt__reduce_two_level, /* nodes, or domains of one */
    &rpt__reduce_linear,    /* the same bits in any layout */
    &rpt__reduce_pulled,    /* one node, shared buffers */
    NULL,
};
