/*
 * table.c - every scan there is, in one place
 */
#include "collectives/algorithm/alone.h"
#include "collectives/algorithm/scan/scan.h"

const struct rpt_algorithm *const rpt__scan_table[] = {
    &rpt__alone_vector,
    &rpt__scan_staged,
    &rpt__scan_doubling,
    &rpt__scan_chain,
    NULL,
};
