/*
 * together.c - collective writes into a file that make() made
 *
 * The file is opened by all ranks with the MPI-IO driver; metadata are read
 * collectively and not written at all.
 */
#include "io/hdf5/hdf5_priv.h"

#ifdef H5_HAVE_PARALLEL
#include <mpi.h>

/* What this rank gives to a dataset, selected on both sides. */
static void select_box(const struct rpt_hdf5_box *box, hid_t in_file,
                       hid_t in_memory)
{
    hsize_t start[RPT_HDF5_DIMS], count[RPT_HDF5_DIMS];
    bool is_empty = false;

    for (int d = 0; d < box->n_dims; d++) {
        start[d] = box->start[d];
        count[d] = box->count[d];
        is_empty |= count[d] == 0;
    }
    if (is_empty) {
        H5Sselect_none(in_file);
        H5Sselect_none(in_memory);
    } else if (H5Sget_simple_extent_type(in_file) == H5S_SIMPLE) {
        H5Sselect_hyperslab(in_file, H5S_SELECT_SET, start, NULL, count, NULL);
    }
}

static rpt_status_t write_box(hid_t file, hid_t transfer,
                              const struct rpt_hdf5_box *box)
{
    hid_t set = H5Dopen2(file, box->name, H5P_DEFAULT);
    rpt_status_t status = RPT_OK;
    hid_t type, in_file, in_memory;
    static const char nothing = 0;

    if (set < 0) {
        return rpt__hdf5_failed("H5Dopen");
    }
    type = rpt__hdf5_type(box->type);
    in_file = H5Dget_space(set);
    in_memory = rpt__hdf5_space(box->n_dims, box->count);
    select_box(box, in_file, in_memory);
    if (H5Dwrite(set, type, in_memory, in_file, transfer,
                 box->data != NULL ? box->data : &nothing) < 0) {
        status = rpt__hdf5_failed("H5Dwrite");
    }
    H5Sclose(in_memory);
    H5Sclose(in_file);
    H5Tclose(type);
    H5Dclose(set);
    return status;
}

static rpt_status_t write_boxes(hid_t file, const struct rpt_hdf5_box *boxes,
                                size_t n_boxes,
                                rpt_status_t (*before)(void *user, size_t i),
                                void *user, bool *together_out)
{
    hid_t transfer = H5Pcreate(H5P_DATASET_XFER);
    rpt_status_t status = RPT_OK, own = RPT_OK;

    H5Pset_dxpl_mpio(transfer, H5FD_MPIO_COLLECTIVE);
    /* Who has failed goes on: the others wait for it in the next write. */
    for (size_t i = 0; status == RPT_OK && i <= n_boxes; i++) {
        status = before(user, i);
        if (status == RPT_OK && i < n_boxes && own == RPT_OK) {
            own = write_box(file, transfer, &boxes[i]);
        } else if (status == RPT_OK && i < n_boxes) {
            write_box(file, transfer, &boxes[i]);
        }
    }
    H5Pclose(transfer);
    *together_out = status == RPT_OK;
    return status != RPT_OK ? status : own;
}

rpt_status_t rpt__hdf5_write_all(const char *path, const void *mpi_comm,
                                 const struct rpt_hdf5_box *boxes,
                                 size_t n_boxes,
                                 rpt_status_t (*before)(void *user, size_t i),
                                 void *user)
{
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    bool together;
    rpt_status_t status;
    hid_t file;

    H5Pset_fapl_mpio(access, *(const MPI_Comm *)mpi_comm, MPI_INFO_NULL);
    H5Pset_all_coll_metadata_ops(access, 1);
    H5Pset_coll_metadata_write(access, 1);
    H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V110);
    file = H5Fopen(path, H5F_ACC_RDWR, access);
    H5Pclose(access);
    if (file < 0) {
        return rpt__hdf5_failed("H5Fopen");
    }
    status = write_boxes(file, boxes, n_boxes, before, user, &together);
    /* To close it all are needed.  HDF5 does so when MPI ends. */
    if (!together) {
        return status;
    }
    /* No H5Fflush: OMPIO's MPI_File_sync leaves out its barrier on a rank whose
     * writes have failed, and the others wait for ever.  Each rank reads back
     * and syncs by itself. */
    if (H5Fclose(file) < 0 && status == RPT_OK) {
        status = rpt__hdf5_failed("H5Fclose");
    }
    return status;
}
#endif
