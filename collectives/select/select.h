/*
 * select.h - which algorithm does a call
 *
 * What is forced by an option is taken, or is an error.  Else the cheapest of
 * those that can do the call, by the cost that each gives for itself.
 */
#ifndef RPT_COLLECTIVES_SELECT_SELECT_H
#define RPT_COLLECTIVES_SELECT_SELECT_H

#include "base/options.h"
#include "collectives/algorithm/algorithm.h"

/* RPT_ERR_UNSUPPORTED: the forced one cannot do it, RPT_ERR_NOT_FOUND: there is
 * none of this name. */
rpt_status_t rpt__select(const rpt_options_t *options, rpt_coll_kind_t kind,
                         const struct rpt_case *c, size_t element_bytes,
                         const struct rpt_algorithm **algorithm_out);

/* Whether an option names the algorithm. */
bool rpt__is_forced(const rpt_options_t *options, rpt_coll_kind_t kind);

const struct rpt_model *rpt__model(void);

#endif /* RPT_COLLECTIVES_SELECT_SELECT_H */
