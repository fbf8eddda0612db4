/*
 * together.c - several groups and calls at once, and the bits of results
 */
#include "operations.h"

#include "fixture.h"

#include <math.h>
#include <stdlib.h>

/* ---- several at once ---- */

void several_groups_at_once(rpt_group_t *group)
{
    int rank = rpt_group_rank(group), size = rpt_group_size(group);
    rpt_group_t *halves = NULL, *reversed = NULL;
    int sums[2] = { 0, 0 };
    rpt_plan_t *plans[2];
    int half = 0;

    CHECK(rpt_group_split(group, rank % 2, 0, &halves) == RPT_OK);
    CHECK(rpt_group_split(group, 0, -rank, &reversed) == RPT_OK);
    every_form_of_call(halves);
    for (int r = rank % 2; r < size; r += 2) {
        half += r;
    }
    for (int i = 0; i < 100; i++) {
        rpt_coll_t a = { .kind = RPT_COLL_ALLREDUCE,
                         .in = &rank,
                         .out = &sums[0],
                         .count = 1,
                         .type = RPT_TYPE_I32 };
        rpt_coll_t b = a;

        b.out = &sums[1];
        sums[0] = sums[1] = -1;
        CHECK(rpt_coll_start(halves, &a, &plans[0]) == RPT_OK);
        CHECK(rpt_coll_start(reversed, &b, &plans[1]) == RPT_OK);
        CHECK(rpt_plan_wait(plans[(rank + i) % 2]) == RPT_OK);
        CHECK(rpt_plan_wait(plans[(rank + i + 1) % 2]) == RPT_OK);
        CHECK(sums[0] == half && sums[1] == size * (size - 1) / 2);
        rpt_plan_destroy(plans[0]);
        rpt_plan_destroy(plans[1]);
    }
    rpt_group_destroy(halves);
    rpt_group_destroy(reversed);
}

void many_started_at_once(rpt_group_t *group)
{
    enum { N = 50, COUNT = 500 };
    static const rpt_coll_kind_t kinds[] = { RPT_COLL_ALLREDUCE,
                                             RPT_COLL_SCAN };
    int rank = rpt_group_rank(group), size = rpt_group_size(group);
    double *data = malloc(2 * N * COUNT * sizeof *data);
    rpt_plan_t *plans[N];

    for (size_t i = 0; i < N * COUNT; i++) {
        data[i] = (double)(rank + (int)(i / COUNT));
    }
    for (size_t i = 0; i < N; i++) {
        rpt_coll_t coll = { .kind = kinds[i % 2],
                            .in = data + i * COUNT,
                            .out = data + (N + i) * COUNT,
                            .count = i % 5 == 4 ? COUNT : 3,
                            .type = RPT_TYPE_F64 };

        CHECK(rpt_coll_start(group, &coll, &plans[i]) == RPT_OK);
    }
    for (int i = N - 1; i >= 0; i--) {
        int n = i % 2 == 0 ? size : rank + 1;

        CHECK(rpt_plan_wait(plans[i]) == RPT_OK);
        CHECK(fabs(data[(N + i) * COUNT + 2] - (n * (n - 1) / 2 + n * i)) <
              0.1);
        rpt_plan_destroy(plans[i]);
    }
    free(data);
}

void groups_come_and_go(rpt_group_t *group)
{
    int rank = rpt_group_rank(group), size = rpt_group_size(group);

    for (int i = 0; i < 300; i++) {
        rpt_group_t *part = NULL;
        int sum = 0, one = 1;

        CHECK(rpt_group_split(group, 0, i % 2 == 0 ? rank : -rank, &part) ==
              RPT_OK);
        CHECK(rpt_allreduce(part, &one, &sum, 1, RPT_TYPE_I32, RPT_OP_SUM) ==
              RPT_OK);
        CHECK(sum == size);
        rpt_group_destroy(part);
    }
}

/* ---- bits ---- */

static unsigned long long hash(const void *data, size_t bytes)
{
    unsigned long long h = 14695981039346656037ULL;

    for (size_t i = 0; i < bytes; i++) {
        h = (h ^ ((const unsigned char *)data)[i]) * 1099511628211ULL;
    }
    return h;
}

/* Sums of numbers of very different size, which have another result in every
 * order. */
static float awkward(int rank, size_t i)
{
    return (float)(sin((double)i + 13 * rank) *
                   pow(10, (rank * 3 + (int)i) % 8));
}

void all_ranks_have_the_same_bits(rpt_group_t *group)
{
    static const size_t counts[] = { 1, 5, 100, 3000, 30000, 200000 };
    int rank = rpt_group_rank(group), size = rpt_group_size(group);

    for (size_t k = 0; k < 6; k++) {
        size_t n = counts[k];
        float *in = malloc(n * sizeof *in), *out = malloc(n * sizeof *out);
        unsigned long long mine, *all = malloc((size_t)size * sizeof *all);

        for (size_t i = 0; i < n; i++) {
            in[i] = awkward(rank, i);
        }
        CHECK(rpt_allreduce(group, in, out, n, RPT_TYPE_F32, RPT_OP_SUM) ==
              RPT_OK);
        mine = hash(out, n * sizeof *out);
        CHECK(rpt_allgather(group, &mine, all, 1, RPT_TYPE_U64) == RPT_OK);
        for (int r = 0; r < size; r++) {
            CHECK(all[r] == mine);
        }
        free(in);
        free(out);
        free(all);
    }
}

unsigned long long reproducible_bits(rpt_group_t *group)
{
    static const size_t counts[] = { 1, 5, 100, 3000, 30000, 200000 };
    int rank = rpt_group_rank(group), size = rpt_group_size(group);
    unsigned long long bits = 0;

    for (size_t k = 0; k < 6; k++) {
        size_t n = counts[k], all = n * (size_t)size;
        float *in = malloc(all * sizeof *in), *out = calloc(n, sizeof *out);

        for (size_t i = 0; i < all; i++) {
            in[i] = awkward(rank, i);
        }
        CHECK(rpt_allreduce(group, in, out, n, RPT_TYPE_F32, RPT_OP_SUM) ==
              RPT_OK);
        bits = bits * 31 + hash(out, n * sizeof *out);
        CHECK(rpt_reduce(group, in, out, n, RPT_TYPE_F32, RPT_OP_SUM, 0) ==
              RPT_OK);
        bits = bits * 31 + hash(out, n * sizeof *out);
        CHECK(rpt_scan(group, in, out, n, RPT_TYPE_F32, RPT_OP_SUM) == RPT_OK);
        bits = bits * 31 + hash(out, n * sizeof *out);
        CHECK(rpt_reduce_scatter_block(group, in, out, n, RPT_TYPE_F32,
                                       RPT_OP_SUM) == RPT_OK);
        bits = bits * 31 + hash(out, n * sizeof *out);
        free(in);
        free(out);
    }
    return bits;
}
