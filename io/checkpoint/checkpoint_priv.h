/*
 * checkpoint_priv.h - what the files of this folder share
 *
 *   open.c      the folder, its lock, what was left there; closing
 *   begin.c     a save up to the copy: collective; workdir.c: its folder
 *   save.c      from there to the commit: messages; save_jobs.c: the thread
 *   restore.c   the newest that all ranks find whole; verify.c
 *   due.c       when; interval.c
 *   events.c    what happened, for the next job and for people; history.c
 *
 * What looks at checkpoints without a job has catalog_priv.h.
 */
#ifndef RPT_IO_CHECKPOINT_PRIV_H
#define RPT_IO_CHECKPOINT_PRIV_H

#include "io/checkpoint/checkpoint.h"
#include "io/checkpoint/commit.h"
#include "io/checkpoint/dir.h"
#include "io/checkpoint/events.h"
#include "io/checkpoint/ferry.h"
#include "io/checkpoint/layout.h"
#include "io/checkpoint/level.h"
#include "io/checkpoint/routes.h"
#include "io/checkpoint/stream.h"
#include "io/checkpoint/saver.h"

/* Where a save is, on this rank. */
enum rpt_phase {
    RPT_PHASE_IDLE,   /* there is none                                        */
    RPT_PHASE_BEGIN,  /* the call that begins one                             */
    RPT_PHASE_WRITE,  /* the thread writes                                    */
    RPT_PHASE_WAIT,   /* this rank's part is down, or has failed: rank 0 waits
                         for all, the others for what it says                 */
    RPT_PHASE_COMMIT  /* rank 0's thread commits, or removes                  */
};

struct rpt_save {
    enum rpt_phase phase;
    struct rpt_stamp stamp;
    char folder[RPT_FOLDER_NAME_BYTES]; /* .tmp-ID                     */
    struct rpt_dir dir;                 /* that folder                 */
    struct rpt_target target;
    const char *engine; /* its name */
    bool is_collective;
    bool is_local; /* it stays on the nodes: there is no folder */
    int level; /* of compression, 0: none */
    struct rpt_write_times times;
    uint64_t recycled; /* id of the one whose files it takes; 0: none */
    uint64_t *words;   /* of the section that this rank has written   */
    rpt_status_t own;     /* why this rank has no part        */
    struct rpt_buf error; /* packed: of `own`, or of the save */
    rpt_status_t result;  /* of the last save, when it is over ...  */
    bool is_told;         /* ... and whether the caller knows       */
    double began_s;
    double left_s; /* when the program went on; 0: it waits for the end */
    bool has_rest; /* the thread removes what is kept no more */
    /* other ranks: it has failed, and this one is not done with its part;
     * why, is in `error` */
    rpt_status_t verdict;
    /* rank 0 */
    struct rpt_buf draft;
    bool *is_down; /* of each rank */
    int n_down;
    bool retains; /* its thread looks which old ones may go */
    rpt_status_t failure; /* of the first rank that had one */
    double first_down_s;  /* when the first rank was down   */
};

/* The checksums of what this rank has written into a checkpoint. */
struct rpt_memory {
    uint64_t id;     /* of the checkpoint; 0: this one is free */
    uint64_t layout; /* the number of the layout               */
    uint64_t number; /* they are counted                       */
    uint64_t *words; /* as rpt__stream_words() */
};
#define RPT_MEMORIES 64

/* When rank 0 says that a checkpoint is due. */
struct rpt_timing {
    double last_s;           /* end of the last save, or the opening       */
    uint64_t last_iteration; /* of it                                      */
    double cost_s;           /* of a save, blocked; smoothed; 0: not known */
    double run_s;            /* of the jobs before ...                     */
    uint64_t n_failures;     /* ... and how many of them failed            */
    double spent_s;          /* in saves since the opening                 */
    double opened_s;
    double halt_seen_s; /* when HALT was looked for */
    bool is_halted;
};

struct rpt_checkpoint {
    struct rpt_checkpoint *next; /* of the context */
    struct rpt_group *group;     /* our own        */
    struct rpt_comm *comm;
    struct rpt_engine *engine;
    int rank, size;
    const rpt_options_t *options;
    rpt_options_t *own_options; /* NULL: they are the context's */
    char *task;
    struct rpt_dir top; /* the directory            */
    struct rpt_dir dir; /* the task's folder in it  */
    int lock_fd;        /* rank 0                   */
    bool notes_signals;
    uint64_t newest; /* rank 0: iteration of the newest committed one */
    bool has_newest;
    uint64_t verified; /* rank 0: id of the last one that was verified */
    struct rpt_items items;
    struct rpt_file_layout layout;
    bool has_layout;
    uint64_t n_layouts; /* that were made */
    const struct rpt_hdf5_ops *hdf5;
    void *mpi; /* of the collective engine */
    struct rpt_stream stream;
    struct rpt_ferry *ferries; /* of the devices that items were on */
    struct rpt_saver *saver;
    struct rpt_poller poller;
    struct rpt_save save;
    /* rank 0: what may go, and what went; its thread's while that has a rest */
    struct rpt_retention retention;
    struct rpt_memory memories[RPT_MEMORIES];
    uint64_t n_memories;
    bool has_begun;           /* the folder of the next save is there    */
    bool wants_files;         /* one was begun, and is not committed yet */
    uint64_t wanted;          /* its iteration                           */
    struct rpt_routes routes; /* files in it that this rank asked for    */
    char restored[RPT_FOLDER_NAME_BYTES]; /* "": none                    */
    struct rpt_manifest restored_manifest;
    struct rpt_timing timing;
    struct rpt_levels level;
    rpt_checkpoint_stats_t stats;
    rpt_checkpoint_tell_fn tell; /* NULL: nobody */
    void *tell_user;
};

/* Text of an option of io.checkpoint that is one of `names` (ends with NULL):
 * its index; -1: recorded as RPT_ERR_INVALID. */
int rpt__checkpoint_choice(const struct rpt_checkpoint *c,
                           enum rpt_option option, const char *const names[]);

/* ---- retain.c ---- */

/* What the options say; `verified` is the caller's. */
struct rpt_retention rpt__retention_of(const rpt_options_t *options);

/* ---- save.c ---- */

/* Once for a context. */
rpt_status_t rpt__save_listen(struct rpt_comm *comm);
/* The poller of a checkpoint. */
int rpt__save_poll(struct rpt_poller *poller);
double rpt__save_next_s(struct rpt_poller *poller);
/* This rank has its copy (own: RPT_OK), or has failed: goes on from here.
 * Under the lock. */
void rpt__save_go(struct rpt_checkpoint *c, rpt_status_t own);
/* How long the others wait for rank 0, which gives up before, and says so;
 * seconds. */
double rpt__save_patience(const struct rpt_checkpoint *c);
/* Waits until none is under way.  Under the lock. */
rpt_status_t rpt__save_finish(struct rpt_checkpoint *c);
/* And until old ones are removed. */
rpt_status_t rpt__save_settle(struct rpt_checkpoint *c);

/* ---- save_jobs.c ---- */

/* Jobs of the thread; arg: the checkpoint.  All ranks; rank 0. */
rpt_status_t rpt__save_write(void *arg);
rpt_status_t rpt__save_commit(void *arg);
rpt_status_t rpt__save_remove(void *arg);
/* The save is over: leaves to the thread what is kept no more. */
void rpt__save_leave(struct rpt_checkpoint *c, rpt_status_t status);

/* ---- workdir.c ---- */

/* The save has this stamp, its folder is called after it; from now on messages
 * of this save are heard. */
void rpt__workdir_name(struct rpt_checkpoint *c, const struct rpt_stamp *stamp);
/* Rank 0: makes the folder, unless it was begun.  RPT_ERR_EXISTS,
 * RPT_ERR_INVALID: not for this iteration. */
rpt_status_t rpt__workdir_make(struct rpt_checkpoint *c, uint64_t iteration,
                               bool may_recycle);
/* Rank 0: its files, as the layout says; those that are there are replaced. */
rpt_status_t rpt__workdir_fill(const struct rpt_checkpoint *c);
/* Rank 0: save.draft. */
rpt_status_t rpt__workdir_make_draft(struct rpt_checkpoint *c);
/* Rank 0: what a job that finds the folder needs to finish it. */
rpt_status_t rpt__workdir_draft(struct rpt_checkpoint *c);
/* Any rank: save.dir and save.target. */
rpt_status_t rpt__workdir_open(struct rpt_checkpoint *c);
/* The error of who does not find it. */
rpt_status_t rpt__workdir_lost(const struct rpt_checkpoint *c);
/* Its files, which it has written. */
rpt_status_t rpt__workdir_shut(struct rpt_save *save);
/* What is still open. */
void rpt__workdir_close(struct rpt_save *save);
/* Rank 0; the last error stays. */
void rpt__workdir_remove(const struct rpt_checkpoint *c);

/* ---- recycle.c ---- */

bool rpt__recycle_is_on(const struct rpt_checkpoint *c);
/* Rank 0: makes the new folder of what is left of a removed one, if there is
 * one; true: it has state.h5. */
bool rpt__recycle_take(struct rpt_checkpoint *c);
/* Rank 0: removes what is kept to be recycled. */
void rpt__recycle_drop(struct rpt_checkpoint *c);
/* The checksums of blocks that the files of the save have already, NULL: not
 * known. */
const uint64_t *rpt__recycle_known(struct rpt_checkpoint *c);
/* The save is committed: its checksums are remembered. */
void rpt__recycle_note(struct rpt_checkpoint *c);
void rpt__recycle_free(struct rpt_checkpoint *c);

/* ---- begin.c ---- */

/* RPT_ERR_INVALID: an option names an engine or a compression that there is
 * none of. */
rpt_status_t rpt__checkpoint_choices(const struct rpt_checkpoint *c);

/* What was begun, and not saved, is removed. */
void rpt__checkpoint_abandon(struct rpt_checkpoint *c);

/* ---- due.c ---- */

/* Daly's interval from what a save costs, 0: not known. */
double rpt__due_interval(const struct rpt_checkpoint *c);
/* Says so when the options ask for what cannot be known here. */
void rpt__due_warn(const struct rpt_checkpoint *c);

/* ---- verify.c ---- */

/* Reads blocks [from, end) of all that a checkpoint has and compares their
 * checksums.  Not collective. */
rpt_status_t rpt__verify(const struct rpt_opened *opened, int part,
                         int n_parts);

#endif /* RPT_IO_CHECKPOINT_PRIV_H */
