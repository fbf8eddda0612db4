/*
 * ring.h - a byte ring in shared memory: many producers, one consumer
 *
 * Records are whole, come out in the order in which their room was reserved,
 * and lie contiguously, so that the consumer reads them where they are.  What
 * is read starts 8 bytes into a cache line.  Works across processes.
 */
#ifndef RPT_COMM_RING_H
#define RPT_COMM_RING_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The part that all see, zero at first.  Each word has its own cache line. */
struct rpt_ring_shared {
    alignas(64) _Atomic uint64_t tail;    /* bytes ever reserved              */
    alignas(64) _Atomic uint64_t head;    /* bytes ever freed                 */
    alignas(64) _Atomic uint64_t starved; /* producers that wait for room     */
};

/* One producer's, or the consumer's, view. */
struct rpt_ring {
    struct rpt_ring_shared *shared;
    char *data;     /* zero at first, aligned to 64 bytes                    */
    uint64_t bytes; /* a power of two                                        */
    uint64_t head;  /* producer: freed as far as known; consumer: read so far */
    uint64_t freed; /* consumer: freed so far                                */
};

void rpt__ring_view(struct rpt_ring *ring, struct rpt_ring_shared *shared,
                    void *data, size_t bytes);

/* Longest record (start and rest together) that always finds room one day. */
size_t rpt__ring_limit(size_t ring_bytes);

/* Producer: one record of two pieces; false when there is no room now. */
bool rpt__ring_put(struct rpt_ring *ring, const void *start, size_t start_bytes,
                   const void *rest, size_t rest_bytes);

/* Producer: asks to be told of room; then it must try once more before it
 * waits.  `bit` 0 … 63 says who asks. */
void rpt__ring_starve(struct rpt_ring *ring, unsigned bit);

/* Consumer: the next record, NULL when there is none. */
const void *rpt__ring_peek(struct rpt_ring *ring, size_t *bytes_out);
/* Consumer: done with the record that peek gave. */
void rpt__ring_pop(struct rpt_ring *ring);
/* Consumer: bytes that were popped and not freed yet. */
static inline uint64_t rpt__ring_held(const struct rpt_ring *ring)
{
    return ring->head - ring->freed;
}
/* Consumer: frees what was popped.  Gives the bits of those who asked. */
uint64_t rpt__ring_free(struct rpt_ring *ring);

#endif /* RPT_COMM_RING_H */
