/*
 * catalog.h - the door of what looks at checkpoints without a job:
 * src/api/catalog.c checks arguments and calls these
 *
 * See <repartir/catalog.h> for what they do.
 */
#ifndef RPT_IO_CHECKPOINT_CATALOG_H
#define RPT_IO_CHECKPOINT_CATALOG_H

#include "base/options.h"

#include <repartir/catalog.h>

#include <stdbool.h>

struct rpt_dir;

/* Whether a folder is that of a task: it has a lock, events, or a
 * checkpoint. */
bool rpt__dir_is_task(const struct rpt_dir *dir);

rpt_status_t rpt__catalog_open(const char *path,
                               struct rpt_catalog **catalog_out);
void rpt__catalog_close(struct rpt_catalog *catalog);
const char *rpt__catalog_directory(const struct rpt_catalog *catalog);
/* NULL: it is of more than one. */
const char *rpt__catalog_checkpoint(const struct rpt_catalog *catalog);
/* NULL: there are not so many. */
const rpt_catalog_task_t *rpt__catalog_task(const struct rpt_catalog *catalog,
                                            size_t index);
const rpt_catalog_entry_t *rpt__catalog_entry(const struct rpt_catalog *catalog,
                                              size_t index);
rpt_status_t rpt__catalog_find(const struct rpt_catalog *catalog,
                               const char *task, const char *which,
                               const rpt_catalog_entry_t **entry_out);
rpt_status_t rpt__catalog_path(const struct rpt_catalog *catalog,
                               const char *task, const char *which,
                               char **path_out);
rpt_status_t rpt__catalog_events(const struct rpt_catalog *catalog,
                                 const char *task,
                                 rpt_catalog_event_t **events_out,
                                 size_t *n_out);
rpt_status_t rpt__catalog_interval(const struct rpt_catalog *catalog,
                                   const char *task,
                                   rpt_catalog_interval_t *interval_out);

/* ---- tidy.c ---- */

/* Whom to tell what goes, and how. */
struct rpt_tidying {
    int flags; /* RPT_CATALOG_... */
    rpt_catalog_fn fn;
    void *user;
};
rpt_status_t rpt__catalog_prune(const struct rpt_catalog *catalog,
                                const char *task, const rpt_options_t *options,
                                const struct rpt_tidying *tidying);
rpt_status_t rpt__catalog_remove(const struct rpt_catalog *catalog,
                                 const char *task, const char *which,
                                 const struct rpt_tidying *tidying);
rpt_status_t rpt__catalog_remove_task(const struct rpt_catalog *catalog,
                                      const char *task,
                                      const struct rpt_tidying *tidying);
rpt_status_t rpt__catalog_halt(const struct rpt_catalog *catalog, bool on);
bool rpt__catalog_is_halted(const struct rpt_catalog *catalog);

/* ---- stored.c, diff.c ---- */

rpt_status_t rpt__stored_open(const struct rpt_catalog *catalog,
                              const rpt_catalog_entry_t *entry,
                              struct rpt_stored **stored_out);
void rpt__stored_close(struct rpt_stored *stored);
/* NULL: there are not so many. */
const rpt_stored_dataset_t *rpt__stored_dataset(const struct rpt_stored *stored,
                                                size_t index);
const rpt_stored_box_t *rpt__stored_box(const struct rpt_stored *stored,
                                        size_t index);
const rpt_stored_file_t *rpt__stored_file(const struct rpt_stored *stored,
                                          size_t index);
rpt_status_t rpt__stored_read(struct rpt_stored *stored, const char *name,
                              const uint64_t start[], const uint64_t count[],
                              void *data, size_t bytes);
rpt_status_t rpt__stored_verify(struct rpt_stored *stored, int what,
                                const rpt_options_t *options);
rpt_status_t rpt__stored_diff(struct rpt_stored *first,
                              struct rpt_stored *second, double absolute,
                              double relative,
                              rpt_difference_t **differences_out,
                              size_t *n_out);

#endif /* RPT_IO_CHECKPOINT_CATALOG_H */
