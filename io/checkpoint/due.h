/*
 * due.h - reasons for a checkpoint, as functions of what is known
 */
#ifndef RPT_IO_CHECKPOINT_DUE_H
#define RPT_IO_CHECKPOINT_DUE_H

#include <repartir/base.h>

#include <stdbool.h>
#include <stdint.h>

/* What the options say; 0: not asked for. */
struct rpt_due_rules {
    uint64_t every;
    double interval_s;
    bool by_daly;
    double mtbf_s;
    double overhead; /* most share of the time, 0 to 1; 0: no cap */
    double end_s;    /* of the allocation, as now_s; 0: not known */
    double before_end_s;
};

/* What has happened. */
struct rpt_due_state {
    double now_s;
    double opened_s;
    double last_s; /* end of the last save, or the opening */
    uint64_t iteration, last_iteration;
    double cost_s;  /* of one save, blocked; 0: there was none */
    double spent_s; /* in all of them                          */
    double save_s;  /* of the last one, until it was committed */
};

/* A sum of rpt_due_t: iterations, seconds, Daly, end. */
int rpt__due(const struct rpt_due_rules *rules,
             const struct rpt_due_state *state);

/* ---- signals.c ---- */

/* Notes signals of a list such as "USR1,TERM" from now on; "" : none.  Calls
 * nest.  RPT_ERR_INVALID: no such name. */
rpt_status_t rpt__signals_note(const char *list);
void rpt__signals_forget(const char *list);
/* The number of "USR1" or "SIGUSR1", ...; 0: none that may be noted. */
int rpt__signal_number(const char *name);
/* Whether one of the list has come since. */
bool rpt__signals_came(const char *list);

#endif /* RPT_IO_CHECKPOINT_DUE_H */
