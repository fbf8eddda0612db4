/*
 * catalog_priv.h - what catalog.c, folders.c, tidy.c, stored.c and diff.c share
 */
#ifndef RPT_IO_CHECKPOINT_CATALOG_PRIV_H
#define RPT_IO_CHECKPOINT_CATALOG_PRIV_H

#include "io/checkpoint/catalog.h"
#include "io/checkpoint/checkpoint_priv.h"

/* ---- folders.c: the folders of a task, as they are now ---- */

struct rpt_folder {
    rpt_catalog_entry_t entry; /* points into what follows */
    char name[RPT_FOLDER_NAME_BYTES];
    char *task;
    struct rpt_manifest manifest; /* none: all zeros */
    char why[512];
};

struct rpt_folders {
    struct rpt_folder **list;
    size_t n;
};

/* What the name of a folder says; false: it is none of ours, or .old-ID. */
bool rpt__folder_kind(const char *name, rpt_stored_state_t *state_out,
                      uint64_t *iteration_out, uint64_t *id_out);
/* Those that count, newest first; then the others.  only: of this name; NULL:
 * all.  To be released by rpt__folders_free(). */
rpt_status_t rpt__folders_read(const struct rpt_dir *dir, const char *task,
                               const char *only,
                               struct rpt_folders *folders_out);
void rpt__folders_free(struct rpt_folders *folders);
/* The folder of a name, id, iteration or "newest" (NULL: too). */
rpt_status_t rpt__folders_find(const struct rpt_folders *folders,
                               const char *path, const char *which,
                               const rpt_catalog_entry_t **entry_out);
/* The path of that folder without links, to be freed.  RPT_ERR_NOT_FOUND: the
 * task at a path has none such; RPT_END: there is no task. */
rpt_status_t rpt__folders_path(const char *task, const char *which,
                               char **path_out);

/* ---- catalog.c ---- */

struct rpt_shelf {
    rpt_catalog_task_t info; /* points into what follows */
    char *name;
    struct rpt_holder holder;
    struct rpt_folders folders;
};

struct rpt_catalog {
    struct rpt_dir top;
    struct rpt_shelf *shelves;
    size_t n_shelves;
    char *only; /* name of the one folder that was asked for; NULL: all */
};

/* The task of a name; NULL: the only one. */
rpt_status_t rpt__catalog_shelf(const struct rpt_catalog *catalog,
                                const char *task,
                                const struct rpt_shelf **shelf_out);

#endif /* RPT_IO_CHECKPOINT_CATALOG_PRIV_H */
