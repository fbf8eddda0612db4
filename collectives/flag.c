/*
 * flag.c - flags of simulated ranks, and what ranks know of each other
 *
 * Who raises a flag tells all that it knows, who sees that value knows it too.
 * So a flag remembers each value to which it was raised in this run, and what
 * its rank knew then.
 *
 * A run may begin when its block is free: nobody reads the stage of the run
 * before the last one, nor what lies beside the flag there.  Ranks that meet
 * first raise their flags once for that, and compare what lies beside them.
 */
#include "collectives/simulate_priv.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

/* ---- what ranks know ---- */

rpt_status_t rpt__clock_keep(struct rpt_simulation *sim)
{
    size_t p = (size_t)sim->n_ranks;

    for (int r = 0; r < sim->n_ranks; r++) {
        struct rpt_sim_rank *rank = &sim->ranks[r];

        rank->seen = calloc(p, sizeof *rank->seen);
        rank->clock = calloc(p, sizeof *rank->clock);
        if (rank->seen == NULL || rank->clock == NULL) {
            return rpt__fail_nomem(p * sizeof *rank->seen);
        }
        rank->clock[r] = 1;
        for (int turn = 0; turn < 2; turn++) {
            rpt_status_t status = rpt__memory_resize(&rank->head[turn], 1,
                                                     sim->n_ranks);

            if (status != RPT_OK) {
                return status;
            }
        }
    }
    sim->has_stages = true;
    return RPT_OK;
}

uint32_t *rpt__clock_tell(struct rpt_simulation *sim, int r)
{
    size_t bytes = (size_t)sim->n_ranks * sizeof(uint32_t);
    uint32_t *copy = malloc(bytes);

    if (copy != NULL) {
        memcpy(copy, sim->ranks[r].clock, bytes);
        sim->ranks[r].clock[r]++;
    }
    return copy;
}

void rpt__clock_hear(struct rpt_simulation *sim, int r, const uint32_t *told)
{
    uint32_t *clock = sim->ranks[r].clock;

    for (int i = 0; told != NULL && i < sim->n_ranks; i++) {
        clock[i] = told[i] > clock[i] ? told[i] : clock[i];
    }
}

/* ---- flags ---- */

rpt_status_t rpt__flag_raise(struct rpt_simulation *sim, int r, uint64_t value)
{
    struct rpt_sim_rank *rank = &sim->ranks[r];
    struct rpt_raise *raises;

    if (value <= rank->flag || value > rank->end) {
        return rpt__fail(RPT_ERR_STATE,
                         "rank %d raises its flag from %d to %d, of %u", r,
                         (int)(rank->flag - rank->base),
                         (int)(value - rank->base), rank->schedule->n_values);
    }
    if (!rank->has_raised && rpt__memory_write_head(sim, r) != RPT_OK) {
        return RPT_ERR_STATE;
    }
    rank->has_raised = true;
    raises = realloc(rank->raises, (rank->n_raises + 1) * sizeof *raises);
    if (raises == NULL) {
        return rpt__fail_nomem((rank->n_raises + 1) * sizeof *raises);
    }
    rank->raises = raises;
    raises[rank->n_raises].value = value;
    raises[rank->n_raises].clock = rpt__clock_tell(sim, r);
    if (raises[rank->n_raises].clock == NULL) {
        return rpt__fail_nomem((size_t)sim->n_ranks * sizeof(uint32_t));
    }
    rank->n_raises++;
    rank->flag = value;
    return RPT_OK;
}

/* Whether the peer's flag is that high; then r knows what the peer knew. */
static bool sees_flag(struct rpt_simulation *sim, int r, int peer,
                      uint64_t value)
{
    const struct rpt_sim_rank *other = &sim->ranks[peer];

    if (other->flag < value) {
        return false;
    }
    if (value > sim->ranks[r].seen[peer]) {
        size_t i = other->n_raises - 1;

        while (i > 0 && other->raises[i - 1].value >= value) {
            i--;
        }
        rpt__clock_hear(sim, r, other->raises[i].clock);
        sim->ranks[r].seen[peer] = value;
    }
    return true;
}

static bool sees_all(struct rpt_simulation *sim, int r, uint64_t value)
{
    for (int i = 0; i < sim->n_ranks; i++) {
        if (i != r && sim->node[i] == sim->node[r] &&
            !sees_flag(sim, r, i, value)) {
            return false;
        }
    }
    return true;
}

rpt_status_t rpt__flag_wait(struct rpt_simulation *sim, int r,
                            const struct rpt_step *step)
{
    if (step->peer < 0 || step->peer >= sim->n_ranks ||
        sim->node[step->peer] != sim->node[r]) {
        return rpt__fail(RPT_ERR_STATE, "rank %d waits for the flag of rank %d",
                         r, step->peer);
    }
    if (!sees_flag(sim, r, step->peer, sim->ranks[r].base + step->value)) {
        return RPT_PENDING;
    }
    rpt__memory_read_head(sim, r, step->peer);
    return RPT_OK;
}

void rpt__flag_forget(struct rpt_sim_rank *rank)
{
    for (size_t i = 0; i + 1 < rank->n_raises; i++) {
        free(rank->raises[i].clock);
    }
    if (rank->n_raises > 1) {
        rank->raises[0] = rank->raises[rank->n_raises - 1];
        rank->n_raises = 1;
    }
}

/* ---- before the first step ---- */

/* As rpt__run_meet() does. */
static rpt_status_t meet(struct rpt_simulation *sim, int r, bool *moved)
{
    struct rpt_sim_rank *rank = &sim->ranks[r];
    rpt_status_t status = RPT_OK;

    if (!rank->has_raised) {
        status = rpt__flag_raise(sim, r, rank->base + 1);
        *moved = true;
    }
    for (; status == RPT_OK && rank->n_met < sim->n_ranks; rank->n_met++) {
        int i = rank->n_met;
        const struct rpt_step step = { .kind = RPT_STEP_WAIT,
                                       .peer = i,
                                       .value = 1 };

        if (i != r && sim->node[i] == sim->node[r]) {
            status = rpt__flag_wait(sim, r, &step);
        }
        if (status != RPT_OK) {
            return status;
        }
    }
    if (status == RPT_OK) {
        rank->has_met = *moved = true;
        rank->base++;
    }
    return status;
}

rpt_status_t rpt__flag_begin(struct rpt_simulation *sim, int r, bool *moved)
{
    struct rpt_sim_rank *rank = &sim->ranks[r];
    uint64_t free_at = rank->free_at[rank->turn];

    rank->begun = rank->begun || rank->n_values == 0 ||
                  rank->seen_all >= free_at || sees_all(sim, r, free_at);
    if (!rank->begun) {
        return RPT_PENDING;
    }
    return rank->has_met ? RPT_OK : meet(sim, r, moved);
}

/* Whether r knows that the flag of i was raised so high in this run. */
static bool knows_flag(const struct rpt_simulation *sim, int r, int i,
                       uint64_t value)
{
    const struct rpt_sim_rank *other = &sim->ranks[i];
    size_t first = 0;

    while (first < other->n_raises && other->raises[first].value < value) {
        first++;
    }
    return first < other->n_raises &&
           sim->ranks[r].clock[i] >= other->raises[first].clock[i];
}

rpt_status_t rpt__flag_check_seen(struct rpt_simulation *sim, int r)
{
    struct rpt_sim_rank *rank = &sim->ranks[r];
    uint64_t value = rank->base + rank->schedule->seen_value;

    if (rank->schedule->seen_value == 0) {
        return RPT_OK;
    }
    for (int i = 0; i < sim->n_ranks; i++) {
        if (i != r && sim->node[i] == sim->node[r] &&
            !knows_flag(sim, r, i, value)) {
            return rpt__fail(RPT_ERR_STATE,
                             "rank %d has not seen value %u of rank %d", r,
                             rank->schedule->seen_value, i);
        }
    }
    rank->seen_all = value;
    return RPT_OK;
}
