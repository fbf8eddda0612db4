/*
 * test_comm_mpi.c - contexts over MPI communicators; run by under_mpirun
 *
 *     mpirun -n N test_comm_mpi [funneled|multiple [test ...]]
 *
 * Options come from the environment, so that the same tests see shared memory,
 * MPI, and both.  The library may call MPI from its own thread only in contexts
 * that say so; with "funneled" the tests check that it does not.
 */
#include "comm/mpi.h"

#include "fixture.h"
#include "harness.h"
#include "messages.h"
#include "over_mpi.h"

#include "base/clock.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static int rank, size, level;
static rpt_status_t before_init;

static struct rpt_comm *create(MPI_Comm mpi_comm, const char *const settings[])
{
    rpt_options_t *options = options_with(settings);
    struct rpt_comm *comm = NULL;
    rpt_status_t status = rpt__comm_create_mpi(mpi_comm, options, NULL, &comm);

    CHECK(status == RPT_OK);
    if (status != RPT_OK) {
        fprintf(stderr, "%s\n", rpt_last_error_text());
        exit(1);
    }
    rpt_options_destroy(options);
    return comm;
}

static void with_world(rank_fn fn)
{
    struct rpt_comm *comm = create(MPI_COMM_WORLD, NULL);

    fn(comm);
    rpt__comm_destroy(comm);
}

/* ---- the same as over threads ---- */

static void messages_of_all_sizes_arrive_whole(void)
{
    with_world(all_sizes_from_all_to_all);
}

static void small_messages_keep_their_order(void)
{
    with_world(many_small_messages_in_order);
}

static void a_large_message_arrives(void)
{
    with_world(size == 2 ? one_message_of_300_megabytes
                         : one_message_of_30_megabytes);
}

static void a_message_above_two_gigabytes_arrives(void)
{
    with_world(one_message_above_two_gigabytes);
}

static void a_message_without_a_function_waits_for_it(void)
{
    with_world(messages_without_a_function_are_kept);
}

static void messages_of_that_tag_keep_their_order(void)
{
    with_world(a_function_may_register_another);
}

static void a_context_may_end_with_messages_on_the_way(void)
{
    for (int i = 0; i < 10; i++) {
        with_world(messages_on_the_way_at_the_end);
    }
}

static void a_rank_that_is_not_there_is_an_error(void)
{
    with_world(a_rank_that_does_not_exist);
}

static void a_split_makes_the_groups_asked_for(void)
{
    with_world(splits_into_many_colours);
}

static void a_bad_colour_is_an_error_on_all_ranks(void)
{
    with_world(a_bad_colour_fails_on_all);
}

static void a_list_makes_a_group(void)
{
    with_world(groups_of_listed_ranks);
}

static void an_exchange_gives_all_to_all(void)
{
    with_world(exchanges_of_all_sizes);
}

static void a_barrier_holds_until_all_are_there(void)
{
    with_world(nobody_leaves_a_barrier_early);
}

static void groups_come_and_go_and_leave_nothing(void)
{
    with_world(thousands_of_groups_leave_nothing);
}

/* ---- who is where ---- */

static int count_hosts(void)
{
    enum { NAME = 64 };
    char name[NAME] = "", *all = calloc((size_t)size, NAME);
    int n = 0;

    CU_ASSERT_FATAL(all != NULL);
    gethostname(name, NAME - 1);
    MPI_Allgather(name, NAME, MPI_CHAR, all, NAME, MPI_CHAR, MPI_COMM_WORLD);
    for (int r = 0; r < size; r++) {
        int first = 0;

        while (strcmp(all + NAME * first, all + NAME * r) != 0) {
            first++;
        }
        n += first == r;
    }
    free(all);
    return n;
}

static void ranks_are_reached_as_the_options_say(void)
{
    struct rpt_comm *comm = create(MPI_COMM_WORLD, NULL);
    const rpt_options_t *options = rpt__comm_options(comm);
    bool use_shm = rpt__option_switch(options, RPT_OPT_COMM_SHM);
    const struct rpt_map *map = rpt__comm_map(comm);
    int nodes = (int)rpt__option_integer(options, RPT_OPT_TOPO_VIRTUAL_NODES);
    bool has_far = false;
    size_t offset;

    nodes *= count_hosts();
    CHECK(rpt__comm_rank(comm) == rank);
    CHECK(rpt__comm_size(comm) == size);
    CHECK(rpt__map_n_nodes(map) == (nodes < size ? nodes : size));
    for (int r = 0; r < size; r++) {
        bool near = use_shm &&
                    rpt__map_node_of(map, r) == rpt__map_node_of(map, rank);
        const char *expected = r == rank ? "self" : near ? "shm" : "mpi";

        CHECK(strcmp(rpt__comm_transport(comm, r), expected) == 0);
        has_far |= r != rank && !near;
    }
    /* Two nodes: somebody has far ranks, so all behave like it. */
    has_far |= nodes > 1 && size > 1;
    CHECK(rpt__comm_any_thread(comm) ==
          (!has_far || level == MPI_THREAD_MULTIPLE));
    CHECK(rpt__engine_has_thread(rpt__comm_engine(comm)) ==
          rpt__comm_any_thread(comm));
    CHECK(strstr(rpt__comm_mpi_text(comm), level == MPI_THREAD_MULTIPLE
                                               ? "threads: multiple"
                                               : "threads: funneled") != NULL);
    CHECK(strchr(rpt__comm_mpi_text(comm), '\n') == NULL);
    CHECK(rpt__comm_bell_fd(comm, &offset) >= 0);
    rpt__comm_destroy(comm);
}

static void other_communicators_work_too(void)
{
    int odd_rank = rank / 2, *ranks = calloc((size_t)size, sizeof *ranks);
    struct rpt_group *group = NULL;
    struct rpt_comm *comm;
    MPI_Comm reversed, odd;

    MPI_Comm_split(MPI_COMM_WORLD, 0, -rank, &reversed);
    MPI_Comm_split(MPI_COMM_WORLD, rank % 2 == 1 ? 0 : MPI_UNDEFINED, rank,
                   &odd);
    comm = create(reversed, NULL);
    CHECK(rpt__comm_rank(comm) == size - 1 - rank);
    all_sizes_from_all_to_all(comm);
    if (odd != MPI_COMM_NULL) {
        struct rpt_comm *small = create(odd, NULL);

        CHECK(rpt__comm_rank(small) == odd_rank);
        CHECK(rpt__comm_size(small) == size / 2);
        nobody_leaves_a_barrier_early(small);
        /* Rank 0 is in `reversed`, and not in `small`. */
        CHECK(rpt__comm_ranks_of_mpi(small, reversed, ranks) ==
              RPT_ERR_INVALID);
        rpt__comm_destroy(small);

        CHECK(rpt__comm_ranks_of_mpi(comm, odd, ranks) == RPT_OK);
        CHECK(ranks[odd_rank] == rpt__comm_rank(comm));
        lock(comm);
        CHECK(rpt__group_from_ranks(comm, ranks, size / 2, &group) == RPT_OK);
        CHECK(rpt__group_rank(group) == odd_rank);
        CHECK(rpt__group_barrier(group) == RPT_OK);
        rpt__group_destroy(group);
        unlock(comm);
        MPI_Comm_free(&odd);
    }
    rpt__comm_destroy(comm);
    MPI_Comm_free(&reversed);
    free(ranks);
}

/* The even ranks, descending. */
static void communicators_are_made_for_some_ranks(void)
{
    struct rpt_comm *comm = create(MPI_COMM_WORLD, NULL);
    struct rpt_comm *local = NULL;
    int *ranks = calloc((size_t)size, sizeof *ranks), n = 0, sum = 0;
    MPI_Comm made = MPI_COMM_NULL;

    for (int r = (size - 1) / 2 * 2; r >= 0; r -= 2) {
        ranks[n++] = r;
    }
    if (rank % 2 == 0) {
        for (int i = 0; i < 3; i++) {
            int new_rank = -1;

            CHECK(rpt__comm_make_mpi(comm, ranks, n, i, &made) == RPT_OK);
            MPI_Comm_rank(made, &new_rank);
            CHECK(ranks[new_rank] == rank);
            MPI_Allreduce(&rank, &sum, 1, MPI_INT, MPI_SUM, made);
            CHECK(sum == n * (n - 1)); /* 0 + 2 + ... + 2 (n - 1) */
            rpt__comm_free_mpi(&made);
        }
    }
    CHECK(meet(comm) == RPT_OK);
    rpt__comm_destroy(comm);

    CHECK(rpt__comm_create_local(1, NULL, NULL, &local) == RPT_OK);
    CHECK(rpt__comm_make_mpi(local, ranks, 1, 0, &made) == RPT_ERR_UNSUPPORTED);
    CHECK(rpt__comm_ranks_of_mpi(local, MPI_COMM_SELF, ranks) ==
          RPT_ERR_UNSUPPORTED);
    CHECK(made == MPI_COMM_NULL);
    rpt__comm_destroy(local);
    free(ranks);
}

/* ---- the program's own messages ---- */

/* Without progress inside our barrier this hangs: rank 0 waits for rank 1,
 * which waits for the rest of the message. */
static void send_and_meet(struct rpt_comm *comm, bool exchange)
{
    enum { BYTES = 64 << 20 };
    struct rpt_group *world = world_of(comm);
    char *data = NULL, *all = malloc((size_t)size);
    MPI_Request request = MPI_REQUEST_NULL;
    char mine = (char)rank;

    if (rank < 2) {
        data = malloc(BYTES);
        memset(data, rank == 0 ? 7 : 0, BYTES);
    }
    if (rank == 0) {
        MPI_Isend(data, BYTES, MPI_BYTE, 1, 99, MPI_COMM_WORLD, &request);
    } else if (rank == 1) {
        MPI_Recv(data, BYTES, MPI_BYTE, 0, 99, MPI_COMM_WORLD,
                 MPI_STATUS_IGNORE);
        CHECK(data[0] == 7 && data[BYTES / 2] == 7 && data[BYTES - 1] == 7);
    }
    lock(comm);
    CHECK((exchange ? rpt__group_exchange(world, "a test", &mine, 1, all)
                    : rpt__group_barrier(world)) == RPT_OK);
    unlock(comm);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    free(data);
    free(all);
}

/* How often the library asked MPI for a message that nobody sends. */
static _Atomic int n_probes;

int __real_PMPI_Iprobe(int source, int tag, MPI_Comm comm, int *flag,
                       MPI_Status *status);
int __wrap_PMPI_Iprobe(int source, int tag, MPI_Comm comm, int *flag,
                       MPI_Status *status);
int __wrap_PMPI_Iprobe(int source, int tag, MPI_Comm comm, int *flag,
                       MPI_Status *status)
{
    n_probes++;
    return __real_PMPI_Iprobe(source, tag, comm, flag, status);
}

static bool never(void *arg)
{
    (void)arg;
    return false;
}

/* Alone there is no other reason to call MPI. */
static int probes_of_a_wait(const char *drive)
{
    const char *const settings[] = { "comm.drive", drive, NULL };
    struct rpt_comm *comm = create(MPI_COMM_SELF, settings);
    int n;

    lock(comm);
    n_probes = 0;
    CHECK(rpt__comm_wait(comm, never, NULL, 0.05) == RPT_PENDING);
    n = n_probes;
    unlock(comm);
    rpt__comm_destroy(comm);
    return n;
}

static void who_does_not_want_it_drives_nothing(void)
{
    CHECK(probes_of_a_wait("yes") > 1);
    CHECK(probes_of_a_wait("no") == 0);
}

static void a_barrier_drives_the_messages_of_the_program(void)
{
    struct rpt_comm *comm = create(MPI_COMM_WORLD, NULL);

    if (size >= 2) {
        send_and_meet(comm, false);
        send_and_meet(comm, true);
    }
    rpt__comm_destroy(comm);
}

/* At MPI_THREAD_FUNNELED a barrier in another thread must leave MPI alone; it
 * works where all ranks share memory. */
static void *meet_in_thread(void *arg)
{
    for (int i = 0; i < 100; i++) {
        CHECK(meet(arg) == RPT_OK);
    }
    return NULL;
}

static void other_threads_may_wait_where_that_is_allowed(void)
{
    struct rpt_comm *comm = create(MPI_COMM_WORLD, NULL);
    pthread_t thread;

    if (rpt__comm_any_thread(comm)) {
        pthread_create(&thread, NULL, meet_in_thread, comm);
        pthread_join(thread, NULL);
    }
    rpt__comm_destroy(comm);
}

/* ---- what goes wrong at the start ---- */

static void what_is_no_communicator_is_an_error(void)
{
    struct rpt_comm *comm = NULL;

    CHECK(before_init == RPT_ERR_STATE);
    CHECK(rpt__comm_create_mpi(MPI_COMM_NULL, NULL, NULL, &comm) ==
          RPT_ERR_INVALID);
    if (size > 1) {
        MPI_Comm half, inter;

        MPI_Comm_split(MPI_COMM_WORLD, rank > 0, rank, &half);
        MPI_Intercomm_create(half, 0, MPI_COMM_WORLD, rank == 0, 5, &inter);
        CHECK(rpt__comm_create_mpi(inter, NULL, NULL, &comm) ==
              RPT_ERR_INVALID);
        MPI_Comm_free(&inter);
        MPI_Comm_free(&half);
    }
    CHECK(comm == NULL);
}

static rpt_status_t try_with(const char *const settings[])
{
    rpt_options_t *options = options_with(settings);
    struct rpt_comm *comm = NULL;
    rpt_status_t status = rpt__comm_create_mpi(MPI_COMM_WORLD, options, NULL,
                                               &comm);

    CHECK(comm == NULL);
    rpt_options_destroy(options);
    return status;
}

static void a_failure_of_one_rank_is_an_error_on_all(void)
{
    static const char *const bad[] = { "topo.synthetic", "no:such:thing",
                                       NULL };
    rpt_status_t status = try_with(rank == 0 ? bad : NULL);

    CHECK(status == (rank == 0 ? RPT_ERR_PARSE : RPT_ERR_PEER));
    if (rank > 0) {
        CHECK(strstr(rpt_last_error()->what, "rank 0 on ") != NULL);
    }
}

static void options_that_must_be_the_same_are_compared(void)
{
    static const char *const others[][3] = {
        { "comm.ring_bytes", "77KiB" },
        { "coll.stage_bytes", "8KiB" },
        { "coll.scan.algorithm", "chain" },
        { "topo.virtual_domains", "3" },
    };
    static const char *const same[] = { "coll.stage_bytes", "1MiB", NULL };
    static const char *const spelled[] = { "coll.stage_bytes", "1048576",
                                           NULL };

    for (int i = 0; size > 1 && i < 4; i++) {
        CHECK(try_with(rank == size - 1 ? others[i] : NULL) ==
              RPT_ERR_MISMATCH);
    }
    rpt__comm_destroy(
        create(MPI_COMM_WORLD, rank == size - 1 ? spelled : same));
}

/* What a context of all ranks is where rank 0 may make files of `bytes` at
 * most, and a memfd counts as one.  Beyond it there is a signal that ends the
 * process. */
static struct rpt_comm *create_with_files_of(rlim_t bytes)
{
    struct rlimit before, small;
    struct rpt_comm *comm;

    getrlimit(RLIMIT_FSIZE, &before);
    small = before;
    small.rlim_cur = bytes;
    if (rank == 0) {
        setrlimit(RLIMIT_FSIZE, &small);
    }
    comm = create(MPI_COMM_WORLD, NULL);
    setrlimit(RLIMIT_FSIZE, &before);
    return comm;
}

static void without_shared_memory_messages_go_through_mpi(void)
{
    struct rpt_comm *comm;
    bool near;

    if (count_hosts() > 1) {
        rpt_test_skip("rank 0 may be alone on its host");
        return;
    }
    watch_warnings();
    comm = create_with_files_of(65536);
    near = rpt__map_node_of(rpt__comm_map(comm), rank) == 0;
    for (int r = 0; near && r < size; r++) {
        CHECK(r == rank || strcmp(rpt__comm_transport(comm, r), "mpi") == 0);
    }
    if (rank == 0 && size > rpt__map_n_nodes(rpt__comm_map(comm)) &&
        rpt__option_switch(rpt__comm_options(comm), RPT_OPT_COMM_SHM)) {
        CHECK(n_warnings() == 1);
        CHECK(strstr(last_warning(), "go through MPI") != NULL);
        CHECK(strstr(last_warning(), "ulimit -f") != NULL);
        CHECK(strstr(last_warning(), "with rank 0") == NULL);
    } else {
        CHECK(n_warnings() == 0);
    }
    all_sizes_from_all_to_all(comm);
    rpt__comm_destroy(comm);
    stop_watching();
}

/* 64 MiB hold seven inboxes, and not what is shared for collectives. */
static void where_files_are_limited_less_memory_is_shared(void)
{
    struct rpt_comm *comm;
    const struct rpt_map *map;

    watch_warnings();
    comm = create_with_files_of(64 << 20);
    map = rpt__comm_map(comm);
    CHECK(n_warnings() == 0);
    for (int r = 0; r < size; r++) {
        bool shares = rpt__option_switch(rpt__comm_options(comm),
                                         RPT_OPT_COMM_SHM) &&
                      rpt__map_node_of(map, r) == rpt__map_node_of(map, rank);

        CHECK(r == rank || strcmp(rpt__comm_transport(comm, r),
                                  shares ? "shm" : "mpi") == 0);
    }
    all_sizes_from_all_to_all(comm);
    rpt__comm_destroy(comm);
    stop_watching();
}

static void many_contexts_come_and_go(void)
{
    for (int i = 0; i < 20; i++) {
        struct rpt_comm *a = create(MPI_COMM_WORLD, NULL);
        struct rpt_comm *b = create(MPI_COMM_WORLD, NULL);

        CHECK(meet(b) == RPT_OK);
        CHECK(meet(a) == RPT_OK);
        rpt__comm_destroy(a);
        rpt__comm_destroy(b);
    }
}

/* ---- ranks that do not come; the communicators are lost then ---- */

static const char *const hasty[] = { "comm.internal_deadline_s", "1", NULL };

static void a_start_without_all_ranks_ends_by_its_deadline(void)
{
    MPI_Comm other;

    MPI_Comm_dup(MPI_COMM_WORLD, &other);
    if (rank < size - 1) {
        rpt_options_t *options = options_with(hasty);
        struct rpt_comm *comm = NULL;

        CHECK(rpt__comm_create_mpi(other, options, NULL, &comm) ==
              RPT_ERR_TIMEOUT);
        CHECK(comm == NULL);
        rpt_options_destroy(options);
    }
}

static void an_end_without_all_ranks_ends_by_its_deadline(void)
{
    struct rpt_comm *comm = create(MPI_COMM_WORLD, hasty);

    watch_warnings();
    if (rank < size - 1) {
        rpt__comm_destroy(comm);
        CHECK(n_warnings() == 1);
        CHECK(strstr(last_warning(), "did not come") != NULL);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == size - 1) {
        rpt__comm_destroy(comm); /* may find that the others were there */
    }
    stop_watching();
}

/* MPI libraries keep some memory to the end; ours is looked at without MPI. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

int main(int argc, char *argv[])
{
    const struct rpt_test tests[] = {
        RPT_TEST(ranks_are_reached_as_the_options_say),
        RPT_TEST(messages_of_all_sizes_arrive_whole),
        RPT_TEST(small_messages_keep_their_order),
        RPT_TEST(a_large_message_arrives),
        RPT_TEST(a_message_without_a_function_waits_for_it),
        RPT_TEST(messages_of_that_tag_keep_their_order),
        RPT_TEST(a_context_may_end_with_messages_on_the_way),
        RPT_TEST(a_rank_that_is_not_there_is_an_error),
        RPT_TEST(a_split_makes_the_groups_asked_for),
        RPT_TEST(a_bad_colour_is_an_error_on_all_ranks),
        RPT_TEST(a_list_makes_a_group),
        RPT_TEST(an_exchange_gives_all_to_all),
        RPT_TEST(a_barrier_holds_until_all_are_there),
        RPT_TEST(groups_come_and_go_and_leave_nothing),
        RPT_TEST(other_communicators_work_too),
        RPT_TEST(communicators_are_made_for_some_ranks),
        RPT_TEST(a_barrier_drives_the_messages_of_the_program),
        RPT_TEST(who_does_not_want_it_drives_nothing),
        RPT_TEST(other_threads_may_wait_where_that_is_allowed),
        RPT_TEST(what_is_no_communicator_is_an_error),
        RPT_TEST(a_failure_of_one_rank_is_an_error_on_all),
        RPT_TEST(options_that_must_be_the_same_are_compared),
        RPT_TEST(without_shared_memory_messages_go_through_mpi),
        RPT_TEST(where_files_are_limited_less_memory_is_shared),
        RPT_TEST(many_contexts_come_and_go),
        RPT_TEST(a_start_without_all_ranks_ends_by_its_deadline),
        RPT_TEST(an_end_without_all_ranks_ends_by_its_deadline),
        /* 7 GB of memory: only when it is asked for. */
        { getenv("RPT_TEST_LONG") != NULL
              ? "a_message_above_two_gigabytes_arrives"
              : NULL,
          a_message_above_two_gigabytes_arrives },
        RPT_TEST_END
    };
    bool multiple = argc > 1 && strcmp(argv[1], "multiple") == 0;
    struct rpt_comm *comm = NULL;
    int result;

    before_init = rpt__comm_create_mpi(MPI_COMM_WORLD, NULL, NULL, &comm);
    MPI_Init_thread(&argc, &argv,
                    multiple ? MPI_THREAD_MULTIPLE : MPI_THREAD_FUNNELED,
                    &level);
    if (level != (multiple ? MPI_THREAD_MULTIPLE : MPI_THREAD_FUNNELED)) {
        MPI_Query_thread(&level);
    }
    rpt_test_over_mpi(&rank, &size);
    result = rpt_test_main("test_comm_mpi", tests, 120, argc > 1 ? argc - 1 : 1,
                           argv + 1);
    MPI_Finalize();
    return result;
}
