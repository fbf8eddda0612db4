/*
 * library.c - opens librepartir-parquet, once in a process
 *
 * Loading Arrow takes some tens of milliseconds and 50 MB of addresses, so only
 * a program that writes a file pays for it.  The library stays open: what it
 * started cannot be unloaded.
 */
#include "io/parquet/library.h"

#include "base/error.h"
#include "base/file.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#ifndef RPT_PARQUET_LIBRARY
#define RPT_PARQUET_LIBRARY ""
#endif

/* The last that was opened; a name that is asked for is what is used. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const struct rpt_parquet_ops *opened;
static char *opened_name;

static rpt_status_t no_library(const char *name, const char *why)
{
    rpt__fail(RPT_ERR_UNSUPPORTED,
              "Parquet files cannot be written on this node");
    why = why != NULL ? why : "";
    /* The loader's texts begin with the name. */
    if (strstr(why, name) != NULL) {
        rpt__fail_why("%s", why);
    } else {
        rpt__fail_why("%s: %s", name, why);
    }
    rpt__fail_hint("install librepartir-parquet, and the Arrow C++ that it was "
                   "built with, where every node sees them; or "
                   "io.parquet.library names another one");
    return RPT_ERR_UNSUPPORTED;
}

static rpt_status_t not_built(void)
{
    rpt__fail(RPT_ERR_UNSUPPORTED,
              "Parquet files cannot be written by this build of librepartir");
    rpt__fail_why("configure found no Arrow C++");
    rpt__fail_hint("pip install pyarrow, or Arrow's packages for C++; then "
                   "configure again (PYTHON=..., --with-arrow=DIR), whose last "
                   "lines say what became of Parquet; make install");
    return RPT_ERR_UNSUPPORTED;
}

/* Why a path leads to no file; NULL: it may.  The loader would wait for who
 * writes into a pipe. */
static const char *why_no_file(const char *path)
{
    const char *why = NULL;
    FILE *file = strchr(path, '/') != NULL ? rpt__file_open(path, &why) : NULL;

    if (file != NULL) {
        fclose(file);
    }
    return why;
}

static rpt_status_t open_library(const char *name,
                                 const struct rpt_parquet_ops **out)
{
    const char *why = why_no_file(name);
    rpt_parquet_library_fn *give = NULL;
    const struct rpt_parquet_ops *ops;
    void *library, *symbol;

    if (why != NULL) {
        return no_library(name, why);
    }
    library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        return no_library(name, dlerror());
    }
    symbol = dlsym(library, RPT_PARQUET_SYMBOL);
    if (symbol == NULL) {
        return no_library(name, dlerror());
    }
    memcpy(&give, &symbol, sizeof give);
    ops = give();
    if (ops->interface != RPT_PARQUET_INTERFACE || ops->size != sizeof *ops) {
        return no_library(name, "it is of another release of librepartir");
    }
    *out = ops;
    return RPT_OK;
}

static rpt_status_t look(const char *name)
{
    rpt_status_t status;
    char *copy;

    if (opened != NULL && strcmp(name, opened_name) == 0) {
        return RPT_OK;
    }
    copy = strdup(name);
    if (copy == NULL) {
        return rpt__fail_nomem(strlen(name) + 1);
    }
    status = open_library(name, &opened);
    if (status != RPT_OK) {
        free(copy);
        return status;
    }
    free(opened_name);
    opened_name = copy;
    return RPT_OK;
}

static rpt_status_t find(const char *name,
                         const struct rpt_parquet_ops **ops_out)
{
    rpt_status_t status;

    if (name[0] == '\0') {
        name = RPT_PARQUET_LIBRARY;
    }
    if (name[0] == '\0') {
        return not_built();
    }
    pthread_mutex_lock(&lock);
    status = look(name);
    if (status == RPT_OK) {
        *ops_out = opened;
    }
    pthread_mutex_unlock(&lock);
    return status;
}

rpt_status_t rpt__parquet_library(const rpt_options_t *options,
                                  const struct rpt_parquet_ops **ops_out)
{
    rpt_options_t *copy = NULL; /* what the environment says */
    rpt_status_t status = RPT_OK;

    if (options == NULL) {
        status = rpt__options_copy(NULL, &copy);
        options = copy;
    }
    if (status == RPT_OK) {
        status = find(rpt__option_text(options, RPT_OPT_IO_PARQUET_LIBRARY),
                      ops_out);
    }
    rpt_options_destroy(copy);
    return status;
}
