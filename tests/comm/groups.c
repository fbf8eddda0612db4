/*
 * groups.c - groups: who is in them, exchanges, barriers
 */
#include "fixture.h"
#include "harness.h"
#include "messages.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

/* Every rank of the group gives its world rank; all see the list expected. */
static void check_members(struct rpt_group *group, const int expected[], int n)
{
    int mine = rpt__comm_rank(rpt__group_comm(group));
    int *all = calloc((size_t)n, sizeof *all);

    CHECK(rpt__group_size(group) == n);
    CHECK(expected[rpt__group_rank(group)] == mine);
    CHECK(rpt__group_exchange(group, "a test", &mine, sizeof mine, all) ==
          RPT_OK);
    for (int i = 0; i < n; i++) {
        CHECK(all[i] == expected[i]);
        CHECK(rpt__group_world_rank(group, i) == expected[i]);
    }
    CHECK(rpt__group_world_rank(group, n) == -1);
    CHECK(rpt__group_world_rank(group, -1) == -1);
    CHECK(rpt__group_barrier(group) == RPT_OK);
    free(all);
}

/* Ranks r with r % m == color, descending. */
static void split_by(struct rpt_comm *comm, struct rpt_group *world, int m)
{
    int rank = rpt__comm_rank(comm), size = rpt__comm_size(comm);
    int color = rank % m, n = 0;
    int *expected = calloc((size_t)size, sizeof *expected);
    struct rpt_group *part = NULL;

    for (int r = size - 1; r >= 0; r--) {
        if (r % m == color) {
            expected[n++] = r;
        }
    }
    lock(comm);
    CHECK(rpt__group_split(world, color, -rank, &part) == RPT_OK);
    check_members(part, expected, n);
    rpt__group_destroy(part);
    unlock(comm);
    free(expected);
}

void splits_into_many_colours(struct rpt_comm *comm)
{
    int rank = rpt__comm_rank(comm), size = rpt__comm_size(comm);
    struct rpt_group *world = world_of(comm), *part = world;

    for (int m = 1; m <= size; m++) {
        split_by(comm, world, m);
    }
    /* The last rank takes no part in the new group. */
    lock(comm);
    CHECK(rpt__group_split(world, rank == size - 1 ? RPT_COLOR_NONE : 7, 0,
                           &part) == RPT_OK);
    CHECK((part == NULL) == (rank == size - 1));
    if (part != NULL) {
        CHECK(rpt__group_size(part) == size - 1);
        CHECK(rpt__group_rank(part) == rank);
        CHECK(rpt__group_barrier(part) == RPT_OK);
    }
    rpt__group_destroy(part);
    rpt__group_destroy(world); /* left alone */
    unlock(comm);
    CHECK(meet(comm) == RPT_OK);
}

void a_bad_colour_fails_on_all(struct rpt_comm *comm)
{
    int rank = rpt__comm_rank(comm), size = rpt__comm_size(comm);
    struct rpt_group *world = world_of(comm), *part = world;
    rpt_status_t status;

    lock(comm);
    status = rpt__group_split(world, rank == size - 1 ? -5 : 0, 0, &part);
    CHECK(status == (rank == size - 1 ? RPT_ERR_INVALID : RPT_ERR_PEER));
    CHECK(part == world);
    unlock(comm);
    CHECK(meet(comm) == RPT_OK);
}

static void reversed_and_odd(struct rpt_comm *comm)
{
    int rank = rpt__comm_rank(comm), size = rpt__comm_size(comm), n = 0;
    int *list = calloc((size_t)size, sizeof *list);
    struct rpt_group *group = NULL;

    for (int r = size - 1; r >= 0; r--) {
        list[n++] = r;
    }
    lock(comm);
    CHECK(rpt__group_from_ranks(comm, list, n, &group) == RPT_OK);
    check_members(group, list, n);
    rpt__group_destroy(group);
    n = 0;
    for (int r = 1; r < size; r += 2) {
        list[n++] = r;
    }
    /* Again and again the same list, without anything in between. */
    for (int i = 0; rank % 2 == 1 && i < 20; i++) {
        CHECK(rpt__group_from_ranks(comm, list, n, &group) == RPT_OK);
        if (i % 5 == 0) {
            check_members(group, list, n);
        }
        rpt__group_destroy(group);
    }
    unlock(comm);
    free(list);
}

static void numbered(struct rpt_comm *comm)
{
    int size = rpt__comm_size(comm);
    int *list = calloc((size_t)size, sizeof *list);
    struct rpt_group *group = NULL, *again = NULL;

    for (int r = 0; r < size; r++) {
        list[r] = (r + 1) % size;
    }
    lock(comm);
    CHECK(rpt__group_numbered(comm, RPT_GROUP_NUMBERED + 5, list, size,
                              &group) == RPT_OK);
    CHECK(rpt__group_numbered(comm, RPT_GROUP_NUMBERED + 5, list, size,
                              &again) == RPT_ERR_EXISTS);
    check_members(group, list, size);
    rpt__group_destroy(group);
    unlock(comm);
    free(list);
}

static void bad_lists(struct rpt_comm *comm)
{
    int rank = rpt__comm_rank(comm), size = rpt__comm_size(comm);
    const int twice[] = { rank, rank }, beyond[] = { rank, size };
    const int other[] = { (rank + 1) % size };
    struct rpt_group *group = NULL;

    lock(comm);
    CHECK(rpt__group_from_ranks(comm, twice, 0, &group) == RPT_ERR_INVALID);
    CHECK(rpt__group_from_ranks(comm, twice, size + 1, &group) ==
          RPT_ERR_INVALID);
    if (size > 1) {
        CHECK(rpt__group_from_ranks(comm, twice, 2, &group) == RPT_ERR_INVALID);
        CHECK(rpt__group_from_ranks(comm, beyond, 2, &group) ==
              RPT_ERR_INVALID);
        CHECK(rpt__group_from_ranks(comm, other, 1, &group) == RPT_ERR_INVALID);
    }
    CHECK(group == NULL);
    unlock(comm);
}

void groups_of_listed_ranks(struct rpt_comm *comm)
{
    bad_lists(comm);
    reversed_and_odd(comm);
    numbered(comm);
    CHECK(meet(comm) == RPT_OK);
}

void exchanges_of_all_sizes(struct rpt_comm *comm)
{
    static const size_t sizes[] = { 0, 1, 8, 13, 4096, 50001 };
    int rank = rpt__comm_rank(comm), n = rpt__comm_size(comm);
    struct rpt_group *world = world_of(comm);

    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        size_t bytes = sizes[s];
        char *mine = malloc(bytes + 1), *all = malloc((size_t)n * bytes + 1);
        int n_bad = 0;

        memset(mine, 'a' + rank, bytes);
        lock(comm);
        CHECK(rpt__group_exchange(world, "a test", mine, bytes, all) == RPT_OK);
        unlock(comm);
        for (int r = 0; r < n; r++) {
            for (size_t i = 0; i < bytes; i++) {
                n_bad += all[(size_t)r * bytes + i] != 'a' + r;
            }
        }
        CHECK(n_bad == 0);
        free(mine);
        free(all);
    }
}

static void spend(double seconds)
{
    double until = rpt__now_s() + seconds;

    while (rpt__now_s() < until) {
    }
}

void nobody_leaves_a_barrier_early(struct rpt_comm *comm)
{
    int rank = rpt__comm_rank(comm), n = rpt__comm_size(comm);
    struct rpt_group *world = world_of(comm);
    double *all = calloc(2 * (size_t)n, sizeof *all);

    for (int round = 0; round < 40; round++) {
        double mine[2];
        int n_early = 0;

        /* Another rank is late each time. */
        if (rank == round % n) {
            spend(500e-6);
        }
        lock(comm);
        mine[0] = rpt__now_s();
        CHECK(rpt__group_barrier(world) == RPT_OK);
        mine[1] = rpt__now_s();
        CHECK(rpt__group_exchange(world, "a test", mine, sizeof mine, all) ==
              RPT_OK);
        unlock(comm);
        for (int r = 0; r < n; r++) {
            n_early += all[2 * r] > mine[1]; /* came after this rank left */
        }
        CHECK(n_early == 0);
    }
    free(all);
}

void thousands_of_groups_leave_nothing(struct rpt_comm *comm)
{
    int rank = rpt__comm_rank(comm);
    struct rpt_group *world = world_of(comm), *part = NULL;
    size_t before = 0, after;

    lock(comm);
    for (int i = 0; i < 2200; i++) {
        if (i == 200) {
            before = rpt_test_heap_bytes();
        }
        CHECK(rpt__group_split(world, (rank + i) % 3, 0, &part) == RPT_OK);
        if (i % 10 == 0) {
            CHECK(rpt__group_barrier(part) == RPT_OK);
        }
        rpt__group_destroy(part);
    }
    after = rpt_test_heap_bytes();
    /* Queues and thread caches of all ranks may differ a little. */
    CHECK(after < before + 200000);
    unlock(comm);
    CHECK(meet(comm) == RPT_OK);
}
