/*
 * table.c - every reduce-scatter there is, in one place
 */
#include "collectives/algorithm/alone.h"
#include "collectives/algorithm/reduce_scatter/reduce_scatter.h"

const struct rpt_algorithm *const rpt__reduce_scatter_table[] = {
    &rpt__alone_scattered,
    &rpt__reduce_scatter_staged,
    &rpt__reduce_scatter_circulant,
    &rpt__reduce_scatter_direct,
    &rpt__reduce_scatter_pulled, /* one node, shared buffers */
    NULL,
};
