/*
 * bench_priv.h - what contests are made of
 */
#ifndef CLI_BENCH_BENCH_PRIV_H
#define CLI_BENCH_BENCH_PRIV_H

#include "cli/bench/bench.h"

#include <repartir.h>
#include <repartir/mpi.h>

#define WORLD MPI_COMM_WORLD

struct bench_buffers {
    float *in, *out;
};

struct bench {
    const struct launch *launch;
    struct bench_machine machine;
    int rank, size;
    int n_samples;
    size_t max_bytes;    /* that are measured     */
    size_t buffer_bytes; /* of each buffer        */
    rpt_context_t *context;
    rpt_group_t *world;
    struct bench_buffers mpis, ours;
    /* The call whose turn it is: n elements, of a block where there are
     * blocks. */
    float *in, *out;
    size_t n;
    int root;
    /* Of plan.c and group.c. */
    MPI_Request request;
    rpt_plan_t *plan;
    MPI_Comm comm;
    rpt_group_t *group;
};

/* One of those that take turns.  Only `call` is timed; the MPI ends the program
 * when a call of its own fails. */
struct bench_side {
    rpt_status_t (*prepare)(struct bench *b); /* before the first call */
    rpt_status_t (*call)(struct bench *b);
    void (*clean)(struct bench *b);  /* after each sample     */
    void (*finish)(struct bench *b); /* after the last call   */
};

struct bench_contest {
    const char *row, *operation;
    int n_sides;
    struct bench_side sides[BENCH_SIDES];
    bool has_blocks; /* one for each rank                        */
    bool is_empty;   /* no data: one point                       */
    bool is_bound;   /* by 2(p-1)/p of the vector, as allreduce  */
    bool once;       /* a sample is one call                     */
    int factor;      /* from one size to the next                */
};

/* ---- rates.c ---- */

/* Bytes per second, of the slowest rank while all do it. */
double bench_copy_rate(struct bench *b);
double bench_pull_rate(struct bench *b);
double bench_ring_rate(struct bench *b, size_t bytes);

#endif /* CLI_BENCH_BENCH_PRIV_H */
