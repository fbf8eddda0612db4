/*
 * table.c - every exclusive scan there is, in one place
 */
#include "collectives/algorithm/alone.h"
#include "collectives/algorithm/exscan/exscan.h"

const struct rpt_algorithm *const rpt__exscan_table[] = {
    &rpt__alone_nothing,
    &rpt__exscan_staged,
    &rpt__exscan_doubling,
    &rpt__exscan_chain,
    NULL,
};
