/*
 * segment.h - the memory that the ranks of a node share
 *
 * For each of them a bell and an inbox ring, in one memfd.  Nothing is left
 * behind when all of them are gone, however they went.
 */
#ifndef RPT_COMM_SEGMENT_H
#define RPT_COMM_SEGMENT_H

#include "comm/area.h"
#include "comm/bell.h"
#include "comm/ring.h"

#include <repartir/base.h>

#include <stddef.h>
#include <stdint.h>

struct rpt_segment {
    int fd;
    char *base;
    size_t bytes;
    size_t ring_bytes;
    size_t area_bytes; /* of pieces (area.h); 0: there is no area */
    int n_ranks;
};

/* What another process must know to attach: plain data. */
struct rpt_segment_offer {
    uint64_t cookie;
    uint64_t bytes;
    uint64_t ring_bytes;
    uint64_t area_bytes;
    int32_t n_ranks;
    int32_t pid;
    int32_t fd; /* -1: there is no segment */
    int32_t unused;
};

/* ring_bytes is rounded up to a power of two; 0: bells only.  area_bytes 0: no
 * area; it is smaller, or there is none, where files may not be that large
 * (RLIMIT_FSIZE).  RPT_ERR_SYSTEM, RPT_ERR_OVERFLOW. */
rpt_status_t rpt__segment_create(int n_ranks, size_t ring_bytes,
                                 size_t area_bytes,
                                 struct rpt_segment *segment_out);
void rpt__segment_offer(const struct rpt_segment *segment,
                        struct rpt_segment_offer *offer_out);
/* From another process of the same user and host; RPT_ERR_SYSTEM when it
 * cannot be reached, or is not what was offered. */
rpt_status_t rpt__segment_attach(const struct rpt_segment_offer *offer,
                                 struct rpt_segment *segment_out);
/* Of one that was never made (all zero) too. */
void rpt__segment_release(struct rpt_segment *segment);

size_t rpt__segment_bell_offset(const struct rpt_segment *segment, int index);
struct rpt_bell *rpt__segment_bell(const struct rpt_segment *segment,
                                   int index);
/* A view of the inbox of a rank. */
void rpt__segment_ring(const struct rpt_segment *segment, int index,
                       struct rpt_ring *ring_out);
/* A view of the area; all zero when there is none. */
void rpt__segment_area(const struct rpt_segment *segment,
                       struct rpt_area *area_out);

#endif /* RPT_COMM_SEGMENT_H */
