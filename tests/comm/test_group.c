/*
 * test_group.c - groups of ranks that are threads: members, barriers, failures
 */
#include "fixture.h"
#include "harness.h"
#include "messages.h"

#include "base/error.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void on_several_sizes(rank_fn fn)
{
    static const int sizes[] = { 1, 2, 3, 4, 7, 16 };

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        on_local_ranks(sizes[i], NULL, fn);
    }
}

static void a_split_makes_the_groups_asked_for(void)
{
    on_several_sizes(splits_into_many_colours);
}

static void a_bad_colour_is_an_error_on_all_ranks(void)
{
    on_several_sizes(a_bad_colour_fails_on_all);
}

static void a_list_makes_a_group(void)
{
    on_several_sizes(groups_of_listed_ranks);
}

static void an_exchange_gives_all_to_all(void)
{
    on_several_sizes(exchanges_of_all_sizes);
}

static void a_barrier_holds_until_all_are_there(void)
{
    on_several_sizes(nobody_leaves_a_barrier_early);
    on_local_ranks(40, NULL, nobody_leaves_a_barrier_early);
}

static void groups_come_and_go_and_leave_nothing(void)
{
    on_local_ranks(4, NULL, thousands_of_groups_leave_nothing);
}

/* ---- several threads of a rank ---- */

struct helper {
    pthread_t thread;
    struct rpt_comm *comm;
    struct rpt_group *group;
};

static void *split_often(void *arg)
{
    struct helper *helper = arg;

    for (int i = 0; i < 100; i++) {
        struct rpt_group *part = NULL;
        int rank = rpt__comm_rank(helper->comm), mine = 100 * rank + i;
        int all[4] = { 0 };

        lock(helper->comm);
        CHECK(rpt__group_split(helper->group, 0, 0, &part) == RPT_OK);
        CHECK(rpt__group_exchange(part, "a test", &mine, sizeof mine, all) ==
              RPT_OK);
        CHECK(all[3] == 300 + i);
        rpt__group_destroy(part);
        unlock(helper->comm);
    }
    return NULL;
}

static void two_threads(struct rpt_comm *comm)
{
    struct helper helpers[2] = { { .comm = comm }, { .comm = comm } };
    struct rpt_group *world = world_of(comm);

    for (int i = 0; i < 2; i++) {
        lock(comm);
        CHECK(rpt__group_split(world, 0, 0, &helpers[i].group) == RPT_OK);
        unlock(comm);
    }
    for (int i = 0; i < 2; i++) {
        pthread_create(&helpers[i].thread, NULL, split_often, &helpers[i]);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(helpers[i].thread, NULL);
        lock(comm);
        rpt__group_destroy(helpers[i].group);
        unlock(comm);
    }
    CHECK(meet(comm) == RPT_OK);
}

static void threads_of_a_rank_work_in_groups_of_their_own(void)
{
    on_local_ranks(4, NULL, two_threads);
}

/* ---- calls that do not fit ---- */

static void different_calls(struct rpt_comm *comm)
{
    struct rpt_group *world = world_of(comm);
    int mine = 1, all[3];
    rpt_status_t status;

    lock(comm);
    status = rpt__comm_rank(comm) == 0
                 ? rpt__group_barrier(world)
                 : rpt__group_exchange(world, "a test", &mine, sizeof mine,
                                       all);
    CHECK(status == RPT_ERR_MISMATCH);
    CHECK(rpt__group_barrier(world) == RPT_ERR_STATE);
    unlock(comm);
}

static void different_sizes(struct rpt_comm *comm)
{
    struct rpt_group *world = world_of(comm);
    char mine[2] = "", all[6];
    rpt_status_t status;

    lock(comm);
    status = rpt__group_exchange(world, "a test", mine,
                                 rpt__comm_rank(comm) == 0 ? 2 : 1, all);
    CHECK(status == RPT_ERR_MISMATCH);
    unlock(comm);
}

static void calls_that_do_not_fit_are_found(void)
{
    on_local_ranks(3, NULL, different_calls);
    on_local_ranks(2, NULL, different_calls);
    on_local_ranks(3, NULL, different_sizes);
}

/* ---- ranks that do not come ---- */

/* The case that a test looks at; all ranks of a process see it. */
static struct {
    const int *missing; /* ends with -1 */
    const char *names;  /* what must be named, in order */
} late;

static bool is_missing(int rank)
{
    for (const int *m = late.missing; *m >= 0; m++) {
        if (*m == rank) {
            return true;
        }
    }
    return false;
}

/* Takes the host names out: "rank 2 on node, rank 3 on node" -> "2 3". */
static void names_in(const char *text, char *names, size_t bytes)
{
    size_t used = 0;

    names[0] = '\0';
    text = strstr(text, " s for ");
    while (text != NULL && (text = strstr(text, "rank ")) != NULL) {
        used += (size_t)snprintf(names + used, bytes - used, "%s%d",
                                 used > 0 ? " " : "", atoi(text + 5));
        text += 5;
    }
}

static void check_names(const char *text)
{
    char names[256], host[64] = "";

    names_in(text, names, sizeof names);
    CHECK(strcmp(names, late.names) == 0);
    gethostname(host, sizeof host - 1);
    CHECK(strstr(text, host) != NULL);
}

static bool has_failed(void *arg)
{
    return ((const struct rpt_group *)arg)->failed != RPT_OK;
}

static void wait_past_the_deadline(struct rpt_comm *comm)
{
    struct rpt_group *world = world_of(comm), *part = NULL;
    rpt_status_t status;

    lock(comm);
    if (is_missing(rpt__comm_rank(comm))) {
        CHECK(rpt__comm_wait(comm, has_failed, world, -1) == RPT_OK);
    }
    status = rpt__group_barrier(world);
    if (is_missing(rpt__comm_rank(comm))) {
        CHECK(status == RPT_ERR_STATE);
        CHECK(strstr(rpt_last_error()->why, " s for ") != NULL);
    } else {
        CHECK(status == RPT_ERR_TIMEOUT);
        check_names(rpt_last_error()->what);
        CHECK(strstr(rpt_last_error()->hint, "comm.deadline_s") != NULL);
    }
    CHECK(rpt__group_barrier(world) == RPT_ERR_STATE);
    CHECK(rpt__group_split(world, 0, 0, &part) == RPT_ERR_STATE);
    rpt__group_destroy(part);
    unlock(comm);
}

static void expect(const int *missing, const char *names)
{
    late.missing = missing;
    late.names = names;
}

#define LIST(...) ((const int[]){ __VA_ARGS__, -1 })

static void a_deadline_names_those_who_are_missing(void)
{
    static const char *const deadline[] = { "comm.deadline_s", "0.6",
                                            "comm.warn_s", "0", NULL };

    expect(LIST(1), "1");
    on_local_ranks(2, deadline, wait_past_the_deadline);
    expect(LIST(0), "0");
    on_local_ranks(2, deadline, wait_past_the_deadline);
    expect(LIST(2), "2");
    on_local_ranks(4, deadline, wait_past_the_deadline);
    expect(LIST(0, 1), "0 1");
    on_local_ranks(4, deadline, wait_past_the_deadline);
    expect(LIST(1, 5), "1 5");
    on_local_ranks(7, deadline, wait_past_the_deadline);
}

/* 40 ranks: 17 ... 32 are below 1, 33 ... 39 below 2. */
static void a_deadline_names_them_in_a_deep_tree(void)
{
    static const char *const deadline[] = { "comm.deadline_s", "1.5",
                                            "comm.warn_s", "0", NULL };

    expect(LIST(20, 25), "20 25");
    on_local_ranks(40, deadline, wait_past_the_deadline);
    expect(LIST(0, 20), "0 20");
    on_local_ranks(40, deadline, wait_past_the_deadline);
    expect(LIST(1), "1");
    on_local_ranks(40, deadline, wait_past_the_deadline);
    expect(LIST(17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32,
                33, 34),
           "17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32");
    on_local_ranks(40, deadline, wait_past_the_deadline);
}

/* Those who are missing come as soon as somebody has warned. */
static void wait_for_the_warning(struct rpt_comm *comm)
{
    struct rpt_group *world = world_of(comm);

    if (is_missing(rpt__comm_rank(comm))) {
        await_warning();
    }
    lock(comm);
    CHECK(rpt__group_barrier(world) == RPT_OK);
    CHECK(rpt__group_barrier(world) == RPT_OK);
    unlock(comm);
}

static void warn_about(int n_ranks, const int *missing, const char *names)
{
    static const char *const settings[] = { "comm.warn_s", "0.8", NULL };

    expect(missing, names);
    watch_warnings();
    on_local_ranks(n_ranks, settings, wait_for_the_warning);
    stop_watching();
    CHECK(n_warnings() == 1);
    check_names(last_warning());
    CHECK(strstr(last_warning(), "has waited 0.8 s for") != NULL);
}

static void one_warning_names_those_who_are_missing(void)
{
    warn_about(2, LIST(1), "1");
    warn_about(2, LIST(0), "0");
    warn_about(4, LIST(1, 3), "1 3");
    warn_about(4, LIST(0, 1), "0 1");
    warn_about(40, LIST(21), "21");
    warn_about(40, LIST(0, 38), "0 38");
}

/* A group that failed can be released, and its ranks work in others. */
static void fail_in_a_part(struct rpt_comm *comm)
{
    struct rpt_group *world = world_of(comm), *part = NULL;
    int rank = rpt__comm_rank(comm);

    lock(comm);
    for (int i = 0; i < 3; i++) {
        CHECK(rpt__group_split(world, rank % 2, 0, &part) == RPT_OK);
        if (rank == 1) {
            CHECK(rpt__group_barrier(part) == RPT_ERR_TIMEOUT);
        }
        rpt__group_destroy(part);
    }
    CHECK(rpt__group_split(world, 1, 0, &part) == RPT_OK);
    CHECK(rpt__group_size(part) == 4);
    rpt__group_destroy(part);
    unlock(comm);
}

static void a_group_that_failed_can_be_released(void)
{
    static const char *const deadline[] = { "comm.deadline_s", "0.2", NULL };

    on_local_ranks(4, deadline, fail_in_a_part);
}

/* The exchange of rank 0 ends by its deadline; rank 1 learns of it. */
static void exchange_alone(struct rpt_comm *comm)
{
    struct rpt_group *world = world_of(comm);
    int mine = 0, all[2];

    lock(comm);
    if (rpt__comm_rank(comm) == 0) {
        CHECK(rpt__group_exchange(world, "a test", &mine, sizeof mine, all) ==
              RPT_ERR_TIMEOUT);
        CHECK(strstr(rpt_last_error()->what, "for rank 1 on ") != NULL);
    } else {
        CHECK(rpt__comm_wait(comm, has_failed, world, -1) == RPT_OK);
        CHECK(rpt__group_exchange(world, "a test", &mine, sizeof mine, all) ==
              RPT_ERR_STATE);
    }
    unlock(comm);
}

static void an_exchange_has_a_deadline(void)
{
    static const char *const deadline[] = { "comm.internal_deadline_s", "1",
                                            NULL };

    on_local_ranks(2, deadline, exchange_alone);
}

/* Nobody reads: the ring is full when it is told each time. */
static void a_failure_is_told_once(void)
{
    static const char *const small_ring[] = { "comm.ring_bytes", "64KiB",
                                              NULL };
    rpt_options_t *options = options_with(small_ring);
    struct rpt_comm *comms[2] = { NULL };
    struct rpt_group *world;

    CU_ASSERT_EQUAL_FATAL(rpt__comm_create_local(2, options, NULL, comms),
                          RPT_OK);
    rpt_options_destroy(options);
    world = world_of(comms[0]);
    lock(comms[1]);
    lock(comms[0]);
    for (int i = 0; i < 2000; i++) {
        rpt_status_t status = rpt__fail(RPT_ERR_INVALID, "failure %d", i);

        CU_ASSERT_EQUAL(rpt__group_fail(world, status), RPT_ERR_INVALID);
    }
    CU_ASSERT_STRING_EQUAL(rpt_last_error()->what, "failure 0");
    CU_ASSERT_EQUAL(rpt__comm_backlog(comms[0], 1), 0);
    unlock(comms[0]);
    unlock(comms[1]);
    rpt__comm_destroy(comms[1]);
    rpt__comm_destroy(comms[0]);
}

int main(int argc, char *argv[])
{
    static const struct rpt_test tests[] = {
        RPT_TEST(a_split_makes_the_groups_asked_for),
        RPT_TEST(a_bad_colour_is_an_error_on_all_ranks),
        RPT_TEST(a_list_makes_a_group),
        RPT_TEST(an_exchange_gives_all_to_all),
        RPT_TEST(a_barrier_holds_until_all_are_there),
        RPT_TEST(groups_come_and_go_and_leave_nothing),
        RPT_TEST(threads_of_a_rank_work_in_groups_of_their_own),
        RPT_TEST(calls_that_do_not_fit_are_found),
        RPT_TEST(a_deadline_names_those_who_are_missing),
        RPT_TEST(a_deadline_names_them_in_a_deep_tree),
        RPT_TEST(one_warning_names_those_who_are_missing),
        RPT_TEST(a_group_that_failed_can_be_released),
        RPT_TEST(an_exchange_has_a_deadline),
        RPT_TEST(a_failure_is_told_once),
        RPT_TEST_END
    };

    return rpt_test_main("test_group", tests, 120, argc, argv);
}
