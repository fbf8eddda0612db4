/*
 * play.h - runs a schedule of messages by MPI, without the engine
 */
#ifndef RPT_TESTS_SIMGRID_PLAY_H
#define RPT_TESTS_SIMGRID_PLAY_H

#include "collectives/schedule.h"

#include <mpi.h>

/* One rank's part of a sum of floats. */
struct play {
    const struct rpt_schedule *schedule;
    float *input, *output, *scratch;
    int with_data; /* 0: nothing is computed or copied, only sent */
    MPI_Comm comm;
};

/* What the run needs besides; made and released outside of what is timed. */
struct play_state;
struct play_state *play_prepare(const struct play *play);
void play_release(struct play_state *state);

/* All steps.  Ends the program when there is a step that is no message. */
void play_run(const struct play *play, struct play_state *state);

#endif /* RPT_TESTS_SIMGRID_PLAY_H */
