/*
 * select.h - which algorithm does a call, and why
 *
 *   forced by an option    it is taken, or is an error
 *   a rule                 the first one that fits (rules.h)
 *   else                   the cheapest, by the cost that each gives for itself
 *
 * With coll.reproducible only those take part that sum in the order of ranks.
 */
#ifndef RPT_COLLECTIVES_SELECT_SELECT_H
#define RPT_COLLECTIVES_SELECT_SELECT_H

#include "base/options.h"
#include "collectives/algorithm/algorithm.h"
#include "collectives/select/policy.h"

/* What is asked.  All of it is the same on all ranks, but for c->rank. */
struct rpt_question {
    const rpt_options_t *options;
    const struct rpt_policy *policy;
    rpt_coll_kind_t kind;
    const struct rpt_case *c;
    size_t element_bytes;
};

/* RPT_ERR_UNSUPPORTED: the forced one cannot do it, RPT_ERR_NOT_FOUND: there is
 * none of this name. */
rpt_status_t rpt__select(const struct rpt_question *question,
                         const struct rpt_algorithm **algorithm_out);

/* Says by what rpt__select() found its answer, in lines for a person; and which
 * rules it had to pass over. */
void rpt__select_explain(const struct rpt_question *question,
                         struct rpt_buf *text);

/* Of an algorithm that does not apply: what it lacks, for a message. */
const char *rpt__why_not(const struct rpt_algorithm *algorithm,
                         const struct rpt_case *c);

/* Whether an option names the algorithm. */
bool rpt__is_forced(const rpt_options_t *options, rpt_coll_kind_t kind);

#endif /* RPT_COLLECTIVES_SELECT_SELECT_H */
