/*
 * comm_priv.h - what the files of this folder share
 */
#ifndef RPT_COMM_COMM_PRIV_H
#define RPT_COMM_COMM_PRIV_H

#include "comm/comm.h"
#include "comm/segment.h"
#include "comm/transport.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>

struct rpt_groups; /* group_priv.h */

/* A message, or what is left of one, that waits. */
struct rpt_message {
    struct rpt_message *next;
    int source;
    enum rpt_tag tag;
    size_t total_bytes; /* of the message                     */
    size_t bytes;       /* of `data`                          */
    size_t sent_bytes;  /* of `data`, by packets that are out */
    alignas(8) char data[];
};

struct rpt_message_queue {
    struct rpt_message *first;
    struct rpt_message **end; /* NULL while the queue was never used */
};

/* A rank as seen from this one.  All zero until it is used, so that a context
 * of many ranks costs nothing for those that never meet. */
struct rpt_peer {
    struct rpt_transport *transport;
    struct rpt_peer *next_waiting;  /* in comm->waiting */
    struct rpt_message_queue queue; /* what the transport has not taken */
    size_t backlog_bytes;
    uint64_t n_queued, n_unqueued; /* messages, ever */
    char *partial; /* a message of several packets that comes in */
    size_t partial_bytes;
};

struct rpt_handler {
    rpt_am_fn fn;
    void *user;
    struct rpt_message_queue kept; /* came while there was no function */
};

/* How ends of this kind begin and end; see loopback.c and mpi_context.c. */
struct rpt_comm_kind {
    /* Under the lock, while the loop still turns; may wait.  NULL: nothing. */
    void (*close)(struct rpt_comm *comm);
    /* At last: releases owner, options, machine, map. */
    void (*release)(struct rpt_comm *comm);
    /* Lets the MPI library progress; false when this thread may not do that.
     * NULL: there is none. */
    bool (*drive)(struct rpt_comm *comm);
};

struct rpt_comm {
    const struct rpt_comm_kind *kind;
    void *owner; /* the kind's */
    int rank;
    int size;
    bool any_thread;
    bool mpi_any_thread;
    const rpt_options_t *options;
    const struct rpt_machine *machine;
    const struct rpt_map *map;
    const char *mpi_text;
    void *brief; /* the owner's */
    int bell_fd;
    size_t bell_offset;
    bool is_crowded;
    const struct rpt_segment *segment; /* as in struct rpt_comm_parts */
    const int *places;
    struct rpt_area area;        /* head NULL: there is none */
    struct rpt_buffers *buffers; /* NULL: never used */

    struct rpt_engine *engine;
    struct rpt_poller poller;
    bool polling;        /* the poller is on the stack                       */
    int n_driving;       /* threads inside rpt__comm_wait()                  */
    int n_lazy;          /* of these, inside rpt__comm_wait_long()           */
    double lazy_since_s; /* when the last of these waits began            */
    double driven_s;     /* when the MPI library was driven last             */
    bool driven;         /* option comm.drive, and there is an MPI           */

    struct rpt_transport *transports[RPT_N_TRANSPORTS]; /* as the table   */
    struct rpt_peer *peers;
    struct rpt_peer *waiting; /* those with something in their queue      */
    struct rpt_handler handlers[RPT_N_TAGS];
    bool kept_wanted; /* a tag with kept messages has got a function      */
    struct rpt_groups *groups;
    uint32_t pool_generation; /* the pools' */
    void *checkpoints;        /* a list of io/checkpoint/ */
    void *attached;           /* of an upper layer */
    void (*release_attached)(void *data);
};

/* What an end is made of; copied. */
struct rpt_comm_parts {
    const struct rpt_comm_kind *kind;
    void *owner;
    int rank;
    int size;
    int n_sharing; /* ranks on the same host */
    bool any_thread;
    bool mpi_any_thread;
    const rpt_options_t *options;
    const struct rpt_machine *machine;
    const struct rpt_map *map;
    const char *mpi_text;
    void *brief; /* of rank 0, or NULL; outlives the end */
    struct rpt_bell *bell;
    int bell_fd;
    size_t bell_offset;
    const struct rpt_segment *segment; /* with the node; outlives the end */
    const int *places; /* of all ranks in it, -1: not there; NULL: each rank's
                          place is its number */
};

/* An end with its engine, the transport to itself and the group messages, but
 * without a thread.  When it fails the owner stays the caller's. */
rpt_status_t rpt__comm_new(const struct rpt_comm_parts *parts,
                           struct rpt_comm **comm_out);
/* Undoes rpt__comm_new() without close and release. */
void rpt__comm_dispose(struct rpt_comm *comm);

/* Hands a transport over; it is destroyed with the end. */
void rpt__comm_add_transport(struct rpt_comm *comm,
                             struct rpt_transport *transport);

/* message.c */
struct rpt_peer *rpt__comm_peer(struct rpt_comm *comm, int rank);
int rpt__comm_poll_messages(struct rpt_comm *comm);
int rpt__comm_pump(struct rpt_comm *comm);
void rpt__comm_drop_messages(struct rpt_comm *comm);
void rpt__queue_push(struct rpt_message_queue *queue,
                     struct rpt_message *message);
struct rpt_message *rpt__queue_pop(struct rpt_message_queue *queue);

/* self.c */
rpt_status_t rpt__self_create(struct rpt_comm *comm,
                              struct rpt_transport **transport_out);

#endif /* RPT_COMM_COMM_PRIV_H */
