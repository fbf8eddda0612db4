/*
 * pace.c - tries both ways, and keeps the faster one for a while
 *
 *   call   0 .. 5 past,  6 .. 11 usual, ... 31 found
 *         32 .. 37 past, 38 .. 43 usual, ... found, again every 1024 calls
 *
 * The first calls touch memory for the first time, so their word holds only for
 * some calls.  The first three of each six find lines where the other way has
 * left them: their time does not count.  What does not fit into a cache anyway
 * is tried twice.
 */
#include "collectives/engine/pace.h"

#include "base/clock.h"

#include <math.h>

enum { SOON = 32, LATER = 1024 };
enum { SMALL = 6, SMALL_UNCOUNTED = 3, LARGE = 2, LARGE_UNCOUNTED = 1 };
enum { LARGE_FROM = 23 - RPT_PACE_LEAST }; /* 8 MiB */

int rpt__pace_of(size_t bytes)
{
    int bits = 0;

    while (bits < RPT_PACE_LEAST + RPT_N_PACES && bytes >> bits > 1) {
        bits++;
    }
    bits -= RPT_PACE_LEAST;
    return bits < RPT_N_PACES ? bits : RPT_N_PACES - 1;
}

/* Where it is in the calls since it was begun to try. */
static uint32_t place_of(uint32_t call)
{
    if (call < SOON) {
        return call;
    }
    return (call < LATER ? call - SOON : call) % LATER;
}

struct rpt_trial rpt__pace_begin(struct rpt_pace paces[], int which)
{
    struct rpt_pace *pace = &paces[which];
    uint32_t of_each = which < LARGE_FROM ? SMALL : LARGE;
    uint32_t uncounted = which < LARGE_FROM ? SMALL_UNCOUNTED : LARGE_UNCOUNTED;
    uint32_t place = place_of(pace->n_calls++);
    struct rpt_trial trial = { NULL, 0, !pace->is_usual };

    if (place == 0) {
        pace->usual_s = pace->past_s = INFINITY;
    }
    if (place >= 2 * of_each) {
        return trial;
    }
    trial.is_past = place < of_each;
    if (place % of_each >= uncounted) {
        trial.pace = pace;
        trial.began_s = rpt__now_s();
    }
    return trial;
}

void rpt__pace_end(const struct rpt_trial *trial)
{
    struct rpt_pace *pace = trial->pace;
    double took;

    if (pace == NULL) {
        return;
    }
    took = rpt__now_s() - trial->began_s;
    if (trial->is_past) {
        pace->past_s = fmin(pace->past_s, took);
    } else {
        pace->usual_s = fmin(pace->usual_s, took);
        pace->is_usual = pace->usual_s < pace->past_s;
    }
}
