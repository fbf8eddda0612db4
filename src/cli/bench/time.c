/*
 * time.c - samples of both sides by turns, and their medians
 *
 * A sample is a loop of calls; before each call one element of each cache line
 * of the input is changed, in the loop of every side.  The root goes round.  A
 * sample takes as long as on the slowest rank.  All sides are called inside one
 * process, since two cores can be near or far from each other anew at each
 * launch.
 */
#include "cli/bench/bench_priv.h"

#include "cli/launch.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LINE = 16, /* elements */
    WARM_UP = 2,
    LEAST_BYTES = 1 << 20, /* of a buffer: less tells no rate */
    SPARE_BYTES = 64,
    RING_BYTES = 16 << 20
};
#define SAMPLE_S 0.05 /* at most, where a call takes less */

/* The samples of a point, those of a side one behind the other. */
struct samples {
    int n;
    int n_calls;
    double *seconds[BENCH_SIDES];
    double *rings;
};

/* ---- buffers ---- */

static float *take(struct bench *b, bool shared)
{
    size_t bytes = b->buffer_bytes + SPARE_BYTES;
    void *memory = NULL;

    if (!shared) {
        memory = malloc(bytes);
    } else if (rpt_buffer_alloc(b->context, bytes, &memory) != RPT_OK) {
        memory = NULL;
    }
    if (memory != NULL) {
        memset(memory, 0, bytes);
    }
    return memory;
}

static int take_buffers(struct bench *b, bool shared, struct fault *fault)
{
    b->mpis = (struct bench_buffers){ take(b, false), take(b, false) };
    b->ours = b->mpis;
    if (shared) {
        b->ours = (struct bench_buffers){ take(b, true), take(b, true) };
    }
    if (b->mpis.in == NULL || b->mpis.out == NULL || b->ours.in == NULL ||
        b->ours.out == NULL) {
        fault_set(fault, CODE_SOFTWARE, "no memory for %d buffers of %zu bytes",
                  shared ? 4 : 2, b->buffer_bytes);
        fault_hint(fault, "give a smaller --max-bytes");
    } else if (shared && b->size > 1 && b->machine.n_nodes == 1 &&
               !rpt_buffer_is_shared(b->context, b->ours.out)) {
        fault_set(fault, CODE_SOFTWARE,
                  "no shared memory for two buffers of %zu bytes",
                  b->buffer_bytes);
        fault_hint(fault, "give a smaller --max-bytes, or raise option "
                          "comm.shared_bytes");
    }
    return launch_agree_fault(b->launch, fault);
}

/* ---- open and close ---- */

/* "Open MPI v4.1.4, ..." and "MPICH Version:\t4.0.2": name and number. */
static void name_mpi(struct bench_machine *machine)
{
    char *mpi = launch_mpi_version(), *rest;
    size_t n = 0;

    for (char *word = strtok_r(mpi, " \t", &rest); word != NULL;
         word = strtok_r(NULL, " \t", &rest)) {
        int wrote = snprintf(machine->mpi + n, sizeof machine->mpi - n,
                             n > 0 ? " %s" : "%s", word);

        n += (size_t)wrote;
        if (n >= sizeof machine->mpi || word[strlen(word) - 1] == ',') {
            break;
        }
    }
    machine->mpi[strcspn(machine->mpi, ",")] = '\0';
    free(mpi);
}

static void describe(struct bench *b, const struct bench_wishes *wishes)
{
    name_mpi(&b->machine);
    b->machine.n_ranks = b->size;
    b->machine.n_nodes = rpt_context_n_nodes(b->context);
    b->machine.buffers = wishes->shared ? "shared" : "private";
}

int bench_open(const struct launch *launch, const struct bench_wishes *wishes,
               struct bench **bench_out, struct fault *fault)
{
    struct bench *b = get_memory(sizeof *b);
    size_t least = (size_t)launch->size * sizeof(float);
    int code;

    least = least > LEAST_BYTES ? least : LEAST_BYTES;
    *b = (struct bench){ .launch = launch,
                         .rank = launch->rank,
                         .size = launch->size,
                         .n_samples = wishes->n_samples,
                         .max_bytes = wishes->max_bytes,
                         .buffer_bytes = wishes->max_bytes > least
                                             ? wishes->max_bytes
                                             : least };
    code = launch_context(launch, wishes->options, &b->context, fault);
    if (code == CODE_OK) {
        b->world = rpt_group_world(b->context);
        describe(b, wishes);
        code = take_buffers(b, wishes->shared, fault);
    }
    if (code != CODE_OK) {
        bench_close(b);
        return code;
    }
    b->machine.copy_rate = bench_copy_rate(b);
    b->machine.pull_rate = bench_pull_rate(b);
    *bench_out = b;
    return CODE_OK;
}

const struct bench_machine *bench_machine(const struct bench *bench)
{
    return &bench->machine;
}

/* Shared buffers go with their context. */
void bench_close(struct bench *bench)
{
    if (bench == NULL) {
        return;
    }
    rpt_context_destroy(bench->context);
    free(bench->mpis.in);
    free(bench->mpis.out);
    free(bench);
}

/* ---- sizes ---- */

void bench_begin(const struct bench *bench, const struct bench_contest *contest,
                 struct bench_series *series)
{
    size_t n_blocks = contest->has_blocks ? (size_t)bench->size : 1;
    size_t bytes = contest->is_empty ? 0 : sizeof(float);

    *series = (struct bench_series){ .row = contest->row,
                                     .operation = contest->operation,
                                     .n_sides = contest->n_sides };
    do {
        series->points[series->n_points++].bytes = bytes;
        bytes *= (size_t)contest->factor;
    } while (bytes > 0 && bytes <= bench->max_bytes / n_blocks &&
             series->n_points < BENCH_POINTS);
}

/* ---- a point ---- */

static void set_side(struct bench *b, int side)
{
    b->in = side == BENCH_MPI ? b->mpis.in : b->ours.in;
    b->out = side == BENCH_MPI ? b->mpis.out : b->ours.out;
}

static void change(float *in, size_t n)
{
    for (size_t i = 0; i < n; i += LINE) {
        in[i] += 1;
    }
}

/* Seconds of a call. */
static rpt_status_t take_sample(struct bench *b,
                                const struct bench_contest *contest, int side,
                                int n_calls, double *seconds_out)
{
    const struct bench_side *s = &contest->sides[side];
    size_t touched = contest->has_blocks ? b->n * (size_t)b->size : b->n;
    rpt_status_t status = RPT_OK;
    double began_s;

    set_side(b, side);
    MPI_Barrier(WORLD);
    began_s = MPI_Wtime();
    for (int i = 0; i < n_calls && status == RPT_OK; i++) {
        change(b->in, touched);
        b->root = i % b->size;
        status = s->call(b);
    }
    *seconds_out = (MPI_Wtime() - began_s) / n_calls;
    if (s->clean != NULL) {
        s->clean(b);
    }
    memset(b->in, 0, touched * sizeof *b->in); /* sums stay small */
    return status;
}

/* All ranks get the time of the slowest one, or a fault when one failed. */
static int agree(struct bench *b, rpt_status_t status, double *seconds,
                 struct fault *fault)
{
    double mine[2] = { *seconds, status != RPT_OK }, most[2];

    if (status != RPT_OK) {
        fault_library(fault);
    }
    MPI_Allreduce(mine, most, 2, MPI_DOUBLE, MPI_MAX, WORLD);
    *seconds = most[0];
    return most[1] > 0 ? launch_agree_fault(b->launch, fault) : CODE_OK;
}

/* Which side is the k-th of a turn.  They rotate, every second time in the
 * reverse order: each follows each of the others, whose data is then cached. */
static int side_of(const struct bench_contest *contest, int turn, int k)
{
    int n = contest->n_sides, t = turn + WARM_UP;

    return ((t % 2 == 0 ? k : n - 1 - k) + t / 2) % n;
}

/* A sample of each side. */
static int take_turn(struct bench *b, const struct bench_contest *contest,
                     struct samples *samples, int turn, struct fault *fault)
{
    int at = turn < 0 ? 0 : turn;
    int code = CODE_OK;

    for (int k = 0; k < contest->n_sides && code == CODE_OK; k++) {
        int side = side_of(contest, turn, k);
        double *seconds = &samples->seconds[side][at];
        rpt_status_t status = take_sample(b, contest, side, samples->n_calls,
                                          seconds);

        code = agree(b, status, seconds, fault);
    }
    return code;
}

/* The same number on all ranks, as the times are. */
static void limit_calls(const struct bench_contest *contest,
                        struct samples *samples)
{
    double most = 0;

    for (int side = 0; side < contest->n_sides; side++) {
        most = fmax(most, samples->seconds[side][0]);
    }
    samples->n_calls = (int)fmin(samples->n_calls, fmax(1, SAMPLE_S / most));
}

static int take_turns(struct bench *b, const struct bench_contest *contest,
                      struct samples *samples, struct fault *fault)
{
    size_t bytes = b->n * sizeof(float);
    bool with_ring = contest->is_bound && b->size > 1 &&
                     b->machine.n_nodes > 1 && bytes >= RING_BYTES;
    int code = CODE_OK;

    for (int i = -WARM_UP; i < samples->n && code == CODE_OK; i++) {
        code = take_turn(b, contest, samples, i, fault);
        if (i < 0) {
            limit_calls(contest, samples);
        } else {
            samples->rings[i] = with_ring ? bench_ring_rate(b, bytes) : 0;
        }
    }
    return code;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double values[], int n)
{
    qsort(values, (size_t)n, sizeof *values, compare);
    return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

static void take_medians(const struct bench *b,
                         const struct bench_contest *contest,
                         struct samples *samples, struct bench_point *point)
{
    const struct bench_machine *m = &b->machine;
    int n = m->n_nodes > 1 ? m->n_nodes : m->n_ranks;
    double rate;

    for (int side = 0; side < contest->n_sides; side++) {
        point->seconds[side] = median(samples->seconds[side], samples->n);
    }
    point->ring_rate = median(samples->rings, samples->n);
    rate = m->n_nodes > 1 ? point->ring_rate : m->pull_rate;
    if (contest->is_bound && rate > 0) {
        point->bound_s = 2 * (n - 1.0) / n * (double)point->bytes / rate;
    }
}

static int call_prepare(struct bench *b, const struct bench_contest *contest,
                        struct fault *fault)
{
    rpt_status_t status = RPT_OK;
    double nothing = 0;

    for (int side = 0; side < contest->n_sides && status == RPT_OK; side++) {
        set_side(b, side);
        if (contest->sides[side].prepare != NULL) {
            status = contest->sides[side].prepare(b);
        }
    }
    return agree(b, status, &nothing, fault);
}

static void call_finish(struct bench *b, const struct bench_contest *contest)
{
    for (int side = 0; side < contest->n_sides; side++) {
        if (contest->sides[side].finish != NULL) {
            contest->sides[side].finish(b);
        }
    }
}

static int usual_calls(const struct bench_contest *contest, size_t bytes)
{
    return contest->once      ? 1
           : bytes <= 4096    ? 200
           : bytes <= 65536   ? 40
           : bytes <= 1 << 20 ? 8
                              : 1;
}

int bench_measure(struct bench *bench, const struct bench_contest *contest,
                  struct bench_point *point, struct fault *fault)
{
    int usual = point->bytes <= 1 << 20 ? 25 : 9;
    struct samples samples = { .n = bench->n_samples > 0 ? bench->n_samples
                                                         : usual,
                               .n_calls = usual_calls(contest, point->bytes) };
    double *values = get_memory((size_t)samples.n * (BENCH_SIDES + 1) *
                                sizeof *values);
    int code;

    for (int side = 0; side < BENCH_SIDES; side++) {
        samples.seconds[side] = values + side * samples.n;
    }
    samples.rings = values + BENCH_SIDES * samples.n;
    bench->n = point->bytes / sizeof(float);
    code = call_prepare(bench, contest, fault);
    if (code == CODE_OK) {
        code = take_turns(bench, contest, &samples, fault);
        call_finish(bench, contest);
    }
    if (code == CODE_OK) {
        take_medians(bench, contest, &samples, point);
    }
    free(values);
    return code;
}
