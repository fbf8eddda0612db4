/*
 * pace.h - which way to store what other ranks read
 *
 *   past the caches   needs no line from another core: between distant cores
 *                     14 GB/s against 2
 *   as usual          what was stored stays in the cache that both cores share,
 *                     if they share one: twice as fast
 *
 * Nobody knows beforehand which it is: it depends on where the ranks run, on
 * the size, and changes when a rank moves.  So it is tried: of some calls of a
 * size the first ones go past the caches, the others do not, on all ranks, so
 * that their times tell.  What a rank takes then is its own matter, since
 * results do not depend on it.
 */
#ifndef RPT_COLLECTIVES_ENGINE_PACE_H
#define RPT_COLLECTIVES_ENGINE_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RPT_PACE_LEAST = 13, /* calls of less than 2^13 bytes store as usual */
    RPT_N_PACES = 12     /* the last one for 2^24 bytes and more         */
};

/* Of calls of one size on one team.  Zeros: nothing is known. */
struct rpt_pace {
    uint32_t n_calls;
    double usual_s; /* the least time of a call that was tried */
    double past_s;
    bool is_usual; /* what was found                             */
};

struct rpt_trial {
    struct rpt_pace *pace; /* NULL: not one, or not timed */
    double began_s;
    bool is_past; /* how to store in this call */
};

/* Which pace is that of calls that move so many bytes; negative: of none. */
int rpt__pace_of(size_t bytes);

/* The next call that goes from beginning to end in one thread. */
struct rpt_trial rpt__pace_begin(struct rpt_pace paces[], int which);
void rpt__pace_end(const struct rpt_trial *trial);

#endif /* RPT_COLLECTIVES_ENGINE_PACE_H */
