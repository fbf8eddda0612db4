/*
 * solo_priv.h - what solo.c and solo_files.c share
 */
#ifndef RPT_IO_CHECKPOINT_SOLO_PRIV_H
#define RPT_IO_CHECKPOINT_SOLO_PRIV_H

#include "io/checkpoint/checkpoint_priv.h"
#include "io/checkpoint/solo.h"

enum { RPT_SCRATCH_BYTES = 32 };

struct rpt_solo {
    const rpt_options_t *options;
    const char *host;
    char *task;
    struct rpt_dir top, dir, scratch; /* dir: closed as long as there is no
                                         room for it */
    int lock_fd;
    double opened_s;
    bool has_newest;
    uint64_t newest;   /* iteration of the newest committed one */
    uint64_t verified; /* id of the one that was restored       */
    char *files;       /* path of its files                     */
    char scratch_name[RPT_SCRATCH_BYTES]; /* "": there is none */
    char *scratch_path;
    double torn_s; /* when COMMIT was first seen without an end of line */
};

/* A save that is under way. */
struct rpt_solo_saving {
    struct rpt_solo *s;
    struct rpt_stamp stamp;
    char folder[RPT_FOLDER_NAME_BYTES];
    struct rpt_dir dir;
    struct rpt_routes routes;
    double began_s;
};

/* Makes .tmp-ID.  Whatever it gives, rpt__solo_end() follows. */
rpt_status_t rpt__solo_begin(struct rpt_solo_saving *v, struct rpt_solo *s,
                             uint64_t iteration);
/* Commits it, or gives it up; status: of what was written since. */
rpt_status_t rpt__solo_end(struct rpt_solo_saving *v, rpt_status_t status);

/* The task's folder, which could not be made before: there may be room by now.
 * RPT_END: there is none. */
rpt_status_t rpt__solo_need_task(struct rpt_solo *s);
/* Warns of that; RPT_OK. */
rpt_status_t rpt__solo_go_without(const struct rpt_solo *s);

#endif /* RPT_IO_CHECKPOINT_SOLO_PRIV_H */
