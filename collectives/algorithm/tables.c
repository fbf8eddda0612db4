/*
 * tables.c - the algorithms of each operation
 */
#include "collectives/algorithm/algorithm.h"

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
