/*
 * proof.h - schedules of all ranks of a call, run on symbols
 */
#ifndef RPT_TESTS_COLLECTIVES_PROOF_H
#define RPT_TESTS_COLLECTIVES_PROOF_H

#include "meaning.h"

/* Says what is wrong with which algorithm in which call; false. */
bool proof_complain(const struct rpt_algorithm *algorithm,
                    const struct call *call, const char *what);

/* One call behind those that were simulated before.  A barrier is right when
 * nobody is done before all have begun: the flags and messages of its schedule
 * must tell. */
bool proof_run(const struct rpt_algorithm *algorithm, const struct call *call,
               struct rpt_simulation *sim, bool in_place);

/* Three in a row, so that stages are used again. */
bool proof_run_alone(const struct rpt_algorithm *algorithm,
                     const struct call *call, bool in_place);

#endif /* RPT_TESTS_COLLECTIVES_PROOF_H */
