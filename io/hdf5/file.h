/*
 * file.h - what librepartir-hdf5 gives to librepartir
 *
 * A library of its own links HDF5 and is opened when it is needed, so that a
 * program with another HDF5 can use librepartir, or be run under its shim.  It
 * knows nothing of librepartir but its public headers: a table of functions, no
 * policy.  One call at a time in a process; it sees to that itself.
 *
 * Functions give RPT_OK or a failure, of which why() has the text.
 */
#ifndef RPT_IO_HDF5_FILE_H
#define RPT_IO_HDF5_FILE_H

#include <repartir/base.h>
#include <repartir/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RPT_HDF5_DIMS = 8 };

struct rpt_hdf5_attribute {
    const char *dataset; /* NULL: of the file */
    const char *name;
    bool is_text; /* value ends with 0; type and count are not looked at */
    rpt_type_t type;
    size_t count;
    const void *value;
};

/* Slots of chunks that follow each other in the file. */
struct rpt_hdf5_run {
    uint64_t n;
    uint64_t offset;
};

struct rpt_hdf5_dataset {
    const char *name;
    rpt_type_t type;
    int n_dims; /* 0: a scalar */
    uint64_t dims[RPT_HDF5_DIMS];
    uint64_t offset;     /* set: in the file, 0 when it is empty         */
    uint64_t slot_bytes; /* of a chunk, compressed; 0: it is in one piece */
    uint64_t chunk[RPT_HDF5_DIMS];
    const struct rpt_hdf5_run *runs; /* check(): where the slots are, in the */
    size_t n_runs;                   /* row-major order of the chunks        */
};

struct rpt_hdf5_shape {
    struct rpt_hdf5_dataset *datasets;
    size_t n_datasets;
    const struct rpt_hdf5_attribute *attributes;
    size_t n_attributes;
    int level; /* of deflate, for datasets with slots */
    /* Told of each slot of dataset `index`, in the row-major order of the
     * chunks. */
    rpt_status_t (*placed)(void *user, size_t index, uint64_t offset);
    void *user;
};

/* This rank's part of a dataset; data are contiguous. */
struct rpt_hdf5_box {
    const char *name;
    rpt_type_t type;
    int n_dims;
    uint64_t start[RPT_HDF5_DIMS];
    uint64_t count[RPT_HDF5_DIMS]; /* one 0: nothing */
    const void *data;
};

struct rpt_hdf5_ops {
    size_t size; /* of this struct */
    const char *version;
    bool is_parallel; /* has write_all */
    /* Of the last failure in this thread. */
    const char *(*why)(void);
    /* Makes a file (it may be there, and is emptied) with all datasets, of
     * which nothing is written, each in one piece or in slots; fills in where
     * they are.  opened(user) is called when the name is not needed any more.
     */
    rpt_status_t (*make)(const char *path, struct rpt_hdf5_shape *shape,
                         void (*opened)(void *user), void *user);
    /* Collective over the MPI_Comm that mpi_comm points to: writes these boxes
     * into a file that make() made, one dataset after the other.  before(user,
     * i) is called on all ranks before dataset i, and with n_boxes before the
     * file is closed; a failure, on all ranks, ends it, and leaves the file
     * open. */
    rpt_status_t (*write_all)(const char *path, const void *mpi_comm,
                              const struct rpt_hdf5_box *boxes, size_t n_boxes,
                              rpt_status_t (*before)(void *user, size_t i),
                              void *user);
    /* Opens a file that is there for reading and looks at all that is in it.
     * RPT_ERR_CORRUPT: it is no such file; it has not just these datasets, each
     * of this type and shape at its offset, or in its slots; or something in it
     * leads to another file (external links and storage, virtual datasets) or
     * needs a plug-in.  Nothing of that is followed.
     *
     * HDF5 is not safe against files that were made to harm it: for a process
     * of its own (checker_main.c). */
    rpt_status_t (*check)(const char *path,
                          const struct rpt_hdf5_dataset *datasets,
                          size_t n_datasets);
};

#define RPT_HDF5_INTERFACE 3
#define RPT_HDF5_OPEN "rpt_hdf5_open"
typedef const struct rpt_hdf5_ops *rpt_hdf5_open_fn(int interface);
const struct rpt_hdf5_ops *rpt_hdf5_open(int interface);

#endif /* RPT_IO_HDF5_FILE_H */
