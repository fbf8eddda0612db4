/*
 * transport.h - what carries packets between two ranks
 *
 * A transport moves packets of at most packet_bytes whole and in order, and
 * says "not now" rather than wait.  Messages, their fragments and their queues
 * stand above it (message.c), once for all transports.  All functions are
 * called under the engine's lock.  To add one: write its ops, list them in
 * table.c, and create it where a context is made.
 */
#ifndef RPT_COMM_TRANSPORT_H
#define RPT_COMM_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rpt_comm;
struct rpt_transport;

/* Travels in front of the bytes of each packet. */
struct rpt_packet {
    uint32_t source;      /* rank                                            */
    uint16_t tag;         /* enum rpt_tag                                    */
    uint16_t part;        /* 0: first packet of a message, 1: a further one  */
    uint64_t total_bytes; /* of the message                                  */
};

/* Most bytes behind the struct rpt_packet: 32 KiB, and what modules put in
 * front of theirs, so that a power of two leaves no packet of a few bytes. */
enum { RPT_PACKET_BYTES = 32 * 1024 + 256 };

struct rpt_transport_ops {
    size_t size;         /* of this struct                                   */
    const char *name;    /* what rpt__comm_transport() gives                 */
    const char *summary; /* one line                                         */
    bool (*reaches)(const struct rpt_transport *self, int rank);
    /* Takes a copy of a packet, or says "not now" (false).  In that case the
     * engine is woken when there may be room. */
    bool (*try_send)(struct rpt_transport *self, int rank,
                     const struct rpt_packet *packet, const void *data,
                     size_t bytes);
    /* Moves what can be moved, gives packets that came to
     * rpt__comm_packet(); the number of events. */
    int (*poll)(struct rpt_transport *self);
    /* When to poll although no bell rang; NULL: never. */
    double (*next_s)(struct rpt_transport *self);
    /* Whether nothing that was taken is still under way; NULL: always. */
    bool (*idle)(struct rpt_transport *self);
    void (*destroy)(struct rpt_transport *self);
};

/* Each transport's own struct begins with this one. */
struct rpt_transport {
    const struct rpt_transport_ops *ops;
    struct rpt_comm *comm;
    size_t packet_bytes; /* as RPT_PACKET_BYTES, for this transport */
};

extern const struct rpt_transport_ops rpt__transport_self;
extern const struct rpt_transport_ops rpt__transport_loopback;
extern const struct rpt_transport_ops rpt__transport_shm;
extern const struct rpt_transport_ops rpt__transport_mpi;

/* All transports, best first; NULL ends the table. */
enum { RPT_N_TRANSPORTS = 4 };
extern const struct rpt_transport_ops
    *const rpt__transport_table[RPT_N_TRANSPORTS + 1];

/* Called by transports: a packet came.  data is aligned to 8 bytes and is not
 * needed any more afterwards. */
void rpt__comm_packet(struct rpt_comm *comm, const struct rpt_packet *packet,
                      const void *data, size_t bytes);

#endif /* RPT_COMM_TRANSPORT_H */
