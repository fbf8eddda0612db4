/*
 * policy.h - what all ranks of a context select by
 *
 * Rank 0 reads it at the start (rpt_brief_fn) and all get the same bytes, so
 * that no two ranks choose different algorithms for one call.
 *
 *   rules     of the file that coll.rules names, or the first of
 *             ./repartir.rules, ~/.config/repartir/repartir.rules and
 *             /etc/repartir.rules that is there
 *   numbers   of this host, as they are kept; usual ones where there are none
 */
#ifndef RPT_COLLECTIVES_SELECT_POLICY_H
#define RPT_COLLECTIVES_SELECT_POLICY_H

#include "base/options.h"
#include "collectives/select/numbers.h"
#include "collectives/select/rules.h"
#include "comm/comm.h"

enum rpt_measure {
    RPT_MEASURE_NOTHING,
    RPT_MEASURE_ONCE,  /* what is not kept, where ranks have their cores */
    RPT_MEASURE_ALWAYS /* everything, everywhere */
};

/* The words of coll.kernel_copy. */
enum rpt_kernel_copy {
    RPT_KERNEL_COPY_NEVER,
    RPT_KERNEL_COPY_TRIED, /* and done where it was faster */
    RPT_KERNEL_COPY_ALWAYS /* where it is allowed          */
};

struct rpt_policy {
    struct rpt_numbers numbers;
    uint64_t measures;     /* enum rpt_measure: what shall be, at the start */
    uint64_t checks_first; /* all ranks meet before a call moves data */
    uint64_t kernel_copy;  /* enum rpt_kernel_copy */
    uint64_t n_rules;
    char file[512]; /* of the rules */
    struct rpt_rule rules[];
};

/* For a context over MPI (rpt_brief_fn).  RPT_ERR_PARSE, RPT_ERR_IO. */
rpt_status_t rpt__policy_brief(const rpt_options_t *options,
                               struct rpt_buf *brief);
/* The same without leaving a trace: for what is only explained. */
rpt_status_t rpt__policy_look(const rpt_options_t *options,
                              struct rpt_buf *brief);
/* For a local one: numbers of messages between processes mean nothing there. */
rpt_status_t rpt__policy_brief_local(const rpt_options_t *options,
                                     struct rpt_buf *brief);

/* In lines, for a person. */
void rpt__policy_describe(const struct rpt_policy *policy,
                          struct rpt_buf *text);

/* Of a context; never NULL. */
const struct rpt_policy *rpt__policy_of(const struct rpt_comm *comm);

#endif /* RPT_COLLECTIVES_SELECT_POLICY_H */
