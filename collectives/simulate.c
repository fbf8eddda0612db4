/*
 * simulate.c - ranks that take their steps in turn, until none can
 *
 * A rank goes on while a step of one of its active lanes can be taken.  When no
 * rank can and one is not done, that is a deadlock.  What was sent stays in a
 * list of the sender until the run is over, with the symbols as they were.
 */
#include "collectives/simulate_priv.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

/* ---- make and release ---- */

rpt_status_t rpt__simulation_create(int n_ranks, const int node[],
                                    struct rpt_simulation **sim_out)
{
    size_t p = (size_t)n_ranks;
    struct rpt_simulation *sim = calloc(1, sizeof *sim);

    if (sim == NULL) {
        return rpt__fail_nomem(sizeof *sim);
    }
    sim->n_ranks = n_ranks;
    sim->node = calloc(p, sizeof *sim->node);
    sim->ranks = calloc(p, sizeof *sim->ranks);
    if (sim->node == NULL || sim->ranks == NULL) {
        rpt__simulation_destroy(sim);
        return rpt__fail_nomem(p * sizeof *sim->ranks);
    }
    if (node != NULL) {
        memcpy(sim->node, node, p * sizeof *node);
    }
    for (size_t r = 0; r < p; r++) {
        STAILQ_INIT(&sim->ranks[r].sent);
    }
    *sim_out = sim;
    return RPT_OK;
}

static void forget_sent(struct rpt_sim_rank *rank)
{
    struct rpt_sent *sent;

    while ((sent = STAILQ_FIRST(&rank->sent)) != NULL) {
        STAILQ_REMOVE_HEAD(&rank->sent, link);
        free(sent->clock);
        free(sent);
    }
}

void rpt__simulation_destroy(struct rpt_simulation *sim)
{
    if (sim == NULL) {
        return;
    }
    for (int r = 0; sim->ranks != NULL && r < sim->n_ranks; r++) {
        struct rpt_sim_rank *rank = &sim->ranks[r];

        forget_sent(rank);
        rpt__memory_free(&rank->input);
        rpt__memory_free(&rank->output);
        rpt__memory_free(&rank->scratch);
        rpt__memory_free(&rank->stage[0]);
        rpt__memory_free(&rank->stage[1]);
        rpt__memory_free(&rank->head[0]);
        rpt__memory_free(&rank->head[1]);
        for (size_t i = 0; i < rank->n_raises; i++) {
            free(rank->raises[i].clock);
        }
        free(rank->raises);
        free(rank->seen);
        free(rank->clock);
        free(rank->lanes);
    }
    free(sim->ranks);
    free(sim->node);
    free(sim);
}

/* ---- steps ---- */

static struct rpt_sent *find_sent(struct rpt_simulation *sim, int from, int to,
                                  uint32_t number)
{
    struct rpt_sent *sent;

    STAILQ_FOREACH (sent, &sim->ranks[from].sent, link) {
        if (sent->dest == to && sent->number == number && !sent->taken) {
            break;
        }
    }
    return sent;
}

static rpt_status_t send(struct rpt_simulation *sim, int r, size_t lane,
                         const struct rpt_step *step)
{
    struct rpt_sim_rank *rank = &sim->ranks[r];
    struct rpt_place from = rank->schedule->inputs[step->first_input];
    const struct rpt_symbol *symbols = rpt__memory_read(sim, r, from,
                                                        step->count);
    struct rpt_sent *sent;

    if (symbols == NULL) {
        return RPT_ERR_STATE;
    }
    if (step->peer < 0 || step->peer >= sim->n_ranks || step->peer == r) {
        return rpt__fail(RPT_ERR_STATE, "rank %d sends to rank %d", r,
                         step->peer);
    }
    sent = calloc(1, sizeof *sent + step->count * sizeof *symbols);
    if (sent == NULL) {
        return rpt__fail_nomem(step->count * sizeof *symbols);
    }
    sent->kind = sim->in_place && from.kind == RPT_IN_INPUT ? RPT_IN_OUTPUT
                                                            : from.kind;
    sent->offset = from.offset;
    sent->count = step->count;
    sent->lane = lane;
    sent->number = rank->schedule->lanes[lane].number;
    sent->dest = step->peer;
    sent->round = rank->lanes[lane].round + 1;
    memcpy(sent->symbols, symbols, step->count * sizeof *symbols);
    STAILQ_INSERT_TAIL(&rank->sent, sent, link);
    rank->tally.n_messages++;
    rank->tally.n_sent += step->count;
    if (sim->has_stages) {
        sent->clock = rpt__clock_tell(sim, r);
    }
    return RPT_OK;
}

/* Whether a lane waits for a message that may come into this range at any
 * moment. */
static bool is_received_into(const struct rpt_simulation *sim,
                             const struct rpt_step *pending,
                             struct rpt_place place, size_t count)
{
    enum rpt_place_kind kind = sim->in_place && place.kind == RPT_IN_INPUT
                                   ? RPT_IN_OUTPUT
                                   : place.kind;

    return pending->to.kind == kind &&
           pending->to.offset < place.offset + count &&
           place.offset < pending->to.offset + pending->count;
}

static bool touches(const struct rpt_simulation *sim,
                    const struct rpt_schedule *schedule,
                    const struct rpt_step *step, const struct rpt_step *pending)
{
    bool writes = step->kind == RPT_STEP_COPY ||
                  step->kind == RPT_STEP_REDUCE || step->kind == RPT_STEP_RECV;

    for (int i = 0; i < step->n_inputs; i++) {
        if (is_received_into(sim, pending,
                             schedule->inputs[step->first_input + (size_t)i],
                             step->count)) {
            return true;
        }
    }
    return writes && is_received_into(sim, pending, step->to, step->count);
}

/* The step at which a lane waits for a message, or NULL. */
static const struct rpt_step *receives(const struct rpt_sim_rank *rank,
                                       size_t lane)
{
    const struct rpt_lane *steps = &rank->schedule->lanes[lane];
    size_t next = rank->lanes[lane].next;
    const struct rpt_step *step =
        &rank->schedule->steps[steps->first_step + next];

    return next < steps->n_steps && step->kind == RPT_STEP_RECV ? step : NULL;
}

/* Whether another lane waits for a message in a place that the step needs. */
static rpt_status_t disturbs(const struct rpt_simulation *sim, int r,
                             size_t lane, const struct rpt_step *step)
{
    const struct rpt_sim_rank *rank = &sim->ranks[r];
    const struct rpt_schedule *schedule = rank->schedule;
    size_t end = rank->n_over + schedule->window;

    for (size_t other = rank->n_over; other < schedule->n_lanes && other < end;
         other++) {
        const struct rpt_step *pending = receives(rank, other);

        if (schedule->lanes[other].begins_part && other > rank->n_over) {
            break;
        }
        if (other != lane && pending != NULL &&
            touches(sim, schedule, step, pending)) {
            return rpt__fail(RPT_ERR_STATE,
                             "rank %d: lane %zu uses a place into which lane "
                             "%zu is receiving",
                             r, lane, other);
        }
    }
    return RPT_OK;
}

/* RPT_PENDING: nothing is there. */
static rpt_status_t receive(struct rpt_simulation *sim, int r, size_t lane,
                            const struct rpt_step *step)
{
    struct rpt_sim_rank *rank = &sim->ranks[r];
    struct rpt_symbol *to;
    struct rpt_sent *sent;

    if (step->peer < 0 || step->peer >= sim->n_ranks || step->peer == r) {
        return rpt__fail(RPT_ERR_STATE, "rank %d receives from rank %d", r,
                         step->peer);
    }
    sent = find_sent(sim, step->peer, r, rank->schedule->lanes[lane].number);
    if (sent == NULL) {
        return RPT_PENDING;
    }
    if (sent->count != step->count) {
        return rpt__fail(RPT_ERR_STATE,
                         "rank %d sends %zu elements to rank %d, which wants "
                         "%zu",
                         step->peer, sent->count, r, step->count);
    }
    if (disturbs(sim, r, lane, step) != RPT_OK) {
        return RPT_ERR_STATE;
    }
    to = rpt__memory_write(sim, r, step->to, step->count);
    if (to == NULL) {
        return RPT_ERR_STATE;
    }
    memcpy(to, sent->symbols, step->count * sizeof *to);
    sent->taken = true;
    rpt__clock_hear(sim, r, sent->clock);
    rank->tally.n_received += step->count;
    if (sent->round > rank->lanes[lane].round) {
        rank->lanes[lane].round = sent->round;
    }
    return RPT_OK;
}

/* All that the lane has sent but for the last ones is received: free. */
static bool flush(struct rpt_sim_rank *rank, size_t lane, uint32_t but_last)
{
    struct rpt_sent *sent;
    size_t n = 0;

    STAILQ_FOREACH (sent, &rank->sent, link) {
        n += sent->lane == lane;
    }
    n = n > but_last ? n - but_last : 0;
    STAILQ_FOREACH (sent, &rank->sent, link) {
        if (n > 0 && sent->lane == lane) {
            if (!sent->taken) {
                return false;
            }
            sent->done = true;
            n--;
        }
    }
    return true;
}

/* COPY is a REDUCE of one. */
static rpt_status_t reduce(struct rpt_simulation *sim, int r,
                           const struct rpt_step *step)
{
    struct rpt_sim_rank *rank = &sim->ranks[r];
    const struct rpt_place *inputs = rank->schedule->inputs + step->first_input;
    size_t bytes = step->count * sizeof(struct rpt_symbol);
    struct rpt_symbol *sum = malloc(bytes), *to;

    if (sum == NULL) {
        return rpt__fail_nomem(bytes);
    }
    for (int i = 0; i < step->n_inputs; i++) {
        const struct rpt_symbol *symbols = rpt__memory_read(sim, r, inputs[i],
                                                            step->count);

        if (symbols == NULL) {
            free(sum);
            return RPT_ERR_STATE;
        }
        for (size_t e = 0; e < step->count; e++) {
            sum[e] = i == 0 ? symbols[e]
                            : rpt__symbol_combine(sum[e], symbols[e]);
        }
    }
    to = rpt__memory_write(sim, r, step->to, step->count);
    for (int i = 0; to != NULL; i++) {
        memcpy(to, sum, bytes);
        i += i == r;
        if (!step->everywhere || i >= sim->n_ranks) {
            break;
        }
        to = rpt__memory_write(sim, r, rpt__output_of(i, step->to.offset),
                               step->count);
        rank->tally.n_copied += step->count;
    }
    free(sum);
    if (step->kind == RPT_STEP_COPY) {
        rank->tally.n_copied += step->count;
    } else {
        rank->tally.n_reduced += step->count * (size_t)(step->n_inputs - 1);
    }
    return to != NULL ? RPT_OK : RPT_ERR_STATE;
}

static rpt_status_t take_step(struct rpt_simulation *sim, int r, size_t lane,
                              const struct rpt_step *step)
{
    rpt_status_t status;

    switch (step->kind) {
    case RPT_STEP_COPY:
    case RPT_STEP_REDUCE:
        status = disturbs(sim, r, lane, step);
        return status == RPT_OK ? reduce(sim, r, step) : status;
    case RPT_STEP_SEND:
        status = disturbs(sim, r, lane, step);
        return status == RPT_OK ? send(sim, r, lane, step) : status;
    case RPT_STEP_RECV:
        return receive(sim, r, lane, step);
    case RPT_STEP_FLUSH:
        return flush(&sim->ranks[r], lane, step->value) ? RPT_OK : RPT_PENDING;
    case RPT_STEP_SIGNAL:
        return rpt__flag_raise(sim, r, sim->ranks[r].base + step->value);
    case RPT_STEP_WAIT:
    default:
        return rpt__flag_wait(sim, r, step);
    }
}

/* ---- lanes and ranks ---- */

/* RPT_PENDING: as far as it goes now. */
static rpt_status_t run_lane(struct rpt_simulation *sim, int r, size_t lane,
                             bool *moved)
{
    struct rpt_sim_rank *rank = &sim->ranks[r];
    const struct rpt_lane *steps = &rank->schedule->lanes[lane];
    struct rpt_sim_lane *state = &rank->lanes[lane];

    while (state->next < steps->n_steps) {
        rpt_status_t status = take_step(
            sim, r, lane,
            &rank->schedule->steps[steps->first_step + state->next]);

        if (status != RPT_OK) {
            return status;
        }
        state->next++;
        *moved = true;
    }
    if (state->round > rank->tally.n_rounds) {
        rank->tally.n_rounds = state->round;
    }
    return flush(rank, lane, 0) ? RPT_OK : RPT_PENDING;
}

static rpt_status_t run_rank(struct rpt_simulation *sim, int r, bool *moved)
{
    struct rpt_sim_rank *rank = &sim->ranks[r];
    const struct rpt_schedule *schedule = rank->schedule;
    size_t end = rank->n_over + schedule->window;
    rpt_status_t status = rpt__flag_begin(sim, r, moved);

    if (status != RPT_OK) {
        return status < RPT_OK ? status : RPT_OK;
    }
    for (size_t lane = rank->n_over; lane < schedule->n_lanes && lane < end;
         lane++) {
        if (schedule->lanes[lane].begins_part && lane > rank->n_over) {
            break;
        }
        status = run_lane(sim, r, lane, moved);

        if (status < RPT_OK) {
            return status;
        }
        if (status == RPT_OK && lane == rank->n_over) {
            rank->n_over++;
            end++;
            *moved = true;
        }
    }
    return RPT_OK;
}

static rpt_status_t deadlock(const struct rpt_simulation *sim)
{
    for (int r = 0; r < sim->n_ranks; r++) {
        const struct rpt_sim_rank *rank = &sim->ranks[r];

        if (!rank->begun || !rank->has_met) {
            return rpt__fail(RPT_ERR_STATE, "deadlock: rank %d waits %s", r,
                             rank->begun ? "for ranks that do not come"
                                         : "for its stage");
        }
        if (rank->n_over < rank->schedule->n_lanes) {
            return rpt__fail(
                RPT_ERR_STATE,
                "deadlock: rank %d waits in lane %zu at step %zu of %zu", r,
                rank->n_over, rank->lanes[rank->n_over].next,
                rank->schedule->lanes[rank->n_over].n_steps);
        }
    }
    return RPT_OK;
}

static rpt_status_t run_all(struct rpt_simulation *sim)
{
    bool moved = true;

    while (moved) {
        moved = false;
        for (int r = 0; r < sim->n_ranks; r++) {
            rpt_status_t status = run_rank(sim, r, &moved);

            if (status != RPT_OK) {
                return status;
            }
        }
    }
    return deadlock(sim);
}

/* ---- one collective ---- */

static rpt_status_t begin_rank(struct rpt_simulation *sim, int r,
                               const struct rpt_schedule *schedule,
                               size_t n_input, size_t n_output)
{
    struct rpt_sim_rank *rank = &sim->ranks[r];
    struct rpt_memory *input = sim->in_place ? &rank->output : &rank->input;
    int n_readers = schedule->pulls ? sim->n_ranks : 0;
    rpt_status_t status;

    rank->schedule = schedule;
    rank->begun = rank->has_raised = false;
    rank->meets = sim->meets || schedule->pulls;
    rank->has_met = !rank->meets;
    rank->n_met = 0;
    rank->n_values = schedule->n_values + rank->meets;
    rank->end = rank->base + rank->n_values;
    rank->n_over = 0;
    memset(&rank->tally, 0, sizeof rank->tally);
    free(rank->lanes);
    rank->lanes = calloc(schedule->n_lanes + 1, sizeof *rank->lanes);
    if (rank->lanes == NULL) {
        return rpt__fail_nomem(schedule->n_lanes * sizeof *rank->lanes);
    }
    rpt__memory_free(&rank->input);
    rpt__memory_free(&rank->output);
    rpt__memory_free(&rank->scratch);
    status = rpt__memory_resize(&rank->output, n_output, n_readers);
    if (status == RPT_OK) {
        status = rpt__memory_resize(input, n_input, n_readers);
    }
    if (status == RPT_OK) {
        status = rpt__memory_resize(&rank->scratch, schedule->scratch_count, 0);
    }
    if (status == RPT_OK) {
        status = rpt__memory_resize(&rank->stage[rank->turn],
                                    schedule->stage_count, sim->n_ranks);
    }
    if (status == RPT_OK && schedule->stage_count > 0) {
        memset(rank->stage[rank->turn].symbols, 0,
               rank->stage[rank->turn].n * sizeof(struct rpt_symbol));
    }
    for (size_t i = 0; status == RPT_OK && i < n_input; i++) {
        input->symbols[i] = rpt__symbol_leaf(r, i);
    }
    rpt__memory_open(sim, r, &rank->input);
    rpt__memory_open(sim, r, &rank->output);
    if (status == RPT_OK && schedule->has_token) {
        rank->scratch.symbols[0] = rpt__symbol_leaf(r, 0);
    }
    return status;
}

/* The lowest rank of the node. */
static int first_near(const struct rpt_simulation *sim, int r)
{
    int first = 0;

    while (sim->node[first] != sim->node[r]) {
        first++;
    }
    return first;
}

/* What the schedule has promised of its own flag. */
static rpt_status_t end_rank(struct rpt_simulation *sim, int r)
{
    struct rpt_sim_rank *rank = &sim->ranks[r];
    const struct rpt_schedule *schedule = rank->schedule;
    int first = first_near(sim, r);
    uint32_t n_values = sim->ranks[first].n_values;

    forget_sent(rank);
    rpt__flag_forget(rank);
    if (rank->n_values != n_values ||
        (n_values > 0 && rank->flag != rank->end)) {
        return rpt__fail(RPT_ERR_STATE,
                         "rank %d ends with flag %d of %u, rank %d of %u", r,
                         (int)(rank->flag + rank->n_values - rank->end),
                         rank->n_values, first, n_values);
    }
    if (schedule->stage_count != sim->ranks[first].schedule->stage_count) {
        return rpt__fail(RPT_ERR_STATE,
                         "rank %d has a stage of %zu elements, rank %d of %zu",
                         r, schedule->stage_count, first,
                         sim->ranks[first].schedule->stage_count);
    }
    if (n_values > 0) {
        rank->free_at[rank->turn] = rpt__schedule_free_at(
            schedule, rank->meets, rank->base, rank->end);
    }
    if (rpt__memory_release(sim, r, &rank->input) != RPT_OK) {
        return RPT_ERR_STATE;
    }
    return rpt__memory_release(sim, r, &rank->output);
}

/* The next collective begins where this one has ended. */
static void turn(struct rpt_sim_rank *rank)
{
    if (rank->n_values > 0) {
        rank->base = rank->end;
        rank->turn = 1 - rank->turn;
    }
}

void rpt__simulation_meet(struct rpt_simulation *sim, bool always)
{
    sim->meets = always;
}

rpt_status_t rpt__simulation_run(struct rpt_simulation *sim,
                                 const struct rpt_schedule schedules[],
                                 const size_t n_input[],
                                 const size_t n_output[], bool in_place)
{
    rpt_status_t status = RPT_OK;

    sim->in_place = in_place;
    for (int r = 0; r < sim->n_ranks && status == RPT_OK; r++) {
        bool has_flags = sim->meets || schedules[r].pulls ||
                         schedules[r].n_values > 0;

        if (has_flags && !sim->has_stages) {
            status = rpt__clock_keep(sim);
        }
    }
    for (int r = 0; r < sim->n_ranks && status == RPT_OK; r++) {
        status = schedules[r].status != RPT_OK
                     ? schedules[r].status
                     : begin_rank(sim, r, &schedules[r], n_input[r],
                                  n_output[r]);
    }
    if (status == RPT_OK) {
        status = run_all(sim);
    }
    for (int r = 0; r < sim->n_ranks && status == RPT_OK; r++) {
        status = rpt__flag_check_seen(sim, r);
    }
    for (int r = 0; r < sim->n_ranks && status == RPT_OK; r++) {
        status = end_rank(sim, r);
    }
    for (int r = 0; r < sim->n_ranks && status == RPT_OK; r++) {
        turn(&sim->ranks[r]);
    }
    return status;
}

const struct rpt_symbol *
rpt__simulation_output(const struct rpt_simulation *sim, int rank)
{
    return sim->ranks[rank].output.symbols;
}

const struct rpt_tally *rpt__simulation_tally(const struct rpt_simulation *sim,
                                              int rank)
{
    return &sim->ranks[rank].tally;
}
