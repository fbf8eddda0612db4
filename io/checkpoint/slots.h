/*
 * slots.h - datasets that are compressed: chunks, and slots in the file
 *
 * A chunk is a box; all chunks of a dataset have the same extents, the last
 * ones of a dimension go beyond its end.  Chunk k, counted in row-major order,
 * has slot k: a place in the file as long as the worst case of the compression,
 * which HDF5 takes for the chunk.  What is written is the stream of zlib, from
 * the slot's begin; behind it is a hole.
 */
#ifndef RPT_IO_CHECKPOINT_SLOTS_H
#define RPT_IO_CHECKPOINT_SLOTS_H

#include "io/checkpoint/format.h"

/* Without runs; NULL: no memory. */
struct rpt_chunk_slots *rpt__chunk_slots_create(const struct rpt_dataset *set,
                                                const uint64_t chunk[]);
void rpt__chunk_slots_free(struct rpt_chunk_slots *slots);

/* Bytes of the file that a dataset has. */
uint64_t rpt__dataset_room(const struct rpt_dataset *set);
/* Chunks of a dataset with such chunks; UINT64_MAX: more than there are
 * numbers. */
uint64_t rpt__chunks_count(const struct rpt_dataset *set,
                           const uint64_t chunk[]);
/* Of a whole chunk, uncompressed; UINT64_MAX likewise. */
uint64_t rpt__chunk_bytes(const struct rpt_dataset *set,
                          const uint64_t chunk[]);

/* The chunks that a box touches, as a box in the grid of chunks. */
struct rpt_box rpt__chunk_grid(const struct rpt_dataset *set,
                               const struct rpt_box *box);
/* Chunk i of a box of the grid: its index in the dataset. */
uint64_t rpt__chunk_at(const struct rpt_dataset *set,
                       const struct rpt_box *grid, uint64_t i);
/* A chunk, whole: it may go beyond the end of the dataset. */
struct rpt_box rpt__chunk_box(const struct rpt_dataset *set, uint64_t k);
/* Whether a box begins and ends where chunks do, or the dataset. */
bool rpt__chunks_fit(const struct rpt_dataset *set, const struct rpt_box *box);

/* Where a slot begins in the file. */
uint64_t rpt__slot_offset(const struct rpt_chunk_slots *slots, uint64_t k);
/* Another slot, behind those that are there.  RPT_ERR_NOMEM */
rpt_status_t rpt__chunk_slots_add(struct rpt_chunk_slots *slots,
                                  uint64_t offset, uint64_t n);
/* Whether the runs are all the slots, in a file of so many bytes. */
bool rpt__chunk_slots_are_all(const struct rpt_chunk_slots *slots,
                              uint64_t file_bytes);
/* Whether no byte of the file belongs to two slots or datasets; each of them
 * lies in the file.  RPT_ERR_NOMEM */
rpt_status_t rpt__chunk_slots_are_apart(const struct rpt_dataset datasets[],
                                        size_t n, bool *ok_out);
/* The extents of datasets in the file, sorted; empty ones are left out. */
struct rpt_extent {
    uint64_t from;
    uint64_t bytes;
};
rpt_status_t rpt__extents_list(const struct rpt_dataset datasets[], size_t n,
                               struct rpt_extent **extents_out, size_t *n_out);

#endif /* RPT_IO_CHECKPOINT_SLOTS_H */
