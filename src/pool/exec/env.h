/*
 * env.h - the environment of a program
 */
#ifndef RPT_POOL_EXEC_ENV_H
#define RPT_POOL_EXEC_ENV_H

#include "base/buf.h"
#include "pool/exec/program.h"

#include <stdbool.h>
#include <stddef.h>

struct rpt_env {
    char **base; /* the keeper's own, without the launcher's   */
    size_t n_base;
    const char **list; /* the one that was built last                */
    size_t n_list;
    size_t capacity;
    struct rpt_buf text; /* "NAME=value" of changes                    */
};

/* Whether a variable ("NAME=value") is the launcher's business: it tells an
 * MPI process who it is. */
bool rpt__env_is_launchers(const char *entry);

/* Strings stay where they are, and must live on.  False: no memory. */
bool rpt__env_open(struct rpt_env *env, char **entries);
void rpt__env_close(struct rpt_env *env);

/* base + more ("NAME=value", ends with NULL, or NULL) + changes, ended with
 * NULL; valid until the next call.  NULL with errno EINVAL (a bad name) or
 * ENOMEM. */
const char *const *rpt__env_build(struct rpt_env *env, const char *const *more,
                                  const struct rpt_env_change *changes,
                                  size_t n_changes);

/* Value of a variable, or NULL. */
const char *rpt__env_get(const char *const *list, const char *name);

#endif /* RPT_POOL_EXEC_ENV_H */
