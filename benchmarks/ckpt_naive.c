/*
 * ckpt_naive.c - a checkpoint as one writes it after reading a tutorial
 */
#include "benchmarks/ckpt.h"

#include <hdf5.h>
#include <mpi.h>

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

void naive_hdf5(const char *path, int n_arrays, size_t n_doubles,
                const double *mine, bool syncs)
{
    hid_t access = H5Pcreate(H5P_FILE_ACCESS), file;
    int rank, size, fd;
    char name[32];

    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    H5Pset_fapl_mpio(access, MPI_COMM_WORLD, MPI_INFO_NULL);
    file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access);
    for (int i = 0; i < n_arrays; i++) {
        hsize_t whole = n_doubles * (hsize_t)size, count = n_doubles;
        hsize_t start = n_doubles * (hsize_t)rank;
        hid_t space = H5Screate_simple(1, &whole, NULL);
        hid_t memory = H5Screate_simple(1, &count, NULL), set;

        snprintf(name, sizeof name, "array%03d", i);
        set = H5Dcreate2(file, name, H5T_NATIVE_DOUBLE, space, H5P_DEFAULT,
                         H5P_DEFAULT, H5P_DEFAULT);
        H5Sselect_hyperslab(space, H5S_SELECT_SET, &start, NULL, &count, NULL);
        H5Dwrite(set, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT,
                 mine + (size_t)i * n_doubles);
        H5Dclose(set);
        H5Sclose(memory);
        H5Sclose(space);
    }
    H5Fclose(file);
    H5Pclose(access);
    if (syncs) {
        fd = open(path, O_RDONLY);
        fsync(fd);
        close(fd);
    }
}
