/*
 * load.h - opens librepartir-hdf5 at first use
 */
#ifndef RPT_IO_HDF5_LOAD_H
#define RPT_IO_HDF5_LOAD_H

#include "base/options.h"
#include "io/hdf5/file.h"

/* Once in a process; any thread.  RPT_ERR_UNSUPPORTED: it cannot be opened, or
 * this build has none. */
rpt_status_t rpt__hdf5_load(const rpt_options_t *options,
                            const struct rpt_hdf5_ops **ops_out);

/* The file that would be opened. */
const char *rpt__hdf5_library(const rpt_options_t *options);

/* Takes this table instead.  For tests. */
void rpt__hdf5_set(const struct rpt_hdf5_ops *ops);

#endif /* RPT_IO_HDF5_LOAD_H */
