/*
 * test_domains.c - ranks of a node, divided by what they are bound in
 *
 * Machines are synthetic: rank r of n is bound to its share of the cpus.
 */
#include "seats.h"

/* Whether these ranks, of n on the machine, are divided; expected: one letter
 * each, the same for those of one domain; "": not divided. */
static bool is_divided(const struct rpt_map *map, const int ranks[], int n,
                       const char *expected)
{
    int domain_of[64];
    bool divided = rpt__map_divide(map, ranks, n, domain_of);

    if (!divided || expected[0] == '\0') {
        return divided == (expected[0] != '\0');
    }
    for (int a = 0; a < n; a++) {
        for (int b = 0; b < n; b++) {
            if ((domain_of[a] == domain_of[b]) !=
                (expected[a] == expected[b])) {
                return false;
            }
        }
    }
    return true;
}

static bool all_are_divided(const struct rpt_map *map, const char *expected)
{
    int ranks[64], n = rpt__map_size(map);

    for (int r = 0; r < n; r++) {
        ranks[r] = r;
    }
    return is_divided(map, ranks, n, expected);
}

static void check(const char *machine, int n, const char *expected)
{
    struct rpt_map *map = map_of(machine, n);

    if (!all_are_divided(map, expected)) {
        printf("  %d ranks on %s are not %s\n", n, machine, expected);
        CU_FAIL("divided otherwise");
    }
    rpt__map_destroy(map);
}

static void the_widest_level_divides(void)
{
    check(BIG_MACHINE, 8, "AAAABBBB");
    check(BIG_MACHINE, 16, "AAAAAAAABBBBBBBB");
    check("package:2 core:2 pu:1", 4, "AABB");
    check("package:1 numa:2 l3:2 core:4 pu:1", 8, "AAAABBBB");
    check("package:1 l3:4 core:2 pu:1", 8, "AABBCCDD");
    check("package:1 core:8 pu:1", 8, "");
}

/* Without an L3 the L2 is the last cache. */
static void the_last_cache_divides(void)
{
    check("package:1 l2:2 core:2 pu:1", 4, "AABB");
}

static void domains_of_one_rank_are_none(void)
{
    check("package:2 core:1 pu:1", 2, "");
    check("package:4 core:1 pu:1", 4, "");
    check("package:2 l3:2 core:2 pu:1", 4, "AABB"); /* not four of one */
}

/* Rank 1 of 3 has half of each package. */
static void a_rank_in_two_objects_is_in_none(void)
{
    check("package:2 core:3 pu:1", 3, "");
    check("package:2 core:5 pu:1", 5, "");
}

/* All may run everywhere, as without a binding. */
static void ranks_that_are_not_bound_are_not_divided(void)
{
    struct rpt_seat seats[8];
    struct rpt_map *map;

    for (int r = 0; r < 8; r++) {
        seats[r] = seat_on(0, 8);
    }
    CU_ASSERT_EQUAL_FATAL(rpt__map_create(seats, 8, 1, &map), RPT_OK);
    CU_ASSERT(all_are_divided(map, ""));
    rpt__map_destroy(map);
    for (int r = 0; r < 8; r++) {
        seats[r].object[RPT_LEVEL_PACKAGE] = r / 4;
        seats[r].object[RPT_LEVEL_L3] = r % 4;
    }
    seats[5].object[RPT_LEVEL_PACKAGE] = -1; /* the L3 are left */
    CU_ASSERT_EQUAL_FATAL(rpt__map_create(seats, 8, 1, &map), RPT_OK);
    CU_ASSERT(all_are_divided(map, "ABCDABCD"));
    rpt__map_destroy(map);
}

static void some_of_the_ranks_are_divided_for_themselves(void)
{
    struct rpt_map *map = map_of(BIG_MACHINE, 64);

    CU_ASSERT(is_divided(map, (const int[]){ 0, 1, 2, 40 }, 4, "AAAB"));
    CU_ASSERT(is_divided(map, (const int[]){ 40, 1, 41, 0 }, 4, "ABAB"));
    CU_ASSERT(is_divided(map, (const int[]){ 0, 40, 41 }, 3, ""));
    /* of one package: by NUMA node; of one of these: by L3 */
    CU_ASSERT(is_divided(map, (const int[]){ 0, 8, 16, 24 }, 4, "AABB"));
    CU_ASSERT(is_divided(map, (const int[]){ 0, 8, 1, 9 }, 4, "ABAB"));
    CU_ASSERT(is_divided(map, (const int[]){ 0, 1, 2, 3 }, 4, ""));
    CU_ASSERT(is_divided(map, NULL, 0, ""));
    rpt__map_destroy(map);
}

static void virtual_domains_are_neighbours(void)
{
    struct rpt_map *map = map_of("package:1 core:7 pu:1", 7);

    CU_ASSERT_EQUAL(rpt__map_set_domains(map, 3), RPT_OK);
    CU_ASSERT(all_are_divided(map, "AAABBCC"));
    CU_ASSERT_EQUAL(rpt__map_set_domains(map, 4), RPT_OK);
    CU_ASSERT(all_are_divided(map, "")); /* two in the mean are wanted */
    CU_ASSERT_EQUAL(rpt__map_set_domains(map, 0), RPT_OK);
    CU_ASSERT(all_are_divided(map, ""));
    rpt__map_destroy(map);
}

static void one_virtual_domain_hides_the_real_ones(void)
{
    struct rpt_map *map = map_of("package:2 core:2 pu:1", 4);

    CU_ASSERT_EQUAL(rpt__map_set_domains(map, 1), RPT_OK);
    CU_ASSERT(all_are_divided(map, ""));
    CU_ASSERT_EQUAL(rpt__map_set_domains(map, 0), RPT_OK);
    CU_ASSERT(all_are_divided(map, "AABB"));
    rpt__map_destroy(map);
}

static void each_virtual_node_has_its_virtual_domains(void)
{
    struct rpt_seat seats[8];
    struct rpt_map *map;

    for (int r = 0; r < 8; r++) {
        seats[r] = seat_on(0, 8);
    }
    CU_ASSERT_EQUAL_FATAL(rpt__map_create(seats, 8, 2, &map), RPT_OK);
    CU_ASSERT_EQUAL(rpt__map_set_domains(map, 2), RPT_OK);
    CU_ASSERT(is_divided(map, (const int[]){ 0, 1, 2, 3 }, 4, "AABB"));
    CU_ASSERT(is_divided(map, (const int[]){ 4, 5, 6, 7 }, 4, "AABB"));
    CU_ASSERT(is_divided(map, (const int[]){ 4, 5 }, 2, ""));
    rpt__map_destroy(map);
}

int main(int argc, char *argv[])
{
    static const struct rpt_test tests[] = {
        RPT_TEST(the_widest_level_divides),
        RPT_TEST(the_last_cache_divides),
        RPT_TEST(domains_of_one_rank_are_none),
        RPT_TEST(a_rank_in_two_objects_is_in_none),
        RPT_TEST(ranks_that_are_not_bound_are_not_divided),
        RPT_TEST(some_of_the_ranks_are_divided_for_themselves),
        RPT_TEST(virtual_domains_are_neighbours),
        RPT_TEST(one_virtual_domain_hides_the_real_ones),
        RPT_TEST(each_virtual_node_has_its_virtual_domains),
        RPT_TEST_END,
    };

    return rpt_test_main("domains", tests, 60, argc, argv);
}
