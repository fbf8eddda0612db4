/*
 * tables.c - the operations by name, and the algorithms of each
 */
#include "collectives/algorithm/algorithm.h"

const char *rpt_coll_name(rpt_coll_kind_t kind)
{
    switch (kind) {
#define RPT_COLL_CASE(name, value, text)                                       \
    case RPT_COLL_##name:                                                      \
        return text;
        RPT_COLL_LIST(RPT_COLL_CASE)
#undef RPT_COLL_CASE
    default:
        return "unknown";
    }
}

const struct rpt_algorithm *const *rpt__algorithms(rpt_coll_kind_t kind)
{
    static const struct rpt_algorithm *const *const tables[] = {
        [RPT_COLL_ALLREDUCE] = rpt__allreduce_table,
        [RPT_COLL_REDUCE] = rpt__reduce_table,
        [RPT_COLL_BROADCAST] = rpt__broadcast_table,
        [RPT_COLL_BARRIER] = rpt__barrier_table,
        [RPT_COLL_ALLGATHER] = rpt__allgather_table,
        [RPT_COLL_GATHER] = rpt__gather_table,
        [RPT_COLL_SCATTER] = rpt__scatter_table,
        [RPT_COLL_REDUCE_SCATTER] = rpt__reduce_scatter_table,
        [RPT_COLL_ALLTOALL] = rpt__alltoall_table,
        [RPT_COLL_SCAN] = rpt__scan_table,
        [RPT_COLL_EXSCAN] = rpt__exscan_table,
    };

    return tables[kind];
}
