/*
 * catalog.c - the public functions that look at checkpoints without a job
 */
#include "api/api.h"

#include "base/error.h"
#include "io/checkpoint/catalog.h"

#include <repartir/catalog.h>

enum {
    ALL_FLAGS = RPT_CATALOG_DRY_RUN | RPT_CATALOG_DAMAGED | RPT_CATALOG_FORCE |
                RPT_CATALOG_VERIFY,
    ALL_CHECKS = RPT_VERIFY_CHECKSUMS | RPT_VERIFY_HDF5
};

/* ---- names ---- */

/* Of a list, "?" for what is not in it. */
#define NAME_OF(names, i)                                                      \
    ((unsigned)(i) < sizeof(names) / sizeof *(names) ? (names)[i] : "?")

const char *rpt_stored_state_name(rpt_stored_state_t state)
{
    static const char *const names[RPT_N_STORED_STATES] = {
        "committed", "damaged-manifest", "unreadable", "bad", "tmp"
    };

    return NAME_OF(names, state);
}

const char *rpt_stored_kind_name(rpt_stored_kind_t kind)
{
    static const char *const names[] = { "array", "value", "blob" };

    return NAME_OF(names, kind);
}

const char *rpt_difference_kind_name(rpt_difference_kind_t kind)
{
    static const char *const names[] = { "same", "values", "shape",
                                         "only-first", "only-second" };

    return NAME_OF(names, kind);
}

/* ---- catalogs ---- */

rpt_status_t rpt_catalog_open(const char *path, rpt_catalog_t **catalog_out)
{
    RPT_REQUIRE(path != NULL && catalog_out != NULL, "NULL argument");
    RPT_REQUIRE(path[0] != '\0', "the path has no characters");
    return rpt__catalog_open(path, catalog_out);
}

void rpt_catalog_close(rpt_catalog_t *catalog)
{
    if (catalog != NULL) {
        rpt__catalog_close(catalog);
    }
}

const char *rpt_catalog_directory(const rpt_catalog_t *catalog)
{
    return catalog != NULL ? rpt__catalog_directory(catalog) : NULL;
}

const char *rpt_catalog_checkpoint(const rpt_catalog_t *catalog)
{
    return catalog != NULL ? rpt__catalog_checkpoint(catalog) : NULL;
}

rpt_status_t rpt_catalog_task(const rpt_catalog_t *catalog, size_t index,
                              const rpt_catalog_task_t **task_out)
{
    const rpt_catalog_task_t *task;

    RPT_REQUIRE(catalog != NULL && task_out != NULL, "NULL argument");
    task = rpt__catalog_task(catalog, index);
    if (task == NULL) {
        return RPT_END;
    }
    *task_out = task;
    return RPT_OK;
}

rpt_status_t rpt_catalog_entry(const rpt_catalog_t *catalog, size_t index,
                               const rpt_catalog_entry_t **entry_out)
{
    const rpt_catalog_entry_t *entry;

    RPT_REQUIRE(catalog != NULL && entry_out != NULL, "NULL argument");
    entry = rpt__catalog_entry(catalog, index);
    if (entry == NULL) {
        return RPT_END;
    }
    *entry_out = entry;
    return RPT_OK;
}

rpt_status_t rpt_catalog_find(const rpt_catalog_t *catalog, const char *task,
                              const char *which,
                              const rpt_catalog_entry_t **entry_out)
{
    RPT_REQUIRE(catalog != NULL && entry_out != NULL, "NULL argument");
    return rpt__catalog_find(catalog, task, which, entry_out);
}

rpt_status_t rpt_catalog_path(const rpt_catalog_t *catalog, const char *task,
                              const char *which, char **path_out)
{
    RPT_REQUIRE(catalog != NULL && path_out != NULL, "NULL argument");
    return rpt__catalog_path(catalog, task, which, path_out);
}

rpt_status_t rpt_catalog_events(const rpt_catalog_t *catalog, const char *task,
                                rpt_catalog_event_t **events_out, size_t *n_out)
{
    RPT_REQUIRE(catalog != NULL && events_out != NULL && n_out != NULL,
                "NULL argument");
    return rpt__catalog_events(catalog, task, events_out, n_out);
}

rpt_status_t rpt_catalog_interval(const rpt_catalog_t *catalog,
                                  const char *task,
                                  rpt_catalog_interval_t *interval_out)
{
    RPT_REQUIRE(catalog != NULL && interval_out != NULL, "NULL argument");
    return rpt__catalog_interval(catalog, task, interval_out);
}

/* ---- removing ---- */

rpt_status_t rpt_catalog_prune(const rpt_catalog_t *catalog, const char *task,
                               const rpt_options_t *options, int flags,
                               rpt_catalog_fn fn, void *user)
{
    struct rpt_tidying tidying = { flags, fn, user };

    RPT_REQUIRE(catalog != NULL, "NULL argument");
    RPT_REQUIRE((flags & ~ALL_FLAGS) == 0, "there is no such flag");
    RPT_REQUIRE(rpt__catalog_checkpoint(catalog) == NULL,
                "the catalog is of one checkpoint only");
    return rpt__catalog_prune(catalog, task, options, &tidying);
}

rpt_status_t rpt_catalog_remove(const rpt_catalog_t *catalog, const char *task,
                                const char *which, int flags, rpt_catalog_fn fn,
                                void *user)
{
    struct rpt_tidying tidying = { flags, fn, user };

    RPT_REQUIRE(catalog != NULL && which != NULL, "NULL argument");
    RPT_REQUIRE((flags & ~ALL_FLAGS) == 0, "there is no such flag");
    return rpt__catalog_remove(catalog, task, which, &tidying);
}

rpt_status_t rpt_catalog_remove_task(const rpt_catalog_t *catalog,
                                     const char *task, int flags,
                                     rpt_catalog_fn fn, void *user)
{
    struct rpt_tidying tidying = { flags, fn, user };

    RPT_REQUIRE(catalog != NULL && task != NULL, "NULL argument");
    RPT_REQUIRE((flags & ~ALL_FLAGS) == 0, "there is no such flag");
    RPT_REQUIRE(rpt__catalog_checkpoint(catalog) == NULL,
                "the catalog is of one checkpoint only");
    return rpt__catalog_remove_task(catalog, task, &tidying);
}

rpt_status_t rpt_catalog_halt(const rpt_catalog_t *catalog, int on)
{
    RPT_REQUIRE(catalog != NULL, "NULL argument");
    return rpt__catalog_halt(catalog, on != 0);
}

int rpt_catalog_is_halted(const rpt_catalog_t *catalog)
{
    return catalog != NULL && rpt__catalog_is_halted(catalog);
}

/* ---- one checkpoint ---- */

rpt_status_t rpt_stored_open(const rpt_catalog_t *catalog,
                             const rpt_catalog_entry_t *entry,
                             rpt_stored_t **stored_out)
{
    RPT_REQUIRE(catalog != NULL && entry != NULL && stored_out != NULL,
                "NULL argument");
    return rpt__stored_open(catalog, entry, stored_out);
}

void rpt_stored_close(rpt_stored_t *stored)
{
    if (stored != NULL) {
        rpt__stored_close(stored);
    }
}

rpt_status_t rpt_stored_dataset(const rpt_stored_t *stored, size_t index,
                                const rpt_stored_dataset_t **dataset_out)
{
    const rpt_stored_dataset_t *dataset;

    RPT_REQUIRE(stored != NULL && dataset_out != NULL, "NULL argument");
    dataset = rpt__stored_dataset(stored, index);
    if (dataset == NULL) {
        return RPT_END;
    }
    *dataset_out = dataset;
    return RPT_OK;
}

rpt_status_t rpt_stored_file(const rpt_stored_t *stored, size_t index,
                             const rpt_stored_file_t **file_out)
{
    const rpt_stored_file_t *file;

    RPT_REQUIRE(stored != NULL && file_out != NULL, "NULL argument");
    file = rpt__stored_file(stored, index);
    if (file == NULL) {
        return RPT_END;
    }
    *file_out = file;
    return RPT_OK;
}

rpt_status_t rpt_stored_box(const rpt_stored_t *stored, size_t index,
                            const rpt_stored_box_t **box_out)
{
    const rpt_stored_box_t *box;

    RPT_REQUIRE(stored != NULL && box_out != NULL, "NULL argument");
    box = rpt__stored_box(stored, index);
    if (box == NULL) {
        return RPT_END;
    }
    *box_out = box;
    return RPT_OK;
}

rpt_status_t rpt_stored_read(rpt_stored_t *stored, const char *name,
                             const uint64_t start[], const uint64_t count[],
                             void *data, size_t bytes)
{
    RPT_REQUIRE(stored != NULL && name != NULL, "NULL argument");
    RPT_REQUIRE(data != NULL || bytes == 0, "data is NULL");
    return rpt__stored_read(stored, name, start, count, data, bytes);
}

rpt_status_t rpt_stored_verify(rpt_stored_t *stored, int what,
                               const rpt_options_t *options)
{
    RPT_REQUIRE(stored != NULL, "NULL argument");
    RPT_REQUIRE(what != 0 && (what & ~ALL_CHECKS) == 0,
                "it is a sum of RPT_VERIFY_...");
    return rpt__stored_verify(stored, what, options);
}

rpt_status_t rpt_stored_diff(rpt_stored_t *first, rpt_stored_t *second,
                             double absolute, double relative,
                             rpt_difference_t **differences_out, size_t *n_out)
{
    RPT_REQUIRE(first != NULL && second != NULL && differences_out != NULL &&
                    n_out != NULL,
                "NULL argument");
    RPT_REQUIRE(absolute >= 0 && relative >= 0,
                "tolerances are numbers of 0 or more");
    return rpt__stored_diff(first, second, absolute, relative, differences_out,
                            n_out);
}
