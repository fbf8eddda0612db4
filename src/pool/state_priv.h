/*
 * state_priv.h - what state.c has read, for attempts.c
 */
#ifndef RPT_POOL_STATE_PRIV_H
#define RPT_POOL_STATE_PRIV_H

#include "pool/attempts.h"
#include "pool/pool_priv.h"

#include <repartir/state.h>

struct rpt_known_task {
    rpt_state_task_t shown;
    char *id, *host;
    bool has_number; /* instead of an id */
    uint64_t epoch;  /* of its last submission */
    bool has_end;
    rpt_outcome_t outcome;
    size_t last_attempt; /* its index + 1; 0: none, or none was read */
};

struct rpt_state {
    rpt_state_summary_t summary;
    char host[128];
    char *directory;
    struct rpt_known_task **tasks; /* in order of submission */
    size_t n, capacity;
    struct rpt_table by_key;
    bool job_runs;
    uint64_t last_epoch;
    struct rpt_attempts *attempts; /* NULL: nobody has asked */
};

/* The task of a record; NULL: none that was submitted. */
struct rpt_known_task *rpt__state_find(const struct rpt_state *state,
                                       const void *data, size_t bytes);
/* attempts.c.  NULL is ignored. */
void rpt__attempts_free(struct rpt_attempts *attempts);

#endif /* RPT_POOL_STATE_PRIV_H */
