/*
 * saving_priv.h - what an attempt of a task knows of its checkpoints
 *
 *   saving.c   functions, which save themselves; gangs
 *   watch.c    programs: a thread opens, looks for COMMIT, saves, closes
 *   remover.c  what becomes of all of it when the task has succeeded
 */
#ifndef RPT_POOL_SAVING_PRIV_H
#define RPT_POOL_SAVING_PRIV_H

#include "io/checkpoint/solo.h"
#include "io/checkpoint/tell.h"
#include "pool/pool_priv.h"

enum { RPT_SAVING_NAME_BYTES = 112 };

/* Belongs to the thread that runs the item, like the item; of a gang under the
 * engine's lock, of a program to the poller. */
struct rpt_saved {
    bool is_open;        /* it was tried to open the folder          */
    rpt_status_t opened; /* how that went                            */
    struct rpt_solo *solo;
    struct rpt_buf state; /* what was restored                       */
    bool has_state;
    uint64_t iteration; /* of it                                     */
    bool hurried;       /* has saved since it was told to hurry      */
    uint64_t n_commits;
    double begun_s;  /* rpt__now_s() of the start, 0: item->start_s  */
    double last_s;   /* of the last save that was tried, 0: none     */
    double commit_s; /* when it went on from the last state that was
                        committed, 0: none                            */
    rpt_call_measure_fn measure;
    rpt_call_pack_fn pack;
    void *user;
    struct rpt_checkpoint *group; /* of a gang, open                 */
    struct rpt_watch *watch;      /* of a program                    */
    const char *scratch, *files;  /* of a program; files: NULL: none */
};

/* The name of the folder of a task: its id, made safe; of one without id its
 * number, and what it does. */
void rpt__saving_name(const struct rpt_spec *spec, size_t spec_bytes,
                      int owner_rank, uint64_t number,
                      char name_out[RPT_SAVING_NAME_BYTES]);
/* Of an item. */
void rpt__saving_item_name(const struct rpt_item *item,
                           char name_out[RPT_SAVING_NAME_BYTES]);

/* How long an attempt waits for the folder, should one before it (of a job that
 * is being killed) have it still, and how often it looks. */
#define RPT_SAVING_WAIT_S 10.0
#define RPT_SAVING_LOOK_S 0.05

#endif /* RPT_POOL_SAVING_PRIV_H */
