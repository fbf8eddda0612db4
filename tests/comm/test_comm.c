/*
 * test_comm.c - local contexts: ranks are threads of this process
 */
#include "comm/comm.h"

#include "fixture.h"
#include "harness.h"
#include "messages.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static const char *const small_ring[] = { "comm.ring_bytes", "64KiB", NULL };

static void on_several_sizes(rank_fn fn)
{
    static const int sizes[] = { 1, 2, 3, 4, 7, 16 };

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        on_local_ranks(sizes[i], NULL, fn);
    }
}

static void messages_of_all_sizes_arrive_whole(void)
{
    on_several_sizes(all_sizes_from_all_to_all);
}

static void they_do_so_through_a_small_ring(void)
{
    on_local_ranks(3, small_ring, all_sizes_from_all_to_all);
    on_local_ranks(4, small_ring, many_small_messages_in_order);
}

static void small_messages_keep_their_order(void)
{
    on_local_ranks(1, NULL, many_small_messages_in_order);
    on_local_ranks(5, NULL, many_small_messages_in_order);
}

static void a_message_of_300_megabytes_arrives(void)
{
    on_local_ranks(2, NULL, one_message_of_300_megabytes);
}

static void a_message_above_two_gigabytes_arrives(void)
{
    if (getenv("RPT_TEST_LONG") == NULL) {
        rpt_test_skip("takes 7 GB of memory; set RPT_TEST_LONG=1");
        return;
    }
    on_local_ranks(2, NULL, one_message_above_two_gigabytes);
}

static void a_message_without_a_function_waits_for_it(void)
{
    on_several_sizes(messages_without_a_function_are_kept);
}

static void messages_of_that_tag_keep_their_order(void)
{
    on_several_sizes(a_function_may_register_another);
}

static void a_context_may_end_with_messages_on_the_way(void)
{
    on_several_sizes(messages_on_the_way_at_the_end);
}

static void a_rank_that_is_not_there_is_an_error(void)
{
    on_several_sizes(a_rank_that_does_not_exist);
}

/* ---- flow control ---- */

static _Atomic uint32_t held, filled;
static size_t got_bytes;
static int n_got;

static void take(void *user, int source, const void *data, size_t bytes)
{
    (void)user;
    (void)data;
    (void)source;
    got_bytes += bytes;
    n_got++;
}

static bool has_all(void *arg)
{
    return n_got >= *(const int *)arg;
}

/* Rank 1 holds its own lock, so that nobody empties its inbox, until rank 0
 * has found it full. */
static void slow_receiver(struct rpt_comm *comm)
{
    enum { N = 100, BYTES = 5000 };
    static char data[BYTES];
    int wanted = N;

    if (rpt__comm_rank(comm) == 0) {
        await(&held, 1);
    }
    lock(comm);
    if (rpt__comm_rank(comm) == 1) {
        CHECK(rpt__comm_handle(comm, RPT_TAG_POOL_GIVE, take, NULL) == RPT_OK);
        count_up(&held);
        await(&filled, 1);
        CHECK(rpt__comm_wait(comm, has_all, &wanted, -1) == RPT_OK);
        CHECK(n_got == N);
        CHECK(got_bytes == (size_t)N * BYTES);
    } else {
        for (int i = 0; i < N; i++) {
            CHECK(rpt__comm_send(comm, 1, RPT_TAG_POOL_GIVE, data, BYTES) ==
                  RPT_OK);
        }
        /* 64 KiB at most are in the ring. */
        CHECK(rpt__comm_backlog(comm, 1) >= (size_t)N * BYTES - 65536);
        CHECK(rpt__comm_flush(comm, 0) == RPT_PENDING);
        count_up(&filled);
        CHECK(rpt__comm_flush(comm, -1) == RPT_OK);
        CHECK(rpt__comm_backlog(comm, 1) == 0);
    }
    unlock(comm);
    CHECK(meet(comm) == RPT_OK);
}

static void a_slow_receiver_blocks_nobody(void)
{
    atomic_store(&held, 0);
    atomic_store(&filled, 0);
    got_bytes = 0;
    n_got = 0;
    on_local_ranks(2, small_ring, slow_receiver);
}

/* ---- ends ---- */

static void look_around(struct rpt_comm *comm)
{
    int rank = rpt__comm_rank(comm), n = rpt__comm_size(comm);
    size_t offset = 0, other;
    int fd = rpt__comm_bell_fd(comm, &offset);
    char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
                      (off_t)(offset & ~(size_t)4095));

    CHECK(n == 3);
    CHECK(strcmp(rpt__comm_transport(comm, rank), "self") == 0);
    CHECK(strcmp(rpt__comm_transport(comm, (rank + 1) % 3), "loopback") == 0);
    CHECK(strcmp(rpt__comm_mpi_text(comm), "") == 0);
    CHECK(rpt__comm_any_thread(comm));
    CHECK(rpt__engine_has_thread(rpt__comm_engine(comm)));
    CHECK(rpt__map_size(rpt__comm_map(comm)) == 3);
    CHECK(rpt__map_n_nodes(rpt__comm_map(comm)) == 3);
    CHECK(rpt__comm_machine(comm) != NULL);
    CHECK(rpt__option_integer(rpt__comm_options(comm),
                              RPT_OPT_TOPO_VIRTUAL_NODES) == 3);
    CHECK(page != MAP_FAILED);
    if (page != MAP_FAILED) {
        struct rpt_bell *bell = (void *)(page + (offset & 4095));
        uint32_t count = atomic_load(&bell->count);

        rpt__engine_ring(rpt__comm_engine(comm));
        CHECK(atomic_load(&bell->count) != count);
        munmap(page, 4096);
    }
    CHECK(fd == rpt__comm_bell_fd(comm, &other) && offset == other);
    CHECK(meet(comm) == RPT_OK);
}

static void an_end_knows_where_it_is(void)
{
    static const char *const nodes[] = { "topo.virtual_nodes", "3", NULL };

    on_local_ranks(3, nodes, look_around);
}

static void ends_go_in_any_order(void)
{
    struct rpt_comm *comms[4] = { NULL };

    CU_ASSERT_EQUAL_FATAL(rpt__comm_create_local(4, NULL, NULL, comms), RPT_OK);
    rpt__comm_destroy(comms[2]);
    rpt__comm_destroy(NULL);
    /* What is sent to an end that has gone is dropped, however much it is. */
    lock(comms[1]);
    for (int i = 0; i < 100; i++) {
        static const char data[100000];

        CU_ASSERT_EQUAL(
            rpt__comm_send(comms[1], 2, RPT_TAG_POOL_ASK, data, sizeof data),
            RPT_OK);
    }
    CU_ASSERT_EQUAL(rpt__comm_flush(comms[1], 20), RPT_OK);
    unlock(comms[1]);
    rpt__comm_destroy(comms[0]);
    rpt__comm_destroy(comms[3]);
    rpt__comm_destroy(comms[1]);
}

/* Rank 1 goes while rank 0 waits for room in its inbox. */
static void an_end_that_goes_frees_those_who_wait_for_room(void)
{
    static const char data[300000];
    rpt_options_t *options = options_with(small_ring);
    struct rpt_comm *comms[2] = { NULL };

    CU_ASSERT_EQUAL_FATAL(rpt__comm_create_local(2, options, NULL, comms),
                          RPT_OK);
    rpt_options_destroy(options);
    lock(comms[1]);
    lock(comms[0]);
    CU_ASSERT_EQUAL(
        rpt__comm_send(comms[0], 1, RPT_TAG_POOL_ASK, data, sizeof data),
        RPT_OK);
    CU_ASSERT_TRUE(rpt__comm_backlog(comms[0], 1) > 200000);
    unlock(comms[0]);
    unlock(comms[1]);
    rpt__comm_destroy(comms[1]);
    rpt__comm_destroy(comms[0]);
}

static bool never(void *arg)
{
    (void)arg;
    return false;
}

/* Seconds of a processor that a wait of half a second takes.  One rank alone
 * has its core, which it may have to share with other programs. */
static double cost_of_a_wait(const char *spin_us)
{
    const char *const settings[] = { "comm.spin_us", spin_us, NULL };
    rpt_options_t *options = options_with(settings);
    struct rpt_comm *comm = NULL;
    struct timespec before, after;

    CU_ASSERT_EQUAL_FATAL(rpt__comm_create_local(1, options, NULL, &comm),
                          RPT_OK);
    lock(comm);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
    CU_ASSERT_EQUAL(rpt__comm_wait(comm, never, NULL, 0.5), RPT_PENDING);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
    unlock(comm);
    rpt__comm_destroy(comm);
    rpt_options_destroy(options);
    return (double)(after.tv_sec - before.tv_sec) +
           1e-9 * (double)(after.tv_nsec - before.tv_nsec);
}

static void a_wait_spins_as_long_as_it_is_told(void)
{
    CU_ASSERT(cost_of_a_wait("0") < 0.005);
    CU_ASSERT(cost_of_a_wait("1000000") > 0.02);
}

static void a_size_that_makes_no_sense_is_an_error(void)
{
    struct rpt_comm *comms[1] = { NULL };

    CU_ASSERT_EQUAL(rpt__comm_create_local(0, NULL, NULL, comms),
                    RPT_ERR_INVALID);
    CU_ASSERT_EQUAL(rpt__comm_create_local(-1, NULL, NULL, comms),
                    RPT_ERR_INVALID);
    CU_ASSERT_EQUAL(rpt__comm_create_local(4097, NULL, NULL, comms),
                    RPT_ERR_INVALID);
    CU_ASSERT_PTR_NULL(comms[0]);
}

static void a_machine_that_is_no_machine_is_an_error(void)
{
    static const char *const bad[] = { "topo.synthetic", "no:such:thing",
                                       NULL };
    rpt_options_t *options = options_with(bad);
    struct rpt_comm *comms[1] = { NULL };

    CU_ASSERT_EQUAL(rpt__comm_create_local(1, options, NULL, comms),
                    RPT_ERR_PARSE);
    CU_ASSERT_PTR_NULL(comms[0]);
    rpt_options_destroy(options);
}

int main(int argc, char *argv[])
{
    static const struct rpt_test tests[] = {
        RPT_TEST(messages_of_all_sizes_arrive_whole),
        RPT_TEST(they_do_so_through_a_small_ring),
        RPT_TEST(small_messages_keep_their_order),
        RPT_TEST(a_message_of_300_megabytes_arrives),
        RPT_TEST(a_message_above_two_gigabytes_arrives),
        RPT_TEST(a_message_without_a_function_waits_for_it),
        RPT_TEST(messages_of_that_tag_keep_their_order),
        RPT_TEST(a_context_may_end_with_messages_on_the_way),
        RPT_TEST(a_rank_that_is_not_there_is_an_error),
        RPT_TEST(a_slow_receiver_blocks_nobody),
        RPT_TEST(an_end_knows_where_it_is),
        RPT_TEST(ends_go_in_any_order),
        RPT_TEST(an_end_that_goes_frees_those_who_wait_for_room),
        RPT_TEST(a_wait_spins_as_long_as_it_is_told),
        RPT_TEST(a_size_that_makes_no_sense_is_an_error),
        RPT_TEST(a_machine_that_is_no_machine_is_an_error),
        RPT_TEST_END
    };

    return rpt_test_main("test_comm", tests, 120, argc, argv);
}
