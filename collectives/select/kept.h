/*
 * kept.h - the numbers of this host, kept in a file of the user
 *
 *   $XDG_CACHE_HOME/repartir/HOST-HASH.numbers, or under ~/.cache
 *
 * The hash is that of what the numbers depend on: the processor, the MPI, and
 * the options that change how ranks reach each other.  The file is a help and
 * nothing more: one that is missing, somebody else's, writable by others, or no
 * such text is as if it were not there.
 */
#ifndef RPT_COLLECTIVES_SELECT_KEPT_H
#define RPT_COLLECTIVES_SELECT_KEPT_H

#include "base/options.h"
#include "collectives/select/numbers.h"

enum { RPT_KEPT_PATH_BYTES = 1024 };

/* Whether this user has a place for it. */
bool rpt__kept_find(const rpt_options_t *options,
                    char path[RPT_KEPT_PATH_BYTES]);
/* Whether it could be written; makes the folder. */
bool rpt__kept_may_write(const char *path);
/* False: nothing to be believed. */
bool rpt__kept_read(const char *path, struct rpt_numbers *numbers);
/* Replaces it as a whole: ranks of other jobs may do the same. */
bool rpt__kept_write(const char *path, const struct rpt_numbers *numbers);

#endif /* RPT_COLLECTIVES_SELECT_KEPT_H */
