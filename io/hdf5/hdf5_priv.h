/*
 * hdf5_priv.h - what hdf5.c and check.c share; all under the lock of hdf5.c
 */
#ifndef RPT_IO_HDF5_PRIV_H
#define RPT_IO_HDF5_PRIV_H

#include "io/hdf5/file.h"

#include <hdf5.h>

/* A type of ours as one of HDF5, to be closed by H5Tclose(). */
hid_t rpt__hdf5_type(rpt_type_t type);

/* Keeps the innermost message of HDF5 for why(), and gives RPT_ERR_IO. */
rpt_status_t rpt__hdf5_failed(const char *call);
/* Keeps this text, and gives RPT_ERR_CORRUPT. */
rpt_status_t rpt__hdf5_corrupt(const char *text, ...) RPT_PRINTF(1, 2);

/* ---- check.c ---- */

rpt_status_t rpt__hdf5_check(const char *path,
                             const struct rpt_hdf5_dataset *datasets,
                             size_t n_datasets);

#endif /* RPT_IO_HDF5_PRIV_H */
