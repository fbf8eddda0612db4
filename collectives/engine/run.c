/*
 * run.c - takes the steps of a schedule, as far as they go
 *
 * Lanes go side by side within the window.  Flags are read with acquire and
 * raised with release; a raised flag is followed by a light fence and a look
 * whether somebody sleeps.
 */
#include "collectives/engine/run.h"

#include "collectives/engine/fetch.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/fence.h"
#include "base/futex.h"
#include "base/size.h"

#include <string.h>

/* So many bytes may go past the caches: see pace.h.  Those of a large output do
 * in any case. */
enum {
    STREAM_TO_STAGE = 4 * 1024,
    STREAM_OUT_PAST = 1 << 20,
    STREAM_OUT = 8 << 20,
    SUM_BLOCK = 8 * 1024,
    MOVE_FROM = 32 * 1024,
    STAGE_ALIGNMENT = 64,
    LINE_BYTES = 64
};

/* Stages lie one behind the other in a long block, and begin anew with twice
 * the room: to write a line that another core has just read takes much longer
 * than one that both cores have lost since; but so does touching new pages.
 * Short ones stay. */
static void place_stage(struct rpt_run *run)
{
    struct rpt_team *team = run->team;
    size_t most = team->slice.stage_bytes;
    size_t *at = &team->stage_at[run->turn - RPT_N_SHORT];
    size_t *room = &team->stage_room[run->turn - RPT_N_SHORT];

    run->stage_offset = RPT_STAGE_OFFSET;
    if (run->stage_stays || run->stage_bytes < MOVE_FROM) {
        return;
    }
    if (*at > *room || run->stage_bytes > *room - *at) {
        *at = 0;
        *room = 2 * *room > run->stage_bytes ? 2 * *room : run->stage_bytes;
        *room = *room < most ? *room : most;
    }
    run->stage_offset += *at;
    *at += rpt__size_align(run->stage_bytes, STAGE_ALIGNMENT);
}

void rpt__run_note(const struct rpt_run *run)
{
    struct rpt_team *team = run->team;
    struct rpt_past *past = &team->past[run->seq % RPT_N_PAST];

    if (atomic_load_explicit(&past->number, memory_order_relaxed) ==
        run->seq + 1) {
        return;
    }
    team->history = rpt__signature_next(run->signature);
    atomic_store_explicit(&past->number, 0, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    atomic_store_explicit(&past->what, run->signature.what,
                          memory_order_relaxed);
    atomic_store_explicit(&past->size, run->signature.size,
                          memory_order_relaxed);
    atomic_store_explicit(&past->history, run->signature.history,
                          memory_order_relaxed);
    atomic_store_explicit(&past->number, run->seq + 1, memory_order_release);
}

void rpt__run_begin(struct rpt_run *run)
{
    struct rpt_team *team = run->team;

    run->status = RPT_OK;
    run->flag = team->flag;
    /* One thread at a time begins; the loop only looks. */
    run->seq = atomic_load_explicit(&team->n_runs, memory_order_relaxed);
    atomic_store_explicit(&team->n_runs, run->seq + 1, memory_order_relaxed);
    run->signature.history = team->history;
    run->schedule = run->usual;
    run->begun = run->n_values == 0;
    run->has_raised = run->taken = false;
    run->patience.piece_s = 0;
    run->has_met = !run->meets;
    run->by_kernel = false;
    run->end = run->flag + run->n_values;
    run->entered = run->ops == NULL;
    run->asked_s = 0;
    run->n_over = rpt__run_will_check(run) ? 0 : run->n_checks;
    team->ahead = run->n_over > 0 ? run->lets_ahead : RPT_AHEAD_NOT;
    run->n_sends = run->first_send = 0;
    run->waiting = NULL;
    for (size_t i = 0; i < run->n_lanes; i++) { /* mostly one */
        run->lanes[i] = (struct rpt_lane_state){ 0, 0, 0 };
    }
    run->trial = (struct rpt_trial){
        .is_past = run->pace >= 0 && !team->paces[run->role][run->pace].is_usual
    };
    run->before = (struct rpt_trace){ 0 };
    run->awaited = -1;
    if (run->n_values > 0) {
        run->turn = run->is_short
                        ? (int)(team->n_short++ % RPT_N_SHORT)
                        : RPT_N_SHORT + (int)(team->n_long++ % RPT_N_LONG);
        team->flag = run->end;
        run->before = team->latest;
        team->latest = (struct rpt_trace){
            run->turn, run->flag, run->seq, run->signature, true
        };
    }
    if (run->n_values > 0 && !run->is_short) {
        place_stage(run);
    }
}

/* ---- the next call of this kind ---- */

static struct rpt_block_head *next_block(const struct rpt_run *run, int rank)
{
    return rpt__team_block(run->team, (run->turn + 1) % RPT_N_SHORT, rank);
}

/* Of what this rank writes next others have the lines, from a round of turns
 * ago.  To have them back takes about as long as a flag on its way: it begins
 * here, while the caller computes.  In vain, and not for nothing, where it does
 * not write: so only if all write in such a call, or it has done the same twice
 * (roots may go round). */
static void take_back_next(const struct rpt_run *run)
{
    struct rpt_team *team = run->team;
    bool is_likely = run->schedule->seen_value > 0 ||
                     run->role == team->last_role;
    char *block = (char *)next_block(run, team->rank);

    team->last_role = run->role;
    if (!is_likely) {
        return;
    }
    rpt__fetch_to_write(block);
    for (size_t at = 0; run->stage_bytes > RPT_STAGE_TINY &&
                        at < run->stage_bytes;
         at += LINE_BYTES) {
        rpt__fetch_to_write(block + RPT_SHORT_OFFSET + at);
    }
}

/* ---- flags ---- */

/* Half-way round from a turn. */
static int turn_beyond(int turn)
{
    return turn < RPT_N_SHORT ? (turn + RPT_N_SHORT / 2) % RPT_N_SHORT
                              : 2 * RPT_N_SHORT + 1 - turn;
}

/* How far a rank has come, as far as that matters for a block of this turn: the
 * turns half-way round and next are likely to tell. */
static uint64_t progress_of(const struct rpt_team *team, int turn, int rank,
                            uint64_t wanted)
{
    uint64_t flag = rpt__team_flag_in(team, turn_beyond(turn), rank);

    if (flag < wanted && turn < RPT_N_SHORT) {
        flag = rpt__team_flag_in(team, (turn + 1) % RPT_N_SHORT, rank);
    }
    return flag >= wanted ? flag : rpt__team_flag_of(team, rank);
}

/* Whether all are so far; else_anywhere: not half-way round, but anywhere. */
static bool are_past(struct rpt_team *team, int turn, bool else_anywhere)
{
    uint64_t wanted = team->free_at[turn], least = UINT64_MAX;

    if (team->seen_all >= wanted) {
        return true;
    }
    for (int i = 0; i < team->n_near; i++) {
        int rank = team->near[i];

        if (rank != team->rank) {
            uint64_t flag =
                else_anywhere
                    ? progress_of(team, turn, rank, wanted)
                    : rpt__team_flag_in(team, turn_beyond(turn), rank);

            least = flag < least ? flag : least;
        }
    }
    if (least < wanted) {
        return false;
    }
    team->seen_all = least;
    return true;
}

static rpt_status_t begin_steps(struct rpt_run *run)
{
    run->begun = true;
    return rpt__run_follows(run) ? rpt__follow_begin(run) : RPT_OK;
}

static bool may_follow(struct rpt_run *run)
{
    return !rpt__run_follows(run) || rpt__follow_is_near(run);
}

bool rpt__run_is_free(struct rpt_run *run)
{
    return may_follow(run) &&
           (run->begun || are_past(run->team, run->turn, true));
}

bool rpt__run_has_room(struct rpt_run *run)
{
    return may_follow(run) &&
           (run->begun || are_past(run->team, run->turn, false));
}

static void ring_near(const struct rpt_team *team)
{
    for (int i = 0; i < team->n_near; i++) {
        if (team->near[i] != team->rank) {
            rpt__comm_ring(team->comm,
                           rpt__group_world_rank(team->group, team->near[i]));
        }
    }
}

/* A flag was raised: who does not see it yet sleeps, or will look again. */
static bool somebody_sleeps(const struct rpt_slice *slice)
{
    struct rpt_slice_head *head = slice->head;

    rpt__fence_light(slice->fences_lightly &&
                     atomic_load_explicit(&head->has_full_fences,
                                          memory_order_relaxed) == 0);
    return atomic_load_explicit(&head->n_sleeping, memory_order_relaxed) > 0;
}

void rpt__run_raise(struct rpt_run *run, uint32_t value)
{
    struct rpt_team *team = run->team;
    struct rpt_block_head *block = rpt__team_block(team, run->turn, team->rank);

    if (!run->has_raised) { /* from now on others read it */
        rpt__block_sign(block, run->signature);
        run->has_raised = true;
    }
    atomic_store_explicit(&block->flag, run->flag + value,
                          memory_order_release);
    if (somebody_sleeps(&team->slice)) {
        ring_near(team);
    }
}

/* Looks at the flag once, and so many times more. */
static rpt_status_t wait_shortly(struct rpt_run *run,
                                 const struct rpt_step *step, int n_more)
{
    const struct rpt_block_head *block = rpt__team_block(run->team, run->turn,
                                                         step->peer);
    uint64_t value = run->flag + step->value;

    while (atomic_load_explicit(&block->flag, memory_order_acquire) < value) {
        if (n_more-- <= 0) {
            return RPT_PENDING;
        }
        rpt__cpu_relax();
    }
    if (!rpt__signature_is_same(rpt__block_signature(block), run->signature)) {
        return rpt__run_mismatch(run, step->peer, rpt__block_signature(block));
    }
    return RPT_OK;
}

rpt_status_t rpt__run_wait_flag(struct rpt_run *run,
                                const struct rpt_step *step)
{
    return wait_shortly(run, step, 0);
}

const _Atomic uint64_t *rpt__run_flag(const struct rpt_run *run,
                                      uint64_t *value_out)
{
    const struct rpt_step *step = run->waiting;

    if (!run->begun || step == NULL || step->kind != RPT_STEP_WAIT) {
        return NULL;
    }
    *value_out = run->flag + step->value;
    return &rpt__team_block(run->team, run->turn, step->peer)->flag;
}

/* ---- steps ---- */

char *rpt__run_place(const struct rpt_run *run, struct rpt_place place)
{
    const struct rpt_team *team = run->team;
    size_t at = place.offset * run->element_bytes;

    switch (place.kind) {
    case RPT_IN_INPUT:
        return run->input + at;
    case RPT_IN_OUTPUT:
        return run->output + at;
    case RPT_IN_SCRATCH:
        return run->scratch + at;
    case RPT_IN_INPUT_OF:
    case RPT_IN_OUTPUT_OF:
        return rpt__run_buffer_of(run, place.rank,
                                  place.kind == RPT_IN_OUTPUT_OF) +
               at;
    case RPT_IN_STAGE:
    default:
        at += run->stage_offset;
        return (char *)rpt__team_block(team, run->turn, place.rank) + at;
    }
}

static void store(const struct rpt_run *run, char *to, const char *from,
                  size_t bytes, bool past_caches)
{
    if (past_caches) {
        run->stream(to, from, bytes);
    } else {
        memcpy(to, from, bytes);
    }
}

/* What others read. */
static bool stores_past(const struct rpt_run *run, size_t bytes)
{
    return run->trial.is_past && bytes >= STREAM_TO_STAGE;
}

/* What only this rank reads: where lines of others are far, the output may have
 * some too, if another rank has read it by the kernel. */
static bool streams_out(const struct rpt_run *run)
{
    return run->output_bytes >=
           (size_t)(run->trial.is_past ? STREAM_OUT_PAST : STREAM_OUT);
}

static bool stores_past_to(const struct rpt_run *run, struct rpt_place to,
                           size_t bytes)
{
    return to.kind == RPT_IN_STAGE
               ? stores_past(run, bytes)
               : to.kind == RPT_IN_OUTPUT && streams_out(run);
}

/* Whether this step sums what the next one copies for others: both are done at
 * once if the output goes past the caches, from where it would come back. */
static bool copies_too(const struct rpt_run *run, const struct rpt_step *step)
{
    const struct rpt_schedule *schedule = run->schedule;
    const struct rpt_step *next = step + 1;
    const struct rpt_place *from;

    if (step->kind != RPT_STEP_REDUCE || step->to.kind != RPT_IN_OUTPUT ||
        schedule->pulls || !streams_out(run) ||
        next == schedule->steps + schedule->n_steps ||
        next->kind != RPT_STEP_COPY || next->to.kind != RPT_IN_STAGE) {
        return false;
    }
    from = &schedule->inputs[next->first_input];
    return from->kind == RPT_IN_OUTPUT && from->offset == step->to.offset &&
           next->count == step->count;
}

static void copy(const struct rpt_run *run, const struct rpt_step *step)
{
    char *to = rpt__run_place(run, step->to);
    const char *from = rpt__run_place(run,
                                      run->schedule->inputs[step->first_input]);
    size_t bytes = step->count * run->element_bytes;

    if (to == from ||
        (step > run->schedule->steps && copies_too(run, step - 1))) {
        return;
    }
    store(run, to, from, bytes, stores_past_to(run, step->to, bytes));
}

/* Where a sum goes, and how it is stored there. */
struct target {
    char *to;
    bool is_past;
};

/* Block by block, from a cache, if it is not to stay in one. */
static void reduce_to(const struct rpt_run *run, const struct rpt_step *step,
                      const struct target targets[], int n_targets)
{
    _Alignas(64) char block[SUM_BLOCK];
    const struct rpt_place *places = run->schedule->inputs + step->first_input;
    const void *inputs[RPT_MAX_INPUTS];
    size_t element = run->element_bytes, most = sizeof block / element;

    for (int i = 0; i < step->n_inputs; i++) {
        inputs[i] = rpt__run_place(run, places[i]);
    }
    if (most == 0 || (n_targets == 1 && !targets[0].is_past)) {
        rpt__combine(run->combine, targets[0].to, inputs, step->n_inputs,
                     step->count);
        for (int i = 1; i < n_targets; i++) {
            memcpy(targets[i].to, targets[0].to, step->count * element);
        }
        return;
    }
    for (size_t from = 0; from < step->count; from += most) {
        size_t left = step->count - from, n = left < most ? left : most;

        rpt__combine(run->combine, block, inputs, step->n_inputs, n);
        for (int i = 0; i < n_targets; i++) {
            store(run, targets[i].to + from * element, block, n * element,
                  targets[i].is_past);
        }
        for (int i = 0; i < step->n_inputs; i++) {
            inputs[i] = (const char *)inputs[i] + n * element;
        }
    }
}

static void reduce(const struct rpt_run *run, const struct rpt_step *step)
{
    size_t at = step->to.offset * run->element_bytes;
    size_t bytes = step->count * run->element_bytes;
    struct target targets[RPT_MAX_INPUTS];
    int n = 1;

    targets[0] = (struct target){ rpt__run_place(run, step->to),
                                  run->schedule->pulls
                                      ? stores_past(run, bytes)
                                      : stores_past_to(run, step->to, bytes) };
    for (int r = 0; step->everywhere && r < run->team->size; r++) {
        if (r != run->team->rank) {
            targets[n++] = (struct target){
                rpt__run_buffer_of(run, r, true) + at, targets[0].is_past
            };
        }
    }
    if (copies_too(run, step)) {
        targets[n++] = (struct target){ rpt__run_place(run, step[1].to),
                                        stores_past(run, bytes) };
    }
    reduce_to(run, step, targets, n);
}

static rpt_status_t take_step(struct rpt_run *run, uint32_t lane,
                              const struct rpt_step *step)
{
    switch (step->kind) {
    case RPT_STEP_COPY:
        if (run->by_kernel) {
            return rpt__fetch_copy(run, step);
        }
        copy(run, step);
        return RPT_OK;
    case RPT_STEP_REDUCE:
        if (run->by_kernel) {
            return rpt__fetch_reduce(run, step);
        }
        reduce(run, step);
        return RPT_OK;
    case RPT_STEP_SEND:
        rpt__run_send(
            run, lane, step,
            rpt__run_message(run, step,
                             run->schedule->inputs[step->first_input]));
        return rpt__run_pump(run);
    case RPT_STEP_RECV:
        return rpt__run_receive(run, lane, step,
                                rpt__run_message(run, step, step->to));
    case RPT_STEP_FLUSH:
        return rpt__run_is_flushed(run, lane, step->value) ? RPT_OK
                                                           : RPT_PENDING;
    case RPT_STEP_SIGNAL:
        rpt__run_raise(run, step->value);
        return RPT_OK;
    case RPT_STEP_WAIT:
    default:
        return rpt__run_wait_flag(run, step);
    }
}

/* What ops answered at this moment. */
static rpt_status_t answer(struct rpt_run *run, rpt_status_t status)
{
    if (status != RPT_PENDING) {
        run->asked_s = 0;
    } else if (run->asked_s <= 0) {
        run->asked_s = rpt__now_s();
    }
    return status;
}

/* Buffers are not the host's: see struct rpt_run_ops. */
static rpt_status_t take_step_there(struct rpt_run *run, uint32_t lane,
                                    const struct rpt_step *step)
{
    bool is_own = step->kind == RPT_STEP_COPY || step->kind == RPT_STEP_REDUCE;
    rpt_status_t status = RPT_OK;

    if (is_own || step->kind == RPT_STEP_SIGNAL) {
        status = answer(run, run->ops->step(run, step));
    }
    return status == RPT_OK && !is_own ? take_step(run, lane, step) : status;
}

/* ---- lanes ---- */

static rpt_status_t advance_lane(struct rpt_run *run, size_t lane)
{
    const struct rpt_lane *steps = &run->schedule->lanes[lane];
    struct rpt_lane_state *state = &run->lanes[lane];

    while (state->next < steps->n_steps) {
        const struct rpt_step *step =
            &run->schedule->steps[steps->first_step + state->next];
        rpt_status_t status = run->ops == NULL || run->ops->step == NULL
                                  ? take_step(run, (uint32_t)lane, step)
                                  : take_step_there(run, (uint32_t)lane, step);

        if (status != RPT_OK) {
            run->waiting = step;
            return status;
        }
        state->next++;
        run->n_taken++;
    }
    return state->n_sends == 0 || rpt__run_is_flushed(run, (uint32_t)lane, 0)
               ? RPT_OK
               : RPT_PENDING;
}

static rpt_status_t advance_lanes(struct rpt_run *run)
{
    const struct rpt_schedule *schedule = run->schedule;
    size_t lane = run->n_over, end = run->n_over + schedule->window;

    for (; lane < schedule->n_lanes && lane < end; lane++) {
        rpt_status_t status;

        if (schedule->lanes[lane].begins_part && lane > run->n_over) {
            break;
        }
        status = advance_lane(run, lane);

        if (status < RPT_OK) {
            return status;
        }
        if (status == RPT_OK && lane == run->n_over) {
            run->n_over++;
            end++;
        }
    }
    return run->n_over == schedule->n_lanes ? RPT_OK : RPT_PENDING;
}

void rpt__run_leave_block(struct rpt_run *run)
{
    struct rpt_team *team = run->team;
    const struct rpt_schedule *schedule = run->schedule;

    if (run->n_values > 0) {
        uint64_t free_at = rpt__schedule_free_at(schedule, run->meets,
                                                 run->flag, run->end);

        /* Who follows compares it before he raises his flag again, whatever the
         * schedule says. */
        team->free_at[run->turn] = free_at > run->end ? free_at : run->end + 1;
        if (schedule->seen_value > 0) {
            uint64_t seen = run->flag + schedule->seen_value;

            team->seen_all = seen > team->seen_all ? seen : team->seen_all;
            if (team->latest.seq == run->seq) {
                team->latest.is_known = false; /* who waited has compared */
            }
        }
    }
}

static void finish(struct rpt_run *run)
{
    rpt__run_leave_block(run);
    if (run->divided_count > 0) {
        run->combine->divide(run->output, run->divided_count, run->team->size);
    }
}

static rpt_status_t take_steps(struct rpt_run *run)
{
    rpt_status_t status = RPT_OK;

    if (run->first_send < run->n_sends) {
        status = rpt__run_pump(run);
    }
    if (status >= RPT_OK) {
        status = advance_lanes(run);
    }
    if (status == RPT_OK && !rpt__run_is_out(run)) {
        run->waiting = NULL; /* for no rank to call */
        status = RPT_PENDING;
    }
    if (status == RPT_OK) {
        run->waiting = NULL;
        status = rpt__run_follows(run) ? rpt__follow_end(run, 0) : RPT_OK;
    }
    if (status == RPT_OK && run->schedule->pulls) { /* all was there */
        status = rpt__run_check_stayed(run);
    }
    if (status == RPT_OK) {
        finish(run);
        run->taken = true;
    }
    return status;
}

rpt_status_t rpt__run_go_straight(struct rpt_run *run, int n_more_looks)
{
    size_t first = run->n_checks; /* a start that checks is queued */
    const struct rpt_lane *lane = &run->schedule->lanes[first];
    const struct rpt_step *steps = run->schedule->steps + lane->first_step;
    bool all_write = run->schedule->seen_value > 0;
    size_t i = run->lanes[first].next;
    rpt_status_t status = RPT_OK;

    if (!run->begun) {
        if (!rpt__run_has_room(run)) {
            rpt__run_note(run);
            return RPT_PENDING;
        }
        status = begin_steps(run);
    }
    for (; i < lane->n_steps && status == RPT_OK; i += status == RPT_OK) {
        if (steps[i].kind == RPT_STEP_WAIT) {
            rpt__run_note(run); /* while others see this one's flag */
            if (run->is_short && !all_write) { /* who writes may be ahead */
                rpt__fetch_to_read(next_block(run, steps[i].peer));
            }
            status = wait_shortly(run, &steps[i], n_more_looks);
        } else {
            status = take_step(run, (uint32_t)first, &steps[i]);
        }
    }
    rpt__run_note(run);
    run->waiting = i < lane->n_steps ? &steps[i] : NULL;
    if (status == RPT_OK && rpt__run_follows(run)) {
        status = rpt__follow_end(run, n_more_looks);
    }
    run->status = status;
    if (status == RPT_OK) {
        finish(run);
        run->taken = true;
        if (run->is_short && run->n_values > 0) {
            take_back_next(run);
        }
    } else {
        run->lanes[first].next = i;
    }
    return status;
}

rpt_status_t rpt__run_advance(struct rpt_run *run)
{
    rpt_status_t status = RPT_OK;

    if (!run->begun) {
        if (!rpt__run_is_free(run)) {
            return RPT_PENDING;
        }
        status = begin_steps(run);
    }
    if (status == RPT_OK && !run->entered) {
        status = answer(run, run->ops->enter(run));
        run->entered = status == RPT_OK;
    }
    if (status == RPT_OK && !run->has_met) {
        status = rpt__run_meet(run);
    }
    if (status == RPT_OK && !run->taken) {
        status = take_steps(run);
    }
    if (status == RPT_OK && run->ops != NULL) {
        status = answer(run, run->ops->leave(run));
    }
    run->status = status;
    return status;
}
