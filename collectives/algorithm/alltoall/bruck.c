/*
 * bruck.c - all-to-all of small blocks in ceil(log2 p) rounds
 *
 * A block that has to go i ranks up goes 2^k ranks up in round k when bit k of
 * i is set, together with all others of which this is true.
 *
 * Cost for blocks of n elements: ceil(log2 p) messages, n p/2 elements in each
 * (Bruck et al. 1997, doi:10.1109/71.642949).
 */
#include "collectives/algorithm/alltoall/alltoall.h"
#include "collectives/pattern/wrapped.h"

static bool applies(const struct rpt_case *c)
{
    return c->n_ranks > 2 && c->counts == NULL;
}

static double cost(const struct rpt_case *c, const struct rpt_model *m,
                   size_t bytes)
{
    int skips[RPT_SKIPS_MAX], rounds = rpt__skips(c->n_ranks, skips);
    double half = (double)rpt__packed_count(c) / 2 * (double)bytes;

    return rounds * (m->message_s + half * (m->byte_s + 2 * m->copy_byte_s)) +
           c->n_ranks * m->step_s * (rounds + 2);
}

/* Scratch: the blocks by how far they have to go; what is sent; what came. */
static struct rpt_place slot(const struct rpt_case *c, int part, int i)
{
    return rpt__scratch(((size_t)part * (size_t)c->n_ranks + (size_t)i) *
                        c->count);
}

static void build_round(const struct rpt_case *c, struct rpt_schedule *schedule,
                        int bit)
{
    int p = c->n_ranks, n = 0;

    rpt__step_flush(schedule, 0);
    for (int i = 1; i < p; i++) {
        if ((i & bit) != 0) {
            rpt__step_copy(schedule, slot(c, 1, n++), slot(c, 0, i), c->count);
        }
    }
    rpt__step_send(schedule, (c->rank + bit) % p, slot(c, 1, 0),
                   (size_t)n * c->count);
    rpt__step_recv(schedule, rpt__modulo(c->rank - bit, p), slot(c, 2, 0),
                   (size_t)n * c->count);
    n = 0;
    for (int i = 1; i < p; i++) {
        if ((i & bit) != 0) {
            rpt__step_copy(schedule, slot(c, 0, i), slot(c, 2, n++), c->count);
        }
    }
}

static void build(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    int p = c->n_ranks;

    schedule->scratch_count = 3 * (size_t)p * c->count;
    for (int i = 0; i < p; i++) {
        rpt__step_copy(schedule, slot(c, 0, i),
                       rpt__input((size_t)((c->rank + i) % p) * c->count),
                       c->count);
    }
    for (int bit = 1; bit < p; bit *= 2) {
        build_round(c, schedule, bit);
    }
    for (int i = 0; i < p; i++) {
        rpt__step_copy(
            schedule,
            rpt__output((size_t)rpt__modulo(c->rank - i, p) * c->count),
            slot(c, 0, i), c->count);
    }
}

const struct rpt_algorithm rpt__alltoall_bruck = {
    .size = sizeof(struct rpt_algorithm),
    .name = "bruck",
    .summary = "ceil(log2 p) rounds: for small blocks",
    .in_rank_order = false,
    .applies = applies,
    .cost = cost,
    .build = build,
};
