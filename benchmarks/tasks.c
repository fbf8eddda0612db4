/*
 * tasks.c - how many tasks a second does a pool run
 *
 *   mpirun -n 2 tasks noop|spin|true N [SPIN_US]
 *
 * noop and spin are C functions that do nothing, or keep a core busy; true is
 * the program /bin/true with its output discarded.  Rank 0 submits N tasks one
 * by one, each with an input of eight bytes, and receives every result.
 * Timed is from the first submission to the last result; start-up and some
 * tasks to warm up are not.
 */
#include "benchmarks/bench.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static int noop(rpt_call_t *call, void *user)
{
    (void)call;
    (void)user;
    return 0;
}

static int spin(rpt_call_t *call, void *user)
{
    (void)call;
    bench_spin(*(double *)user);
    return 0;
}

static void submit(struct bench *bench, rpt_task_t *task, const char *kind,
                   uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        if (strcmp(kind, "true") != 0) {
            MUST(rpt_task_set_function(task, kind, &i, sizeof i));
        }
        MUST(rpt_pool_submit(bench->pool, task, NULL));
    }
}

static rpt_task_t *new_task(const char *kind)
{
    const char *const argv[] = { "/bin/true", NULL };
    rpt_task_t *task = bench_task(kind, NULL, 0);

    if (strcmp(kind, "true") == 0) {
        rpt_task_destroy(task);
        MUST(rpt_task_create(&task));
        MUST(rpt_task_set_program(task, argv));
        MUST(rpt_task_set_output(task, RPT_OUTPUT_DISCARD));
    }
    return task;
}

static void drive(struct bench *bench, const char *kind, uint64_t n)
{
    rpt_task_t *task = new_task(kind);
    uint64_t warm = n < 1000 ? n / 10 : 100;
    rpt_pool_stats_t stats = { .size = sizeof stats };
    double begin, submitted, end;

    submit(bench, task, kind, warm);
    MUST(rpt_pool_wait(bench->pool, -1));
    bench->n_ok = 0;

    begin = bench_now();
    submit(bench, task, kind, n);
    submitted = bench_now();
    MUST(rpt_pool_wait(bench->pool, -1));
    end = bench_now();
    MUST(rpt_pool_stats(bench->pool, &stats));
    if (bench->n_ok != n) {
        bench_die("not every task ended well");
    }
    printf("{\"tasks\": %llu, \"seconds\": %.6f, \"submit_s\": %.6f, "
           "\"ran_on_rank0\": %.3f, \"slots\": %d}\n",
           (unsigned long long)n, end - begin, submitted - begin,
           (double)stats.ran_here / (double)(n + warm), stats.total_slots);
    rpt_task_destroy(task);
}

int main(int argc, char *argv[])
{
    struct bench bench;
    const char *kind = argc > 1 ? argv[1] : "noop";
    double seconds = 1e-6 * bench_number(argc, argv, 3, 1000);

    bench_open(&bench, &argc, &argv, 0);
    bench_register(&bench, "noop", noop, NULL);
    bench_register(&bench, "spin", spin, &seconds);
    if (bench_drive(&bench)) {
        drive(&bench, kind, (uint64_t)bench_number(argc, argv, 2, 100000));
    }
    bench_close(&bench, RPT_SHUTDOWN_GRACEFUL);
    return 0;
}
