/*
 * seats.h - seats and maps for tests: of synthetic machines, and by hand
 */
#ifndef RPT_TESTS_TOPO_SEATS_H
#define RPT_TESTS_TOPO_SEATS_H

#include "topo/topo.h"

#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 2 packages x 2 NUMA nodes x 2 L3 x 4 cores x 2 hardware threads:
 *
 *   package  0                               1
 *   NUMA     0               1               2               3
 *   L3       0       1       2       3       4       5       6       7
 *   cores    0-3     4-7     8-11    12-15   16-19   20-23   24-27   28-31
 *   PU       0-7     8-15    16-23   24-31   32-39   40-47   48-55   56-63
 */
#define BIG_MACHINE "package:2 numa:2 l3:2 core:4 pu:2"

/* The map of n ranks on one synthetic machine; NULL when that fails. */
static inline struct rpt_map *map_of(const char *synthetic, int n)
{
    struct rpt_seat *seats = calloc((size_t)n, sizeof *seats);
    struct rpt_machine *machine = NULL;
    struct rpt_map *map = NULL;

    CU_ASSERT_EQUAL_FATAL(rpt__machine_discover(synthetic, true, &machine),
                          RPT_OK);
    for (int r = 0; r < n; r++) {
        CU_ASSERT_EQUAL(rpt__seat_take(machine, r, n, &seats[r]), RPT_OK);
    }
    CU_ASSERT_EQUAL(rpt__map_create(seats, n, 1, &map), RPT_OK);
    rpt__machine_destroy(machine);
    free(seats);
    return map;
}

/* A rank that may use all of a host with so many cores of one thread. */
static inline struct rpt_seat seat_on(int host, int n_cores)
{
    struct rpt_seat seat;

    memset(&seat, 0, sizeof seat);
    seat.host_key = UINT64_C(1000003) * (uint64_t)(host + 1);
    seat.cpus_key = 7;
    seat.n_cores = seat.n_pus = n_cores;
    seat.n_host_cores = seat.n_host_pus = n_cores;
    for (int level = 0; level < RPT_LEVEL_NODE; level++) {
        seat.object[level] = -1;
    }
    snprintf(seat.host, sizeof seat.host, "node%d", host);
    return seat;
}

#endif /* RPT_TESTS_TOPO_SEATS_H */
