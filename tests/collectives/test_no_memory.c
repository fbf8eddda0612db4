/*
 * test_no_memory.c - memory ends, at each allocation in turn
 *
 * Something is made again and again, and of what this thread allocates for that
 * the first fails, then the second, and so on, until it is made without one
 * failing.  Each time before RPT_ERR_NOMEM is told and nothing is given.
 * What is not released then, and what is used that is not there, sanitizers
 * find.
 *
 * Only calls that wait for nobody, or that agree: elsewhere a rank without
 * memory takes no part, and the others miss it.  Starts of a plan need none.
 */
#include "allocations.h"
#include "job.h"

#include <stdlib.h>
#include <string.h>

/* Makes something and releases it; *is_given: the output was set. */
typedef rpt_status_t (*make_fn)(void *user, bool *is_given);

/* How often it failed. */
static unsigned fail_in_turn(make_fn make, void *user)
{
    unsigned n_failed = 0, left = 0;

    for (unsigned n = 1; left == 0; n++) {
        bool is_given = false;
        rpt_status_t status;

        rpt_test_fails_in = n;
        status = make(user, &is_given);
        left = rpt_test_fails_in;
        rpt_test_fails_in = 0;
        n_failed += status != RPT_OK;
        CHECK(is_given == (status == RPT_OK));
        CHECK(status == (left > 0 ? RPT_OK : RPT_ERR_NOMEM));
        if (status != RPT_OK) {
            CHECK(rpt_last_error()->status == status);
            CHECK(rpt_last_error()->what[0] != '\0');
        }
    }
    return n_failed;
}

/* ---- contexts ---- */

static rpt_status_t make_contexts(void *user, bool *is_given)
{
    rpt_context_t *contexts[3] = { NULL, NULL, NULL };
    rpt_status_t status = rpt_context_create_local(3, NULL, contexts);
    unsigned left = rpt_test_fails_in;

    (void)user;
    rpt_test_fails_in = 0;
    for (int r = 0; r < 3; r++) {
        *is_given |= contexts[r] != NULL;
        rpt_context_destroy(contexts[r]);
    }
    rpt_test_fails_in = left;
    return status;
}

static void contexts_are_made_whole_or_not_at_all(void)
{
    CU_ASSERT(fail_in_turn(make_contexts, NULL) > 10);
}

static rpt_status_t describe(void *user, bool *is_given)
{
    char *text = NULL;
    rpt_status_t status = rpt_context_describe(user, &text);

    *is_given = text != NULL;
    free(text);
    return status;
}

static rpt_status_t take_buffer(void *user, bool *is_given)
{
    void *buffer = NULL;
    rpt_status_t status = rpt_buffer_alloc(user, 100000, &buffer);

    *is_given = buffer != NULL;
    rpt_buffer_free(user, buffer);
    return status;
}

static void with_a_context(make_fn make)
{
    rpt_context_t *context = NULL;

    CU_ASSERT_EQUAL_FATAL(rpt_context_create_local(1, NULL, &context), RPT_OK);
    CU_ASSERT(fail_in_turn(make, context) > 0);
    rpt_context_destroy(context);
}

static void what_a_context_gives_is_whole_or_an_error(void)
{
    with_a_context(describe);
    with_a_context(take_buffer);
}

/* ---- options ---- */

static rpt_status_t copy_options(void *user, bool *is_given)
{
    rpt_options_t *options = NULL;
    rpt_status_t status = rpt_options_create(&options);

    (void)user;
    *is_given = options != NULL;
    rpt_options_destroy(options);
    return status;
}

static void options_are_made_whole_or_not_at_all(void)
{
    CU_ASSERT(fail_in_turn(copy_options, NULL) > 0);
}

/* ---- plans ---- */

struct wanted {
    rpt_context_t **contexts;
    rpt_coll_t coll;
};

/* Of a group that has had no call, so that what it shares is made too. */
static rpt_status_t make_plan(void *user, bool *is_given)
{
    const struct wanted *wanted = user;
    rpt_plan_t *plan = NULL;
    rpt_status_t status = rpt_plan_create(rpt_group_world(wanted->contexts[1]),
                                          &wanted->coll, &plan);

    *is_given = plan != NULL;
    rpt_plan_destroy(plan);
    return status;
}

static void plans_of(const char *const settings[])
{
    static float in[40000], out[40000];
    static const size_t counts[] = { 10, 0, 5 };
    rpt_context_t *contexts[3];
    rpt_options_t *options = options_with(settings);

    for (int kind = 0; kind <= RPT_COLL_EXSCAN; kind++) {
        struct wanted wanted = { contexts,
                                 { .kind = (rpt_coll_kind_t)kind,
                                   .in = in,
                                   .out = out,
                                   .count = 10000,
                                   .type = RPT_TYPE_F32,
                                   .op = RPT_OP_SUM } };

        CU_ASSERT_EQUAL_FATAL(rpt_context_create_local(3, options, contexts),
                              RPT_OK);
        CU_ASSERT(fail_in_turn(make_plan, &wanted) > 5);
        if (kind == RPT_COLL_ALLGATHER || kind == RPT_COLL_REDUCE_SCATTER) {
            wanted.coll.counts = counts;
            CU_ASSERT(fail_in_turn(make_plan, &wanted) > 0);
        }
        for (int r = 0; r < 3; r++) {
            rpt_context_destroy(contexts[r]);
        }
    }
    rpt_options_destroy(options);
}

static void plans_are_made_whole_or_not_at_all(void)
{
    static const char *const layouts[][3] = { { NULL },
                                              { "topo.virtual_nodes", "2" },
                                              { "topo.virtual_domains", "2" },
                                              { "comm.shared_bytes", "0" } };

    for (size_t k = 0; k < sizeof layouts / sizeof *layouts; k++) {
        plans_of(layouts[k]);
    }
}

/* ---- starts ---- */

enum { WARM = 4, STARTS = 40 };
static bool is_one_node;

/* Where ranks send messages, one that comes early is kept in memory, but none
 * does when all are here. */
static void start_often(rpt_group_t *group, const rpt_coll_t *coll)
{
    rpt_plan_t *plan = NULL;

    CHECK(rpt_plan_create(group, coll, &plan) == RPT_OK);
    for (int i = 0; i < STARTS; i++) {
        unsigned before = rpt_test_n_allocated, n_by_start;

        CHECK(rpt_plan_start(plan) == RPT_OK);
        n_by_start = rpt_test_n_allocated - before;
        CHECK(rpt_plan_wait(plan) == RPT_OK);
        CHECK(n_by_start == 0 || i < WARM);
        CHECK(!is_one_node || rpt_test_n_allocated == before || i < WARM);
        CHECK(is_one_node || rpt_barrier(group) == RPT_OK);
    }
    rpt_plan_destroy(plan);
}

static void start_every_kind(rpt_group_t *group)
{
    enum { MOST = 30000 };
    static const size_t counts[] = { 0, 1, 50, 700, MOST };
    size_t n = 3 * (size_t)MOST;
    float *in = calloc(n, sizeof *in), *out = calloc(n, sizeof *out);

    for (int kind = 0; kind <= RPT_COLL_EXSCAN; kind++) {
        for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
            start_often(group, &(rpt_coll_t){ .kind = (rpt_coll_kind_t)kind,
                                              .in = in,
                                              .out = out,
                                              .count = counts[k],
                                              .type = RPT_TYPE_F32,
                                              .op = RPT_OP_SUM });
        }
    }
    free(in);
    free(out);
}

static void a_start_allocates_nothing(void)
{
    static const char *const layouts[][3] = { { NULL },
                                              { "topo.virtual_domains", "2" },
                                              { "topo.virtual_nodes", "2" },
                                              { "comm.shared_bytes", "0" } };

    for (size_t k = 0; k < sizeof layouts / sizeof *layouts; k++) {
        struct job job = { .fn = start_every_kind };

        is_one_node = k < 2;
        run_job(3, layouts[k], &job);
    }
}

/* ---- calls of a rank that is alone ---- */

static rpt_status_t split(rpt_group_t *world, bool *is_given)
{
    rpt_group_t *group = NULL;
    rpt_status_t status = rpt_group_split(world, 0, 0, &group);

    *is_given = group != NULL;
    rpt_group_destroy(group);
    return status;
}

static rpt_status_t sum(rpt_group_t *world, bool *is_given)
{
    float in[100], out[100] = { 0 };
    rpt_status_t status;

    for (int i = 0; i < 100; i++) {
        in[i] = 1.0F + (float)i;
    }
    status = rpt_allreduce(world, in, out, 100, RPT_TYPE_F32, RPT_OP_SUM);
    *is_given = memcmp(in, out, sizeof in) == 0;
    return status;
}

static rpt_status_t make_reducer(rpt_group_t *world, bool *is_given)
{
    float x[10] = { 0 }, y[300] = { 0 };
    const rpt_reducer_array_t arrays[] = { { .data = x, .count = 10 },
                                           { .data = y, .count = 300 } };
    const rpt_reducer_config_t config = { .type = RPT_TYPE_F32,
                                          .wire = RPT_WIRE_BF16,
                                          .bucket_bytes = 100 };
    rpt_reducer_t *reducer = NULL;
    rpt_status_t status = rpt_reducer_create(world, &config, arrays, 2,
                                             &reducer);

    *is_given = reducer != NULL;
    rpt_reducer_destroy(reducer);
    return status;
}

static rpt_status_t (*call_alone)(rpt_group_t *world, bool *is_given);

/* A failure may end the group, so each call has its own. */
static rpt_status_t in_a_new_context(void *user, bool *is_given)
{
    unsigned left = rpt_test_fails_in;
    rpt_context_t *context = NULL;
    rpt_status_t status;

    (void)user;
    rpt_test_fails_in = 0;
    CHECK(rpt_context_create_local(1, NULL, &context) == RPT_OK);
    rpt_test_fails_in = left;
    status = call_alone(rpt_group_world(context), is_given);
    left = rpt_test_fails_in;
    rpt_test_fails_in = 0;
    rpt_context_destroy(context);
    rpt_test_fails_in = left;
    return status;
}

static void calls_are_done_or_fail(void)
{
    call_alone = split;
    CU_ASSERT(fail_in_turn(in_a_new_context, NULL) > 3);
    call_alone = sum;
    CU_ASSERT(fail_in_turn(in_a_new_context, NULL) > 5);
    call_alone = make_reducer;
    CU_ASSERT(fail_in_turn(in_a_new_context, NULL) > 10);
}

/* ---- where one rank has no memory, and others wait for it ---- */

static rpt_status_t (*call_together)(rpt_group_t *world, bool *is_given);
static unsigned first_to_fail, left_over;
static rpt_status_t statuses[2];

static rpt_status_t rank_0_lacks_memory(rpt_context_t *context, void *user)
{
    int rank = rpt_context_rank(context);
    bool is_given = false;

    (void)user;
    rpt_test_fails_in = rank == 0 ? first_to_fail : 0;
    statuses[rank] = call_together(rpt_group_world(context), &is_given);
    if (rank == 0) {
        left_over = rpt_test_fails_in;
        rpt_test_fails_in = 0;
    }
    CHECK(is_given == (statuses[rank] == RPT_OK));
    return RPT_OK;
}

static void one_fails_in_turn(void)
{
    static const char *const settings[] = { "comm.internal_deadline_s", "5",
                                            NULL };
    rpt_options_t *options = options_with(settings);
    unsigned n_failed = 0;

    left_over = 0;
    for (first_to_fail = 1; left_over == 0; first_to_fail++) {
        CU_ASSERT_EQUAL(rpt_local_run(2, options, rank_0_lacks_memory, NULL),
                        RPT_OK);
        /* That rank 0 fails when the other has all it needs cannot be told. */
        CU_ASSERT(statuses[1] == RPT_OK || statuses[0] != RPT_OK);
        /* One that cannot take a message in cannot tell that either. */
        CU_ASSERT(statuses[1] == RPT_OK || statuses[1] == RPT_ERR_PEER ||
                  statuses[1] == RPT_ERR_TIMEOUT);
        n_failed += statuses[0] != RPT_OK;
    }
    CU_ASSERT(n_failed > 3);
    rpt_options_destroy(options);
}

static void who_lacks_memory_keeps_nobody_for_long(void)
{
    call_together = split;
    one_fails_in_turn();
    call_together = make_reducer;
    one_fails_in_turn();
}

/* ---- what is asked without ranks ---- */

static rpt_status_t explain(void *user, bool *is_given)
{
    const rpt_coll_t coll = { .kind = RPT_COLL_ALLREDUCE,
                              .count = 1000,
                              .type = RPT_TYPE_F32,
                              .op = RPT_OP_SUM };
    char *text = NULL;
    rpt_status_t status = rpt_coll_explain(&coll, 6, 2, NULL, &text);

    (void)user;
    *is_given = text != NULL;
    free(text);
    return status;
}

static void explanations_are_whole_or_an_error(void)
{
    CU_ASSERT(fail_in_turn(explain, NULL) > 10);
}

static const struct rpt_test tests[] = {
    RPT_TEST(contexts_are_made_whole_or_not_at_all),
    RPT_TEST(what_a_context_gives_is_whole_or_an_error),
    RPT_TEST(options_are_made_whole_or_not_at_all),
    RPT_TEST(plans_are_made_whole_or_not_at_all),
    RPT_TEST(a_start_allocates_nothing),
    RPT_TEST(calls_are_done_or_fail),
    RPT_TEST(who_lacks_memory_keeps_nobody_for_long),
    RPT_TEST(explanations_are_whole_or_an_error),
    RPT_TEST_END,
};

int main(int argc, char *argv[])
{
    return rpt_test_main("no memory", tests, 900, argc, argv);
}
