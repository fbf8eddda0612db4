/*
 * ckpt_rows.c - an array that is cut along its fastest dimension: how to write
 * the short rows of a rank
 *
 *     mpirun -n N ckpt_rows DIRECTORY BYTES ROW_BYTES ROUNDS
 *
 * Each rank has ROW_BYTES of each row.  In each round, one after the other: a
 * save with and without syncs and a restore of
 *
 *   gathered   rows put together inside the node first
 *   rows       each rank writes its rows (io.checkpoint.row_bytes=0)
 *   blocks     one block a rank, as would lie under a virtual dataset
 *
 * Then rank 0 reads the array with HDF5, whole and 1/16 of its rows, from a
 * contiguous dataset and from a virtual one over blocks.  Prints medians of the
 * slowest rank, in seconds.
 */
#include <hdf5.h>
#include <repartir.h>
#include <repartir/mpi.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ROUNDS = 1000, N_WAYS = 3, N_SAVES = 3 * N_WAYS, N_SERIES = 13 };
static const char *const names[N_SERIES] = {
    "gathered_save_s",     "rows_save_s",     "blocks_save_s",
    "gathered_unsynced_s", "rows_unsynced_s", "blocks_unsynced_s",
    "gathered_restore_s",  "rows_restore_s",  "blocks_restore_s",
    "plain_read_s",        "virtual_read_s",  "plain_part_s",
    "virtual_part_s"
};

struct bench {
    int rank, size, n_rounds;
    const char *folder;
    rpt_context_t *context;
    uint64_t n_rows, width; /* width: elements of a row that a rank has */
    double *data;
    rpt_checkpoint_t *synced[N_WAYS], *unsynced[N_WAYS];
    uint64_t iteration;
    double times[N_SERIES][MOST_ROUNDS];
};

static void check(rpt_status_t status)
{
    if (status != RPT_OK) {
        fprintf(stderr, "benchmark: %s\n", rpt_last_error_text());
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
}

static void check_hdf5(bool good)
{
    if (!good) {
        fprintf(stderr, "benchmark: HDF5 failed\n");
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
}

static void note(struct bench *b, int series, int round, double seconds)
{
    double slowest;

    MPI_Allreduce(&seconds, &slowest, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
    b->times[series][round] = slowest;
}

/* ---- saves ---- */

static rpt_checkpoint_t *open_one(struct bench *b, int way, bool syncs)
{
    uint64_t p = (uint64_t)b->size, rank = (uint64_t)b->rank;
    rpt_checkpoint_array_t by_rows = { .size = sizeof by_rows,
                                       .name = "u",
                                       .type = RPT_TYPE_F64,
                                       .n_dims = 2,
                                       .dims = { b->n_rows, b->width * p },
                                       .start = { 0, b->width * rank },
                                       .count = { b->n_rows, b->width } };
    rpt_checkpoint_array_t by_blocks = { .size = sizeof by_blocks,
                                         .name = "u",
                                         .type = RPT_TYPE_F64,
                                         .n_dims = 3,
                                         .dims = { p, b->n_rows, b->width },
                                         .start = { rank, 0, 0 },
                                         .count = { 1, b->n_rows, b->width } };
    rpt_options_t *options = NULL;
    rpt_checkpoint_t *c = NULL;
    char task[32];

    by_rows.data = by_blocks.data = b->data;
    snprintf(task, sizeof task, "way%d%s", way, syncs ? "" : "-unsynced");
    check(rpt_options_create(&options));
    check(rpt_options_set(options, "io.checkpoint.row_bytes",
                          way == 0 ? "1GiB" : "0"));
    check(rpt_options_set(options, "io.checkpoint.sync", syncs ? "yes" : "no"));
    check(rpt_options_set(options, "io.checkpoint.tries", "0"));
    check(rpt_checkpoint_open(rpt_group_world(b->context), b->folder, task,
                              options, &c));
    check(rpt_checkpoint_add_array(c, way == 2 ? &by_blocks : &by_rows));
    rpt_options_destroy(options);
    return c;
}

static double value(const struct bench *b, uint64_t i)
{
    return (double)(b->iteration * 1000 + i + (uint64_t)b->rank);
}

static double save(struct bench *b, rpt_checkpoint_t *c)
{
    double began;

    MPI_Barrier(MPI_COMM_WORLD);
    began = MPI_Wtime();
    check(rpt_checkpoint_save(c, b->iteration));
    return MPI_Wtime() - began;
}

static double restore(struct bench *b, rpt_checkpoint_t *c)
{
    uint64_t iteration, n = b->n_rows * b->width;
    double began, seconds;

    memset(b->data, 0, n * sizeof *b->data);
    MPI_Barrier(MPI_COMM_WORLD);
    began = MPI_Wtime();
    check(rpt_checkpoint_restore(c, &iteration));
    seconds = MPI_Wtime() - began;
    for (uint64_t i = 0; i < n; i++) {
        if (b->data[i] < value(b, i) || b->data[i] > value(b, i)) {
            fprintf(stderr, "benchmark: a wrong value was restored\n");
            MPI_Abort(MPI_COMM_WORLD, 1);
        }
    }
    return seconds;
}

/* Round -1 is for what is done once. */
static void do_round(struct bench *b, int round)
{
    b->iteration++;
    for (uint64_t i = 0; i < b->n_rows * b->width; i++) {
        b->data[i] = value(b, i);
    }
    for (int i = 0; i < N_WAYS; i++) {
        int way = (round + 1 + i) % N_WAYS;
        double times[3] = { save(b, b->synced[way]), save(b, b->unsynced[way]),
                            restore(b, b->synced[way]) };

        for (int k = 0; k < 3 && round >= 0; k++) {
            note(b, k * N_WAYS + way, round, times[k]);
        }
    }
}

/* ---- reading; rank 0 ---- */

static hid_t make_plain(hid_t file, const char *name, int n_dims,
                        const hsize_t dims[], const double *data)
{
    hid_t space = H5Screate_simple(n_dims, dims, NULL);
    hid_t set = H5Dcreate2(file, name, H5T_NATIVE_DOUBLE, space, H5P_DEFAULT,
                           H5P_DEFAULT, H5P_DEFAULT);

    check_hdf5(H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                        data) >= 0);
    H5Sclose(space);
    return set;
}

static hid_t make_virtual(hid_t file, const hsize_t dims[2],
                          const hsize_t blocks[3])
{
    hid_t create = H5Pcreate(H5P_DATASET_CREATE);
    hid_t whole = H5Screate_simple(2, dims, NULL);
    hid_t from = H5Screate_simple(3, blocks, NULL), set;

    for (hsize_t r = 0; r < blocks[0]; r++) {
        hsize_t start[3] = { r, 0, 0 }, count[3] = { 1, blocks[1], blocks[2] };
        hsize_t at[2] = { 0, r * blocks[2] }, n[2] = { blocks[1], blocks[2] };

        H5Sselect_hyperslab(whole, H5S_SELECT_SET, at, NULL, n, NULL);
        H5Sselect_hyperslab(from, H5S_SELECT_SET, start, NULL, count, NULL);
        check_hdf5(H5Pset_virtual(create, whole, ".", "blocks", from) >= 0);
    }
    H5Sselect_all(whole);
    set = H5Dcreate2(file, "virtual", H5T_NATIVE_DOUBLE, whole, H5P_DEFAULT,
                     create, H5P_DEFAULT);
    check_hdf5(set >= 0);
    H5Sclose(from);
    H5Sclose(whole);
    H5Pclose(create);
    return set;
}

static double read_rows(hid_t set, const hsize_t dims[2], hsize_t n_rows,
                        double *to)
{
    hsize_t start[2] = { (dims[0] - n_rows) / 2, 0 };
    hsize_t count[2] = { n_rows, dims[1] };
    hid_t space = H5Screate_simple(2, dims, NULL);
    hid_t memory = H5Screate_simple(2, count, NULL);
    double began, seconds;

    H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL);
    began = MPI_Wtime();
    check_hdf5(
        H5Dread(set, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, to) >= 0);
    seconds = MPI_Wtime() - began;
    H5Sclose(memory);
    H5Sclose(space);
    return seconds;
}

static void read_all(struct bench *b)
{
    hsize_t dims[2] = { b->n_rows, b->width * (hsize_t)b->size };
    hsize_t blocks[3] = { (hsize_t)b->size, b->n_rows, b->width };
    double *all = calloc((size_t)(dims[0] * dims[1]), sizeof *all);
    char path[4096];
    hid_t file, sets[2], other;

    snprintf(path, sizeof path, "%s/virtual.h5", b->folder);
    file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    check_hdf5(file >= 0 && all != NULL);
    other = make_plain(file, "blocks", 3, blocks, all);
    sets[0] = make_plain(file, "plain", 2, dims, all);
    sets[1] = make_virtual(file, dims, blocks);
    H5Fflush(file, H5F_SCOPE_GLOBAL);
    for (int round = -1; round < b->n_rounds; round++) {
        for (int k = 0; k < 4; k++) {
            hsize_t n = k < 2 || dims[0] < 16 ? dims[0] : dims[0] / 16;
            double seconds = read_rows(sets[k % 2], dims, n, all);

            if (round >= 0) {
                b->times[N_SAVES + k][round] = seconds;
            }
        }
    }
    H5Dclose(other);
    H5Dclose(sets[0]);
    H5Dclose(sets[1]);
    H5Fclose(file);
    free(all);
}

/* ---- all of it ---- */

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static void print(struct bench *b)
{
    printf("{\"rounds\": %d", b->n_rounds);
    for (int i = 0; i < N_SERIES; i++) {
        qsort(b->times[i], (size_t)b->n_rounds, sizeof(double), by_value);
        printf(", \"%s\": %.6f", names[i], b->times[i][b->n_rounds / 2]);
    }
    printf("}\n");
}

int main(int argc, char *argv[])
{
    static struct bench b;
    uint64_t bytes, row_bytes;
    int level;

    MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &level);
    MPI_Comm_size(MPI_COMM_WORLD, &b.size);
    MPI_Comm_rank(MPI_COMM_WORLD, &b.rank);
    b.n_rounds = argc == 5 ? atoi(argv[4]) : 0;
    if (b.n_rounds < 1 || b.n_rounds > MOST_ROUNDS) {
        fprintf(stderr, "usage: %s DIRECTORY BYTES ROW_BYTES ROUNDS\n",
                argv[0]);
        MPI_Abort(MPI_COMM_WORLD, 64);
    }
    b.folder = argv[1];
    bytes = strtoull(argv[2], NULL, 10);
    row_bytes = strtoull(argv[3], NULL, 10);
    b.width = row_bytes / sizeof(double);
    b.n_rows = bytes / row_bytes / (uint64_t)b.size;
    b.data = calloc(b.n_rows * b.width + 1, sizeof *b.data);
    check(rpt_context_create_mpi(MPI_COMM_WORLD, NULL, &b.context));
    for (int way = 0; way < N_WAYS; way++) {
        b.synced[way] = open_one(&b, way, true);
        b.unsynced[way] = open_one(&b, way, false);
    }
    for (int round = -1; round < b.n_rounds; round++) {
        do_round(&b, round);
    }
    for (int way = 0; way < N_WAYS; way++) {
        rpt_checkpoint_close(b.synced[way]);
        rpt_checkpoint_close(b.unsynced[way]);
    }
    if (b.rank == 0) {
        read_all(&b);
        print(&b);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    rpt_context_destroy(b.context);
    free(b.data);
    MPI_Finalize();
    return 0;
}
