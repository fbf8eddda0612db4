/*
 * shm.c - packets through the inbox rings of a segment: shm and loopback
 *
 * A packet is one record of the receiver's ring; then its bell is rung.  Who
 * finds the ring full leaves its bit there, and the receiver rings its bell
 * when it has made room.  Ranks of other processes (shm) and ranks that are
 * threads of this one (loopback) differ only in who made the segment.
 *
 * Cost: a copy into the ring; the handler reads it there.
 */
#include "comm/shm.h"

#include "comm/comm_priv.h"

#include "base/error.h"

#include <stdlib.h>

enum { BATCH = 64, BITS = 64 };

struct shm {
    struct rpt_transport base;
    struct rpt_shm_parts parts;
    struct rpt_ring inbox;
    struct rpt_ring out[]; /* by place; all zero until it is used */
};

static struct shm *shm_of(struct rpt_transport *transport)
{
    return (struct shm *)(void *)transport;
}

static int place_of(const struct rpt_shm_parts *parts, int rank)
{
    return parts->places != NULL ? parts->places[rank] : rank;
}

static bool reaches(const struct rpt_transport *transport, int rank)
{
    return place_of(&((const struct shm *)(const void *)transport)->parts,
                    rank) >= 0;
}

static bool is_closed(const struct shm *shm, int place)
{
    return shm->parts.closed != NULL &&
           atomic_load(&shm->parts.closed[place]) != 0;
}

/* Rings those whose bits are set; with more than 64 ranks some too many. */
static void ring_starved(const struct rpt_segment *segment, uint64_t bits)
{
    for (int i = 0; bits != 0 && i < segment->n_ranks; i++) {
        if ((bits >> (i % BITS) & 1) != 0) {
            rpt__bell_ring(rpt__segment_bell(segment, i));
        }
    }
}

static bool put_or_ask(struct shm *shm, int place,
                       const struct rpt_packet *packet, const void *data,
                       size_t bytes)
{
    struct rpt_ring *out = &shm->out[place];

    if (rpt__ring_put(out, packet, sizeof *packet, data, bytes)) {
        return true;
    }
    rpt__ring_starve(out, (unsigned)shm->parts.index % BITS);
    return rpt__ring_put(out, packet, sizeof *packet, data, bytes);
}

static bool try_send(struct rpt_transport *transport, int rank,
                     const struct rpt_packet *packet, const void *data,
                     size_t bytes)
{
    struct shm *shm = shm_of(transport);
    int place = place_of(&shm->parts, rank);

    if (shm->out[place].shared == NULL) {
        rpt__segment_ring(shm->parts.segment, place, &shm->out[place]);
    }
    if (is_closed(shm, place)) {
        return true;
    }
    if (!put_or_ask(shm, place, packet, data, bytes)) {
        /* Closed meanwhile: then nobody would ring us. */
        return is_closed(shm, place);
    }
    rpt__bell_ring(rpt__segment_bell(shm->parts.segment, place));
    return true;
}

static void make_room(struct shm *shm)
{
    uint64_t bits = rpt__ring_free(&shm->inbox);

    if (bits != 0) {
        ring_starved(shm->parts.segment, bits);
    }
}

static int poll(struct rpt_transport *transport)
{
    struct shm *shm = shm_of(transport);
    const struct rpt_packet *packet;
    size_t bytes;
    int n = 0;

    while (n < BATCH &&
           (packet = rpt__ring_peek(&shm->inbox, &bytes)) != NULL) {
        rpt__comm_packet(transport->comm, packet, packet + 1,
                         bytes - sizeof *packet);
        rpt__ring_pop(&shm->inbox);
        n++;
        if (rpt__ring_held(&shm->inbox) >= shm->inbox.bytes / 8) {
            make_room(shm);
        }
    }
    if (rpt__ring_held(&shm->inbox) > 0) {
        make_room(shm);
    }
    return n;
}

static void destroy(struct rpt_transport *transport)
{
    free(shm_of(transport));
}

const struct rpt_transport_ops rpt__transport_loopback = {
    .size = sizeof(struct rpt_transport_ops),
    .name = "loopback",
    .summary = "ranks that are threads of one process: rings in its memory",
    .reaches = reaches,
    .try_send = try_send,
    .poll = poll,
    .destroy = destroy,
};

const struct rpt_transport_ops rpt__transport_shm = {
    .size = sizeof(struct rpt_transport_ops),
    .name = "shm",
    .summary = "ranks of one node: rings in shared memory",
    .reaches = reaches,
    .try_send = try_send,
    .poll = poll,
    .destroy = destroy,
};

rpt_status_t rpt__shm_create(struct rpt_comm *comm,
                             const struct rpt_shm_parts *parts,
                             struct rpt_transport **transport_out)
{
    size_t n = (size_t)parts->segment->n_ranks;
    struct shm *shm = calloc(1, sizeof *shm + n * sizeof *shm->out);
    size_t quarter = parts->segment->ring_bytes / 4;

    if (shm == NULL) {
        return rpt__fail_nomem(sizeof *shm + n * sizeof *shm->out);
    }
    shm->base = (struct rpt_transport){ parts->ops, comm,
                                        quarter < RPT_PACKET_BYTES
                                            ? quarter
                                            : RPT_PACKET_BYTES };
    shm->parts = *parts;
    rpt__segment_ring(parts->segment, parts->index, &shm->inbox);
    *transport_out = &shm->base;
    return RPT_OK;
}

void rpt__shm_close(const struct rpt_segment *segment, int index,
                    _Atomic int *closed)
{
    struct rpt_ring ring;

    atomic_store(&closed[index], 1);
    rpt__segment_ring(segment, index, &ring);
    ring_starved(segment, atomic_exchange(&ring.shared->starved, 0));
}
