/*
 * exchange.h - rounds in which ranks exchange what they have, and add
 *
 *      halve    each keeps a part of the vector, and has its sum
 *      double   all have the sum of what each had
 *      gather   the rounds of `halve` backward: all have all parts
 *
 * Members are numbered in the order of the ranks, and what is added are always
 * the sums of neighbours: any op.
 */
#ifndef RPT_COLLECTIVES_ALGORITHM_ALLREDUCE_EXCHANGE_H
#define RPT_COLLECTIVES_ALGORITHM_ALLREDUCE_EXCHANGE_H

#include "collectives/algorithm/algorithm.h"

/* So many neighbours are taken to be at one switch, where each has a link of
 * its own. */
enum { RPT_SWITCH_PORTS = 16 };

/* Whether messages over different distances, among n ranks so far apart, meet
 * on a link between switches: not if all of a switch go the same way. */
static inline bool rpt__share_links(int n, int stride)
{
    return n * stride > RPT_SWITCH_PORTS && stride % RPT_SWITCH_PORTS != 0;
}

/* Who takes part: member i is rank first + i stride + min(i, extra). */
struct rpt_members {
    int n, mine; /* how many; this rank's number */
    int first, stride, extra;
};

static inline int rpt__member_rank(const struct rpt_members *m, int i)
{
    return m->first + i * m->stride + (i < m->extra ? i : m->extra);
}

/* What a rank works with. */
struct rpt_exchange {
    const struct rpt_case *c;
    struct rpt_schedule *schedule;
    struct rpt_place mine; /* its values: the input, then the output */
    struct rpt_range part; /* of the vector, which it goes on with   */
};

/* What member i of n = 2^k keeps of a range. */
struct rpt_range rpt__exchange_kept(struct rpt_range range, int i, int n);

/* output <- mine op scratch, in the order of the ranks; then mine is output. */
void rpt__exchange_reduce(struct rpt_exchange *x, int from_rank);

/* Among 2^k members, and any number of them. */
void rpt__exchange_halve(struct rpt_exchange *x, const struct rpt_members *m);
void rpt__exchange_double(struct rpt_exchange *x, const struct rpt_members *m);
double rpt__exchange_double_cost(int n, int stride, const struct rpt_model *m,
                                 double bytes);
/* `whole` was the part of all before they halved it. */
void rpt__exchange_gather(struct rpt_exchange *x, const struct rpt_members *m,
                          struct rpt_range whole);

#endif /* RPT_COLLECTIVES_ALGORITHM_ALLREDUCE_EXCHANGE_H */
