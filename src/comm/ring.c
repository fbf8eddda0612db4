/*
 * ring.c - reserve by compare-and-swap, copy, publish
 *
 *        freed          read             reserved
 *   ......|--------------|################|......   (bytes ever, modulo size)
 *        head                              tail
 *
 * A record begins with a 64-bit word on a 64-byte boundary: 0 while it is not
 * published, else its length and a mark for "nothing here, go on at the start".
 * In free room the first word of every line is 0; the consumer restores that
 * before it frees, so a reserved record is unpublished by itself.
 *
 * Cost of a record: one compare-and-swap, one copy; the consumer writes one
 * word a line.  A producer reads `head` only when what it knows is too little.
 * A producer that dies between reserving and publishing stops the ring; the
 * job that both belong to is lost then anyway.
 */
#include "comm/ring.h"

#include "base/size.h"

#include <string.h>

enum { LINE = 64, WORD = 8, PUBLISHED = 1, SKIP = 2, MARK_BITS = 2 };

static _Atomic uint64_t *word_at(const struct rpt_ring *ring, uint64_t position)
{
    return (_Atomic uint64_t *)(void *)(ring->data +
                                        (position & (ring->bytes - 1)));
}

static uint64_t record_bytes(uint64_t payload_bytes)
{
    return rpt__size_align(WORD + payload_bytes, LINE);
}

void rpt__ring_view(struct rpt_ring *ring, struct rpt_ring_shared *shared,
                    void *data, size_t bytes)
{
    ring->shared = shared;
    ring->data = data;
    ring->bytes = bytes;
    ring->head = ring->freed = atomic_load(&shared->head);
}

size_t rpt__ring_limit(size_t ring_bytes)
{
    /* A record that does not fit before the end wastes less than its own
     * length, so twice its length must fit. */
    return ring_bytes / 2 - LINE;
}

/* Whether `bytes` fit behind tail.  An old tail may lie before head: then the
 * compare-and-swap fails, and this must not say "full". */
static bool has_room(struct rpt_ring *ring, uint64_t tail, uint64_t bytes)
{
    if ((int64_t)(tail + bytes - ring->head) <= (int64_t)ring->bytes) {
        return true;
    }
    ring->head = atomic_load(&ring->shared->head);
    return (int64_t)(tail + bytes - ring->head) <= (int64_t)ring->bytes;
}

bool rpt__ring_put(struct rpt_ring *ring, const void *start, size_t start_bytes,
                   const void *rest, size_t rest_bytes)
{
    uint64_t payload = start_bytes + rest_bytes, need = record_bytes(payload);
    uint64_t tail = atomic_load_explicit(&ring->shared->tail,
                                         memory_order_relaxed);
    uint64_t skip;
    char *to;

    do {
        uint64_t to_end = ring->bytes - (tail & (ring->bytes - 1));

        skip = need <= to_end ? 0 : to_end;
        if (!has_room(ring, tail, skip + need)) {
            return false;
        }
    } while (!atomic_compare_exchange_weak_explicit(
        &ring->shared->tail, &tail, tail + skip + need, memory_order_relaxed,
        memory_order_relaxed));
    if (skip > 0) {
        atomic_store_explicit(word_at(ring, tail),
                              skip << MARK_BITS | SKIP | PUBLISHED,
                              memory_order_release);
        tail += skip;
    }
    to = (char *)word_at(ring, tail) + WORD;
    memcpy(to, start, start_bytes);
    if (rest_bytes > 0) {
        memcpy(to + start_bytes, rest, rest_bytes);
    }
    atomic_store_explicit(word_at(ring, tail), payload << MARK_BITS | PUBLISHED,
                          memory_order_release);
    return true;
}

void rpt__ring_starve(struct rpt_ring *ring, unsigned bit)
{
    /* Sequentially consistent, as is the pair in rpt__ring_free(): either the
     * consumer sees the bit, or the producer's next try sees the room. */
    atomic_fetch_or(&ring->shared->starved, UINT64_C(1) << bit);
}

const void *rpt__ring_peek(struct rpt_ring *ring, size_t *bytes_out)
{
    uint64_t word = atomic_load_explicit(word_at(ring, ring->head),
                                         memory_order_acquire);

    if ((word & SKIP) != 0) {
        atomic_store_explicit(word_at(ring, ring->head), 0,
                              memory_order_relaxed);
        ring->head += word >> MARK_BITS;
        word = atomic_load_explicit(word_at(ring, ring->head),
                                    memory_order_acquire);
    }
    if (word == 0) {
        return NULL;
    }
    *bytes_out = word >> MARK_BITS;
    return (char *)word_at(ring, ring->head) + WORD;
}

void rpt__ring_pop(struct rpt_ring *ring)
{
    uint64_t word = atomic_load_explicit(word_at(ring, ring->head),
                                         memory_order_relaxed);
    uint64_t bytes = record_bytes(word >> MARK_BITS);

    for (uint64_t i = 0; i < bytes; i += LINE) {
        atomic_store_explicit(word_at(ring, ring->head + i), 0,
                              memory_order_relaxed);
    }
    ring->head += bytes;
}

uint64_t rpt__ring_free(struct rpt_ring *ring)
{
    if (ring->head != ring->freed) {
        ring->freed = ring->head;
        atomic_store(&ring->shared->head, ring->head);
    }
    if (atomic_load(&ring->shared->starved) == 0) {
        return 0;
    }
    return atomic_exchange(&ring->shared->starved, 0);
}
