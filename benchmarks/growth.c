/*
 * growth.c - what does a task cost when many are queued, in time and memory
 *
 *   mpirun -n 2 growth DEPTH TASKS
 *
 * A gate task blocks each slot; DEPTH no-op tasks with an input of eight bytes
 * are submitted; then the gates open, and the queue is worked off.  Repeated
 * until TASKS tasks have run.  Timed are submissions, and opening to last
 * result.  Memory is what rank 0 grew by when the queue was filled for the
 * first time, in bytes a task: what malloc gave out, and resident pages.  Run
 * it with one slot a rank.
 */
#include "benchmarks/bench.h"

#include <malloc.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

struct gate {
    sem_t arrived; /* a gate task holds its slot */
    sem_t open;    /* one may leave */
};

static int noop(rpt_call_t *call, void *user)
{
    (void)call;
    (void)user;
    return 0;
}

static int hold(rpt_call_t *call, void *user)
{
    struct gate *gate = user;

    (void)call;
    sem_post(&gate->arrived);
    while (sem_wait(&gate->open) != 0) {
    }
    return 0;
}

struct memory {
    double heap, resident;
};

static struct memory memory_now(void)
{
    struct memory memory = { 0 };
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    if (file == NULL || fscanf(file, "%*s %ld", &pages) != 1) {
        bench_die("/proc/self/statm cannot be read");
    }
    if (file != NULL) {
        fclose(file);
    }
    memory.resident = (double)pages * (double)sysconf(_SC_PAGESIZE);
#ifdef __GLIBC__
    struct mallinfo2 info = mallinfo2();

    memory.heap = (double)info.uordblks + (double)info.hblkhd;
#endif
    return memory;
}

static void close_gates(struct bench *bench, struct gate *gate)
{
    rpt_task_t *task = bench_task("hold", NULL, 0);

    for (int i = 0; i < bench->n_ranks; i++) {
        MUST(rpt_pool_submit(bench->pool, task, NULL));
    }
    for (int i = 0; i < bench->n_ranks; i++) {
        /* Inside the library now and then, so that a failure is heard of. */
        while (sem_trywait(&gate->arrived) != 0) {
            MUST(rpt_pool_wait(bench->pool, 1e-4));
        }
    }
    rpt_task_destroy(task);
}

static void drive(struct bench *bench, uint64_t depth, uint64_t n)
{
    struct gate *gate = bench->shared;
    struct memory before, after = { 0 }, now;
    rpt_task_t *task = bench_task("noop", &n, sizeof n);
    double submit_s = 0, run_s = 0, start;
    uint64_t n_done = 0;

    for (; n_done < n; n_done += depth) {
        close_gates(bench, gate);
        before = memory_now();
        start = bench_now();
        for (uint64_t i = 0; i < depth; i++) {
            MUST(rpt_task_set_function(task, "noop", &i, sizeof i));
            MUST(rpt_pool_submit(bench->pool, task, NULL));
        }
        submit_s += bench_now() - start;
        now = memory_now();
        if (n_done == 0) {
            after.heap = now.heap - before.heap;
            after.resident = now.resident - before.resident;
        }
        start = bench_now();
        for (int i = 0; i < bench->n_ranks; i++) {
            sem_post(&gate->open);
        }
        MUST(rpt_pool_wait(bench->pool, -1));
        run_s += bench_now() - start;
    }
    printf("{\"depth\": %llu, \"tasks\": %llu, \"submit_us\": %.4f, "
           "\"run_us\": %.4f, \"heap_bytes\": %.1f, \"resident_bytes\": %.1f, "
           "\"payload_bytes\": %zu}\n",
           (unsigned long long)depth, (unsigned long long)n_done,
           1e6 * submit_s / (double)n_done, 1e6 * run_s / (double)n_done,
           after.heap / (double)depth, after.resident / (double)depth,
           sizeof n);
    rpt_task_destroy(task);
}

int main(int argc, char *argv[])
{
    struct bench bench;
    struct gate *gate;

    bench_open(&bench, &argc, &argv, sizeof *gate);
    gate = bench.shared;
    if (bench.rank == 0 && (sem_init(&gate->arrived, 1, 0) != 0 ||
                            sem_init(&gate->open, 1, 0) != 0)) {
        bench_die("sem_init failed");
    }
    bench_register(&bench, "noop", noop, NULL);
    bench_register(&bench, "hold", hold, gate);
    if (bench_drive(&bench)) {
        drive(&bench, (uint64_t)bench_number(argc, argv, 1, 1000),
              (uint64_t)bench_number(argc, argv, 2, 100000));
    }
    bench_close(&bench, RPT_SHUTDOWN_GRACEFUL);
    return 0;
}
