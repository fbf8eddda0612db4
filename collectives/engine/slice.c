/*
 * slice.c - takes a slice of the node's shared memory for a group
 *
 * Blocks lie an odd number of cache lines apart, so that the flags of many
 * ranks do not meet in one set of a cache.
 */
#include "collectives/engine/slice.h"

#include "base/fence.h"
#include "base/size.h"
#include "topo/topo.h"

#include <string.h>

enum { LINE = 64, HEAD_BYTES = 4096, SKEW = 5 * LINE };

/* Ranks of several nodes may have one area: threads of a process do. */
static uint64_t name_of(struct rpt_comm *comm, uint64_t group_number)
{
    int node = rpt__map_node_of(rpt__comm_map(comm), rpt__comm_rank(comm));

    return rpt__area_name(RPT_AREA_SLICE, group_number, (uint64_t)node);
}

/* Slices of as many ranks and as large stages are alike. */
struct shape {
    struct rpt_area_kind kind; /* first */
    size_t n;
    size_t block;
};

/* No flag is raised, nobody sleeps; what is in stages does not matter. */
static void clean(void *piece, const struct rpt_area_kind *kind)
{
    const struct shape *shape = (const struct shape *)(const void *)kind;
    size_t short_bytes = shape->n * RPT_N_SHORT * RPT_SHORT_BLOCK;
    char *blocks = (char *)piece + HEAD_BYTES + short_bytes;

    memset(piece, 0, HEAD_BYTES + short_bytes);
    for (size_t i = 0; i < shape->n * RPT_N_LONG; i++) {
        memset(blocks + i * shape->block, 0, RPT_STAGE_OFFSET);
    }
}

static struct shape shape_of(int n, size_t stage_bytes)
{
    return (struct shape){
        { rpt__area_name(RPT_AREA_SLICE, (uint64_t)n, stage_bytes), clean },
        (size_t)n,
        rpt__size_align(RPT_STAGE_OFFSET + stage_bytes, 4096) + SKEW,
    };
}

void rpt__slice_take(struct rpt_slice *slice, struct rpt_comm *comm,
                     uint64_t group_number, int n, size_t stage_bytes)
{
    struct shape shape = shape_of(n, stage_bytes);
    size_t short_bytes = shape.n * RPT_N_SHORT * RPT_SHORT_BLOCK;
    size_t bytes = HEAD_BYTES + short_bytes +
                   shape.n * RPT_N_LONG * shape.block;
    void *piece = NULL;

    *slice = (struct rpt_slice){ .head = NULL };
    if (rpt__area_take_kind(rpt__comm_area(comm), name_of(comm, group_number),
                            bytes, n, &shape.kind, &piece) == RPT_OK) {
        char *blocks = (char *)piece + HEAD_BYTES;

        *slice = (struct rpt_slice){
            piece,       blocks,      blocks + short_bytes, shape.n,
            shape.block, stage_bytes, rpt__fence_register()
        };
        if (!slice->fences_lightly) {
            atomic_store(&slice->head->has_full_fences, 1);
        }
    }
}

void rpt__slice_drop(struct rpt_slice *slice, struct rpt_comm *comm,
                     uint64_t group_number)
{
    struct shape shape = shape_of((int)slice->n, slice->stage_bytes);

    rpt__area_drop_kind(rpt__comm_area(comm), name_of(comm, group_number),
                        slice->head != NULL ? &shape.kind : NULL);
    slice->head = NULL;
}
