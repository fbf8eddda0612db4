/*
 * table.c - every all-to-all there is, in one place
 */
#include "collectives/algorithm/alone.h"
#include "collectives/algorithm/alltoall/alltoall.h"

const struct rpt_algorithm *const rpt__alltoall_table[] = {
    &rpt__alone_scattered,
    &rpt__alltoall_staged,
    &rpt__alltoall_pairwise,
    &rpt__alltoall_bruck,
    &rpt__alltoall_pulled, /* one node, shared buffers */
    NULL,
};
