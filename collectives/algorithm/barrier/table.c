/*
 * table.c - every barrier there is, in one place
 */
#include "collectives/algorithm/alone.h"
#include "collectives/algorithm/barrier/barrier.h"

const struct rpt_algorithm *const rpt__barrier_table[] = {
    &rpt__alone_nothing,
    &rpt__barrier_staged,
    &rpt__barrier_dissemination,
    &rpt__barrier_two_level, /* nodes, or domains of one */
    NULL,
};
