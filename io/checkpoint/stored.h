/*
 * stored.h - a checkpoint that is open for looking at; of stored.c and diff.c
 */
#ifndef RPT_IO_CHECKPOINT_STORED_H
#define RPT_IO_CHECKPOINT_STORED_H

#include "io/checkpoint/catalog_priv.h"

struct rpt_stored {
    struct rpt_dir task;
    char name[RPT_FOLDER_NAME_BYTES];
    struct rpt_opened opened;
    int fd; /* of the file, -1: not open yet */
    rpt_stored_dataset_t *datasets;
    rpt_stored_box_t *boxes;
};

/* Opens the file, once, and looks at its length. */
rpt_status_t rpt__stored_reach(struct rpt_stored *stored);
/* What is damaged or cannot be read may be gone: then that is recorded. */
rpt_status_t rpt__stored_judge(const struct rpt_stored *stored,
                               rpt_status_t status);

#endif /* RPT_IO_CHECKPOINT_STORED_H */
