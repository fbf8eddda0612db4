/*
 * table.c - every broadcast there is, in one place
 */
#include "collectives/algorithm/alone.h"
#include "collectives/algorithm/broadcast/broadcast.h"

const struct rpt_algorithm *const rpt__broadcast_table[] = {
    &rpt__alone_nothing,
    &rpt__broadcast_staged,
    &rpt__broadcast_binomial,
    &rpt__broadcast_scattered,
    &rpt__broadcast_two_level, /* nodes, or domains of one */
    &rpt__broadcast_pulled,    /* one node, shared buffers */
    NULL,
};
