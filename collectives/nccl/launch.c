/*
 * launch.c - which launches make a call
 *
 *   allreduce, reduce, broadcast      one
 *   allgather, reduce-scatter         one; with blocks of different sizes one
 *                                     broadcast, one reduce for each rank
 *   gather, scatter, alltoall         a send and a receive for each block
 *
 * Launches of a call are one group of NCCL: they go side by side, so that sends
 * and receives of all ranks find each other in whatever order.  What only moves
 * is bytes.  Empty blocks are left out, on both sides alike.
 */
#include "collectives/nccl/launch.h"

#include <stdbool.h>

/* One call while it is launched; the first failure stays. */
struct launch {
    const struct rpt_nccl_ops *nccl;
    struct rpt_nccl_place place;
    const struct rpt_nccl_call *call;
    size_t element;
    rpt_status_t status;
};

typedef rpt_status_t (*launch_fn)(struct rpt_nccl_place place,
                                  const struct rpt_nccl_vector *v);

static void add(struct launch *l, launch_fn fn, const void *in, void *out,
                struct rpt_nccl_vector v)
{
    if (l->status >= RPT_OK && v.count > 0) {
        v.in = in;
        v.out = out;
        l->status = fn(l->place, &v);
    }
}

/* So many elements, added up. */
static struct rpt_nccl_vector sum_of(const struct launch *l, size_t count,
                                     int root)
{
    return (struct rpt_nccl_vector){ .count = count,
                                     .type = l->call->coll->type,
                                     .op = l->call->coll->op,
                                     .peer = root };
}

/* So many elements, moved. */
static struct rpt_nccl_vector move_of(const struct launch *l, size_t count,
                                      int peer)
{
    return (struct rpt_nccl_vector){ .count = count * l->element,
                                     .peer = peer };
}

static const char *in_at(const struct launch *l, size_t offset)
{
    return l->call->in + offset * l->element;
}

static char *out_at(const struct launch *l, size_t offset)
{
    return l->call->out + offset * l->element;
}

static void gather_all(struct launch *l)
{
    const struct rpt_case *c = l->call->c;

    if (c->counts == NULL) {
        add(l, l->nccl->allgather, l->call->in, l->call->out,
            move_of(l, c->count, 0));
        return;
    }
    for (int r = 0; r < c->n_ranks; r++) {
        struct rpt_range block = rpt__block_of(c, r);
        char *out = out_at(l, block.offset);

        add(l, l->nccl->broadcast, r == c->rank ? l->call->in : out, out,
            move_of(l, block.count, r));
    }
}

static void reduce_scatter(struct launch *l)
{
    const struct rpt_case *c = l->call->c;

    if (c->counts == NULL) {
        add(l, l->nccl->reduce_scatter, l->call->in, l->call->out,
            sum_of(l, c->count, 0));
        return;
    }
    for (int r = 0; r < c->n_ranks; r++) {
        struct rpt_range block = rpt__packed(c, r);

        add(l, l->nccl->reduce, in_at(l, block.offset), l->call->out,
            sum_of(l, block.count, r));
    }
}

/* From this rank to `to`; a block that is where it belongs stays there. */
static void send(struct launch *l, const char *in, size_t count, int to)
{
    add(l, l->nccl->send, in, NULL, move_of(l, count, to));
}

static void receive(struct launch *l, char *out, size_t count, int from)
{
    add(l, l->nccl->receive, NULL, out, move_of(l, count, from));
}

static void gather(struct launch *l)
{
    const struct rpt_case *c = l->call->c;
    struct rpt_range own = rpt__block_of(c, c->rank);
    bool is_root = c->rank == c->root;
    bool is_there = is_root && l->call->in == out_at(l, own.offset);

    if (!is_there) {
        send(l, l->call->in, own.count, c->root);
    }
    for (int r = 0; r < c->n_ranks && is_root; r++) {
        struct rpt_range block = rpt__block_of(c, r);

        if (r != c->rank || !is_there) {
            receive(l, out_at(l, block.offset), block.count, r);
        }
    }
}

static void scatter(struct launch *l)
{
    const struct rpt_case *c = l->call->c;
    struct rpt_range own = rpt__block_of(c, c->rank);
    bool is_root = c->rank == c->root;
    bool is_there = is_root && l->call->out == in_at(l, own.offset);

    for (int r = 0; r < c->n_ranks && is_root; r++) {
        struct rpt_range block = rpt__block_of(c, r);

        if (r != c->rank || !is_there) {
            send(l, in_at(l, block.offset), block.count, r);
        }
    }
    if (!is_there) {
        receive(l, l->call->out, own.count, c->root);
    }
}

static void exchange(struct launch *l)
{
    const struct rpt_case *c = l->call->c;

    for (int r = 0; r < c->n_ranks; r++) {
        struct rpt_range in = rpt__block_of(c, r), out = in;

        if (c->out_counts != NULL) {
            out = (struct rpt_range){ c->out_offsets[r], c->out_counts[r] };
        }
        send(l, in_at(l, in.offset), in.count, r);
        receive(l, out_at(l, out.offset), out.count, r);
    }
}

static void launch_all(struct launch *l)
{
    const struct rpt_nccl_call *call = l->call;
    const struct rpt_nccl_ops *nccl = l->nccl;
    size_t count = call->coll->count;
    int root = call->coll->root;

    switch (call->coll->kind) {
    case RPT_COLL_ALLREDUCE:
        add(l, nccl->allreduce, call->in, call->out, sum_of(l, count, 0));
        break;
    case RPT_COLL_REDUCE:
        add(l, nccl->reduce, call->in, call->out, sum_of(l, count, root));
        break;
    case RPT_COLL_BROADCAST:
        add(l, nccl->broadcast, call->in, call->out, move_of(l, count, root));
        break;
    case RPT_COLL_ALLGATHER:
        gather_all(l);
        break;
    case RPT_COLL_GATHER:
        gather(l);
        break;
    case RPT_COLL_SCATTER:
        scatter(l);
        break;
    case RPT_COLL_REDUCE_SCATTER:
        reduce_scatter(l);
        break;
    case RPT_COLL_ALLTOALL:
    default:
        exchange(l);
        break;
    }
}

rpt_status_t rpt__nccl_launch(const struct rpt_nccl_ops *nccl,
                              struct rpt_nccl_place place,
                              const struct rpt_nccl_call *call)
{
    struct launch l = { nccl, place, call, rpt_type_bytes(call->coll->type),
                        RPT_OK };
    rpt_status_t status = nccl->begin();

    if (status < RPT_OK) {
        return status;
    }
    launch_all(&l);
    status = nccl->end(); /* closes the group whatever happened in it */
    return l.status < RPT_OK ? l.status : status;
}
