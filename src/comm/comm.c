/*
 * comm.c - one rank's end of a context: its parts, and how it is driven
 *
 * The end is a poller of the engine: messages in, then what waits to go out.
 * What kind of end it is (local, MPI) is known to struct rpt_comm_kind only.
 */
#include "comm/buffer.h"
#include "comm/comm_priv.h"
#include "comm/group_priv.h"

#include "base/clock.h"
#include "base/error.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

/* While a user's wait drives the MPI library: at most this often, and at least
 * that often. */
#define DRIVE_MIN_S 10e-6
#define DRIVE_MAX_S 100e-6
/* A wait for tasks may last for hours: after the first LAZY_AFTER_S of it the
 * MPI library is driven less often, which leaves an idle rank under 5 % of a
 * core. */
#define DRIVE_LAZY_S 1e-3
#define LAZY_AFTER_S 0.1

static struct rpt_comm *comm_of(struct rpt_poller *poller)
{
    return (struct rpt_comm *)(void *)((char *)poller -
                                       offsetof(struct rpt_comm, poller));
}

static int poll(struct rpt_poller *poller)
{
    struct rpt_comm *comm = comm_of(poller);
    int n;

    /* A handler that gives up the lock must not be met again from here. */
    if (comm->polling) {
        return 0;
    }
    comm->polling = true;
    n = rpt__comm_poll_messages(comm);
    if (comm->waiting != NULL) {
        n += rpt__comm_pump(comm);
    }
    comm->polling = false;
    return n;
}

static double drive_interval(const struct rpt_comm *comm)
{
    return comm->n_driving > comm->n_lazy ||
                   rpt__engine_now(comm->engine) <
                       comm->lazy_since_s + LAZY_AFTER_S
               ? DRIVE_MAX_S
               : DRIVE_LAZY_S;
}

static double next_s(struct rpt_poller *poller)
{
    struct rpt_comm *comm = comm_of(poller);
    double next = INFINITY;

    if (comm->n_driving > 0) {
        /* The leader may be one that does not drive: no reason to turn fast. */
        double interval = drive_interval(comm),
               now = rpt__engine_now(comm->engine);

        next = fmax(comm->driven_s, now - interval / 2) + interval;
    }

    for (int i = 0; i < RPT_N_TRANSPORTS; i++) {
        struct rpt_transport *t = comm->transports[i];

        if (t != NULL && t->ops->next_s != NULL) {
            next = fmin(next, t->ops->next_s(t));
        }
    }
    return next;
}

static rpt_status_t fill(struct rpt_comm *comm,
                         const struct rpt_comm_parts *parts)
{
    struct rpt_transport *self;
    rpt_status_t status;

    comm->peers = calloc((size_t)comm->size, sizeof *comm->peers);
    if (comm->peers == NULL) {
        return rpt__fail_nomem((size_t)comm->size * sizeof *comm->peers);
    }
    status = rpt__engine_create(
        parts->options, parts->bell, comm->is_crowded, parts->rank, parts->size,
        rpt__map_host_of(parts->map, parts->rank), &comm->engine);
    if (status == RPT_OK) {
        status = rpt__self_create(comm, &self);
    }
    if (status == RPT_OK) {
        rpt__comm_add_transport(comm, self);
        status = rpt__groups_create(comm, &comm->groups);
    }
    if (status == RPT_OK) {
        comm->poller = (struct rpt_poller){ .name = "comm",
                                            .poll = poll,
                                            .next_s = next_s };
        rpt__engine_add(comm->engine, &comm->poller);
    }
    return status;
}

rpt_status_t rpt__comm_new(const struct rpt_comm_parts *parts,
                           struct rpt_comm **comm_out)
{
    struct rpt_comm *comm = calloc(1, sizeof *comm);
    rpt_status_t status;

    if (comm == NULL) {
        return rpt__fail_nomem(sizeof *comm);
    }
    comm->kind = parts->kind;
    comm->owner = parts->owner;
    comm->rank = parts->rank;
    comm->size = parts->size;
    comm->any_thread = parts->any_thread;
    comm->mpi_any_thread = parts->mpi_any_thread;
    comm->options = parts->options;
    comm->machine = parts->machine;
    comm->map = parts->map;
    comm->mpi_text = parts->mpi_text;
    comm->brief = parts->brief;
    comm->bell_fd = parts->bell_fd;
    comm->bell_offset = parts->bell_offset;
    comm->is_crowded = parts->n_sharing > sysconf(_SC_NPROCESSORS_ONLN);
    comm->segment = parts->segment;
    comm->places = parts->places;
    rpt__segment_area(parts->segment, &comm->area);
    comm->driven = parts->kind->drive != NULL &&
                   rpt__option_switch(parts->options, RPT_OPT_COMM_DRIVE);
    status = fill(comm, parts);
    if (status != RPT_OK) {
        rpt__comm_dispose(comm);
        return status;
    }
    *comm_out = comm;
    return RPT_OK;
}

void rpt__comm_add_transport(struct rpt_comm *comm,
                             struct rpt_transport *transport)
{
    for (int i = 0; i < RPT_N_TRANSPORTS; i++) {
        if (rpt__transport_table[i] == transport->ops) {
            comm->transports[i] = transport;
        }
    }
}

void rpt__comm_dispose(struct rpt_comm *comm)
{
    rpt__engine_destroy(comm->engine);
    for (int i = 0; i < RPT_N_TRANSPORTS; i++) {
        if (comm->transports[i] != NULL) {
            comm->transports[i]->ops->destroy(comm->transports[i]);
        }
    }
    rpt__comm_drop_messages(comm);
    rpt__buffers_destroy(comm);
    rpt__groups_destroy(comm->groups);
    free(comm->peers);
    free(comm);
}

void rpt__comm_destroy(struct rpt_comm *comm)
{
    const struct rpt_comm_kind *kind;
    struct rpt_comm left;

    if (comm == NULL) {
        return;
    }
    kind = comm->kind;
    rpt__engine_lock(comm->engine);
    if (comm->attached != NULL) {
        comm->release_attached(comm->attached);
    }
    if (kind->close != NULL) {
        kind->close(comm);
    }
    rpt__engine_remove(comm->engine, &comm->poller);
    rpt__engine_unlock(comm->engine);
    left = *comm;
    rpt__comm_dispose(comm);
    kind->release(&left);
}

int rpt__comm_rank(const struct rpt_comm *comm)
{
    return comm->rank;
}

int rpt__comm_size(const struct rpt_comm *comm)
{
    return comm->size;
}

struct rpt_engine *rpt__comm_engine(const struct rpt_comm *comm)
{
    return comm->engine;
}

const rpt_options_t *rpt__comm_options(const struct rpt_comm *comm)
{
    return comm->options;
}

const struct rpt_map *rpt__comm_map(const struct rpt_comm *comm)
{
    return comm->map;
}

const struct rpt_machine *rpt__comm_machine(const struct rpt_comm *comm)
{
    return comm->machine;
}

int rpt__comm_bell_fd(const struct rpt_comm *comm, size_t *offset_out)
{
    *offset_out = comm->bell_offset;
    return comm->bell_fd;
}

const char *rpt__comm_transport(const struct rpt_comm *comm, int rank)
{
    for (int i = 0; i < RPT_N_TRANSPORTS; i++) {
        struct rpt_transport *t = comm->transports[i];

        if (t != NULL && t->ops->reaches(t, rank)) {
            return t->ops->name;
        }
    }
    return NULL;
}

void *rpt__comm_brief(const struct rpt_comm *comm)
{
    return comm->brief;
}

const char *rpt__comm_mpi_text(const struct rpt_comm *comm)
{
    return comm->mpi_text;
}

struct rpt_area *rpt__comm_area(struct rpt_comm *comm)
{
    return &comm->area;
}

bool rpt__comm_shares_area(const struct rpt_comm *comm, int rank)
{
    return comm->area.head != NULL &&
           (comm->places == NULL || comm->places[rank] >= 0) &&
           rpt__map_node_of(comm->map, rank) ==
               rpt__map_node_of(comm->map, comm->rank);
}

void rpt__comm_ring(const struct rpt_comm *comm, int rank)
{
    int place = comm->places != NULL ? comm->places[rank] : rank;

    rpt__bell_ring(rpt__segment_bell(comm->segment, place));
}

bool rpt__comm_is_crowded(const struct rpt_comm *comm)
{
    return comm->is_crowded;
}

bool rpt__comm_any_thread(const struct rpt_comm *comm)
{
    return comm->any_thread;
}

bool rpt__comm_mpi_any_thread(const struct rpt_comm *comm)
{
    return comm->mpi_any_thread;
}

static bool is_flushed(void *arg)
{
    struct rpt_comm *comm = arg;

    if (comm->waiting != NULL) {
        return false;
    }
    for (int i = 0; i < RPT_N_TRANSPORTS; i++) {
        struct rpt_transport *t = comm->transports[i];

        if (t != NULL && t->ops->idle != NULL && !t->ops->idle(t)) {
            return false;
        }
    }
    return true;
}

rpt_status_t rpt__comm_flush(struct rpt_comm *comm, double timeout_s)
{
    return rpt__comm_wait(comm, is_flushed, comm, timeout_s);
}

struct driven_wait {
    struct rpt_comm *comm;
    rpt_done_fn done;
    void *arg;
};

/* Here and not in the poller: this runs in the thread that waits, which may
 * call MPI where the engine thread may not. */
static bool drive_and_ask(void *arg)
{
    struct driven_wait *wait = arg;
    struct rpt_comm *comm = wait->comm;
    double now = rpt__engine_now(comm->engine);

    if (now - comm->driven_s >= DRIVE_MIN_S) {
        comm->driven_s = now;
        comm->kind->drive(comm);
    }
    return wait->done(wait->arg);
}

rpt_status_t rpt__comm_wait(struct rpt_comm *comm, rpt_done_fn done, void *arg,
                            double timeout_s)
{
    struct driven_wait wait = { comm, done, arg };
    rpt_status_t status;

    if (!comm->driven || !comm->kind->drive(comm)) {
        return rpt__engine_wait(comm->engine, done, arg, timeout_s);
    }
    comm->n_driving++;
    status = rpt__engine_wait(comm->engine, drive_and_ask, &wait, timeout_s);
    comm->n_driving--;
    return status;
}

rpt_status_t rpt__comm_wait_long(struct rpt_comm *comm, rpt_done_fn done,
                                 void *arg, double timeout_s, double since_s)
{
    rpt_status_t status;

    comm->lazy_since_s = since_s;
    comm->n_lazy++;
    status = rpt__comm_wait(comm, done, arg, timeout_s);
    comm->n_lazy--;
    return status;
}

void **rpt__comm_checkpoints(struct rpt_comm *comm)
{
    return &comm->checkpoints;
}

uint32_t *rpt__comm_pool_generation(struct rpt_comm *comm)
{
    return &comm->pool_generation;
}

void *rpt__comm_attached(const struct rpt_comm *comm)
{
    return comm->attached;
}

void rpt__comm_attach(struct rpt_comm *comm, void *data,
                      void (*release_fn)(void *data))
{
    comm->attached = data;
    comm->release_attached = release_fn;
}
