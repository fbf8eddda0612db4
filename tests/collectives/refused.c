/*
 * refused.c - a sum that must pull what others cannot read is no call, on all
 * ranks; what comes after it is as if it had not been
 */
#include "refused.h"

#include "fixture.h"

#include "collectives/engine/team.h"

#include <repartir/mpi.h>

#include <sched.h>
#include <stdlib.h>
#include <string.h>

enum { N = 100, TAG = 7 };

static bool has_come(int source)
{
    int flag = 0;

    MPI_Iprobe(source, TAG, MPI_COMM_WORLD, &flag, MPI_STATUS_IGNORE);
    return flag != 0;
}

static void tell(int rank)
{
    MPI_Send(NULL, 0, MPI_BYTE, rank, TAG, MPI_COMM_WORLD);
}

static void hear(int rank)
{
    MPI_Recv(NULL, 0, MPI_BYTE, rank, TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

static bool somebody_sleeps(rpt_group_t *group)
{
    const struct rpt_team *team = rpt__group_attached(group);

    return atomic_load(&team->slice.head->n_sleeping) > 0;
}

/* The second to come finds it when it starts; the other one does not look
 * before that one waits for it, or has made two more calls, the second one in
 * the same block.  A thread of its library is shut out meanwhile. */
static void start(rpt_group_t *pair, rpt_plan_t *plan, int rank)
{
    struct rpt_engine *engine = rpt__comm_engine(rpt__group_comm(pair));

    if (rank == 0) {
        hear(1);
        CHECK(rpt_plan_start(plan) == RPT_OK);
        return;
    }
    rpt__engine_lock(engine);
    CHECK(rpt_plan_start(plan) == RPT_OK);
    tell(0);
    while (!has_come(0) && !somebody_sleeps(pair)) {
        sched_yield();
    }
    rpt__engine_unlock(engine);
}

/* Whether it went well; both say the same. */
static bool look_late(rpt_group_t *pair, rpt_plan_t *plan, double x[])
{
    int rank = rpt_group_rank(pair), good = 1;
    rpt_status_t status;

    CHECK(rpt_barrier(pair) == RPT_OK);
    start(pair, plan, rank);
    CHECK(rpt_plan_test(NULL) == RPT_ERR_INVALID); /* the last error is this */
    status = rpt_plan_wait(plan);
    CHECK(status == RPT_ERR_UNSUPPORTED);
    CHECK(strstr(rpt_last_error()->what, "forced algorithm pulled") != NULL);
    for (int i = 1; i <= 2; i++) {
        x[0] = rank == 0 ? i : 0;
        CHECK(rpt_broadcast(pair, x, N, RPT_TYPE_F64, 0) == RPT_OK);
        CHECK((int)x[0] == i);
    }
    if (rank == 0) {
        tell(1);
        MPI_Recv(&good, 1, MPI_INT, 1, TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    } else {
        hear(0);
        good = status == RPT_ERR_UNSUPPORTED;
        MPI_Send(&good, 1, MPI_INT, 0, TAG, MPI_COMM_WORLD);
    }
    return good != 0;
}

void refused_calls(rpt_context_t *context)
{
    int rank = rpt_context_rank(context), size = rpt_context_size(context);
    double *x = calloc(2 * N, sizeof *x);
    const rpt_coll_t sum = { .kind = RPT_COLL_ALLREDUCE,
                             .in = x,
                             .out = x + N,
                             .count = N,
                             .type = RPT_TYPE_F64,
                             .op = RPT_OP_SUM };
    rpt_group_t *pair = NULL;
    rpt_plan_t *plan = NULL;

    CHECK(rpt_group_split(rpt_group_world(context),
                          rank < 2 && size > 1 ? 0 : RPT_COLOR_NONE, 0,
                          &pair) == RPT_OK);
    if (pair != NULL && rpt_plan_create(pair, &sum, &plan) == RPT_OK) {
        for (int i = 0; i < 3 && look_late(pair, plan, x); i++) {
        }
        rpt_plan_destroy(plan);
    }
    rpt_group_destroy(pair);
    free(x);
}
