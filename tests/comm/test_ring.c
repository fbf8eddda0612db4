/*
 * test_ring.c - the byte ring in shared memory, and the segment around it
 */
#include "comm/ring.h"
#include "comm/segment.h"

#include "harness.h"

#include <repartir/base.h>

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RING_BYTES = 4096 };

struct memory {
    struct rpt_ring_shared shared;
    alignas(64) char data[RING_BYTES];
};

static struct memory *make_memory(void)
{
    struct memory *memory = aligned_alloc(64, sizeof *memory);

    memset((void *)memory, 0, sizeof *memory);
    return memory;
}

static struct rpt_ring view_of(struct memory *memory)
{
    struct rpt_ring ring;

    rpt__ring_view(&ring, &memory->shared, memory->data, RING_BYTES);
    return ring;
}

static void a_record_comes_out_as_it_went_in(void)
{
    struct memory *memory = make_memory();
    struct rpt_ring in = view_of(memory), out = view_of(memory);
    const char *record;
    size_t bytes = 77;

    CU_ASSERT_PTR_NULL(rpt__ring_peek(&out, &bytes));
    CU_ASSERT_EQUAL(bytes, 77);
    CU_ASSERT_TRUE(rpt__ring_put(&in, "head", 4, "and rest", 8));
    record = rpt__ring_peek(&out, &bytes);
    CU_ASSERT_PTR_NOT_NULL_FATAL(record);
    CU_ASSERT_EQUAL(bytes, 12);
    CU_ASSERT_EQUAL((uintptr_t)record % 64, 8);
    CU_ASSERT_NSTRING_EQUAL(record, "headand rest", 12);
    rpt__ring_pop(&out);
    CU_ASSERT_EQUAL(rpt__ring_held(&out), 64);
    CU_ASSERT_EQUAL(rpt__ring_free(&out), 0);
    CU_ASSERT_EQUAL(rpt__ring_held(&out), 0);
    CU_ASSERT_PTR_NULL(rpt__ring_peek(&out, &bytes));
    free(memory);
}

static void records_of_every_length_wrap_round(void)
{
    struct memory *memory = make_memory();
    struct rpt_ring in = view_of(memory), out = view_of(memory);
    char data[RING_BYTES];
    size_t bytes, limit = rpt__ring_limit(RING_BYTES);

    CU_ASSERT_TRUE(limit >= RING_BYTES / 4);
    for (size_t n = 0; n <= limit; n++) {
        const char *record;

        memset(data, (int)(n % 251), n);
        CU_ASSERT_TRUE_FATAL(rpt__ring_put(&in, data, n / 2, data, n - n / 2));
        record = rpt__ring_peek(&out, &bytes);
        CU_ASSERT_PTR_NOT_NULL_FATAL(record);
        CU_ASSERT_EQUAL_FATAL(bytes, n);
        CU_ASSERT_EQUAL_FATAL(memcmp(record, data, n), 0);
        rpt__ring_pop(&out);
        rpt__ring_free(&out);
    }
    free(memory);
}

static void a_full_ring_says_so_and_tells_who_asked(void)
{
    struct memory *memory = make_memory();
    struct rpt_ring in = view_of(memory), out = view_of(memory);
    char data[56] = "";
    size_t bytes;
    int n = 0;

    while (rpt__ring_put(&in, data, sizeof data, NULL, 0)) {
        n++;
    }
    CU_ASSERT_EQUAL(n, RING_BYTES / 64);
    rpt__ring_starve(&in, 5);
    rpt__ring_starve(&in, 63);
    CU_ASSERT_FALSE(rpt__ring_put(&in, data, sizeof data, NULL, 0));
    CU_ASSERT_PTR_NOT_NULL(rpt__ring_peek(&out, &bytes));
    rpt__ring_pop(&out);
    /* Popped is not freed. */
    CU_ASSERT_FALSE(rpt__ring_put(&in, data, sizeof data, NULL, 0));
    CU_ASSERT_EQUAL(rpt__ring_free(&out), UINT64_C(1) << 5 | UINT64_C(1) << 63);
    CU_ASSERT_TRUE(rpt__ring_put(&in, data, sizeof data, NULL, 0));
    CU_ASSERT_EQUAL(rpt__ring_free(&out), 0);
    free(memory);
}

/* ---- many producers ---- */

enum { N_PRODUCERS = 8, N_RECORDS = 20000, WORDS_MAX = 40 };

struct producer {
    pthread_t thread;
    struct memory *memory;
    uint64_t id;
};

static size_t words_of(uint64_t id, uint64_t i)
{
    return 2 + (size_t)((id * 7 + i * 13) % (WORDS_MAX - 2));
}

static void *produce(void *arg)
{
    struct producer *p = arg;
    struct rpt_ring ring = view_of(p->memory);
    uint64_t words[WORDS_MAX];

    for (uint64_t i = 0; i < N_RECORDS; i++) {
        size_t n = words_of(p->id, i);

        words[0] = p->id;
        for (size_t k = 1; k < n; k++) {
            words[k] = i;
        }
        while (!rpt__ring_put(&ring, words, 8, words + 1, 8 * (n - 1))) {
            sched_yield();
        }
    }
    return NULL;
}

static void many_producers_lose_nothing_and_keep_their_order(void)
{
    struct memory *memory = make_memory();
    struct rpt_ring out = view_of(memory);
    struct producer producers[N_PRODUCERS];
    uint64_t next[N_PRODUCERS] = { 0 };
    int n_bad = 0;

    for (uint64_t i = 0; i < N_PRODUCERS; i++) {
        producers[i] = (struct producer){ .memory = memory, .id = i };
        pthread_create(&producers[i].thread, NULL, produce, &producers[i]);
    }
    for (int n = 0; n < N_PRODUCERS * N_RECORDS;) {
        size_t bytes;
        const uint64_t *words = rpt__ring_peek(&out, &bytes);
        uint64_t id;

        if (words == NULL) {
            rpt__ring_free(&out);
            sched_yield();
            continue;
        }
        id = words[0] % N_PRODUCERS;
        n_bad += words[0] >= N_PRODUCERS || bytes != 8 * words_of(id, next[id]);
        for (size_t k = 1; k < bytes / 8; k++) {
            n_bad += words[k] != next[id];
        }
        next[id]++;
        rpt__ring_pop(&out);
        if (n++ % 3 == 0) {
            rpt__ring_free(&out);
        }
    }
    for (int i = 0; i < N_PRODUCERS; i++) {
        pthread_join(producers[i].thread, NULL);
        CU_ASSERT_EQUAL(next[i], N_RECORDS);
    }
    CU_ASSERT_EQUAL(n_bad, 0);
    free(memory);
}

/* ---- segments ---- */

static void another_process_attaches_a_segment(void)
{
    struct rpt_segment segment;
    struct rpt_segment_offer offer;
    struct rpt_ring inbox;
    const char *record;
    size_t bytes = 0;
    int state = -1;
    pid_t child;

    CU_ASSERT_EQUAL_FATAL(rpt__segment_create(3, 100000, 0, &segment), RPT_OK);
    CU_ASSERT_EQUAL(segment.ring_bytes, 131072);
    CU_ASSERT_EQUAL(rpt__segment_bell_offset(&segment, 2) % 4096, 0);
    rpt__segment_offer(&segment, &offer);
    child = fork();
    if (child == 0) {
        struct rpt_segment other;
        struct rpt_ring ring;

        munmap(segment.base, segment.bytes);
        if (rpt__segment_attach(&offer, &other) != RPT_OK) {
            _exit(1);
        }
        rpt__segment_ring(&other, 2, &ring);
        rpt__ring_put(&ring, "from the child", 15, NULL, 0);
        rpt__bell_ring(rpt__segment_bell(&other, 2));
        kill(getpid(), SIGKILL);
    }
    CU_ASSERT_EQUAL(waitpid(child, &state, 0), child);
    CU_ASSERT_TRUE(WIFSIGNALED(state));
    rpt__segment_ring(&segment, 2, &inbox);
    record = rpt__ring_peek(&inbox, &bytes);
    CU_ASSERT_PTR_NOT_NULL_FATAL(record);
    CU_ASSERT_STRING_EQUAL(record, "from the child");
    CU_ASSERT_EQUAL(atomic_load(&rpt__segment_bell(&segment, 2)->count), 1);
    CU_ASSERT_EQUAL(atomic_load(&rpt__segment_bell(&segment, 1)->count), 0);
    rpt__segment_release(&segment);
    rpt__segment_release(&segment);
}

static void what_is_not_offered_is_not_attached(void)
{
    struct rpt_segment segment, other = { .fd = -1 };
    struct rpt_segment_offer offer, bad;

    CU_ASSERT_EQUAL_FATAL(rpt__segment_create(1, 0, 0, &segment), RPT_OK);
    rpt__segment_offer(&segment, &offer);
    bad = offer;
    bad.cookie ^= 1;
    CU_ASSERT_EQUAL(rpt__segment_attach(&bad, &other), RPT_ERR_SYSTEM);
    bad = offer;
    bad.bytes += 4096;
    CU_ASSERT_EQUAL(rpt__segment_attach(&bad, &other), RPT_ERR_SYSTEM);
    bad = offer;
    bad.fd = STDERR_FILENO;
    CU_ASSERT_EQUAL(rpt__segment_attach(&bad, &other), RPT_ERR_SYSTEM);
    CU_ASSERT_PTR_NOT_NULL(strstr(rpt_last_error()->what, "not the shared"));
    bad = offer;
    bad.fd = 1 << 20;
    CU_ASSERT_EQUAL(rpt__segment_attach(&bad, &other), RPT_ERR_SYSTEM);
    CU_ASSERT_EQUAL(other.fd, -1);
    rpt__segment_release(&segment);
}

static void a_segment_that_does_not_fit_is_an_error(void)
{
    struct rpt_segment segment = { .fd = 99 };
    struct rlimit before, small = { 65536, 0 };

    CU_ASSERT_EQUAL(rpt__segment_create(1 << 30, (size_t)1 << 40, 0, &segment),
                    RPT_ERR_OVERFLOW);
    getrlimit(RLIMIT_FSIZE, &before);
    small.rlim_max = before.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    CU_ASSERT_EQUAL(rpt__segment_create(2, 1 << 20, 0, &segment),
                    RPT_ERR_SYSTEM);
    setrlimit(RLIMIT_FSIZE, &before);
    CU_ASSERT_EQUAL(segment.fd, 99);
}

/* ---- pieces by name ---- */

static void pieces_are_found_by_name_and_given_back(void)
{
    struct rpt_segment segment;
    struct rpt_area area;
    void *a = NULL, *same = NULL, *other = NULL, *none = NULL;

    CU_ASSERT_EQUAL_FATAL(rpt__segment_create(2, 0, 1 << 20, &segment), RPT_OK);
    rpt__segment_area(&segment, &area);
    CU_ASSERT_EQUAL(rpt__area_bytes(&area), 1 << 20);
    CU_ASSERT_EQUAL(rpt__area_take(&area, 7, 50000, 2, &a), RPT_OK);
    CU_ASSERT_EQUAL(rpt__area_take(&area, 7, 50000, 2, &same), RPT_OK);
    CU_ASSERT_EQUAL(rpt__area_take(&area, 8, 50000, 1, &other), RPT_OK);
    CU_ASSERT_PTR_EQUAL(a, same);
    CU_ASSERT((char *)other >= (char *)a + 50000 ||
              (char *)a >= (char *)other + 50000);
    CU_ASSERT(rpt__area_used(&area) >= 100000);
    memset(a, 1, 50000);
    rpt__area_drop(&area, 7);
    CU_ASSERT(rpt__area_used(&area) >= 100000); /* the other one has it */
    rpt__area_drop(&area, 7);
    rpt__area_drop(&area, 8);
    CU_ASSERT_EQUAL(rpt__area_used(&area), 0);
    /* All of it, so also what was written; and then nothing more. */
    CU_ASSERT_EQUAL(rpt__area_take(&area, 9, 1 << 20, 1, &a), RPT_OK);
    for (size_t i = 0; i < 1 << 20; i++) {
        if (((char *)a)[i] != 0) {
            CU_FAIL("a piece is not zero");
            break;
        }
    }
    CU_ASSERT_EQUAL(rpt__area_take(&area, 10, 1, 2, &none), RPT_ERR_FULL);
    rpt__area_drop(&area, 9);
    /* The first one found no room: so has the second, although there is. */
    CU_ASSERT_EQUAL(rpt__area_take(&area, 10, 1, 2, &none), RPT_ERR_FULL);
    rpt__area_drop(&area, 10);
    rpt__area_drop(&area, 10);
    CU_ASSERT_EQUAL(rpt__area_take(&area, 10, 1, 1, &none), RPT_OK);
    rpt__segment_release(&segment);
    area.head = NULL;
    CU_ASSERT_EQUAL(rpt__area_take(&area, 11, 1, 1, &none), RPT_ERR_FULL);
    rpt__area_drop(&area, 11);
    CU_ASSERT_EQUAL(rpt__area_used(&area), 0);
}

/* The table has a place again when the second one comes. */
static void the_first_at_a_full_table_decides_for_all(void)
{
    enum { N_NAMES = 4096, FIRST = 100, SHARED = 7 };
    struct rpt_segment segment;
    struct rpt_area area;
    void *piece = NULL;

    CU_ASSERT_EQUAL_FATAL(rpt__segment_create(2, 0, 1 << 20, &segment), RPT_OK);
    rpt__segment_area(&segment, &area);
    for (uint64_t i = 0; i < N_NAMES; i++) {
        rpt__area_take(&area, FIRST + i, 1, 1, &piece);
    }
    CU_ASSERT_EQUAL(rpt__area_take(&area, SHARED, 1, 2, &piece), RPT_ERR_FULL);
    rpt__area_drop(&area, FIRST);
    CU_ASSERT_EQUAL(rpt__area_take(&area, SHARED, 1, 2, &piece), RPT_ERR_FULL);
    rpt__area_drop(&area, SHARED);
    rpt__area_drop(&area, SHARED);
    /* What one rank alone has is found by nobody else. */
    CU_ASSERT_EQUAL(rpt__area_take(&area, SHARED, 1, 1, &piece), RPT_OK);
    rpt__segment_release(&segment);
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static void clear_two(void *piece, const struct rpt_area_kind *kind)
{
    (void)kind;
    memset(piece, 0, 2);
}

/* A piece that was kept is clean where its kind wants that, and is room when
 * there is no other. */
static void pieces_of_a_kind_are_kept(void)
{
    static _Alignas(4096) char memory[1 << 21];
    const struct rpt_area_kind kind = { 3, clear_two },
                               other = { 4, clear_two };
    struct rpt_area area;
    void *a = NULL, *b = NULL, *c = NULL;

    memset(memory, 0, sizeof memory);
    CU_ASSERT_FATAL(rpt__area_create(memory, 1 << 20) == RPT_OK);
    rpt__area_view(&area, memory, -1, 0);
    CU_ASSERT(rpt__area_take_kind(&area, 7, 600000, 2, &kind, &a) == RPT_OK);
    CU_ASSERT(rpt__area_take_kind(&area, 7, 600000, 2, &kind, &b) == RPT_OK);
    CU_ASSERT_PTR_EQUAL(a, b);
    memset(a, 5, 600000);
    rpt__area_drop_kind(&area, 7, &kind);
    CU_ASSERT_EQUAL(((char *)a)[0], 5); /* one rank still has it */
    rpt__area_drop_kind(&area, 7, &kind);
    CU_ASSERT_EQUAL(rpt__area_used(&area), 0);

    CU_ASSERT(rpt__area_take_kind(&area, 8, 600000, 1, &kind, &b) == RPT_OK);
    CU_ASSERT_PTR_EQUAL(a, b);
    CU_ASSERT(((char *)b)[0] == 0 && ((char *)b)[1] == 0);
    CU_ASSERT(rpt__area_used(&area) >= 600000);
    CU_ASSERT(rpt__area_take_kind(&area, 9, 600000, 1, &kind, &c) ==
              RPT_ERR_FULL);
    rpt__area_drop_kind(&area, 9, NULL);
    rpt__area_drop_kind(&area, 8, &kind);

    CU_ASSERT(rpt__area_take_kind(&area, 10, 700000, 1, &other, &c) == RPT_OK);
    for (int i = 0; i < 700000; i++) { /* as any other new one */
        CU_ASSERT_FATAL(((char *)c)[i] == 0);
    }
    rpt__area_drop_kind(&area, 10, &other);
    CU_ASSERT_EQUAL(rpt__area_used(&area), 0);
}

static void names_of_pieces_differ(void)
{
    enum { N = 64, N_NAMES = 2 * N * N };
    static uint64_t names[N_NAMES];
    size_t n = 0;

    for (uint64_t a = 0; a < N; a++) {
        for (uint64_t b = 0; b < N; b++) {
            names[n++] = rpt__area_name(RPT_AREA_SLICE, a, b);
            names[n++] = rpt__area_name(RPT_AREA_BUFFER, a, b);
        }
    }
    qsort(names, N_NAMES, sizeof *names, by_value);
    CU_ASSERT(names[0] >= 2);
    for (size_t i = 1; i < N_NAMES; i++) {
        CU_ASSERT(names[i] != names[i - 1]);
    }
}

int main(int argc, char *argv[])
{
    static const struct rpt_test tests[] = {
        RPT_TEST(a_record_comes_out_as_it_went_in),
        RPT_TEST(records_of_every_length_wrap_round),
        RPT_TEST(a_full_ring_says_so_and_tells_who_asked),
        RPT_TEST(many_producers_lose_nothing_and_keep_their_order),
        RPT_TEST(another_process_attaches_a_segment),
        RPT_TEST(what_is_not_offered_is_not_attached),
        RPT_TEST(a_segment_that_does_not_fit_is_an_error),
        RPT_TEST(pieces_are_found_by_name_and_given_back),
        RPT_TEST(the_first_at_a_full_table_decides_for_all),
        RPT_TEST(pieces_of_a_kind_are_kept),
        RPT_TEST(names_of_pieces_differ),
        RPT_TEST_END
    };

    return rpt_test_main("test_ring", tests, 60, argc, argv);
}
