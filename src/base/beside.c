/*
 * beside.c - programs of ours that are installed with the library
 *
 * The place of the library is what the dynamic linker says; where it is inside
 * a program, that program's.
 */
#include "base/beside.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The file that holds this function: the shared library, or a program. */
static bool own_file(char file_out[PATH_MAX])
{
    Dl_info info;

    if (dladdr((void *)(uintptr_t)rpt__beside_library, &info) != 0 &&
        info.dli_fname != NULL && strchr(info.dli_fname, '/') != NULL &&
        realpath(info.dli_fname, file_out) != NULL) {
        return true;
    }
    return realpath("/proc/self/exe", file_out) != NULL;
}

bool rpt__beside_library(const char *name, char path_out[PATH_MAX])
{
    static const char *const places[] = { "/../libexec/repartir/", "/../" };
    char file[PATH_MAX];
    int bytes;

    if (!own_file(file)) {
        return false;
    }
    bytes = (int)(strrchr(file, '/') - file);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        int n = snprintf(path_out, PATH_MAX, "%.*s%s%s", bytes, file, places[i],
                         name);

        if (n < PATH_MAX && access(path_out, X_OK) == 0) {
            return true;
        }
    }
    return false;
}
