/*
 * test_coll_domains.c - collective operations of ranks in domains of a node
 *
 * Ranks are threads; rules choose the algorithms that go domain by domain
 * wherever these can do a call.
 */
#include "job.h"
#include "operations.h"

#include "collectives/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char text_of_rules[] = "allreduce bytes=64- -> multi-leader\n"
                                    "allreduce -> two-level\n"
                                    "reduce -> two-level\n"
                                    "broadcast -> two-level\n"
                                    "barrier -> two-level\n"
                                    "allgather -> two-level\n";

static char rules[64]; /* a file with these */

static void make_rules(void)
{
    FILE *file;
    int fd;

    snprintf(rules, sizeof rules, "test_coll_domains.XXXXXX");
    fd = mkstemp(rules);
    file = fd >= 0 ? fdopen(fd, "w") : NULL;
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fputs(text_of_rules, file);
    fclose(file);
}

static void run_divided(int n, const char *nodes, const char *domains,
                        struct job *job)
{
    const char *const settings[] = { "coll.rules",
                                     rules,
                                     "topo.virtual_nodes",
                                     nodes,
                                     "topo.virtual_domains",
                                     domains,
                                     NULL };

    run_job(n, settings, job);
}

/* 4 ranks 2 and 2, 7 ranks 3 and 4, and 2, 2 and 3, and two nodes of these. */
static void on_all_divisions(void (*fn)(rpt_group_t *group))
{
    struct job job = { .fn = fn };

    make_rules();
    run_divided(4, "1", "2", &job);
    if (!rpt_test_is_short()) {
        run_divided(7, "1", "2", &job);
    }
    run_divided(7, "1", "3", &job);
    run_divided(9, "2", "2", &job);
    unlink(rules);
}

#define ON_ALL_DIVISIONS(name, fn)                                             \
    static void name(void)                                                     \
    {                                                                          \
        on_all_divisions(fn);                                                  \
    }

ON_ALL_DIVISIONS(every_operation_is_right, every_operation)
ON_ALL_DIVISIONS(every_form_is_right, every_form_of_call)
ON_ALL_DIVISIONS(types_and_operators_are_right, every_type_and_operator)
ON_ALL_DIVISIONS(operators_of_users_keep_the_order, operators_of_users)
ON_ALL_DIVISIONS(blocks_may_differ, blocks_of_different_sizes)
ON_ALL_DIVISIONS(calls_in_any_order_are_right, random_calls)
ON_ALL_DIVISIONS(groups_do_not_disturb_each_other, several_groups_at_once)
ON_ALL_DIVISIONS(many_may_be_under_way, many_started_at_once)
ON_ALL_DIVISIONS(groups_may_come_and_go, groups_come_and_go)
ON_ALL_DIVISIONS(ranks_agree_to_the_bit, all_ranks_have_the_same_bits)

/* ---- which are taken ---- */

static const rpt_coll_kind_t kinds[] = { RPT_COLL_ALLREDUCE, RPT_COLL_REDUCE,
                                         RPT_COLL_BROADCAST, RPT_COLL_BARRIER,
                                         RPT_COLL_ALLGATHER };

/* Whether a line begins so in the explanation of each. */
static void explain_kinds(rpt_group_t *group, const char *line, bool is_there)
{
    float in[8] = { 0 }, out[9 * 8];

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const rpt_coll_t coll = { .kind = kinds[i],
                                  .in = in,
                                  .out = out,
                                  .count = 8,
                                  .type = RPT_TYPE_F32,
                                  .op = RPT_OP_SUM };
        rpt_plan_t *plan = NULL;
        char *text = NULL;

        CHECK(rpt_plan_create(group, &coll, &plan) == RPT_OK);
        CHECK(rpt_plan_explain(plan, &text) == RPT_OK);
        CHECK((strstr(text, line) != NULL) == is_there);
        free(text);
        CHECK(rpt_plan_start(plan) == RPT_OK && rpt_plan_wait(plan) == RPT_OK);
        rpt_plan_destroy(plan);
    }
}

static void expect_taken(rpt_group_t *group)
{
    explain_kinds(group, "\n* two-level ", true);
}

static const char cannot[] = "\n  two-level      cannot do this call";

static void expect_possible(rpt_group_t *group)
{
    explain_kinds(group, cannot, false);
}

static void expect_impossible(rpt_group_t *group)
{
    explain_kinds(group, cannot, true);
}

static void rules_may_ask_for_domains(void)
{
    on_all_divisions(expect_taken);
}

/* Where the usual numbers choose another. */
static void bound_ranks_are_in_domains(void)
{
    static const char *const two[] = { "topo.synthetic",
                                       "package:2 core:2 pu:1", "coll.rules",
                                       "none", NULL };
    static const char *const one[] = { "topo.synthetic",
                                       "package:1 core:4 pu:1", NULL };
    static const char *const hidden[] = { "topo.synthetic",
                                          "package:2 core:2 pu:1",
                                          "topo.virtual_domains", "1", NULL };
    struct job possible = { .fn = expect_possible };
    struct job impossible = { .fn = expect_impossible };

    run_job(4, two, &possible);
    run_job(4, one, &impossible);
    run_job(4, hidden, &impossible);
    run_job(2, two, &impossible); /* domains of one rank */
}

/* Ranks 0 and 3 of four are in two domains, but a group of the two is divided
 * into nothing but single ranks, and so is one of 1 and 2. */
static void divide_group(rpt_group_t *world)
{
    rpt_group_t *part = NULL;
    int rank = rpt_group_rank(world);

    CHECK(rpt_group_split(world, rank == 0 || rank == 3, rank, &part) ==
          RPT_OK);
    expect_impossible(part);
    rpt_group_destroy(part);
    CHECK(rpt_group_split(world, 0, -rank, &part) == RPT_OK);
    expect_possible(part);
    rpt_group_destroy(part);
}

static void groups_have_their_own_domains(void)
{
    static const char *const settings[] = { "topo.synthetic",
                                            "package:2 core:2 pu:1", NULL };
    struct job job = { .fn = divide_group };

    run_job(4, settings, &job);
}

static rpt_status_t status_of_forced;

static void sum_once(rpt_group_t *group)
{
    double x = rpt_group_rank(group), y = 0;
    rpt_status_t status = rpt_allreduce(group, &x, &y, 1, RPT_TYPE_F64,
                                        RPT_OP_SUM);

    CHECK(status == status_of_forced);
    CHECK(status != RPT_OK || (int)y == 6);
}

static void a_forced_one_is_obeyed_or_an_error(void)
{
    const char *settings[] = { "coll.allreduce.algorithm",
                               "two-level",
                               "topo.virtual_domains",
                               "2",
                               "coll.reproducible",
                               "no",
                               NULL };
    struct job job = { .fn = sum_once };

    status_of_forced = RPT_OK;
    run_job(4, settings, &job);
    status_of_forced = RPT_ERR_UNSUPPORTED;
    settings[3] = "1";
    run_job(4, settings, &job);
    settings[3] = "2";
    settings[5] = "yes"; /* the brackets are those of the domains */
    run_job(4, settings, &job);
}

/* One rank of the last domain makes another call. */
static void call_another(rpt_group_t *group)
{
    int rank = rpt_group_rank(group), size = rpt_group_size(group);
    double x[8] = { 0 }, y[8];
    rpt_status_t first, second;

    first = rank == size - 1
                ? rpt_barrier(group)
                : rpt_allreduce(group, x, y, 4, RPT_TYPE_F64, RPT_OP_SUM);
    second = rpt_allreduce(group, x, y, 4, RPT_TYPE_F64, RPT_OP_SUM);
    CHECK(first == RPT_ERR_MISMATCH || second == RPT_ERR_MISMATCH);
    CHECK(second < RPT_OK);
}

static void different_calls_are_an_error_on_all(void)
{
    on_all_divisions(call_another);
}

int main(int argc, char *argv[])
{
    static const struct rpt_test tests[] = {
        RPT_TEST(every_operation_is_right),
        RPT_TEST(every_form_is_right),
        RPT_TEST(types_and_operators_are_right),
        RPT_TEST(operators_of_users_keep_the_order),
        RPT_TEST(blocks_may_differ),
        RPT_TEST(calls_in_any_order_are_right),
        RPT_TEST(groups_do_not_disturb_each_other),
        RPT_TEST(many_may_be_under_way),
        RPT_TEST(groups_may_come_and_go),
        RPT_TEST(ranks_agree_to_the_bit),
        RPT_TEST(rules_may_ask_for_domains),
        RPT_TEST(bound_ranks_are_in_domains),
        RPT_TEST(groups_have_their_own_domains),
        RPT_TEST(a_forced_one_is_obeyed_or_an_error),
        RPT_TEST(different_calls_are_an_error_on_all),
        RPT_TEST_END,
    };

    return rpt_test_main("collectives domains", tests, 300, argc, argv);
}
