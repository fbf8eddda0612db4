/*
 * why_not.c - why an algorithm cannot do a call
 *
 * An algorithm says only whether it applies.  So it is asked about a case that
 * suits all of them but for one thing, which is as in the call: where it does
 * not apply then, that thing is the reason.
 */
#include "collectives/select/select.h"

enum { FEW = 4 }; /* ranks that suit all, but for those of several nodes */

enum thing { RANKS, NODE, BUFFERS, COMMUTES, BLOCKS, COUNT, N_THINGS };

/* The case of the call with all but one thing changed; N_THINGS: all. */
static struct rpt_case suit(const struct rpt_case *c, enum thing but)
{
    struct rpt_case other = *c;

    other.one_node = but != NODE || c->one_node;
    if (but != NODE && (but != COUNT || !c->one_node)) {
        other.stage_count = UINT32_MAX;
    }
    other.can_pull = but != BUFFERS || c->can_pull;
    other.commutative = but != COMMUTES || c->commutative;
    if (but == BLOCKS && c->counts != NULL) {
        return other;
    }
    other.counts = other.starts = other.offsets = NULL;
    other.out_counts = other.out_offsets = NULL;
    if (but == COUNT) {
        return other;
    }
    if (but != RANKS && c->layout == NULL) {
        other.n_ranks = FEW;
    }
    other.count = (size_t)other.n_ranks;
    return other;
}

static const char *reason(const struct rpt_case *c, enum thing thing)
{
    switch (thing) {
    case NODE:
        return "it needs all ranks on one node, with memory that they share";
    case BUFFERS:
        return "it needs buffers of rpt_buffer_alloc() on all ranks";
    case COMMUTES:
        return "it needs an operator that commutes";
    case COUNT:
        return c->count < (size_t)c->n_ranks
                   ? "it needs at least as many elements as ranks"
                   : "it needs a vector that shared memory has room for";
    case BLOCKS:
        return "it needs blocks of one size, one behind the other";
    case RANKS:
        return c->n_ranks < FEW ? "it needs more ranks"
                                : "it needs fewer ranks";
    case N_THINGS:
    default:
        return c->layout != NULL && !c->layout->in_order
                   ? "it needs ranks that are numbered node by node"
                   : "it needs several nodes with several ranks";
    }
}

static bool is_for_one_rank(const struct rpt_algorithm *algorithm,
                            const struct rpt_case *c)
{
    struct rpt_case alone = suit(c, N_THINGS);

    alone.rank = alone.root = 0;
    alone.n_ranks = 1;
    alone.layout = NULL;
    return algorithm->applies(&alone);
}

/* Of one that can no call of so many ranks on these nodes. */
static enum thing lacks_ranks_or_nodes(const struct rpt_algorithm *algorithm,
                                       const struct rpt_case *c)
{
    struct rpt_case other = suit(c, N_THINGS);

    if (c->n_ranks == 1) {
        return RANKS;
    }
    other.layout = NULL;
    other.n_ranks = FEW;
    other.count = FEW;
    if (!algorithm->applies(&other)) {
        return N_THINGS;
    }
    other.one_node = c->one_node;
    return algorithm->applies(&other) ? RANKS : NODE;
}

const char *rpt__why_not(const struct rpt_algorithm *algorithm,
                         const struct rpt_case *c)
{
    struct rpt_case other = suit(c, N_THINGS);

    if (!algorithm->applies(&other)) {
        return is_for_one_rank(algorithm, c)
                   ? "it is for one rank alone"
                   : reason(c, lacks_ranks_or_nodes(algorithm, c));
    }
    for (int thing = 0; thing < N_THINGS; thing++) {
        other = suit(c, (enum thing)thing);
        if (!algorithm->applies(&other)) {
            return reason(c, (enum thing)thing);
        }
    }
    return "several things about the call do not suit it";
}
