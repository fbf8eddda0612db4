/*
 * routes.h - files that the program writes itself, where it is told to
 *
 * A rank asks for a path below files/ of the folder that is being written;
 * before its part is down the files that it asked for are hashed and synced,
 * and listed in files-RANK.json, which the commit puts into the manifest.
 */
#ifndef RPT_IO_CHECKPOINT_ROUTES_H
#define RPT_IO_CHECKPOINT_ROUTES_H

#include "base/table.h"
#include "io/checkpoint/dir.h"
#include "io/checkpoint/format.h"

struct rpt_routes { /* zero-initialised: none */
    struct rpt_routed *list;
    size_t n;
    struct rpt_table names; /* in the list */
};

void rpt__routes_clear(struct rpt_routes *routes);
/* Notes a file of rank `rank` in a folder, and makes the folders above it. */
rpt_status_t rpt__routes_add(struct rpt_routes *routes,
                             const struct rpt_dir *folder, const char *name,
                             int rank);
/* Hashes and syncs them, and writes the list. */
rpt_status_t rpt__routes_seal(struct rpt_routes *routes,
                              const struct rpt_dir *folder, int rank,
                              bool syncs);

/* Reads the list of a rank; added to the manifest's files. */
rpt_status_t rpt__routes_read(const struct rpt_dir *folder, int rank,
                              struct rpt_manifest *manifest);
/* Removes the lists of all ranks: the manifest has them. */
rpt_status_t rpt__routes_forget(const struct rpt_dir *folder,
                                const struct rpt_manifest *manifest);

/* Whether a file has the length that the manifest says.  RPT_ERR_NOT_FOUND,
 * RPT_ERR_CORRUPT, RPT_ERR_INVALID. */
rpt_status_t rpt__routed_is_long(const struct rpt_dir *folder,
                                 const struct rpt_routed *file);
/* Whether a file is what the manifest says.  RPT_ERR_CORRUPT. */
rpt_status_t rpt__routed_verify(const struct rpt_dir *folder,
                                const struct rpt_routed *file);

#endif /* RPT_IO_CHECKPOINT_ROUTES_H */
