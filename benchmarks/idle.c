/*
 * idle.c - what does an idle pool cost, and how fast does it wake
 *
 *   mpirun -n 2 idle SECONDS WAKES [PAUSE_MS]
 *
 * Idle, first while the program of rank 0 sleeps outside the library, then
 * while rank 0 waits inside for a function that sleeps: the processor time of
 * every rank's process in that time, read from its clock.
 *
 * Wake: a function holds the only slot of rank 0 and sleeps, so that work must
 * go elsewhere.  After a pause rank 0 submits a function; from submission to
 * its first line on the other rank, and to the return of the wait on rank 0.
 * With topo.virtual_nodes=2 the other rank is on another node and messages go
 * through MPI.  Run it with one slot a rank.
 */
#include "benchmarks/bench.h"

#include <mpi.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { MAX_RANKS = 64 };

struct shared {
    sem_t leave; /* the held slot is given back */
    double start;
    int start_rank;
    pid_t pids[MAX_RANKS];
};

static int touch(rpt_call_t *call, void *user)
{
    struct bench *bench = user;
    struct shared *shared = bench->shared;

    (void)call;
    shared->start = bench_now();
    shared->start_rank = bench->rank;
    return 0;
}

static int hold(rpt_call_t *call, void *user)
{
    struct shared *shared = ((struct bench *)user)->shared;

    (void)call;
    while (sem_wait(&shared->leave) != 0) {
    }
    return 0;
}

static int doze(rpt_call_t *call, void *user)
{
    size_t bytes;
    const double *seconds = rpt_call_input(call, &bytes);

    (void)user;
    bench_sleep(*seconds);
    return 0;
}

static double cpu_s(pid_t pid)
{
    struct timespec time = { 0 };
    clockid_t clock;

    if (clock_getcpuclockid(pid, &clock) != 0 ||
        clock_gettime(clock, &time) != 0) {
        bench_die("a rank's processor clock cannot be read");
    }
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void sleep_inside(struct bench *bench, double seconds)
{
    rpt_task_t *task = bench_task("doze", &seconds, sizeof seconds);

    MUST(rpt_pool_submit(bench->pool, task, NULL));
    MUST(rpt_pool_wait(bench->pool, -1));
    rpt_task_destroy(task);
}

/* The largest share of a core that a rank used. */
static double idle_share(struct bench *bench, double seconds, int inside)
{
    const struct shared *shared = bench->shared;
    double before[MAX_RANKS], start, elapsed, most = 0;

    for (int r = 0; r < bench->n_ranks; r++) {
        before[r] = cpu_s(shared->pids[r]);
    }
    start = bench_now();
    if (inside) {
        sleep_inside(bench, seconds);
    } else {
        bench_sleep(seconds);
    }
    elapsed = bench_now() - start;
    for (int r = 0; r < bench->n_ranks; r++) {
        double share = (cpu_s(shared->pids[r]) - before[r]) / elapsed;

        most = share > most ? share : most;
    }
    return most;
}

static void wake(struct bench *bench, size_t n, double pause_s, double *starts,
                 double *ends)
{
    const struct shared *shared = bench->shared;
    rpt_task_t *task = bench_task("touch", NULL, 0);

    for (size_t i = 0; i < n; i++) {
        rpt_future_t *future = NULL;
        double begin;

        bench_sleep(pause_s);
        begin = bench_now();
        MUST(rpt_pool_submit(bench->pool, task, &future));
        MUST(rpt_future_wait(future, -1));
        ends[i] = 1e6 * (bench_now() - begin);
        starts[i] = 1e6 * (shared->start - begin);
        if (shared->start_rank == 0) {
            bench_die("rank 0 ran a task that should have gone elsewhere");
        }
        rpt_future_destroy(future);
    }
    rpt_task_destroy(task);
}

/* Rank 0 runs nothing else from now on. */
static void hold_rank0(struct bench *bench)
{
    rpt_task_t *task = bench_task("hold", NULL, 0);
    rpt_pool_stats_t stats = { .size = sizeof stats };

    MUST(rpt_task_set_resource(task, BENCH_RANK0, 1));
    MUST(rpt_pool_submit(bench->pool, task, NULL));
    do {
        MUST(rpt_pool_wait(bench->pool, 1e-3));
        MUST(rpt_pool_stats(bench->pool, &stats));
    } while (stats.running == 0);
    rpt_task_destroy(task);
}

static void drive(struct bench *bench, double seconds, size_t n, double pause_s)
{
    struct shared *shared = bench->shared;
    double *starts = calloc(n + 5, sizeof *starts);
    double *ends = calloc(n + 5, sizeof *ends);
    double outside, inside;

    if (starts == NULL || ends == NULL) {
        bench_die("out of memory");
        return;
    }
    outside = idle_share(bench, seconds, 0);
    inside = idle_share(bench, seconds, 1);
    hold_rank0(bench);
    wake(bench, 5, 0, starts, ends); /* warm up */
    wake(bench, n, pause_s, starts, ends);
    sem_post(&shared->leave);
    MUST(rpt_pool_wait(bench->pool, -1));
    printf("{\"nodes\": %d, \"idle_outside\": %.5f, \"idle_inside\": %.5f, "
           "\"wake_median_us\": %.1f, \"wake_p99_us\": %.1f, "
           "\"wake_max_us\": %.1f, \"round_trip_median_us\": %.1f}\n",
           rpt_context_n_nodes(bench->context), outside, inside,
           bench_percentile(starts, n, 0.5), bench_percentile(starts, n, 0.99),
           bench_percentile(starts, n, 1), bench_percentile(ends, n, 0.5));
    free(starts);
    free(ends);
}

int main(int argc, char *argv[])
{
    struct bench bench;
    struct shared *shared;

    bench_open(&bench, &argc, &argv, sizeof *shared);
    shared = bench.shared;
    if (bench.n_ranks < 2 || bench.n_ranks > MAX_RANKS) {
        bench_die("idle needs 2 to 64 ranks");
    }
    if (bench.rank == 0 && sem_init(&shared->leave, 1, 0) != 0) {
        bench_die("sem_init failed");
    }
    shared->pids[bench.rank] = getpid();
    MPI_Barrier(MPI_COMM_WORLD);
    bench_register(&bench, "touch", touch, &bench);
    bench_register(&bench, "hold", hold, &bench);
    bench_register(&bench, "doze", doze, NULL);
    if (bench_drive(&bench)) {
        drive(&bench, bench_number(argc, argv, 1, 2),
              (size_t)bench_number(argc, argv, 2, 50),
              1e-3 * bench_number(argc, argv, 3, 20));
    }
    bench_close(&bench, RPT_SHUTDOWN_GRACEFUL);
    return 0;
}
