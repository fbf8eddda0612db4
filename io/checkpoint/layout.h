/*
 * layout.h - where everything lies in the file of a checkpoint, and who writes
 * what
 *
 * Made when the items change, and kept: the next save of the same shape needs
 * no HDF5 call and no exchange of boxes.
 */
#ifndef RPT_IO_CHECKPOINT_LAYOUT_H
#define RPT_IO_CHECKPOINT_LAYOUT_H

#include "io/checkpoint/gather.h"
#include "io/checkpoint/item.h"
#include "io/hdf5/file.h"

#include "comm/comm.h"

/* The first datasets are the library's. */
enum { RPT_SET_ITERATION, RPT_SET_TIME, RPT_SET_RANKS, RPT_N_OWN_SETS };

/* Bytes of the file that HDF5 made for itself. */
struct rpt_raw {
    uint64_t offset;
    uint64_t bytes;
    char *data;
};

/* Where the bytes of a part come from. */
enum rpt_source_kind {
    RPT_FROM_ITEM,   /* an array or a value, `index` of the items  */
    RPT_FROM_BLOB,   /* a blob                                     */
    RPT_FROM_BEGINS, /* where its ranks begin                      */
    RPT_FROM_NOBODY, /* no rank has it: zeros in memory ...        */
    RPT_FROM_HOLE,   /* ... or in the file only                    */
    RPT_FROM_STAMP,  /* iteration, time, ...: `index` is the set   */
    RPT_FROM_RAW,    /* HDF5's own, `index` of raw                 */
    RPT_FROM_GATHER  /* `index` of the gathered arrays of the node */
};

struct rpt_source {
    enum rpt_source_kind kind;
    size_t index;
};

struct rpt_file_layout {
    struct rpt_dataset *datasets;
    size_t n_datasets;
    uint32_t *set_of;   /* of each item: its dataset                        */
    uint32_t *index_of; /* of each item: that with the begins of its blobs  */
    uint64_t **begins;  /* of each item: where each rank's blob begins      */
    size_t n_items;
    uint64_t file_bytes;
    struct rpt_part *parts;     /* what this rank writes ...           */
    struct rpt_source *sources; /* ... and where each part is from */
    size_t n_parts;
    struct rpt_gather gather;
    bool meets; /* ranks meet when all have copied: some nodes gather */
    uint64_t stream_bytes;     /* of its parts that lie in the stream     */
    bool has_holes;            /* some are no more than a hole            */
    uint64_t *section_offsets; /* of each rank, in blocks.xxh       */
    uint64_t *section_bytes;
    uint64_t blocks_bytes;
    int n_ranks;
    struct rpt_raw *raw; /* on rank 0 */
    size_t n_raw;
    int level;  /* of compression, 0: none                             */
    bool lacks; /* this node has no memory to put chunks together in   */
};

void rpt__file_layout_free(struct rpt_file_layout *layout);

/* How it is to be made. */
struct rpt_layout_wish {
    const struct rpt_hdf5_ops *hdf5; /* on rank 0                           */
    uint64_t row_bytes;  /* shorter rows are gathered on a node; 0: never    */
    uint64_t count;      /* of layouts so far                                */
    int level;           /* of compression, 0: none                          */
    bool gathers_chunks; /* of which ranks of a node have pieces            */
    bool needs_zeros;    /* what no rank has is in memory, too              */
};

/* Collective.  items: with the sizes of blobs.
 * All ranks fail when one does. */
rpt_status_t rpt__file_layout_make(struct rpt_group *group,
                                   const struct rpt_items *items,
                                   const struct rpt_layout_wish *wish,
                                   struct rpt_file_layout *layout_out);

/* ---- parts.c: who writes what ---- */

/* Collective: compares the blocks of all ranks; fills in the parts of this rank
 * but for raw ones. */
rpt_status_t rpt__file_layout_divide(struct rpt_group *group,
                                     const struct rpt_items *items,
                                     const struct rpt_layout_wish *wish,
                                     struct rpt_file_layout *layout);
/* A box of no elements is no part. */
rpt_status_t rpt__file_layout_add_part(struct rpt_file_layout *layout,
                                       uint32_t dataset,
                                       const struct rpt_box *box,
                                       struct rpt_source source);

/* ---- skeleton.c: the structure of the file ---- */

/* Fills in offsets, the length of the file and what HDF5 has written. */
rpt_status_t rpt__skeleton_make(const struct rpt_hdf5_ops *hdf5,
                                const struct rpt_items *items,
                                struct rpt_file_layout *layout);

#endif /* RPT_IO_CHECKPOINT_LAYOUT_H */
