/*
 * test_map.c - levels, orders, nodes, cores, warnings and texts
 *
 * Expected levels are read off the drawing of the machine in seats.h.
 */
#include "seats.h"

#include <stdbool.h>

enum { MANY = 10000, FAR_TOO_MANY = 100000 };

static void every_level_has_a_name(void)
{
    CU_ASSERT_STRING_EQUAL(rpt_level_name(RPT_LEVEL_PU), "pu");
    CU_ASSERT_STRING_EQUAL(rpt_level_name(RPT_LEVEL_CORE), "core");
    CU_ASSERT_STRING_EQUAL(rpt_level_name(RPT_LEVEL_L3), "l3");
    CU_ASSERT_STRING_EQUAL(rpt_level_name(RPT_LEVEL_NUMA), "numa");
    CU_ASSERT_STRING_EQUAL(rpt_level_name(RPT_LEVEL_PACKAGE), "package");
    CU_ASSERT_STRING_EQUAL(rpt_level_name(RPT_LEVEL_NODE), "node");
    CU_ASSERT_STRING_EQUAL(rpt_level_name(RPT_LEVEL_SYSTEM), "system");
    CU_ASSERT_STRING_EQUAL(rpt_level_name((rpt_level_t)7), "unknown");
    CU_ASSERT_STRING_EQUAL(rpt_level_name((rpt_level_t)-1), "unknown");
}

struct pair {
    int a;
    int b;
    rpt_level_t level;
};

static void check_pairs(const struct rpt_map *map, const struct pair pairs[],
                        size_t n)
{
    for (size_t i = 0; i < n; i++) {
        CU_ASSERT_EQUAL(rpt__map_level(map, pairs[i].a, pairs[i].b),
                        pairs[i].level);
        CU_ASSERT_EQUAL(rpt__map_level(map, pairs[i].b, pairs[i].a),
                        pairs[i].level);
    }
}
#define CHECK_PAIRS(map, pairs)                                                \
    check_pairs((map), (pairs), sizeof(pairs) / sizeof *(pairs))

static void ranks_of_one_hardware_thread_are_as_near_as_the_drawing_says(void)
{
    static const struct pair pairs[] = {
        { 0, 0, RPT_LEVEL_PU },        { 0, 1, RPT_LEVEL_CORE },
        { 0, 2, RPT_LEVEL_L3 },        { 0, 7, RPT_LEVEL_L3 },
        { 0, 8, RPT_LEVEL_NUMA },      { 7, 15, RPT_LEVEL_NUMA },
        { 15, 16, RPT_LEVEL_PACKAGE }, { 0, 31, RPT_LEVEL_PACKAGE },
        { 31, 32, RPT_LEVEL_NODE },    { 0, 63, RPT_LEVEL_NODE },
        { 62, 63, RPT_LEVEL_CORE },    { 55, 56, RPT_LEVEL_NUMA },
    };
    struct rpt_map *map = map_of(BIG_MACHINE, 64);

    CHECK_PAIRS(map, pairs);
    rpt__map_destroy(map);
}

static void ranks_of_a_whole_l3_share_numa_package_or_node(void)
{
    static const struct pair pairs[] = {
        { 0, 1, RPT_LEVEL_NUMA },    { 1, 2, RPT_LEVEL_PACKAGE },
        { 0, 3, RPT_LEVEL_PACKAGE }, { 3, 4, RPT_LEVEL_NODE },
        { 6, 7, RPT_LEVEL_NUMA },    { 0, 7, RPT_LEVEL_NODE },
    };
    struct rpt_map *map = map_of(BIG_MACHINE, 8);
    const struct rpt_seat *seat = rpt__map_seat(map, 5);

    CHECK_PAIRS(map, pairs);
    CU_ASSERT_EQUAL(seat->n_cores, 4);
    CU_ASSERT_EQUAL(seat->n_pus, 8);
    CU_ASSERT_EQUAL(seat->n_host_cores, 32);
    CU_ASSERT_EQUAL(seat->n_host_pus, 64);
    CU_ASSERT_EQUAL(seat->object[RPT_LEVEL_PACKAGE], 1);
    CU_ASSERT_EQUAL(seat->object[RPT_LEVEL_NUMA], 2);
    CU_ASSERT_EQUAL(seat->object[RPT_LEVEL_L3], 5);
    CU_ASSERT_EQUAL(seat->object[RPT_LEVEL_CORE], -1);
    CU_ASSERT_EQUAL(seat->object[RPT_LEVEL_PU], -1);
    rpt__map_destroy(map);
}

static void more_ranks_than_hardware_threads_share_them(void)
{
    static const struct pair pairs[] = {
        { 0, 64, RPT_LEVEL_PU },
        { 0, 65, RPT_LEVEL_CORE },
        { 63, 127, RPT_LEVEL_PU },
    };
    struct rpt_map *map = map_of(BIG_MACHINE, 128);

    CHECK_PAIRS(map, pairs);
    CU_ASSERT_EQUAL(rpt__map_cores_of(map, 100), 1);
    rpt__map_destroy(map);
}

/* Sub-NUMA clusters: one L3 over two NUMA nodes; ranks of one core each. */
static void a_cache_larger_than_a_numa_node_makes_nobody_nearer(void)
{
    static const struct pair pairs[] = {
        { 0, 1, RPT_LEVEL_NUMA },
        { 1, 2, RPT_LEVEL_PACKAGE },
        { 3, 4, RPT_LEVEL_NODE },
    };
    struct rpt_map *map = map_of("package:2 l3:1 numa:2 core:2 pu:1", 8);

    CHECK_PAIRS(map, pairs);
    rpt__map_destroy(map);
}

/* One NUMA node over two packages: same package must be nearer than not. */
static void a_numa_node_larger_than_a_package_makes_nobody_nearer(void)
{
    static const struct pair pairs[] = {
        { 0, 1, RPT_LEVEL_PACKAGE },
        { 1, 2, RPT_LEVEL_NODE },
    };
    struct rpt_map *map = map_of("numa:1 package:2 core:2 pu:1", 4);

    CHECK_PAIRS(map, pairs);
    rpt__map_destroy(map);
}

/* A NUMA node for the whole machine beside one in each package. */
static void the_smallest_numa_node_counts(void)
{
    static const struct pair pairs[] = {
        { 0, 1, RPT_LEVEL_NUMA },
        { 1, 2, RPT_LEVEL_NODE },
        { 2, 3, RPT_LEVEL_NUMA },
    };
    struct rpt_map *map = map_of("[numa] package:2 [numa] core:2 pu:1", 4);

    CHECK_PAIRS(map, pairs);
    rpt__map_destroy(map);
}

static void without_l3_the_l2_is_the_last_cache(void)
{
    static const struct pair pairs[] = {
        { 0, 1, RPT_LEVEL_L3 },
        { 1, 2, RPT_LEVEL_PACKAGE },
    };
    struct rpt_map *map = map_of("package:2 l2:2 core:2 pu:1", 8);

    CHECK_PAIRS(map, pairs);
    rpt__map_destroy(map);
}

static void an_order_is_nearest_first_and_begins_after_the_rank(void)
{
    struct rpt_map *map = map_of(BIG_MACHINE, 64);
    int order[63], i = 0;

    rpt__map_order(map, 3, order);
    CU_ASSERT_EQUAL(order[i++], 2); /* its core */
    for (int r = 4; r <= 7; r++) {  /* its L3, wrapping round */
        CU_ASSERT_EQUAL(order[i++], r);
    }
    CU_ASSERT_EQUAL(order[i++], 0);
    CU_ASSERT_EQUAL(order[i++], 1);
    for (int r = 8; r <= 63; r++) { /* NUMA node, package, node */
        CU_ASSERT_EQUAL(order[i++], r);
    }
    CU_ASSERT_EQUAL(i, 63);
    rpt__map_order(map, 40, order);
    CU_ASSERT_EQUAL(order[0], 41);
    CU_ASSERT_EQUAL(order[1], 42);
    CU_ASSERT_EQUAL(order[7], 32); /* the other L3 of its NUMA node */
    CU_ASSERT_EQUAL(order[15], 48);
    CU_ASSERT_EQUAL(order[31], 0); /* the other package, after the wrap */
    CU_ASSERT_EQUAL(order[62], 31);
    rpt__map_destroy(map);
}

/* 3 hosts, ranks dealt out round robin: 0 3 | 1 4 | 2 5. */
static void ranks_of_other_hosts_come_last(void)
{
    static const int expected[6][5] = {
        { 3, 1, 2, 4, 5 }, { 4, 2, 3, 5, 0 }, { 5, 3, 4, 0, 1 },
        { 0, 4, 5, 1, 2 }, { 1, 5, 0, 2, 3 }, { 2, 0, 1, 3, 4 },
    };
    struct rpt_seat seats[6];
    struct rpt_map *map;
    int order[5];

    for (int r = 0; r < 6; r++) {
        seats[r] = seat_on(r % 3, 2);
    }
    CU_ASSERT_EQUAL_FATAL(rpt__map_create(seats, 6, 1, &map), RPT_OK);
    CU_ASSERT_EQUAL(rpt__map_n_nodes(map), 3);
    for (int r = 0; r < 6; r++) {
        rpt__map_order(map, r, order);
        CU_ASSERT_EQUAL(memcmp(order, expected[r], sizeof order), 0);
    }
    CU_ASSERT_EQUAL(rpt__map_level(map, 0, 3), RPT_LEVEL_NODE);
    CU_ASSERT_EQUAL(rpt__map_level(map, 0, 1), RPT_LEVEL_SYSTEM);
    rpt__map_destroy(map);
}

/* Hosts whose keys fall in the numbering of their ranks, and not. */
static void nodes_are_numbered_by_their_lowest_rank(void)
{
    static const int hosts[6] = { 5, 2, 5, 9, 2, 0 };
    static const int nodes[6] = { 0, 1, 0, 2, 1, 3 };
    struct rpt_seat seats[6];
    struct rpt_map *map;

    for (int r = 0; r < 6; r++) {
        seats[r] = seat_on(hosts[r], 2);
    }
    CU_ASSERT_EQUAL_FATAL(rpt__map_create(seats, 6, 1, &map), RPT_OK);
    CU_ASSERT_EQUAL(rpt__map_n_nodes(map), 4);
    CU_ASSERT_EQUAL(rpt__map_size(map), 6);
    for (int r = 0; r < 6; r++) {
        CU_ASSERT_EQUAL(rpt__map_node_of(map, r), nodes[r]);
    }
    CU_ASSERT_STRING_EQUAL(rpt__map_host_of(map, 3), "node9");
    rpt__map_destroy(map);
}

static void check_nodes(const struct rpt_seat seats[], int n, int virtual_nodes,
                        const int nodes[])
{
    struct rpt_map *map;
    int highest = 0;

    CU_ASSERT_EQUAL_FATAL(rpt__map_create(seats, n, virtual_nodes, &map),
                          RPT_OK);
    for (int r = 0; r < n; r++) {
        CU_ASSERT_EQUAL(rpt__map_node_of(map, r), nodes[r]);
        highest = nodes[r] > highest ? nodes[r] : highest;
        for (int other = 0; other < n; other++) {
            CU_ASSERT_EQUAL(rpt__map_level(map, r, other) == RPT_LEVEL_SYSTEM,
                            nodes[r] != nodes[other]);
        }
    }
    CU_ASSERT_EQUAL(rpt__map_n_nodes(map), highest + 1);
    rpt__map_destroy(map);
}

static void virtual_nodes_cut_a_host_into_neighbours(void)
{
    struct rpt_seat seats[8];

    for (int r = 0; r < 8; r++) {
        seats[r] = seat_on(0, 2);
    }
    check_nodes(seats, 8, 2, (const int[]){ 0, 0, 0, 0, 1, 1, 1, 1 });
    check_nodes(seats, 5, 2, (const int[]){ 0, 0, 0, 1, 1 });
    check_nodes(seats, 3, 8, (const int[]){ 0, 1, 2 });
    check_nodes(seats, 3, 0, (const int[]){ 0, 0, 0 });
    check_nodes(seats, 1, 4, (const int[]){ 0 });
    for (int r = 0; r < 8; r++) {
        seats[r] = seat_on(r % 2, 2); /* 0 2 | 4 6  and  1 3 | 5 7 */
    }
    check_nodes(seats, 8, 2, (const int[]){ 0, 1, 0, 1, 2, 3, 2, 3 });
    seats[0] = seat_on(9, 2); /* alone: one node, though two are asked for */
    check_nodes(seats, 4, 2, (const int[]){ 0, 1, 2, 3 });
}

static void ranks_on_one_core_in_two_virtual_nodes_are_far(void)
{
    struct rpt_seat seats[2] = { seat_on(0, 1), seat_on(0, 1) };
    struct rpt_map *map;

    seats[0].object[RPT_LEVEL_CORE] = seats[1].object[RPT_LEVEL_CORE] = 3;
    CU_ASSERT_EQUAL_FATAL(rpt__map_create(seats, 2, 1, &map), RPT_OK);
    CU_ASSERT_EQUAL(rpt__map_level(map, 0, 1), RPT_LEVEL_CORE);
    rpt__map_destroy(map);
    CU_ASSERT_EQUAL_FATAL(rpt__map_create(seats, 2, 2, &map), RPT_OK);
    CU_ASSERT_EQUAL(rpt__map_level(map, 0, 1), RPT_LEVEL_SYSTEM);
    CU_ASSERT_EQUAL(rpt__map_level(map, 1, 1), RPT_LEVEL_PU);
    rpt__map_destroy(map);
}

static void objects_of_two_hosts_are_never_the_same(void)
{
    struct rpt_seat seats[2] = { seat_on(0, 1), seat_on(1, 1) };
    struct rpt_map *map;

    seats[0].object[RPT_LEVEL_PU] = seats[1].object[RPT_LEVEL_PU] = 0;
    CU_ASSERT_EQUAL_FATAL(rpt__map_create(seats, 2, 1, &map), RPT_OK);
    CU_ASSERT_EQUAL(rpt__map_level(map, 0, 1), RPT_LEVEL_SYSTEM);
    rpt__map_destroy(map);
}

/* 10 000 ranks: 157 hosts of 64, dealt out in blocks. */
static void ten_thousand_ranks_have_orders(void)
{
    struct rpt_seat *seats = malloc(MANY * sizeof *seats);
    int *order = malloc(MANY * sizeof *order);
    char *seen = malloc(MANY);
    struct rpt_map *map;

    for (int r = 0; r < MANY; r++) {
        seats[r] = seat_on(r / 64, 64);
        seats[r].object[RPT_LEVEL_PU] = r % 64;
        seats[r].object[RPT_LEVEL_CORE] = r % 64 / 2;
        seats[r].object[RPT_LEVEL_L3] = r % 64 / 8;
        seats[r].object[RPT_LEVEL_PACKAGE] = r % 64 / 32;
    }
    CU_ASSERT_EQUAL_FATAL(rpt__map_create(seats, MANY, 1, &map), RPT_OK);
    CU_ASSERT_EQUAL(rpt__map_n_nodes(map), 157);
    for (int rank = 0; rank < MANY; rank += 97) {
        bool good = true;
        int n_core = rank % 64 % 2 == 0 ? rank + 1 : rank - 1;
        int base = rank / 64 * 64;

        memset(seen, 0, MANY);
        rpt__map_order(map, rank, order);
        for (int i = 0; i < MANY - 1; i++) {
            good = good && order[i] >= 0 && order[i] < MANY &&
                   order[i] != rank && !seen[order[i]];
            if (!good) {
                break;
            }
            seen[order[i]] = 1;
            /* the first 63 are of its own host (but for the last host) */
            good = base + 64 > MANY || i >= 63 || order[i] / 64 == rank / 64;
        }
        CU_ASSERT_TRUE(good);
        CU_ASSERT_EQUAL(order[0], n_core);
    }
    rpt__map_destroy(map);
    free(seats);
    free(order);
    free(seen);
}

/* A method that looks at all pairs would not end in time. */
static void a_map_of_a_hundred_thousand_ranks_is_no_work(void)
{
    struct rpt_seat *seats = malloc(FAR_TOO_MANY * sizeof *seats);
    int *order = malloc(FAR_TOO_MANY * sizeof *order);
    struct rpt_map *map;

    for (int r = 0; r < FAR_TOO_MANY; r++) {
        seats[r] = seat_on(r % 1000, 8);
    }
    CU_ASSERT_EQUAL_FATAL(rpt__map_create(seats, FAR_TOO_MANY, 4, &map),
                          RPT_OK);
    CU_ASSERT_EQUAL(rpt__map_n_nodes(map), 4000);
    /* host 999 has ranks 999, 1999, ...; local 99 is in its fourth quarter */
    CU_ASSERT_EQUAL(rpt__map_node_of(map, 99999), 3999);
    rpt__map_order(map, 99999, order);
    CU_ASSERT_EQUAL(order[0], 75999);
    CU_ASSERT_EQUAL(order[23], 98999);
    CU_ASSERT_EQUAL(order[24], 0);
    rpt__map_destroy(map);
    free(seats);
    free(order);
}

static void ranks_that_may_use_the_same_cores_share_them_out(void)
{
    struct rpt_seat seats[7];
    struct rpt_map *map;
    int sum = 0;

    for (int r = 0; r < 3; r++) {
        seats[r] = seat_on(0, 8);
    }
    seats[3] = seat_on(0, 4); /* bound to other cpus */
    seats[3].cpus_key = 8;
    seats[4] = seat_on(1, 8); /* the same cpus of another host */
    seats[5] = seats[6] = seat_on(2, 1);
    CU_ASSERT_EQUAL_FATAL(rpt__map_create(seats, 7, 3, &map), RPT_OK);
    for (int r = 0; r < 3; r++) {
        int n = rpt__map_cores_of(map, r);

        CU_ASSERT_TRUE(n == 2 || n == 3);
        sum += n;
    }
    CU_ASSERT_EQUAL(sum, 8);
    CU_ASSERT_EQUAL(rpt__map_cores_of(map, 3), 4);
    CU_ASSERT_EQUAL(rpt__map_cores_of(map, 4), 8);
    CU_ASSERT_EQUAL(rpt__map_cores_of(map, 5), 1);
    CU_ASSERT_EQUAL(rpt__map_cores_of(map, 6), 1);
    rpt__map_destroy(map);
}

static void a_rank_that_does_not_exist_is_nowhere(void)
{
    struct rpt_seat seat = seat_on(0, 2);
    struct rpt_map *map = NULL;

    CU_ASSERT_EQUAL(rpt__map_create(&seat, 0, 1, &map), RPT_ERR_INVALID);
    CU_ASSERT_EQUAL(rpt__map_create(&seat, -1, 1, &map), RPT_ERR_INVALID);
    CU_ASSERT_PTR_NULL(map);
    rpt__map_destroy(NULL);
    CU_ASSERT_EQUAL_FATAL(rpt__map_create(&seat, 1, 1, &map), RPT_OK);
    for (int r = -1; r <= 1; r += 2) {
        CU_ASSERT_EQUAL(rpt__map_node_of(map, r), -1);
        CU_ASSERT_PTR_NULL(rpt__map_host_of(map, r));
        CU_ASSERT_PTR_NULL(rpt__map_seat(map, r));
        CU_ASSERT_EQUAL(rpt__map_level(map, 0, r), RPT_LEVEL_SYSTEM);
        CU_ASSERT_EQUAL(rpt__map_cores_of(map, r), 1);
    }
    rpt__map_order(map, 0, NULL); /* nobody to put in order */
    rpt__map_destroy(map);
}

static void a_host_name_without_end_is_cut(void)
{
    struct rpt_seat seat = seat_on(0, 2);
    struct rpt_map *map;

    memset(seat.host, 'x', sizeof seat.host);
    CU_ASSERT_EQUAL_FATAL(rpt__map_create(&seat, 1, 1, &map), RPT_OK);
    CU_ASSERT_EQUAL(strlen(rpt__map_host_of(map, 0)), sizeof seat.host - 1);
    rpt__map_destroy(map);
}

/* n ranks, each bound to n_pus of the 8 cores of host 0; gives the text, which
 * is "" when nothing is wrong. */
static const char *complaint(int n, int n_pus, bool same, int slots,
                             enum rpt_launcher launcher)
{
    static struct rpt_buf text = RPT_BUF_EMPTY;
    struct rpt_seat seats[8];
    struct rpt_map *map;
    bool narrow;

    for (int r = 0; r < n; r++) {
        seats[r] = seat_on(0, n_pus);
        seats[r].n_host_cores = seats[r].n_host_pus = 8;
        seats[r].cpus_key = same ? 1 : (uint64_t)r;
    }
    rpt__buf_free(&text);
    CU_ASSERT_EQUAL_FATAL(rpt__map_create(seats, n, 1, &map), RPT_OK);
    narrow = rpt__map_too_narrow(map, n - 1, slots, launcher, &text);
    CU_ASSERT_FALSE(rpt__map_too_narrow(map, n, slots, launcher, &text));
    rpt__map_destroy(map);
    rpt__buf_add(&text, "", 1);
    CU_ASSERT_EQUAL(narrow, text.data[0] != '\0');
    return text.data;
}

static void a_narrow_binding_is_told_with_the_flag_of_the_launcher(void)
{
    CU_ASSERT_STRING_EQUAL(
        complaint(2, 1, false, 4, RPT_LAUNCHER_OPENMPI),
        "rank 1 on node0 has 4 slots but is bound to 1 of 8 cpus, so its tasks "
        "would crowd there; use mpirun --map-by slot:PE=4 --bind-to core, or "
        "mpirun --bind-to none");
    CU_ASSERT_STRING_EQUAL(
        complaint(2, 1, false, 3, RPT_LAUNCHER_MPICH),
        "rank 1 on node0 has 3 slots but is bound to 1 of 8 cpus, so its tasks "
        "would crowd there; use mpirun -bind-to core:3, or mpirun -bind-to "
        "none");
    CU_ASSERT_STRING_EQUAL(
        complaint(1, 2, false, 8, RPT_LAUNCHER_OTHER),
        "rank 0 on node0 has 8 slots but is bound to 2 of 8 cpus, so its tasks "
        "would crowd there; have the launcher give each rank 8 cpus (srun "
        "--cpus-per-task=8), or bind none (srun --cpu-bind=none)");
    CU_ASSERT_PTR_NOT_NULL(
        strstr(complaint(1, 2, false, 4, RPT_LAUNCHER_NONE), "taskset"));
}

static void a_binding_that_cannot_be_wide_enough_is_to_be_left_off(void)
{
    /* 4 ranks with 4 slots each do not fit on 8 cores */
    CU_ASSERT_STRING_EQUAL(
        complaint(4, 2, false, 4, RPT_LAUNCHER_OPENMPI),
        "rank 3 on node0 has 4 slots but is bound to 2 of 8 cpus, so its tasks "
        "would crowd there; use mpirun --bind-to none");
    CU_ASSERT_PTR_NOT_NULL(strstr(complaint(4, 2, false, 4, RPT_LAUNCHER_MPICH),
                                  "there; use mpirun -bind-to none"));
    CU_ASSERT_PTR_NOT_NULL(strstr(complaint(4, 2, false, 4, RPT_LAUNCHER_OTHER),
                                  "bind no rank (srun --cpu-bind=none)"));
}

static void ranks_bound_to_the_same_cpus_have_a_part_each(void)
{
    CU_ASSERT_PTR_NOT_NULL(
        strstr(complaint(2, 4, true, 4, RPT_LAUNCHER_OPENMPI),
               "bound to 4 of 8 cpus, as 1 other rank is, so"));
    CU_ASSERT_PTR_NOT_NULL(strstr(
        complaint(3, 4, true, 2, RPT_LAUNCHER_OPENMPI)[0] ? "told" : "quiet",
        "quiet")); /* 4 cpus for 3 ranks: 2 is the larger part */
    CU_ASSERT_PTR_NOT_NULL(
        strstr(complaint(3, 4, true, 3, RPT_LAUNCHER_OPENMPI),
               "as 2 other ranks are"));
}

static void a_wide_binding_and_none_at_all_are_not_complained_of(void)
{
    CU_ASSERT_STRING_EQUAL(complaint(2, 4, false, 4, RPT_LAUNCHER_OPENMPI), "");
    CU_ASSERT_STRING_EQUAL(complaint(1, 1, false, 1, RPT_LAUNCHER_OPENMPI), "");
    /* more slots than the host has cpus, but no binding */
    CU_ASSERT_STRING_EQUAL(complaint(2, 8, true, 16, RPT_LAUNCHER_OPENMPI), "");
}

static struct rpt_buf describe(struct rpt_map *map, const char *synthetic)
{
    struct rpt_buf text = RPT_BUF_EMPTY;
    struct rpt_machine *machine = NULL;

    CU_ASSERT_EQUAL_FATAL(rpt__machine_discover(synthetic, true, &machine),
                          RPT_OK);
    rpt__map_describe(map, machine, &text);
    rpt__buf_add(&text, "", 1);
    rpt__machine_destroy(machine);
    rpt__map_destroy(map);
    return text;
}

static void a_description_has_a_line_a_rank(void)
{
    struct rpt_seat seats[2] = { seat_on(0, 4), seat_on(1, 2) };
    struct rpt_map *map;
    struct rpt_buf text;

    seats[1].object[RPT_LEVEL_PACKAGE] = 1;
    seats[1].object[RPT_LEVEL_L3] = 12;
    CU_ASSERT_EQUAL_FATAL(rpt__map_create(seats, 2, 1, &map), RPT_OK);
    text = describe(map, BIG_MACHINE);
    CU_ASSERT_STRING_EQUAL(
        text.data,
        "machine  2 packages, 4 NUMA nodes, 8 L3 caches, 32 cores, 64 hardware "
        "threads, 4.0 GiB of memory (synthetic)\n"
        "ranks    2 on 2 nodes\n"
        "  rank  node  cores  cpus  package     numa       l3     core       pu"
        "  host\n"
        "     0     0      4     4        -        -        -        -        -"
        "  node0\n"
        "     1     1      2     2        1        -       12        -        -"
        "  node1\n");
    rpt__buf_free(&text);
}

static void a_description_of_many_ranks_has_a_line_a_node(void)
{
    struct rpt_seat seats[65];
    struct rpt_map *map;
    struct rpt_buf text;

    for (int r = 0; r < 65; r++) {
        seats[r] = seat_on(r % 2, 40);
    }
    CU_ASSERT_EQUAL_FATAL(rpt__map_create(seats, 65, 1, &map), RPT_OK);
    text = describe(map, "package:1 core:1 pu:1");
    CU_ASSERT_PTR_NOT_NULL(strstr(text.data, "machine  1 package, 1 NUMA node, "
                                             "1 core, 1 hardware thread, "));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text.data, "ranks    65 on 2 nodes\n"
                          "   node  ranks  lowest  highest  cores  host\n"
                          "      0     33       0       64     40  node0\n"
                          "      1     32       1       63     40  node1\n"));
    rpt__buf_free(&text);
}

int main(int argc, char *argv[])
{
    static const struct rpt_test tests[] = {
        RPT_TEST(every_level_has_a_name),
        RPT_TEST(ranks_of_one_hardware_thread_are_as_near_as_the_drawing_says),
        RPT_TEST(ranks_of_a_whole_l3_share_numa_package_or_node),
        RPT_TEST(more_ranks_than_hardware_threads_share_them),
        RPT_TEST(a_cache_larger_than_a_numa_node_makes_nobody_nearer),
        RPT_TEST(a_numa_node_larger_than_a_package_makes_nobody_nearer),
        RPT_TEST(the_smallest_numa_node_counts),
        RPT_TEST(without_l3_the_l2_is_the_last_cache),
        RPT_TEST(an_order_is_nearest_first_and_begins_after_the_rank),
        RPT_TEST(ranks_of_other_hosts_come_last),
        RPT_TEST(nodes_are_numbered_by_their_lowest_rank),
        RPT_TEST(virtual_nodes_cut_a_host_into_neighbours),
        RPT_TEST(ranks_on_one_core_in_two_virtual_nodes_are_far),
        RPT_TEST(objects_of_two_hosts_are_never_the_same),
        RPT_TEST(ten_thousand_ranks_have_orders),
        RPT_TEST(a_map_of_a_hundred_thousand_ranks_is_no_work),
        RPT_TEST(ranks_that_may_use_the_same_cores_share_them_out),
        RPT_TEST(a_rank_that_does_not_exist_is_nowhere),
        RPT_TEST(a_host_name_without_end_is_cut),
        RPT_TEST(a_narrow_binding_is_told_with_the_flag_of_the_launcher),
        RPT_TEST(a_binding_that_cannot_be_wide_enough_is_to_be_left_off),
        RPT_TEST(ranks_bound_to_the_same_cpus_have_a_part_each),
        RPT_TEST(a_wide_binding_and_none_at_all_are_not_complained_of),
        RPT_TEST(a_description_has_a_line_a_rank),
        RPT_TEST(a_description_of_many_ranks_has_a_line_a_node),
        RPT_TEST_END,
    };

    return rpt_test_main("map", tests, 60, argc, argv);
}
