/*
 * load.h - from the file of a verified checkpoint into the program's memory
 */
#ifndef RPT_IO_CHECKPOINT_LOAD_H
#define RPT_IO_CHECKPOINT_LOAD_H

#include "io/checkpoint/commit.h"
#include "io/checkpoint/item.h"

/* The dataset of a name, NULL: there is none. */
const struct rpt_dataset *rpt__dataset_find(const struct rpt_manifest *m,
                                            const char *name);

/* Whether all items can be filled from it, on n_ranks ranks: RPT_ERR_NOT_FOUND,
 * RPT_ERR_MISMATCH, RPT_ERR_UNSUPPORTED. */
rpt_status_t rpt__load_check(const struct rpt_manifest *m,
                             const struct rpt_items *items, int n_ranks);

/* Fills the items of a rank.  Not collective. */
rpt_status_t rpt__load(const struct rpt_opened *opened, struct rpt_items *items,
                       int rank, int n_ranks);

/* A box of a dataset into memory that has it. */
rpt_status_t rpt__load_box(const struct rpt_dir *dir, int fd,
                           const struct rpt_dataset *set,
                           const struct rpt_box *box,
                           const struct rpt_box_memory *memory);

/* Where the bytes of each rank begin in a blob, and where they end: an array of
 * ranks + 1, checked; to be freed. */
rpt_status_t rpt__load_begins(const struct rpt_opened *opened, int fd,
                              const struct rpt_dataset *set,
                              uint64_t **begins_out);

#endif /* RPT_IO_CHECKPOINT_LOAD_H */
