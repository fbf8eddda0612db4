/*
 * stored.h - a checkpoint that is open for looking at; of stored.c and diff.c
 */
#ifndef RPT_IO_CHECKPOINT_STORED_H
#define RPT_IO_CHECKPOINT_STORED_H

#include "io/checkpoint/catalog_priv.h"

/* A file of the program, as it is shown. */
struct rpt_stored_routed {
    rpt_stored_file_t shown;           /* points into what follows */
    char path[sizeof RPT_FILES + 256]; /* files/NAME */
    char digest[33];
};

struct rpt_stored {
    struct rpt_dir task;
    char name[RPT_FOLDER_NAME_BYTES];
    struct rpt_opened opened;
    int fd; /* of the file, -1: not open yet */
    rpt_stored_dataset_t *datasets;
    rpt_stored_box_t *boxes;
    struct rpt_stored_routed *files; /* as many as the manifest has */
};

/* Opens the file, once, and looks at its length. */
rpt_status_t rpt__stored_reach(struct rpt_stored *stored);
/* What is damaged or cannot be read may be gone: then that is recorded. */
rpt_status_t rpt__stored_judge(const struct rpt_stored *stored,
                               rpt_status_t status);

#endif /* RPT_IO_CHECKPOINT_STORED_H */
