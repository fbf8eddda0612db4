/*
 * bench.h - ours and the MPI library's calls by turns, on these ranks
 *
 *   calls.c, plan.c, group.c   what is called: the contests
 *   rates.c                    how fast this launch copies, reads and sends
 *   time.c                     samples by turns, medians
 *   report.c                   numbers -> a table, CSV, JSON; pure
 *   svg.c                      numbers -> a plot; pure
 */
#ifndef CLI_BENCH_BENCH_H
#define CLI_BENCH_BENCH_H

#include "cli/fault.h"
#include "cli/text.h"

#include <repartir/coll.h>

#include <stdbool.h>

/* Who takes turns; blocking: our plain call, beside our plan. */
enum { BENCH_MPI, BENCH_OURS, BENCH_BLOCKING, BENCH_SIDES };
enum { BENCH_POINTS = 40, BENCH_KINDS = 11 };

struct bench_contest;

/* Where the ranks are, and how fast. */
struct bench_machine {
    int n_ranks;
    int n_nodes;
    double copy_rate;    /* bytes per second of each rank, while all copy */
    double pull_rate;    /* ... read from the next rank; 0: several nodes */
    const char *buffers; /* ours: private or shared                     */
    char mpi[80];
};

/* One size: medians, of the slowest rank. */
struct bench_point {
    size_t bytes; /* of the vector, or of a block */
    double seconds[BENCH_SIDES];
    double ring_rate; /* bytes per second of each rank; 0: not measured */
    double bound_s;   /* what no algorithm can beat; 0: not known      */
};

/* A contest from the smallest size to the largest. */
struct bench_series {
    const char *row;       /* coll, plan or group */
    const char *operation; /* such as allreduce   */
    int n_sides;
    int n_points;
    struct bench_point points[BENCH_POINTS];
};

/* ---- contests ---- */

const struct bench_contest *bench_call(rpt_coll_kind_t kind);
/* NULL: this MPI has no persistent collectives. */
const struct bench_contest *bench_plan(void);
const struct bench_contest *bench_group(void);

/* ---- time.c: collective over all ranks, which get the same code ---- */

struct launch;
struct bench;

struct bench_wishes {
    rpt_options_t *options;
    size_t max_bytes; /* of a vector, or of all blocks together */
    bool shared;      /* ours uses memory of rpt_buffer_alloc() */
    int n_samples;    /* of a point; 0: 25, or 9 above 1 MiB    */
};

int bench_open(const struct launch *launch, const struct bench_wishes *wishes,
               struct bench **bench_out, struct fault *fault);
const struct bench_machine *bench_machine(const struct bench *bench);
/* Names the series, and the sizes of its points. */
void bench_begin(const struct bench *bench, const struct bench_contest *contest,
                 struct bench_series *series);
/* Fills in the rest of a point. */
int bench_measure(struct bench *bench, const struct bench_contest *contest,
                  struct bench_point *point, struct fault *fault);
void bench_close(struct bench *bench);

/* ---- report.c, svg.c: no ranks are needed ---- */

/* Seconds of a side over those of ours. */
double bench_ratio(const struct bench_point *point, int side);

void bench_add_head(struct text *text, const struct bench_machine *machine);
void bench_add_columns(struct text *text, const struct bench_series *series);
void bench_add_point(struct text *text, const struct bench_series *series,
                     const struct bench_point *point);
/* Geometric mean and least of the ratios. */
void bench_add_summary(struct text *text, const struct bench_series *series);

void bench_add_csv_head(struct text *text);
void bench_add_csv(struct text *text, const struct bench_machine *machine,
                   const struct bench_series *series,
                   const struct bench_point *point);
/* One line. */
void bench_add_json(struct text *text, const struct bench_machine *machine,
                    const struct bench_series *series,
                    const struct bench_point *point);
/* A whole file: a panel for each series. */
void bench_add_svg(struct text *text, const struct bench_machine *machine,
                   const struct bench_series series[], int n_series);

#endif /* CLI_BENCH_BENCH_H */
