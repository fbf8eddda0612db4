/*
 * test_device_faults_mpi.c - what goes wrong on devices, and what is left
 *
 *     mpirun -n N test_device_faults_mpi [test ...]
 *
 * With fake devices only: they fail when they are told to, and count what was
 * not given back.  Each test makes a context of its own.
 */
#include "devices.h"
#include "fake.h"
#include "fixture.h"
#include "harness.h"
#include "over_mpi.h"

#include <repartir/mpi.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int rank, size;

static void check_nothing_is_left(void)
{
    struct fake_live live = fake_live();

    CHECK(live.memory == 0);
    CHECK(live.host_memory == 0);
    CHECK(live.opened == 0);
    CHECK(live.streams == 0);
    CHECK(live.events == 0);
    CHECK(live.comms == 0);
}

/* A context on devices of their own, or on one; then nothing may be left. */
static void with_world(bool all_on_one, const char *const settings[],
                       void (*fn)(rpt_group_t *group))
{
    rpt_options_t *options = options_with(settings);
    rpt_context_t *context = NULL;

    CHECK(rpt_context_create_mpi(MPI_COMM_WORLD, options, &context) == RPT_OK);
    rpt_options_destroy(options);
    use_device(all_on_one ? 0 : rank);
    fn(rpt_group_world(context));
    MPI_Barrier(MPI_COMM_WORLD); /* faults are for calls, not for the end */
    fake_fail(NULL, 0);
    fake_nccl_breaks(0, false);
    fake_nccl_never_opens(false);
    rpt_context_destroy(context);
    check_nothing_is_left();
}

static const char *const none[] = { NULL };

/* An all-reduce of ones on the device; right, or how it failed. */
static rpt_status_t add_ones(rpt_group_t *group)
{
    enum { COUNT = 5000 };
    int *ones = malloc(COUNT * sizeof *ones),
        *sums = calloc(COUNT, sizeof(int));
    void *in, *out;
    rpt_status_t status;

    for (int i = 0; i < COUNT; i++) {
        ones[i] = 1;
    }
    in = give_to_device(ones, COUNT * sizeof *ones);
    out = give_to_device(sums, COUNT * sizeof *sums);
    status = rpt_allreduce(group, in, out, COUNT, RPT_TYPE_I32, RPT_OP_SUM);
    take_from_device(in, ones, COUNT * sizeof *ones);
    take_from_device(out, sums, COUNT * sizeof *sums);
    CHECK(status != RPT_OK || (sums[0] == size && sums[COUNT - 1] == size));
    free(ones);
    free(sums);
    return status;
}

static bool error_says(const char *text)
{
    if (strstr(rpt_last_error_text(), text) == NULL) {
        printf("  rank %d: no \"%s\" in: %s\n", rank, text,
               rpt_last_error_text());
        return false;
    }
    return true;
}

/* ---- nothing is left ---- */

static void make_many_calls(rpt_group_t *group)
{
    operate_in(&device_memory);
    random_calls(group);
    blocks_of_different_sizes(group);
    operate_in(NULL);
}

static void all_that_was_taken_is_given_back(void)
{
    static const char *const host[] = { "coll.device.road", "host", NULL };

    with_world(false, none, make_many_calls);
    with_world(true, none, make_many_calls);
    with_world(true, host, make_many_calls);
}

static void split_and_destroy(rpt_group_t *group)
{
    for (int i = 0; i < 10; i++) {
        rpt_group_t *part = NULL;
        int one = 1;
        void *there = give_to_device(&one, sizeof one);

        CHECK(rpt_group_split(group, 0, i % 2 == 0 ? rank : -rank, &part) ==
              RPT_OK);
        CHECK(rpt_allreduce(part, RPT_IN_PLACE, there, 1, RPT_TYPE_I32,
                            RPT_OP_SUM) == RPT_OK);
        rpt_group_destroy(part);
        take_from_device(there, &one, sizeof one);
        CHECK(one == size);
    }
}

static void groups_may_come_and_go(void)
{
    with_world(false, none, split_and_destroy);
    with_world(true, none, split_and_destroy);
}

/* ---- NCCL ---- */

static void wait_for_a_communicator(rpt_group_t *group)
{
    fake_nccl_never_opens(true);
    CHECK(add_ones(group) == RPT_ERR_TIMEOUT);
    CHECK(error_says("NCCL did not connect"));
    CHECK(rpt_barrier(group) == RPT_ERR_STATE);
}

static void a_communicator_that_is_never_opened_is_a_timeout(void)
{
    static const char *const soon[] = { "coll.deadline_s", "1", NULL };

    if (size > 1) {
        with_world(false, soon, wait_for_a_communicator);
    }
}

static void break_in_the_third_call(rpt_group_t *group)
{
    rpt_status_t status = RPT_OK;
    int n = 0;

    fake_nccl_breaks(rank == 0 ? 3 : 0, false);
    while (status == RPT_OK && n < 10) {
        status = add_ones(group);
        n += status == RPT_OK;
    }
    CHECK(n == 2);
    CHECK(status == RPT_ERR_PEER);
    CHECK(rank != 0 || error_says("remote error (fake)"));
    CHECK(rank == 0 || error_says("NCCL gave up on device 0"));
    CHECK(fake_live().comms == 0);
    CHECK(rpt_barrier(group) == RPT_ERR_STATE);
}

static void an_error_of_one_rank_ends_the_call_on_all(void)
{
    if (size > 1) {
        with_world(false, none, break_in_the_third_call);
    }
}

/* It has buffers in flight, which are the program's again afterwards. */
static void stall_in_the_second_call(rpt_group_t *group)
{
    CHECK(add_ones(group) == RPT_OK);
    MPI_Barrier(MPI_COMM_WORLD);
    fake_nccl_breaks(rank == 0 ? 1 : 0, true);
    CHECK(add_ones(group) == RPT_ERR_TIMEOUT);
    CHECK(error_says("waited too long for its devices"));
    CHECK(fake_live().comms == 0);
    CHECK(rpt_barrier(group) == RPT_ERR_STATE);
}

static void a_call_that_never_ends_is_a_timeout(void)
{
    static const char *const soon[] = { "coll.deadline_s", "1", NULL };

    if (size > 1) {
        with_world(false, soon, stall_in_the_second_call);
    }
}

static void force_nccl(rpt_group_t *group)
{
    CHECK(add_ones(group) < RPT_OK);
    CHECK(error_says("NCCL does not connect"));
}

static void two_ranks_on_a_device_are_refused_by_nccl(void)
{
    static const char *const nccl[] = { "coll.device.road", "nccl", NULL };

    if (size > 1) {
        with_world(true, nccl, force_nccl);
    }
}

static void break_under_the_deadline(rpt_group_t *group)
{
    CHECK(add_ones(group) == RPT_OK);
    if (rank > 0) {
        CHECK(add_ones(group) == RPT_ERR_TIMEOUT);
        CHECK(error_says("rank 0 on "));
    }
}

static void a_rank_that_does_not_come_is_named(void)
{
    static const char *const soon[] = { "coll.deadline_s", "1", NULL };

    if (size > 1) {
        with_world(false, soon, break_under_the_deadline);
        with_world(true, soon, break_under_the_deadline);
    }
}

/* ---- CUDA ---- */

/* On all ranks or on none. */
static void fail_on_the_last_rank(rpt_group_t *group, const char *call, int n)
{
    int one = 1;
    void *there = give_to_device(&one, sizeof one);
    rpt_status_t status;

    if (rank == size - 1) {
        fake_fail(call, n);
    }
    status = rpt_allreduce(group, RPT_IN_PLACE, there, 1, RPT_TYPE_I32,
                           RPT_OP_SUM);
    fake_fail(NULL, 0);
    CHECK(status < RPT_OK);
    CHECK(rpt_barrier(group) == RPT_ERR_STATE);
    take_from_device(there, &one, sizeof one);
}

static void lack_streams(rpt_group_t *group)
{
    fail_on_the_last_rank(group, "cudaStreamCreateWithFlags", 1);
}

static void lose_the_device(rpt_group_t *group)
{
    CHECK(add_ones(group) == RPT_OK);
    MPI_Barrier(MPI_COMM_WORLD);
    fail_on_the_last_rank(group, "cudaStreamQuery", 2);
}

static void what_cuda_refuses_one_rank_is_an_error_on_all(void)
{
    if (size > 1) {
        with_world(true, none, lack_streams);
        with_world(true, none, lose_the_device);
        with_world(false, none, lack_streams);
        with_world(false, none, lose_the_device);
    }
}

/* On rank 0. */
static void do_without_stages(rpt_group_t *group, const char *call)
{
    int one = 1;
    void *there = give_to_device(&one, sizeof one);
    rpt_coll_t coll = { .kind = RPT_COLL_ALLREDUCE,
                        .in = RPT_IN_PLACE,
                        .out = there,
                        .count = 1,
                        .type = RPT_TYPE_I32 };
    rpt_plan_t *plan = NULL;
    char *text = NULL;

    fake_fail(call, rank == 0 ? 1 : 0);
    CHECK(rpt_plan_create(group, &coll, &plan) == RPT_OK);
    CHECK(rpt_plan_explain(plan, &text) == RPT_OK);
    CHECK(strstr(text, "through memory of the host") != NULL);
    CHECK(rpt_plan_start(plan) == RPT_OK && rpt_plan_wait(plan) == RPT_OK);
    rpt_plan_destroy(plan);
    take_from_device(there, &one, sizeof one);
    CHECK(one == size);
    free(text);
}

static void open_no_stage(rpt_group_t *group)
{
    do_without_stages(group, "cudaIpcOpenMemHandle");
}

static void take_no_stage(rpt_group_t *group)
{
    do_without_stages(group, "cudaMalloc");
}

static void without_a_stage_the_road_is_through_the_host(void)
{
    if (size > 1) {
        with_world(true, none, open_no_stage);
        with_world(true, none, take_no_stage);
    }
}

/* ---- options ---- */

static void take_no_road(rpt_group_t *group)
{
    CHECK(add_ones(group) == RPT_ERR_UNSUPPORTED);
    CHECK(error_says("coll.device.road=sea"));
    CHECK(rpt_barrier(group) == RPT_OK);
}

static void a_road_that_is_not_there_is_an_error(void)
{
    static const char *const sea[] = { "coll.device.road", "sea", NULL };

    with_world(false, sea, take_no_road);
}

/* Before there are devices. */
static rpt_status_t look(const char *use, const char *library)
{
    const struct rpt_gpu *gpu = rpt__device_gpu();
    const char *const settings[] = { "device.use", use, "device.library",
                                     library, NULL };
    rpt_options_t *options = options_with(settings);
    rpt_status_t status;

    rpt__device_set(NULL);
    status = rpt__device_look(options);
    CHECK(rpt__device_gpu() == NULL);
    rpt__device_set(gpu);
    rpt_options_destroy(options);
    return status;
}

static void a_library_that_is_not_there_is_an_error_where_it_is_wanted(void)
{
    CHECK(look("yes", "/nowhere/gpu.so") == RPT_ERR_NOT_FOUND);
    CHECK(error_says("/nowhere/gpu.so"));
    CHECK(look("no", "/nowhere/gpu.so") == RPT_OK);
    CHECK(look("auto", "/nowhere/gpu.so") == RPT_OK);
    CHECK(look("perhaps", "") == RPT_ERR_INVALID);
}

static const struct rpt_test tests[] = {
    RPT_TEST(all_that_was_taken_is_given_back),
    RPT_TEST(groups_may_come_and_go),
    RPT_TEST(a_communicator_that_is_never_opened_is_a_timeout),
    RPT_TEST(an_error_of_one_rank_ends_the_call_on_all),
    RPT_TEST(a_call_that_never_ends_is_a_timeout),
    RPT_TEST(two_ranks_on_a_device_are_refused_by_nccl),
    RPT_TEST(a_rank_that_does_not_come_is_named),
    RPT_TEST(what_cuda_refuses_one_rank_is_an_error_on_all),
    RPT_TEST(without_a_stage_the_road_is_through_the_host),
    RPT_TEST(a_road_that_is_not_there_is_an_error),
    RPT_TEST(a_library_that_is_not_there_is_an_error_where_it_is_wanted),
    RPT_TEST_END,
};

/* MPI libraries leak by themselves. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

int main(int argc, char *argv[])
{
    int code;

    MPI_Init(&argc, &argv);
    rpt_test_over_mpi(&rank, &size);
    begin_devices();
    code = rpt_test_main("test_device_faults_mpi", tests, 280, argc, argv);
    MPI_Finalize();
    return code;
}
