/*
 * level_nodes.c - who is on which node, and who keeps what for whom
 *
 * Partner: the rank at the same place of the next node, in a ring.
 *
 * Parity: nodes in a row make a set; the ranks at the same place of its nodes
 * are the members of one.  As in SCR (Moody et al. 2010,
 * doi:10.1109/SC.2010.18) the file of a member is n - 1 chunks, one for each
 * other member, which keeps the exclusive or of what it got:
 *
 *      member 0   member 1   member 2
 *      P(b1 c1)   a1         a2
 *      b1         P(a1 c2)   b2         a, b, c: their chunks
 *      c1         c2         P(a2 b2)
 *
 * When a node has fewer ranks than others, one of its ranks keeps parity for
 * the places that it lacks.
 */
#include "io/checkpoint/level_priv.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

void rpt__nodes_free(struct rpt_nodes *nodes)
{
    free(nodes->number);
    free(nodes->begin);
    free(nodes->ranks);
    free(nodes->node);
    free(nodes->place);
    *nodes = (struct rpt_nodes){ .n = 0 };
}

/* Nodes in the order of their lowest rank. */
static void fill(struct rpt_nodes *nodes, const struct rpt_group *group, int p)
{
    const struct rpt_map *map = rpt__comm_map(rpt__group_comm(group));
    int at = 0;

    for (int r = 0; r < p; r++) {
        int number = rpt__map_node_of(map, rpt__group_world_rank(group, r));
        int i = 0;

        while (i < nodes->n && nodes->number[i] != number) {
            i++;
        }
        nodes->number[i] = number;
        nodes->n += i == nodes->n;
        nodes->node[r] = i;
        nodes->place[r] = nodes->begin[i + 1]++; /* still counts */
    }
    for (int i = 0; i < nodes->n; i++) {
        at += nodes->begin[i + 1];
        nodes->begin[i + 1] = at;
    }
    for (int r = 0; r < p; r++) {
        nodes->ranks[nodes->begin[nodes->node[r]] + nodes->place[r]] = r;
    }
}

rpt_status_t rpt__nodes_make(const struct rpt_group *group,
                             struct rpt_nodes *nodes_out)
{
    size_t p = (size_t)rpt__group_size(group);
    struct rpt_nodes nodes = { 0,
                               calloc(p, sizeof(int)),
                               calloc(p + 1, sizeof(int)),
                               calloc(p, sizeof(int)),
                               calloc(p, sizeof(int)),
                               calloc(p, sizeof(int)) };

    if (nodes.number == NULL || nodes.begin == NULL || nodes.ranks == NULL ||
        nodes.node == NULL || nodes.place == NULL) {
        rpt__nodes_free(&nodes);
        return rpt__fail_nomem(5 * p * sizeof(int));
    }
    fill(&nodes, group, (int)p);
    *nodes_out = nodes;
    return RPT_OK;
}

static int count_of(const struct rpt_nodes *nodes, int node)
{
    return nodes->begin[node + 1] - nodes->begin[node];
}

/* Where a node has fewer ranks, one stands for several places. */
static int rank_at(const struct rpt_nodes *nodes, int node, int place)
{
    return nodes->ranks[nodes->begin[node] + place % count_of(nodes, node)];
}

int rpt__nodes_partner(const struct rpt_nodes *nodes, int rank)
{
    return nodes->n < 2 ? -1
                        : rank_at(nodes, (nodes->node[rank] + 1) % nodes->n,
                                  nodes->place[rank]);
}

struct rpt_xor_set rpt__nodes_set(const struct rpt_nodes *nodes, int node,
                                  int most)
{
    int n = nodes->n, n_sets = (n + most - 1) / most, k = 0;
    struct rpt_xor_set set;

    /* None has one node only. */
    n_sets = n_sets > n / 2 ? n / 2 : n_sets;
    n_sets = n_sets < 1 ? 1 : n_sets;
    while ((int)((int64_t)n * (k + 1) / n_sets) <= node) {
        k++;
    }
    set.first = (int)((int64_t)n * k / n_sets);
    set.n = (int)((int64_t)n * (k + 1) / n_sets) - set.first;
    set.n_places = 0;
    for (int i = set.first; i < set.first + set.n; i++) {
        int count = count_of(nodes, i);

        set.n_places = count > set.n_places ? count : set.n_places;
    }
    return set;
}

bool rpt__nodes_member(const struct rpt_nodes *nodes,
                       const struct rpt_xor_set *set, int place, int i,
                       int *rank_out)
{
    *rank_out = rank_at(nodes, set->first + i, place);
    return place < count_of(nodes, set->first + i);
}

/* ---- parity ---- */

uint64_t rpt__xor_chunk(uint64_t most_bytes, uint32_t n)
{
    return most_bytes / (n - 1) + (most_bytes % (n - 1) > 0);
}

struct rpt_range rpt__xor_range(uint32_t of, uint32_t at, uint64_t chunk,
                                uint64_t file_bytes)
{
    uint64_t begin = chunk * (at < of ? at : at - 1);
    uint64_t left = begin < file_bytes ? file_bytes - begin : 0;

    return (struct rpt_range){ begin, left < chunk ? left : chunk };
}

void rpt__xor_into(char *to, const char *from, size_t bytes)
{
    size_t i = 0;

    for (; i + sizeof(uint64_t) <= bytes; i += sizeof(uint64_t)) {
        uint64_t a, b;

        memcpy(&a, to + i, sizeof a);
        memcpy(&b, from + i, sizeof b);
        a ^= b;
        memcpy(to + i, &a, sizeof a);
    }
    for (; i < bytes; i++) {
        to[i] = (char)(to[i] ^ from[i]);
    }
}
