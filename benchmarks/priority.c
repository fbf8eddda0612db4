/*
 * priority.c - how long does a free slot stay empty before an urgent task
 *
 *   mpirun -n 2 priority QUEUED SAMPLES [SPIN_US]
 *
 * QUEUED normal tasks of SPIN_US each (and enough more that this many are
 * still queued at the end) are submitted; while they run, rank 0 submits
 * high-priority tasks, one after the other.  Every task writes a stamp into
 * memory shared by the ranks: normal ones when they end, urgent ones also when
 * they start.
 *
 *   gap     end of the task before it on the same slot -> start
 *   first   first slot free anywhere after the submission -> start
 *   passed  tasks that ended between submission and start
 *
 * The gap is never counted from before the submission.  One slot a rank: the
 * stamps of a rank are written by one thread at a time.
 */
#include "benchmarks/bench.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { MAX_RANKS = 8, MAX_ENDS = 1 << 20, MAX_SAMPLES = 1 << 14 };

struct ends {
    _Atomic size_t n;
    double end[MAX_ENDS];
};

struct sample {
    double submitted, previous, start;
};

struct stamps {
    struct sample samples[MAX_SAMPLES];
    struct ends ends[]; /* one a rank */
};

struct mine {
    struct ends *ends;
    struct sample *samples;
    double spin_s;
};

static void stamp(struct ends *ends)
{
    size_t n = atomic_load(&ends->n);

    if (n < MAX_ENDS) {
        ends->end[n] = bench_now();
        atomic_store(&ends->n, n + 1);
    }
}

static int normal(rpt_call_t *call, void *user)
{
    struct mine *mine = user;

    (void)call;
    bench_spin(mine->spin_s);
    stamp(mine->ends);
    return 0;
}

static int urgent(rpt_call_t *call, void *user)
{
    double start = bench_now();
    struct mine *mine = user;
    size_t bytes, n = atomic_load(&mine->ends->n);
    const uint64_t *number = rpt_call_input(call, &bytes);

    mine->samples[*number].start = start;
    mine->samples[*number].previous = n == 0 ? 0 : mine->ends->end[n - 1];
    stamp(mine->ends);
    return 0;
}

/* Index of the first end after a time. */
static size_t first_after(const struct ends *ends, double time)
{
    size_t low = 0, high = atomic_load(&((struct ends *)ends)->n);

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (ends->end[middle] <= time) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static double later(double a, double b)
{
    return a > b ? a : b;
}

/* From the first slot that was free after the submission; counts the tasks
 * that ended meanwhile. */
static double from_first(const struct bench *bench, const struct sample *sample,
                         double *n_passed_out)
{
    const struct stamps *stamps = bench->shared;
    double first = sample->start;
    size_t n_passed = 0;

    for (int r = 0; r < bench->n_ranks; r++) {
        const struct ends *ends = &stamps->ends[r];
        size_t i = first_after(ends, sample->submitted);
        size_t last = first_after(ends, sample->start);

        if (i < last && ends->end[i] < first) {
            first = ends->end[i];
        }
        n_passed += last - i;
    }
    *n_passed_out = (double)n_passed;
    /* No end in between: its slot was free already. */
    return sample->start - (n_passed > 0 ? first : sample->submitted);
}

static void report(const struct bench *bench, size_t n, uint64_t n_left)
{
    const struct stamps *stamps = bench->shared;
    double *gap = calloc(n, sizeof *gap), *first = calloc(n, sizeof *first),
           *passed = calloc(n, sizeof *passed);

    if (gap == NULL || first == NULL || passed == NULL) {
        bench_die("out of memory");
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const struct sample *s = &stamps->samples[i];

        gap[i] = 1e6 * (s->start - later(s->previous, s->submitted));
        first[i] = 1e6 * from_first(bench, s, &passed[i]);
    }
    printf("{\"samples\": %zu, \"queued_at_end\": %llu, "
           "\"gap_median_us\": %.2f, \"gap_p99_us\": %.2f, "
           "\"gap_max_us\": %.2f, \"first_median_us\": %.2f, "
           "\"first_p99_us\": %.2f, \"passed_median\": %.0f, "
           "\"passed_max\": %.0f}\n",
           n, (unsigned long long)n_left, bench_percentile(gap, n, 0.5),
           bench_percentile(gap, n, 0.99), bench_percentile(gap, n, 1),
           bench_percentile(first, n, 0.5), bench_percentile(first, n, 0.99),
           bench_percentile(passed, n, 0.5), bench_percentile(passed, n, 1));
    free(gap);
    free(first);
    free(passed);
}

static void drive(struct bench *bench, uint64_t queued, uint64_t n,
                  const struct mine *mine)
{
    rpt_task_t *task = bench_task("normal", NULL, 0);
    rpt_pool_stats_t stats = { .size = sizeof stats };
    struct stamps *stamps = bench->shared;
    uint64_t more = queued / 5 + 50 * n;

    for (uint64_t i = 0; i < queued + more; i++) {
        MUST(rpt_pool_submit(bench->pool, task, NULL));
    }
    MUST(rpt_task_set_priority(task, RPT_PRIORITY_HIGH));
    for (uint64_t i = 0; i < n; i++) {
        rpt_future_t *future = NULL;

        MUST(rpt_task_set_function(task, "urgent", &i, sizeof i));
        mine->samples[i].submitted = bench_now();
        MUST(rpt_pool_submit(bench->pool, task, &future));
        MUST(rpt_future_wait(future, -1));
        rpt_future_destroy(future);
    }
    MUST(rpt_pool_stats(bench->pool, &stats));
    if (stats.queued < queued) {
        bench_die("the queue fell below its size");
    }
    for (int r = 0; r < bench->n_ranks; r++) {
        if (atomic_load(&stamps->ends[r].n) == MAX_ENDS) {
            bench_die("more tasks ended than there is room for stamps");
        }
    }
    report(bench, n, stats.queued);
    rpt_task_destroy(task);
}

int main(int argc, char *argv[])
{
    struct bench bench;
    struct stamps *stamps;
    struct mine mine;
    double n = bench_number(argc, argv, 2, 1000);

    bench_open(&bench, &argc, &argv,
               sizeof *stamps + MAX_RANKS * sizeof(struct ends));
    if (bench.n_ranks > MAX_RANKS || n > MAX_SAMPLES) {
        bench_die("too many ranks or samples");
    }
    stamps = bench.shared;
    mine.ends = &stamps->ends[bench.rank];
    mine.samples = stamps->samples;
    mine.spin_s = 1e-6 * bench_number(argc, argv, 3, 100);
    bench_register(&bench, "normal", normal, &mine);
    bench_register(&bench, "urgent", urgent, &mine);
    if (bench_drive(&bench)) {
        drive(&bench, (uint64_t)bench_number(argc, argv, 1, 10000), (uint64_t)n,
              &mine);
    }
    bench_close(&bench, RPT_SHUTDOWN_NOW);
    return 0;
}
