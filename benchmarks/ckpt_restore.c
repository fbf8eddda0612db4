/*
 * ckpt_restore.c - restores of what another number of ranks has saved
 *
 *     mpirun -n M ckpt_restore DIRECTORY BYTES TASK          saves
 *     mpirun -n N ckpt_restore DIRECTORY BYTES A B ROUNDS    restores A and B
 *
 * One array of 1024 columns, in blocks of two dimensions as MPI_Dims_create()
 * cuts them.  In each round A and B are restored by turns, from memory and then
 * from the disk: before, the kernel is asked to forget the files.  What came
 * back is compared.  Prints medians of the slowest rank, in seconds.
 */
#include <repartir.h>
#include <repartir/mpi.h>

#include <fcntl.h>
#include <ftw.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COLUMNS = 1024, MOST_ROUNDS = 1000, N_SERIES = 4 };

struct bench {
    int rank, n_rounds;
    const char *folder;
    rpt_context_t *context;
    rpt_checkpoint_array_t array;
    double times[N_SERIES][MOST_ROUNDS];
};

static void check(rpt_status_t status)
{
    if (status != RPT_OK) {
        fprintf(stderr, "benchmark: %s\n", rpt_last_error_text());
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
}

static void describe(struct bench *b, uint64_t bytes)
{
    rpt_checkpoint_array_t *a = &b->array;
    int size, dims[2] = { 0, 0 };

    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Comm_rank(MPI_COMM_WORLD, &b->rank);
    MPI_Dims_create(size, 2, dims);
    *a = (rpt_checkpoint_array_t){
        .size = sizeof *a, .name = "field", .type = RPT_TYPE_F64, .n_dims = 2
    };
    a->dims[0] = bytes / sizeof(double) / COLUMNS;
    a->dims[1] = COLUMNS;
    for (int d = 0; d < 2; d++) {
        uint64_t n = (uint64_t)dims[d];
        uint64_t i = (uint64_t)(d == 0 ? b->rank / dims[1] : b->rank % dims[1]);

        a->start[d] = a->dims[d] * i / n;
        a->count[d] = a->dims[d] * (i + 1) / n - a->start[d];
    }
    a->data = malloc(a->count[0] * a->count[1] * sizeof(double) + 1);
    if (a->data == NULL) {
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
}

/* Element i of the block. */
static double value(const rpt_checkpoint_array_t *a, uint64_t i)
{
    uint64_t row = a->start[0] + i / a->count[1];

    return (double)(row * COLUMNS + a->start[1] + i % a->count[1]);
}

static rpt_checkpoint_t *open_task(struct bench *b, const char *task)
{
    rpt_checkpoint_t *c = NULL;

    check(rpt_checkpoint_open(rpt_group_world(b->context), b->folder, task,
                              NULL, &c));
    check(rpt_checkpoint_add_array(c, &b->array));
    return c;
}

static void save(struct bench *b, const char *task)
{
    rpt_checkpoint_t *c = open_task(b, task);
    double *data = b->array.data;

    for (uint64_t i = 0; i < b->array.count[0] * b->array.count[1]; i++) {
        data[i] = value(&b->array, i);
    }
    check(rpt_checkpoint_save(c, 1));
    rpt_checkpoint_close(c);
}

static int forget(const char *path, const struct stat *file, int kind,
                  struct FTW *where)
{
    int fd = kind == FTW_F ? open(path, O_RDONLY) : -1;

    (void)file;
    (void)where;
    if (fd >= 0) {
        posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
        close(fd);
    }
    return 0;
}

static double restore(struct bench *b, rpt_checkpoint_t *c, int from_disk)
{
    uint64_t n = b->array.count[0] * b->array.count[1], iteration;
    double *data = b->array.data, began, mine, slowest;

    memset(data, 0, n * sizeof *data);
    if (from_disk && b->rank == 0) {
        nftw(b->folder, forget, 16, FTW_PHYS);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    began = MPI_Wtime();
    check(rpt_checkpoint_restore(c, &iteration));
    mine = MPI_Wtime() - began;
    for (uint64_t i = 0; i < n; i++) {
        if (data[i] < value(&b->array, i) || data[i] > value(&b->array, i)) {
            fprintf(stderr, "benchmark: a wrong value was restored\n");
            MPI_Abort(MPI_COMM_WORLD, 1);
        }
    }
    MPI_Allreduce(&mine, &slowest, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
    return slowest;
}

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static void compare(struct bench *b, const char *const tasks[2])
{
    static const char *const names[N_SERIES] = { "a_memory_s", "b_memory_s",
                                                 "a_disk_s", "b_disk_s" };
    rpt_checkpoint_t *c[2] = { open_task(b, tasks[0]), open_task(b, tasks[1]) };

    restore(b, c[0], 0);
    restore(b, c[1], 0);
    for (int round = 0; round < b->n_rounds; round++) {
        for (int i = 0; i < N_SERIES; i++) {
            int series = round % 2 == 0 ? i : i ^ 1; /* A and B change places */

            b->times[series][round] = restore(b, c[series % 2], series / 2);
        }
    }
    rpt_checkpoint_close(c[0]);
    rpt_checkpoint_close(c[1]);
    if (b->rank != 0) {
        return;
    }
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
    int level;

    MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &level);
    b.n_rounds = argc == 6 ? atoi(argv[5]) : 0;
    if ((argc != 4 && argc != 6) || b.n_rounds > MOST_ROUNDS) {
        fprintf(stderr, "usage: %s DIRECTORY BYTES TASK [TASK ROUNDS]\n",
                argv[0]);
        MPI_Abort(MPI_COMM_WORLD, 64);
    }
    b.folder = argv[1];
    check(rpt_context_create_mpi(MPI_COMM_WORLD, NULL, &b.context));
    describe(&b, strtoull(argv[2], NULL, 10));
    if (argc == 4) {
        save(&b, argv[3]);
        if (b.rank == 0) {
            printf("{}\n");
        }
    } else {
        compare(&b, (const char *const[2]){ argv[3], argv[4] });
    }
    free(b.array.data);
    rpt_context_destroy(b.context);
    MPI_Finalize();
    return 0;
}
