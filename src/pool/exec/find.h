/*
 * find.h - where the keeper program is
 */
#ifndef RPT_POOL_EXEC_FIND_H
#define RPT_POOL_EXEC_FIND_H

#include <repartir/base.h>

#include <limits.h>

/* path: option pool.keeper, or NULL or "".  RPT_ERR_NOT_FOUND. */
rpt_status_t rpt__keeper_find(const char *path, char found_out[PATH_MAX]);

#endif /* RPT_POOL_EXEC_FIND_H */
