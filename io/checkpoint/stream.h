/*
 * stream.h - what one rank writes in one save: its copy of the state, the
 * writing
 */
#ifndef RPT_IO_CHECKPOINT_STREAM_H
#define RPT_IO_CHECKPOINT_STREAM_H

#include "io/checkpoint/dir.h"
#include "io/checkpoint/layout.h"

/* The streams of all parts one after another; kept from save to save. */
struct rpt_stream {
    char *data;
    size_t capacity;
    void (*release)(void *data); /* NULL: free() does */
};

/* What is the same on all ranks and differs from save to save. */
struct rpt_stamp {
    uint64_t id;
    uint64_t iteration;
    double time_s;
    int32_t n_ranks;
};

void rpt__stream_free(struct rpt_stream *stream);

/* Room for the streams of a layout. */
rpt_status_t rpt__stream_reserve(struct rpt_stream *stream, uint64_t bytes);
/* Copies what this rank writes, but for items on devices (ferry.h); calls the
 * functions of blobs. */
rpt_status_t rpt__stream_take(struct rpt_stream *stream,
                              const struct rpt_items *items,
                              const struct rpt_file_layout *layout,
                              const struct rpt_stamp *stamp);
/* The bytes of part i, when at was 0 before part 0; NULL: a hole. */
const char *rpt__stream_part(const struct rpt_stream *stream,
                             const struct rpt_file_layout *layout, size_t i,
                             uint64_t *at);

/* Files that a rank writes to. */
struct rpt_target {
    const struct rpt_dir *dir; /* of the checkpoint, for messages */
    int state_fd;
    int blocks_fd;
    bool syncs;
    uint32_t n_files; /* that the program wrote on this rank */
    bool is_written;  /* state_fd has the data already: they are compared */
    bool is_used; /* state_fd has older data: slots, too */
    const uint64_t *known; /* its words, see below; NULL: not known         */
};

/* What it took, seconds. */
struct rpt_write_times {
    double hash_s;
    double write_s;
    double sync_s;
    double pack_s;  /* in compression           */
    uint64_t bytes; /* that were written        */
};

/* Room for the words of the section of this rank: the checksum of each block,
 * length and checksum of each chunk.  NULL: there is none.  Release with
 * free(). */
uint64_t *rpt__stream_words(const struct rpt_file_layout *layout);

/* Hashes, writes, syncs; then the section with its seal, and syncs that.
 * words: [out] of the section. */
rpt_status_t rpt__stream_write(const struct rpt_stream *stream,
                               const struct rpt_file_layout *layout, int rank,
                               uint64_t id, const struct rpt_target *target,
                               uint64_t words[],
                               struct rpt_write_times *times_out);

#endif /* RPT_IO_CHECKPOINT_STREAM_H */
