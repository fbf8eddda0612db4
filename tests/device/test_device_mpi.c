/*
 * test_device_mpi.c - collective operations on device buffers, on MPI processes
 *
 *     mpirun -n N test_device_mpi own|same [test ...]
 *
 * Each rank has a device of its own, or all have the same.  Run by
 * under_mpirun with fake devices, by check-gpu with those of the machine.
 */
#include "devices.h"
#include "fixture.h"
#include "harness.h"
#include "over_mpi.h"

#include <repartir/mpi.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int rank, size;
static bool all_on_one;

static void with_world(void (*fn)(rpt_group_t *group))
{
    rpt_context_t *context = rpt_test_context();

    use_device(all_on_one ? 0 : rank % rpt__device_gpu()->device->n_devices());
    operate_in(&device_memory);
    fn(rpt_group_world(context));
    operate_in(NULL);
    rpt_context_destroy(context);
}

WITH_WORLD(every_operation_is_right, every_operation)
WITH_WORLD(every_form_is_right, every_form_of_call)
WITH_WORLD(blocks_may_differ, blocks_of_different_sizes)
WITH_WORLD(calls_in_any_order_are_right, random_calls)
WITH_WORLD(groups_do_not_disturb_each_other, several_groups_at_once)
WITH_WORLD(buffers_of_the_host_are_right_between, operators_of_users)

/* ---- types ---- */

/* Ranks give 0 and 1 in turn, as bits of the type: sums stay exact. */
static void reduce_every_type(rpt_group_t *group)
{
    enum { COUNT = 100 };
    int n_done = 0;

    for (int type = 0; type <= RPT_TYPE_I64_I32; type++) {
        for (int op = 0; op <= RPT_OP_MAX_INDEX; op++) {
            size_t bytes = COUNT * rpt_type_bytes((rpt_type_t)type);
            char *in = calloc(bytes, 1), *out = malloc(bytes);
            char *expected = malloc(bytes);
            void *in_there, *out_there;
            rpt_status_t status, wanted;

            if (in == NULL || out == NULL || expected == NULL) {
                abort();
            }
            for (size_t i = 0; i < bytes; i++) {
                in[i] = type <= RPT_TYPE_U64 ? (char)(i * 7 + (size_t)rank) : 0;
            }
            memset(out, 1, bytes);
            memset(expected, 2, bytes);
            wanted = rpt_allreduce(group, in, expected, COUNT, (rpt_type_t)type,
                                   (rpt_op_t)op);
            in_there = give_to_device(in, bytes);
            out_there = give_to_device(out, bytes);
            status = rpt_allreduce(group, in_there, out_there, COUNT,
                                   (rpt_type_t)type, (rpt_op_t)op);
            take_from_device(in_there, in, bytes);
            take_from_device(out_there, out, bytes);
            CHECK(status == wanted);
            if (status == RPT_OK) {
                CHECK(type >= RPT_TYPE_F32_I32 ||
                      memcmp(out, expected, bytes) == 0);
                n_done++;
            }
            free(in);
            free(out);
            free(expected);
        }
    }
    CHECK(n_done > 100);
}

WITH_WORLD(every_type_and_operator_is_that_of_the_host, reduce_every_type)

static void reduce_halves(rpt_group_t *group)
{
    enum { COUNT = 3000 };
    uint16_t in[COUNT], out[COUNT];
    void *in_there, *out_there;
    bool good = true;

    for (int i = 0; i < COUNT; i++) {
        in[i] = 0x3c00; /* 1 in f16 */
    }
    in_there = give_to_device(in, sizeof in);
    out_there = give_to_device(out, sizeof out);
    CHECK(rpt_allreduce(group, in_there, out_there, COUNT, RPT_TYPE_F16,
                        RPT_OP_AVERAGE) == RPT_OK);
    take_from_device(in_there, in, sizeof in);
    take_from_device(out_there, out, sizeof out);
    for (int i = 0; i < COUNT; i++) {
        good = good && out[i] == 0x3c00;
    }
    CHECK(good);
}

WITH_WORLD(an_average_is_divided_once, reduce_halves)

/* ---- streams ---- */

/* The input is put into the program's stream and not waited for. */
static void follow_a_stream(rpt_group_t *group)
{
    enum { COUNT = 50000 };
    const struct rpt_device_ops *ops = rpt__device_gpu()->device;
    int *ones = malloc(COUNT * sizeof *ones),
        *sums = calloc(COUNT, sizeof(int));
    void *stream = NULL, *in, *out;
    rpt_plan_t *plan = NULL;
    rpt_coll_t coll = { .kind = RPT_COLL_ALLREDUCE,
                        .count = COUNT,
                        .type = RPT_TYPE_I32 };

    for (int i = 0; i < COUNT; i++) {
        ones[i] = 1;
    }
    in = give_to_device(sums, COUNT * sizeof *sums);
    out = give_to_device(sums, COUNT * sizeof *sums);
    CHECK(ops->stream_create(&stream) == RPT_OK);
    CHECK(ops->copy(stream, in, ones, COUNT * sizeof *ones) == RPT_OK);
    coll.in = in;
    coll.out = out;
    coll.stream = stream;
    CHECK(rpt_coll_start(group, &coll, &plan) == RPT_OK);
    CHECK(rpt_plan_wait(plan) == RPT_OK);
    rpt_plan_destroy(plan);
    take_from_device(out, sums, COUNT * sizeof *sums);
    CHECK(sums[0] == size && sums[COUNT - 1] == size);
    take_from_device(in, ones, COUNT * sizeof *ones);
    ops->stream_destroy(stream);
    free(ones);
    free(sums);
}

WITH_WORLD(a_call_begins_when_its_stream_is_done, follow_a_stream)

/* ---- what is wrong ---- */

static void mix_on_one_rank(rpt_group_t *group)
{
    int one = 1, sum = 0;
    void *there = give_to_device(&one, sizeof one);

    CHECK(rpt_allreduce(group, there, &sum, 1, RPT_TYPE_I32, RPT_OP_SUM) ==
          RPT_ERR_INVALID);
    CHECK(rpt_allreduce(group, &one, &sum, 1, RPT_TYPE_I32, RPT_OP_SUM) ==
          RPT_OK);
    CHECK(sum == size);
    take_from_device(there, &one, sizeof one);
}

WITH_WORLD(input_here_and_output_there_is_an_error, mix_on_one_rank)

static void mix_over_ranks(rpt_group_t *group)
{
    int one = 1, sum = 0;
    void *in = give_to_device(&one, sizeof one);
    void *out = give_to_device(&sum, sizeof sum);
    bool is_here = rank == size - 1;
    rpt_status_t first, second;

    first = rpt_allreduce(group, is_here ? &one : in, is_here ? &sum : out, 1,
                          RPT_TYPE_I32, RPT_OP_SUM);
    second = rpt_allreduce(group, &one, &sum, 1, RPT_TYPE_I32, RPT_OP_SUM);
    CHECK(size == 1 || first == RPT_ERR_MISMATCH || second == RPT_ERR_MISMATCH);
    CHECK(size == 1 || rpt_barrier(group) == RPT_ERR_STATE);
    take_from_device(in, &one, sizeof one);
    take_from_device(out, &one, sizeof one);
}

WITH_WORLD(one_rank_on_the_host_is_a_mismatch_on_all, mix_over_ranks)

static void connect_then_mix(rpt_group_t *group)
{
    int one = 1;
    void *buffer = give_to_device(&one, sizeof one);

    CHECK(rpt_broadcast(group, buffer, 1, RPT_TYPE_I32, 0) == RPT_OK);
    take_from_device(buffer, &one, sizeof one);
    MPI_Barrier(MPI_COMM_WORLD); /* the next call ends this one for the late */
    mix_over_ranks(group);
}

WITH_WORLD(it_is_also_one_after_the_first_call, connect_then_mix)

static void explain(rpt_group_t *group)
{
    double one = 1;
    void *there = give_to_device(&one, sizeof one);
    rpt_coll_t coll = { .kind = RPT_COLL_BROADCAST,
                        .out = there,
                        .count = 1,
                        .type = RPT_TYPE_F64 };
    rpt_plan_t *plan = NULL;
    char *text = NULL;

    CHECK(rpt_plan_create(group, &coll, &plan) == RPT_OK);
    CHECK(rpt_plan_explain(plan, &text) == RPT_OK);
    CHECK(text != NULL && strstr(text, "device buffers: ") != NULL);
    free(text);
    rpt_plan_destroy(plan);
    take_from_device(there, &one, sizeof one);
}

WITH_WORLD(a_plan_says_which_road_it_takes, explain)

static const struct rpt_test tests[] = {
    RPT_TEST(every_operation_is_right),
    RPT_TEST(every_form_is_right),
    RPT_TEST(blocks_may_differ),
    RPT_TEST(calls_in_any_order_are_right),
    RPT_TEST(groups_do_not_disturb_each_other),
    RPT_TEST(buffers_of_the_host_are_right_between),
    RPT_TEST(every_type_and_operator_is_that_of_the_host),
    RPT_TEST(an_average_is_divided_once),
    RPT_TEST(a_call_begins_when_its_stream_is_done),
    RPT_TEST(input_here_and_output_there_is_an_error),
    RPT_TEST(one_rank_on_the_host_is_a_mismatch_on_all),
    RPT_TEST(it_is_also_one_after_the_first_call),
    RPT_TEST(a_plan_says_which_road_it_takes),
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
    const char *reason;
    int code = 77;

    MPI_Init(&argc, &argv);
    rpt_test_over_mpi(&rank, &size);
    reason = begin_devices();
    if (argc > 1) {
        all_on_one = strcmp(argv[1], "same") == 0;
        argv[1] = argv[0];
        argv++;
        argc--;
    }
    if (rpt_test_any(reason != NULL)) {
        if (rank == 0) {
            printf("  skip: %s\n",
                   reason != NULL ? reason : "a rank has no device");
            printf("== test_device_mpi: 0 passed, 0 failed, 1 skipped\n");
        }
    } else {
        code = rpt_test_main("test_device_mpi", tests, 280, argc, argv);
    }
    MPI_Finalize();
    return code;
}
