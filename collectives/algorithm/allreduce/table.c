/*
 * table.c - every all-reduce there is, in one place
 */
#include "collectives/algorithm/alone.h"
#include "collectives/algorithm/allreduce/allreduce.h"

const struct rpt_algorithm *const rpt__allreduce_table[] = {
    &rpt__alone_vector,        /* one rank                                  */
    &rpt__allreduce_flat,      /* one node, few bytes: all read all          */
    &rpt__allreduce_sliced,    /* one node: each reduces a slice of all      */
    &rpt__allreduce_doubling,  /* few bytes: log2 p rounds, whole vector     */
    &rpt__allreduce_halving,   /* any op: 2 log2 p rounds, about least bytes */
    &rpt__allreduce_mixed,     /* between these two                         */
    &rpt__allreduce_circulant, /* any p: 2 ceil(log2 p) rounds, least bytes  */
    &rpt__allreduce_ring,      /* many bytes: neighbours only                */
    &rpt__allreduce_direct,    /* the same bits in any layout                */
    &rpt__allreduce_two_level, /* nodes, or domains of one: few bytes       */
    /* the same, many bytes: */
    &rpt__allreduce_multi_leader,
    &rpt__allreduce_pulled, /* one node, shared buffers */
    NULL,
};
