/*
 * device.c - opens librepartir-gpu, once in a process
 */
#include "device/device.h"

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"

#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <string.h>

#define DRIVER "libcuda.so.1"

const struct rpt_gpu *_Atomic rpt__gpu;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool is_hopeless; /* it was tried, and need not be tried again */

void rpt__device_set(const struct rpt_gpu *gpu)
{
    atomic_store(&rpt__gpu, gpu);
}

/* dl_iterate_phdr() gives it with the first library. */
static int note_loads(struct dl_phdr_info *info, size_t bytes, void *n_out)
{
    (void)bytes;
    *(unsigned long long *)n_out = info->dlpi_adds;
    return 1;
}

/* Whether the program has loaded the driver: CUDA does so at its first call.
 * To ask the loader for a library that is not there costs some 20 us. */
static bool has_driver(void)
{
    static unsigned long long asked_at; /* libraries that were loaded by then */
    unsigned long long n_loads = 0;
    void *driver;

    dl_iterate_phdr(note_loads, &n_loads);
    if (n_loads == asked_at) {
        return false;
    }
    driver = dlopen(DRIVER, RTLD_LAZY | RTLD_NOLOAD);
    if (driver == NULL) {
        asked_at = n_loads;
        return false;
    }
    dlclose(driver);
    return true;
}

static rpt_status_t no_library(const char *name, const char *why)
{
    rpt__fail(RPT_ERR_NOT_FOUND, "%s cannot be used", name);
    rpt__fail_why("%s", why != NULL ? why : "");
    rpt__fail_hint("device.library names another one; device.use=no does "
                   "without devices");
    return RPT_ERR_NOT_FOUND;
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

/* Stays open: its threads and the driver's cannot be unloaded. */
static rpt_status_t open_library(const char *name, const struct rpt_gpu **out)
{
    const char *why = why_no_file(name);
    rpt_gpu_open_fn *open = NULL;
    void *library, *symbol;

    if (why != NULL) {
        return no_library(name, why);
    }
    library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        return no_library(name, dlerror());
    }
    symbol = dlsym(library, RPT_GPU_OPEN);
    if (symbol == NULL) {
        return no_library(name, dlerror());
    }
    memcpy(&open, &symbol, sizeof open);
    *out = open();
    if ((*out)->interface != RPT_GPU_INTERFACE) {
        return no_library(name, "it is of another release of librepartir");
    }
    if ((*out)->device->n_devices() == 0) {
        return no_library(name, (*out)->device->why());
    }
    return RPT_OK;
}

/* The program may need CUDA for itself alone. */
static void go_without(void)
{
    rpt__log(rpt__identity() <= 0 ? RPT_LOG_WARN : RPT_LOG_INFO,
             "this program uses CUDA, but collectives and checkpoints on "
             "device buffers are not possible: %s (%s)",
             rpt_last_error()->what, rpt_last_error()->why);
    is_hopeless = true;
}

static rpt_status_t look(const rpt_options_t *options)
{
    const char *use = rpt__option_text(options, RPT_OPT_DEVICE_USE);
    const char *name = rpt__option_text(options, RPT_OPT_DEVICE_LIBRARY);
    bool is_wanted = strcmp(use, "yes") == 0;
    const struct rpt_gpu *gpu = NULL;
    rpt_status_t status;

    if (!is_wanted && strcmp(use, "no") != 0 && strcmp(use, "auto") != 0) {
        rpt__fail(RPT_ERR_INVALID, "device.use=%s", use);
        rpt__fail_hint("it is auto, yes or no");
        return RPT_ERR_INVALID;
    }
    if (!is_wanted &&
        (strcmp(use, "no") == 0 || is_hopeless || !has_driver())) {
        return RPT_OK;
    }
    status = open_library(name[0] != '\0' ? name : RPT_GPU_LIBRARY, &gpu);
    if (status == RPT_OK) {
        rpt__device_set(gpu);
    } else if (!is_wanted) {
        go_without();
        status = RPT_OK;
    }
    return status;
}

rpt_status_t rpt__device_look(const rpt_options_t *options)
{
    rpt_status_t status = RPT_OK;

    if (rpt__device_gpu() != NULL) {
        return RPT_OK;
    }
    pthread_mutex_lock(&lock);
    if (rpt__device_gpu() == NULL) {
        status = look(options);
    }
    pthread_mutex_unlock(&lock);
    return status;
}
