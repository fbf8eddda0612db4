/*
 * check.c - whether a file has what a manifest says, and leads nowhere else
 *
 * All links are visited; of each dataset first how it is stored is looked at,
 * from its creation properties: nothing that stands outside is opened for
 * that.  Then type, shape and place are compared.  No data are read (the driver
 * of slots.c would not), so no filter runs.
 *
 * What it does not do: protect from defects of HDF5 itself.
 */
/* Links are visited with the functions that all versions since 1.10 have. */
#define H5_USE_110_API
#include "io/hdf5/hdf5_priv.h"

#include <stdlib.h>
#include <string.h>

/* Filters with higher numbers are in nobody's HDF5. */
enum { LAST_FILTER = 255 };

struct checking {
    const struct rpt_hdf5_dataset **sorted; /* by name         */
    bool *is_found;                         /* of each of these */
    size_t n;
    rpt_status_t status;
};

static int by_name(const void *a, const void *b)
{
    const struct rpt_hdf5_dataset *const *x = a, *const *y = b;

    return strcmp((*x)->name, (*y)->name);
}

/* ---- how it is stored ---- */

static rpt_status_t check_sources(const char *name, hid_t layout)
{
    size_t n = 0;
    char file[512];

    if (H5Pget_virtual_count(layout, &n) < 0) {
        return rpt__hdf5_failed("H5Pget_virtual_count");
    }
    for (size_t i = 0; i < n; i++) {
        ssize_t bytes = H5Pget_virtual_filename(layout, i, file, sizeof file);

        if (bytes < 0) {
            return rpt__hdf5_failed("H5Pget_virtual_filename");
        }
        if (strcmp(file, ".") != 0) {
            return rpt__hdf5_corrupt("dataset \"%s\" is virtual, of the file "
                                     "\"%s\"",
                                     name, file);
        }
    }
    return RPT_OK;
}

static rpt_status_t check_filters(const char *name, hid_t layout)
{
    int n = H5Pget_nfilters(layout);

    for (int i = 0; i < n; i++) {
        size_t n_values = 0;
        unsigned flags, config;
        H5Z_filter_t filter = H5Pget_filter2(layout, (unsigned)i, &flags,
                                             &n_values, NULL, 0, NULL, &config);

        if (filter > LAST_FILTER) {
            return rpt__hdf5_corrupt("dataset \"%s\" needs the plug-in of "
                                     "filter %d",
                                     name, (int)filter);
        }
    }
    return n < 0 ? rpt__hdf5_failed("H5Pget_nfilters") : RPT_OK;
}

/* Nothing of it is followed. */
static rpt_status_t check_storage(const char *name, hid_t layout)
{
    H5D_layout_t kind = H5Pget_layout(layout);
    rpt_status_t status;

    if (H5Pget_external_count(layout) != 0) {
        return rpt__hdf5_corrupt("the data of dataset \"%s\" are in another "
                                 "file",
                                 name);
    }
    status = kind == H5D_VIRTUAL ? check_sources(name, layout)
                                 : check_filters(name, layout);
    if (status == RPT_OK && kind != H5D_CONTIGUOUS && kind != H5D_CHUNKED) {
        status = rpt__hdf5_corrupt("dataset \"%s\" is not in one piece", name);
    }
    return status;
}

/* ---- what it is ---- */

static rpt_status_t check_shape(const struct rpt_hdf5_dataset *wanted,
                                hid_t space)
{
    hsize_t dims[H5S_MAX_RANK] = { 0 };
    int n = H5Sget_simple_extent_dims(space, dims, NULL);
    bool same = n == wanted->n_dims;

    for (int d = 0; same && d < n; d++) {
        same = dims[d] == wanted->dims[d];
    }
    return same ? RPT_OK
                : rpt__hdf5_corrupt("dataset \"%s\" has another shape than "
                                    "the manifest says",
                                    wanted->name);
}

static rpt_status_t check_type(const struct rpt_hdf5_dataset *wanted,
                               hid_t found)
{
    hid_t type = rpt__hdf5_type(wanted->type);
    htri_t same = H5Tequal(type, found);

    H5Tclose(type);
    return same > 0 ? RPT_OK
                    : rpt__hdf5_corrupt("dataset \"%s\" has another type than "
                                        "the manifest says",
                                        wanted->name);
}

static rpt_status_t check_place(const struct rpt_hdf5_dataset *wanted,
                                hid_t set, hid_t layout)
{
    bool has_slots = wanted->slot_bytes > 0;
    haddr_t at;

    if (H5Pget_layout(layout) != (has_slots ? H5D_CHUNKED : H5D_CONTIGUOUS)) {
        return rpt__hdf5_corrupt("dataset \"%s\" is not in %s", wanted->name,
                                 has_slots ? "chunks" : "one piece");
    }
    if (has_slots) {
        return rpt__hdf5_check_slots(wanted, set, layout);
    }
    at = H5Dget_offset(set);

    /* An empty one has none. */
    if (H5Dget_storage_size(set) > 0 &&
        (at == HADDR_UNDEF || at != wanted->offset)) {
        return rpt__hdf5_corrupt("dataset \"%s\" is at another place than the "
                                 "manifest says",
                                 wanted->name);
    }
    return RPT_OK;
}

static rpt_status_t compare(const struct rpt_hdf5_dataset *wanted, hid_t set,
                            hid_t layout)
{
    hid_t space = H5Dget_space(set), type = H5Dget_type(set);
    rpt_status_t status;

    if (space < 0 || type < 0) {
        status = rpt__hdf5_failed("H5Dget_space");
    } else {
        status = check_shape(wanted, space);
        if (status == RPT_OK) {
            status = check_type(wanted, type);
        }
        if (status == RPT_OK) {
            status = check_place(wanted, set, layout);
        }
    }
    if (type >= 0) {
        H5Tclose(type);
    }
    if (space >= 0) {
        H5Sclose(space);
    }
    return status;
}

/* ---- all of them ---- */

static rpt_status_t check_found(struct checking *c, const char *name, hid_t set,
                                hid_t layout)
{
    const struct rpt_hdf5_dataset key = { .name = name }, *at = &key, **found;
    rpt_status_t status = check_storage(name, layout);

    if (status != RPT_OK) {
        return status;
    }
    found = bsearch(&at, c->sorted, c->n, sizeof *c->sorted, by_name);
    if (found == NULL) {
        return rpt__hdf5_corrupt("the manifest has no dataset \"%s\"", name);
    }
    c->is_found[found - c->sorted] = true;
    return compare(*found, set, layout);
}

static rpt_status_t check_dataset(struct checking *c, const char *name,
                                  hid_t set)
{
    hid_t layout = H5Dget_create_plist(set);
    rpt_status_t status;

    if (layout < 0) {
        return rpt__hdf5_failed("H5Dget_create_plist");
    }
    status = check_found(c, name, set, layout);
    H5Pclose(layout);
    return status;
}

static rpt_status_t check_object(struct checking *c, hid_t group,
                                 const char *name)
{
    hid_t object = H5Oopen(group, name, H5P_DEFAULT);
    rpt_status_t status = RPT_OK;

    if (object < 0) {
        return rpt__hdf5_failed("H5Oopen");
    }
    if (H5Iget_type(object) == H5I_DATASET) {
        status = check_dataset(c, name, object);
    }
    H5Oclose(object);
    return status;
}

/* A link; those inside of the file (soft ones) need not lead anywhere. */
static herr_t visit(hid_t group, const char *name, const H5L_info_t *info,
                    void *user)
{
    struct checking *c = user;

    if (info->type == H5L_TYPE_HARD) {
        c->status = check_object(c, group, name);
    } else if (info->type != H5L_TYPE_SOFT) {
        c->status = rpt__hdf5_corrupt("\"%s\" is a link to another file", name);
    }
    return c->status == RPT_OK ? 0 : 1;
}

static rpt_status_t check_all(struct checking *c, hid_t file)
{
    herr_t result = H5Lvisit(file, H5_INDEX_NAME, H5_ITER_NATIVE, visit, c);

    if (result < 0) {
        return rpt__hdf5_failed("H5Lvisit");
    }
    for (size_t i = 0; c->status == RPT_OK && i < c->n; i++) {
        if (!c->is_found[i]) {
            return rpt__hdf5_corrupt("there is no dataset \"%s\"",
                                     c->sorted[i]->name);
        }
    }
    return c->status;
}

static rpt_status_t open_and_check(struct checking *c, const char *path)
{
    hid_t access = H5Pcreate(H5P_FILE_ACCESS), driver = -1, file;
    rpt_status_t status = rpt__hdf5_note_begin(access, &driver);

    H5PLset_loading_state(0);
    file = H5Fopen(path, H5F_ACC_RDONLY, access);
    H5Pclose(access);
    if (status == RPT_OK && file < 0) {
        status = rpt__hdf5_failed("H5Fopen");
    } else if (status == RPT_OK) {
        status = check_all(c, file);
    }
    if (file >= 0) {
        H5Fclose(file);
    }
    rpt__hdf5_note_end(driver);
    /* Its bytes are known to be those that were written. */
    return status == RPT_ERR_IO ? RPT_ERR_CORRUPT : status;
}

rpt_status_t rpt__hdf5_check(const char *path,
                             const struct rpt_hdf5_dataset *datasets,
                             size_t n_datasets)
{
    struct checking c = { calloc(n_datasets + 1, sizeof *c.sorted),
                          calloc(n_datasets + 1, sizeof *c.is_found),
                          n_datasets, RPT_OK };
    rpt_status_t status = RPT_ERR_NOMEM;

    if (c.sorted != NULL && c.is_found != NULL) {
        for (size_t i = 0; i < n_datasets; i++) {
            c.sorted[i] = &datasets[i];
        }
        qsort(c.sorted, n_datasets, sizeof *c.sorted, by_name);
        status = open_and_check(&c, path);
    }
    free(c.is_found);
    free(c.sorted);
    return status;
}
