/*
 * table.c - every gather there is, in one place
 */
#include "collectives/algorithm/alone.h"
#include "collectives/algorithm/gather/gather.h"

const struct rpt_algorithm *const rpt__gather_table[] = {
    &rpt__alone_gathered,
    &rpt__gather_staged,
    &rpt__gather_binomial,
    &rpt__gather_linear,
    &rpt__gather_pulled, /* one node, shared buffers */
    NULL,
};
