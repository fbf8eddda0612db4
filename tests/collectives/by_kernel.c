/*
 * by_kernel.c - collectives of private buffers that the kernel reads
 *
 * Ranks are processes; option coll.kernel_copy is `always`.
 */
#include "by_kernel.h"

#include "fixture.h"

#include "base/peek.h"
#include "collectives/engine/team.h"
#include "collectives/plan.h"

#include <errno.h>
#include <mpi.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Sums of 7 ranks take several pieces of each input. */
enum { BLOCK = 9000, N_CALLS = 4, SUMMED = 60 * BLOCK };

uint64_t n_by_kernel(rpt_group_t *group)
{
    const struct rpt_team *team = rpt__group_attached(group);

    return team != NULL ? team->probe.n_calls : 0;
}

bool all_may_read(void)
{
    static uint64_t word;
    uint64_t mine[3], read = 0;
    int rank, size, good = 1, all = 0;
    uint64_t(*theirs)[3];

    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    word = 1000000007u * (uint64_t)(rank + 1);
    mine[0] = (uint64_t)getpid();
    mine[1] = (uint64_t)(uintptr_t)&word;
    mine[2] = word;
    theirs = calloc((size_t)size, sizeof *theirs);
    MPI_Allgather(mine, sizeof mine, MPI_BYTE, theirs, sizeof mine, MPI_BYTE,
                  MPI_COMM_WORLD);
    for (int r = 0; r < size; r++) {
        good = good &&
               rpt__peek_try((int)theirs[r][0], theirs[r][1], &read,
                             sizeof read) == 0 &&
               read == theirs[r][2];
    }
    MPI_Allreduce(&good, &all, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
    free(theirs);
    return all != 0;
}

/* ---- blocks of different sizes ---- */

static size_t count_of(int rank)
{
    return (size_t)(rank % 3) * BLOCK;
}

static double value(int rank, size_t i, int call)
{
    return (double)(rank * 1000 + call) + (double)(i % 997) / 1024;
}

/* A vector of all blocks with gaps of one element, and one of the rank's. */
struct blocks {
    int rank, size, root, call;
    rpt_coll_kind_t kind;
    size_t *counts, *offsets, n;
    double *own, *all;
};

static void take_blocks(struct blocks *b)
{
    size_t size = (size_t)b->size, mine = count_of(b->rank);

    b->counts = calloc(size, sizeof *b->counts);
    b->offsets = calloc(size, sizeof *b->offsets);
    b->n = 0;
    for (int r = 0; r < b->size; r++) {
        b->counts[r] = count_of(r);
        b->offsets[r] = b->n;
        b->n += b->counts[r] + 1;
    }
    b->own = mine > 0 ? malloc(mine * sizeof *b->own) : NULL;
    b->all = malloc(b->n * sizeof *b->all);
}

static void give_blocks(struct blocks *b)
{
    free(b->own);
    free(b->all);
    free(b->counts);
    free(b->offsets);
}

/* What is not given is -1. */
static void fill_blocks(struct blocks *b, bool scatters)
{
    for (size_t i = 0; i < b->n; i++) {
        b->all[i] = -1;
    }
    for (int r = 0; scatters && r < b->size; r++) {
        for (size_t i = 0; i < b->counts[r]; i++) {
            b->all[b->offsets[r] + i] = value(r, i, b->call);
        }
    }
    for (size_t i = 0; i < count_of(b->rank); i++) {
        b->own[i] = scatters ? -1 : value(b->rank, i, b->call);
    }
}

static bool is(double x, double expected)
{
    return x >= expected && x <= expected;
}

static size_t count_wrong(const struct blocks *b)
{
    bool has_all = b->kind == RPT_COLL_ALLGATHER || b->rank == b->root;
    size_t n_wrong = 0;

    for (size_t i = 0; i < count_of(b->rank); i++) {
        n_wrong += !is(b->own[i], value(b->rank, i, b->call));
    }
    for (int r = 0; has_all && r < b->size; r++) {
        const double *block = b->all + b->offsets[r];

        for (size_t i = 0; i < b->counts[r]; i++) {
            n_wrong += !is(block[i], value(r, i, b->call));
        }
        n_wrong += !is(block[b->counts[r]], -1);
    }
    return n_wrong;
}

static void try_uneven(rpt_group_t *group, rpt_coll_kind_t kind)
{
    struct blocks b = { .rank = rpt_group_rank(group),
                        .size = rpt_group_size(group),
                        .kind = kind };
    bool scatters = kind == RPT_COLL_SCATTER;
    rpt_coll_t coll = { .kind = kind, .type = RPT_TYPE_F64 };

    b.root = coll.root = 1 % b.size;
    take_blocks(&b);
    coll.counts = b.counts;
    coll.offsets = b.offsets;
    coll.in = scatters ? b.all : b.own;
    coll.out = scatters ? b.own : b.all;
    for (b.call = 0; b.call < N_CALLS; b.call++) {
        fill_blocks(&b, scatters);
        CHECK(rpt__coll_run(group, &coll) == RPT_OK);
        CHECK(count_wrong(&b) == 0);
    }
    give_blocks(&b);
}

void uneven_private_blocks(rpt_group_t *group)
{
    static const rpt_coll_kind_t kinds[] = { RPT_COLL_ALLGATHER,
                                             RPT_COLL_GATHER,
                                             RPT_COLL_SCATTER };

    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        try_uneven(group, kinds[k]);
    }
}

/* ---- bits ---- */

/* Of the sum of numbers of which many lie between two of the type. */
static void sum_into(rpt_group_t *group, rpt_coll_kind_t kind, rpt_type_t type,
                     uint16_t *in, uint16_t *out)
{
    size_t n = (size_t)rpt_group_size(group) * SUMMED;
    uint32_t state = 12345u + (uint32_t)rpt_group_rank(group);
    rpt_coll_t coll = { .kind = kind,
                        .in = in,
                        .out = out,
                        .count = SUMMED * sizeof(uint16_t) /
                                 rpt_type_bytes(type),
                        .type = type,
                        .op = RPT_OP_SUM };

    for (size_t i = 0; i < n; i++) { /* no exponents of infinity */
        state = state * 1664525u + 1013904223u;
        in[i] = (uint16_t)(state >> 16 & 0xbfff);
    }
    for (int call = 0; call < N_CALLS; call++) {
        memset(out, 0, n * sizeof *out);
        CHECK(rpt__coll_run(group, &coll) == RPT_OK);
    }
}

void same_bits(rpt_context_t *context)
{
    static const rpt_coll_kind_t kinds[] = { RPT_COLL_ALLREDUCE,
                                             RPT_COLL_REDUCE,
                                             RPT_COLL_REDUCE_SCATTER };
    static const rpt_type_t types[] = { RPT_TYPE_F32, RPT_TYPE_BF16,
                                        RPT_TYPE_F16 };
    rpt_group_t *world = rpt_group_world(context);
    size_t bytes = (size_t)rpt_group_size(world) * SUMMED * sizeof(uint16_t);
    void *in, *out;
    uint16_t *own = malloc(bytes), *sum = malloc(bytes);

    CHECK(rpt_buffer_alloc(context, bytes, &in) == RPT_OK);
    CHECK(rpt_buffer_alloc(context, bytes, &out) == RPT_OK);
    for (size_t i = 0; i < 9; i++) {
        sum_into(world, kinds[i / 3], types[i % 3], in, out);
        sum_into(world, kinds[i / 3], types[i % 3], own, sum);
        CHECK(memcmp(out, sum, bytes) == 0);
    }
    CHECK(rpt_buffer_free(context, in) == RPT_OK);
    CHECK(rpt_buffer_free(context, out) == RPT_OK);
    free(own);
    free(sum);
}

/* ---- what cannot be read ---- */

void buffer_that_ends_early(rpt_group_t *group)
{
    enum { PAGES = 32, PAGE = 4096 };
    size_t bytes = PAGES * PAGE;
    char *data = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint64_t before;

    CHECK(data != MAP_FAILED);
    for (int call = 0; call < N_CALLS; call++) {
        CHECK(rpt_broadcast(group, data, bytes, RPT_TYPE_U8, 0) == RPT_OK);
    }
    before = n_by_kernel(group);
    if (before > 0) {
        if (rpt_group_rank(group) == 0) {
            CHECK(mprotect(data + bytes / 2, bytes / 2, PROT_NONE) == 0);
        }
        CHECK(rpt_broadcast(group, data, bytes, RPT_TYPE_U8, 0) < RPT_OK);
        /* Who came late may have found that the others have given up. */
        CHECK(n_by_kernel(group) == before + 1 ||
              rpt_last_error()->status == RPT_ERR_PEER);
        CHECK(rpt_barrier(group) < RPT_OK);
    }
    munmap(data, bytes);
}
