/*
 * attempts.h - each time that a task of a state directory was started
 */
#ifndef RPT_POOL_ATTEMPTS_H
#define RPT_POOL_ATTEMPTS_H

#include <repartir/state.h>

#include <stdbool.h>

struct rpt_attempt {
    const char *task;   /* its id                                           */
    uint64_t job;       /* that started it; 0: one of those whose journals
                           were compacted                                   */
    int number;         /* from 1, in its job                               */
    int rank;           /* that ran it                                      */
    const char *host;   /* of that rank, "" when unknown                    */
    double start_time;  /* seconds since 1970                               */
    const char *status; /* "running", "lost" with its job, or an outcome    */
    /* What follows is known only of one that has_end. */
    bool has_end;
    double duration_s;
    int exit_code;  /* -1: none */
    int signal;     /* 0: none  */
    bool has_saves; /* the next three are known */
    uint64_t checkpoints;
    uint64_t resumed_iteration; /* 0: it began anew */
    double wasted_s;
};

/* All attempts of the state's tasks, in the order in which jobs wrote them
 * down.  Reads the journal, once.  Belongs to the state.  RPT_ERR_BUSY: it
 * changed while it was read, again and again; else as rpt_state_open(). */
rpt_status_t rpt__state_attempts(rpt_state_t *state,
                                 const struct rpt_attempt **list_out,
                                 size_t *n_out);

#endif /* RPT_POOL_ATTEMPTS_H */
