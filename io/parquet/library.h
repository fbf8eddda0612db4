/*
 * library.h - librepartir-parquet, opened at the first file
 */
#ifndef RPT_IO_PARQUET_LIBRARY_H
#define RPT_IO_PARQUET_LIBRARY_H

#include "base/options.h"
#include "io/parquet/ops.h"

/* RPT_ERR_UNSUPPORTED: this build has none, or it cannot be opened here. */
rpt_status_t rpt__parquet_library(const rpt_options_t *options,
                                  const struct rpt_parquet_ops **ops_out);

#endif /* RPT_IO_PARQUET_LIBRARY_H */
