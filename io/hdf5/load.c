/*
 * load.c - opens librepartir-hdf5 at first use
 *
 * RTLD_DEEPBIND: its HDF5 is the one that it was linked with, whatever the
 * program has loaded; unless that is the same one.  A static library has the
 * functions inside.
 */
#include "io/hdf5/load.h"

#include "base/error.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>

static const struct rpt_hdf5_ops *_Atomic loaded;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void rpt__hdf5_set(const struct rpt_hdf5_ops *ops)
{
    atomic_store(&loaded, ops);
}

const char *rpt__hdf5_library(const rpt_options_t *options)
{
    const char *name = rpt__option_text(options, RPT_OPT_IO_HDF5_LIBRARY);

    return name[0] != '\0' ? name : RPT_HDF5_LIBRARY;
}

#ifdef RPT_HDF5_INSIDE
static rpt_status_t load(const rpt_options_t *options,
                         const struct rpt_hdf5_ops **ops_out)
{
    (void)options;
    *ops_out = rpt_hdf5_open(RPT_HDF5_INTERFACE);
    return RPT_OK;
}
#else
static rpt_status_t cannot(const char *name, const char *why)
{
    rpt__fail(RPT_ERR_UNSUPPORTED, "checkpoints need %s, which cannot be used",
              name);
    rpt__fail_why("%s", why != NULL ? why : "");
    rpt__fail_hint("install it with the HDF5 of this MPI (Debian: "
                   "libhdf5-openmpi-103-1 or libhdf5-mpich-103-1), or name "
                   "another one with io.hdf5.library");
    return RPT_ERR_UNSUPPORTED;
}

/* Whether the program uses the very HDF5 that the library was linked with.
 * Then HDF5 has one set of variables, and the linker may have put them into the
 * program: with RTLD_DEEPBIND the library would see others, which nobody sets.
 */
static bool is_shared_with_program(void *library)
{
    Dl_info ours, its;
    void *own = dlsym(library, "H5open");
    void *other = dlsym(RTLD_DEFAULT, "H5open");

    return own != NULL && other != NULL && dladdr(own, &ours) != 0 &&
           dladdr(other, &its) != 0 && ours.dli_fbase == its.dli_fbase;
}

static rpt_status_t load(const rpt_options_t *options,
                         const struct rpt_hdf5_ops **ops_out)
{
    const char *name = rpt__hdf5_library(options);
    rpt_hdf5_open_fn *open = NULL;
    void *library, *symbol;

    library = dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
    if (library != NULL && is_shared_with_program(library)) {
        dlclose(library);
        library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    }
    if (library == NULL) {
        return cannot(name, dlerror());
    }
    symbol = dlsym(library, RPT_HDF5_OPEN);
    if (symbol == NULL) {
        return cannot(name, "it is no librepartir-hdf5");
    }
    *(void **)&open = symbol;
    *ops_out = open(RPT_HDF5_INTERFACE);
    if (*ops_out == NULL) {
        return cannot(name, "it is of another version");
    }
    return RPT_OK;
}
#endif

rpt_status_t rpt__hdf5_load(const rpt_options_t *options,
                            const struct rpt_hdf5_ops **ops_out)
{
    const struct rpt_hdf5_ops *ops = atomic_load(&loaded);
    rpt_status_t status = RPT_OK;

    if (ops == NULL) {
        pthread_mutex_lock(&lock);
        ops = atomic_load(&loaded);
        if (ops == NULL) {
            status = load(options, &ops);
            if (status == RPT_OK) {
                atomic_store(&loaded, ops);
            }
        }
        pthread_mutex_unlock(&lock);
    }
    if (status == RPT_OK) {
        *ops_out = ops;
    }
    return status;
}
