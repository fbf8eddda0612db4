/*
 * again.c - calls like one of those before
 */
#include "again.h"

#include "collectives/plan.h"

#include "fixture.h"
#include "harness.h"

#include <stdlib.h>

/* A step of a program: four calls that are not alike. */
static void four_calls(rpt_group_t *group, int round)
{
    int rank = rpt_group_rank(group), size = rpt_group_size(group);
    int sum = size * (size - 1) / 2 + size * round, mine = rank + round;
    int first = rank == 0 ? round : -1, last = -1, all = -1, place = mine;

    CHECK(rpt_broadcast(group, &first, 1, RPT_TYPE_I32, 0) == RPT_OK);
    CHECK(first == round);
    CHECK(rpt_reduce(group, &mine, &last, 1, RPT_TYPE_I32, RPT_OP_SUM,
                     size - 1) == RPT_OK);
    CHECK(last == (rank == size - 1 ? sum : -1));
    CHECK(rpt_allreduce(group, &mine, &all, 1, RPT_TYPE_I32, RPT_OP_SUM) ==
          RPT_OK);
    CHECK(all == sum);
    CHECK(rpt_allreduce(group, RPT_IN_PLACE, &place, 1, RPT_TYPE_I32,
                        RPT_OP_SUM) == RPT_OK);
    CHECK(place == sum);
}

void calls_by_turns(rpt_group_t *group)
{
    int me = rpt_group_rank(group), all = -1;
    rpt_group_t *own = NULL;
    struct rpt_team *team;

    CHECK(rpt_group_split(group, 0, me, &own) == RPT_OK);
    for (int round = 0; round < 5; round++) {
        four_calls(own, round);
    }
    team = rpt__group_attached(own);
    CHECK(team->next_recent <= 4);
    for (int count = 2; count < 40; count++) {
        int in[40] = { me }, out[40];

        CHECK(rpt_allreduce(own, in, out, (size_t)count, RPT_TYPE_I32,
                            RPT_OP_MAX) == RPT_OK);
        CHECK(out[0] == rpt_group_size(own) - 1 && out[1] == 0);
    }
    four_calls(own, 7);
    CHECK(rpt_allreduce(own, &me, &all, 1, RPT_TYPE_I32, RPT_OP_MAX) == RPT_OK);
    CHECK(all == rpt_group_size(own) - 1);
    CHECK(team->n_cached <= 32);
    rpt_group_destroy(own);
}

static unsigned next_number(unsigned *seed, unsigned n)
{
    *seed = *seed * 1664525U + 1013904223U;
    return (*seed >> 8) % n;
}

void calls_of_all_kinds(rpt_group_t *group)
{
    static const size_t counts[] = { 0, 1, 3, 30, 500, 6000 };
    int rank = rpt_group_rank(group), size = rpt_group_size(group);
    size_t n = (size_t)size * 6000;
    int *in = calloc(n, sizeof *in), *out = calloc(n, sizeof *out);
    int n_calls = rpt_test_is_short() ? 300 : 2000;
    unsigned seed = 7;

    for (int i = 0; i < n_calls; i++) {
        rpt_coll_t coll = { .kind = (rpt_coll_kind_t)next_number(
                                &seed, RPT_COLL_EXSCAN + 1),
                            .in = in,
                            .out = out,
                            .count = counts[next_number(&seed, 6)],
                            .type = RPT_TYPE_I32,
                            .op = RPT_OP_SUM,
                            .root = (int)next_number(&seed, (unsigned)size) };
        rpt_plan_t *plan = NULL;

        in[0] = rank + i;
        out[0] = rank == coll.root ? i : -1;
        CHECK(rpt_coll_start(group, &coll, &plan) == RPT_OK);
        CHECK(rpt_plan_wait(plan) == RPT_OK);
        rpt_plan_destroy(plan);
        if (coll.count > 0 && coll.kind == RPT_COLL_BROADCAST) {
            CHECK(out[0] == i);
        } else if (coll.count > 0 && coll.kind == RPT_COLL_ALLREDUCE) {
            CHECK(out[0] == size * (size - 1) / 2 + size * i);
        } else if (coll.count > 0 && coll.kind == RPT_COLL_REDUCE) {
            CHECK(rank != coll.root ||
                  out[0] == size * (size - 1) / 2 + size * i);
        } else if (coll.count > 0 && coll.kind == RPT_COLL_SCAN) {
            CHECK(out[0] == rank * (rank + 1) / 2 + (rank + 1) * i);
        }
    }
    free(in);
    free(out);
}

static void add(void *to, const void *with, size_t count, rpt_type_t type,
                void *user)
{
    (void)type;
    for (size_t i = 0; i < count; i++) {
        ((int *)to)[i] += ((const int *)with)[i] * *(const int *)user;
    }
}

static void take_greater(void *to, const void *with, size_t count,
                         rpt_type_t type, void *user)
{
    (void)type;
    (void)user;
    for (size_t i = 0; i < count; i++) {
        int a = ((int *)to)[i], b = ((const int *)with)[i];

        ((int *)to)[i] = a > b ? a : b;
    }
}

static void operator_gives(rpt_group_t *group, rpt_op_fn fn, int wanted)
{
    int mine = rpt_group_rank(group) + 1, out = -1, one = 1;
    rpt_op_t op;

    CHECK(rpt_op_create(fn, &one, 1, &op) == RPT_OK);
    for (int i = 0; i < 3; i++) {
        CHECK(rpt_allreduce(group, &mine, &out, 1, RPT_TYPE_I32, op) == RPT_OK);
        CHECK(out == wanted);
    }
    rpt_barrier(group); /* others may still combine */
    rpt_op_destroy(op);
    if (rpt_group_size(group) == 1) { /* others might have it by now */
        CHECK(rpt_allreduce(group, &mine, &out, 1, RPT_TYPE_I32, op) ==
              RPT_ERR_INVALID);
    }
}

void operators_one_after_another(rpt_group_t *group)
{
    int size = rpt_group_size(group);

    for (int i = 0; i < 3; i++) {
        operator_gives(group, add, size * (size + 1) / 2);
        operator_gives(group, take_greater, size);
    }
}

/* Of a call whose block has had n before: in twice the room, from the third one
 * on, it lies behind the one before. */
static void stage_lies_well(const struct rpt_run *run, int n, size_t *most)
{
    size_t at = run->stage_offset - RPT_STAGE_OFFSET;
    size_t end = at + run->stage_bytes;

    CHECK(end <= run->team->slice.stage_bytes);
    CHECK(n > 1 || at == 0);
    CHECK(n != 2 || at == run->stage_bytes);
    *most = end > *most ? end : *most;
}

void stages_move(rpt_group_t *group)
{
    enum { BYTES = 64 * 1500, N = 100 }; /* whole lines */
    rpt_coll_t coll = { .kind = RPT_COLL_BROADCAST,
                        .out = calloc(1, BYTES),
                        .count = BYTES,
                        .type = RPT_TYPE_U8 };
    int n_calls[RPT_N_LONG] = { 0 };
    rpt_group_t *own = NULL;
    rpt_plan_t *plan = NULL;
    size_t most = 0;
    bool has_stage;

    CHECK(rpt_group_split(group, 0, rpt_group_rank(group), &own) == RPT_OK);
    CHECK(rpt_plan_create(own, &coll, &plan) == RPT_OK);
    has_stage = plan->run.n_values > 0 && plan->run.stage_bytes > 0;
    for (int i = 0; i < N; i++) {
        CHECK(rpt_plan_start(plan) == RPT_OK);
        CHECK(rpt_plan_wait(plan) == RPT_OK);
        if (has_stage) {
            stage_lies_well(&plan->run, n_calls[plan->run.turn - RPT_N_SHORT]++,
                            &most);
        }
    }
    CHECK(!has_stage || most > plan->team->slice.stage_bytes / 2);
    rpt_plan_destroy(plan);
    rpt_group_destroy(own);
    free(coll.out);
}
