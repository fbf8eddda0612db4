/*
 * slots.c - datasets in chunks, each of which has a slot of fixed length
 *
 * HDF5 learns of a slot by H5Dwrite_chunk() of so many bytes, and keeps place
 * and length in its index.  Data of gigabytes shall not be written for that: a
 * driver of ours, below HDF5, writes what is HDF5's own and only notes where
 * the rest would go.  The other way round H5Dread_chunk() tells where a slot
 * is, in a time that does not grow with their number, and reads nothing.
 *
 * The driver has one file at a time; all is under the lock of hdf5.c.
 */
/* Chunks are read with the function that all versions since 1.10.2 have. */
#define H5_USE_110_API
#include "io/hdf5/hdf5_priv.h"

#if defined(__has_include)
#if __has_include(<H5FDdevelop.h>)
#include <H5FDdevelop.h>
#endif
#endif

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAXADDR ((haddr_t)INT64_MAX)

/* ---- the driver ---- */

struct file {
    H5FD_t base; /* HDF5's; must be first */
    int fd;
    haddr_t eoa, eof;
};

/* While a slot is looked for: where it is. */
static bool notes;
static haddr_t noted_at;

static H5FD_t *open_file(const char *name, unsigned flags, hid_t access,
                         haddr_t maxaddr)
{
    bool writes = (flags & H5F_ACC_RDWR) != 0;
    int how = O_CLOEXEC | (writes ? O_RDWR : O_RDONLY) |
              ((flags & H5F_ACC_CREAT) != 0 ? O_CREAT : 0) |
              ((flags & H5F_ACC_TRUNC) != 0 ? O_TRUNC : 0);
    struct file *file = calloc(1, sizeof *file);
    struct stat status;

    (void)access;
    (void)maxaddr;
    if (file == NULL) {
        return NULL;
    }
    file->fd = open(name, how, 0600);
    if (file->fd < 0 || fstat(file->fd, &status) != 0) {
        if (file->fd >= 0) {
            close(file->fd);
        }
        free(file);
        return NULL;
    }
    file->eof = (haddr_t)status.st_size;
    return &file->base;
}

static herr_t close_file(H5FD_t *base)
{
    struct file *file = (struct file *)base;
    int error = close(file->fd);

    free(file);
    return error == 0 ? 0 : -1;
}

static herr_t query(const H5FD_t *base, unsigned long *flags)
{
    (void)base;
    *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA;
    return 0;
}

static haddr_t get_eoa(const H5FD_t *base, H5FD_mem_t type)
{
    (void)type;
    return ((const struct file *)base)->eoa;
}

static herr_t set_eoa(H5FD_t *base, H5FD_mem_t type, haddr_t at)
{
    (void)type;
    ((struct file *)base)->eoa = at;
    return 0;
}

static haddr_t get_eof(const H5FD_t *base, H5FD_mem_t type)
{
    (void)type;
    return ((const struct file *)base)->eof;
}

static herr_t read_some(H5FD_t *base, H5FD_mem_t type, hid_t transfer,
                        haddr_t at, size_t bytes, void *to)
{
    const struct file *file = (const struct file *)base;
    size_t done = 0;

    (void)transfer;
    if (notes && type == H5FD_MEM_DRAW) {
        noted_at = at;
        return 0;
    }
    while (done < bytes) {
        ssize_t n = pread(file->fd, (char *)to + done, bytes - done,
                          (off_t)(at + done));

        if (n < 0 && errno != EINTR) {
            return -1;
        }
        if (n == 0) { /* behind the end there are zeros */
            memset((char *)to + done, 0, bytes - done);
            return 0;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

static herr_t write_some(H5FD_t *base, H5FD_mem_t type, hid_t transfer,
                         haddr_t at, size_t bytes, const void *from)
{
    struct file *file = (struct file *)base;
    size_t done = 0;

    (void)transfer;
    if (notes && type == H5FD_MEM_DRAW) {
        noted_at = at;
        return 0;
    }
    while (done < bytes) {
        ssize_t n = pwrite(file->fd, (const char *)from + done, bytes - done,
                           (off_t)(at + done));

        if (n < 0 && errno != EINTR) {
            return -1;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    file->eof = at + bytes > file->eof ? at + bytes : file->eof;
    return 0;
}

static herr_t truncate_file(H5FD_t *base, hid_t transfer, hbool_t closing)
{
    struct file *file = (struct file *)base;

    (void)transfer;
    (void)closing;
    if (file->eof != file->eoa) {
        if (ftruncate(file->fd, (off_t)file->eoa) != 0) {
            return -1;
        }
        file->eof = file->eoa;
    }
    return 0;
}

static const H5FD_class_t driver = {
#ifdef H5FD_CLASS_VERSION
    .version = H5FD_CLASS_VERSION,
    .value = (H5FD_class_value_t)487, /* of those for one's own use */
#endif
    .name = "repartir",
    .maxaddr = MAXADDR,
    .fc_degree = H5F_CLOSE_WEAK,
    .open = open_file,
    .close = close_file,
    .query = query,
    .get_eoa = get_eoa,
    .set_eoa = set_eoa,
    .get_eof = get_eof,
    .read = read_some,
    .write = write_some,
    .truncate = truncate_file,
    .fl_map = H5FD_FLMAP_DICHOTOMY,
};

rpt_status_t rpt__hdf5_note_begin(hid_t access, hid_t *driver_out)
{
    hid_t id = H5FDregister(&driver);

    if (id < 0 || H5Pset_driver(access, id, NULL) < 0) {
        if (id >= 0) {
            H5FDunregister(id);
        }
        return rpt__hdf5_failed("H5FDregister");
    }
    *driver_out = id;
    return RPT_OK;
}

void rpt__hdf5_note_end(hid_t id)
{
    if (id >= 0) {
        H5FDunregister(id);
    }
}

/* ---- chunks ---- */

uint64_t rpt__hdf5_n_slots(const struct rpt_hdf5_dataset *set)
{
    uint64_t n = set->slot_bytes > 0;

    for (int d = 0; n > 0 && d < set->n_dims; d++) {
        n *= set->dims[d] / set->chunk[d] + (set->dims[d] % set->chunk[d] > 0);
    }
    return n;
}

rpt_status_t rpt__hdf5_set_chunks(hid_t layout,
                                  const struct rpt_hdf5_dataset *set, int level)
{
    hsize_t chunk[RPT_HDF5_DIMS];

    if (H5Zfilter_avail(H5Z_FILTER_DEFLATE) <= 0) {
        rpt__hdf5_failed("H5Zfilter_avail: this HDF5 has no deflate; that");
        return RPT_ERR_UNSUPPORTED;
    }
    for (int d = 0; d < set->n_dims; d++) {
        chunk[d] = set->chunk[d];
    }
    if (H5Pset_chunk(layout, set->n_dims, chunk) < 0 ||
        H5Pset_shuffle(layout) < 0 ||
        H5Pset_deflate(layout, (unsigned)level) < 0) {
        return rpt__hdf5_failed("H5Pset_chunk");
    }
    return RPT_OK;
}

/* Both give what HDF5 says, and the place in noted_at. */
static herr_t write_nothing(hid_t set, const hsize_t at[], uint64_t bytes)
{
    static const char nothing = 0; /* the driver does not look at it */
    herr_t result;

    notes = true;
    result = H5Dwrite_chunk(set, H5P_DEFAULT, 0, at, (size_t)bytes, &nothing);
    notes = false;
    return result;
}

static herr_t read_nothing(hid_t set, const hsize_t at[], uint32_t *mask_out)
{
    char nothing[1]; /* stays as it is */
    herr_t result;

    notes = true;
    noted_at = HADDR_UNDEF;
    result = H5Dread_chunk(set, H5P_DEFAULT, at, mask_out, nothing);
    notes = false;
    return result;
}

/* The next chunk in row-major order.  False: that was the last one. */
static bool next_chunk(const struct rpt_hdf5_dataset *set, hsize_t at[])
{
    for (int d = set->n_dims - 1; d >= 0; d--) {
        at[d] += set->chunk[d];
        if (at[d] < set->dims[d]) {
            return true;
        }
        at[d] = 0;
    }
    return false;
}

rpt_status_t rpt__hdf5_place_slots(hid_t made,
                                   const struct rpt_hdf5_dataset *set,
                                   size_t index,
                                   const struct rpt_hdf5_shape *shape)
{
    hsize_t at[RPT_HDF5_DIMS] = { 0 };
    rpt_status_t status = RPT_OK;

    do {
        if (write_nothing(made, at, set->slot_bytes) < 0) {
            return rpt__hdf5_failed("H5Dwrite_chunk");
        }
        status = shape->placed(shape->user, index, (uint64_t)noted_at);
    } while (status == RPT_OK && next_chunk(set, at));
    return status;
}

/* ---- are they there? ---- */

static rpt_status_t elsewhere(const struct rpt_hdf5_dataset *wanted)
{
    return rpt__hdf5_corrupt("chunks of dataset \"%s\" are at another place "
                             "than the manifest says",
                             wanted->name);
}

static rpt_status_t check_chunks(const struct rpt_hdf5_dataset *wanted,
                                 hid_t layout)
{
    static const H5Z_filter_t filters[] = { H5Z_FILTER_SHUFFLE,
                                            H5Z_FILTER_DEFLATE };
    hsize_t chunk[H5S_MAX_RANK] = { 0 };
    bool same = H5Pget_chunk(layout, H5S_MAX_RANK, chunk) == wanted->n_dims &&
                H5Pget_nfilters(layout) == 2;

    for (int d = 0; same && d < wanted->n_dims; d++) {
        same = chunk[d] == wanted->chunk[d];
    }
    for (unsigned i = 0; same && i < 2; i++) {
        size_t n_values = 0;
        unsigned flags, config;

        same = H5Pget_filter2(layout, i, &flags, &n_values, NULL, 0, NULL,
                              &config) == filters[i];
    }
    return same ? RPT_OK
                : rpt__hdf5_corrupt("dataset \"%s\" has not the chunks and "
                                    "filters that the manifest says",
                                    wanted->name);
}

rpt_status_t rpt__hdf5_check_slots(const struct rpt_hdf5_dataset *wanted,
                                   hid_t set, hid_t layout)
{
    rpt_status_t status = check_chunks(wanted, layout);
    hsize_t at[RPT_HDF5_DIMS] = { 0 }, bytes = 0;
    uint32_t mask = 0;
    uint64_t k = 0;
    size_t run = 0;
    bool more = true;

    for (; status == RPT_OK && more; more = next_chunk(wanted, at), k++) {
        if (run < wanted->n_runs && k == wanted->runs[run].n) {
            run++;
            k = 0;
        }
        if (H5Dget_chunk_storage_size(set, at, &bytes) < 0) {
            return rpt__hdf5_failed("H5Dget_chunk_storage_size");
        }
        if (run == wanted->n_runs || bytes != wanted->slot_bytes) {
            return elsewhere(wanted);
        }
        if (read_nothing(set, at, &mask) < 0) {
            return rpt__hdf5_failed("H5Dread_chunk");
        }
        if (mask != 0 ||
            noted_at != wanted->runs[run].offset + k * wanted->slot_bytes) {
            return elsewhere(wanted);
        }
    }
    return status;
}
