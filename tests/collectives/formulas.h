/*
 * formulas.h - what each rank sends, by the papers that algorithms name
 */
#ifndef RPT_TESTS_COLLECTIVES_FORMULAS_H
#define RPT_TESTS_COLLECTIVES_FORMULAS_H

#include "meaning.h"

struct sent {
    uint64_t n_messages, n_elements;
};

/* There is no message of no elements. */
struct sent message(uint64_t n_elements);
struct sent nothing(void);
struct sent plus(struct sent a, struct sent b);
struct sent times(uint64_t n, struct sent one);

/* Of a rank in a call. */
typedef struct sent formula_fn(const struct call *call, int rank);

/* All-reduce. */
formula_fn doubling, halving, ring, direct;
/* In groups of b ranks, some with one more. */
struct sent grouped(const struct call *call, int rank, int b);

/* In levels of so many ranks, from neighbours on; `left` double. */
struct levels {
    int factors[16], n, left;
};
/* f, all factors 2 of p, and g. */
struct levels levels_of(int p, int f, int g);
struct sent in_levels(const struct call *call, int rank,
                      const struct levels *levels);

/* A vector to the root, or from it. */
formula_fn vector_to_parent, vector_to_root, sum_to_root, to_children,
    van_de_geijn;
/* Ranks below one in a binomial tree, to which it sends; v: from the root. */
int n_children(int p, int v);

/* Blocks. */
formula_fn subtree_to_parent, own_to_root, blocks_to_children,
    root_each_its_own, each_its_own, round_the_ring, blocks_shared_out,
    blocks_put_together, bruck;

/* Barrier; scans. */
formula_fn dissemination, upwards, to_the_next;

#endif /* RPT_TESTS_COLLECTIVES_FORMULAS_H */
