/*
 * schedule.c - three arrays that grow
 */
#include "collectives/schedule.h"

#include "base/error.h"
#include "base/size.h"

#include <stdlib.h>

/* Room for `more` elements of a list, or NULL. */
static void *grow(struct rpt_schedule *schedule, void *list, size_t n,
                  size_t more, size_t *max, size_t element_bytes)
{
    size_t needed, wanted = *max > 0 ? *max : 16, bytes;
    void *larger;

    if (!rpt__size_add(n, more, &needed)) {
        schedule->status = rpt__fail(RPT_ERR_OVERFLOW,
                                     "a schedule of that many steps");
        return NULL;
    }
    if (needed <= *max) {
        return list;
    }
    while (wanted < needed) {
        wanted = wanted > SIZE_MAX / 2 ? needed : 2 * wanted;
    }
    larger = rpt__size_mul(wanted, element_bytes, &bytes) ? realloc(list, bytes)
                                                          : NULL;
    if (larger == NULL) {
        schedule->status = rpt__fail_nomem(wanted);
        return NULL;
    }
    *max = wanted;
    return larger;
}

void rpt__lane(struct rpt_schedule *schedule)
{
    struct rpt_lane *lanes;

    if (schedule->status != RPT_OK) {
        return;
    }
    lanes = grow(schedule, schedule->lanes, schedule->n_lanes, 1,
                 &schedule->max_lanes, sizeof *lanes);
    if (lanes != NULL) {
        schedule->lanes = lanes;
        lanes[schedule->n_lanes] = (struct rpt_lane){
            .first_step = schedule->n_steps,
            .number = (uint32_t)schedule->n_lanes,
        };
        schedule->n_lanes++;
    }
}

static void add(struct rpt_schedule *schedule, struct rpt_step step,
                const struct rpt_place inputs[], int n_inputs)
{
    struct rpt_step *steps;
    struct rpt_place *places;

    if (schedule->n_lanes == 0) {
        rpt__lane(schedule);
    }
    if (schedule->status != RPT_OK) {
        return;
    }
    steps = grow(schedule, schedule->steps, schedule->n_steps, 1,
                 &schedule->max_steps, sizeof *steps);
    if (steps == NULL) {
        return;
    }
    schedule->steps = steps;
    places = grow(schedule, schedule->inputs, schedule->n_inputs,
                  (size_t)n_inputs, &schedule->max_inputs, sizeof *places);
    if (places == NULL && n_inputs > 0) {
        return;
    }
    schedule->inputs = places;
    step.first_input = schedule->n_inputs;
    step.n_inputs = n_inputs;
    for (int i = 0; i < n_inputs; i++) {
        places[schedule->n_inputs++] = inputs[i];
    }
    steps[schedule->n_steps++] = step;
    schedule->lanes[schedule->n_lanes - 1].n_steps++;
}

void rpt__step_copy(struct rpt_schedule *schedule, struct rpt_place to,
                    struct rpt_place from, size_t count)
{
    if (count > 0) {
        add(schedule,
            (struct rpt_step){
                .kind = RPT_STEP_COPY, .to = to, .count = count },
            &from, 1);
    }
}

void rpt__step_reduce(struct rpt_schedule *schedule, struct rpt_place to,
                      const struct rpt_place inputs[], int n_inputs,
                      size_t count)
{
    const struct rpt_step step = { .kind = RPT_STEP_REDUCE,
                                   .to = to,
                                   .count = count };
    struct rpt_place further[RPT_MAX_INPUTS];
    int done = n_inputs < RPT_MAX_INPUTS ? n_inputs : RPT_MAX_INPUTS;

    if (count == 0) {
        return;
    }
    add(schedule, step, inputs, done);
    while (done < n_inputs) {
        int n = 1;

        further[0] = to;
        while (n < RPT_MAX_INPUTS && done < n_inputs) {
            further[n++] = inputs[done++];
        }
        add(schedule, step, further, n);
    }
}

void rpt__step_everywhere(struct rpt_schedule *schedule)
{
    if (schedule->status == RPT_OK && schedule->n_steps > 0) {
        struct rpt_step *last = &schedule->steps[schedule->n_steps - 1];

        last->everywhere = last->kind == RPT_STEP_REDUCE &&
                           last->to.kind == RPT_IN_OUTPUT;
    }
}

void rpt__step_send(struct rpt_schedule *schedule, int peer,
                    struct rpt_place from, size_t count)
{
    if (count > 0) {
        add(schedule,
            (struct rpt_step){
                .kind = RPT_STEP_SEND, .peer = peer, .count = count },
            &from, 1);
    }
}

void rpt__step_recv(struct rpt_schedule *schedule, int peer,
                    struct rpt_place to, size_t count)
{
    if (count > 0) {
        add(schedule,
            (struct rpt_step){
                .kind = RPT_STEP_RECV, .peer = peer, .to = to, .count = count },
            NULL, 0);
    }
}

void rpt__step_token(struct rpt_schedule *schedule)
{
    if (schedule->status == RPT_OK) {
        schedule->steps[schedule->n_steps - 1].is_token = true;
    }
}

void rpt__step_flush(struct rpt_schedule *schedule, uint32_t but_last)
{
    add(schedule,
        (struct rpt_step){ .kind = RPT_STEP_FLUSH, .value = but_last }, NULL,
        0);
}

void rpt__step_signal(struct rpt_schedule *schedule, uint32_t value)
{
    add(schedule, (struct rpt_step){ .kind = RPT_STEP_SIGNAL, .value = value },
        NULL, 0);
}

void rpt__step_wait(struct rpt_schedule *schedule, int peer, uint32_t value)
{
    add(schedule,
        (struct rpt_step){
            .kind = RPT_STEP_WAIT, .peer = peer, .value = value },
        NULL, 0);
}

bool rpt__schedule_has_messages(const struct rpt_schedule *schedule)
{
    for (size_t i = 0; i < schedule->n_steps; i++) {
        enum rpt_step_kind kind = schedule->steps[i].kind;

        if (kind == RPT_STEP_SEND || kind == RPT_STEP_RECV) {
            return true;
        }
    }
    return false;
}

/* ---- parts ---- */

struct renaming {
    const int *ranks;
    struct rpt_place input, output;
    size_t scratch, stage; /* behind what the whole has */
};

static struct rpt_place rename_place(const struct renaming *names,
                                     struct rpt_place place)
{
    switch (place.kind) {
    case RPT_IN_INPUT:
        return (struct rpt_place){ names->input.kind, 0,
                                   names->input.offset + place.offset };
    case RPT_IN_OUTPUT:
        return (struct rpt_place){ names->output.kind, 0,
                                   names->output.offset + place.offset };
    case RPT_IN_SCRATCH:
        return rpt__scratch(names->scratch + place.offset);
    case RPT_IN_STAGE:
    default:
        return rpt__stage(names->ranks[place.rank],
                          names->stage + place.offset);
    }
}

static void append_step(struct rpt_schedule *whole,
                        const struct rpt_schedule *part, struct rpt_step step,
                        const struct renaming *names)
{
    struct rpt_place inputs[RPT_MAX_INPUTS];

    for (int i = 0; i < step.n_inputs; i++) {
        inputs[i] = rename_place(names,
                                 part->inputs[step.first_input + (size_t)i]);
    }
    step.to = rename_place(names, step.to);
    step.peer = names->ranks[step.peer];
    if (step.kind == RPT_STEP_SIGNAL || step.kind == RPT_STEP_WAIT) {
        step.value += whole->n_values;
    }
    add(whole, step, inputs, step.n_inputs);
}

static void append_steps(struct rpt_schedule *whole,
                         const struct rpt_schedule *part,
                         const struct rpt_lane *lane,
                         const struct renaming *names)
{
    for (size_t i = 0; i < lane->n_steps; i++) {
        append_step(whole, part, part->steps[lane->first_step + i], names);
    }
}

static void append_lane(struct rpt_schedule *whole,
                        const struct rpt_schedule *part,
                        const struct rpt_lane *lane, uint32_t number,
                        const struct renaming *names)
{
    struct rpt_lane *mine;

    rpt__lane(whole);
    if (whole->status == RPT_OK) {
        mine = &whole->lanes[whole->n_lanes - 1];
        mine->number = number * RPT_PART_LANES + lane->number;
        mine->begins_part = lane == part->lanes || lane->begins_part;
    }
    append_steps(whole, part, lane, names);
}

/* One lane of flags alone takes the engine the least time. */
static bool stays_in_lane(const struct rpt_schedule *whole,
                          const struct rpt_schedule *part)
{
    return whole->n_lanes == 1 && part->n_lanes == 1 &&
           !rpt__schedule_has_messages(whole) &&
           !rpt__schedule_has_messages(part);
}

static bool has_parallel_lanes(const struct rpt_schedule *whole)
{
    for (size_t i = 0; i < whole->n_lanes; i++) {
        if (!whole->lanes[i].begins_part) {
            return true;
        }
    }
    return false;
}

void rpt__schedule_append(struct rpt_schedule *whole,
                          const struct rpt_schedule *part, uint32_t number,
                          const int ranks[], struct rpt_place input,
                          struct rpt_place output)
{
    const struct renaming names = { ranks, input, output, whole->scratch_count,
                                    whole->stage_count };

    bool narrows = part->n_lanes > 1 && has_parallel_lanes(whole);

    if (part->n_lanes > 1 && (!narrows || part->window < whole->window)) {
        whole->window = part->window;
    }
    if (stays_in_lane(whole, part)) {
        append_steps(whole, part, part->lanes, &names);
    } else {
        for (size_t i = 0; i < part->n_lanes; i++) {
            append_lane(whole, part, &part->lanes[i], number, &names);
        }
    }
    whole->scratch_count += part->scratch_count;
    whole->stage_count += part->stage_count;
    if (part->n_values > 0) {
        whole->free_value = whole->n_values + part->free_value;
        if (part->seen_value > 0) {
            whole->seen_value = whole->n_values + part->seen_value;
        }
        whole->n_values += part->n_values;
    }
}

uint64_t rpt__schedule_free_at(const struct rpt_schedule *schedule, bool met,
                               uint64_t flag, uint64_t end)
{
    /* Who has come to the meeting may still be comparing the call. */
    bool is_read_late = met && schedule->free_value == 0;

    return is_read_late || schedule->free_value > schedule->n_values
               ? end + 1
               : flag + schedule->free_value;
}

void rpt__schedule_free(struct rpt_schedule *schedule)
{
    free(schedule->steps);
    free(schedule->inputs);
    free(schedule->lanes);
    *schedule = (struct rpt_schedule){ .window = 1 };
}
