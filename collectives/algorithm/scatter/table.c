/*
 * table.c - every scatter there is, in one place
 */
#include "collectives/algorithm/alone.h"
#include "collectives/algorithm/scatter/scatter.h"

const struct rpt_algorithm *const rpt__scatter_table[] = {
    &rpt__alone_scattered,
    &rpt__scatter_staged,
    &rpt__scatter_binomial,
    &rpt__scatter_linear,
    &rpt__scatter_pulled, /* one node, shared buffers */
    NULL,
};
