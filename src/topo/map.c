/*
 * map.c - the seats of all ranks: nodes, distances, orders
 *
 * Ranks with one host key are of one host.  Its k ranks become min(k, m)
 * virtual nodes of neighbours (m = 1: one node):
 *
 *      ranks of a host, in order     0 1 2 3 4        m = 2:  0 1 2 | 3 4
 *
 * Making the map sorts twice, O(P log P).  A distance is six comparisons, an
 * order is a counting sort over the seven levels, O(P).  Memory: a seat and
 * twenty bytes a rank; nothing is kept for pairs.
 */
#include "topo/map_priv.h"

#include "base/error.h"
#include "base/size.h"

#include <stdlib.h>
#include <string.h>

struct entry {
    uint64_t host;
    uint64_t cpus;
    int rank;
};

static int compare(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;

    if (a->host != b->host) {
        return a->host < b->host ? -1 : 1;
    }
    if (a->cpus != b->cpus) {
        return a->cpus < b->cpus ? -1 : 1;
    }
    return a->rank < b->rank ? -1 : a->rank > b->rank;
}

/* Sorts ranks by host, and by their cpus inside it when that is wanted. */
static void sort(const struct rpt_map *map, bool by_cpus,
                 struct entry entries[])
{
    for (int r = 0; r < map->n_ranks; r++) {
        entries[r].host = map->seats[r].host_key;
        entries[r].cpus = by_cpus ? map->seats[r].cpus_key : 0;
        entries[r].rank = r;
    }
    qsort(entries, (size_t)map->n_ranks, sizeof *entries, compare);
}

/* End of the run of equal entries that starts at `first`. */
static int run_end(const struct entry entries[], int n, int first)
{
    int end = first + 1;

    while (end < n && entries[end].host == entries[first].host &&
           entries[end].cpus == entries[first].cpus) {
        end++;
    }
    return end;
}

/* Nodes are first numbered by host, then anew by their lowest rank. */
static void number_nodes(struct rpt_map *map, int virtual_nodes,
                         struct entry entries[], int number[])
{
    int n_raw = 0;

    sort(map, false, entries);
    for (int first = 0, end; first < map->n_ranks; first = end) {
        int k, m;

        end = run_end(entries, map->n_ranks, first);
        k = end - first;
        m = virtual_nodes < k ? virtual_nodes : k;
        for (int i = 0; i < k; i++) {
            struct rpt_place *place = &map->places[entries[first + i].rank];

            place->n_on_host = k;
            place->node = n_raw + (int)((int64_t)i * m / k);
        }
        n_raw += m;
    }
    for (int raw = 0; raw < n_raw; raw++) {
        number[raw] = -1;
    }
    for (int r = 0; r < map->n_ranks; r++) {
        int *node = &map->places[r].node;

        if (number[*node] < 0) {
            number[*node] = map->n_nodes++;
        }
        *node = number[*node];
    }
}

static void find_sharers(struct rpt_map *map, struct entry entries[])
{
    sort(map, true, entries);
    for (int first = 0, end; first < map->n_ranks; first = end) {
        end = run_end(entries, map->n_ranks, first);
        for (int i = first; i < end; i++) {
            struct rpt_place *place = &map->places[entries[i].rank];

            place->share_index = i - first;
            place->n_sharers = end - first;
        }
    }
}

rpt_status_t rpt__map_create(const struct rpt_seat seats[], int n_ranks,
                             int virtual_nodes, struct rpt_map **map_out)
{
    size_t n = (size_t)n_ranks;
    struct entry *entries;
    struct rpt_map *map;
    int *number;

    if (n_ranks < 1) {
        return rpt__fail(RPT_ERR_INVALID, "a map of %d ranks", n_ranks);
    }
    map = calloc(1, sizeof *map);
    entries = malloc(n * sizeof *entries);
    number = malloc(n * sizeof *number);
    if (map != NULL) {
        map->n_ranks = n_ranks;
        map->seats = malloc(n * sizeof *map->seats);
        map->places = malloc(n * sizeof *map->places);
    }
    if (map == NULL || entries == NULL || number == NULL ||
        map->seats == NULL || map->places == NULL) {
        free(entries);
        free(number);
        rpt__map_destroy(map);
        return rpt__fail_nomem(n * (sizeof *seats + sizeof *map->places));
    }
    memcpy(map->seats, seats, n * sizeof *seats);
    for (int r = 0; r < n_ranks; r++) {
        map->seats[r].host[RPT_SEAT_HOST_BYTES - 1] = '\0';
    }
    number_nodes(map, virtual_nodes > 1 ? virtual_nodes : 1, entries, number);
    find_sharers(map, entries);
    for (int r = 0; r < n_ranks; r++) {
        map->places[r].domain = -1;
    }
    free(entries);
    free(number);
    *map_out = map;
    return RPT_OK;
}

void rpt__map_destroy(struct rpt_map *map)
{
    if (map != NULL) {
        free(map->seats);
        free(map->places);
        free(map);
    }
}

int rpt__map_size(const struct rpt_map *map)
{
    return map->n_ranks;
}

int rpt__map_n_nodes(const struct rpt_map *map)
{
    return map->n_nodes;
}

static bool exists(const struct rpt_map *map, int rank)
{
    return rank >= 0 && rank < map->n_ranks;
}

int rpt__map_node_of(const struct rpt_map *map, int rank)
{
    return exists(map, rank) ? map->places[rank].node : -1;
}

const char *rpt__map_host_of(const struct rpt_map *map, int rank)
{
    return exists(map, rank) ? map->seats[rank].host : NULL;
}

const struct rpt_seat *rpt__map_seat(const struct rpt_map *map, int rank)
{
    return exists(map, rank) ? &map->seats[rank] : NULL;
}

rpt_level_t rpt__map_level(const struct rpt_map *map, int a, int b)
{
    if (!exists(map, a) || !exists(map, b)) {
        return RPT_LEVEL_SYSTEM;
    }
    if (a == b) {
        return RPT_LEVEL_PU;
    }
    if (map->places[a].node != map->places[b].node) {
        return RPT_LEVEL_SYSTEM;
    }
    for (int level = RPT_LEVEL_PU; level < RPT_LEVEL_NODE; level++) {
        int32_t object = map->seats[a].object[level];

        if (object >= 0 && object == map->seats[b].object[level]) {
            return (rpt_level_t)level;
        }
    }
    return RPT_LEVEL_NODE;
}

void rpt__map_order(const struct rpt_map *map, int rank, int order_out[])
{
    int next[RPT_LEVEL_SYSTEM + 1] = { 0 };
    int before = 0;

    if (!exists(map, rank)) {
        return;
    }
    for (int r = 0; r < map->n_ranks; r++) {
        if (r != rank) {
            next[rpt__map_level(map, rank, r)]++;
        }
    }
    for (int level = RPT_LEVEL_PU; level <= RPT_LEVEL_SYSTEM; level++) {
        int n = next[level];

        next[level] = before;
        before += n;
    }
    for (int i = 1; i < map->n_ranks; i++) {
        int r = (int)(((int64_t)rank + i) % map->n_ranks);

        order_out[next[rpt__map_level(map, rank, r)]++] = r;
    }
}

int rpt__map_cores_of(const struct rpt_map *map, int rank)
{
    const struct rpt_place *place;
    int64_t n_cores, i;

    if (!exists(map, rank)) {
        return 1;
    }
    place = &map->places[rank];
    n_cores = map->seats[rank].n_cores;
    i = place->share_index;
    if (place->n_sharers >= n_cores) {
        return 1;
    }
    /* as rpt__cpus_part() divides */
    return (int)((i + 1) * n_cores / place->n_sharers -
                 i * n_cores / place->n_sharers);
}
