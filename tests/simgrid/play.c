/*
 * play.c - runs a schedule of messages by MPI, without the engine
 *
 * Lanes go side by side within the window, as in the engine: each goes on until
 * it waits for a message, or for what it has sent; then MPI_Waitany.  A message
 * is one MPI message, with its lane's number as the tag.  (The engine cuts it
 * into packets, and copies; what that costs is not played.)
 *
 * All receives are posted at the beginning, since the engine always has some
 * posted (comm/mpi_transport.c), and keeps what comes before its step
 * (collectives/engine/message.c).  So a message is under way when it is sent.
 */
#include "play.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where a lane is. */
struct lane {
    size_t next;       /* step                                           */
    size_t first_send; /* its requests: from here ...                    */
    size_t n_sends;    /* ... so many, in order                          */
    size_t n_gone;     /* of these, from the first on                    */
};

struct play_state {
    struct lane *lanes;
    MPI_Request *sends;    /* of all lanes, each where its steps are     */
    MPI_Request *receives; /* each where its step is                     */
    float **came;          /* where it puts what it receives ...         */
    float *kept;           /* ... when there is data                     */
    MPI_Request *waits;    /* what is waited for ...                     */
    MPI_Request **from;    /* ... and where each of these was taken from */
};

static float *place(const struct play *play, struct rpt_place place)
{
    switch (place.kind) {
    case RPT_IN_INPUT:
        return play->input + place.offset;
    case RPT_IN_OUTPUT:
        return play->output + place.offset;
    case RPT_IN_SCRATCH:
        return play->scratch + place.offset;
    case RPT_IN_STAGE:
    default:
        fprintf(stderr, "a schedule of messages names a stage\n");
        exit(1);
    }
}

/* What comes early must not be where a step before it still reads. */
static void keep_room(const struct play *play, struct play_state *state)
{
    const struct rpt_schedule *schedule = play->schedule;
    size_t count = 0;

    for (size_t s = 0; s < schedule->n_steps; s++) {
        const struct rpt_step *step = &schedule->steps[s];

        count += step->kind == RPT_STEP_RECV ? step->count : 0;
    }
    state->kept = malloc((play->with_data ? count + 1 : 1) * sizeof(float));
    count = 0;
    for (size_t s = 0; s < schedule->n_steps; s++) {
        const struct rpt_step *step = &schedule->steps[s];

        if (step->kind == RPT_STEP_RECV) {
            state->came[s] = play->with_data ? state->kept + count
                                             : place(play, step->to);
            count += step->count;
        }
    }
}

struct play_state *play_prepare(const struct play *play)
{
    const struct rpt_schedule *schedule = play->schedule;
    struct play_state *state = malloc(sizeof *state);
    size_t n = schedule->n_steps + 1;

    state->lanes = malloc((schedule->n_lanes + 1) * sizeof *state->lanes);
    state->sends = malloc(n * sizeof *state->sends);
    state->receives = malloc(n * sizeof *state->receives);
    state->came = malloc(n * sizeof *state->came);
    state->waits = malloc(n * sizeof *state->waits);
    state->from = malloc(n * sizeof *state->from);
    for (size_t i = 0; i < schedule->n_lanes; i++) {
        state->lanes[i] = (struct lane){
            .first_send = schedule->lanes[i].first_step,
        };
    }
    keep_room(play, state);
    return state;
}

void play_release(struct play_state *state)
{
    free(state->lanes);
    free(state->sends);
    free(state->receives);
    free(state->came);
    free(state->kept);
    free(state->waits);
    free(state->from);
    free(state);
}

/* ---- steps ---- */

static void reduce(const struct play *play, const struct rpt_step *step)
{
    const struct rpt_place *from = play->schedule->inputs + step->first_input;
    float *to = place(play, step->to);

    if (step->n_inputs == 1) {
        memmove(to, place(play, from[0]), step->count * sizeof *to);
        return;
    }
    for (size_t e = 0; e < step->count; e++) {
        float sum = place(play, from[0])[e];

        for (int i = 1; i < step->n_inputs; i++) {
            sum += place(play, from[i])[e];
        }
        to[e] = sum;
    }
}

static int tag_of(const struct play *play, size_t lane)
{
    return (int)play->schedule->lanes[lane].number;
}

static void send(const struct play *play, struct play_state *state, size_t i,
                 const struct rpt_step *step)
{
    struct lane *lane = &state->lanes[i];

    MPI_Isend(place(play, play->schedule->inputs[step->first_input]),
              (int)step->count, MPI_FLOAT, step->peer, tag_of(play, i),
              play->comm, &state->sends[lane->first_send + lane->n_sends++]);
}

static void post_receives(const struct play *play, struct play_state *state)
{
    const struct rpt_schedule *schedule = play->schedule;

    for (size_t i = 0; i < schedule->n_lanes; i++) {
        const struct rpt_lane *lane = &schedule->lanes[i];

        for (size_t s = lane->first_step; s < lane->first_step + lane->n_steps;
             s++) {
            const struct rpt_step *step = &schedule->steps[s];

            if (step->kind == RPT_STEP_RECV) {
                MPI_Irecv(state->came[s], (int)step->count, MPI_FLOAT,
                          step->peer, tag_of(play, i), play->comm,
                          &state->receives[s]);
            }
        }
    }
}

/* Whether the message is there. */
static int receive(const struct play *play, const struct play_state *state,
                   size_t s)
{
    const struct rpt_step *step = &play->schedule->steps[s];

    if (state->receives[s] != MPI_REQUEST_NULL) {
        return 0;
    }
    if (play->with_data) {
        memcpy(place(play, step->to), state->came[s],
               step->count * sizeof(float));
    }
    return 1;
}

/* Whether all that the lane has sent is gone, but for the last ones. */
static int is_flushed(const struct play_state *state, struct lane *lane,
                      size_t but_last)
{
    while (lane->n_gone < lane->n_sends &&
           state->sends[lane->first_send + lane->n_gone] == MPI_REQUEST_NULL) {
        lane->n_gone++;
    }
    return lane->n_gone + but_last >= lane->n_sends;
}

static int take_step(const struct play *play, struct play_state *state,
                     size_t i, size_t s)
{
    const struct rpt_step *step = &play->schedule->steps[s];
    struct lane *lane = &state->lanes[i];

    switch (step->kind) {
    case RPT_STEP_COPY:
    case RPT_STEP_REDUCE:
        if (play->with_data) {
            reduce(play, step);
        }
        return 1;
    case RPT_STEP_SEND:
        send(play, state, i, step);
        return 1;
    case RPT_STEP_RECV:
        return receive(play, state, s);
    case RPT_STEP_FLUSH:
        return is_flushed(state, lane, step->value);
    case RPT_STEP_SIGNAL:
    case RPT_STEP_WAIT:
    default:
        fprintf(stderr, "a schedule of messages has a flag\n");
        exit(1);
    }
}

/* ---- lanes ---- */

/* As far as it goes; whether it is over. */
static int advance(const struct play *play, struct play_state *state, size_t i)
{
    const struct rpt_lane *steps = &play->schedule->lanes[i];
    struct lane *lane = &state->lanes[i];

    while (lane->next < steps->n_steps) {
        if (!take_step(play, state, i, steps->first_step + lane->next)) {
            return 0;
        }
        lane->next++;
    }
    return is_flushed(state, lane, 0);
}

static int add_wait(struct play_state *state, int n, MPI_Request *request)
{
    if (*request != MPI_REQUEST_NULL) {
        state->waits[n] = *request;
        state->from[n++] = request;
    }
    return n;
}

/* Until one of the lanes may go on.  A request keeps its number while it is
 * waited for, so MPI's copy is put back. */
static void wait_for_one(const struct play *play, struct play_state *state,
                         size_t first, size_t end)
{
    int n = 0, which;

    for (size_t i = first; i < end; i++) {
        const struct rpt_lane *steps = &play->schedule->lanes[i];
        struct lane *lane = &state->lanes[i];
        size_t next = steps->first_step + lane->next;

        if (lane->next < steps->n_steps &&
            play->schedule->steps[next].kind == RPT_STEP_RECV) {
            n = add_wait(state, n, &state->receives[next]);
            continue;
        }
        for (size_t s = lane->n_gone; s < lane->n_sends; s++) {
            n = add_wait(state, n, &state->sends[lane->first_send + s]);
        }
    }
    MPI_Waitany(n, state->waits, &which, MPI_STATUS_IGNORE);
    for (int i = 0; i < n; i++) {
        *state->from[i] = state->waits[i];
    }
}

void play_run(const struct play *play, struct play_state *state)
{
    const struct rpt_schedule *schedule = play->schedule;
    size_t n_over = 0;

    post_receives(play, state);
    while (n_over < schedule->n_lanes) {
        size_t end = n_over + schedule->window, over = n_over;

        for (size_t i = n_over; i < schedule->n_lanes && i < end; i++) {
            if (schedule->lanes[i].begins_part && i > n_over) {
                end = i;
                break;
            }
            if (advance(play, state, i) && i == n_over) {
                n_over++;
                end++;
            }
        }
        if (n_over == over) {
            wait_for_one(play, state, n_over,
                         end < schedule->n_lanes ? end : schedule->n_lanes);
        }
    }
}
