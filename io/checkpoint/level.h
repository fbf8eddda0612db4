/*
 * level.h - checkpoints that stay on the nodes: the local level
 *
 * A save that is not the k-th goes to a folder of each node, in memory or on
 * its disk, with what another node needs to replace it.  A restore that finds
 * such a newer one writes it to the shared directory first.
 *
 *   level.c        which save goes where; opening, closing
 *   level_nodes.c  who is on which node, and who keeps what for whom
 *   level_file.c   the bytes of a file of this level
 *   level_place.c  folders and names on the node
 *   level_ship.c   bytes from rank to rank
 *   level_save.c   a save: copies for other nodes in the call, files in the
 *                  thread
 *   level_list.c   what all nodes have
 *   level_find.c   the newest of it that is whole, or can be made so
 *   level_rebuild.c  a part that was lost
 *   level_flush.c  that, as a checkpoint in the shared directory
 */
#ifndef RPT_IO_CHECKPOINT_LEVEL_H
#define RPT_IO_CHECKPOINT_LEVEL_H

#include "base/buf.h"
#include "comm/comm.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rpt_checkpoint;
struct rpt_ship;
struct rpt_local_out;

enum rpt_level_copy {
    RPT_LEVEL_COPY_NONE,
    RPT_LEVEL_COPY_PARTNER,
    RPT_LEVEL_COPY_XOR
};

enum { RPT_LEVEL_TASK_BYTES = 128, RPT_LEVEL_KEEP_MAX = 16 };

/* The nodes that ranks of a group are on. */
struct rpt_nodes {
    int n;
    int *number; /* of each, in the context's map                  */
    int *begin;  /* n + 1: where its ranks begin in ...            */
    int *ranks;  /* ... this list                                  */
    int *node;   /* of each rank: index of its node                */
    int *place;  /* of each rank: index among those of its node    */
};

struct rpt_levels {
    bool is_on;
    enum rpt_level_copy copy;
    char task[RPT_LEVEL_TASK_BYTES]; /* its folder on each node */
    struct rpt_nodes nodes;
    uint64_t base; /* id of the last one of this job that was committed in the
                      shared directory, 0: none */
    uint64_t kept[RPT_LEVEL_KEEP_MAX]; /* ids, the newest first */
    size_t n_kept;
    uint64_t failed; /* id of the save that is over, and came to nothing; 0:
                        none.  Else all that is not kept is removed */
    uint64_t flushed; /* id of the one that a restore has written, 0: none */
    struct rpt_ship *ship;       /* bytes are under way */
    struct rpt_local_out *files; /* that are to be written */
    size_t n_files;
    /* rank 0 */
    uint64_t n_since; /* local saves since the last shared one */
    bool stops;       /* the program is about to end ...       */
    bool saves_stop;  /* ... when the save under way was begun */
};

/* ---- level.c ---- */

/* Collective. */
rpt_status_t rpt__level_open(struct rpt_checkpoint *c);
/* All ranks have come, and no save is under way. */
void rpt__level_close(struct rpt_checkpoint *c);
void rpt__level_free(struct rpt_checkpoint *c);
/* Rank 0: whether the save that begins stays on the nodes. */
bool rpt__level_chooses(struct rpt_checkpoint *c);
/* The program is about to end: its next save is shared. */
void rpt__level_stop(struct rpt_checkpoint *c);
/* A save is over, on this rank.  Under the lock. */
void rpt__level_note(struct rpt_checkpoint *c, rpt_status_t status);

/* ---- level_save.c ---- */

/* Collective, after the copy: what other nodes keep.  Failures are this rank's
 * own, or all ranks'. */
rpt_status_t rpt__level_share(struct rpt_checkpoint *c, rpt_status_t own);
/* What was put together to be written. */
void rpt__level_drop_files(struct rpt_checkpoint *c);
/* In the thread. */
rpt_status_t rpt__level_write(struct rpt_checkpoint *c);
/* In the thread, when the save is over: removes what is kept no more. */
void rpt__level_tidy(const struct rpt_checkpoint *c);

/* ---- level_find.c ---- */

/* Collective, before a restore: what the nodes have that is newer goes to the
 * shared directory. */
rpt_status_t rpt__level_recover(struct rpt_checkpoint *c);
/* This one was restored: if it came from the nodes, they need it no more. */
void rpt__level_restored(struct rpt_checkpoint *c, uint64_t id);

/* ---- level_ship.c ---- */

rpt_status_t rpt__level_listen(struct rpt_comm *comm);

#endif /* RPT_IO_CHECKPOINT_LEVEL_H */
