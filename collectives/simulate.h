/*
 * simulate.h - runs the schedules of all ranks on symbols, and proves them
 *
 * A symbol says where a value comes from: whose input, at which position, in
 * which order and brackets.  The simulator is stricter than any machine:
 *
 *   - nothing is buffered: what was sent must stay until it is received;
 *   - a lane is over when all that it has sent was received;
 *   - what a rank reads of a stage must have been written before, and what it
 *     writes there read before, for a reason: a chain of signals and messages,
 *     not by luck (vector clocks; Mattern 1989, Fidge 1988);
 *   - the same holds for what lies beside a flag: the call that others compare.
 *
 * Costs memory for p^2 numbers for each element of a stage: p up to some 64
 * with stages, up to some thousands without.
 */
#ifndef RPT_COLLECTIVES_SIMULATE_H
#define RPT_COLLECTIVES_SIMULATE_H

#include "collectives/schedule.h"

/* Where a value comes from. */
struct rpt_symbol {
    uint64_t tree;     /* hash of the brackets; a op b and b op a are one:
                          the same number means the same bits            */
    uint64_t sources;  /* sum of rpt__symbol_of_rank() of all it is made of */
    uint32_t n_values; /* inputs it is made of; 0: not written           */
    uint32_t position; /* of all these inputs; UINT32_MAX: not the same  */
    int32_t first;     /* it is rank first op ... op rank last, in this  */
    int32_t last;      /* order; first < 0: in no such order             */
};

uint64_t rpt__symbol_of_rank(int rank);

struct rpt_tally {
    uint64_t n_messages; /* sent                        */
    uint64_t n_sent;     /* elements in these           */
    uint64_t n_received; /* elements                    */
    uint64_t n_reduced;  /* elements, per op            */
    uint64_t n_copied;   /* elements                    */
    uint32_t n_rounds; /* messages one after another until this rank is done */
};

struct rpt_simulation;

/* Ranks with the same node read each other's stages.  node NULL: all do.
 * Input of rank r: n_input[r] elements; output: n_output[r]. */
rpt_status_t rpt__simulation_create(int n_ranks, const int node[],
                                    struct rpt_simulation **sim_out);
void rpt__simulation_destroy(struct rpt_simulation *sim);

/* Whether the ranks of a node meet before any collective from now on, as they
 * do where their buffers might be read, or where calls are compared first; else
 * only before those that pull. */
void rpt__simulation_meet(struct rpt_simulation *sim, bool always);

/* One collective, behind those before it.  Ranks in place have their input in
 * their output.  RPT_ERR_STATE: the schedules are wrong, rpt_last_error() says
 * where and how. */
rpt_status_t rpt__simulation_run(struct rpt_simulation *sim,
                                 const struct rpt_schedule schedules[],
                                 const size_t n_input[],
                                 const size_t n_output[], bool in_place);

/* Of the last run. */
const struct rpt_symbol *
rpt__simulation_output(const struct rpt_simulation *sim, int rank);
const struct rpt_tally *rpt__simulation_tally(const struct rpt_simulation *sim,
                                              int rank);

#endif /* RPT_COLLECTIVES_SIMULATE_H */
