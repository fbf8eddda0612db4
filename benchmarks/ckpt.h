/*
 * ckpt.h - what checkpoints are compared with, written by every rank together
 */
#ifndef RPT_BENCHMARKS_CKPT_H
#define RPT_BENCHMARKS_CKPT_H

#include <stdbool.h>
#include <stddef.h>

/* A straightforward parallel HDF5 writer: default properties, independent
 * transfers, n_arrays datasets of which each rank writes its share.  With
 * syncs each rank calls fsync() after the file is closed, which HDF5 does not
 * do by itself. */
void naive_hdf5(const char *path, int n_arrays, size_t n_doubles,
                const double *mine, bool syncs);

#endif /* RPT_BENCHMARKS_CKPT_H */
