/*
 * test_device.c - collective operations on device buffers, of ranks that are
 * threads, with fake devices
 *
 * Each rank has a device of its own, or all have the same; on one node, and on
 * two that share nothing.
 */
#include "ahead.h"
#include "devices.h"
#include "fake.h"
#include "fixture.h"
#include "harness.h"

#include <stdlib.h>
#include <string.h>

struct job {
    void (*fn)(rpt_group_t *group);
    bool all_on_one;
};

static rpt_status_t do_job(rpt_context_t *context, void *user)
{
    const struct job *job = user;

    use_device(job->all_on_one ? 0 : rpt_context_rank(context));
    job->fn(rpt_group_world(context));
    return RPT_OK;
}

static void on_all_layouts(void (*fn)(rpt_group_t *group))
{
    static const char *const one[] = { NULL };
    static const char *const two[] = { "topo.virtual_nodes", "2", NULL };
    static const char *const *const layouts[] = { one, two };

    operate_in(&device_memory);
    for (int i = 0; i < 12; i++) {
        struct job job = { fn, i % 2 != 0 };
        rpt_options_t *options = options_with(layouts[i / 2 % 2]);
        struct fake_live live;

        CU_ASSERT_EQUAL(rpt_local_run(1 + i / 4, options, do_job, &job),
                        RPT_OK);
        rpt_options_destroy(options);
        live = fake_live();
        CU_ASSERT_EQUAL(live.memory + live.host_memory + live.opened, 0);
        CU_ASSERT_EQUAL(live.streams + live.events + live.comms, 0);
    }
    operate_in(NULL);
}

#define ON_ALL_LAYOUTS(name, fn)                                               \
    static void name(void)                                                     \
    {                                                                          \
        on_all_layouts(fn);                                                    \
    }

ON_ALL_LAYOUTS(every_form_is_right, every_form_of_call)
ON_ALL_LAYOUTS(blocks_may_differ, blocks_of_different_sizes)
ON_ALL_LAYOUTS(calls_in_any_order_are_right, random_calls)
ON_ALL_LAYOUTS(groups_do_not_disturb_each_other, several_groups_at_once)

static void calls_by_chance(rpt_group_t *group)
{
    size_t bytes = AHEAD_ELEMENTS * sizeof(double);
    double *zeros = calloc(AHEAD_ELEMENTS, sizeof *zeros);
    double *in = give_to_device(zeros, bytes);
    double *out = give_to_device(zeros, bytes);

    for (unsigned seed = 0; seed < 2; seed++) {
        ahead_run(group, seed, in, out);
    }
    take_from_device(in, zeros, bytes);
    take_from_device(out, zeros, bytes);
    free(zeros);
}

ON_ALL_LAYOUTS(who_ends_a_call_knows_that_all_have_begun_the_one_before,
               calls_by_chance)

/* A kernel takes 32 inputs. */
static void sum_of_many(rpt_group_t *group)
{
    int size = rpt_group_size(group), rank = rpt_group_rank(group);
    int mine[2] = { rank + 1, 2 * rank }, out[2] = { 0, 0 };
    void *there = give_to_device(mine, sizeof mine);

    CHECK(rpt_allreduce(group, RPT_IN_PLACE, there, 2, RPT_TYPE_I32,
                        RPT_OP_SUM) == RPT_OK);
    CHECK(rpt_scan(group, RPT_IN_PLACE, there, 1, RPT_TYPE_I32, RPT_OP_SUM) ==
          RPT_OK);
    take_from_device(there, out, sizeof out);
    CHECK(out[0] == (rank + 1) * size * (size + 1) / 2);
    CHECK(out[1] == size * (size - 1));
}

static void more_may_share_a_device_than_a_kernel_has_inputs(void)
{
    for (int size = 32; size < 35; size++) {
        struct job job = { sum_of_many, true };
        rpt_options_t *options = options_with(NULL);

        CU_ASSERT_EQUAL(rpt_local_run(size, options, do_job, &job), RPT_OK);
        rpt_options_destroy(options);
    }
}

/* Two devices of one rank: a plan in the cache is for one of them. */
static void sum_on_two_devices(rpt_group_t *group)
{
    int mine[2] = { 1, 2 }, sum[2] = { 0, 0 }, size = rpt_group_size(group);
    void *there = give_to_device(mine, sizeof mine), *other;

    CHECK(rpt_allreduce(group, RPT_IN_PLACE, there, 2, RPT_TYPE_I32,
                        RPT_OP_SUM) == RPT_OK);
    use_device(7);
    other = give_to_device(mine, sizeof mine);
    CHECK(rpt_allreduce(group, RPT_IN_PLACE, other, 2, RPT_TYPE_I32,
                        RPT_OP_SUM) == RPT_ERR_INVALID);
    CHECK(strstr(rpt_last_error()->what, "are on device 7") != NULL);
    take_from_device(other, sum, sizeof sum);
    CHECK(sum[0] == 1 && sum[1] == 2);
    take_from_device(there, sum, sizeof sum);
    CHECK(sum[0] == size && sum[1] == 2 * size);
}

ON_ALL_LAYOUTS(a_plan_is_for_one_device, sum_on_two_devices)

/* Input and output are not in the same memory, and a plan like that is kept. */
static void sum_from_host_to_device(rpt_group_t *group)
{
    int mine[2] = { 1, 2 }, sum[2] = { 0, 0 }, size = rpt_group_size(group);
    void *in = give_to_device(mine, sizeof mine);
    void *out = give_to_device(mine, sizeof mine);

    CHECK(rpt_allreduce(group, in, out, 2, RPT_TYPE_I32, RPT_OP_SUM) == RPT_OK);
    CHECK(rpt_allreduce(group, mine, out, 2, RPT_TYPE_I32, RPT_OP_SUM) ==
          RPT_ERR_INVALID);
    CHECK(strstr(rpt_last_error()->why, "not in the same memory") != NULL);
    take_from_device(in, sum, sizeof sum);
    take_from_device(out, sum, sizeof sum);
    CHECK(sum[0] == size && sum[1] == 2 * size);
}

ON_ALL_LAYOUTS(a_plan_is_for_one_memory, sum_from_host_to_device)

/* The n-th call of a function fails, or none does. */
static const char *failing;
static int fails_at;

static void sum_from_another_device(rpt_group_t *group)
{
    int mine[2] = { 1, 2 };
    void *in = give_to_device(mine, sizeof mine);
    void *out = give_to_device(mine, sizeof mine);
    rpt_status_t status;

    use_device(5);
    fake_fail(failing, fails_at);
    status = rpt_allreduce(group, in, out, 2, RPT_TYPE_I32, RPT_OP_SUM);
    CHECK(fake_current_device() == 5);
    CHECK(failing == NULL ? status == RPT_OK : status <= RPT_OK);
    fake_fail(NULL, 0);
    rpt_group_destroy(group);
    CHECK(fake_current_device() == 5);
    use_device(0);
    take_from_device(in, mine, sizeof mine);
    take_from_device(out, mine, sizeof mine);
}

static void with_a_group_of_its_own(rpt_group_t *world)
{
    rpt_group_t *group = NULL;

    CHECK(rpt_group_split(world, 0, 0, &group) == RPT_OK);
    sum_from_another_device(group);
}

static void the_device_of_the_caller_stays(void)
{
    static const char *const names[] = { NULL,
                                         "cudaStreamCreateWithFlags",
                                         "cudaMalloc",
                                         "cudaMallocHost",
                                         "cudaMemcpyAsync",
                                         "cudaStreamQuery" };
    static const char *const roads[][3] = { { NULL },
                                            { "coll.device.road", "host" } };
    struct job job = { with_a_group_of_its_own, true };

    for (int i = 0; i < 36; i++) {
        rpt_options_t *options = options_with(roads[i % 2]);

        failing = names[i / 2 % 6];
        fails_at = 1 + i / 12;
        CU_ASSERT_EQUAL(rpt_local_run(1, options, do_job, &job), RPT_OK);
        rpt_options_destroy(options);
    }
}

static const struct rpt_test tests[] = {
    RPT_TEST(every_form_is_right),
    RPT_TEST(blocks_may_differ),
    RPT_TEST(calls_in_any_order_are_right),
    RPT_TEST(groups_do_not_disturb_each_other),
    RPT_TEST(who_ends_a_call_knows_that_all_have_begun_the_one_before),
    RPT_TEST(more_may_share_a_device_than_a_kernel_has_inputs),
    RPT_TEST(a_plan_is_for_one_device),
    RPT_TEST(a_plan_is_for_one_memory),
    RPT_TEST(the_device_of_the_caller_stays),
    RPT_TEST_END,
};

int main(int argc, char *argv[])
{
    begin_devices();
    return rpt_test_main("test_device", tests, 240, argc, argv);
}
