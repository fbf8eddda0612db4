/*
 * dir.h - folders and files of checkpoints, each relative to an open folder
 *
 * Nothing here follows a link below the directory that the user named, opens
 * what is no regular file, or uses what others may write to.  What fails is
 * recorded with the path, the reason, and advice that fits it.
 */
#ifndef RPT_IO_CHECKPOINT_DIR_H
#define RPT_IO_CHECKPOINT_DIR_H

#include "base/buf.h"

#include <repartir/base.h>

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rpt_dir {
    int fd;      /* -1: it is not open                 */
    char *path;  /* for messages                      */
    bool is_lax; /* in it and below nothing is synced */
};

#define RPT_DIR_CLOSED                                                         \
    {                                                                          \
        -1, NULL, false                                                        \
    }

/* Records that `name` ("": the folder itself) could not be written, ..., and
 * gives RPT_ERR_IO; needed: bytes that should have been written, or 0. */
rpt_status_t rpt__dir_fail(const struct rpt_dir *dir, const char *name,
                           const char *verb, int error, uint64_t needed);
/* Records that `name` must not be used, and why: RPT_ERR_INVALID. */
rpt_status_t rpt__dir_refuse(const struct rpt_dir *dir, const char *name,
                             const char *why);

/* Makes a folder that a user named, and those above it; it may be there.
 * All their names are synced, also of those that were there: who made them may
 * not have done it.  Links are followed. */
rpt_status_t rpt__dir_make_path(const char *path);
/* RPT_ERR_NOT_FOUND: there is none.  Links are followed. */
rpt_status_t rpt__dir_open_path(const char *path, struct rpt_dir *dir_out);
/* RPT_ERR_NOT_FOUND.  A link is refused. */
rpt_status_t rpt__dir_open(const struct rpt_dir *parent, const char *name,
                           struct rpt_dir *dir_out);
/* may_exist: one that is there is fine. */
rpt_status_t rpt__dir_make(const struct rpt_dir *parent, const char *name,
                           bool may_exist);
/* Of one that is not open, too. */
void rpt__dir_close(struct rpt_dir *dir);

/* Refuses a folder that others may write to, or that belongs to somebody else
 * than this user, root, or `owner` (-1: nobody). */
rpt_status_t rpt__dir_check(const struct rpt_dir *dir, int64_t owner);
/* Refuses one where everybody may put another folder in the place of ours. */
rpt_status_t rpt__dir_check_top(const struct rpt_dir *dir);
int64_t rpt__dir_owner(const struct rpt_dir *dir);

/* Whether that is why a call failed: no room, or no more for this user. */
bool rpt__is_full(int error);
/* Whether its disk has less than a MiB left. */
bool rpt__dir_is_full(const struct rpt_dir *dir);
/* What a user does when a call has failed with this. */
const char *rpt__disk_advice(int error);

/* The names in it must survive a power failure. */
rpt_status_t rpt__dir_sync(const struct rpt_dir *dir);
rpt_status_t rpt__dir_rename(const struct rpt_dir *dir, const char *from,
                             const char *to);
/* Whether an open folder still has the name by which it was opened. */
bool rpt__dir_is_still(const struct rpt_dir *parent, const char *name,
                       const struct rpt_dir *dir);
/* Whether there is nothing of that name; somebody else may have taken it away
 * at any moment. */
bool rpt__dir_lacks(const struct rpt_dir *dir, const char *name);
/* A file, or a folder with all that is in it.  One that is not there, or that
 * somebody else removes meanwhile, is fine.  Follows no link. */
rpt_status_t rpt__dir_remove(const struct rpt_dir *dir, const char *name);

/* The names in a folder, sorted, without . and ..; to be released by
 * rpt__dir_names_free(). */
struct rpt_dir_names {
    char **list;
    size_t n;
};
rpt_status_t rpt__dir_list(const struct rpt_dir *dir,
                           struct rpt_dir_names *names_out);
void rpt__dir_names_free(struct rpt_dir_names *names);

/* ---- files ---- */

/* A new one; nobody else has it. */
rpt_status_t rpt__dir_create(const struct rpt_dir *dir, const char *name,
                             int *fd_out);
/* One that is there: for reading, or for both.  RPT_ERR_NOT_FOUND;
 * RPT_ERR_INVALID: a link, or no regular file; RPT_ERR_IO: others may write to
 * it, or it is somebody else's than the folder's owner, ... */
rpt_status_t rpt__dir_open_file(const struct rpt_dir *dir, const char *name,
                                bool to_write, int *fd_out);
/* Its length. */
rpt_status_t rpt__dir_bytes(const struct rpt_dir *dir, const char *name, int fd,
                            uint64_t *bytes_out);
/* Appends a whole file and a 0 that is not counted.  RPT_ERR_NOT_FOUND;
 * RPT_ERR_CORRUPT: it is longer than `most` bytes. */
rpt_status_t rpt__dir_read_all(const struct rpt_dir *dir, const char *name,
                               uint64_t most, struct rpt_buf *out);
/* A new file with these bytes, which a power failure may take away. */
rpt_status_t rpt__dir_write(const struct rpt_dir *dir, const char *name,
                            const void *data, size_t bytes);
/* The same, synced. */
rpt_status_t rpt__dir_put(const struct rpt_dir *dir, const char *name,
                          const void *data, size_t bytes);
/* RPT_ERR_CORRUPT: a file has another length. */
rpt_status_t rpt__dir_is_long(const struct rpt_dir *dir, const char *name,
                              uint64_t bytes);

/* Bytes that a file of a folder has, 0: there is none.  has_holes: those that
 * it takes of the disk, if these are fewer. */
uint64_t rpt__file_room(const struct rpt_dir *dir, const char *name,
                        bool has_holes);

/* Between these two a file that gets longer than this process may make one
 * (ulimit -f) is an error of this thread's call, and no signal that ends the
 * program. */
void rpt__dir_begin(sigset_t *before);
void rpt__dir_end(const sigset_t *before);

#endif /* RPT_IO_CHECKPOINT_DIR_H */
