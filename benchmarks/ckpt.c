/*
 * ckpt.c - a checkpoint of so many bytes, against what it is compared with
 *
 *     mpirun -n 2 ckpt DIRECTORY BYTES ARRAYS ROUNDS [naive]
 *
 * In each round, one after the other and each begun by a barrier: a copy of
 * this rank's bytes; an asynchronous save (the call, and until it is
 * committed); a save; one with io.checkpoint.sync=no; plain pwrite and fsync of
 * the same bytes by all ranks into one file; and, with `naive`, a
 * straightforward HDF5 writer, with and without fsync.  A time is that of the
 * slowest rank.  Prints one JSON object: medians in seconds.
 */
#include "benchmarks/ckpt.h"

#include <repartir.h>
#include <repartir/mpi.h>

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MOST_ROUNDS = 1000 };

/* Those of the HDF5 writer are the last two. */
enum row {
    COPY,
    CALL,
    BEHIND,
    SAVE,
    UNSYNCED,
    PLAIN,
    RESTORE,
    HASH,
    NAIVE,
    NAIVE_UNSYNCED,
    N_ROWS
};
static const char *const names[N_ROWS] = {
    "copy_s",  "async_call_s", "async_total_s", "save_s",  "unsynced_s",
    "plain_s", "restore_s",    "hash_s",        "naive_s", "naive_unsynced_s"
};

struct bench {
    int rank, size;
    const char *folder;
    size_t n_doubles; /* of an array, on this rank */
    int n_arrays;
    double *data, *copy;
    rpt_checkpoint_t *checkpoint, *unsynced;
    uint64_t iteration;
    double times[N_ROWS][MOST_ROUNDS];
    int n_rounds;
};

static void check(rpt_status_t status)
{
    if (status < 0) {
        fprintf(stderr, "%s\n", rpt_last_error_text());
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
}

static void note(struct bench *b, enum row row, int round, double seconds)
{
    double slowest;

    MPI_Allreduce(&seconds, &slowest, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
    b->times[row][round] = slowest;
}

/* A program computes between two saves, while old files are removed. */
static double begin(void)
{
    const struct timespec pause = { 0, 20 * 1000 * 1000 };

    nanosleep(&pause, NULL);
    MPI_Barrier(MPI_COMM_WORLD);
    return MPI_Wtime();
}

static size_t bytes_of(const struct bench *b)
{
    return b->n_doubles * sizeof(double) * (size_t)b->n_arrays;
}

static void change(struct bench *b)
{
    b->iteration++;
    for (size_t i = 0; i < b->n_doubles * (size_t)b->n_arrays; i += 64) {
        b->data[i] += 1;
    }
}

static void save(struct bench *b, int round)
{
    rpt_checkpoint_stats_t stats;
    double began;

    change(b);
    began = begin();
    check(rpt_checkpoint_save_async(b->checkpoint, b->iteration));
    note(b, CALL, round, MPI_Wtime() - began);
    check(rpt_checkpoint_wait(b->checkpoint));
    note(b, BEHIND, round, MPI_Wtime() - began);
    change(b);
    began = begin();
    check(rpt_checkpoint_save(b->checkpoint, b->iteration));
    note(b, SAVE, round, MPI_Wtime() - began);
    check(rpt_checkpoint_stats(b->checkpoint, &stats));
    note(b, HASH, round, stats.hash_s);
    began = begin();
    check(rpt_checkpoint_restore(b->checkpoint, &b->iteration));
    note(b, RESTORE, round, MPI_Wtime() - began);
    began = begin();
    check(rpt_checkpoint_save(b->unsynced, b->iteration));
    note(b, UNSYNCED, round, MPI_Wtime() - began);
}

/* The same bytes, in the same pieces, into a new file. */
static void plain(struct bench *b, int round)
{
    size_t bytes = b->n_doubles * sizeof(double);
    char path[1024];
    double began;
    int fd;

    snprintf(path, sizeof path, "%s/plain%d", b->folder, round);
    began = begin();
    if (b->rank == 0) {
        fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0666);
        if (fd < 0 || ftruncate(fd, (off_t)(bytes_of(b) * (size_t)b->size))) {
            perror(path);
        }
        close(fd);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    fd = open(path, O_RDWR);
    for (int i = 0; i < b->n_arrays; i++) {
        size_t offset = bytes * (size_t)(i * b->size + b->rank);

        for (size_t at = 0; at < bytes; at += 1 << 20) {
            size_t n = bytes - at < 1 << 20 ? bytes - at : 1 << 20;

            if (pwrite(fd, (char *)b->data + bytes * (size_t)i + at, n,
                       (off_t)(offset + at)) != (ssize_t)n) {
                perror(path);
            }
        }
    }
    fsync(fd);
    close(fd);
    MPI_Barrier(MPI_COMM_WORLD);
    note(b, PLAIN, round, MPI_Wtime() - began);
    if (b->rank == 0) {
        unlink(path);
    }
}

static void naive(struct bench *b, int round, bool syncs)
{
    char path[1024];
    double began;

    snprintf(path, sizeof path, "%s/naive%d.h5", b->folder, round);
    began = begin();
    naive_hdf5(path, b->n_arrays, b->n_doubles, b->data, syncs);
    note(b, syncs ? NAIVE : NAIVE_UNSYNCED, round, MPI_Wtime() - began);
    if (b->rank == 0) {
        unlink(path);
    }
}

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static void print(struct bench *b, bool with_naive)
{
    printf("{\"ranks\": %d, \"bytes\": %zu, \"arrays\": %d, \"rounds\": %d",
           b->size, bytes_of(b) * (size_t)b->size, b->n_arrays, b->n_rounds);
    for (int row = 0; row < (with_naive ? N_ROWS : NAIVE); row++) {
        qsort(b->times[row], (size_t)b->n_rounds, sizeof(double), by_value);
        printf(", \"%s\": %.6f", names[row], b->times[row][b->n_rounds / 2]);
    }
    printf("}\n");
}

static void add_arrays(struct bench *b, rpt_checkpoint_t *checkpoint)
{
    char name[32];

    for (int i = 0; i < b->n_arrays; i++) {
        rpt_checkpoint_array_t a = {
            .size = sizeof a, .name = name, .type = RPT_TYPE_F64, .n_dims = 1
        };

        snprintf(name, sizeof name, "array%03d", i);
        a.dims[0] = b->n_doubles * (size_t)b->size;
        a.start[0] = b->n_doubles * (size_t)b->rank;
        a.count[0] = b->n_doubles;
        a.data = b->data + (size_t)i * b->n_doubles;
        check(rpt_checkpoint_add_array(checkpoint, &a));
    }
}

static rpt_checkpoint_t *open_task(struct bench *b, rpt_context_t *context,
                                   const char *task, const char *sync)
{
    rpt_checkpoint_t *checkpoint = NULL;
    rpt_options_t *options = NULL;

    check(rpt_options_create(&options));
    check(rpt_options_set(options, "io.checkpoint.sync", sync));
    check(rpt_checkpoint_open(rpt_group_world(context), b->folder, task,
                              options, &checkpoint));
    rpt_options_destroy(options);
    add_arrays(b, checkpoint);
    /* The first one makes the structure. */
    check(rpt_checkpoint_save(checkpoint, b->iteration));
    return checkpoint;
}

static void run(struct bench *b, bool with_naive)
{
    rpt_context_t *context = NULL;

    check(rpt_context_create_mpi(MPI_COMM_WORLD, NULL, &context));
    b->checkpoint = open_task(b, context, "bench", "yes");
    b->unsynced = open_task(b, context, "unsynced", "no");
    for (int round = 0; round < b->n_rounds; round++) {
        double began = begin();

        memcpy(b->copy, b->data, bytes_of(b));
        note(b, COPY, round, MPI_Wtime() - began);
        save(b, round);
        plain(b, round);
        if (with_naive) {
            naive(b, round, true);
            naive(b, round, false);
        }
    }
    rpt_checkpoint_close(b->checkpoint);
    rpt_checkpoint_close(b->unsynced);
    rpt_context_destroy(context);
}

int main(int argc, char *argv[])
{
    static struct bench b;
    bool with_naive = argc == 6 && strcmp(argv[5], "naive") == 0;
    int level;

    MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &level);
    MPI_Comm_rank(MPI_COMM_WORLD, &b.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &b.size);
    b.n_arrays = argc > 4 ? atoi(argv[3]) : 0;
    b.n_rounds = argc > 4 ? atoi(argv[4]) : 0;
    if (argc < 5 || b.n_arrays < 1 || b.n_rounds < 1 ||
        b.n_rounds > MOST_ROUNDS) {
        fprintf(stderr, "usage: %s DIRECTORY BYTES ARRAYS ROUNDS [naive]\n",
                argv[0]);
        MPI_Abort(MPI_COMM_WORLD, 64);
    }
    b.folder = argv[1];
    b.n_doubles = (size_t)atoll(argv[2]) / sizeof(double) / (size_t)b.n_arrays /
                  (size_t)b.size;
    b.data = malloc(bytes_of(&b) + 1);
    b.copy = malloc(bytes_of(&b) + 1);
    if (b.data == NULL || b.copy == NULL) {
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    for (size_t i = 0; i < b.n_doubles * (size_t)b.n_arrays; i++) {
        b.data[i] = (double)i * 0.001 + b.rank;
        b.copy[i] = 0;
    }
    run(&b, with_naive);
    if (b.rank == 0) {
        print(&b, with_naive);
    }
    free(b.data);
    free(b.copy);
    MPI_Finalize();
    return 0;
}
