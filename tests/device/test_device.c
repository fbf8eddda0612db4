/*
 * test_device.c - collective operations on device buffers, of ranks that are
 * threads, with fake devices
 *
 * Each rank has a device of its own, or all have the same; on one node, and on
 * two that share nothing.
 */
#include "devices.h"
#include "fake.h"
#include "fixture.h"
#include "harness.h"

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

static const struct rpt_test tests[] = {
    RPT_TEST(every_form_is_right),
    RPT_TEST(blocks_may_differ),
    RPT_TEST(calls_in_any_order_are_right),
    RPT_TEST(groups_do_not_disturb_each_other),
    RPT_TEST(more_may_share_a_device_than_a_kernel_has_inputs),
    RPT_TEST_END,
};

int main(int argc, char *argv[])
{
    begin_devices();
    return rpt_test_main("test_device", tests, 240, argc, argv);
}
