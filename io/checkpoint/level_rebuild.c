/*
 * level_rebuild.c - the part of a lost rank, from parity and the others' parts
 *
 * Chunk i of it is in the parity that member i has, together with those of all
 * other members for i.  So every member that is left gives its parity and its
 * chunks, each to its place in zeros, added by exclusive or.
 *
 * Cost: the rank that rebuilds gets n - 1 times what was lost.
 */
#include "io/checkpoint/level_priv.h"

#include "base/error.h"
#include "io/checkpoint/talk.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char call[] = "rpt_checkpoint_restore";

rpt_status_t rpt__held_open(struct rpt_held *held)
{
    return held->finding != NULL
               ? rpt__own_open(held->finding, held->index, &held->supply)
               : RPT_OK;
}

void rpt__held_close(struct rpt_held *held)
{
    if (held->supply.fd >= 0) {
        close(held->supply.fd);
        held->supply.fd = -1;
    }
}

void rpt__held_free(struct rpt_held *held)
{
    rpt__held_close(held);
    rpt__local_free(&held->local);
    free(held->memory);
    *held = (struct rpt_held){ .supply = { .fd = -1 } };
}

int64_t rpt__found_part(const struct rpt_finding *f, uint64_t id, uint32_t rank)
{
    for (size_t i = 0; i < f->n_seen; i++) {
        const struct rpt_seen *seen = &f->seen[i];

        if (seen->is_good && seen->head.kind == RPT_LOCAL_RANK &&
            seen->head.id == id && seen->head.number == rank) {
            return (int64_t)i;
        }
    }
    return -1;
}

/* ---- which set ---- */

/* The member that a rank is in the set of some parity, UINT32_MAX: none. */
static uint32_t member_of(const struct rpt_seen *seen, uint64_t id,
                          uint32_t rank)
{
    if (seen->is_good && seen->head.kind == RPT_LOCAL_XOR &&
        seen->head.id == id) {
        for (uint32_t i = 0; i < seen->n_members; i++) {
            if (seen->members[i].rank == rank) {
                return i;
            }
        }
    }
    return UINT32_MAX;
}

/* The parity of member `at` of the same set, -1: none. */
static int64_t parity_of(const struct rpt_finding *f,
                         const struct rpt_seen *like, uint32_t at)
{
    for (size_t i = 0; i < f->n_seen; i++) {
        const struct rpt_seen *seen = &f->seen[i];

        if (seen->is_good && seen->head.kind == RPT_LOCAL_XOR &&
            seen->head.id == like->head.id && seen->me == at &&
            seen->head.number == like->head.number &&
            seen->chunk == like->chunk && seen->n_members == like->n_members &&
            memcmp(seen->members, like->members,
                   like->n_members * sizeof *like->members) == 0) {
            return (int64_t)i;
        }
    }
    return -1;
}

/* Whether all but member `lost` are there. */
static bool is_enough(const struct rpt_finding *f, const struct rpt_seen *set,
                      uint32_t lost)
{
    for (uint32_t i = 0; i < set->n_members; i++) {
        const struct rpt_local_member *m = &set->members[i];

        if (i != lost && (parity_of(f, set, i) < 0 ||
                          (m->rank != UINT32_MAX &&
                           rpt__found_part(f, set->head.id, m->rank) < 0))) {
            return false;
        }
    }
    return true;
}

/* Some parity of the set, NULL: it cannot be done. */
static const struct rpt_seen *set_for(const struct rpt_finding *f, uint64_t id,
                                      uint32_t rank, uint32_t *lost_out)
{
    for (size_t i = 0; i < f->n_seen; i++) {
        uint32_t lost = member_of(&f->seen[i], id, rank);

        if (lost != UINT32_MAX && is_enough(f, &f->seen[i], lost)) {
            *lost_out = lost;
            return &f->seen[i];
        }
    }
    return NULL;
}

bool rpt__can_rebuild(const struct rpt_finding *f, uint64_t id, uint32_t rank)
{
    uint32_t lost;

    return set_for(f, id, rank, &lost) != NULL;
}

/* ---- making it ---- */

struct rebuilding {
    const struct rpt_finding *f;
    const struct rpt_seen *set;
    uint32_t lost;
    int on;
    char *memory; /* on that rank */
    struct rpt_ship ship;
    struct rpt_supply *supplies; /* of files that this rank gives from */
    size_t n_supplies;
};

/* One chunk of a file that somebody has. */
static rpt_status_t give(struct rebuilding *r, const struct rpt_seen *from,
                         const struct rpt_supply *supply,
                         struct rpt_range range, uint32_t of, uint32_t at)
{
    int me = r->f->c->rank;
    uint64_t to = rpt__xor_range(r->lost, at, r->set->chunk, 0).begin;
    uint32_t key = of * r->set->n_members + at;
    rpt_status_t status = RPT_OK;

    if (from->holder == me) {
        status = rpt__ship_send(&r->ship, r->on, key, supply, range);
    }
    if (status == RPT_OK && r->on == me) {
        status = rpt__ship_expect(&r->ship, from->holder, key, r->memory + to,
                                  range.bytes);
    }
    return status;
}

static rpt_status_t open_supply(struct rebuilding *r,
                                const struct rpt_seen *seen,
                                const struct rpt_supply **supply_out)
{
    struct rpt_supply *supply = &r->supplies[r->n_supplies];
    rpt_status_t status = RPT_OK;

    *supply_out = supply;
    if (seen->holder == r->f->c->rank) {
        status = rpt__own_open(r->f, seen->index, supply);
        r->n_supplies += status == RPT_OK;
    }
    return status;
}

/* What member i has: its parity, and its chunks for the others. */
static rpt_status_t give_member(struct rebuilding *r, uint32_t i)
{
    const struct rpt_finding *f = r->f;
    const struct rpt_local_member *member = &r->set->members[i];
    const struct rpt_seen *seen = &f->seen[parity_of(f, r->set, i)];
    const struct rpt_supply *supply;
    struct rpt_range all = { seen->bytes - r->set->chunk, r->set->chunk };
    rpt_status_t status = open_supply(r, seen, &supply);

    if (status == RPT_OK) {
        status = give(r, seen, supply, all, i, i);
    }
    if (status != RPT_OK || member->rank == UINT32_MAX) {
        return status;
    }
    seen = &f->seen[rpt__found_part(f, r->set->head.id, member->rank)];
    status = open_supply(r, seen, &supply);
    for (uint32_t at = 0; at < r->set->n_members && status == RPT_OK; at++) {
        if (at != i && at != r->lost) {
            status = give(r, seen, supply,
                          rpt__xor_range(i, at, r->set->chunk, member->bytes),
                          i, at);
        }
    }
    return status;
}

static rpt_status_t plan(struct rebuilding *r)
{
    uint32_t n = r->set->n_members;
    uint64_t bytes = r->set->chunk * (n - 1);
    rpt_status_t status = RPT_OK;

    r->supplies = calloc(2 * (size_t)n, sizeof *r->supplies);
    if (r->on == r->f->c->rank && bytes < SIZE_MAX) {
        r->memory = calloc((size_t)bytes + 1, 1);
    }
    if (r->supplies == NULL || (r->on == r->f->c->rank && r->memory == NULL)) {
        return rpt__fail_nomem((size_t)bytes);
    }
    for (uint32_t i = 0; i < n && status == RPT_OK; i++) {
        if (i != r->lost) {
            status = give_member(r, i);
        }
    }
    return status;
}

/* On the rank that has it now. */
static rpt_status_t accept(struct rebuilding *r, uint32_t rank,
                           struct rpt_held *held)
{
    static const char name[] = "a part that was rebuilt by parity";
    rpt_status_t status;

    held->memory = r->memory;
    r->memory = NULL;
    held->piece = (struct rpt_piece){ held->memory,
                                      r->set->members[r->lost].bytes };
    held->supply = (struct rpt_supply){ &held->piece, 1, -1,
                                        held->piece.bytes };
    status = rpt__local_read(name, &held->supply, &held->local);
    if (status == RPT_OK) {
        status = rpt__local_verify(name, &held->supply, &held->local.head);
    }
    if (status == RPT_OK && (held->local.head.id != r->set->head.id ||
                             held->local.head.number != rank)) {
        rpt__fail(RPT_ERR_CORRUPT, "%s is of another checkpoint", name);
        status = RPT_ERR_CORRUPT;
    }
    return status;
}

rpt_status_t rpt__rebuild(const struct rpt_finding *f, uint64_t id,
                          uint32_t rank, int on, struct rpt_held *held_out)
{
    struct rebuilding r = { .f = f, .on = on };
    rpt_status_t status;

    r.set = set_for(f, id, rank, &r.lost);
    r.ship.id = id + rank + 1;
    status = plan(&r);
    status = rpt__ship_run(f->c, &r.ship, status);
    if (status == RPT_OK && on == f->c->rank) {
        status = accept(&r, rank, held_out);
    }
    for (size_t i = 0; i < r.n_supplies; i++) {
        close(r.supplies[i].fd);
    }
    free(r.supplies);
    free(r.memory);
    rpt__ship_free(&r.ship);
    return rpt__talk_agree(f->c->group, call, status);
}
