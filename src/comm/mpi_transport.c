/*
 * mpi_transport.c - packets over MPI
 *
 * Receives are posted ahead, from any rank, and completed in the order in which
 * they were posted, which keeps the order of each sender.  A packet that goes
 * out is copied into a slot of its own.  Now and then one to a rank is sent
 * synchronously: it ends when the receiver has taken it, which costs MPI a
 * message back.  With two of these out nothing more is sent to that rank, so no
 * more than 512 packets or 1 MiB of ours lie unexpected at a rank that does not
 * look.
 *
 * MPI tells nobody when something came, so it must be asked: all the time while
 * there was traffic in the last millisecond, then every 0.1 ms for 50 ms, then
 * every millisecond.
 *
 * Cost: one copy and one MPI_Isend a packet; asking costs an MPI_Test.
 */
#include "comm/mpi_priv.h"

#include "base/clock.h"
#include "base/error.h"

#include <stdlib.h>
#include <string.h>

#define HOT_S 1e-3
#define WARM_S 50e-3
#define WARM_STEP_S 100e-6
#define COLD_STEP_S 1e-3

enum {
    N_RECEIVES = 16,
    WINDOW = 256, /* packets from one synchronous one to the next, unless */
    WINDOW_BYTES = 16 * RPT_PACKET_BYTES, /* these come before             */
    N_WINDOWS = 2, /* synchronous ones that may be out to a rank          */
    N_SLOTS = 16,  /* packets to a rank that MPI may still need           */
    N_FREE = 64,   /* slots that are kept for later                       */
    N_TESTS = 16,  /* sends to look at that turn out to be incomplete     */
    BUFFER_BYTES = sizeof(struct rpt_packet) + RPT_PACKET_BYTES
};

struct slot {
    struct slot *next;
    MPI_Request request;
    int dest;
    bool is_sync;
    alignas(16) char data[BUFFER_BYTES];
};

struct far_peer {
    uint64_t n_sent;
    int window_packets; /* since the last synchronous one */
    size_t window_bytes;
    int n_windows;
    int n_slots;
};

struct rpt_mpi_transport {
    struct rpt_transport base;
    struct rpt_mpi_end *end;
    MPI_Request receives[N_RECEIVES];
    char *buffers; /* of the receives */
    int oldest;
    int n_posted;
    uint64_t n_received;
    struct slot *active; /* oldest first */
    struct slot **active_end;
    struct slot *free_slots;
    int n_free;
    struct far_peer *peers;
    uint64_t *sent; /* rpt__mpi_transport_sent() */
    double polled_s;
    double traffic_s; /* when something was sent, received or completed */
};

static struct rpt_mpi_transport *far_of(struct rpt_transport *transport)
{
    return (struct rpt_mpi_transport *)(void *)transport;
}

/* A call failed: the context is of no use any more. */
static void break_all(struct rpt_mpi_transport *far, int error,
                      const char *call)
{
    rpt__mpi_status(error, call);
    rpt__engine_break(far->base.comm->engine, RPT_ERR_MPI);
}

/* ---- receiving ---- */

static char *buffer_of(struct rpt_mpi_transport *far, int index)
{
    return far->buffers + (size_t)index * BUFFER_BYTES;
}

static int post(struct rpt_mpi_transport *far, int index)
{
    return PMPI_Irecv(buffer_of(far, index), BUFFER_BYTES, MPI_BYTE,
                      MPI_ANY_SOURCE, RPT_MPI_TAG_PACKET, far->end->comm,
                      &far->receives[index]);
}

static void take_packet(struct rpt_mpi_transport *far, int index, int bytes)
{
    const struct rpt_packet *packet = (const struct rpt_packet *)(void *)
        buffer_of(far, index);

    far->n_received++;
    rpt__comm_packet(far->base.comm, packet, packet + 1,
                     (size_t)bytes - sizeof *packet);
}

/* One packet: to ask for another that is not there takes MPI a look at all its
 * connections, and whoever waits for this one waits for that, too. */
static int receive(struct rpt_mpi_transport *far)
{
    int index = far->oldest, flag = 0, bytes = 0, error;
    MPI_Status info;

    error = PMPI_Test(&far->receives[index], &flag, &info);
    if (error == MPI_SUCCESS && flag) {
        error = PMPI_Get_count(&info, MPI_BYTE, &bytes);
    }
    if (error == MPI_SUCCESS && flag) {
        take_packet(far, index, bytes);
        far->oldest = (index + 1) % N_RECEIVES;
        error = post(far, index);
    }
    if (error != MPI_SUCCESS) {
        break_all(far, error, "receiving a packet");
    }
    return flag;
}

/* ---- sending ---- */

static void slot_release(struct rpt_mpi_transport *far, struct slot *slot)
{
    struct far_peer *peer = &far->peers[slot->dest];

    peer->n_slots--;
    peer->n_windows -= slot->is_sync;
    if (far->n_free < N_FREE) {
        slot->next = far->free_slots;
        far->free_slots = slot;
        far->n_free++;
    } else {
        free(slot);
    }
}

/* Looks which sends are complete. */
static int reap(struct rpt_mpi_transport *far)
{
    struct slot **link = &far->active;
    int n = 0, n_tests = 0;

    while (*link != NULL && n_tests < N_TESTS) {
        struct slot *slot = *link;
        int flag = 0, error;

        error = PMPI_Test(&slot->request, &flag, MPI_STATUS_IGNORE);
        if (error != MPI_SUCCESS) {
            break_all(far, error, "sending a packet");
            break;
        }
        if (flag) {
            *link = slot->next;
            if (*link == NULL) {
                far->active_end = link;
            }
            slot_release(far, slot);
            n++;
        } else {
            link = &slot->next;
            n_tests++;
        }
    }
    return n;
}

static struct slot *take_slot(struct rpt_mpi_transport *far)
{
    struct slot *slot = far->free_slots;

    if (slot != NULL) {
        far->free_slots = slot->next;
        far->n_free--;
        return slot;
    }
    return malloc(sizeof *slot);
}

static bool may_send(const struct rpt_mpi_transport *far, int dest)
{
    return far->peers[dest].n_windows < N_WINDOWS &&
           far->peers[dest].n_slots < N_SLOTS;
}

/* Whether the packet that is sent next ends a window. */
static bool ends_window(struct far_peer *peer, size_t bytes)
{
    peer->window_packets++;
    peer->window_bytes += bytes;
    if (peer->window_packets < WINDOW && peer->window_bytes < WINDOW_BYTES) {
        return false;
    }
    peer->window_packets = 0;
    peer->window_bytes = 0;
    return true;
}

static bool start_send(struct rpt_mpi_transport *far, struct slot *slot,
                       size_t bytes)
{
    struct far_peer *peer = &far->peers[slot->dest];
    int error;

    slot->is_sync = ends_window(peer, bytes);
    error = (slot->is_sync ? PMPI_Issend : PMPI_Isend)(
        slot->data, (int)bytes, MPI_BYTE, slot->dest, RPT_MPI_TAG_PACKET,
        far->end->comm, &slot->request);
    if (error != MPI_SUCCESS) {
        break_all(far, error, "sending a packet");
        free(slot);
        return false;
    }
    peer->n_sent++;
    peer->n_slots++;
    peer->n_windows += slot->is_sync;
    slot->next = NULL;
    *far->active_end = slot;
    far->active_end = &slot->next;
    return true;
}

/* There was traffic: the loop must not sleep as long as it meant to. */
static void wake(struct rpt_mpi_transport *far)
{
    double now = rpt__now_s();

    if (now - far->traffic_s > HOT_S) {
        rpt__engine_ring(far->base.comm->engine);
    }
    far->traffic_s = now;
}

static bool try_send(struct rpt_transport *transport, int rank,
                     const struct rpt_packet *packet, const void *data,
                     size_t bytes)
{
    struct rpt_mpi_transport *far = far_of(transport);
    struct slot *slot;

    if (!rpt__mpi_may_call(far->end) ||
        rpt__engine_status(transport->comm->engine) != RPT_OK) {
        return false;
    }
    if (!may_send(far, rank)) {
        reap(far);
        if (!may_send(far, rank)) {
            return false;
        }
    }
    slot = take_slot(far);
    if (slot == NULL) {
        return false;
    }
    slot->dest = rank;
    memcpy(slot->data, packet, sizeof *packet);
    memcpy(slot->data + sizeof *packet, data, bytes);
    wake(far);
    return start_send(far, slot, sizeof *packet + bytes);
}

/* ---- the loop ---- */

static double next_s(struct rpt_transport *transport)
{
    const struct rpt_mpi_transport *far = far_of(transport);
    double quiet = far->polled_s - far->traffic_s;

    return quiet < HOT_S    ? far->polled_s
           : quiet < WARM_S ? far->polled_s + WARM_STEP_S
                            : far->polled_s + COLD_STEP_S;
}

static int poll(struct rpt_transport *transport)
{
    struct rpt_mpi_transport *far = far_of(transport);
    double now = rpt__engine_now(transport->comm->engine);
    int n;

    if (now < next_s(transport)) {
        return 0;
    }
    far->polled_s = now;
    n = receive(far);
    if (far->active != NULL) {
        n += reap(far);
    }
    if (n > 0) {
        far->traffic_s = now;
    }
    return n;
}

static bool idle(struct rpt_transport *transport)
{
    return far_of(transport)->active == NULL;
}

static bool reaches(const struct rpt_transport *transport, int rank)
{
    (void)transport;
    (void)rank;
    return true;
}

static void free_slots(struct slot *slot)
{
    while (slot != NULL) {
        struct slot *next = slot->next;

        free(slot);
        slot = next;
    }
}

static void destroy(struct rpt_transport *transport)
{
    struct rpt_mpi_transport *far = far_of(transport);

    for (int i = 0; i < far->n_posted; i++) {
        if (far->receives[i] != MPI_REQUEST_NULL) {
            PMPI_Cancel(&far->receives[i]);
            PMPI_Wait(&far->receives[i], MPI_STATUS_IGNORE);
        }
    }
    /* When somebody is lost, MPI still has the slots that are active, and may
     * read the counts. */
    free_slots(far->free_slots);
    free(far->buffers);
    free(far->peers);
    if (!far->end->lost) {
        free(far->sent);
    }
    free(far);
}

const struct rpt_transport_ops rpt__transport_mpi = {
    .size = sizeof(struct rpt_transport_ops),
    .name = "mpi",
    .summary = "any rank: packets in MPI messages",
    .reaches = reaches,
    .try_send = try_send,
    .poll = poll,
    .next_s = next_s,
    .idle = idle,
    .destroy = destroy,
};

rpt_status_t rpt__mpi_transport_create(struct rpt_comm *comm,
                                       struct rpt_mpi_end *end,
                                       struct rpt_transport **transport_out)
{
    struct rpt_mpi_transport *far = calloc(1, sizeof *far);
    rpt_status_t status = RPT_OK;

    if (far == NULL) {
        return rpt__fail_nomem(sizeof *far);
    }
    far->base = (struct rpt_transport){ &rpt__transport_mpi, comm,
                                        RPT_PACKET_BYTES };
    far->end = end;
    far->active_end = &far->active;
    far->buffers = malloc((size_t)N_RECEIVES * BUFFER_BYTES);
    far->peers = calloc((size_t)end->size, sizeof *far->peers);
    far->sent = calloc((size_t)end->size, sizeof *far->sent);
    if (far->buffers == NULL || far->peers == NULL || far->sent == NULL) {
        status = rpt__fail_nomem((size_t)N_RECEIVES * BUFFER_BYTES);
    }
    while (status == RPT_OK && far->n_posted < N_RECEIVES) {
        status = rpt__mpi_status(post(far, far->n_posted), "MPI_Irecv");
        far->n_posted += status == RPT_OK;
    }
    if (status != RPT_OK) {
        destroy(&far->base);
        return status;
    }
    far->traffic_s = rpt__now_s();
    *transport_out = &far->base;
    return RPT_OK;
}

bool rpt__mpi_transport_is_hot(const struct rpt_transport *transport)
{
    const struct rpt_mpi_transport *far =
        (const struct rpt_mpi_transport *)(const void *)transport;

    return far->polled_s - far->traffic_s < HOT_S;
}

const uint64_t *rpt__mpi_transport_sent(const struct rpt_transport *transport)
{
    const struct rpt_mpi_transport *far =
        (const struct rpt_mpi_transport *)(const void *)transport;

    for (int r = 0; r < far->end->size; r++) {
        far->sent[r] = far->peers[r].n_sent;
    }
    return far->sent;
}

uint64_t rpt__mpi_transport_received(const struct rpt_transport *transport)
{
    return ((const struct rpt_mpi_transport *)(const void *)transport)
        ->n_received;
}
