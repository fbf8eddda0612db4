/*
 * gather.h - arrays whose rows are short are put together inside a node
 *
 * Where the blocks of a node's ranks together are a box, that box is cut anew
 * along its slowest dimension, a part for each of them, so that what a rank
 * writes are long runs of the file.  Every rank copies its block straight into
 * the parts of those who will write it, in memory that the node shares: the
 * copy that a save makes anyway.
 */
#ifndef RPT_IO_CHECKPOINT_GATHER_H
#define RPT_IO_CHECKPOINT_GATHER_H

#include "comm/comm.h"
#include "io/checkpoint/item.h"

/* One array. */
struct rpt_gathered {
    size_t item;
    struct rpt_box *boxes; /* that each rank of the node writes ...         */
    uint64_t *offsets;     /* ... and where in the memory its stream begins */
};

struct rpt_gather {
    int *ranks; /* of the group, on this node */
    int n_ranks;
    int me; /* index of this rank */
    struct rpt_gathered *list;
    size_t n;
    uint64_t bytes; /* of the memory */
    struct rpt_area *area;
    uint64_t name;
    char *memory; /* NULL: not taken */
};

/* Who is on this node. */
rpt_status_t rpt__gather_begin(struct rpt_gather *gather,
                               const struct rpt_group *group);
void rpt__gather_free(struct rpt_gather *gather);

/* Whether an array is gathered: then it is the last one of the list.  all: the
 * blocks of all ranks of the group.  The same answer on all ranks of a node. */
rpt_status_t rpt__gather_consider(struct rpt_gather *gather, size_t index,
                                  const struct rpt_item *item,
                                  const struct rpt_box *all, uint64_t row_bytes,
                                  bool *is_gathered_out);

/* The boxes that would be written if all nodes gathered that can: of a node, or
 * of a rank; hulls_out: room for one of each rank.  The same answer on all
 * ranks. */
rpt_status_t rpt__gather_hulls(const struct rpt_group *group,
                               const struct rpt_item *item,
                               const struct rpt_box *all,
                               struct rpt_box hulls_out[], size_t *n_out);
/* The same as rpt__gather_consider() for an array in chunks, which cut those
 * boxes and not the ranks' own: it is gathered where it can be, and cut between
 * chunks. */
rpt_status_t rpt__gather_chunks(struct rpt_gather *gather, size_t index,
                                const struct rpt_item *item,
                                const struct rpt_box *all,
                                const uint64_t chunk[], bool *is_gathered_out);

/* Takes the memory; count: the same on all ranks, another each time.
 * RPT_ERR_FULL, on all ranks of the node: there is none. */
rpt_status_t rpt__gather_take(struct rpt_gather *gather,
                              const struct rpt_group *group, uint64_t count);

/* What rank i of the node writes of this rank's block of array k: which box,
 * and the memory that it goes to.  False: nothing. */
bool rpt__gather_shares(const struct rpt_gather *gather, size_t k, int i,
                        const struct rpt_item *item,
                        struct rpt_box_memory *to_out,
                        struct rpt_box *shared_out);
/* Copies this rank's blocks to where they are written from, but for those on
 * devices (ferry.h).  All ranks of the node have done so before anybody
 * writes. */
void rpt__gather_copy(const struct rpt_gather *gather,
                      const struct rpt_items *items);

#endif /* RPT_IO_CHECKPOINT_GATHER_H */
