/*
 * choice.h - which checkpoint of a task is restored: the candidates in order
 *
 *   begin    what is there, and what became of it before
 *   next     the newest, then older ones; one that leads nowhere comes last: it
 *            is better than none
 *   pass     that one is damaged (it is put aside), or could not be read
 *   take     that one was restored
 *   none     nothing is left: was there something?
 *
 * In one thread of one process; of a group, rank 0 does it.
 */
#ifndef RPT_IO_CHECKPOINT_CHOICE_H
#define RPT_IO_CHECKPOINT_CHOICE_H

#include "base/options.h"
#include "io/checkpoint/commit.h"
#include "io/checkpoint/events.h"

struct rpt_choice {
    const struct rpt_dir *dir; /* of the task */
    struct rpt_found *found;
    size_t n;
    size_t next;
    size_t doubted; /* the first whose restores have led nowhere, or n */
    int64_t tries;
    struct rpt_history history;
    unsigned n_bad;    /* damaged, and not put aside: they are seen again */
    unsigned n_unread; /* that cannot be used here                        */
};

rpt_status_t rpt__choice_begin(const struct rpt_dir *dir,
                               const rpt_options_t *options,
                               struct rpt_choice *choice_out);
/* Of one that was not begun (all zero), too. */
void rpt__choice_end(struct rpt_choice *choice);

/* NULL: there is none left. */
const struct rpt_found *rpt__choice_next(struct rpt_choice *choice);
/* Whether a failure says that another one is to be tried. */
static inline bool rpt__choice_passes(rpt_status_t status)
{
    return status != RPT_OK && !rpt__found_blames_reader(status);
}
/* status: what is wrong with it, of which the last error tells. */
void rpt__choice_pass(struct rpt_choice *choice, const struct rpt_found *found,
                      rpt_status_t status);
/* Every byte of it is right. */
void rpt__choice_verified(const struct rpt_choice *choice,
                          const struct rpt_found *found);
/* It was restored: what came of it counts from now on. */
void rpt__choice_take(struct rpt_choice *choice, const struct rpt_found *found);
/* RPT_END: there never was one; RPT_ERR_CORRUPT: none can be restored. */
rpt_status_t rpt__choice_none(const struct rpt_choice *choice);

#endif /* RPT_IO_CHECKPOINT_CHOICE_H */
