/*
 * level_ship.c - bytes from rank to rank, as many small messages
 *
 * Every rank knows what it gets from whom before anybody sends: ranges of
 * files, each with a key.  They are added by exclusive or to what the receiver
 * has, zeros for a copy.  A sender waits as long as its queue is full, so what
 * is under way takes little memory.
 *
 * Cost: each byte is copied into a message and out of it.
 */
#include "io/checkpoint/level_priv.h"

#include "base/clock.h"
#include "base/error.h"
#include "io/checkpoint/talk.h"

#include <stdlib.h>
#include <string.h>

/* A chunk and its head are one packet, so nothing is put together again. */
enum { CHUNK_BYTES = 32 << 10, BACKLOG_BYTES = 1 << 20, HEAD_BYTES = 32 };

static const char call[] = "rpt_checkpoint_save";

/* ---- lists ---- */

rpt_status_t rpt__ship_send(struct rpt_ship *ship, int rank, uint32_t key,
                            const struct rpt_supply *supply,
                            struct rpt_range range)
{
    struct rpt_outgoing *list;

    if (range.bytes == 0) {
        return RPT_OK;
    }
    list = realloc(ship->out, (ship->n_out + 1) * sizeof *list);
    if (list == NULL) {
        return rpt__fail_nomem((ship->n_out + 1) * sizeof *list);
    }
    ship->out = list;
    list[ship->n_out++] = (struct rpt_outgoing){
        rank, key, supply, range, 0, 0
    };
    return RPT_OK;
}

rpt_status_t rpt__ship_expect(struct rpt_ship *ship, int rank, uint32_t key,
                              char *to, uint64_t bytes)
{
    struct rpt_incoming *list;

    if (bytes == 0) {
        return RPT_OK;
    }
    list = realloc(ship->in, (ship->n_in + 1) * sizeof *list);
    if (list == NULL) {
        return rpt__fail_nomem((ship->n_in + 1) * sizeof *list);
    }
    ship->in = list;
    list[ship->n_in++] = (struct rpt_incoming){ rank, key, to, bytes, 0 };
    return RPT_OK;
}

void rpt__ship_free(struct rpt_ship *ship)
{
    free(ship->out);
    free(ship->in);
    *ship = (struct rpt_ship){ .id = 0 };
}

/* ---- messages ---- */

static void came(void *user, int source, const void *data, size_t bytes)
{
    struct rpt_reader reader = rpt__reader(data, bytes);
    uint64_t number = rpt__read_u64(&reader), id = rpt__read_u64(&reader);
    uint32_t rank = rpt__read_u32(&reader), key = rpt__read_u32(&reader);
    uint64_t offset = rpt__read_u64(&reader);
    struct rpt_checkpoint *c = *rpt__comm_checkpoints(user);
    size_t n = (size_t)(reader.end - reader.next);

    (void)source;
    while (c != NULL && rpt__group_number(c->group) != number) {
        c = c->next;
    }
    if (c == NULL || reader.failed || c->level.ship == NULL ||
        c->level.ship->id != id) {
        return; /* of one that was given up */
    }
    for (size_t i = 0; i < c->level.ship->n_in; i++) {
        struct rpt_incoming *in = &c->level.ship->in[i];

        if (in->rank == (int)rank && in->key == key && in->came == offset &&
            n <= in->bytes - in->came) {
            rpt__xor_into(in->to + in->came, reader.next, n);
            in->came += n;
            return;
        }
    }
}

rpt_status_t rpt__level_listen(struct rpt_comm *comm)
{
    return rpt__comm_handle(comm, RPT_TAG_LEVEL, came, comm);
}

/* Somebody waits for these bytes: what cannot be read is sent as zeros, which
 * its digest finds. */
static void fetch(struct rpt_ship *ship, const struct rpt_outgoing *out,
                  size_t bytes, char *to)
{
    int error = rpt__supply_read(out->supply, out->range.begin + out->sent,
                                 bytes, to);

    if (error != 0) {
        memset(to, 0, bytes);
        ship->status = rpt__fail_errno(RPT_ERR_CORRUPT, error,
                                       "cannot read a file of "
                                       "io.checkpoint.local_dir");
    }
}

static rpt_status_t send_chunk(struct rpt_checkpoint *c, struct rpt_ship *ship,
                               struct rpt_outgoing *out, struct rpt_buf *bytes)
{
    uint64_t left = out->range.bytes - out->sent;
    size_t n = left < CHUNK_BYTES ? (size_t)left : CHUNK_BYTES;
    int rank = rpt__group_world_rank(c->group, out->rank);
    char *to;
    rpt_status_t status;

    rpt__buf_clear(bytes);
    rpt__buf_u64(bytes, rpt__group_number(c->group));
    rpt__buf_u64(bytes, ship->id);
    rpt__buf_u32(bytes, (uint32_t)c->rank);
    rpt__buf_u32(bytes, out->key);
    rpt__buf_u64(bytes, out->sent);
    to = rpt__buf_reserve(bytes, n);
    if (to == NULL) {
        return rpt__buf_status(bytes);
    }
    fetch(ship, out, n, to);
    status = rpt__comm_send(c->comm, rank, RPT_TAG_LEVEL, bytes->data,
                            HEAD_BYTES + n);
    out->sent += n;
    out->mark = rpt__comm_mark(c->comm, rank);
    return status;
}

/* ---- all of it ---- */

static bool has_room(const struct rpt_checkpoint *c,
                     const struct rpt_outgoing *out)
{
    int rank = rpt__group_world_rank(c->group, out->rank);

    return out->sent < out->range.bytes &&
           rpt__comm_backlog(c->comm, rank) < BACKLOG_BYTES;
}

static rpt_status_t push(struct rpt_checkpoint *c, struct rpt_ship *ship,
                         struct rpt_buf *bytes)
{
    rpt_status_t status = RPT_OK;

    for (size_t i = 0; i < ship->n_out && status == RPT_OK; i++) {
        while (status == RPT_OK && has_room(c, &ship->out[i])) {
            status = send_chunk(c, ship, &ship->out[i], bytes);
        }
    }
    return status;
}

/* Whom this rank waits for, -1: nobody.  What is only queued would stay here
 * where no thread drives MPI. */
static int missing(const struct rpt_checkpoint *c, const struct rpt_ship *ship)
{
    for (size_t i = 0; i < ship->n_in; i++) {
        if (ship->in[i].came < ship->in[i].bytes) {
            return ship->in[i].rank;
        }
    }
    for (size_t i = 0; i < ship->n_out; i++) {
        const struct rpt_outgoing *out = &ship->out[i];
        int rank = rpt__group_world_rank(c->group, out->rank);

        if (out->sent < out->range.bytes ||
            !rpt__comm_is_past(c->comm, rank, out->mark)) {
            return out->rank;
        }
    }
    return -1;
}

static bool can_go_on(void *arg)
{
    const struct rpt_checkpoint *c = arg;
    const struct rpt_ship *ship = c->level.ship;

    for (size_t i = 0; i < ship->n_out; i++) {
        if (has_room(c, &ship->out[i])) {
            return true;
        }
    }
    return missing(c, ship) < 0;
}

static rpt_status_t too_late(const struct rpt_checkpoint *c, int rank,
                             double limit_s)
{
    const struct rpt_map *map = rpt__comm_map(c->comm);

    rank = rpt__group_world_rank(c->group, rank);
    rpt__fail(RPT_ERR_TIMEOUT, "the copy of a checkpoint for another node was "
                               "given up");
    rpt__fail_why("rank %d on %s did not give or take its bytes within %g s",
                  rank, rpt__map_host_of(map, rank), limit_s);
    rpt__fail_hint("look what that rank does; io.checkpoint.deadline_s is the "
                   "limit");
    return RPT_ERR_TIMEOUT;
}

static rpt_status_t move(struct rpt_checkpoint *c, struct rpt_ship *ship)
{
    double limit_s = rpt__option_seconds(c->options,
                                         RPT_OPT_IO_CHECKPOINT_DEADLINE_S);
    double began_s = rpt__now_s();
    struct rpt_buf bytes = RPT_BUF_EMPTY;
    rpt_status_t status = push(c, ship, &bytes);

    while (status == RPT_OK && missing(c, ship) >= 0) {
        double left_s = limit_s - (rpt__now_s() - began_s);

        status = rpt__comm_wait_long(c->comm, can_go_on, c,
                                     left_s > 0 ? left_s : 0, began_s);
        if (status == RPT_PENDING) {
            status = too_late(c, missing(c, ship), limit_s);
        }
        if (status == RPT_OK) {
            status = push(c, ship, &bytes);
        }
    }
    rpt__buf_free(&bytes);
    return status;
}

rpt_status_t rpt__ship_run(struct rpt_checkpoint *c, struct rpt_ship *ship,
                           rpt_status_t own)
{
    rpt_status_t status;

    rpt__engine_lock(c->engine);
    c->level.ship = ship;
    rpt__engine_unlock(c->engine);
    status = rpt__talk_agree(c->group, call, own);
    rpt__engine_lock(c->engine);
    if (status == RPT_OK) {
        status = move(c, ship);
    }
    c->level.ship = NULL;
    rpt__engine_unlock(c->engine);
    return status == RPT_OK ? ship->status : status;
}
