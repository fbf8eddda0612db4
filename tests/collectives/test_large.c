/*
 * test_large.c - counts and places above 2^31, on two ranks
 *
 * Elements are bytes.  An input is one piece of memory that repeats, so that it
 * takes none of its own, and its length divides no power of two: what is read
 * from a place that was cut to 32 bits is something else.
 */
#include "job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { N = 2, ROOT = 1, PERIOD = 4096 * 509 };

static const size_t many = ((size_t)1 << 31) + 5, far_away = 4294967303u;

static unsigned char value(int rank, size_t i)
{
    return (unsigned char)(i % PERIOD % 251 + 100 * (size_t)rank);
}

/* ---- memory ---- */

/* Without it nothing can be said, and the other rank would wait. */
static void must(bool good, const char *what)
{
    if (!good) {
        perror(what);
        exit(1);
    }
}

static void *reserve(size_t bytes, int protection)
{
    void *memory = mmap(NULL, bytes, protection,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    must(memory != MAP_FAILED, "addresses");
    return memory;
}

/* The values of a rank, to be read. */
static const char *map_values(int rank, size_t bytes)
{
    char *memory = reserve(bytes + PERIOD, PROT_NONE);
    int file = memfd_create("test_large", MFD_CLOEXEC);
    unsigned char *values;

    must(file >= 0 && ftruncate(file, PERIOD) == 0, "memory of a file");
    values = mmap(NULL, PERIOD, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    must(values != MAP_FAILED, "values");
    for (size_t i = 0; i < PERIOD; i++) {
        values[i] = value(rank, i);
    }
    munmap(values, PERIOD);
    for (size_t at = 0; at < bytes; at += PERIOD) {
        must(mmap(memory + at, PERIOD, PROT_READ, MAP_SHARED | MAP_FIXED, file,
                  0) != MAP_FAILED,
             "values again");
    }
    close(file);
    return memory;
}

/* GiB that programs can have; 0: nobody says. */
static size_t available_gib(void)
{
    FILE *file = fopen("/proc/meminfo", "r");
    char line[128];
    size_t kib = 0;

    while (file != NULL && fgets(line, sizeof line, file) != NULL &&
           sscanf(line, "MemAvailable: %zu", &kib) != 1) {
    }
    if (file != NULL) {
        fclose(file);
    }
    return kib >> 20;
}

/* ---- calls ---- */

struct trial {
    rpt_coll_kind_t kind;
    bool is_equal; /* count, no counts */
    size_t counts[N], offsets[N];
    size_t bytes; /* of a buffer, at most */
    /* Elements from one rank to another of an all-to-all. */
    size_t pairs[N][N];
};

static struct trial trial;

static bool has_blocks(rpt_coll_kind_t kind)
{
    return kind == RPT_COLL_ALLGATHER || kind == RPT_COLL_GATHER ||
           kind == RPT_COLL_SCATTER || kind == RPT_COLL_REDUCE_SCATTER ||
           kind == RPT_COLL_ALLTOALL;
}

static rpt_coll_t call_of(int rank, size_t out_counts[N])
{
    bool differ = has_blocks(trial.kind) && !trial.is_equal;
    bool is_alltoall = trial.kind == RPT_COLL_ALLTOALL;

    for (int r = 0; r < N; r++) {
        out_counts[r] = trial.pairs[r][rank];
    }
    return (rpt_coll_t){
        .kind = trial.kind,
        .type = RPT_TYPE_U8,
        .op = RPT_OP_SUM,
        .count = trial.counts[0],
        .root = ROOT,
        .counts = !differ       ? NULL
                  : is_alltoall ? trial.pairs[rank]
                                : trial.counts,
        .offsets = differ && trial.kind != RPT_COLL_REDUCE_SCATTER
                       ? trial.offsets
                       : NULL, /* there blocks lie behind each other */
        .out_counts = differ && is_alltoall ? out_counts : NULL,
        .out_offsets = differ && is_alltoall ? trial.offsets : NULL,
    };
}

/* ---- results ---- */

/* So many elements from out_at on are the sum of those that ranks (bits) have
 * from in_at on. */
static void check_piece(const unsigned char *out, size_t count, size_t in_at,
                        unsigned ranks)
{
    unsigned char *expected = malloc(PERIOD);

    must(expected != NULL, "expected values");
    for (size_t i = 0; i < PERIOD; i++) {
        expected[i] = 0;
        for (int r = 0; r < N; r++) {
            if ((ranks >> r & 1) != 0) {
                expected[i] = (unsigned char)(expected[i] + value(r, i));
            }
        }
    }
    for (size_t i = 0; i < count;) {
        size_t at = (in_at + i) % PERIOD;
        size_t n = count - i < PERIOD - at ? count - i : PERIOD - at;

        CHECK(memcmp(out + i, expected + at, n) == 0);
        i += n;
    }
    free(expected);
}

/* Where a block of a rank is. */
static size_t place(int rank)
{
    return trial.is_equal ? trial.counts[0] * (size_t)rank
                          : trial.offsets[rank];
}

static void check_result(int rank, const unsigned char *out)
{
    const size_t *counts = trial.counts;

    switch (trial.kind) {
    case RPT_COLL_REDUCE:
        check_piece(out, rank == ROOT ? counts[0] : 0, 0, 3);
        break;
    case RPT_COLL_BROADCAST:
        check_piece(out, counts[0], 0, 1u << ROOT);
        break;
    case RPT_COLL_SCAN:
        check_piece(out, counts[0], 0, rank == 0 ? 1 : 3);
        break;
    case RPT_COLL_EXSCAN:
        check_piece(out, rank == 0 ? 0 : counts[0], 0, 1);
        break;
    case RPT_COLL_SCATTER:
        check_piece(out, counts[rank], place(rank), 1u << ROOT);
        break;
    case RPT_COLL_REDUCE_SCATTER:
        check_piece(out, counts[rank], place(rank), 3);
        break;
    default: /* blocks of all ranks */
        for (int r = 0; r < N; r++) {
            bool is_alltoall = trial.kind == RPT_COLL_ALLTOALL;
            size_t n = is_alltoall ? trial.pairs[r][rank] : counts[r];

            if (trial.kind != RPT_COLL_GATHER || rank == ROOT) {
                check_piece(out + place(r), n, is_alltoall ? place(rank) : 0,
                            1u << r);
            }
        }
    }
}

static void call(rpt_group_t *group)
{
    int rank = rpt_group_rank(group);
    const char *in = map_values(rank, trial.bytes);
    char *out = reserve(trial.bytes, PROT_READ | PROT_WRITE);
    size_t out_counts[N];
    rpt_coll_t coll = call_of(rank, out_counts);
    rpt_plan_t *plan = NULL;

    coll.in = in;
    coll.out = out;
    if (coll.kind == RPT_COLL_BROADCAST && rank == ROOT) {
        memcpy(&coll.out, &in, sizeof in); /* is only read there */
    }
    CHECK(rpt_coll_start(group, &coll, &plan) == RPT_OK);
    CHECK(rpt_plan_wait(plan) == RPT_OK);
    check_result(rank, coll.out);
    rpt_plan_destroy(plan);
    munmap(out, trial.bytes);
    munmap((void *)(uintptr_t)in, trial.bytes + PERIOD);
}

/* ---- on one node and on two, and through stages ---- */

static void in_all_layouts(void)
{
    static const char *const layouts[][3] = { { NULL },
                                              { "topo.virtual_nodes", "2" },
                                              { "comm.shared_bytes", "0" } };

    for (size_t k = 0; k < sizeof layouts / sizeof *layouts; k++) {
        struct job job = { .fn = call };

        run_job(N, layouts[k], &job);
    }
}

/* Those of a node; blocks of an all-to-all that differ do not go there. */
static void through_stages(void)
{
    char option[64], *dash;
    const char *const settings[] = { option, "staged", NULL };
    struct job job = { .fn = call };

    if (trial.kind == RPT_COLL_ALLTOALL && !trial.is_equal) {
        return;
    }
    snprintf(option, sizeof option, "coll.%s.algorithm",
             rpt_coll_name(trial.kind));
    for (dash = option; *dash != '\0'; dash++) {
        *dash = *dash == '-' ? '_' : *dash;
    }
    run_job(N, settings, &job);
}

/* ---- the tests ---- */

static void places_above_two_to_the_32_are_right(void)
{
    static const rpt_coll_kind_t kinds[] = { RPT_COLL_ALLGATHER,
                                             RPT_COLL_GATHER, RPT_COLL_SCATTER,
                                             RPT_COLL_ALLTOALL };

    if (sizeof(size_t) < 8) {
        rpt_test_skip("there are no such places");
        return;
    }
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        trial = (struct trial){ .kind = kinds[k],
                                .counts = { 7, 9 },
                                .offsets = { 3, far_away },
                                .pairs = { { 4, 7 }, { 9, 8 } },
                                .bytes = far_away + 9 };
        in_all_layouts();
        through_stages();
    }
}

/* Blocks of 2 GiB lie in inputs, and one in an output. */
static void try_many(rpt_coll_kind_t kind, bool is_equal)
{
    size_t half = many / 2 + 1;

    trial = (struct trial){ .kind = kind,
                            .is_equal = is_equal,
                            .counts = { many, 3 },
                            .offsets = { 0, many },
                            .pairs = { { 3, many }, { 2, 1 } },
                            .bytes = 2 * many };
    if (is_equal) {
        trial.counts[0] = trial.counts[1] = half;
        for (int r = 0; r < N; r++) {
            trial.pairs[r][0] = trial.pairs[r][1] = half;
        }
    }
    in_all_layouts();
    through_stages();
}

static void counts_above_two_to_the_31_are_right(void)
{
    static const rpt_coll_kind_t kinds[] = {
        RPT_COLL_REDUCE,   RPT_COLL_BROADCAST, RPT_COLL_ALLGATHER,
        RPT_COLL_GATHER,   RPT_COLL_SCATTER,   RPT_COLL_REDUCE_SCATTER,
        RPT_COLL_ALLTOALL, RPT_COLL_SCAN,      RPT_COLL_EXSCAN
    };

    if (getenv("RPT_TEST_LONG") == NULL) {
        rpt_test_skip("needs 10 GiB and ten minutes; RPT_TEST_LONG=1 runs it");
        return;
    }
    if (available_gib() < 10) {
        rpt_test_skip("less than 10 GiB of memory are free");
        return;
    }
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        try_many(kinds[k], false);
        if (has_blocks(kinds[k])) {
            try_many(kinds[k], true);
        }
    }
}

static const struct rpt_test tests[] = {
    RPT_TEST(places_above_two_to_the_32_are_right),
    RPT_TEST(counts_above_two_to_the_31_are_right),
    RPT_TEST_END,
};

int main(int argc, char *argv[])
{
    return rpt_test_main("collectives large", tests, 1800, argc, argv);
}
