/*
 * test_coll_mpi.c - collective operations of MPI processes; run by under_mpirun
 *
 *     mpirun -n N test_coll_mpi [funneled|multiple [test ...]]
 *
 * Options come from the environment, so that the same tests see shared memory,
 * MPI, and both.
 */
#include "buffers.h"
#include "by_kernel.h"
#include "fixture.h"
#include "forbid.h"
#include "harness.h"
#include "operations.h"
#include "over_mpi.h"
#include "reducing.h"
#include "refused.h"

#include "collectives/select/policy.h"

#include <repartir/mpi.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int rank, size;

static void with_world(void (*fn)(rpt_group_t *group))
{
    rpt_context_t *context = rpt_test_context();

    fn(rpt_group_world(context));
    rpt_context_destroy(context);
}

WITH_WORLD(every_operation_is_right, every_operation)
WITH_WORLD(every_form_is_right, every_form_of_call)
WITH_WORLD(operators_of_users_keep_the_order, operators_of_users)
WITH_WORLD(blocks_may_differ, blocks_of_different_sizes)
WITH_WORLD(calls_in_any_order_are_right, random_calls)
WITH_WORLD(groups_do_not_disturb_each_other, several_groups_at_once)
WITH_WORLD(many_may_be_under_way, many_started_at_once)
WITH_WORLD(groups_may_come_and_go, groups_come_and_go)
WITH_WORLD(ranks_agree_to_the_bit, all_ranks_have_the_same_bits)
WITH_WORLD(lists_of_every_shape_are_reduced, lists_of_every_shape)
WITH_WORLD(arrays_may_be_marked_in_any_order, rounds_in_any_order)
WITH_WORLD(reducers_do_not_disturb_each_other, several_reducers_at_once)
WITH_WORLD(what_is_complete_begins_at_once, buckets_begin_before_the_wait)
WITH_WORLD(errors_of_bf16_are_within_the_bound, sums_as_bf16)
WITH_WORLD(wrong_marks_are_told_and_lose_nothing, marks_that_are_wrong)
WITH_WORLD(lists_that_differ_are_an_error_on_all, lists_that_differ)
WITH_WORLD(what_one_rank_cannot_all_are_told, one_rank_that_cannot)
WITH_WORLD(who_gives_a_round_up_ends_it, one_rank_that_gives_up)

/* ---- buffers that all can read ---- */

static void with_context(void (*fn)(rpt_context_t *context))
{
    rpt_context_t *context = rpt_test_context();

    fn(context);
    rpt_context_destroy(context);
}

static void buffers_are_read_where_they_are(void)
{
    with_context(shared_buffers);
}

static void buffers_may_come_and_go(void)
{
    with_context(buffers_come_and_go);
}

/* One that is forced is obeyed, or is an error on all ranks. */
static void pull_or_fail(rpt_context_t *context)
{
    rpt_group_t *world = rpt_group_world(context);
    bool one_node = rpt_context_n_nodes(context) == 1 && size > 1;
    double x = 1, y = 0, *shared = NULL;
    void *memory = NULL;

    CHECK(rpt_buffer_alloc(context, 2 * sizeof(double), &memory) == RPT_OK);
    shared = memory;
    shared[0] = rank;
    if (one_node && rpt_buffer_is_shared(context, memory)) {
        rpt_status_t status = rpt_allreduce(world, shared, shared + 1, 1,
                                            RPT_TYPE_F64, RPT_OP_SUM);

        CHECK(status == RPT_OK && (int)shared[1] == size * (size - 1) / 2);
    }
    CHECK(rpt_allreduce(world, &x, &y, 1, RPT_TYPE_F64, RPT_OP_SUM) ==
          RPT_ERR_UNSUPPORTED);
}

/* The array is private and reduced in place.  Told by the wait, and as the
 * group has not failed, again in the next round. */
static void fail_to_pull(rpt_context_t *context)
{
    bool one_node = rpt_context_n_nodes(context) == 1 && size > 1;
    double x[2] = { 1, 2 };
    rpt_reducer_array_t arrays[] = { { x, 2 } };
    rpt_reducer_config_t config = { .type = RPT_TYPE_F64 };
    rpt_reducer_t *reducer = NULL;
    rpt_status_t status = rpt_reducer_create(rpt_group_world(context), &config,
                                             arrays, 1, &reducer);

    CHECK(status == RPT_OK ? one_node : status == RPT_ERR_UNSUPPORTED);
    for (int i = 0; status == RPT_OK && i < 3; i++) {
        CHECK(rpt_reducer_wait(reducer) == RPT_ERR_STATE);
        CHECK(rpt_reducer_ready(reducer, 0) == RPT_OK);
        CHECK(rpt_reducer_wait(reducer) == RPT_ERR_UNSUPPORTED);
    }
    rpt_reducer_destroy(reducer);
}

static void a_forced_pull_is_obeyed_or_an_error(void)
{
    rpt_options_t *options = NULL;
    rpt_context_t *context = NULL;

    CHECK(rpt_options_create(&options) == RPT_OK);
    CHECK(rpt_options_set(options, "coll.allreduce.algorithm", "pulled") ==
          RPT_OK);
    CHECK(rpt_context_create_mpi(MPI_COMM_WORLD, options, &context) == RPT_OK);
    pull_or_fail(context);
    fail_to_pull(context);
    refused_calls(context);
    rpt_context_destroy(context);
    rpt_options_destroy(options);
}

/* ---- the program's own messages, meanwhile ---- */

/* Rank 0 waits in a collective for rank 1, which waits for a message of rank 0
 * that MPI has not delivered yet. */
static void wait_while_a_message_is_under_way(rpt_group_t *group)
{
    enum { BYTES = 8 << 20 };
    char *data = calloc(BYTES, 1);
    MPI_Request request = MPI_REQUEST_NULL;
    int one = 1, sum = 0;

    CHECK(data != NULL);
    if (rank == 0 && size > 1) {
        MPI_Isend(data, BYTES, MPI_BYTE, 1, 5, MPI_COMM_WORLD, &request);
    }
    if (rank == 1) {
        MPI_Recv(data, BYTES, MPI_BYTE, 0, 5, MPI_COMM_WORLD,
                 MPI_STATUS_IGNORE);
    }
    CHECK(rpt_allreduce(group, &one, &sum, 1, RPT_TYPE_I32, RPT_OP_SUM) ==
          RPT_OK);
    CHECK(sum == size);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    free(data);
}

WITH_WORLD(a_wait_lets_messages_arrive, wait_while_a_message_is_under_way)

static void call_another(rpt_group_t *group)
{
    double x[4] = { 0 }, y[4];
    rpt_status_t first, second;

    first = rpt_allreduce(group, x, y, rank == 0 ? 3 : 4, RPT_TYPE_F64,
                          RPT_OP_SUM);
    second = rpt_allreduce(group, x, y, 4, RPT_TYPE_F64, RPT_OP_SUM);
    CHECK(size == 1 || first == RPT_ERR_MISMATCH || second == RPT_ERR_MISMATCH);
    CHECK(size == 1 || rpt_barrier(group) == RPT_ERR_STATE);
}

WITH_WORLD(different_calls_are_an_error_on_all, call_another)

/* ---- what all select by ---- */

/* A context with an option; why not, as its status. */
static rpt_status_t context_with(const char *name, const char *value,
                                 rpt_context_t **context_out)
{
    const char *const settings[] = { name, value, NULL };
    rpt_options_t *options = options_with(settings);
    rpt_status_t status = rpt_context_create_mpi(MPI_COMM_WORLD, options,
                                                 context_out);

    rpt_options_destroy(options);
    return status;
}

/* Of all ranks the same. */
static struct rpt_numbers numbers_of(rpt_context_t *context)
{
    struct rpt_comm *comm = rpt__group_comm(rpt_group_world(context));
    struct rpt_numbers mine = rpt__policy_of(comm)->numbers, first = mine;

    MPI_Bcast(&first, sizeof first, MPI_BYTE, 0, MPI_COMM_WORLD);
    CHECK(memcmp(&first, &mine, sizeof first) == 0);
    return first;
}

/* Made by rank 0, and removed with the only file in it. */
static void begin_folder(char path[64])
{
    strcpy(path, "/tmp/test_coll_mpi.XXXXXX");
    CHECK(rank != 0 || mkdtemp(path) != NULL);
    MPI_Bcast(path, 64, MPI_CHAR, 0, MPI_COMM_WORLD);
}

static void end_folder(const char *path)
{
    char command[128];

    MPI_Barrier(MPI_COMM_WORLD);
    snprintf(command, sizeof command, "rm -r '%s'", path);
    CHECK(rank != 0 || system(command) == 0);
}

static bool can_measure(rpt_context_t *context)
{
    struct rpt_comm *comm = rpt__group_comm(rpt_group_world(context));

    return size > 1 &&
           (rpt_context_n_nodes(context) > 1 ||
            strcmp(rpt__comm_transport(comm, rank > 0 ? 0 : 1), "shm") == 0);
}

static bool has_own_cores(rpt_context_t *context)
{
    struct rpt_comm *comm = rpt__group_comm(rpt_group_world(context));
    const struct rpt_seat *a = rpt__map_seat(rpt__comm_map(comm), 0);
    const struct rpt_seat *b = rpt__map_seat(rpt__comm_map(comm), 1);

    return size == 2 && a->n_host_cores >= 2 &&
           (a->cpus_key != b->cpus_key || a->n_cores >= 2);
}

static void numbers_are_measured_once_and_kept(void)
{
    struct rpt_numbers first, second;
    rpt_context_t *context = NULL;
    char path[64];

    begin_folder(path);
    setenv("XDG_CACHE_HOME", path, 1);
    CHECK(context_with("coll.measure", "auto", &context) == RPT_OK);
    first = numbers_of(context);
    CHECK(!can_measure(context) || !has_own_cores(context) ||
          first.measured != 0 || first.n_tries > 0);
    rpt_context_destroy(context);
    CHECK(context_with("coll.measure", "auto", &context) == RPT_OK);
    second = numbers_of(context);
    rpt_context_destroy(context);
    CHECK((first.measured & ~second.measured) == 0);
    for (int i = 0; i < RPT_N_NUMBERS; i++) { /* kept in femtoseconds */
        double difference = first.seconds[i] - second.seconds[i];

        CHECK(!rpt__numbers_has(&first, (enum rpt_number)i) ||
              (difference > -2e-15 && difference < 2e-15));
    }
    CHECK(size > 1 || first.measured == 0);
    CHECK(context_with("coll.measure", "no", &context) == RPT_OK);
    CHECK(numbers_of(context).measured == 0);
    rpt_context_destroy(context);
    unsetenv("XDG_CACHE_HOME");
    end_folder(path);
}

/* Virtual ones; by real ones the test does not know where it is bound. */
static bool knows_domains(rpt_context_t *context, bool *divided)
{
    struct rpt_comm *comm = rpt__group_comm(rpt_group_world(context));
    int n = (int)rpt__option_integer(rpt__comm_options(comm),
                                     RPT_OPT_TOPO_VIRTUAL_DOMAINS);

    *divided = n > 1 && size / n >= 2;
    return n > 0 && rpt_context_n_nodes(context) == 1;
}

/* Also those that did not take part. */
static void all_ranks_have_the_same_numbers(void)
{
    rpt_context_t *context = NULL;
    struct rpt_numbers numbers;
    bool divided;
    char path[64];

    begin_folder(path);
    setenv("XDG_CACHE_HOME", path, 1);
    CHECK(context_with("coll.measure", "always", &context) == RPT_OK);
    numbers = numbers_of(context);
    CHECK(can_measure(context) == (numbers.measured != 0));
    if (can_measure(context) && knows_domains(context, &divided)) {
        CHECK(rpt__numbers_has(&numbers, RPT_NUMBER_FLAG));
        CHECK(rpt__numbers_has(&numbers, RPT_NUMBER_ACROSS_FLAG) == divided);
        CHECK(rpt__numbers_has(&numbers, RPT_NUMBER_ACROSS_BYTE) == divided);
    }
    rpt_context_destroy(context);
    unsetenv("XDG_CACHE_HOME");
    end_folder(path);
}

/* Rank 0 reads the rules, and nobody else. */
static void rules_of_rank_0_are_those_of_all(void)
{
    rpt_coll_t coll = { .kind = RPT_COLL_BARRIER };
    const char *name = size > 1 ? "dissemination" : "copy";
    rpt_context_t *context = NULL;
    rpt_plan_t *plan = NULL;
    char path[64], *text, line[32];

    begin_folder(path);
    strcat(path, "/rules");
    if (rank == 0) {
        FILE *file = fopen(path, "w");

        fprintf(file, "barrier -> dissemination\n");
        fclose(file);
    }
    CHECK(context_with("coll.rules", path, &context) == RPT_OK);
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0) {
        unlink(path);
    }
    CHECK(rpt_plan_create(rpt_group_world(context), &coll, &plan) == RPT_OK);
    CHECK(rpt_plan_explain(plan, &text) == RPT_OK);
    snprintf(line, sizeof line, "\n* %s ", name);
    CHECK(strstr(text, line) != NULL);
    free(text);
    rpt_plan_destroy(plan);
    rpt_context_destroy(context);
    CHECK(context_with("coll.rules", path, &context) ==
          (rank == 0 ? RPT_ERR_IO : RPT_ERR_PEER));
    CHECK(strstr(rank == 0 ? rpt_last_error()->what : rpt_last_error()->why,
                 "/rules cannot be read") != NULL);
    *strrchr(path, '/') = '\0';
    end_folder(path);
}

/* The word is compared, the number cannot even be read. */
static void a_bad_option_of_one_rank_is_told_to_all(void)
{
    bool is_last = rank == size - 1;
    rpt_context_t *context = NULL;

    if (is_last) {
        setenv("RPT_COMM_SPIN_US", "-1", 1);
    }
    CHECK(rpt_context_create_mpi(MPI_COMM_WORLD, NULL, &context) ==
          (is_last ? RPT_ERR_PARSE : RPT_ERR_PEER));
    CHECK(strstr(is_last ? rpt_last_error()->what : rpt_last_error()->why,
                 "option comm.spin_us cannot be \"-1\"") != NULL);
    unsetenv("RPT_COMM_SPIN_US");
    CHECK(context_with("coll.kernel_copy", is_last ? "perhaps" : "no",
                       &context) ==
          (size > 1 ? RPT_ERR_MISMATCH : RPT_ERR_PARSE));
    CHECK(strstr(rpt_last_error()->hint, size > 1 ? "coll.*" : "always") !=
          NULL);
    CHECK(context == NULL);
}

/* It is looked at by the first collective of a group. */
static void a_bad_device_option_of_one_rank_is_told_to_all(void)
{
    bool is_last = rank == size - 1;
    rpt_context_t *context = NULL;

    CHECK(context_with("device.use", is_last ? "perhaps" : "no", &context) ==
          RPT_OK);
    CHECK(rpt_barrier(rpt_group_world(context)) ==
          (is_last ? RPT_ERR_INVALID : RPT_ERR_PEER));
    CHECK(strstr(rpt_last_error()->what, "device.use=perhaps") != NULL);
    rpt_context_destroy(context);
}

/* ---- who asks seldom ---- */

/* All are away for longer than the deadline, and then find that the others have
 * been there. */
static void time_away_is_no_time_of_waiting(void)
{
    static const char *const settings[] = {
        "coll.deadline_s", "2", "comm.shm", "no",
        "coll.allreduce.algorithm", "ring", NULL,
    };
    enum { N = 1 << 20 };
    struct timespec pause = { .tv_sec = 2, .tv_nsec = 500000000 };
    rpt_options_t *options = options_with(settings);
    double *x = calloc(2 * N, sizeof *x);
    rpt_coll_t coll = { .kind = RPT_COLL_ALLREDUCE,
                        .in = x,
                        .out = x + N,
                        .count = N,
                        .type = RPT_TYPE_F64,
                        .op = RPT_OP_SUM };
    double y[2][2] = { { rank, rank }, { rank, rank } };
    rpt_reducer_array_t arrays[] = { { y[0], 2 }, { y[1], 2 } };
    rpt_reducer_config_t config = { .type = RPT_TYPE_F64, .bucket_bytes = 1 };
    rpt_reducer_t *reducer = NULL;
    rpt_context_t *context = NULL;
    rpt_plan_t *plan = NULL;
    rpt_status_t status;

    if (size != 2) {
        rpt_test_skip("it takes seconds: 2 ranks do it");
        free(x);
        rpt_options_destroy(options);
        return;
    }
    x[0] = x[N - 1] = rank;
    CHECK(rpt_context_create_mpi(MPI_COMM_WORLD, options, &context) == RPT_OK);
    CHECK(rpt_reducer_create(rpt_group_world(context), &config, arrays, 2,
                             &reducer) == RPT_OK);
    CHECK(rpt_coll_start(rpt_group_world(context), &coll, &plan) == RPT_OK);
    CHECK(rpt_reducer_ready(reducer, 0) == RPT_OK);
    status = rpt_plan_test(plan);
    nanosleep(&pause, NULL);
    CHECK(rpt_reducer_ready(reducer, 1) == RPT_OK);
    while ((status = rpt_plan_test(plan)) == RPT_PENDING) {
    }
    CHECK(status == RPT_OK);
    CHECK(x[N] == 1 && x[2 * N - 1] == 1);
    CHECK(rpt_reducer_wait(reducer) == RPT_OK);
    CHECK(y[0][0] == 1 && y[1][1] == 1);
    rpt_plan_destroy(plan);
    rpt_reducer_destroy(reducer);
    rpt_context_destroy(context);
    rpt_options_destroy(options);
    free(x);
}

/* ---- private buffers that the kernel reads ---- */

/* One node, with shared memory; and the system lets them. */
static bool can_read(rpt_context_t *context)
{
    struct rpt_comm *comm = rpt__group_comm(rpt_group_world(context));

    return all_may_read() && size > 1 && rpt_context_n_nodes(context) == 1 &&
           strcmp(rpt__comm_transport(comm, rank > 0 ? 0 : 1), "shm") == 0;
}

static rpt_context_t *context_that_copies(const char *how)
{
    rpt_context_t *context = NULL;

    CHECK(context_with("coll.kernel_copy", how, &context) == RPT_OK);
    return context;
}

static void private_buffers_are_read_by_the_kernel(void)
{
    rpt_context_t *context = context_that_copies("always");
    rpt_group_t *world = rpt_group_world(context);

    shared_buffers(context);
    uneven_private_blocks(world);
    same_bits(context);
    CHECK((n_by_kernel(world) > 0) == can_read(context));
    rpt_context_destroy(context);
    context = context_that_copies("no");
    shared_buffers(context);
    CHECK(n_by_kernel(rpt_group_world(context)) == 0);
    rpt_context_destroy(context);
    CHECK(context_with("coll.kernel_copy", "perhaps", &context) < RPT_OK);
}

/* Whatever comes of it.  Sums are only tried where that changes no bits. */
static void the_faster_way_is_right(void)
{
    enum { COUNT = 10000, CALLS = 80 };
    static const char *const settings[] = { "coll.kernel_copy", "auto",
                                            "coll.reproducible", "yes", NULL };
    rpt_options_t *options = options_with(settings);
    rpt_context_t *context = NULL;
    rpt_group_t *world;
    double *x = calloc(COUNT, sizeof *x), *y = calloc(COUNT, sizeof *y);

    CHECK(rpt_context_create_mpi(MPI_COMM_WORLD, options, &context) == RPT_OK);
    rpt_options_destroy(options);
    world = rpt_group_world(context);
    for (int call = 0; call < CALLS; call++) {
        x[COUNT - 1] = rank + call;
        CHECK(rpt_allreduce(world, x, y, COUNT, RPT_TYPE_F64, RPT_OP_SUM) ==
              RPT_OK);
        CHECK((int)y[COUNT - 1] == size * (size - 1) / 2 + size * call);
    }
    CHECK((n_by_kernel(world) > 0) == can_read(context)); /* it was tried */
    free(x);
    free(y);
    rpt_context_destroy(context);
}

/* A barrier, and a call behind it: by rank 0 one after the other, by others
 * while the barrier is under way, so that the loop has both. */
static void call_behind_a_barrier(rpt_group_t *world, const rpt_coll_t *coll,
                                  rpt_plan_t *plans[2])
{
    if (rank == 0) {
        MPI_Barrier(MPI_COMM_WORLD);
        CHECK(rpt_barrier(world) == RPT_OK);
        CHECK(rpt_allreduce(world, coll->in, coll->out, coll->count, coll->type,
                            coll->op) == RPT_OK);
        return;
    }
    CHECK(rpt_plan_start(plans[0]) == RPT_OK);
    CHECK(rpt_plan_start(plans[1]) == RPT_OK);
    MPI_Barrier(MPI_COMM_WORLD);
    CHECK(rpt_plan_wait(plans[0]) == RPT_OK);
    CHECK(rpt_plan_wait(plans[1]) == RPT_OK);
}

/* Rank 0 tries it in blocking calls; those of the others are done by the loop,
 * which tries nothing, so that they offer nothing. */
static void one_that_does_not_offer_keeps_all_from_it(void)
{
    enum { COUNT = 10000, CALLS = 80 };
    rpt_context_t *context = context_that_copies("auto");
    rpt_group_t *world = rpt_group_world(context);
    double *x = calloc(COUNT, sizeof *x), *y = calloc(COUNT, sizeof *y);
    rpt_coll_t coll = { .kind = RPT_COLL_ALLREDUCE,
                        .in = x,
                        .out = y,
                        .count = COUNT,
                        .type = RPT_TYPE_F64,
                        .op = RPT_OP_SUM };
    rpt_plan_t *plans[2] = { NULL, NULL };

    CHECK(rpt_plan_create(world, &(rpt_coll_t){ .kind = RPT_COLL_BARRIER },
                          &plans[0]) == RPT_OK);
    CHECK(rpt_plan_create(world, &coll, &plans[1]) == RPT_OK);
    for (int call = 0; call < CALLS; call++) {
        x[COUNT - 1] = rank + call;
        call_behind_a_barrier(world, &coll, plans);
        CHECK((int)y[COUNT - 1] == size * (size - 1) / 2 + size * call);
    }
    CHECK(size == 1 || n_by_kernel(world) == 0);
    rpt_plan_destroy(plans[0]);
    rpt_plan_destroy(plans[1]);
    free(x);
    free(y);
    rpt_context_destroy(context);
}

/* The others call when rank 0 has begun: as much as the transport holds waits
 * there, and a bit more.  Behind its wait rank 0 only calls MPI. */
static void who_has_given_need_not_call_again(void)
{
    enum { HELD = 16 * 32 * 1024, STEP = 30 * 1024, CALLS = 24 };
    rpt_context_t *context = NULL;
    char *given = calloc((size_t)size, HELD + CALLS * STEP);
    char *taken = calloc(1, HELD + CALLS * STEP);
    rpt_coll_t coll = {
        .kind = RPT_COLL_SCATTER, .in = given, .out = taken, .type = RPT_TYPE_U8
    };

    CHECK(context_with("coll.scatter.algorithm", size > 1 ? "linear" : "copy",
                       &context) == RPT_OK);
    for (int call = 0; call < CALLS; call++) {
        rpt_plan_t *plan = NULL;
        int begun = 0;

        coll.count = HELD + (size_t)call * STEP;
        given[(size_t)size * coll.count - 1] = (char)(call + 1);
        if (rank == 0) {
            CHECK(rpt_coll_start(rpt_group_world(context), &coll, &plan) ==
                  RPT_OK);
        }
        MPI_Bcast(&begun, 1, MPI_INT, 0, MPI_COMM_WORLD);
        if (rank > 0) {
            CHECK(rpt_coll_start(rpt_group_world(context), &coll, &plan) ==
                  RPT_OK);
        }
        CHECK(rpt_plan_wait(plan) == RPT_OK);
        rpt_plan_destroy(plan);
        MPI_Barrier(MPI_COMM_WORLD);
        CHECK(rank < size - 1 || taken[coll.count - 1] == (char)(call + 1));
    }
    free(given);
    free(taken);
    rpt_context_destroy(context);
}

static void a_buffer_that_ends_early_is_an_error_on_all(void)
{
    rpt_context_t *context = context_that_copies("always");

    buffer_that_ends_early(rpt_group_world(context));
    rpt_context_destroy(context);
}

/* The last test: it holds for what comes after. */
static void one_that_may_not_read_keeps_all_from_it(void)
{
    bool can_forbid = rank < size - 1 || rpt_test_forbid_reads();
    rpt_context_t *context = context_that_copies("always");

    if (rpt_test_any(!can_forbid)) {
        rpt_context_destroy(context);
        rpt_test_skip("there are no filters of system calls");
        return;
    }
    CHECK(size == 1 || !all_may_read());
    shared_buffers(context);
    CHECK(n_by_kernel(rpt_group_world(context)) == 0);
    rpt_context_destroy(context);
}

static const struct rpt_test tests[] = {
    RPT_TEST(every_operation_is_right),
    RPT_TEST(every_form_is_right),
    RPT_TEST(operators_of_users_keep_the_order),
    RPT_TEST(blocks_may_differ),
    RPT_TEST(calls_in_any_order_are_right),
    RPT_TEST(groups_do_not_disturb_each_other),
    RPT_TEST(many_may_be_under_way),
    RPT_TEST(groups_may_come_and_go),
    RPT_TEST(ranks_agree_to_the_bit),
    RPT_TEST(lists_of_every_shape_are_reduced),
    RPT_TEST(arrays_may_be_marked_in_any_order),
    RPT_TEST(reducers_do_not_disturb_each_other),
    RPT_TEST(what_is_complete_begins_at_once),
    RPT_TEST(errors_of_bf16_are_within_the_bound),
    RPT_TEST(wrong_marks_are_told_and_lose_nothing),
    RPT_TEST(lists_that_differ_are_an_error_on_all),
    RPT_TEST(what_one_rank_cannot_all_are_told),
    RPT_TEST(who_gives_a_round_up_ends_it),
    RPT_TEST(buffers_are_read_where_they_are),
    RPT_TEST(buffers_may_come_and_go),
    RPT_TEST(a_forced_pull_is_obeyed_or_an_error),
    RPT_TEST(a_wait_lets_messages_arrive),
    RPT_TEST(numbers_are_measured_once_and_kept),
    RPT_TEST(all_ranks_have_the_same_numbers),
    RPT_TEST(rules_of_rank_0_are_those_of_all),
    RPT_TEST(a_bad_option_of_one_rank_is_told_to_all),
    RPT_TEST(a_bad_device_option_of_one_rank_is_told_to_all),
    RPT_TEST(time_away_is_no_time_of_waiting),
    RPT_TEST(different_calls_are_an_error_on_all),
    RPT_TEST(private_buffers_are_read_by_the_kernel),
    RPT_TEST(the_faster_way_is_right),
    RPT_TEST(one_that_does_not_offer_keeps_all_from_it),
    RPT_TEST(who_has_given_need_not_call_again),
    RPT_TEST(a_buffer_that_ends_early_is_an_error_on_all),
    RPT_TEST(one_that_may_not_read_keeps_all_from_it),
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
    int wanted = MPI_THREAD_FUNNELED, level, code;

    if (argc > 1 && strcmp(argv[1], "multiple") == 0) {
        wanted = MPI_THREAD_MULTIPLE;
    }
    MPI_Init_thread(&argc, &argv, wanted, &level);
    rpt_test_over_mpi(&rank, &size);
    if (argc > 1) {
        argv[1] = argv[0];
        argv++;
        argc--;
    }
    code = rpt_test_main("test_coll_mpi", tests, 280, argc, argv);
    MPI_Finalize();
    return code;
}
