/*
 * test_wish.c - who only writes stores as those want who read
 */
#include "job.h"

#include "collectives/plan.h"

#include <stdlib.h>

enum { N_RANKS = 3, BYTES = N_RANKS * 6 * 1024 };

static rpt_plan_t *plan_of(rpt_group_t *group, const rpt_coll_t *coll)
{
    rpt_plan_t *plan = NULL;

    CHECK(rpt_plan_create(group, coll, &plan) == RPT_OK);
    return plan;
}

static rpt_plan_t *broadcast_from(rpt_group_t *group, void *buffer, int root)
{
    rpt_coll_t coll = { .kind = RPT_COLL_BROADCAST,
                        .out = buffer,
                        .count = BYTES,
                        .type = RPT_TYPE_U8,
                        .root = root };

    return plan_of(group, &coll);
}

static rpt_plan_t *broadcast_of(rpt_group_t *group, void *buffer)
{
    return broadcast_from(group, buffer, 0);
}

static struct rpt_pace *pace_of(const struct rpt_run *run)
{
    return &run->team->paces[run->role][run->pace];
}

/* Each of the two that read finds something; what the root does then. */
static void let_find(rpt_plan_t *plan, const bool are_usual[N_RANKS])
{
    int rank = plan->run.team->rank;

    if (rank > 0) {
        pace_of(&plan->run)->is_usual = are_usual[rank];
        rpt__wish_tell(&plan->run);
    }
    CHECK(rpt_barrier(plan->run.team->group) == RPT_OK);
}

static void most_decide(rpt_group_t *group)
{
    static const bool found[4][N_RANKS] = {
        { false, true, true },
        { false, false, false },
        { false, true, false },
        { false, true, true },
    };
    char *buffer = malloc(BYTES);
    rpt_plan_t *plan = broadcast_of(group, buffer);
    bool is_root = rpt_group_rank(group) == 0;

    CHECK(plan->run.only_writes == is_root);
    pace_of(&plan->run)->is_usual = true; /* nobody has found anything */
    rpt__wish_ask(&plan->run);
    CHECK(pace_of(&plan->run)->is_usual);
    for (int i = 0; i < 4; i++) {
        let_find(plan, found[i]);
        rpt__wish_ask(&plan->run);
        CHECK(!is_root ||
              pace_of(&plan->run)->is_usual == (found[i][1] && found[i][2]));
        CHECK(rpt_barrier(group) == RPT_OK);
    }
    rpt_plan_destroy(plan);
    free(buffer);
}

static void the_root_does_as_most_readers_want(void)
{
    struct job job = { .fn = most_decide };

    run_job(N_RANKS, NULL, &job);
}

static void tell(rpt_plan_t *plan, bool is_usual)
{
    pace_of(&plan->run)->is_usual = is_usual;
    rpt__wish_tell(&plan->run);
}

/* Rank 1 was the root before, and rank 0 has read then: only rank 2 has found
 * how it reads what rank 0 stores. */
static void root_moves(rpt_group_t *group)
{
    char *buffer = malloc(BYTES);
    rpt_plan_t *before = broadcast_from(group, buffer, 1);
    rpt_plan_t *plan = broadcast_of(group, buffer);
    int rank = rpt_group_rank(group);

    if (rank < 2) {
        tell(before, false);
    } else {
        tell(plan, true);
    }
    CHECK(rpt_barrier(group) == RPT_OK);
    if (rank == 0) {
        pace_of(&plan->run)->is_usual = false;
        rpt__wish_ask(&plan->run);
        CHECK(pace_of(&plan->run)->is_usual);
    }
    CHECK(rpt_barrier(group) == RPT_OK);
    rpt_plan_destroy(before);
    rpt_plan_destroy(plan);
    free(buffer);
}

static void only_those_who_read_from_it_count(void)
{
    struct job job = { .fn = root_moves };

    run_job(N_RANKS, NULL, &job);
}

static void two_kinds(rpt_group_t *group)
{
    char *buffer = malloc((size_t)2 * BYTES);
    rpt_coll_t coll = { .kind = RPT_COLL_SCATTER,
                        .in = buffer,
                        .out = buffer + BYTES,
                        .count = BYTES / N_RANKS,
                        .type = RPT_TYPE_U8 };
    rpt_plan_t *plan = plan_of(group, &coll);
    rpt_plan_t *other = broadcast_of(group, buffer);
    int rank = rpt_group_rank(group);

    CHECK(plan->run.pace == other->run.pace);
    if (rank > 0) {
        tell(other, false);
    }
    CHECK(rpt_barrier(group) == RPT_OK);
    if (rank == 0) {
        CHECK(plan->run.only_writes);
        pace_of(&plan->run)->is_usual = true;
        rpt__wish_ask(&plan->run);
        CHECK(pace_of(&plan->run)->is_usual);
    }
    CHECK(rpt_barrier(group) == RPT_OK);
    rpt_plan_destroy(plan);
    rpt_plan_destroy(other);
    free(buffer);
}

static void other_kinds_do_not_count(void)
{
    struct job job = { .fn = two_kinds };

    run_job(N_RANKS, NULL, &job);
}

static void run(rpt_plan_t *plan, int n)
{
    for (int i = 0; i < n; i++) {
        CHECK(rpt_plan_start(plan) == RPT_OK);
        CHECK(rpt_plan_wait(plan) == RPT_OK);
    }
}

/* Behind a trial, and through the next one. */
static void calls_go_so(rpt_group_t *group)
{
    static const bool usual[N_RANKS] = { false, true, true };
    static const bool past[N_RANKS] = { false, false, false };
    char *buffer = calloc(1, BYTES);
    rpt_plan_t *plan = broadcast_of(group, buffer);
    bool is_root = rpt_group_rank(group) == 0;

    run(plan, 100);
    let_find(plan, past);
    run(plan, 1);
    CHECK(!is_root || plan->run.trial.is_past);
    CHECK(rpt_barrier(group) == RPT_OK);
    let_find(plan, usual);
    run(plan, 1);
    CHECK(!is_root || !plan->run.trial.is_past);
    CHECK(rpt_barrier(group) == RPT_OK);
    run(plan, 1000);
    rpt_plan_destroy(plan);
    free(buffer);
}

static void its_calls_store_so(void)
{
    struct job job = { .fn = calls_go_so };

    run_job(N_RANKS, NULL, &job);
}

/* What a trial has found is told: then the root takes it, whatever it was told
 * before. */
static void a_trial_ends(rpt_group_t *group)
{
    char *buffer = calloc(1, BYTES);
    rpt_plan_t *plan = broadcast_of(group, buffer);
    int rank = rpt_group_rank(group), usual;

    run(plan, 100);
    usual = rank > 0 && pace_of(&plan->run)->is_usual;
    CHECK(rpt_allreduce(group, RPT_IN_PLACE, &usual, 1, RPT_TYPE_I32,
                        RPT_OP_SUM) == RPT_OK);
    if (rank == 0) {
        pace_of(&plan->run)->is_usual = usual < N_RANKS - 1;
        rpt__wish_ask(&plan->run);
        CHECK(pace_of(&plan->run)->is_usual == (usual == N_RANKS - 1));
    }
    rpt_plan_destroy(plan);
    free(buffer);
}

static void readers_tell_what_they_found(void)
{
    struct job job = { .fn = a_trial_ends };

    run_job(N_RANKS, NULL, &job);
}

/* Who waits for others knows by its own time. */
static void all_wait(rpt_group_t *group)
{
    double x[2] = { 0 };
    rpt_coll_t coll = { .kind = RPT_COLL_ALLREDUCE,
                        .in = x,
                        .out = x + 1,
                        .count = 1,
                        .type = RPT_TYPE_F64,
                        .op = RPT_OP_SUM };
    rpt_plan_t *plan = NULL;

    CHECK(rpt_plan_create(group, &coll, &plan) == RPT_OK);
    CHECK(!plan->run.only_writes);
    rpt_plan_destroy(plan);
}

static void in_an_all_reduce_nobody_only_writes(void)
{
    struct job job = { .fn = all_wait };

    run_job(N_RANKS, NULL, &job);
}

static const struct rpt_test tests[] = {
    RPT_TEST(the_root_does_as_most_readers_want),
    RPT_TEST(only_those_who_read_from_it_count),
    RPT_TEST(other_kinds_do_not_count),
    RPT_TEST(its_calls_store_so),
    RPT_TEST(readers_tell_what_they_found),
    RPT_TEST(in_an_all_reduce_nobody_only_writes),
    RPT_TEST_END,
};

int main(int argc, char *argv[])
{
    return rpt_test_main("collectives wish", tests, 120, argc, argv);
}
