/*
 * self.c - messages of a rank to itself
 *
 * A list, emptied by the loop: a handler is never called from inside a send.
 * Takes messages of any size, whole.  Cost: one copy.
 */
#include "comm/comm_priv.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

struct self {
    struct rpt_transport base;
    struct rpt_message_queue queue;
};

static struct self *self_of(struct rpt_transport *transport)
{
    return (struct self *)(void *)transport;
}

static bool reaches(const struct rpt_transport *transport, int rank)
{
    return rank == transport->comm->rank;
}

static bool try_send(struct rpt_transport *transport, int rank,
                     const struct rpt_packet *packet, const void *data,
                     size_t bytes)
{
    struct rpt_message *message;

    (void)rank;
    message = bytes <= SIZE_MAX - sizeof *message
                  ? malloc(sizeof *message + bytes)
                  : NULL;
    if (message == NULL) {
        return false;
    }
    message->source = (int)packet->source;
    message->tag = (enum rpt_tag)packet->tag;
    message->bytes = bytes;
    if (bytes > 0) {
        memcpy(message->data, data, bytes);
    }
    rpt__queue_push(&self_of(transport)->queue, message);
    rpt__engine_ring(transport->comm->engine);
    return true;
}

static int poll(struct rpt_transport *transport)
{
    struct self *self = self_of(transport);
    struct rpt_message_queue now = self->queue;
    struct rpt_message *message;
    int n = 0;

    /* Handlers may send to this rank again: that is for the next time. */
    self->queue.first = NULL;
    while ((message = rpt__queue_pop(&now)) != NULL) {
        struct rpt_packet packet = { (uint32_t)message->source,
                                     (uint16_t)message->tag, 0,
                                     message->bytes };

        rpt__comm_packet(transport->comm, &packet, message->data,
                         message->bytes);
        free(message);
        n++;
    }
    return n;
}

static bool idle(struct rpt_transport *transport)
{
    return self_of(transport)->queue.first == NULL;
}

static void destroy(struct rpt_transport *transport)
{
    struct self *self = self_of(transport);
    struct rpt_message *message;

    while ((message = rpt__queue_pop(&self->queue)) != NULL) {
        free(message);
    }
    free(self);
}

const struct rpt_transport_ops rpt__transport_self = {
    .size = sizeof(struct rpt_transport_ops),
    .name = "self",
    .summary = "the rank itself: a list",
    .reaches = reaches,
    .try_send = try_send,
    .poll = poll,
    .idle = idle,
    .destroy = destroy,
};

rpt_status_t rpt__self_create(struct rpt_comm *comm,
                              struct rpt_transport **transport_out)
{
    struct self *self = calloc(1, sizeof *self);

    if (self == NULL) {
        return rpt__fail_nomem(sizeof *self);
    }
    self->base = (struct rpt_transport){ &rpt__transport_self, comm, SIZE_MAX };
    *transport_out = &self->base;
    return RPT_OK;
}
