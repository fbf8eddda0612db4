/*
 * pace.c - tries both ways, and keeps the faster one for a while
 *
 *   call   0 .. 3 past, 4 .. 7 usual, ... 63 found
 *         64 .. 67 past, 68 .. 71 usual, ... found, again every 1024 calls
 *
 * The first calls touch memory for the first time, so their word holds only for
 * some calls.  The first of each four finds lines as the other way has left
 * them: its time does not count.
 */
#include "collectives/engine/pace.h"

#include "base/clock.h"

#include <math.h>

enum { OF_EACH = 4, SOON = 64, LATER = 1024 };

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

struct rpt_trial rpt__pace_begin(struct rpt_pace *pace)
{
    uint32_t place = place_of(pace->n_calls++);
    struct rpt_trial trial = { NULL, 0, !pace->is_usual };

    if (place >= 2 * OF_EACH) {
        return trial;
    }
    if (place == 0) {
        pace->usual_s = pace->past_s = INFINITY;
    }
    trial.is_past = place < OF_EACH;
    if (place % OF_EACH > 0) {
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
