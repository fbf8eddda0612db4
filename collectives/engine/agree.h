/*
 * agree.h - whether the kernel reads private buffers in a call
 *
 * All ranks of a team must read, or none; and all must be able to.
 *
 *   at first    each says its process, and where a word is that has a value
 *               which nobody guesses; when it is tried, each reads the words of
 *               all others
 *   later       each says whether it could; how long calls took it; and offers
 *               its buffers, if it wants that they are read
 *
 * What is said is what all decide by, so all decide alike.
 */
#ifndef RPT_COLLECTIVES_ENGINE_AGREE_H
#define RPT_COLLECTIVES_ENGINE_AGREE_H

#include <stdint.h>

struct rpt_run;
struct rpt_exposed;

enum rpt_reads { RPT_READS_UNKNOWN, RPT_READS_ALL, RPT_READS_NOT };

/* Of a team.  Zeros: nothing is known. */
struct rpt_probe {
    uint64_t word; /* others look for it at its address; 0: not made yet */
    int pid;
    enum rpt_reads reads; /* the memory of those near */
    uint64_t n_calls;     /* in which the kernel read */
};

/* What this rank says; `mine` has its buffers and whether they are open.  Of a
 * run that has a schedule for it. */
void rpt__agree_offer(struct rpt_run *run, struct rpt_exposed *mine);
/* All have said, and not all buffers are open: whether the kernel reads. */
void rpt__agree(struct rpt_run *run);

#endif /* RPT_COLLECTIVES_ENGINE_AGREE_H */
