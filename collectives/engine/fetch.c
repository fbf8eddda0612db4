/*
 * fetch.c - the kernel copies what other ranks have, then it is combined
 *
 * A copy is one system call.  A reduction fetches a piece of every input, and
 * combines all in one go, as it does with inputs that lie open: some types are
 * rounded once for all inputs, so two goes would give other bits.  Pieces are
 * so short that those of all inputs stay in the second-level cache.
 *
 * Buffers that lie open are read where they are.
 */
#include "collectives/engine/fetch.h"

#include "collectives/engine/run.h"

#include "base/error.h"
#include "base/peek.h"
#include "base/size.h"

#include <stdlib.h>
#include <string.h>

enum {
    ALIGNMENT = 64,
    MOST_PIECE = 128 * 1024,
    LEAST_PIECE = 4 * 1024,
    ALL_PIECES = 512 * 1024
};

/* ---- memory ---- */

rpt_status_t rpt__fetch_prepare(struct rpt_run *run,
                                const struct rpt_schedule *schedule)
{
    size_t n_inputs = 0, longest = 0, piece, bytes;

    for (size_t i = 0; i < schedule->n_steps; i++) {
        const struct rpt_step *step = &schedule->steps[i];
        size_t n = (size_t)step->n_inputs;

        if (step->kind == RPT_STEP_REDUCE) {
            n_inputs = n > n_inputs ? n : n_inputs;
            longest = step->count > longest ? step->count : longest;
        }
    }
    if (n_inputs == 0) {
        return RPT_OK;
    }
    piece = ALL_PIECES / n_inputs;
    piece = piece < LEAST_PIECE  ? LEAST_PIECE
            : piece > MOST_PIECE ? MOST_PIECE
                                 : piece;
    piece /= run->element_bytes;
    run->piece_count = piece > longest ? longest : piece > 0 ? piece : 1;
    run->piece_bytes = rpt__size_align(run->piece_count * run->element_bytes,
                                       ALIGNMENT);
    if (!rpt__size_mul(n_inputs, run->piece_bytes, &bytes)) {
        return rpt__fail(RPT_ERR_OVERFLOW, "%zu inputs of %zu bytes", n_inputs,
                         run->piece_bytes);
    }
    run->pieces = aligned_alloc(ALIGNMENT, bytes);
    return run->pieces != NULL ? RPT_OK : rpt__fail_nomem(bytes);
}

void rpt__fetch_release(struct rpt_run *run)
{
    free(run->pieces);
    run->pieces = NULL;
}

/* ---- steps ---- */

/* Whether only the kernel reads it. */
static bool is_private(const struct rpt_run *run, struct rpt_place place)
{
    return (place.kind == RPT_IN_INPUT_OF || place.kind == RPT_IN_OUTPUT_OF) &&
           place.rank != run->team->rank &&
           rpt__run_exposed(run, place.rank)->is_open == 0;
}

/* From an element of the place on. */
static rpt_status_t fetch(struct rpt_run *run, char *to, struct rpt_place from,
                          size_t count)
{
    const struct rpt_exposed *theirs = rpt__run_exposed(run, from.rank);
    uint64_t buffer = from.kind == RPT_IN_OUTPUT_OF ? theirs->output
                                                    : theirs->input;
    rpt_status_t status = rpt__peek((int)theirs->pid,
                                    buffer + from.offset * run->element_bytes,
                                    to, count * run->element_bytes);

    if (status == RPT_OK) {
        return RPT_OK;
    }
    rpt__fail_why("%s reads the buffers of rank %d by the kernel", run->name,
                  from.rank);
    return rpt__run_fail(run, status);
}

rpt_status_t rpt__fetch_copy(struct rpt_run *run, const struct rpt_step *step)
{
    struct rpt_place from = run->schedule->inputs[step->first_input];
    char *to = rpt__run_place(run, step->to);

    if (is_private(run, from)) {
        return fetch(run, to, from, step->count);
    }
    memmove(to, rpt__run_place(run, from), step->count * run->element_bytes);
    return RPT_OK;
}

/* n elements of all inputs, from one on. */
static rpt_status_t fetch_all(struct rpt_run *run, const struct rpt_step *step,
                              size_t begin, size_t n, const void *inputs[])
{
    const struct rpt_place *places = run->schedule->inputs + step->first_input;
    rpt_status_t status = RPT_OK;

    for (int i = 0; i < step->n_inputs && status == RPT_OK; i++) {
        struct rpt_place place = places[i];

        place.offset += begin;
        if (is_private(run, place)) {
            char *piece = run->pieces + (size_t)i * run->piece_bytes;

            status = fetch(run, piece, place, n);
            inputs[i] = piece;
        } else {
            inputs[i] = rpt__run_place(run, place);
        }
    }
    return status;
}

rpt_status_t rpt__fetch_reduce(struct rpt_run *run, const struct rpt_step *step)
{
    const void *inputs[RPT_MAX_INPUTS];
    size_t element = run->element_bytes;
    char *to = rpt__run_place(run, step->to);

    for (size_t begin = 0; begin < step->count; begin += run->piece_count) {
        size_t left = step->count - begin;
        size_t n = left < run->piece_count ? left : run->piece_count;
        rpt_status_t status = fetch_all(run, step, begin, n, inputs);

        if (status != RPT_OK) {
            return status;
        }
        rpt__combine(run->combine, to + begin * element, inputs, step->n_inputs,
                     n);
    }
    return RPT_OK;
}
