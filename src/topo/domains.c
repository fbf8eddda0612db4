/*
 * domains.c - the ranks of a node, divided by the memory that they share
 *
 * A level divides ranks when each is bound inside one of its objects, and there
 * are several such domains, of two ranks and more in the mean.  The widest
 * level that does is taken: between its objects a line has the longest way.
 *
 *      package   0                 1
 *      L3        0       1         2       3
 *      ranks     0 1 2   3 4 5     6 7 8   9 10 11     -> 0 ... 5 | 6 ... 11
 *
 * A rank that may run in several objects of a level is in none of them, and
 * then the level divides nobody: wherever the rank is put, it may be elsewhere
 * a moment later.
 *
 * Costs a look at each pair of ranks, at most.
 */
#include "topo/map_priv.h"

#include "base/error.h"

#include <stdlib.h>

rpt_status_t rpt__map_set_domains(struct rpt_map *map, int virtual_domains)
{
    size_t n = (size_t)map->n_nodes;
    int *sizes = calloc(2 * n, sizeof *sizes), *taken = sizes + n;

    if (sizes == NULL) {
        return rpt__fail_nomem(2 * n * sizeof *sizes);
    }
    for (int r = 0; r < map->n_ranks; r++) {
        sizes[map->places[r].node]++;
    }
    for (int r = 0; r < map->n_ranks; r++) {
        struct rpt_place *place = &map->places[r];
        int k = sizes[place->node];
        int m = virtual_domains < k ? virtual_domains : k;
        int i = taken[place->node]++;

        place->domain = m < 1 ? -1 : (int)((int64_t)i * m / k);
    }
    free(sizes);
    return RPT_OK;
}

/* -1: it is in no domain. */
static int domain_at(const struct rpt_map *map, int rank, rpt_level_t level)
{
    return level == RPT_LEVEL_NODE ? map->places[rank].domain
                                   : map->seats[rank].object[level];
}

/* Whether the level divides them; RPT_LEVEL_NODE: the virtual domains. */
static bool divides(const struct rpt_map *map, const int ranks[], int n,
                    rpt_level_t level, int domain_of[])
{
    int n_domains = 0;

    for (int i = 0; i < n; i++) {
        int same = 0;

        domain_of[i] = domain_at(map, ranks[i], level);
        while (domain_of[same] != domain_of[i]) {
            same++;
        }
        n_domains += same == i;
        if (domain_of[i] < 0 || n_domains > n / 2) {
            return false;
        }
    }
    return n_domains > 1;
}

bool rpt__map_divide(const struct rpt_map *map, const int ranks[], int n,
                     int domain_of[])
{
    if (n > 0 && map->places[ranks[0]].domain >= 0) {
        return divides(map, ranks, n, RPT_LEVEL_NODE, domain_of);
    }
    for (int level = RPT_LEVEL_PACKAGE; level >= RPT_LEVEL_L3; level--) {
        if (divides(map, ranks, n, (rpt_level_t)level, domain_of)) {
            return true;
        }
    }
    return false;
}
