/*
 * box.h - rectangular parts of arrays of 1 to 8 dimensions
 *
 * A box is where it begins and how far it goes, in elements, row-major: the
 * last dimension runs fastest.  Its stream is its elements in that order.  All
 * that checkpoints move is the part that two boxes share: from a rank's memory
 * into a stream, from a stream into a file, and back.
 */
#ifndef RPT_IO_CHECKPOINT_BOX_H
#define RPT_IO_CHECKPOINT_BOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RPT_BOX_DIMS = 8 };

struct rpt_box {
    uint64_t start[RPT_BOX_DIMS];
    uint64_t count[RPT_BOX_DIMS];
};

/* A box of memory that holds elements of `bytes` bytes: where its first element
 * lies, and the box that the memory is as a whole. */
struct rpt_box_memory {
    void *data;
    struct rpt_box whole;
};

/* Elements; UINT64_MAX: more than there are numbers. */
uint64_t rpt__box_volume(const struct rpt_box *box, int n_dims);
bool rpt__box_is_empty(const struct rpt_box *box, int n_dims);
bool rpt__box_equals(const struct rpt_box *a, const struct rpt_box *b,
                     int n_dims);
/* False: they share nothing. */
bool rpt__box_shared(const struct rpt_box *a, const struct rpt_box *b,
                     int n_dims, struct rpt_box *shared_out);
/* Whether `inner` lies in `outer`; an empty one lies anywhere. */
bool rpt__box_holds(const struct rpt_box *outer, const struct rpt_box *inner,
                    int n_dims);
/* The smallest box with both; an empty one adds nothing. */
struct rpt_box rpt__box_hull(const struct rpt_box *a, const struct rpt_box *b,
                             int n_dims);
/* Part i of n of a box that is cut along its slowest dimension; where that has
 * fewer than n rows some parts are empty. */
struct rpt_box rpt__box_part(const struct rpt_box *box, int n_dims, int i,
                             int n);

/* Elements of `box` that follow each other in an array of these extents. */
uint64_t rpt__box_run(const struct rpt_box *box, const uint64_t dims[],
                      int n_dims);

/* How a box is copied: rows of bytes, in `n_outer` loops around them, the
 * slowest first. */
struct rpt_box_rows {
    char *to; /* of the first row */
    const char *from;
    uint64_t count[RPT_BOX_DIMS];
    size_t to_step[RPT_BOX_DIMS]; /* bytes from one to the next */
    size_t from_step[RPT_BOX_DIMS];
    size_t row_bytes;
    int n_outer;
};

/* Of a box that lies in both and is not empty; elements have `bytes` bytes. */
struct rpt_box_rows rpt__box_rows(const struct rpt_box_memory *to,
                                  const struct rpt_box_memory *from,
                                  const struct rpt_box *box, int n_dims,
                                  size_t bytes);

/* Copies a box that lies in both; of elements of `bytes` bytes. */
void rpt__box_copy(const struct rpt_box_memory *to,
                   const struct rpt_box_memory *from, const struct rpt_box *box,
                   int n_dims, size_t bytes);

/* ---- runs: a range of the stream of a box, as ranges of the array ---- */

struct rpt_box_walk {
    const struct rpt_box *box;
    const uint64_t *dims; /* of the array */
    int n_dims;
    uint64_t run; /* elements of a whole run */
    uint64_t at;  /* next element of the stream */
    uint64_t end;
};

/* Elements [from, end) of the stream. */
struct rpt_box_walk rpt__box_walk(const struct rpt_box *box,
                                  const uint64_t dims[], int n_dims,
                                  uint64_t from, uint64_t end);
/* The next run: its first element in the array, and how many.  False: that was
 * the last one. */
bool rpt__box_next(struct rpt_box_walk *walk, uint64_t *first_out,
                   uint64_t *n_out);

#endif /* RPT_IO_CHECKPOINT_BOX_H */
