/*
 * table.c - every all-gather there is, in one place
 */
#include "collectives/algorithm/alone.h"
#include "collectives/algorithm/allgather/allgather.h"

const struct rpt_algorithm *const rpt__allgather_table[] = {
    &rpt__alone_gathered,
    &rpt__allgather_staged,
    &rpt__allgather_circulant,
    &rpt__allgather_ring,
    &rpt__allgather_two_level, /* nodes, or domains of one */
    &rpt__allgather_pulled,    /* one node, shared buffers */
    NULL,
};
