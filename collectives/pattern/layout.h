/*
 * layout.h - the ranks of a group, node by node
 *
 *   node_of   0 1 1 0 2        members   0 3 | 1 2 | 4
 *                              first     0     2     4  5
 *
 * Nodes are numbered by their lowest rank.  All ranks have the same layout.
 *
 * The ranks of a node may be divided into domains, which share a package, a
 * NUMA node or a cache.  Domains are to a node what nodes are to a group, so
 * they are a layout, too: of the ranks of the node, by their places there.
 */
#ifndef RPT_COLLECTIVES_PATTERN_LAYOUT_H
#define RPT_COLLECTIVES_PATTERN_LAYOUT_H

#include <repartir/base.h>

#include <stdbool.h>

struct rpt_layout {
    int n_ranks;
    int n_nodes;
    int *node_of;  /* by rank                                          */
    int *place_of; /* of a rank among those of its node               */
    int *members;  /* ranks, those of node 0 first, upwards in a node  */
    int *first;    /* by node, where its members begin; n_nodes + 1    */
    int least;     /* members of the smallest node                     */
    int most;      /* ... and of the largest                           */
    bool in_order; /* members are 0, 1, 2, ...                        */
    struct rpt_layout **domains; /* by node; NULL: it is not divided  */
};

/* node_of: any numbers, the same for ranks of one node. */
rpt_status_t rpt__layout_create(const int node_of[], int n_ranks,
                                struct rpt_layout **layout_out);
/* Nodes of neighbouring ranks, each divided into so many domains of neighbours;
 * not divided where these would have less than two ranks in the mean. */
rpt_status_t rpt__layout_create_even(int n_ranks, int n_nodes, int n_domains,
                                     struct rpt_layout **layout_out);
void rpt__layout_destroy(struct rpt_layout *layout);

/* domain_of: by place in the node; any numbers. */
rpt_status_t rpt__layout_divide(struct rpt_layout *layout, int node,
                                const int domain_of[]);

static inline int rpt__layout_size(const struct rpt_layout *layout, int node)
{
    return layout->first[node + 1] - layout->first[node];
}

/* The members of a node. */
static inline const int *rpt__layout_node(const struct rpt_layout *layout,
                                          int node)
{
    return layout->members + layout->first[node];
}

/* Of the other ranks, those in another domain, for who has most of them. */
static inline int rpt__layout_across(const struct rpt_layout *domains)
{
    return domains != NULL ? domains->n_ranks - domains->least : 0;
}

#endif /* RPT_COLLECTIVES_PATTERN_LAYOUT_H */
