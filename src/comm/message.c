/*
 * message.c - from messages to packets and back
 *
 * Sending: packets go out until the transport says "not now"; what is left is
 * copied into the queue of the peer, and the loop pumps it later.  Receiving:
 * a message of one packet is handed on where it lies; one of several is put
 * together in memory of its own first.  A peer's packets come in order and its
 * messages do not mix, so one half-built message a peer is all there is.
 *
 * Cost: none beyond the transport's for a message of one packet that finds
 * room; one copy for each that does not, one for each of several packets.
 */
#include "comm/comm_priv.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

void rpt__queue_push(struct rpt_message_queue *queue,
                     struct rpt_message *message)
{
    if (queue->first == NULL) {
        queue->end = &queue->first;
    }
    message->next = NULL;
    *queue->end = message;
    queue->end = &message->next;
}

struct rpt_message *rpt__queue_pop(struct rpt_message_queue *queue)
{
    struct rpt_message *message = queue->first;

    if (message != NULL) {
        queue->first = message->next;
    }
    return message;
}

static void drop_queue(struct rpt_message_queue *queue)
{
    struct rpt_message *message;

    while ((message = rpt__queue_pop(queue)) != NULL) {
        free(message);
    }
}

void rpt__comm_drop_messages(struct rpt_comm *comm)
{
    for (int tag = 0; tag < RPT_N_TAGS; tag++) {
        drop_queue(&comm->handlers[tag].kept);
    }
    for (int r = 0; comm->peers != NULL && r < comm->size; r++) {
        drop_queue(&comm->peers[r].queue);
        free(comm->peers[r].partial);
    }
}

static struct rpt_message *make_message(int source, enum rpt_tag tag,
                                        const void *data, size_t bytes)
{
    struct rpt_message *message = NULL;

    if (bytes <= SIZE_MAX - sizeof *message) {
        message = malloc(sizeof *message + bytes);
    }
    if (message == NULL) {
        rpt__fail_nomem(bytes);
        return NULL;
    }
    message->source = source;
    message->tag = tag;
    message->total_bytes = message->bytes = bytes;
    message->sent_bytes = 0;
    if (bytes > 0) {
        memcpy(message->data, data, bytes);
    }
    return message;
}

/* ---- sending ---- */

struct rpt_peer *rpt__comm_peer(struct rpt_comm *comm, int rank)
{
    struct rpt_peer *peer = &comm->peers[rank];

    for (int i = 0; peer->transport == NULL && i < RPT_N_TRANSPORTS; i++) {
        struct rpt_transport *t = comm->transports[i];

        if (t != NULL && t->ops->reaches(t, rank)) {
            peer->transport = t;
        }
    }
    return peer;
}

/* Sends packets of data[bytes], the last bytes of a message, until all are out
 * or the transport has no room; true when all are. */
static bool send_packets(struct rpt_comm *comm, int dest,
                         struct rpt_packet *packet, const char *data,
                         size_t bytes, size_t *sent)
{
    struct rpt_transport *t = comm->peers[dest].transport;

    for (;;) {
        size_t left = bytes - *sent;
        size_t n = left < t->packet_bytes ? left : t->packet_bytes;

        packet->part = packet->total_bytes > left;
        if (!t->ops->try_send(t, dest, packet, data + *sent, n)) {
            return false;
        }
        *sent += n;
        if (n == left) {
            return true;
        }
    }
}

static rpt_status_t wait_in_queue(struct rpt_comm *comm, int dest,
                                  enum rpt_tag tag, const void *data,
                                  size_t bytes, size_t sent)
{
    struct rpt_peer *peer = &comm->peers[dest];
    struct rpt_message *message = make_message(
        comm->rank, tag, (const char *)data + sent, bytes - sent);

    if (message == NULL) {
        if (sent > 0) {
            /* The peer has the beginning of a message without an end. */
            rpt__engine_break(comm->engine, RPT_ERR_NOMEM);
        }
        return RPT_ERR_NOMEM;
    }
    message->total_bytes = bytes;
    if (peer->queue.first == NULL) {
        peer->next_waiting = comm->waiting;
        comm->waiting = peer;
        rpt__engine_ring(comm->engine);
    }
    rpt__queue_push(&peer->queue, message);
    peer->n_queued++;
    peer->backlog_bytes += bytes - sent;
    return RPT_OK;
}

rpt_status_t rpt__comm_send(struct rpt_comm *comm, int dest, enum rpt_tag tag,
                            const void *data, size_t bytes)
{
    struct rpt_packet packet = { (uint32_t)comm->rank, (uint16_t)tag, 0,
                                 bytes };
    rpt_status_t status;
    size_t sent = 0;

    if (data == NULL) {
        data = "";
    }
    if (dest < 0 || dest >= comm->size) {
        return rpt__fail(RPT_ERR_INVALID, "there is no rank %d of %d", dest,
                         comm->size);
    }
    status = rpt__engine_status(comm->engine);
    if (status != RPT_OK) {
        return status;
    }
    if (rpt__comm_peer(comm, dest)->queue.first == NULL &&
        send_packets(comm, dest, &packet, data, bytes, &sent)) {
        return RPT_OK;
    }
    return wait_in_queue(comm, dest, tag, data, bytes, sent);
}

/* True when nothing of the peer waits any more. */
static bool pump_peer(struct rpt_comm *comm, struct rpt_peer *peer, int *events)
{
    int dest = (int)(peer - comm->peers);
    struct rpt_message *message;

    while ((message = peer->queue.first) != NULL) {
        struct rpt_packet packet = { (uint32_t)comm->rank,
                                     (uint16_t)message->tag, 0,
                                     message->total_bytes };
        size_t before = message->sent_bytes;
        bool all = send_packets(comm, dest, &packet, message->data,
                                message->bytes, &message->sent_bytes);

        peer->backlog_bytes -= message->sent_bytes - before;
        *events += all || message->sent_bytes > before;
        if (!all) {
            return false;
        }
        free(rpt__queue_pop(&peer->queue));
        peer->n_unqueued++;
    }
    return true;
}

int rpt__comm_pump(struct rpt_comm *comm)
{
    struct rpt_peer **link = &comm->waiting;
    int events = 0;

    while (*link != NULL) {
        if (pump_peer(comm, *link, &events)) {
            *link = (*link)->next_waiting;
        } else {
            link = &(*link)->next_waiting;
        }
    }
    return events;
}

uint64_t rpt__comm_mark(const struct rpt_comm *comm, int dest)
{
    return comm->peers[dest].n_queued;
}

bool rpt__comm_is_past(const struct rpt_comm *comm, int dest, uint64_t mark)
{
    return comm->peers[dest].n_unqueued >= mark;
}

size_t rpt__comm_backlog(const struct rpt_comm *comm, int dest)
{
    return dest >= 0 && dest < comm->size ? comm->peers[dest].backlog_bytes : 0;
}

/* ---- receiving ---- */

static void hand_on(struct rpt_comm *comm, int source, enum rpt_tag tag,
                    const void *data, size_t bytes)
{
    struct rpt_handler *handler = &comm->handlers[tag];
    struct rpt_message *message;

    if (handler->fn != NULL && handler->kept.first == NULL) {
        handler->fn(handler->user, source, data, bytes);
        return;
    }
    message = make_message(source, tag, data, bytes);
    if (message == NULL) {
        rpt__engine_break(comm->engine, RPT_ERR_NOMEM);
        return;
    }
    rpt__queue_push(&handler->kept, message);
}

static void bad_packet(struct rpt_comm *comm, const struct rpt_packet *packet)
{
    rpt__fail(RPT_ERR_INTERNAL,
              "a packet of rank %u with tag %u, part %u makes no sense",
              packet->source, packet->tag, packet->part);
    rpt__engine_break(comm->engine, RPT_ERR_INTERNAL);
}

static void add_part(struct rpt_comm *comm, const struct rpt_packet *packet,
                     const void *data, size_t bytes)
{
    struct rpt_peer *peer = &comm->peers[packet->source];

    if ((packet->part == 0) != (peer->partial == NULL) ||
        bytes > packet->total_bytes - peer->partial_bytes) {
        bad_packet(comm, packet);
        return;
    }
    if (packet->part == 0) {
        peer->partial = malloc(packet->total_bytes);
        if (peer->partial == NULL) {
            rpt__fail_nomem(packet->total_bytes);
            rpt__engine_break(comm->engine, RPT_ERR_NOMEM);
            return;
        }
    }
    memcpy(peer->partial + peer->partial_bytes, data, bytes);
    peer->partial_bytes += bytes;
    if (peer->partial_bytes == packet->total_bytes) {
        char *whole = peer->partial;

        peer->partial = NULL;
        peer->partial_bytes = 0;
        hand_on(comm, (int)packet->source, (enum rpt_tag)packet->tag, whole,
                packet->total_bytes);
        free(whole);
    }
}

void rpt__comm_packet(struct rpt_comm *comm, const struct rpt_packet *packet,
                      const void *data, size_t bytes)
{
    if (packet->source >= (uint32_t)comm->size || packet->tag >= RPT_N_TAGS) {
        bad_packet(comm, packet);
    } else if (bytes == packet->total_bytes && packet->part == 0) {
        hand_on(comm, (int)packet->source, (enum rpt_tag)packet->tag, data,
                bytes);
    } else {
        add_part(comm, packet, data, bytes);
    }
}

rpt_status_t rpt__comm_handle(struct rpt_comm *comm, enum rpt_tag tag,
                              rpt_am_fn fn, void *user)
{
    if ((int)tag < 0 || tag >= RPT_N_TAGS) {
        return rpt__fail(RPT_ERR_INVALID, "there is no tag %d", (int)tag);
    }
    comm->handlers[tag].fn = fn;
    comm->handlers[tag].user = user;
    if (fn != NULL && comm->handlers[tag].kept.first != NULL) {
        /* By the loop, not here: the caller may not be ready for them. */
        comm->kept_wanted = true;
        rpt__engine_ring(comm->engine);
    }
    return RPT_OK;
}

static int hand_on_kept(struct rpt_comm *comm)
{
    int n = 0;

    comm->kept_wanted = false;
    for (int tag = 0; tag < RPT_N_TAGS; tag++) {
        struct rpt_handler *handler = &comm->handlers[tag];

        while (handler->fn != NULL && handler->kept.first != NULL) {
            struct rpt_message *message = rpt__queue_pop(&handler->kept);

            handler->fn(handler->user, message->source, message->data,
                        message->bytes);
            free(message);
            n++;
        }
    }
    return n;
}

int rpt__comm_poll_messages(struct rpt_comm *comm)
{
    int n = comm->kept_wanted ? hand_on_kept(comm) : 0;

    for (int i = 0; i < RPT_N_TRANSPORTS; i++) {
        if (comm->transports[i] != NULL) {
            n += comm->transports[i]->ops->poll(comm->transports[i]);
        }
    }
    return n;
}
