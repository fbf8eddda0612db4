/*
 * symbol.c - what the simulator computes with
 */
#include "collectives/simulate_priv.h"

/* Steele, Lea and Flood 2014 (splitmix64): every bit depends on every bit. */
static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

uint64_t rpt__symbol_of_rank(int rank)
{
    return mix((uint64_t)rank);
}

struct rpt_symbol rpt__symbol_leaf(int rank, size_t position)
{
    return (struct rpt_symbol){
        .tree = mix(mix((uint64_t)rank) + position),
        .sources = rpt__symbol_of_rank(rank),
        .n_values = 1,
        .position = (uint32_t)position,
        .first = rank,
        .last = rank,
    };
}

struct rpt_symbol rpt__symbol_combine(struct rpt_symbol left,
                                      struct rpt_symbol right)
{
    uint64_t low = left.tree < right.tree ? left.tree : right.tree;
    bool in_order = left.first >= 0 && right.first >= 0 &&
                    left.last + 1 == right.first;

    return (struct rpt_symbol){
        .tree = mix(low + mix(left.tree ^ right.tree ^ 1)),
        .sources = left.sources + right.sources,
        .n_values = left.n_values + right.n_values,
        .position = left.position == right.position ? left.position
                                                    : UINT32_MAX,
        .first = in_order ? left.first : -1,
        .last = in_order ? right.last : -1,
    };
}
