/*
 * bench.h - what the benchmark programs share
 *
 * A pool over all ranks in driver mode, one clock for all processes of the
 * host, memory that the ranks share for stamps and gates, and percentiles.
 * The programs use the public interface only, as any user's do; options come
 * from the environment (RPT_POOL_SLOTS=1 and so on).  Results are printed by
 * rank 0 as one JSON object.  Any failure ends the whole run: a figure of a
 * run that failed is no figure.
 */
#ifndef BENCH_H
#define BENCH_H

#include <repartir.h>

#include <stddef.h>
#include <stdint.h>

/** A pool over all ranks, and memory that all of them see. */
struct bench {
    rpt_options_t *options;
    rpt_context_t *context;
    rpt_pool_t *pool;
    int rank;
    int n_ranks;
    void *shared;  /**< zeroed; of all ranks, which must be on one host */
    uint64_t n_ok; /**< tasks that ended well, on rank 0 */
};

/** End the run when a library call failed. */
void bench_must(rpt_status_t status, const char *call);
#define MUST(call) bench_must((call), #call)

/** End the run with a message. */
void bench_die(const char *text);

/** Start MPI, make the pool, and memory of this size that all see. */
void bench_open(struct bench *bench, int *argc, char ***argv,
                size_t shared_bytes);

/** Register a function of the pool. */
void bench_register(struct bench *bench, const char *name, rpt_task_fn fn,
                    void *user);

/** All but rank 0 work here; returns 1 on rank 0, which drives.  From now on a
 * task that fails ends the run. */
int bench_drive(struct bench *bench);

/** Rank 0 ends the pool (the others left it already); release all. */
void bench_close(struct bench *bench, rpt_shutdown_t how);

/** A task that calls a function, with an input of bytes. */
rpt_task_t *bench_task(const char *function, const void *input, size_t bytes);

/** Seconds of CLOCK_MONOTONIC, the same in all processes of the host. */
double bench_now(void);

/** Use so much processor time, however many share the core. */
void bench_spin(double seconds);

/** Sleep outside the library. */
void bench_sleep(double seconds);

/** Argument \a i as a number, or a default. */
double bench_number(int argc, char *argv[], int i, double otherwise);

/** The value below which a share of \a n values lies; sorts them. */
double bench_percentile(double *values, size_t n, double share);

/** Name of a resource of which only rank 0 has units. */
#define BENCH_RANK0 "rank0"

#endif /* BENCH_H */
