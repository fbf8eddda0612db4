/*
 * giving.c - calls in which some ranks wait for nobody, and that do not fit
 */
#include "giving.h"

#include "ahead.h"
#include "collectives/plan.h"
#include "job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { N_WAYS = 6 };
static int pair; /* of calls */

/* Two calls in which some wait for nobody; the last rank has another part in
 * the first one, or comes with another count. */
static void two_calls_that_wait_for_nobody(rpt_group_t *group)
{
    static const size_t sizes[] = { 1, 20, 3000 };
    int last = rpt_group_size(group) - 1;
    bool is_last = rpt_group_rank(group) == last;
    int kind = pair % AHEAD_N_GIVING;
    int next = pair / AHEAD_N_GIVING % AHEAD_N_GIVING;
    int way = pair / AHEAD_N_GIVING / AHEAD_N_GIVING;
    size_t count = way >= 4 ? 1 : sizes[way % 3];
    double *x = calloc(2 * AHEAD_ELEMENTS, sizeof *x), *y = x + AHEAD_ELEMENTS;
    const struct ahead_call good = { kind, count, 0, 0 };
    const struct ahead_call bad = { kind, way >= 4 ? 3000 : count + (way < 3),
                                    way % 2 == 1 && way >= 3 ? last : 0, 0 };
    const struct ahead_call behind = { next, 1, way % 2 == 0 ? 0 : last, 0 };
    rpt_status_t first, second;

    if (pair % 2 == 1) { /* the comparison of every second call comes first */
        CHECK(rpt_broadcast(group, x, 1, RPT_TYPE_F64, 0) == RPT_OK);
    }
    first = ahead_call(group, is_last ? bad : good, x, y);
    second = ahead_call(group, behind, x, y);
    if (way != 3 || kind < AHEAD_N_ROOTED) { /* the others have none */
        CHECK(first == RPT_ERR_MISMATCH || second == RPT_ERR_MISMATCH);
        CHECK(second < RPT_OK);
        CHECK(strstr(second == RPT_ERR_MISMATCH ? rpt_last_error()->what
                                                : rpt_last_error()->why,
                     "rank") != NULL);
    }
    free(x);
}

void who_waits_for_nobody_is_told_in_the_next_call(void)
{
    static const char *const layouts[][3] = { { NULL },
                                              { "topo.virtual_domains", "2" },
                                              { "topo.virtual_nodes", "2" },
                                              { "topo.virtual_nodes", "4" },
                                              { "comm.shared_bytes", "0" } };
    int n_calls = AHEAD_N_GIVING * AHEAD_N_GIVING * N_WAYS;
    bool is_short = rpt_test_is_short();

    for (int n = is_short ? 3 : 2; n <= (is_short ? 3 : 4); n++) {
        for (size_t k = 0; k < 5; k++) {
            int step = is_short || n != 3 ? 5 : 1;

            if (k >= 2 && getenv("RPT_TEST_LONG") == NULL) {
                step = 37; /* by messages it may take two seconds to see it */
            }
            for (pair = n % step; pair < n_calls; pair += step) {
                struct job job = { .fn = two_calls_that_wait_for_nobody };

                run_job(n, layouts[k], &job);
            }
        }
    }
}

/* ---- the last rank is late ---- */

static _Atomic uint32_t n_done;

/* The others are in their second call before it begins another first one. */
static void the_last_begins_when_others_have_gone_on(rpt_group_t *group)
{
    enum { MANY = 1 << 18 };
    int last = rpt_group_size(group) - 1;
    bool is_last = rpt_group_rank(group) == last;
    double *x = calloc(MANY, sizeof *x);
    rpt_status_t first, second = RPT_OK;

    if (is_last) {
        await(&n_done, (uint32_t)last);
        /* Time for them to end it, which they must not: nothing tells that. */
        nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
    }
    first = rpt_broadcast(group, x, is_last ? 2 : 1, RPT_TYPE_F64, 0);
    count_up(&n_done);
    if (!is_last) {
        second = rpt_broadcast(group, x, MANY, RPT_TYPE_F64, 0);
        CHECK(first == RPT_OK && second == RPT_ERR_MISMATCH);
    } else {
        CHECK(first == RPT_ERR_MISMATCH);
    }
    free(x);
}

void who_waits_for_some_is_told_in_the_next_call(void)
{
    static const char *const layouts[][5] = {
        { "coll.broadcast.algorithm", "staged", NULL },
        { "coll.broadcast.algorithm", "two-level", "topo.virtual_domains", "2",
          NULL },
        { "topo.virtual_nodes", "2", NULL },
        { "topo.virtual_nodes", "4", NULL },
        { "comm.shared_bytes", "0", NULL },
    };

    for (size_t k = 0; k < 5; k++) {
        struct job job = { .fn = the_last_begins_when_others_have_gone_on };

        n_done = 0;
        run_job(4, layouts[k], &job);
    }
}

static void the_last_does_not_come(rpt_group_t *group)
{
    int rank = rpt_group_rank(group), size = rpt_group_size(group), x = rank;
    char name[64];

    if (rank == size - 1) {
        await(&n_done, (uint32_t)size - 1);
        return;
    }
    CHECK(rpt_broadcast(group, &x, 1, RPT_TYPE_I32, 0) == RPT_OK && x == 0);
    CHECK(rpt_broadcast(group, &x, 1, RPT_TYPE_I32, 0) == RPT_ERR_TIMEOUT);
    if (rank == 0) {
        snprintf(name, sizeof name, "too long for rank %d on", size - 1);
        CHECK(strstr(rpt_last_error()->what, name) != NULL);
        CHECK(strstr(rpt_last_error()->what, ", rank") == NULL);
    }
    count_up(&n_done);
}

void who_gives_again_names_who_did_not_come(void)
{
    static const char *const layouts[][5] = {
        { "coll.deadline_s", "1", NULL },
        { "coll.deadline_s", "1", "topo.virtual_nodes", "2", NULL },
        { "coll.deadline_s", "1", "comm.shared_bytes", "0", NULL },
    };

    for (int n = 2; n <= 4; n++) {
        for (size_t k = 0; k < 3; k++) {
            struct job job = { .fn = the_last_does_not_come };

            n_done = 0;
            run_job(n, layouts[k], &job);
        }
    }
}

/* ---- how often ranks wait for it ---- */

/* To tell one and hear from one, in two rounds, are four steps; the broadcast
 * has fewer. */
static bool compares(rpt_plan_t *plan)
{
    uint64_t before = plan->run.n_taken;

    CHECK(rpt_plan_start(plan) == RPT_OK);
    CHECK(rpt_plan_wait(plan) == RPT_OK);
    return plan->run.n_taken - before >= 4;
}

static void every_second_one_compares(rpt_group_t *group)
{
    int x = 1;
    const rpt_coll_t call = {
        .kind = RPT_COLL_BROADCAST, .out = &x, .count = 1, .type = RPT_TYPE_I32
    };
    rpt_plan_t *plan;

    CHECK(rpt_plan_create(group, &call, &plan) == RPT_OK);
    for (int i = 0; i < 4; i++) {
        CHECK(!compares(plan));
        CHECK(compares(plan));
    }
    CHECK(!compares(plan));
    CHECK(rpt_barrier(group) == RPT_OK); /* which waits for all */
    CHECK(!compares(plan));
    CHECK(compares(plan));
    rpt_plan_destroy(plan);
}

void every_second_call_by_messages_compares_what_ranks_call(void)
{
    static const char *const layouts[][3] = {
        { "topo.virtual_nodes", "2" },
        { "topo.virtual_nodes", "4" },
        { "comm.shared_bytes", "0" },
    };

    for (size_t k = 0; k < 3; k++) {
        struct job job = { .fn = every_second_one_compares };

        run_job(4, layouts[k], &job);
    }
}

/* ---- calls by chance ---- */

static unsigned seed;

static void calls_by_chance(rpt_group_t *group)
{
    double *in = calloc(2 * AHEAD_ELEMENTS, sizeof *in);

    ahead_run(group, seed, in, in + AHEAD_ELEMENTS);
    free(in);
}

void who_ends_a_call_knows_that_all_have_begun_the_one_before(void)
{
    static const char *const layouts[][9] = {
        { NULL },
        { "topo.virtual_domains", "2", NULL },
        { "topo.virtual_nodes", "2", NULL },
        { "comm.shared_bytes", "0", NULL },
        { "coll.broadcast.algorithm", "binomial", "coll.scan.algorithm",
          "doubling", "coll.gather.algorithm", "linear",
          "coll.exscan.algorithm", "chain", NULL },
        { "coll.reduce.algorithm", "binomial", "coll.scatter.algorithm",
          "linear", NULL },
        { "coll.stage_bytes", "4096", "topo.virtual_domains", "2", NULL },
        { "coll.check", "full", NULL },
    };
    static const int sizes[] = { 2, 3, 5 };

    for (unsigned i = 0; i < 3; i++) {
        for (unsigned k = 0; k < 8; k++) {
            struct job job = { .fn = calls_by_chance };

            seed = 8 * i + k;
            run_job(sizes[i], layouts[k], &job);
        }
    }
}
