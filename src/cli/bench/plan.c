/*
 * plan.c - all-reduce as a plan, beside the MPI's persistent one
 *
 * What is timed is the start and the wait.  Third in turn is our blocking call,
 * which a plan must not be slower than.
 */
#include "config.h"

#include "cli/bench/bench_priv.h"

#if defined HAVE_MPI_ALLREDUCE_INIT
#define ALLREDUCE_INIT MPI_Allreduce_init
#elif defined HAVE_MPIX_ALLREDUCE_INIT
#include <mpi-ext.h>
#define ALLREDUCE_INIT MPIX_Allreduce_init
#endif

#ifdef ALLREDUCE_INIT
static rpt_status_t mpi_prepare(struct bench *b)
{
    ALLREDUCE_INIT(b->in, b->out, (int)b->n, MPI_FLOAT, MPI_SUM, WORLD,
                   MPI_INFO_NULL, &b->request);
    return RPT_OK;
}

static rpt_status_t mpi_call(struct bench *b)
{
    MPI_Start(&b->request);
    MPI_Wait(&b->request, MPI_STATUS_IGNORE);
    return RPT_OK;
}

static void mpi_finish(struct bench *b)
{
    MPI_Request_free(&b->request);
}

static rpt_status_t our_prepare(struct bench *b)
{
    const rpt_coll_t coll = { .kind = RPT_COLL_ALLREDUCE,
                              .in = b->in,
                              .out = b->out,
                              .count = b->n,
                              .type = RPT_TYPE_F32,
                              .op = RPT_OP_SUM };

    return rpt_plan_create(b->world, &coll, &b->plan);
}

static rpt_status_t our_call(struct bench *b)
{
    rpt_status_t status = rpt_plan_start(b->plan);

    return status == RPT_OK ? rpt_plan_wait(b->plan) : status;
}

static void our_finish(struct bench *b)
{
    rpt_plan_destroy(b->plan);
    b->plan = NULL;
}

static rpt_status_t our_blocking(struct bench *b)
{
    return rpt_allreduce(b->world, b->in, b->out, b->n, RPT_TYPE_F32,
                         RPT_OP_SUM);
}

static const struct bench_contest contest = {
    .row = "plan",
    .operation = "allreduce",
    .n_sides = 3,
    .factor = 2,
    .sides = { [BENCH_MPI] = { .prepare = mpi_prepare,
                               .call = mpi_call,
                               .finish = mpi_finish },
               [BENCH_OURS] = { .prepare = our_prepare,
                                .call = our_call,
                                .finish = our_finish },
               [BENCH_BLOCKING] = { .call = our_blocking } }
};
#endif

const struct bench_contest *bench_plan(void)
{
#ifdef ALLREDUCE_INIT
    return &contest;
#else
    return NULL;
#endif
}
