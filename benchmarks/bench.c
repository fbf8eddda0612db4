/*
 * bench.c - what the benchmark programs share; see bench.h
 *
 * Rank 0 has plenty of a resource that the others lack, so that a benchmark can
 * send a task there, and occupy its slot.
 */
#include "benchmarks/bench.h"

#include <repartir/mpi.h>

#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static MPI_Win window;

void bench_die(const char *text)
{
    fprintf(stderr, "benchmark: %s\n", text);
    MPI_Abort(MPI_COMM_WORLD, 1);
}

void bench_must(rpt_status_t status, const char *call)
{
    if (status < 0) {
        fprintf(stderr, "benchmark: %s\n%s\n", call, rpt_last_error_text());
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
}

/* Memory of rank 0 that all ranks see. */
static void share(struct bench *bench, size_t bytes)
{
    MPI_Aint found;
    int unit;

    MPI_Win_allocate_shared(bench->rank == 0 ? (MPI_Aint)bytes : 0, 1,
                            MPI_INFO_NULL, MPI_COMM_WORLD, &bench->shared,
                            &window);
    MPI_Win_shared_query(window, 0, &found, &unit, &bench->shared);
    if (bench->rank == 0) {
        memset(bench->shared, 0, bytes);
    }
    MPI_Barrier(MPI_COMM_WORLD);
}

void bench_open(struct bench *bench, int *argc, char ***argv,
                size_t shared_bytes)
{
    int given;

    MPI_Init_thread(argc, argv, MPI_THREAD_MULTIPLE, &given);
    MPI_Comm_rank(MPI_COMM_WORLD, &bench->rank);
    MPI_Comm_size(MPI_COMM_WORLD, &bench->n_ranks);
    bench->shared = NULL;
    bench->n_ok = 0;
    window = MPI_WIN_NULL;
    if (shared_bytes > 0) {
        share(bench, shared_bytes);
    }
    MUST(rpt_options_create(&bench->options));
    MUST(rpt_options_set(bench->options, "pool.resources",
                         bench->rank == 0 ? "rank0=1000" : "rank0=0"));
    MUST(rpt_context_create_mpi(MPI_COMM_WORLD, bench->options,
                                &bench->context));
    MUST(rpt_pool_create(bench->context, NULL, &bench->pool));
}

void bench_register(struct bench *bench, const char *name, rpt_task_fn fn,
                    void *user)
{
    MUST(rpt_pool_register(bench->pool, name, fn, user));
}

static void ended(const rpt_result_t *result, void *user)
{
    struct bench *bench = user;

    if (result->outcome == RPT_OUTCOME_OK) {
        bench->n_ok++;
    } else if (result->outcome != RPT_OUTCOME_CANCELLED) {
        bench_die(result->message);
    }
}

int bench_drive(struct bench *bench)
{
    if (bench->rank == 0) {
        MUST(rpt_pool_on_result(bench->pool, ended, bench));
        return 1;
    }
    MUST(rpt_pool_serve(bench->pool));
    return 0;
}

void bench_close(struct bench *bench, rpt_shutdown_t how)
{
    if (bench->rank == 0) {
        MUST(rpt_pool_shutdown(bench->pool, how, 0, NULL));
    }
    rpt_pool_destroy(bench->pool);
    rpt_context_destroy(bench->context);
    rpt_options_destroy(bench->options);
    if (window != MPI_WIN_NULL) {
        MPI_Win_free(&window);
    }
    MPI_Finalize();
}

rpt_task_t *bench_task(const char *function, const void *input, size_t bytes)
{
    rpt_task_t *task = NULL;

    MUST(rpt_task_create(&task));
    MUST(rpt_task_set_function(task, function, input, bytes));
    return task;
}

static double read_clock(clockid_t clock)
{
    struct timespec time;

    clock_gettime(clock, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

double bench_now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

/* By the clock on the wall eight ranks would do eight things at a time on two
 * cores. */
void bench_spin(double seconds)
{
    double end = read_clock(CLOCK_THREAD_CPUTIME_ID) + seconds;

    while (read_clock(CLOCK_THREAD_CPUTIME_ID) < end) {
    }
}

void bench_sleep(double seconds)
{
    struct timespec time = { .tv_sec = (time_t)seconds };

    time.tv_nsec = (long)(1e9 * (seconds - (double)time.tv_sec));
    nanosleep(&time, NULL);
}

double bench_number(int argc, char *argv[], int i, double otherwise)
{
    return i < argc ? strtod(argv[i], NULL) : otherwise;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double bench_percentile(double *values, size_t n, double share)
{
    size_t i = (size_t)(share * (double)n);

    if (n == 0) {
        return 0;
    }
    qsort(values, n, sizeof *values, compare);
    return values[i < n ? i : n - 1];
}
