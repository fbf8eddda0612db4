/*
 * coll.c - every collective operation, ours and the MPI library's by turns
 *
 *     mpirun -n N coll [operation ...]
 *
 * Both are called inside one process, since two cores can be near or far from
 * each other anew at each launch.  A sample is a loop of calls; before each
 * call one element of each cache line of the input is changed, in the loop of
 * both.  The root goes round.  A sample takes as long as on the slowest rank,
 * a point is the median of its samples.
 *
 * One line a point: operation, bytes, MPI, ours (microseconds), ratio; and with
 * BENCH_JSON a JSON line in this file.  Bytes are those of a vector, or of a
 * block of the operations that have blocks.  For an all-reduce on one node,
 * what ours has of the bound: 2(p-1)/p of the vector, at the rate at which all
 * ranks read from each other at once.
 *
 * BENCH_BUFFERS=shared: ours uses memory of rpt_buffer_alloc(), the MPI its
 * own.
 *
 * BENCH_RING=1: beside points of 16 MiB and more, the rate at which all ranks
 * send to the next one at once (MPI_Sendrecv), which bounds what goes over a
 * network.
 */
#include <repartir.h>
#include <repartir/mpi.h>

#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LINE = 16, MAX_SAMPLES = 64, RING_BYTES = 16 << 20 };
#define SAMPLE_S 0.05 /* about, where a network is slow */

struct bench {
    rpt_group_t *group;
    int rank, size;
    size_t max_bytes; /* of a buffer */
    float *in, *out;  /* of the sample under way */
    struct pair {
        float *in, *out;
    } mpis, ours;
    double pull_rate; /* bytes per second; 0: ranks are on several nodes */
    FILE *json;
    int with_ring;
    double log_sum; /* of the ratios of an operation */
    double least;
    int n_points;
};

/* One call each; n elements, of a block where there are blocks. */
struct operation {
    const char *name;
    int has_blocks;
    void (*mpi)(struct bench *b, int n, int root);
    rpt_status_t (*ours)(struct bench *b, size_t n, int root);
};

#define WORLD MPI_COMM_WORLD

static void mpi_allreduce(struct bench *b, int n, int root)
{
    (void)root;
    MPI_Allreduce(b->in, b->out, n, MPI_FLOAT, MPI_SUM, WORLD);
}

static rpt_status_t our_allreduce(struct bench *b, size_t n, int root)
{
    (void)root;
    return rpt_allreduce(b->group, b->in, b->out, n, RPT_TYPE_F32, RPT_OP_SUM);
}

static void mpi_reduce(struct bench *b, int n, int root)
{
    MPI_Reduce(b->in, b->out, n, MPI_FLOAT, MPI_SUM, root, WORLD);
}

static rpt_status_t our_reduce(struct bench *b, size_t n, int root)
{
    return rpt_reduce(b->group, b->in, b->out, n, RPT_TYPE_F32, RPT_OP_SUM,
                      root);
}

static void mpi_broadcast(struct bench *b, int n, int root)
{
    MPI_Bcast(b->in, n, MPI_FLOAT, root, WORLD);
}

static rpt_status_t our_broadcast(struct bench *b, size_t n, int root)
{
    return rpt_broadcast(b->group, b->in, n, RPT_TYPE_F32, root);
}

static void mpi_barrier(struct bench *b, int n, int root)
{
    (void)b;
    (void)n;
    (void)root;
    MPI_Barrier(WORLD);
}

static rpt_status_t our_barrier(struct bench *b, size_t n, int root)
{
    (void)n;
    (void)root;
    return rpt_barrier(b->group);
}

static void mpi_allgather(struct bench *b, int n, int root)
{
    (void)root;
    MPI_Allgather(b->in, n, MPI_FLOAT, b->out, n, MPI_FLOAT, WORLD);
}

static rpt_status_t our_allgather(struct bench *b, size_t n, int root)
{
    (void)root;
    return rpt_allgather(b->group, b->in, b->out, n, RPT_TYPE_F32);
}

static void mpi_gather(struct bench *b, int n, int root)
{
    MPI_Gather(b->in, n, MPI_FLOAT, b->out, n, MPI_FLOAT, root, WORLD);
}

static rpt_status_t our_gather(struct bench *b, size_t n, int root)
{
    return rpt_gather(b->group, b->in, b->out, n, RPT_TYPE_F32, root);
}

static void mpi_scatter(struct bench *b, int n, int root)
{
    MPI_Scatter(b->in, n, MPI_FLOAT, b->out, n, MPI_FLOAT, root, WORLD);
}

static rpt_status_t our_scatter(struct bench *b, size_t n, int root)
{
    return rpt_scatter(b->group, b->in, b->out, n, RPT_TYPE_F32, root);
}

static void mpi_reduce_scatter(struct bench *b, int n, int root)
{
    (void)root;
    MPI_Reduce_scatter_block(b->in, b->out, n, MPI_FLOAT, MPI_SUM, WORLD);
}

static rpt_status_t our_reduce_scatter(struct bench *b, size_t n, int root)
{
    (void)root;
    return rpt_reduce_scatter_block(b->group, b->in, b->out, n, RPT_TYPE_F32,
                                    RPT_OP_SUM);
}

static void mpi_alltoall(struct bench *b, int n, int root)
{
    (void)root;
    MPI_Alltoall(b->in, n, MPI_FLOAT, b->out, n, MPI_FLOAT, WORLD);
}

static rpt_status_t our_alltoall(struct bench *b, size_t n, int root)
{
    (void)root;
    return rpt_alltoall(b->group, b->in, b->out, n, RPT_TYPE_F32);
}

static void mpi_scan(struct bench *b, int n, int root)
{
    (void)root;
    MPI_Scan(b->in, b->out, n, MPI_FLOAT, MPI_SUM, WORLD);
}

static rpt_status_t our_scan(struct bench *b, size_t n, int root)
{
    (void)root;
    return rpt_scan(b->group, b->in, b->out, n, RPT_TYPE_F32, RPT_OP_SUM);
}

static void mpi_exscan(struct bench *b, int n, int root)
{
    (void)root;
    MPI_Exscan(b->in, b->out, n, MPI_FLOAT, MPI_SUM, WORLD);
}

static rpt_status_t our_exscan(struct bench *b, size_t n, int root)
{
    (void)root;
    return rpt_exscan(b->group, b->in, b->out, n, RPT_TYPE_F32, RPT_OP_SUM);
}

static const struct operation operations[] = {
    { "allreduce", 0, mpi_allreduce, our_allreduce },
    { "reduce", 0, mpi_reduce, our_reduce },
    { "broadcast", 0, mpi_broadcast, our_broadcast },
    { "barrier", 0, mpi_barrier, our_barrier },
    { "allgather", 1, mpi_allgather, our_allgather },
    { "gather", 1, mpi_gather, our_gather },
    { "scatter", 1, mpi_scatter, our_scatter },
    { "reduce-scatter", 1, mpi_reduce_scatter, our_reduce_scatter },
    { "alltoall", 1, mpi_alltoall, our_alltoall },
    { "scan", 0, mpi_scan, our_scan },
    { "exscan", 0, mpi_exscan, our_exscan },
};
enum { N_OPERATIONS = sizeof operations / sizeof *operations };

/* ---- a point ---- */

static void change(struct bench *b, size_t n)
{
    for (size_t i = 0; i < n; i += LINE) {
        b->in[i] += 1;
    }
}

/* Seconds of a call, of the slowest rank. */
static double sample(struct bench *b, const struct operation *op, size_t n,
                     int is_ours, int n_calls)
{
    size_t touched = op->has_blocks ? n * (size_t)b->size : n;
    double began, mine, slowest;

    b->in = is_ours ? b->ours.in : b->mpis.in;
    b->out = is_ours ? b->ours.out : b->mpis.out;
    MPI_Barrier(WORLD);
    began = MPI_Wtime();
    for (int i = 0; i < n_calls; i++) {
        change(b, touched);
        if (!is_ours) {
            op->mpi(b, (int)n, i % b->size);
        } else if (op->ours(b, n, i % b->size) != RPT_OK) {
            fprintf(stderr, "%s", rpt_last_error_text());
            MPI_Abort(WORLD, 1);
        }
    }
    mine = (MPI_Wtime() - began) / n_calls;
    MPI_Allreduce(&mine, &slowest, 1, MPI_DOUBLE, MPI_MAX, WORLD);
    memset(b->in, 0, touched * sizeof *b->in);
    return slowest;
}

/* Bytes per second that each rank sends round a ring while all do, of the
 * slowest rank: as many blocks as an all-reduce on a ring sends. */
static double ring_sample(struct bench *b, size_t n)
{
    int right = (b->rank + 1) % b->size, block = (int)(n / (size_t)b->size);
    int left = (b->rank + b->size - 1) % b->size, n_blocks = 2 * (b->size - 1);
    double began, mine, slowest;

    b->in = b->mpis.in;
    b->out = b->mpis.out;
    MPI_Barrier(WORLD);
    began = MPI_Wtime();
    for (int i = 0; i < n_blocks; i++) {
        MPI_Sendrecv(b->in, block, MPI_FLOAT, right, 0, b->out, block,
                     MPI_FLOAT, left, 0, WORLD, MPI_STATUS_IGNORE);
    }
    mine = MPI_Wtime() - began;
    MPI_Allreduce(&mine, &slowest, 1, MPI_DOUBLE, MPI_MAX, WORLD);
    return n_blocks * (double)block * sizeof *b->in / slowest;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double median(double values[], int n)
{
    qsort(values, (size_t)n, sizeof *values, by_size);
    return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

/* Medians of a point. */
struct point {
    size_t bytes;
    double mpi, ours; /* seconds                      */
    double ring;      /* bytes per second, or 0: none */
};

static void write_json(struct bench *b, const struct operation *op,
                       const struct point *p)
{
    if (b->json != NULL) {
        fprintf(b->json,
                "{\"row\":\"coll\",\"operation\":\"%s\",\"ranks\":%d,"
                "\"bytes\":%zu,\"mpi_us\":%.3f,\"ours_us\":%.3f,"
                "\"ring_bytes_per_s\":%.0f,"
                "\"launch\":\"%s\",\"library\":\"%s\"}\n",
                op->name, b->size, p->bytes, p->mpi * 1e6, p->ours * 1e6,
                p->ring,
                getenv("BENCH_LAUNCH") != NULL ? getenv("BENCH_LAUNCH") : "",
                getenv("BENCH_MPI") != NULL ? getenv("BENCH_MPI") : "");
        fflush(b->json);
    }
}

static void print_point(const struct bench *b, const struct operation *op,
                        const struct point *p)
{
    double moved = 2 * (b->size - 1.0) / b->size * (double)p->bytes;

    printf("%-15s %10zu %12.2f %12.2f %8.2f", op->name, p->bytes, p->mpi * 1e6,
           p->ours * 1e6, p->mpi / p->ours);
    if (op->mpi == mpi_allreduce && b->pull_rate > 0 && b->size > 1) {
        printf("  %.2f of the bound", moved / b->pull_rate / p->ours);
    }
    if (p->ring > 0) {
        printf("  ring: %.1f MB/s", p->ring / 1e6);
    }
    printf("\n");
    fflush(stdout);
}

static void measure(struct bench *b, const struct operation *op, size_t bytes)
{
    struct point point = { .bytes = bytes };
    size_t n = bytes / sizeof(float);
    int with_ring = b->with_ring && bytes >= RING_BYTES && b->size > 1;
    int n_calls = bytes <= 4096      ? 200
                  : bytes <= 65536   ? 40
                  : bytes <= 1 << 20 ? 8
                                     : 1;
    int n_samples = bytes <= 1 << 20 ? 25 : 9;
    double mpi[MAX_SAMPLES], ours[MAX_SAMPLES], ring[MAX_SAMPLES];

    for (int i = -2; i < n_samples; i++) { /* two to warm up */
        int at = i < 0 ? 0 : i;

        if (i % 2 == 0) {
            mpi[at] = sample(b, op, n, 0, n_calls);
            ours[at] = sample(b, op, n, 1, n_calls);
        } else {
            ours[at] = sample(b, op, n, 1, n_calls);
            mpi[at] = sample(b, op, n, 0, n_calls);
        }
        ring[at] = with_ring ? ring_sample(b, n) : 0;
        if (i < 0) { /* the same number on all ranks: so are the times */
            n_calls = (int)fmin(n_calls,
                                fmax(1, SAMPLE_S / fmax(mpi[at], ours[at])));
        }
    }
    point.mpi = median(mpi, n_samples);
    point.ours = median(ours, n_samples);
    point.ring = median(ring, n_samples);
    if (b->rank == 0) {
        print_point(b, op, &point);
        write_json(b, op, &point);
    }
    b->log_sum += log(point.mpi / point.ours);
    b->least = fmin(b->least, point.mpi / point.ours);
    b->n_points++;
}

static void measure_all(struct bench *b, const struct operation *op)
{
    size_t n_blocks = op->has_blocks ? (size_t)b->size : 1;

    b->log_sum = 0;
    b->least = INFINITY;
    b->n_points = 0;
    if (op->mpi == mpi_barrier) {
        measure(b, op, 0);
    }
    for (size_t bytes = 4;
         op->mpi != mpi_barrier && bytes * n_blocks <= b->max_bytes;
         bytes *= 2) {
        measure(b, op, bytes);
    }
    if (b->rank == 0) {
        printf("%-15s geometric mean %.2f, least %.2f\n\n", op->name,
               exp(b->log_sum / b->n_points), b->least);
    }
}

/* ---- the launch ---- */

/* Bytes per second that each rank copies while all do. */
static double rate(void *to, const void *from, size_t bytes)
{
    double best = 0, slowest = 0;

    for (int i = 0; i < 5; i++) {
        double began;

        MPI_Barrier(WORLD);
        began = MPI_Wtime();
        memcpy(to, from, bytes);
        began = (double)bytes / (MPI_Wtime() - began);
        best = began > best ? began : best;
    }
    MPI_Allreduce(&best, &slowest, 1, MPI_DOUBLE, MPI_MIN, WORLD);
    return slowest;
}

/* ... from the memory of the next rank; 0 when ranks are on several nodes. */
static double pull_rate(struct bench *b)
{
    MPI_Comm node;
    MPI_Win window;
    MPI_Aint bytes = (MPI_Aint)b->max_bytes;
    void *mine = NULL, *next = NULL;
    int size = 0, unit = 0;
    double found = 0;

    MPI_Comm_split_type(WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node);
    MPI_Comm_size(node, &size);
    if (size == b->size) {
        MPI_Win_allocate_shared(bytes, 1, MPI_INFO_NULL, node, &mine, &window);
        memset(mine, 1, b->max_bytes);
        MPI_Win_shared_query(window, (b->rank + 1) % b->size, &bytes, &unit,
                             &next);
        found = rate(b->mpis.out, next, b->max_bytes);
        MPI_Win_free(&window);
    }
    MPI_Comm_free(&node);
    return found;
}

static float *take(struct bench *b, rpt_context_t *context)
{
    void *memory = NULL;

    if (context == NULL) {
        memory = malloc(b->max_bytes + 64);
    } else if (rpt_buffer_alloc(context, b->max_bytes + 64, &memory) !=
               RPT_OK) {
        memory = NULL;
    }
    if (memory == NULL) {
        fprintf(stderr, "no memory\n");
        MPI_Abort(WORLD, 1);
    }
    memset(memory, 0, b->max_bytes + 64);
    return memory;
}

/* context NULL: the MPI's memory is ours, too. */
static void take_all(struct bench *b, rpt_context_t *context)
{
    b->mpis.in = take(b, NULL);
    b->mpis.out = take(b, NULL);
    b->ours = b->mpis;
    if (context != NULL) {
        b->ours.in = take(b, context);
        b->ours.out = take(b, context);
    }
}

static int is_wanted(const char *name, int argc, char *argv[])
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], name) == 0) {
            return 1;
        }
    }
    return argc == 1;
}

int main(int argc, char *argv[])
{
    struct bench b = { .max_bytes = (size_t)64 << 20 };
    const char *most = getenv("BENCH_MAX_BYTES");
    const char *buffers = getenv("BENCH_BUFFERS");
    rpt_context_t *context;
    double copies;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(WORLD, &b.rank);
    MPI_Comm_size(WORLD, &b.size);
    if (most != NULL) {
        b.max_bytes = strtoull(most, NULL, 10);
    }
    b.with_ring = getenv("BENCH_RING") != NULL;
    if (rpt_context_create_mpi(WORLD, NULL, &context) != RPT_OK) {
        fprintf(stderr, "%s", rpt_last_error_text());
        MPI_Abort(WORLD, 1);
    }
    b.group = rpt_group_world(context);
    take_all(&b, buffers != NULL && strcmp(buffers, "shared") == 0 ? context
                                                                   : NULL);
    copies = rate(b.mpis.out, b.mpis.in, b.max_bytes);
    b.pull_rate = pull_rate(&b);
    if (b.rank == 0 && getenv("BENCH_JSON") != NULL) {
        b.json = fopen(getenv("BENCH_JSON"), "a");
    }
    if (b.rank == 0) {
        printf("%d ranks, f32, each copies %.1f GB/s when all do, and reads "
               "%.1f GB/s from another\n",
               b.size, copies / 1e9, b.pull_rate / 1e9);
        printf("%-15s %10s %12s %12s %8s\n", "operation", "bytes", "MPI us",
               "ours us", "ratio");
    }
    for (int i = 0; i < N_OPERATIONS; i++) {
        if (is_wanted(operations[i].name, argc, argv)) {
            measure_all(&b, &operations[i]);
        }
    }
    if (b.json != NULL) {
        fclose(b.json);
    }
    rpt_context_destroy(context);
    free(b.mpis.in);
    free(b.mpis.out);
    MPI_Finalize();
    return 0;
}
