/*
 * loopback.c - a context whose ranks are threads of this process
 *
 * One world holds what its ends share: segment, options, machine, map.  It
 * goes with the last end; they may go in any order, in any thread.  What is
 * sent to an end that has gone is dropped.
 */
#include "comm/comm_priv.h"
#include "comm/shm.h"

#include "base/error.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { RANKS_MAX = 4096 };

struct world {
    _Atomic int n_ends;
    int n_ranks;
    struct rpt_segment segment;
    rpt_options_t *options;
    struct rpt_machine *machine;
    struct rpt_map *map;
    struct rpt_buf brief;
    _Atomic int closed[]; /* by rank */
};

static void world_release(struct world *world)
{
    if (atomic_fetch_sub(&world->n_ends, 1) > 1) {
        return;
    }
    rpt__segment_release(&world->segment);
    rpt__map_destroy(world->map);
    rpt__buf_free(&world->brief);
    rpt__machine_destroy(world->machine);
    rpt_options_destroy(world->options);
    free(world);
}

static rpt_status_t take_seats(struct world *world)
{
    size_t n = (size_t)world->n_ranks;
    struct rpt_seat *seats = calloc(n, sizeof *seats);
    rpt_status_t status = RPT_OK;

    if (seats == NULL) {
        return rpt__fail_nomem(n * sizeof *seats);
    }
    for (int r = 0; status == RPT_OK && r < world->n_ranks; r++) {
        status = rpt__seat_take(world->machine, r, world->n_ranks, &seats[r]);
    }
    if (status == RPT_OK) {
        int nodes = (int)rpt__option_integer(world->options,
                                             RPT_OPT_TOPO_VIRTUAL_NODES);

        status = rpt__map_create(seats, world->n_ranks, nodes, &world->map);
    }
    if (status == RPT_OK) {
        status = rpt__map_set_domains(
            world->map, (int)rpt__option_integer(world->options,
                                                 RPT_OPT_TOPO_VIRTUAL_DOMAINS));
    }
    free(seats);
    return status;
}

/* With one end, the maker's. */
static rpt_status_t world_create(int n_ranks, const rpt_options_t *options,
                                 rpt_brief_fn brief, struct world **world_out)
{
    size_t bytes = sizeof(struct world) + (size_t)n_ranks * sizeof(_Atomic int);
    struct world *world = calloc(1, bytes);
    rpt_status_t status;

    if (world == NULL) {
        return rpt__fail_nomem(bytes);
    }
    atomic_init(&world->n_ends, 1);
    world->n_ranks = n_ranks;
    status = rpt__options_copy(options, &world->options);
    if (status == RPT_OK && brief != NULL) {
        status = brief(world->options, &world->brief);
    }
    if (status == RPT_OK) {
        status = rpt__buf_status(&world->brief);
    }
    if (status == RPT_OK) {
        status = rpt__machine_discover(
            rpt__option_text(world->options, RPT_OPT_TOPO_SYNTHETIC),
            rpt__option_switch(world->options, RPT_OPT_TOPO_DEVICES),
            &world->machine);
    }
    if (status == RPT_OK) {
        status = take_seats(world);
    }
    if (status == RPT_OK) {
        status = rpt__segment_create(
            n_ranks, rpt__option_size(world->options, RPT_OPT_COMM_RING_BYTES),
            rpt__option_size(world->options, RPT_OPT_COMM_SHARED_BYTES),
            &world->segment);
    }
    if (status != RPT_OK) {
        world_release(world);
        return status;
    }
    *world_out = world;
    return RPT_OK;
}

static void end_close(struct rpt_comm *comm)
{
    rpt__comm_flush(comm, rpt__option_seconds(
                              comm->options, RPT_OPT_COMM_INTERNAL_DEADLINE_S));
}

static void end_release(struct rpt_comm *comm)
{
    struct world *world = comm->owner;

    rpt__shm_close(&world->segment, comm->rank, world->closed);
    world_release(world);
}

static const struct rpt_comm_kind local_kind = { .close = end_close,
                                                 .release = end_release };

static rpt_status_t end_create(struct world *world, int rank,
                               struct rpt_comm **comm_out)
{
    const struct rpt_comm_parts parts = {
        .kind = &local_kind,
        .owner = world,
        .rank = rank,
        .size = world->n_ranks,
        .n_sharing = world->n_ranks,
        .any_thread = true,
        .mpi_any_thread = true,
        .options = world->options,
        .machine = world->machine,
        .map = world->map,
        .mpi_text = "",
        .brief = world->brief.data,
        .bell = rpt__segment_bell(&world->segment, rank),
        .bell_fd = world->segment.fd,
        .bell_offset = rpt__segment_bell_offset(&world->segment, rank),
        .segment = &world->segment,
    };
    const struct rpt_shm_parts rings = { .ops = &rpt__transport_loopback,
                                         .segment = &world->segment,
                                         .index = rank,
                                         .closed = world->closed };
    struct rpt_transport *transport;
    struct rpt_comm *comm = NULL;
    rpt_status_t status = rpt__comm_new(&parts, &comm);

    if (status != RPT_OK) {
        return status;
    }
    status = rpt__shm_create(comm, &rings, &transport);
    if (status == RPT_OK) {
        rpt__comm_add_transport(comm, transport);
        status = rpt__engine_start_thread(comm->engine);
    }
    if (status != RPT_OK) {
        rpt__comm_dispose(comm);
        return status;
    }
    atomic_fetch_add(&world->n_ends, 1);
    *comm_out = comm;
    return RPT_OK;
}

rpt_status_t rpt__comm_create_local(int n_ranks, const rpt_options_t *options,
                                    rpt_brief_fn brief,
                                    struct rpt_comm *comms_out[])
{
    struct world *world = NULL;
    struct rpt_comm **comms;
    rpt_status_t status;
    int n = 0;

    if (n_ranks < 1 || n_ranks > RANKS_MAX) {
        return rpt__fail(RPT_ERR_INVALID,
                         "a local context has 1 to %d ranks, not %d", RANKS_MAX,
                         n_ranks);
    }
    comms = calloc((size_t)n_ranks, sizeof(struct rpt_comm *));
    if (comms == NULL) {
        return rpt__fail_nomem((size_t)n_ranks * sizeof(struct rpt_comm *));
    }
    status = world_create(n_ranks, options, brief, &world);
    while (status == RPT_OK && n < n_ranks) {
        status = end_create(world, n, &comms[n]);
        n += status == RPT_OK;
    }
    for (int r = 0; r < n; r++) {
        if (status == RPT_OK) {
            comms_out[r] = comms[r];
        } else {
            rpt__comm_destroy(comms[r]);
        }
    }
    if (world != NULL) {
        world_release(world);
    }
    free(comms);
    return status;
}
