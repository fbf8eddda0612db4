/*
 * combine.h - the operator of a call, whoever made it
 */
#ifndef RPT_COLLECTIVES_ENGINE_COMBINE_H
#define RPT_COLLECTIVES_ENGINE_COMBINE_H

#include "collectives/kernel/kernel.h"

#include <repartir/coll.h>

#include <stdbool.h>

struct rpt_combine {
    rpt_reduce_fn kernel; /* NULL: a user's function                        */
    rpt_divide_fn divide; /* of an average, at the end; else NULL           */
    rpt_op_fn fn;
    void *user;
    unsigned made; /* which of those that had its number one after another */
    rpt_type_t type;
    size_t element_bytes;
    bool commutative;
    char *block; /* a user's function works here                    */
    size_t block_count;
};

/* RPT_ERR_UNSUPPORTED: no such operator for this type; RPT_ERR_INVALID: none at
 * all. */
rpt_status_t rpt__combine_create(struct rpt_combine *combine, rpt_type_t type,
                                 rpt_op_t op);
/* Whether op is still the operator that this was made for: a number may be
 * given again.  Needs no lock. */
bool rpt__combine_is_of(const struct rpt_combine *combine, rpt_op_t op);
void rpt__combine_release(struct rpt_combine *combine);

/* to <- inputs[0] op inputs[1] op ...; `to` may be one of them. */
void rpt__combine(const struct rpt_combine *combine, void *to,
                  const void *const inputs[], int n_inputs, size_t count);

#endif /* RPT_COLLECTIVES_ENGINE_COMBINE_H */
