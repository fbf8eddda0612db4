/*
 * ckpt.h - what checkpoints are compared with, written by every rank together
 */
#ifndef RPT_BENCHMARKS_CKPT_H
#define RPT_BENCHMARKS_CKPT_H

#include <mpi.h>
#include <stddef.h>

/* A straightforward parallel HDF5 writer: default properties, independent
 * transfers, n_arrays datasets of which each rank writes its share. */
void naive_hdf5(MPI_Comm comm, const char *path, int n_arrays, size_t n_doubles,
                const double *mine);

#endif /* RPT_BENCHMARKS_CKPT_H */
