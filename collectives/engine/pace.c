/*
 * pace.c - tries all ways, and keeps the fastest one for a while
 *
 *   call   0 .. 5 past,  6 .. 11 usual, ... 31 found
 *         32 .. 37 past, 38 .. 43 usual, 44 .. 49 by the kernel, ... found,
 *                                        again every 1024 calls
 *
 * The first calls touch memory for the first time, which takes longer than any
 * way to store in it: one that did is tried again.  The word of the first trial
 * holds only for some calls nevertheless, and not against the kernel.  The
 * first three of each six find lines where the other way has left them: their
 * time does not count.  What does not fit into a cache anyway is tried twice,
 * and more often.
 */
#include "collectives/engine/pace.h"

#include "base/clock.h"

#include <math.h>
#include <sys/resource.h>

#define MOMENT_S 1e-6

struct rhythm {
    uint32_t of_each;   /* calls of a way in a trial             */
    uint32_t uncounted; /* ... of which these only warm up       */
    uint32_t soon;      /* the second trial begins at this call  */
    uint32_t later;     /* others begin at multiples of this one */
};

enum { LARGE_FROM = 21 - RPT_PACE_LEAST }; /* 2 MiB */
static const struct rhythm of_small = { 6, 3, 32, 1024 };
static const struct rhythm of_large = { 2, 1, 8, 128 };

int rpt__pace_of(size_t bytes)
{
    int bits = 0;

    while (bits < RPT_PACE_LEAST + RPT_N_PACES && bytes >> bits > 1) {
        bits++;
    }
    bits -= RPT_PACE_LEAST;
    return bits < RPT_N_PACES ? bits : RPT_N_PACES - 1;
}

/* Where it is in the calls since it was begun to try.  The second trial begins
 * at the same call on all ranks, whatever each of them had to try again. */
static uint32_t place_of(const struct rpt_pace *pace, uint32_t call,
                         const struct rhythm *rhythm)
{
    if (call < rhythm->soon) {
        return call - pace->n_again;
    }
    return (call < rhythm->later ? call - rhythm->soon : call) % rhythm->later;
}

static enum rpt_way way_of(uint32_t place, bool is_first,
                           const struct rhythm *rhythm)
{
    switch (place / rhythm->of_each) {
    case 0:
        return RPT_WAY_PAST;
    case 1:
        return RPT_WAY_USUAL;
    case 2:
        return is_first ? RPT_WAY_FOUND : RPT_WAY_KERNEL;
    default:
        return RPT_WAY_FOUND;
    }
}

/* How many pages this thread has touched for the first time. */
static long count_faults(void)
{
    struct rusage usage;

    return getrusage(RUSAGE_THREAD, &usage) == 0 ? usage.ru_minflt : 0;
}

struct rpt_trial rpt__pace_begin(struct rpt_pace paces[], int which)
{
    struct rpt_pace *pace = &paces[which];
    const struct rhythm *rhythm = which < LARGE_FROM ? &of_small : &of_large;
    uint32_t call = pace->n_calls++, place = place_of(pace, call, rhythm);
    bool is_first = call < rhythm->soon;
    struct rpt_trial trial = { .way = way_of(place, is_first, rhythm),
                               .is_past = !pace->is_usual,
                               .is_first = is_first };

    if (place == 0) {
        pace->usual_s = pace->past_s = pace->kernel_s = INFINITY;
    }
    if (trial.way == RPT_WAY_PAST || trial.way == RPT_WAY_USUAL) {
        trial.is_past = trial.way == RPT_WAY_PAST;
    }
    if (trial.way != RPT_WAY_FOUND &&
        place % rhythm->of_each >= rhythm->uncounted) {
        trial.pace = pace;
        trial.n_faults = is_first ? count_faults() : 0;
        trial.began_s = rpt__now_s();
    }
    return trial;
}

void rpt__pace_leave(struct rpt_trial *trial)
{
    if (trial->pace != NULL) {
        trial->left_s = rpt__now_s();
    }
}

void rpt__pace_return(struct rpt_trial *trial)
{
    if (trial->pace != NULL && rpt__now_s() - trial->left_s > MOMENT_S) {
        trial->pace = NULL;
    }
}

void rpt__pace_settle(struct rpt_trial *trial, bool by_kernel)
{
    if (by_kernel != (trial->way == RPT_WAY_KERNEL)) {
        trial->pace = NULL;
    }
}

void rpt__pace_end(const struct rpt_trial *trial)
{
    struct rpt_pace *pace = trial->pace;
    double took;

    if (pace == NULL) {
        return;
    }
    took = rpt__now_s() - trial->began_s;
    if (trial->is_first && count_faults() > trial->n_faults) {
        pace->n_again++;
        return;
    }
    if (trial->way == RPT_WAY_KERNEL) {
        pace->kernel_s = fmin(pace->kernel_s, took);
    } else if (trial->way == RPT_WAY_PAST) {
        pace->past_s = fmin(pace->past_s, took);
    } else {
        pace->usual_s = fmin(pace->usual_s, took);
        pace->is_usual = pace->usual_s < pace->past_s;
    }
}

double rpt__pace_stored_s(const struct rpt_pace *pace)
{
    return fmin(pace->usual_s, pace->past_s);
}
