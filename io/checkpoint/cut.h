/*
 * cut.h - which chunks a dataset is compressed in
 */
#ifndef RPT_IO_CHECKPOINT_CUT_H
#define RPT_IO_CHECKPOINT_CUT_H

#include "io/checkpoint/slots.h"

enum {
    RPT_CUT_SMALLEST = 64 << 10, /* of a dataset, and of a chunk; else they
                                  * stay in one piece                      */
    RPT_CUT_WANTED = 1 << 20,
    RPT_CUT_LARGEST = 4 << 20
};

/* Chunks that begin and end where all of the boxes do; empty ones count
 * nothing.  False: only chunks that are too small, or large, would do. */
bool rpt__cut_choose(const struct rpt_dataset *set,
                     const struct rpt_box boxes[], size_t n_boxes,
                     uint64_t chunk_out[]);

/* Gives a dataset slots for such chunks, or none when no chunks would do. */
rpt_status_t rpt__cut(struct rpt_dataset *set, const struct rpt_box boxes[],
                      size_t n_boxes);

#endif /* RPT_IO_CHECKPOINT_CUT_H */
