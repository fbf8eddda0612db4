/*
 * find.c - where the keeper program is
 *
 * The option wins and is obeyed or is an error.  Else it is looked for beside
 * the library (or the program that holds it), so that an installed tree may be
 * moved, and then where configure was told to install it.
 */
#include "pool/exec/find.h"

#include "base/beside.h"
#include "base/error.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

static rpt_status_t not_found(const char *path, int error)
{
    rpt__fail_errno(RPT_ERR_NOT_FOUND, error,
                    "the program that runs tasks was not found: %s", path);
    rpt__fail_hint("install librepartir completely (make install), or name "
                   "repartir-keeper with the option pool.keeper "
                   "(RPT_POOL_KEEPER=/path/to/repartir-keeper)");
    return RPT_ERR_NOT_FOUND;
}

rpt_status_t rpt__keeper_find(const char *path, char found_out[PATH_MAX])
{
    char found[PATH_MAX];
    bool given = path != NULL && path[0] != '\0';

    if (!given && rpt__beside_library("repartir-keeper", found)) {
        memcpy(found_out, found, sizeof found);
        return RPT_OK;
    }
    if (!given) {
        path = RPT_LIBEXECDIR "/repartir-keeper";
    }
    if (strlen(path) >= PATH_MAX) {
        return not_found(path, ENAMETOOLONG);
    }
    if (access(path, X_OK) != 0) {
        return not_found(path, errno);
    }
    memcpy(found_out, path, strlen(path) + 1);
    return RPT_OK;
}
