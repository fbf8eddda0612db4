/*
 * pace.h - which way to move what other ranks read
 *
 *   past the caches   needs no line from another core: between distant cores
 *                     14 GB/s against 2
 *   as usual          what was stored stays in the cache that both cores share,
 *                     if they share one: twice as fast
 *   by the kernel     nothing is stored for others: they read private buffers
 *                     by system calls, where they may
 *
 * Nobody knows beforehand which it is: it depends on where the ranks run, on
 * the operation and the size, and changes when a rank moves.  So it is tried:
 * of some calls of a size the first ones go past the caches, the next as usual,
 * the next by the kernel, on all ranks, so that their times tell.  How a rank
 * stores then is its own matter, since results do not depend on it; whether the
 * kernel reads all decide together (agree.h).
 */
#ifndef RPT_COLLECTIVES_ENGINE_PACE_H
#define RPT_COLLECTIVES_ENGINE_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RPT_PACE_LEAST = 12, /* calls of less than 2^12 bytes store as usual */
    RPT_N_PACES = 13     /* the last one for 2^24 bytes and more         */
};

enum rpt_way { RPT_WAY_FOUND, RPT_WAY_PAST, RPT_WAY_USUAL, RPT_WAY_KERNEL };

/* Of calls of one operation and size on one team.  Zeros: nothing is known. */
struct rpt_pace {
    uint32_t n_calls;
    uint32_t n_again; /* calls of the first trial that told nothing */
    double usual_s;   /* the least time of a call that was tried */
    double past_s;
    double kernel_s;
    bool is_usual;  /* what was found                              */
    bool by_kernel; /* what all have found, when they met the last time */
};

struct rpt_trial {
    struct rpt_pace *pace; /* NULL: not one, or not timed */
    double began_s;
    double left_s;    /* rpt__pace_leave()   */
    bool is_first;    /* trial of this pace */
    long n_faults;    /* of this thread when it began, in the first trial */
    enum rpt_way way; /* that is tried; FOUND: none */
    bool is_past;     /* how to store in this call */
};

/* Which pace is that of calls that move so many bytes; negative: of none. */
int rpt__pace_of(size_t bytes);

/* The next call that goes from beginning to end in one thread. */
struct rpt_trial rpt__pace_begin(struct rpt_pace paces[], int which);
/* The caller does something else, and comes back: its time tells nothing unless
 * that took a moment only. */
void rpt__pace_leave(struct rpt_trial *trial);
void rpt__pace_return(struct rpt_trial *trial);
/* Whether the kernel reads in this call: one that goes another way than it was
 * to try tells nothing. */
void rpt__pace_settle(struct rpt_trial *trial, bool by_kernel);
void rpt__pace_end(const struct rpt_trial *trial);

/* The least time of a call that stored. */
double rpt__pace_stored_s(const struct rpt_pace *pace);

#endif /* RPT_COLLECTIVES_ENGINE_PACE_H */
