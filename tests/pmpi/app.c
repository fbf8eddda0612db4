/*
 * app.c - a program that knows MPI only; run by under_mpirun with the shim, and
 * without it
 *
 *     mpirun -n N pmpi_app_mpi [single|multiple [test ...]]
 *
 * Every result is compared with what is computed here, one rank after the
 * other.  Whether a test passed on all ranks is asked of PMPI_*, which is not
 * put to the test.
 */
#include "app.h"
#include "harness.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

int world_rank, world_size;

bool is_multiple;

bool has_shim(void)
{
    return getenv("LD_PRELOAD") != NULL;
}

MPI_Status *statuses_ignored(void)
{
    return MPI_STATUSES_IGNORE;
}

static int any(int flag)
{
    int result = 0;

    PMPI_Allreduce(&flag, &result, 1, MPI_INT, MPI_LOR, MPI_COMM_WORLD);
    return result;
}

/* ---- the same on several communicators ---- */

static void on_several(void (*fn)(MPI_Comm comm))
{
    MPI_Comm half, twin;

    fn(MPI_COMM_WORLD);
    /* Backwards, so that ranks are other ones than in the world. */
    MPI_Comm_split(MPI_COMM_WORLD, world_rank % 2, -world_rank, &half);
    fn(half);
    MPI_Comm_dup(half, &twin);
    fn(twin);
    MPI_Comm_free(&half);
    fn(twin);
    MPI_Comm_free(&twin);
    fn(MPI_COMM_SELF);
}

#define ON_SEVERAL(name, fn)                                                   \
    static void name(void)                                                     \
    {                                                                          \
        on_several(fn);                                                        \
    }

ON_SEVERAL(reductions_are_right, reductions)
ON_SEVERAL(numbers_of_all_types_add_up, numbers)
ON_SEVERAL(pairs_find_the_lowest_index, pairs)
ON_SEVERAL(parts_of_reductions_are_right, parts)
ON_SEVERAL(moved_data_arrives, moves)
ON_SEVERAL(many_bytes_arrive, large)
ON_SEVERAL(blocks_of_different_sizes_arrive, blocks)
ON_SEVERAL(types_with_holes_meet_types_without, holes)
ON_SEVERAL(blocks_with_holes_meet_blocks_without, blocks_with_holes)
ON_SEVERAL(what_lies_between_elements_is_left_alone, layouts)
ON_SEVERAL(nothing_may_be_sent, nothing)
ON_SEVERAL(what_passes_through_is_right, others)

/* With a group, and without one. */
static void in_world_and_elsewhere(void (*fn)(MPI_Comm comm))
{
    MPI_Comm twin;

    fn(MPI_COMM_WORLD);
    MPI_Comm_dup(MPI_COMM_WORLD, &twin);
    fn(twin);
    MPI_Barrier(twin);
    fn(twin);
    MPI_Comm_free(&twin);
    fn(MPI_COMM_SELF);
}

static void all_is_right_when_started(void)
{
#define RUN(name) in_world_and_elsewhere(name##_started);
    IN_ALL_FORMS(RUN)
#undef RUN
}

static void all_is_right_when_persistent(void)
{
#ifdef HAVE_PERSISTENT
#define RUN(name) in_world_and_elsewhere(name##_persistent);
    IN_ALL_FORMS(RUN)
#undef RUN
#else
    rpt_test_skip("this MPI has no persistent collectives");
#endif
}

/* ---- communicators ---- */

static void communicators_come_and_go(void)
{
    for (int i = 0; i < 300; i++) {
        MPI_Comm comm;
        int in = i, sum = -1, size;

        if (i % 2 == 0) {
            MPI_Comm_dup(MPI_COMM_WORLD, &comm);
        } else {
            MPI_Comm_split(MPI_COMM_WORLD, (world_rank + i) % 2, 0, &comm);
        }
        MPI_Comm_size(comm, &size);
        MPI_Allreduce(&in, &sum, 1, MPI_INT, MPI_SUM, comm);
        CHECK(sum == i * size);
        if (i < 290) {
            MPI_Comm_free(&comm);
        } /* else they are there at the end */
    }
}

static void two_halves_may_reduce_together(void)
{
    MPI_Comm half, both;
    int n_others = world_size / 2, in = 1, sum = -1;
    bool is_low = world_rank % 2 == 0;

    if (world_size < 2) {
        rpt_test_skip("an inter-communicator needs two ranks");
        return;
    }
    if (!is_low) {
        n_others = world_size - world_size / 2;
    }
    MPI_Comm_split(MPI_COMM_WORLD, is_low, world_rank, &half);
    MPI_Intercomm_create(half, 0, MPI_COMM_WORLD, is_low ? 1 : 0, 7, &both);
    MPI_Allreduce(&in, &sum, 1, MPI_INT, MPI_SUM, both);
    CHECK(sum == n_others);
    MPI_Barrier(both);
    MPI_Comm_free(&both);
    MPI_Comm_free(&half);
}

/* ---- threads ---- */

enum { N_THREADS = 3 };

static void *reduce_in_a_thread(void *arg)
{
    MPI_Comm *comm = arg;
    bool *ok = calloc(1, sizeof *ok);
    bool right = true;

    for (int i = 0; i < 20; i++) {
        int in = i, sum = -1;

        MPI_Allreduce(&in, &sum, 1, MPI_INT, MPI_SUM, *comm);
        right = right && sum == i * world_size;
    }
    *ok = right;
    return ok;
}

/* All make their first call at once, on communicators of the same ranks. */
static void threads_have_communicators_of_their_own(void)
{
    if (!is_multiple) {
        rpt_test_skip("only one thread may call MPI");
        return;
    }
    for (int round = 0; round < 5; round++) {
        pthread_t threads[N_THREADS];
        MPI_Comm comms[N_THREADS];

        for (int i = 0; i < N_THREADS; i++) {
            MPI_Comm_dup(MPI_COMM_WORLD, &comms[i]);
        }
        for (int i = 0; i < N_THREADS; i++) {
            /* Ranks begin with another one each. */
            int which = (i + world_rank) % N_THREADS;

            CHECK(pthread_create(&threads[which], NULL, reduce_in_a_thread,
                                 &comms[which]) == 0);
        }
        for (int i = 0; i < N_THREADS; i++) {
            void *ok = NULL;

            pthread_join(threads[i], &ok);
            CHECK(ok != NULL && *(bool *)ok);
            free(ok);
            MPI_Comm_free(&comms[i]);
        }
    }
}

/* ---- errors ---- */

void a_wrong_call_is_told(int (*call)(const double in[], double out[], int n,
                                      MPI_Comm comm))
{
    double in[4] = { 0 }, out[4] = { 0 };
    int first, second;
    MPI_Comm comm;

    if (!has_shim() || world_size < 2) {
        rpt_test_skip("MPI itself need not see it");
        return;
    }
    MPI_Comm_dup(MPI_COMM_WORLD, &comm);
    MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN);
    first = call(in, out, world_rank == 0 ? 3 : 4, comm);
    second = MPI_Allreduce(in, out, 4, MPI_DOUBLE, MPI_SUM, comm);
    CHECK(first == MPI_ERR_OTHER || second == MPI_ERR_OTHER);
    MPI_Comm_free(&comm);
}

static int sum(const double in[], double out[], int n, MPI_Comm comm)
{
    return MPI_Allreduce(in, out, n, MPI_DOUBLE, MPI_SUM, comm);
}

static void a_wrong_call_is_told_to_the_error_handler(void)
{
    a_wrong_call_is_told(sum);
}

static bool is_of_count(int code)
{
    int class = MPI_SUCCESS;

    MPI_Error_class(code, &class);
    return class == MPI_ERR_COUNT;
}

/* An MPICH may be built without looking at arguments. */
#ifdef MPICH_VERSION
enum { LOOKS_AT_COUNTS = 0 };
#else
enum { LOOKS_AT_COUNTS = 1 };
#endif

static void counts_below_zero(MPI_Comm comm)
{
    enum { MOST = 16 };
    int in[MOST] = { 0 }, out[MOST] = { 0 }, counts[MOST], places[MOST] = { 0 };

    for (int r = 0; r < MOST; r++) {
        counts[r] = -1;
    }
    CHECK(world_size <= MOST);
    CHECK(is_of_count(MPI_Bcast(in, -1, MPI_INT, 0, comm)));
    CHECK(is_of_count(MPI_Allreduce(in, out, -1, MPI_INT, MPI_SUM, comm)));
    CHECK(is_of_count(MPI_Allgather(in, -1, MPI_INT, out, -1, MPI_INT, comm)));
    CHECK(is_of_count(MPI_Alltoallv(in, counts, places, MPI_INT, out, counts,
                                    places, MPI_INT, comm)));
    CHECK(is_of_count(
        MPI_Reduce_scatter(in, out, counts, MPI_INT, MPI_SUM, comm)));
}

/* With errors that return: the program goes on, and the MPI has said why.  Open
 * MPI tells some of them to the handler of the world. */
static void a_bad_argument_is_left_to_the_mpi(void)
{
    int in[16] = { 0 }, out[16] = { 0 };
    MPI_Datatype vector, row;
    MPI_Errhandler before;
    MPI_Comm comm;

    MPI_Comm_dup(MPI_COMM_WORLD, &comm);
    MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN);
    MPI_Comm_get_errhandler(MPI_COMM_WORLD, &before);
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Type_vector(2, 1, 2, MPI_INT, &vector);
    MPI_Type_contiguous(2, MPI_INT, &row);
    CHECK(MPI_Barrier(comm) == MPI_SUCCESS);
    if (LOOKS_AT_COUNTS) {
        counts_below_zero(comm);
    } else if (world_rank == 0) {
        printf("  counts below zero: not tried, MPICH may not look at them\n");
    }
#ifdef OPEN_MPI /* MPICH does not look at them all */
    CHECK(MPI_Bcast(MPI_IN_PLACE, 1, MPI_INT, 0, comm) != MPI_SUCCESS);
    CHECK(MPI_Allgather(MPI_IN_PLACE, 1, MPI_INT, MPI_IN_PLACE, 1, MPI_INT,
                        comm) != MPI_SUCCESS);
    CHECK(MPI_Alltoall(in, 1, MPI_INT, MPI_IN_PLACE, 1, MPI_INT, comm) !=
          MPI_SUCCESS);
    CHECK(MPI_Allreduce(in, MPI_IN_PLACE, 1, MPI_INT, MPI_SUM, comm) !=
          MPI_SUCCESS);
#endif
    CHECK(MPI_Bcast(in, 1, vector, 0, comm) != MPI_SUCCESS);
    CHECK(MPI_Bcast(in, 1, row, 0, comm) != MPI_SUCCESS);
    CHECK(MPI_Allgather(in, 1, row, out, 1, row, comm) != MPI_SUCCESS);
    MPI_Type_commit(&vector);
    CHECK(MPI_Bcast(in, 1, vector, 0, comm) == MPI_SUCCESS);
    MPI_Type_free(&vector);
    MPI_Type_free(&row);
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, before);
    MPI_Errhandler_free(&before);
    MPI_Comm_free(&comm);
}

/* ---- files: MPI libraries call collectives there ---- */

static void files_are_written_together(void)
{
    char path[64] = "";
    MPI_File file;
    int own = world_rank + 1, back = 0;

    if (world_rank == 0) {
        snprintf(path, sizeof path, "pmpi_app.%ld.file", (long)getpid());
    }
    MPI_Bcast(path, sizeof path, MPI_CHAR, 0, MPI_COMM_WORLD);
    CHECK(MPI_File_open(MPI_COMM_WORLD, path,
                        MPI_MODE_CREATE | MPI_MODE_RDWR |
                            MPI_MODE_DELETE_ON_CLOSE,
                        MPI_INFO_NULL, &file) == MPI_SUCCESS);
    MPI_File_write_at_all(file, (MPI_Offset)sizeof own * world_rank, &own, 1,
                          MPI_INT, MPI_STATUS_IGNORE);
    MPI_File_read_at_all(file, (MPI_Offset)sizeof own * world_rank, &back, 1,
                         MPI_INT, MPI_STATUS_IGNORE);
    CHECK(back == own);
    MPI_File_close(&file);
}

static const struct rpt_test tests[] = {
    RPT_TEST(reductions_are_right),
    RPT_TEST(numbers_of_all_types_add_up),
    RPT_TEST(pairs_find_the_lowest_index),
    RPT_TEST(parts_of_reductions_are_right),
    RPT_TEST(moved_data_arrives),
    RPT_TEST(many_bytes_arrive),
    RPT_TEST(blocks_of_different_sizes_arrive),
    RPT_TEST(types_with_holes_meet_types_without),
    RPT_TEST(blocks_with_holes_meet_blocks_without),
    RPT_TEST(what_lies_between_elements_is_left_alone),
    RPT_TEST(nothing_may_be_sent),
    RPT_TEST(what_passes_through_is_right),
    RPT_TEST(all_is_right_when_started),
    RPT_TEST(all_is_right_when_persistent),
    RPT_TEST(large_counts_are_right),
    RPT_TEST(counts_of_both_kinds_match),
    RPT_TEST(places_may_be_above_int),
    RPT_TEST(counts_above_int_arrive),
    RPT_TEST(an_element_may_be_above_int),
    RPT_TEST(types_may_be_made_with_large_counts),
    RPT_TEST(a_wrong_large_call_is_told_to_the_error_handler),
    RPT_TEST(a_bad_argument_of_a_large_call_is_left_to_the_mpi),
    RPT_TEST(a_started_call_needs_no_caller),
    RPT_TEST(a_started_call_waits_for_nobody),
    RPT_TEST(messages_go_on_while_ours_are_waited_for),
    RPT_TEST(a_wrong_call_is_told_in_its_status),
    RPT_TEST(wait_takes_requests_of_both_kinds),
    RPT_TEST(test_takes_requests_of_both_kinds),
    RPT_TEST(one_or_some_are_waited_for),
    RPT_TEST(requests_are_waited_for_in_any_order),
    RPT_TEST(a_status_may_be_asked_for),
    RPT_TEST(thousands_of_requests_leave_nothing),
    RPT_TEST(a_collective_cannot_be_cancelled),
    RPT_TEST(a_communicator_may_be_freed_meanwhile),
    RPT_TEST(a_type_may_be_freed_meanwhile),
    RPT_TEST(a_request_may_be_freed_meanwhile),
    RPT_TEST(a_thread_may_wait_while_another_one_starts),
    RPT_TEST(persistent_requests_start_again),
    RPT_TEST(persistent_requests_stand_beside_others),
    RPT_TEST(persistent_requests_start_in_any_order),
    RPT_TEST(a_missing_rank_is_told_to_who_waits_or_asks),
    RPT_TEST(wait_and_test_tell_of_a_failure),
    RPT_TEST(a_failure_is_told_to_all_who_ask),
    RPT_TEST(any_tells_of_a_failure),
    RPT_TEST(some_tell_of_a_failure),
    RPT_TEST(all_tell_of_a_failure_when_all_are_over),
    RPT_TEST(a_failure_after_its_communicator_is_told_to_the_world),
    RPT_TEST(types_of_blocks_may_be_freed_meanwhile),
    RPT_TEST(a_persistent_request_outlives_its_communicator),
    RPT_TEST(a_persistent_request_may_be_freed_meanwhile),
    RPT_TEST(a_persistent_request_tells_once_that_it_failed),
    RPT_TEST(persistent_requests_start_again_as_they_end),
    RPT_TEST(types_and_communicators_leave_nothing),
    RPT_TEST(communicators_come_and_go),
    RPT_TEST(a_delete_function_may_call_collectives),
    RPT_TEST(a_delete_function_may_run_beside_a_request),
    RPT_TEST(a_delete_function_may_free_a_communicator),
    RPT_TEST(threads_may_free_communicators),
    RPT_TEST(functions_of_a_living_one_may_call_collectives),
    RPT_TEST(finalize_may_call_collectives),
    RPT_TEST(two_halves_may_reduce_together),
    RPT_TEST(threads_have_communicators_of_their_own),
    RPT_TEST(a_wrong_call_is_told_to_the_error_handler),
    RPT_TEST(a_bad_argument_is_left_to_the_mpi),
    RPT_TEST(files_are_written_together),
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
    int level = MPI_THREAD_SINGLE, code;

    if (argc > 1 && strcmp(argv[1], "multiple") == 0) {
        MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &level);
    } else {
        MPI_Init(&argc, &argv);
    }
    is_multiple = level == MPI_THREAD_MULTIPLE;
    MPI_Comm_rank(MPI_COMM_WORLD, &world_rank);
    MPI_Comm_size(MPI_COMM_WORLD, &world_size);
    rpt_test_over_ranks(world_rank, any);
    if (argc > 1) {
        argv[1] = argv[0];
        argv++;
        argc--;
    }
    code = rpt_test_main("pmpi-app", tests, 120, argc, argv);
    leave_requests();
    MPI_Finalize();
    if (!what_was_left_is_done()) {
        printf("rank %d: MPI_Finalize did not end a request\n", world_rank);
        code = 1;
    }
    return code;
}
