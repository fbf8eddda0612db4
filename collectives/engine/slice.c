/*
 * slice.c - takes a slice of the node's shared memory for a group
 *
 * Blocks lie an odd number of cache lines apart, so that the flags of many
 * ranks do not meet in one set of a cache.
 */
#include "collectives/engine/slice.h"

#include "base/size.h"
#include "topo/topo.h"

enum { LINE = 64, HEAD_BYTES = 4096, SKEW = 5 * LINE };

/* Ranks of several nodes may have one area: threads of a process do. */
static uint64_t name_of(struct rpt_comm *comm, uint64_t group_number)
{
    int node = rpt__map_node_of(rpt__comm_map(comm), rpt__comm_rank(comm));

    return rpt__area_name(RPT_AREA_SLICE, group_number, (uint64_t)node);
}

void rpt__slice_take(struct rpt_slice *slice, struct rpt_comm *comm,
                     uint64_t group_number, int n, size_t stage_bytes)
{
    size_t block = rpt__size_align(RPT_STAGE_OFFSET + stage_bytes, 4096) + SKEW;
    size_t short_bytes = (size_t)n * RPT_N_SHORT * RPT_SHORT_BLOCK;
    size_t bytes = HEAD_BYTES + short_bytes + (size_t)n * RPT_N_LONG * block;
    void *piece = NULL;

    *slice = (struct rpt_slice){ .head = NULL };
    if (rpt__area_take(rpt__comm_area(comm), name_of(comm, group_number), bytes,
                       n, &piece) == RPT_OK) {
        char *blocks = (char *)piece + HEAD_BYTES;

        *slice = (struct rpt_slice){ piece,     blocks, blocks + short_bytes,
                                     (size_t)n, block,  stage_bytes };
    }
}

void rpt__slice_drop(struct rpt_slice *slice, struct rpt_comm *comm,
                     uint64_t group_number)
{
    rpt__area_drop(rpt__comm_area(comm), name_of(comm, group_number));
    slice->head = NULL;
}
