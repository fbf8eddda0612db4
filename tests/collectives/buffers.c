/*
 * buffers.c - collectives of buffers that all ranks of a node can read
 *
 * Every operation, with all buffers shared, with none, with all but those of
 * one rank, with inputs or outputs only; from inside of a buffer, in place and
 * not.
 */
#include "buffers.h"

#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>

enum { COUNT = 9000, N_CALLS = 3, BEFORE = 5 };

enum sharing {
    ALL_SHARED,
    NONE_SHARED,
    ONE_PRIVATE,
    INPUTS_SHARED,
    OUTPUTS_SHARED,
    N_SHARINGS
};

struct trial {
    rpt_group_t *group;
    int rank, size, root;
    rpt_coll_kind_t kind;
    bool in_place;
    int call;
};

static double value(const struct trial *t, int rank, size_t i)
{
    return (double)((rank + 1) * (int)(i % 7 + 1) + t->call);
}

static double sum(const struct trial *t, size_t i)
{
    double all = 0;

    for (int r = 0; r < t->size; r++) {
        all += value(t, r, i);
    }
    return all;
}

static double expected(const struct trial *t, size_t i)
{
    size_t mine = (size_t)t->rank * COUNT + i;

    switch (t->kind) {
    case RPT_COLL_ALLREDUCE:
    case RPT_COLL_REDUCE:
        return sum(t, i);
    case RPT_COLL_BROADCAST:
        return value(t, t->root, i);
    case RPT_COLL_ALLGATHER:
    case RPT_COLL_GATHER:
        return value(t, (int)(i / COUNT), i % COUNT);
    case RPT_COLL_SCATTER:
        return value(t, t->root, mine);
    case RPT_COLL_REDUCE_SCATTER:
        return sum(t, mine);
    default:
        return value(t, (int)(i / COUNT), (size_t)t->rank * COUNT + i % COUNT);
    }
}

/* Elements of the output that are looked at. */
static size_t output_count(const struct trial *t)
{
    switch (t->kind) {
    case RPT_COLL_REDUCE:
        return t->rank == t->root ? COUNT : 0;
    case RPT_COLL_GATHER:
        return t->rank == t->root ? (size_t)t->size * COUNT : 0;
    case RPT_COLL_ALLGATHER:
    case RPT_COLL_ALLTOALL:
        return (size_t)t->size * COUNT;
    default:
        return COUNT;
    }
}

static void fill(const struct trial *t, double *in, double *out)
{
    for (size_t i = 0; i < (size_t)t->size * COUNT; i++) {
        in[i] = value(t, t->rank, i);
        out[i] = t->in_place ||
                         (t->kind == RPT_COLL_BROADCAST && t->rank == t->root)
                     ? in[i]
                     : -1;
    }
}

static void try_call(struct trial *t, double *in, double *out)
{
    rpt_coll_t coll = { .kind = t->kind,
                        .in = t->in_place ? RPT_IN_PLACE : in,
                        .out = out,
                        .count = COUNT,
                        .type = RPT_TYPE_F64,
                        .root = t->root };
    rpt_plan_t *plan = NULL;

    CHECK(rpt_plan_create(t->group, &coll, &plan) == RPT_OK);
    for (t->call = 0; t->call < N_CALLS; t->call++) {
        size_t n_wrong = 0;

        fill(t, in, out);
        CHECK(rpt_plan_start(plan) == RPT_OK);
        CHECK(rpt_plan_wait(plan) == RPT_OK);
        for (size_t i = 0; i < output_count(t); i++) {
            n_wrong += out[i] < expected(t, i) || out[i] > expected(t, i);
        }
        /* Its own input is the rank's again. */
        CHECK(t->in_place || in[0] > 0);
        if (n_wrong > 0) {
            printf("  %s, rank %d of %d, root %d%s: %zu are wrong\n",
                   rpt_coll_name(t->kind), t->rank, t->size, t->root,
                   t->in_place ? ", in place" : "", n_wrong);
        }
        CHECK(n_wrong == 0);
    }
    rpt_plan_destroy(plan);
}

static void try_all(rpt_group_t *group, double *in, double *out)
{
    static const rpt_coll_kind_t kinds[] = {
        RPT_COLL_ALLREDUCE, RPT_COLL_REDUCE,        RPT_COLL_BROADCAST,
        RPT_COLL_ALLGATHER, RPT_COLL_GATHER,        RPT_COLL_SCATTER,
        RPT_COLL_ALLTOALL,  RPT_COLL_REDUCE_SCATTER
    };
    struct trial t = { group, rpt_group_rank(group), rpt_group_size(group),
                       0,     RPT_COLL_ALLREDUCE,    false,
                       0 };

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        bool may_be_in_place = kinds[i] == RPT_COLL_ALLREDUCE ||
                               kinds[i] == RPT_COLL_ALLTOALL ||
                               kinds[i] == RPT_COLL_REDUCE_SCATTER;

        t.kind = kinds[i];
        t.root = (int)(i + 1) % t.size;
        t.in_place = false;
        try_call(&t, in, out);
        t.in_place = may_be_in_place;
        try_call(&t, in, out);
    }
}

/* A pair of buffers; the caller's, by the way it was made. */
static double *take(rpt_context_t *context, size_t n, bool shared)
{
    void *memory = NULL;

    if (!shared) {
        return malloc((n + BEFORE) * sizeof(double));
    }
    CHECK(rpt_buffer_alloc(context, (n + BEFORE) * sizeof(double), &memory) ==
          RPT_OK);
    return memory;
}

static void give(rpt_context_t *context, double *memory, bool shared)
{
    if (shared) {
        CHECK(rpt_buffer_free(context, memory) == RPT_OK);
    } else {
        free(memory);
    }
}

void shared_buffers(rpt_context_t *context)
{
    rpt_group_t *group = rpt_group_world(context);
    size_t n = (size_t)rpt_group_size(group) * COUNT;

    for (int i = 0; i < N_SHARINGS; i++) {
        int private_rank = rpt_group_size(group) - 1;
        bool both = i == ALL_SHARED ||
                    (i == ONE_PRIVATE && rpt_group_rank(group) != private_rank);
        bool in_shared = both || i == INPUTS_SHARED;
        bool out_shared = both || i == OUTPUTS_SHARED;
        double *in = take(context, n, in_shared);
        double *out = take(context, n, out_shared);

        try_all(group, in + BEFORE, out + BEFORE);
        give(context, in, in_shared);
        give(context, out, out_shared);
    }
}

void buffers_come_and_go(rpt_context_t *context)
{
    enum { N = 100 };
    void *buffers[N], *again = NULL;
    int local = 0;
    size_t n_wrong = 0;

    for (int round = 0; round < 20; round++) {
        for (size_t i = 0; i < N; i++) {
            CHECK(rpt_buffer_alloc(context, 100 * i, &buffers[i]) == RPT_OK);
            CHECK((uintptr_t)buffers[i] % 4096 == 0);
            for (size_t k = 0; k < 100 * i; k++) {
                ((char *)buffers[i])[k] = (char)i;
            }
        }
        for (size_t i = 0; i < N; i++) {
            for (size_t k = 0; k < 100 * i; k++) {
                n_wrong += ((char *)buffers[i])[k] != (char)i;
            }
            CHECK(rpt_buffer_free(context, buffers[i]) == RPT_OK);
        }
    }
    CHECK(n_wrong == 0);
    CHECK(rpt_buffer_alloc(context, 64, &again) == RPT_OK);
    CHECK(rpt_buffer_is_shared(context, again) ==
          rpt_buffer_is_shared(context, (char *)again + 63));
    CHECK(rpt_buffer_is_shared(NULL, again) == 0);
    CHECK(rpt_buffer_is_shared(context, NULL) == 0);
    CHECK(rpt_buffer_free(context, &local) == RPT_ERR_NOT_FOUND);
    CHECK(rpt_buffer_free(context, NULL) == RPT_OK);
    CHECK(rpt_buffer_free(NULL, again) == RPT_ERR_INVALID);
    CHECK(rpt_buffer_alloc(NULL, 64, &again) == RPT_ERR_INVALID);
    CHECK(rpt_buffer_alloc(context, 64, NULL) == RPT_ERR_INVALID);
    CHECK(rpt_buffer_alloc(context, SIZE_MAX, &buffers[0]) == RPT_ERR_NOMEM);
    /* `again` goes with the context. */
}

/* Every other rank gives nothing, and has no memory for it. */
void empty_parts_need_no_buffer(rpt_context_t *context)
{
    enum { N = 500, ROOT = 1 };
    rpt_group_t *group = rpt_group_world(context);
    int rank = rpt_group_rank(group), size = rpt_group_size(group);
    size_t *counts = calloc((size_t)size, sizeof *counts), n_wrong = 0, at = 0;
    int32_t *in = NULL, *out = NULL;

    for (int r = 0; r < size; r++) {
        counts[r] = r % 2 == 0 ? 0 : N;
    }
    if (rank == ROOT) {
        out = malloc((size_t)size * N * sizeof *out);
    }
    if (counts[rank] > 0) {
        CHECK(rpt_buffer_alloc(context, N * sizeof *in, (void **)&in) ==
              RPT_OK);
        for (int i = 0; i < N; i++) {
            in[i] = rank * N + i;
        }
    }
    CHECK(rpt_gatherv(group, in, out, counts, NULL, RPT_TYPE_I32, ROOT) ==
          RPT_OK);
    for (int r = 1; rank == ROOT && r < size; r += 2) {
        for (int i = 0; i < N; i++) {
            n_wrong += out[at++] != r * N + i;
        }
    }
    CHECK(n_wrong == 0);
    CHECK(rpt_barrier(group) == RPT_OK);
    CHECK(rpt_buffer_free(context, in) == RPT_OK);
    free(out);
    free(counts);
}
