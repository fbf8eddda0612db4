/*
 * commit.h - a folder with all data becomes a checkpoint; rank 0 only
 *
 * From the files alone, so that the next job can finish what a killed one had
 * all data of.
 */
#ifndef RPT_IO_CHECKPOINT_COMMIT_H
#define RPT_IO_CHECKPOINT_COMMIT_H

#include "io/checkpoint/dir.h"
#include "io/checkpoint/format.h"

/* Whether a name may be that of a task: NULL, or why not.  Anybody. */
const char *rpt__task_check(const char *task);

/* Commits folder `name` of a task's folder.  RPT_PENDING: not all data are
 * there.  name_out: its new name, may be NULL.  After a failure the folder is
 * as it was, or committed. */
rpt_status_t rpt__commit(const struct rpt_dir *task, const char *name,
                         char name_out[RPT_FOLDER_NAME_BYTES]);

/* Finishes or removes what a killed job left unfinished; then all names in the
 * task's folder are on the disk. */
rpt_status_t rpt__commit_leftovers(const struct rpt_dir *task);

/* MANIFEST.json or draft.json of an open folder; to be released by
 * rpt__manifest_free().  RPT_ERR_NOT_FOUND and those of
 * rpt__manifest_read(). */
rpt_status_t rpt__manifest_load(const struct rpt_dir *dir, bool is_draft,
                                struct rpt_manifest *manifest_out);

/* state.h5 of a committed folder, to be read.  RPT_ERR_CORRUPT: there is none,
 * or it is no file. */
rpt_status_t rpt__state_open(const struct rpt_dir *dir, int *fd_out);

/* Manifest and checksums of a folder, checked; all to be released. */
struct rpt_opened {
    struct rpt_dir dir;
    struct rpt_manifest manifest;
    struct rpt_buf blocks;
    struct rpt_written *written;
    size_t n_written;
};
#define RPT_OPENED_NONE                                                        \
    {                                                                          \
        .dir = RPT_DIR_CLOSED                                                  \
    }
/* Of a committed folder, or one that was put aside.  RPT_ERR_CORRUPT: it is
 * damaged; RPT_ERR_NOT_FOUND: it is gone, perhaps while it was read;
 * RPT_ERR_IO and others: it cannot be read. */
rpt_status_t rpt__opened_read(const struct rpt_dir *task, const char *name,
                              struct rpt_opened *opened_out);
void rpt__opened_free(struct rpt_opened *opened);
/* Records that a folder is not there any more: RPT_ERR_NOT_FOUND. */
rpt_status_t rpt__gone(const struct rpt_dir *task, const char *name);

/* ---- found.c ---- */

/* A committed folder, by its name. */
struct rpt_found {
    char name[RPT_FOLDER_NAME_BYTES];
    uint64_t iteration;
    uint64_t id;
    bool counts;    /* its manifest is right                             */
    bool is_unread; /* by a fault of the disk or the system, for want of
                     * permission, or for being of a newer format: what
                     * is in it is not known                             */
    double time_s;  /* of the manifest; 0: cannot be read                */
    uint64_t bytes; /* of its files                                      */
};
/* Whether a failure to read one says nothing of it, since this process lacks
 * something, or is too old: the state may be whole, and an older one is not
 * what was asked for. */
static inline bool rpt__found_blames_reader(rpt_status_t status)
{
    return status == RPT_ERR_NOMEM || status == RPT_ERR_SYSTEM ||
           status == RPT_ERR_VERSION;
}
/* All of a task, newest first.  To be freed. */
rpt_status_t rpt__find_all(const struct rpt_dir *task,
                           struct rpt_found **found_out, size_t *n_out);

/* ---- retain.c ---- */

struct rpt_retention {
    uint64_t keep;      /* the newest so many, >= 1                    */
    uint64_t every;     /* and those of every n-th iteration; 0: none  */
    double age_s;       /* none that is older; 0: any age              */
    uint64_t bytes;     /* no more than so many; 0: any                */
    uint64_t committed; /* so is this one, just written; 0: none       */
    uint64_t verified;  /* this id is kept in any case; 0: none        */
    bool spares;        /* the last that goes stays as .spare-ID ...   */
    uint64_t spare;     /* [out] ... with this id; 0: none             */
};
/* Which may go of those that count, which are given newest first.  The newest
 * one never does. */
void rpt__retention_choose(const struct rpt_retention *rules,
                           const struct rpt_found found[], size_t n,
                           double now_s, bool goes_out[]);
/* Removes them. */
rpt_status_t rpt__retain(const struct rpt_dir *task,
                         struct rpt_retention *rules);

/* Takes a folder out of the way and removes it.  One that somebody else has
 * taken is fine. */
rpt_status_t rpt__retire(const struct rpt_dir *task, const char *name);
/* Removes .old-ID of who was killed meanwhile; and .spare-ID and scratch-NUMBER
 * of a job that was killed, for who has the task's lock. */
rpt_status_t rpt__clear_old(const struct rpt_dir *task, bool is_locked);
/* Puts a damaged one aside. */
rpt_status_t rpt__put_aside(const struct rpt_dir *task, const char *name,
                            uint64_t id);

#endif /* RPT_IO_CHECKPOINT_COMMIT_H */
