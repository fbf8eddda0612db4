/*
 * tune.h - which algorithm is best at which size, on these ranks
 *
 *   tune_time.c    a context for each algorithm, times
 *   tune_rules.c   times -> a choice, a table for people, rules for the library
 *   cmd_tune.c     the command line and the file
 */
#ifndef CLI_TUNE_H
#define CLI_TUNE_H

#include "cli/fault.h"
#include "cli/text.h"

#include <repartir/coll.h>

#include <stdbool.h>

enum { MOST_ALGORITHMS = 32, MOST_SIZES = 40, TUNE_KINDS = 11 };

/* Where the ranks are: rules are for that. */
struct tune_layout {
    int n_ranks;
    int n_nodes;
};

/* One size of an operation. */
struct tune_point {
    size_t bytes; /* of the vector, or of a block    */
    /* Seconds, by the algorithm's index; < 0: it cannot do this. */
    double seconds[MOST_ALGORITHMS];
    int best; /* of tune_choose() */
};

/* An operation from the smallest size to the largest. */
struct tune_series {
    rpt_coll_kind_t kind;
    bool shared; /* with buffers that all ranks can read */
    int n_algorithms;
    int n_points;
    struct tune_point points[MOST_SIZES];
};

/* ---- tune_rules.c: no ranks are needed ---- */

/* Whether the operation has a block for each rank. */
bool tune_has_blocks(rpt_coll_kind_t kind);
/* Of the algorithm that reads the buffers of other ranks; -1: none does. */
int tune_reader(rpt_coll_kind_t kind);
/* The sizes to measure: vectors, or all blocks together, of at most so many
 * bytes; with shared buffers those at which it matters, if any. */
void tune_sizes(struct tune_series *series, struct tune_layout layout,
                size_t max_bytes);
/* The fastest of each size; but the one before, while that is as good. */
void tune_choose(struct tune_series *series);
void tune_table(struct text *text, const struct tune_series *series,
                struct tune_layout layout);
/* With shared buffers a rule counts only when it names the one that reads them:
 * others are not written. */
void tune_rules(struct text *text, const struct tune_series *series,
                struct tune_layout layout);

/* ---- tune_time.c: collective over all ranks ---- */

struct launch;
struct tuner;

/* Contexts with the wanted operations forced, and buffers of max_bytes.  All
 * ranks get the same code, here and below. */
int tuner_open(const struct launch *launch, rpt_options_t *options,
               size_t max_bytes, struct tuner **tuner_out, struct fault *fault);
struct tune_layout tuner_layout(const struct tuner *tuner);
/* Takes the buffers for a series; false: there are none that all can read. */
int tuner_take(struct tuner *tuner, const struct tune_series *series,
               bool *taken_out, struct fault *fault);
/* Fills in the times of a point, in about budget_s seconds: those of the
 * slowest rank, the same on all. */
int tuner_time(struct tuner *tuner, rpt_coll_kind_t kind, double budget_s,
               struct tune_point *point, struct fault *fault);
void tuner_close(struct tuner *tuner);

#endif /* CLI_TUNE_H */
