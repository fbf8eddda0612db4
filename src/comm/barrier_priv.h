/*
 * barrier_priv.h - what barrier.c and missing.c share
 */
#ifndef RPT_COMM_BARRIER_PRIV_H
#define RPT_COMM_BARRIER_PRIV_H

#include "comm/group_priv.h"

enum { RPT_BARRIER_ARITY = 16, RPT_NAMED_MAX = 16 };

/* Ranks (of the group) that somebody waits for.  Travels as it is. */
struct rpt_missing {
    int32_t n;                    /* all of them              */
    int32_t named[RPT_NAMED_MAX]; /* the first of them        */
};

struct rpt_barrier {
    struct rpt_group *group;
    int parent; /* -1: none */
    int first_child;
    int n_children;
    uint32_t arrived; /* children, by bit, that are complete            */
    bool up_sent;
    bool released; /* all are here: the barrier is over              */
    bool mismatch; /* somebody is in an exchange                     */
    rpt_status_t send_status; /* the first letter that could not be sent     */
    bool parent_is_here; /* a letter HERE came                             */
    bool asked;          /* somebody's deadline passed                     */
    bool ask_sent;
    bool warned;      /* by this rank or another                        */
    uint32_t greeted; /* children, by bit, that got a letter HERE       */
    struct rpt_missing reported; /* what was reported last                   */
    bool report_sent;

    /* Moments; INFINITY: never. */
    double began_s, notice_s, ask_s, warn_s, deadline_s, give_up_s;
    double step_s; /* between notices */
};

/* Sends a letter; a failure is kept and ends the barrier. */
void rpt__barrier_send(struct rpt_barrier *barrier, int to,
                       enum rpt_letter_kind kind, const void *data,
                       size_t bytes);

/* ---- missing.c ---- */

/* The next moment at which rpt__barrier_late() wants to be called. */
double rpt__barrier_next_s(const struct rpt_barrier *barrier);
/* Notes greetings, warnings, deadlines and calls that do not fit. */
void rpt__barrier_hear(struct rpt_barrier *barrier);
/* Time has passed: tells others who waits, warns, ends it.  A failure ends the
 * barrier. */
rpt_status_t rpt__barrier_late(struct rpt_barrier *barrier);
void rpt__barrier_set_moments(struct rpt_barrier *barrier);

#endif /* RPT_COMM_BARRIER_PRIV_H */
