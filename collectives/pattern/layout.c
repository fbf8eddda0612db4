/*
 * layout.c - counts ranks by node, or by domain
 */
#include "collectives/pattern/layout.h"

#include "base/error.h"

#include <stdlib.h>

void rpt__layout_destroy(struct rpt_layout *layout)
{
    if (layout != NULL) {
        for (int node = 0; node < layout->n_nodes; node++) {
            rpt__layout_destroy(layout->domains[node]);
        }
        free(layout->domains);
        free(layout->node_of);
        free(layout);
    }
}

/* Numbers the nodes by their lowest ranks.  Their own numbers may be any, so
 * each rank looks for the first one of its node, from the last one found on:
 * neighbours are often of one node. */
static void number_nodes(struct rpt_layout *layout, const int node_of[])
{
    int *lowest = layout->first; /* of each node, for the time being */
    int node = 0;

    for (int r = 0; r < layout->n_ranks; r++) {
        int looked = 0;

        while (looked < layout->n_nodes &&
               node_of[lowest[node]] != node_of[r]) {
            node = (node + 1) % layout->n_nodes;
            looked++;
        }
        if (looked == layout->n_nodes) {
            node = layout->n_nodes++;
            lowest[node] = r;
        }
        layout->node_of[r] = node;
    }
}

static void list_members(struct rpt_layout *layout)
{
    int next = 0;

    layout->least = layout->n_ranks;
    for (int node = 0; node <= layout->n_nodes; node++) {
        layout->first[node] = 0;
    }
    for (int r = 0; r < layout->n_ranks; r++) {
        layout->place_of[r] = layout->first[layout->node_of[r]]++;
    }
    for (int node = 0; node <= layout->n_nodes; node++) {
        int size = layout->first[node];

        layout->first[node] = next;
        next += size;
        if (node < layout->n_nodes) {
            layout->least = size < layout->least ? size : layout->least;
            layout->most = size > layout->most ? size : layout->most;
        }
    }
    layout->in_order = true;
    for (int r = 0; r < layout->n_ranks; r++) {
        int at = layout->first[layout->node_of[r]] + layout->place_of[r];

        layout->members[at] = r;
        layout->in_order = layout->in_order && at == r;
    }
}

rpt_status_t rpt__layout_create(const int node_of[], int n_ranks,
                                struct rpt_layout **layout_out)
{
    size_t n = (size_t)n_ranks, n_numbers = 4 * n + 1;
    struct rpt_layout *layout = calloc(1, sizeof *layout);

    if (layout != NULL) {
        layout->node_of = calloc(n_numbers, sizeof *layout->node_of);
        layout->domains = calloc(n, sizeof *layout->domains);
    }
    if (layout == NULL || layout->node_of == NULL || layout->domains == NULL) {
        rpt__layout_destroy(layout);
        return rpt__fail_nomem(n_numbers * sizeof *layout->node_of);
    }
    layout->n_ranks = n_ranks;
    layout->place_of = layout->node_of + n;
    layout->members = layout->place_of + n;
    layout->first = layout->members + n;
    number_nodes(layout, node_of);
    list_members(layout);
    *layout_out = layout;
    return RPT_OK;
}

rpt_status_t rpt__layout_divide(struct rpt_layout *layout, int node,
                                const int domain_of[])
{
    return rpt__layout_create(domain_of, rpt__layout_size(layout, node),
                              &layout->domains[node]);
}

/* Neighbours have the same number, below n_numbers. */
static void deal(int numbers[], int n, int n_numbers)
{
    for (int i = 0; i < n; i++) {
        numbers[i] = (int)((long long)i * n_numbers / n);
    }
}

static rpt_status_t divide_all(struct rpt_layout *layout, int n_domains,
                               int numbers[])
{
    rpt_status_t status = RPT_OK;

    for (int node = 0; status == RPT_OK && node < layout->n_nodes; node++) {
        int n = rpt__layout_size(layout, node);

        if (n_domains > 1 && n_domains <= n / 2) {
            deal(numbers, n, n_domains);
            status = rpt__layout_divide(layout, node, numbers);
        }
    }
    return status;
}

rpt_status_t rpt__layout_create_even(int n_ranks, int n_nodes, int n_domains,
                                     struct rpt_layout **layout_out)
{
    size_t n = (size_t)n_ranks;
    int *numbers = malloc(n * sizeof *numbers);
    struct rpt_layout *layout = NULL;
    rpt_status_t status;

    if (numbers == NULL) {
        return rpt__fail_nomem(n * sizeof *numbers);
    }
    deal(numbers, n_ranks, n_nodes);
    status = rpt__layout_create(numbers, n_ranks, &layout);
    if (status == RPT_OK) {
        status = divide_all(layout, n_domains, numbers);
    }
    free(numbers);
    if (status != RPT_OK) {
        rpt__layout_destroy(layout);
        return status;
    }
    *layout_out = layout;
    return RPT_OK;
}
