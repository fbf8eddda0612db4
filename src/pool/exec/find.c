/*
 * find.c - where the keeper program is
 *
 * The option wins and is obeyed or is an error.  Else it is looked for beside
 * the library (or the program that holds it), so that an installed tree may be
 * moved, and then where configure was told to install it.
 */
#include "pool/exec/find.h"

#include "base/error.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The file that holds this function: the shared library, or a program. */
static bool own_file(char file_out[PATH_MAX])
{
    Dl_info info;

    if (dladdr((void *)(uintptr_t)rpt__keeper_find, &info) != 0 &&
        info.dli_fname != NULL && strchr(info.dli_fname, '/') != NULL &&
        realpath(info.dli_fname, file_out) != NULL) {
        return true;
    }
    return realpath("/proc/self/exe", file_out) != NULL;
}

/* PREFIX/lib/librepartir.so -> PREFIX/libexec/repartir/repartir-keeper
 * BUILD/.libs/librepartir.so -> BUILD/repartir-keeper, before installation */
static bool beside_library(char path_out[PATH_MAX])
{
    static const char *const places[] = {
        "/../libexec/repartir/repartir-keeper", "/../repartir-keeper"
    };
    char file[PATH_MAX];
    size_t bytes;

    if (!own_file(file)) {
        return false;
    }
    bytes = (size_t)(strrchr(file, '/') - file);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        size_t rest = strlen(places[i]) + 1;

        if (bytes + rest > PATH_MAX) {
            return false;
        }
        memcpy(path_out, file, bytes);
        memcpy(path_out + bytes, places[i], rest);
        if (access(path_out, X_OK) == 0) {
            return true;
        }
    }
    return false;
}

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

    if (!given && beside_library(found)) {
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
