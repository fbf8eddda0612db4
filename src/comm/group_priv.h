/*
 * group_priv.h - what the files about groups share
 *
 *   mailbox.c   letters: who has which, and the table of groups
 *   group.c     making and releasing groups
 *   exchange.c  all give, all get
 *   barrier.c   waiting for each other; missing.c: who is it that we wait for
 *   place.c     ranks that wait for each other in calls of different kinds
 */
#ifndef RPT_COMM_GROUP_PRIV_H
#define RPT_COMM_GROUP_PRIV_H

#include "comm/comm_priv.h"

#include <repartir/group.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rpt_letter_kind {
    RPT_LETTER_DATA,   /* exchange: blocks                                   */
    RPT_LETTER_UP,     /* barrier: all below me are here                     */
    RPT_LETTER_DOWN,   /* barrier: all are here                              */
    RPT_LETTER_REPORT, /* barrier: I wait, and these below me are missing    */
    RPT_LETTER_HERE,   /* barrier: your parent is here too                   */
    RPT_LETTER_WARNED, /* barrier: I have warned, you need not               */
    RPT_LETTER_DECIDE, /* barrier: my deadline passed, end it                */
    RPT_LETTER_FAIL,   /* any time: the group is of no further use           */
    RPT_LETTER_PLACE   /* any time: I wait for you, in this call             */
};

/* In front of the bytes of every message with RPT_TAG_GROUP. */
struct rpt_letter_head {
    uint64_t number; /* of the group                             */
    uint64_t seq;    /* of the operation in the group            */
    uint32_t kind;   /* enum rpt_letter_kind                     */
    uint32_t unused;
};

struct rpt_letter {
    struct rpt_letter *next;
    struct rpt_letter_head head;
    int source; /* world rank */
    size_t bytes;
    char data[];
};

struct rpt_group {
    struct rpt_group *next; /* in its bucket */
    struct rpt_comm *comm;
    uint64_t number;
    int rank;
    int size;
    int *ranks; /* world ranks; NULL: all, in order */
    uint64_t seq;
    double patience_s; /* least of an exchange; see rpt__group_be_patient() */
    bool busy;                   /* an operation is going on ... */
    const char *call;            /* ... in this function         */
    _Atomic rpt_status_t failed; /* the group is of no further use: why    */
    double failed_s;    /* when this rank learned that                    */
    uint64_t last_op;   /* operations up to this one may still end well   */
    uint64_t first_run; /* so may runs of the upper layer before this one */
    char *texts;        /* of that: what, why, hint; NULL: no memory      */
    bool told;          /* a call has returned that failure               */
    bool told_others;   /* so has this rank the others                    */
    struct rpt_letter *letters; /* oldest first                            */
    void *attached;             /* of an upper layer                       */
    const struct rpt_group_layer *layer;
};

/* ---- mailbox.c ---- */

rpt_status_t rpt__groups_create(struct rpt_comm *comm,
                                struct rpt_groups **groups_out);
void rpt__groups_destroy(struct rpt_groups *groups);

/* Enters a group: from now on it gets the letters with its number, also those
 * that came early.  RPT_ERR_STATE: a group of this number failed before. */
rpt_status_t rpt__groups_enter(struct rpt_group *group);
/* Takes it out.  keep: letters that are left are for the next of its number. */
void rpt__groups_leave(struct rpt_group *group, bool keep);
/* Where the world is, or NULL as long as nobody asked for it. */
struct rpt_group **rpt__groups_world(struct rpt_comm *comm);
/* The next free count of groups that were agreed on (group.c). */
uint64_t *rpt__groups_count(struct rpt_comm *comm);

rpt_status_t rpt__letter_send(struct rpt_group *group, int to,
                              enum rpt_letter_kind kind, const void *data,
                              size_t bytes);

/* The oldest letter of this operation and kind from a rank of the group; NULL
 * when there is none. */
struct rpt_letter *rpt__letter_find(struct rpt_group *group,
                                    enum rpt_letter_kind kind, int from);
/* Whether there is one of this operation and kind from anybody. */
bool rpt__letter_any(const struct rpt_group *group, enum rpt_letter_kind kind);
/* Takes a letter out and frees it. */
void rpt__letter_done(struct rpt_group *group, struct rpt_letter *letter);
/* Drops reports about waiting ranks of this operation and those before. */
void rpt__letters_clear(struct rpt_group *group);

/* ---- group.c ---- */

/* Beginning and end of a collective operation; begin counts it.  call: the
 * user's, as errors name it; constant. */
rpt_status_t rpt__group_begin(struct rpt_group *group, const char *call);
void rpt__group_end(struct rpt_group *group);
/* Whether the operation that goes on ends with the failure of the group. */
bool rpt__group_op_failed(const struct rpt_group *group);

/* Another rank said so. */
void rpt__group_failed(struct rpt_group *group, const struct rpt_letter *fail);

/* ---- place.c ---- */

/* How many runs of the upper layer this rank has begun. */
uint64_t rpt__group_n_runs(const struct rpt_group *group);
/* Another rank told its own. */
void rpt__place_came(struct rpt_group *group, const struct rpt_letter *letter);
/* rpt__group_fail() in an operation; calls before one that does not fit go on.
 */
rpt_status_t rpt__group_fail_op(struct rpt_group *group, rpt_status_t status);

#endif /* RPT_COMM_GROUP_PRIV_H */
