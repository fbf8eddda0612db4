/*
 * chunks.h - chunks of compressed datasets, written, proven and read
 */
#ifndef RPT_IO_CHECKPOINT_CHUNKS_H
#define RPT_IO_CHECKPOINT_CHUNKS_H

#include "io/checkpoint/dir.h"
#include "io/checkpoint/slots.h"

/* ---- writing: pack.c ---- */

/* Where to, and what it has taken so far. */
struct rpt_pack_target {
    const struct rpt_dir *dir; /* for messages */
    int fd;                    /* of state.h5  */
    bool is_used; /* slots may have an older stream: what is behind the new one
                   * becomes a hole */
    const uint64_t *known; /* the words of what the next slots have; NULL   */
    uint64_t bytes;        /* written          */
    double pack_s;         /* in compression   */
    double hash_s;         /* in checksums     */
    double write_s;
};

/* Memory for a chunk, and zlib's; kept for many parts. */
struct rpt_packer;
rpt_status_t rpt__packer_create(int level, struct rpt_packer **out);
void rpt__packer_destroy(struct rpt_packer *packer);

/* Writes all chunks of a box that is cut where they are.  data: its elements;
 * words_out: of its section, two numbers a chunk. */
rpt_status_t rpt__pack_box(struct rpt_packer *packer,
                           struct rpt_pack_target *target,
                           const struct rpt_dataset *set,
                           const struct rpt_box *box, const char *data,
                           uint64_t words_out[]);

/* ---- reading: unpack.c ---- */

/* Proves slot k of a dataset: the first `stored` bytes have this checksum,
 * those behind are zeros.  `why` is NULL, or what is wrong: then
 * RPT_ERR_CORRUPT, nothing recorded. */
rpt_status_t rpt__slot_verify(const struct rpt_dir *dir, int fd,
                              const struct rpt_chunk_slots *slots, uint64_t k,
                              uint64_t stored, uint64_t hash,
                              const char **why_out);

/* Memory for a chunk, and zlib's; kept for many chunks. */
struct rpt_unpacker;
rpt_status_t rpt__unpacker_create(const struct rpt_dataset *set,
                                  struct rpt_unpacker **out);
void rpt__unpacker_destroy(struct rpt_unpacker *unpacker);

/* The elements of chunk k, whole.  data_out: of the unpacker, up to its next
 * call.  RPT_ERR_CORRUPT: the slot has no such chunk; RPT_ERR_IO */
rpt_status_t rpt__unpack_chunk(struct rpt_unpacker *unpacker,
                               const struct rpt_dir *dir, int fd,
                               const struct rpt_dataset *set, uint64_t k,
                               const char **data_out);
/* Elements of a box to memory that holds it. */
rpt_status_t rpt__unpack_box(const struct rpt_dir *dir, int fd,
                             const struct rpt_dataset *set,
                             const struct rpt_box *box,
                             const struct rpt_box_memory *memory);

#endif /* RPT_IO_CHECKPOINT_CHUNKS_H */
