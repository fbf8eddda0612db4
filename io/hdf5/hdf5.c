/*
 * hdf5.c - the structure of a checkpoint's file, and the table of functions
 *
 * make(): datasets are contiguous and allocated when they are created, without
 * fill values, so that HDF5 writes its own few KiB and says where each dataset
 * lies; those in slots see slots.c.  Nothing that changes from save to save
 * stands in an attribute.
 *
 * The library may not be safe for threads: one lock around all calls.
 */
#include "io/hdf5/hdf5_priv.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Datasets of a page and more begin at a page. */
enum { ALIGNMENT = 4096 };
/* What HDF5 takes at a time for its own pieces of an index, and what an entry
 * of one needs. */
enum { META_MOST = 1 << 20, META_LEAST = 4096, META_ENTRY = 64 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local char why_text[512];

static const char *why(void)
{
    return why_text;
}

/* ---- what went wrong: the innermost message of HDF5's stack ---- */

static herr_t note_error(unsigned n, const H5E_error2_t *error, void *unused)
{
    (void)n;
    (void)unused;
    if (error->desc != NULL && error->desc[0] != '\0') {
        snprintf(why_text, sizeof why_text, "%s (%s)", error->desc,
                 error->func_name != NULL ? error->func_name : "HDF5");
    }
    return 0;
}

rpt_status_t rpt__hdf5_failed(const char *call)
{
    snprintf(why_text, sizeof why_text, "%s failed", call);
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, note_error, NULL);
    H5Eclear2(H5E_DEFAULT);
    /* Some of its messages have several lines. */
    for (char *c = why_text; *c != '\0'; c++) {
        *c = *c == '\n' ? ' ' : *c;
    }
    return RPT_ERR_IO;
}

rpt_status_t rpt__hdf5_corrupt(const char *text, ...)
{
    va_list args;

    va_start(args, text);
    vsnprintf(why_text, sizeof why_text, text, args);
    va_end(args);
    return RPT_ERR_CORRUPT;
}

/* HDF5 prints its errors unless it is told not to; what the program has set is
 * put back. */
struct quiet {
    H5E_auto2_t print;
    void *data;
};

static void enter(struct quiet *quiet)
{
    pthread_mutex_lock(&lock);
    H5open();
    H5Eget_auto2(H5E_DEFAULT, &quiet->print, &quiet->data);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

static void leave(const struct quiet *quiet)
{
    H5Eset_auto2(H5E_DEFAULT, quiet->print, quiet->data);
    pthread_mutex_unlock(&lock);
}

/* ---- types ---- */

static size_t bytes_of(rpt_type_t type)
{
    switch ((int)type) {
#define RPT_TYPE_CASE(name, value, bytes, text)                                \
    case value:                                                                \
        return bytes;
        RPT_TYPE_LIST(RPT_TYPE_CASE)
#undef RPT_TYPE_CASE
    default:
        return (size_t)type - RPT_TYPE_OPAQUE_0;
    }
}

/* A float of IEEE's kind with other widths: 16 bits of sign, exponent and
 * mantissa. */
static hid_t small_float(size_t exponent_bits)
{
    hid_t type = H5Tcopy(H5T_NATIVE_FLOAT);
    size_t mantissa = 15 - exponent_bits;

    H5Tset_fields(type, 15, mantissa, exponent_bits, 0, mantissa);
    H5Tset_size(type, 2);
    H5Tset_ebias(type, ((size_t)1 << (exponent_bits - 1)) - 1);
    return type;
}

/* As h5py has complex numbers, and as C has pairs. */
static hid_t compound(size_t bytes, const char *first, hid_t first_type,
                      const char *second, hid_t second_type,
                      size_t second_offset)
{
    hid_t type = H5Tcreate(H5T_COMPOUND, bytes);

    H5Tinsert(type, first, 0, first_type);
    H5Tinsert(type, second, second_offset, second_type);
    return type;
}

static hid_t complex_of(hid_t part, size_t bytes)
{
    return compound(2 * bytes, "r", part, "i", part, bytes);
}

static hid_t pair_of(rpt_type_t type, hid_t value, size_t offset)
{
    return compound(bytes_of(type), "value", value, "index", H5T_NATIVE_INT32,
                    offset);
}

/* Without a tag: h5py reads none that has one. */
static hid_t opaque(rpt_type_t type)
{
    return H5Tcreate(H5T_OPAQUE, bytes_of(type));
}

hid_t rpt__hdf5_type(rpt_type_t type)
{
    switch ((int)type) {
    case RPT_TYPE_I8:
        return H5Tcopy(H5T_NATIVE_INT8);
    case RPT_TYPE_U8:
        return H5Tcopy(H5T_NATIVE_UINT8);
    case RPT_TYPE_I16:
        return H5Tcopy(H5T_NATIVE_INT16);
    case RPT_TYPE_U16:
        return H5Tcopy(H5T_NATIVE_UINT16);
    case RPT_TYPE_I32:
        return H5Tcopy(H5T_NATIVE_INT32);
    case RPT_TYPE_U32:
        return H5Tcopy(H5T_NATIVE_UINT32);
    case RPT_TYPE_I64:
        return H5Tcopy(H5T_NATIVE_INT64);
    case RPT_TYPE_U64:
        return H5Tcopy(H5T_NATIVE_UINT64);
    case RPT_TYPE_F16:
        return small_float(5);
    case RPT_TYPE_BF16:
        return small_float(8);
    case RPT_TYPE_F32:
        return H5Tcopy(H5T_NATIVE_FLOAT);
    case RPT_TYPE_F64:
        return H5Tcopy(H5T_NATIVE_DOUBLE);
    case RPT_TYPE_C64:
        return complex_of(H5T_NATIVE_FLOAT, 4);
    case RPT_TYPE_C128:
        return complex_of(H5T_NATIVE_DOUBLE, 8);
    case RPT_TYPE_F32_I32:
        return pair_of(type, H5T_NATIVE_FLOAT, 4);
    case RPT_TYPE_F64_I32:
        return pair_of(type, H5T_NATIVE_DOUBLE, 8);
    case RPT_TYPE_I16_I32:
        return pair_of(type, H5T_NATIVE_INT16, 4);
    case RPT_TYPE_I32_I32:
        return pair_of(type, H5T_NATIVE_INT32, 4);
    case RPT_TYPE_I64_I32:
        return pair_of(type, H5T_NATIVE_INT64, 8);
    default:
        return opaque(type);
    }
}

hid_t rpt__hdf5_space(int n_dims, const uint64_t dims[])
{
    hsize_t extent[RPT_HDF5_DIMS];

    for (int d = 0; d < n_dims; d++) {
        extent[d] = dims[d];
    }
    return n_dims == 0 ? H5Screate(H5S_SCALAR)
                       : H5Screate_simple(n_dims, extent, NULL);
}

/* ---- making a file ---- */

struct making {
    hid_t file;
    hid_t group; /* properties of groups */
    const struct rpt_hdf5_shape *shape;
};

/* Those above a dataset: HDF5 would make them too, with the time in them. */
static rpt_status_t make_groups(const struct making *m, const char *name)
{
    char path[512];
    hid_t made;

    for (const char *slash = strchr(name, '/'); slash != NULL;
         slash = strchr(slash + 1, '/')) {
        snprintf(path, sizeof path, "%.*s", (int)(slash - name), name);
        if (H5Lexists(m->file, path, H5P_DEFAULT) > 0) {
            continue;
        }
        made = H5Gcreate2(m->file, path, H5P_DEFAULT, m->group, H5P_DEFAULT);
        if (made < 0) {
            return rpt__hdf5_failed("H5Gcreate");
        }
        H5Gclose(made);
    }
    return RPT_OK;
}

/* How it is stored; to be closed. */
static hid_t layout_of(int level, const struct rpt_hdf5_dataset *set,
                       rpt_status_t *status)
{
    hid_t layout = H5Pcreate(H5P_DATASET_CREATE);

    H5Pset_fill_time(layout, H5D_FILL_TIME_NEVER);
    H5Pset_obj_track_times(layout, 0);
    if (set->slot_bytes > 0 && *status == RPT_OK) {
        *status = rpt__hdf5_set_chunks(layout, set, level);
    } else {
        H5Pset_layout(layout, H5D_CONTIGUOUS);
        H5Pset_alloc_time(layout, H5D_ALLOC_TIME_EARLY);
    }
    return layout;
}

static rpt_status_t find_place(hid_t made, struct rpt_hdf5_dataset *set)
{
    haddr_t at = H5Dget_offset(made);

    set->offset = at == HADDR_UNDEF ? 0 : (uint64_t)at;
    return at == HADDR_UNDEF && H5Dget_storage_size(made) > 0
               ? rpt__hdf5_failed("H5Dget_offset")
               : RPT_OK;
}

static rpt_status_t add_dataset(const struct making *m, size_t index)
{
    struct rpt_hdf5_dataset *set = &m->shape->datasets[index];
    hid_t type = rpt__hdf5_type(set->type);
    hid_t space = rpt__hdf5_space(set->n_dims, set->dims);
    rpt_status_t status = make_groups(m, set->name);
    hid_t layout = layout_of(m->shape->level, set, &status);
    hid_t made = -1;

    if (status == RPT_OK) {
        made = H5Dcreate2(m->file, set->name, type, space, H5P_DEFAULT, layout,
                          H5P_DEFAULT);
        status = made < 0 ? rpt__hdf5_failed("H5Dcreate") : RPT_OK;
    }
    if (status == RPT_OK) {
        status = set->slot_bytes > 0
                     ? rpt__hdf5_place_slots(made, set, index, m->shape)
                     : find_place(made, set);
    }
    if (made >= 0 && H5Dclose(made) < 0 && status == RPT_OK) {
        status = rpt__hdf5_failed("H5Dclose");
    }
    H5Pclose(layout);
    H5Sclose(space);
    H5Tclose(type);
    return status;
}

static rpt_status_t write_attribute(hid_t where,
                                    const struct rpt_hdf5_attribute *a)
{
    uint64_t n = a->count;
    hid_t type = a->is_text ? H5Tcopy(H5T_C_S1) : rpt__hdf5_type(a->type);
    hid_t space = rpt__hdf5_space(a->is_text || n == 1 ? 0 : 1, &n);
    rpt_status_t status = RPT_OK;
    hid_t made;

    if (a->is_text) {
        size_t bytes = strlen(a->value);

        H5Tset_size(type, bytes > 0 ? bytes : 1);
        H5Tset_strpad(type, H5T_STR_NULLPAD);
        H5Tset_cset(type, H5T_CSET_UTF8);
    }
    made = H5Acreate2(where, a->name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    if (made < 0) {
        status = rpt__hdf5_failed("H5Acreate");
    } else {
        if (H5Awrite(made, type, a->value) < 0) {
            status = rpt__hdf5_failed("H5Awrite");
        }
        H5Aclose(made);
    }
    H5Sclose(space);
    H5Tclose(type);
    return status;
}

static rpt_status_t add_attribute(const struct making *m,
                                  const struct rpt_hdf5_attribute *a)
{
    hid_t where = H5Oopen(m->file, a->dataset != NULL ? a->dataset : "/",
                          H5P_DEFAULT);
    rpt_status_t status;

    if (where < 0) {
        return rpt__hdf5_failed("H5Oopen");
    }
    status = write_attribute(where, a);
    H5Oclose(where);
    return status;
}

static rpt_status_t add_all(const struct making *m)
{
    const struct rpt_hdf5_shape *shape = m->shape;
    rpt_status_t status = RPT_OK;

    for (size_t i = 0; status == RPT_OK && i < shape->n_datasets; i++) {
        status = add_dataset(m, i);
    }
    for (size_t i = 0; status == RPT_OK && i < shape->n_attributes; i++) {
        status = add_attribute(m, &shape->attributes[i]);
    }
    return status;
}

/* HDF5's own pieces of the index come in larger ones, so that slots follow each
 * other. */
static rpt_status_t prepare(const struct rpt_hdf5_shape *shape, hid_t access,
                            hid_t *driver_out)
{
    uint64_t n = 0, bytes = META_LEAST;

    for (size_t i = 0; i < shape->n_datasets; i++) {
        n += rpt__hdf5_n_slots(&shape->datasets[i]);
    }
    if (n == 0) {
        return RPT_OK;
    }
    while (bytes < META_MOST && bytes / META_ENTRY < n) {
        bytes *= 2;
    }
    H5Pset_meta_block_size(access, bytes);
    return rpt__hdf5_note_begin(access, driver_out);
}

static rpt_status_t make_locked(const char *path, struct rpt_hdf5_shape *shape,
                                void (*opened)(void *user), void *user)
{
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    hid_t creation = H5Pcreate(H5P_FILE_CREATE), driver_id = -1;
    struct making m = { -1, H5Pcreate(H5P_GROUP_CREATE), shape };
    rpt_status_t status;

    H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V110);
    H5Pset_alignment(access, ALIGNMENT, ALIGNMENT);
    H5Pset_obj_track_times(creation, 0);
    H5Pset_obj_track_times(m.group, 0);
    status = prepare(shape, access, &driver_id);
    if (status == RPT_OK) {
        m.file = H5Fcreate(path, H5F_ACC_TRUNC, creation, access);
        status = m.file < 0 ? rpt__hdf5_failed("H5Fcreate") : RPT_OK;
    }
    if (status == RPT_OK) {
        opened(user);
        status = add_all(&m);
        if (H5Fclose(m.file) < 0 && status == RPT_OK) {
            status = rpt__hdf5_failed("H5Fclose");
        }
    }
    H5Pclose(m.group);
    H5Pclose(creation);
    H5Pclose(access);
    rpt__hdf5_note_end(driver_id);
    return status;
}

static rpt_status_t make(const char *path, struct rpt_hdf5_shape *shape,
                         void (*opened)(void *user), void *user)
{
    struct quiet quiet;
    rpt_status_t status;

    enter(&quiet);
    status = make_locked(path, shape, opened, user);
    leave(&quiet);
    return status;
}

/* ---- the table ---- */

static rpt_status_t write_all(const char *path, const void *mpi_comm,
                              const struct rpt_hdf5_box *boxes, size_t n_boxes,
                              rpt_status_t (*before)(void *user, size_t i),
                              void *user)
{
#ifdef H5_HAVE_PARALLEL
    struct quiet quiet;
    rpt_status_t status;

    enter(&quiet);
    status = rpt__hdf5_write_all(path, mpi_comm, boxes, n_boxes, before, user);
    leave(&quiet);
    return status;
#else
    (void)path;
    (void)mpi_comm;
    (void)boxes;
    (void)n_boxes;
    (void)before;
    (void)user;
    snprintf(why_text, sizeof why_text, "this HDF5 was built without MPI");
    return RPT_ERR_UNSUPPORTED;
#endif
}

static rpt_status_t check(const char *path,
                          const struct rpt_hdf5_dataset *datasets,
                          size_t n_datasets)
{
    struct quiet quiet;
    rpt_status_t status;

    enter(&quiet);
    status = rpt__hdf5_check(path, datasets, n_datasets);
    leave(&quiet);
    return status;
}

#ifdef H5_HAVE_PARALLEL
enum { IS_PARALLEL = true };
#else
enum { IS_PARALLEL = false };
#endif

static const struct rpt_hdf5_ops ops = {
    .size = sizeof(struct rpt_hdf5_ops),
    .version = H5_VERS_INFO,
    .is_parallel = IS_PARALLEL,
    .why = why,
    .make = make,
    .write_all = write_all,
    .check = check,
};

const struct rpt_hdf5_ops *rpt_hdf5_open(int interface)
{
    return interface == RPT_HDF5_INTERFACE ? &ops : NULL;
}
