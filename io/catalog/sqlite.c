/*
 * sqlite.c - opens SQLite's library at first use
 *
 * RTLD_LOCAL and RTLD_DEEPBIND: the program's own SQLite, if it has one, does
 * not see this one, nor this one that.  A static library has it inside.
 */
#include "io/catalog/sqlite_priv.h"

#include "base/error.h"
#include "base/options.h"

#include <dlfcn.h>
#include <pthread.h>

/* Table-valued functions, and sqlite3_db_config(SQLITE_DBCONFIG_DEFENSIVE). */
#define LEAST_VERSION 3026000

struct rpt_sqlite rpt__sqlite;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool is_loaded;

static rpt_status_t cannot(const char *name, const char *why)
{
    rpt__fail(RPT_ERR_UNSUPPORTED, "queries need %s, which cannot be used",
              name);
    rpt__fail_why("%s", why != NULL ? why : "");
    rpt__fail_hint("install SQLite 3.26 or newer (Debian: libsqlite3-0), or "
                   "name another library with io.sqlite.library");
    return RPT_ERR_UNSUPPORTED;
}

#ifdef RPT_SQLITE_INSIDE
static rpt_status_t find(const char **name, struct rpt_sqlite *out)
{
    *name = "SQLite";
#define FUNCTION(function) out->function = sqlite3_##function;
    RPT_SQLITE_LIST(FUNCTION)
#undef FUNCTION
    return RPT_OK;
}
#else
static rpt_status_t find(const char **name, struct rpt_sqlite *out)
{
    void *library;

    if ((*name)[0] == '\0') {
        *name = "libsqlite3.so.0";
    }
    library = dlopen(*name, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
    if (library == NULL) {
        return cannot(*name, dlerror());
    }
#define FUNCTION(function)                                                     \
    *(void **)&out->function = dlsym(library, "sqlite3_" #function);           \
    if (out->function == NULL) {                                               \
        rpt_status_t status = cannot(*name, "it has no sqlite3_" #function);   \
                                                                               \
        dlclose(library);                                                      \
        return status;                                                         \
    }
    RPT_SQLITE_LIST(FUNCTION)
#undef FUNCTION
    return RPT_OK;
}
#endif

static rpt_status_t load(const char *name)
{
    struct rpt_sqlite found;
    rpt_status_t status = find(&name, &found);

    if (status == RPT_OK && found.libversion_number() < LEAST_VERSION) {
        return cannot(name, "it is older than 3.26");
    }
    if (status == RPT_OK && found.threadsafe() == 0) {
        return cannot(name, "it was made for programs of one thread");
    }
    if (status == RPT_OK) {
        rpt__sqlite = found;
        is_loaded = true;
    }
    return status;
}

rpt_status_t rpt__sqlite_load(const rpt_options_t *options)
{
    rpt_status_t status = RPT_OK;

    pthread_mutex_lock(&lock);
    if (!is_loaded) {
        status = load(rpt__option_text(options, RPT_OPT_IO_SQLITE_LIBRARY));
    }
    pthread_mutex_unlock(&lock);
    return status;
}
