/*
 * hdf5_priv.h - what the files of librepartir-hdf5 share; all under the lock of
 * hdf5.c
 */
#ifndef RPT_IO_HDF5_PRIV_H
#define RPT_IO_HDF5_PRIV_H

#include "io/hdf5/file.h"

#include <hdf5.h>

/* A type of ours as one of HDF5, to be closed by H5Tclose(). */
hid_t rpt__hdf5_type(rpt_type_t type);

hid_t rpt__hdf5_space(int n_dims, const uint64_t dims[]);

/* Keeps the innermost message of HDF5 for why(), and gives RPT_ERR_IO. */
rpt_status_t rpt__hdf5_failed(const char *call);
/* Keeps this text, and gives RPT_ERR_CORRUPT. */
rpt_status_t rpt__hdf5_corrupt(const char *text, ...) RPT_PRINTF(1, 2);

/* ---- check.c ---- */

rpt_status_t rpt__hdf5_check(const char *path,
                             const struct rpt_hdf5_dataset *datasets,
                             size_t n_datasets);

/* ---- together.c: where HDF5 has MPI ---- */

rpt_status_t rpt__hdf5_write_all(const char *path, const void *mpi_comm,
                                 const struct rpt_hdf5_box *boxes,
                                 size_t n_boxes,
                                 rpt_status_t (*before)(void *user, size_t i),
                                 void *user);

/* ---- slots.c ---- */

/* A file that is opened with these properties has no data: where they would be
 * is noted.  driver_out: for the end, when the file is closed. */
rpt_status_t rpt__hdf5_note_begin(hid_t access, hid_t *driver_out);
void rpt__hdf5_note_end(hid_t driver);
/* Of a dataset; 0: it is in one piece. */
uint64_t rpt__hdf5_n_slots(const struct rpt_hdf5_dataset *set);
/* Chunks and filters, in the properties of a dataset to come. */
rpt_status_t rpt__hdf5_set_chunks(hid_t layout,
                                  const struct rpt_hdf5_dataset *set,
                                  int level);
/* Makes the slots of a dataset, in a file that notes. */
rpt_status_t rpt__hdf5_place_slots(hid_t made,
                                   const struct rpt_hdf5_dataset *set,
                                   size_t index,
                                   const struct rpt_hdf5_shape *shape);
/* Whether a dataset with these properties has just these slots. */
rpt_status_t rpt__hdf5_check_slots(const struct rpt_hdf5_dataset *wanted,
                                   hid_t set, hid_t layout);

#endif /* RPT_IO_HDF5_PRIV_H */
