/*
 * numbers.h - what things cost on this machine, and as a text
 *
 * Those of a usual machine until they are measured.  A number is believed
 * within a factor of 30 of the usual one: what lies outside was measured while
 * something else went on, and becomes the nearest that is believed.
 *
 * Messages have two sets: near, between the ranks of a node, and far.  Flags
 * and bytes that go across, from one domain of a node to another, cost so much
 * more than inside one.
 */
#ifndef RPT_COLLECTIVES_SELECT_NUMBERS_H
#define RPT_COLLECTIVES_SELECT_NUMBERS_H

#include "base/buf.h"
#include "collectives/algorithm/algorithm.h"

enum rpt_number {
    RPT_NUMBER_STEP,
    RPT_NUMBER_FLAG,
    RPT_NUMBER_COPY_BYTE,
    RPT_NUMBER_REDUCE_BYTE,
    RPT_NUMBER_NEAR_MESSAGE,
    RPT_NUMBER_NEAR_BYTE,
    RPT_NUMBER_FAR_MESSAGE,
    RPT_NUMBER_FAR_BYTE,
    RPT_NUMBER_ACROSS_FLAG,
    RPT_NUMBER_ACROSS_BYTE,
    RPT_N_NUMBERS
};

/* Plain data: ranks exchange it as bytes. */
struct rpt_numbers {
    double seconds[RPT_N_NUMBERS];
    uint64_t measured; /* a bit for each */
    uint64_t n_tries;  /* that did not give all they were to */
};

/* Of a usual machine of two cores and more, and a usual network. */
#define RPT_NUMBERS_USUAL                                                      \
    {                                                                          \
        .seconds = {                                                           \
            [RPT_NUMBER_STEP] = 10e-9,                                         \
            [RPT_NUMBER_FLAG] = 100e-9,                                        \
            [RPT_NUMBER_COPY_BYTE] = 1 / 20e9,                                 \
            [RPT_NUMBER_REDUCE_BYTE] = 1 / 10e9,                               \
            [RPT_NUMBER_NEAR_MESSAGE] = 2e-6,                                  \
            [RPT_NUMBER_NEAR_BYTE] = 1 / 2e9,                                  \
            [RPT_NUMBER_FAR_MESSAGE] = 2e-6,                                   \
            [RPT_NUMBER_FAR_BYTE] = 1 / 2e9,                                   \
            [RPT_NUMBER_ACROSS_FLAG] = 60e-9,                                  \
            [RPT_NUMBER_ACROSS_BYTE] = 1 / 30e9,                               \
        },                                                                     \
    }

/* Takes a measured one. */
void rpt__numbers_set(struct rpt_numbers *numbers, enum rpt_number which,
                      double seconds);
/* Whether it is worth while to measure (again): some are missing, and there
 * were not many tries. */
bool rpt__numbers_are_missing(const struct rpt_numbers *numbers);
bool rpt__numbers_has(const struct rpt_numbers *numbers, enum rpt_number which);

/* Takes those that were measured from another set, and its tries. */
void rpt__numbers_merge(struct rpt_numbers *numbers,
                        const struct rpt_numbers *others);

/* For groups on one node, and for others. */
struct rpt_model rpt__numbers_model(const struct rpt_numbers *numbers,
                                    bool one_node);
/* Whether all that a model is made of was measured, or some; across: ranks of
 * the node are in several domains. */
enum rpt_origin {
    RPT_FROM_USUAL,
    RPT_FROM_BOTH,
    RPT_FROM_MEASURED
} rpt__numbers_origin(const struct rpt_numbers *numbers, bool one_node,
                      bool across);

/* All of them in two lines, for a person. */
void rpt__numbers_describe(const struct rpt_numbers *numbers,
                           struct rpt_buf *text);
/* The measured ones, in lines. */
void rpt__numbers_print(const struct rpt_numbers *numbers,
                        struct rpt_buf *text);
/* Takes those of such a text.  False, and takes none: it is something else. */
bool rpt__numbers_parse(struct rpt_numbers *numbers, const char *text,
                        size_t bytes);

#endif /* RPT_COLLECTIVES_SELECT_NUMBERS_H */
