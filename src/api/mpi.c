/*
 * mpi.c - the public functions of <repartir/mpi.h>
 */
#include "api/api.h"

#include "base/error.h"
#include "collectives/select/measure.h"
#include "collectives/select/policy.h"
#include "comm/mpi.h"

#include <repartir/mpi.h>

#include <stdlib.h>

/* ---- communicators of gangs ---- */

static rpt_status_t make(struct rpt_comm *comm, const int ranks[], int n_ranks,
                         uint64_t key, void **handle_out)
{
    MPI_Comm *handle = malloc(sizeof *handle);
    rpt_status_t status;

    if (handle == NULL) {
        return rpt__fail_nomem(sizeof *handle);
    }
    status = rpt__comm_make_mpi(comm, ranks, n_ranks, (int)(key % 16384),
                                handle);
    if (status != RPT_OK) {
        free(handle);
        return status;
    }
    *handle_out = handle;
    return RPT_OK;
}

static void release(void *handle)
{
    rpt__comm_free_mpi(handle);
    free(handle);
}

static const struct rpt_gang_mpi_ops gang_mpi = { make, release };

rpt_status_t rpt_call_mpi_comm(rpt_call_t *call, MPI_Comm *comm_out)
{
    const MPI_Comm *handle;
    int n;

    RPT_REQUIRE(call != NULL && comm_out != NULL, "NULL argument");
    if (rpt__call_gang_ranks(call, &n) == NULL) {
        rpt__fail(RPT_ERR_STATE, "only a gang has a communicator");
        rpt__fail_hint("make the task one with rpt_task_set_gang()");
        return RPT_ERR_STATE;
    }
    handle = rpt__call_mpi_handle(call);
    if (handle == NULL) {
        rpt__fail(RPT_ERR_UNSUPPORTED, "the gang has no communicator");
        rpt__fail_why("the context is not over MPI, or MPI could not make "
                      "one more");
        return RPT_ERR_UNSUPPORTED;
    }
    *comm_out = *handle;
    return RPT_OK;
}

/* ---- contexts and groups ---- */

rpt_status_t rpt_context_create_mpi_v(MPI_Comm comm,
                                      const rpt_options_t *options,
                                      int header_version,
                                      rpt_context_t **context_out)
{
    struct rpt_comm *end = NULL;
    rpt_context_t *context = NULL;
    rpt_status_t status = rpt__check_version(header_version);

    if (status != RPT_OK) {
        return status;
    }
    RPT_REQUIRE(context_out != NULL, "context_out is NULL");
    status = rpt__comm_create_mpi(comm, options, rpt__policy_brief, &end);
    if (status == RPT_OK) {
        rpt__gang_mpi = &gang_mpi;
        status = rpt__context_wrap(end, &context);
    }
    if (status == RPT_OK) {
        status = rpt__measure(context->world);
    }
    if (status == RPT_OK) {
        *context_out = context;
    } else {
        rpt_context_destroy(context);
    }
    return status;
}

rpt_status_t rpt_group_from_mpi(rpt_context_t *context, MPI_Comm comm,
                                rpt_group_t **group_out)
{
    struct rpt_engine *engine;
    rpt_status_t status;
    int size = 0, *ranks;

    RPT_REQUIRE(context != NULL && group_out != NULL, "NULL argument");
    RPT_REQUIRE(comm != MPI_COMM_NULL, "the communicator is null");
    if (PMPI_Comm_size(comm, &size) != MPI_SUCCESS) {
        return rpt__fail(RPT_ERR_MPI, "MPI_Comm_size failed");
    }
    ranks = malloc((size_t)size * sizeof *ranks);
    if (ranks == NULL) {
        return rpt__fail_nomem((size_t)size * sizeof *ranks);
    }
    engine = rpt__comm_engine(context->comm);
    rpt__engine_lock(engine);
    status = rpt__comm_ranks_of_mpi(context->comm, comm, ranks);
    if (status == RPT_OK) {
        status = rpt__group_from_ranks(context->comm, ranks, size, group_out);
    }
    rpt__engine_unlock(engine);
    free(ranks);
    return status;
}

/* ---- for Fortran ---- */

/* It is MPI's to turn the number into a communicator, which it cannot do before
 * it is initialised. */
static rpt_status_t check_started(void)
{
    int is_up = 0, is_over = 0;

    PMPI_Initialized(&is_up);
    PMPI_Finalized(&is_over);
    if (!is_up || is_over) {
        rpt__fail(RPT_ERR_STATE,
                  "MPI is not initialised, or finalised already");
        rpt__fail_hint("call MPI_Init_thread first");
        return RPT_ERR_STATE;
    }
    return RPT_OK;
}

rpt_status_t rpt_context_create_mpi_f(MPI_Fint comm,
                                      const rpt_options_t *options,
                                      int header_version,
                                      rpt_context_t **context_out)
{
    rpt_status_t status = check_started();

    return status == RPT_OK
               ? rpt_context_create_mpi_v(PMPI_Comm_f2c(comm), options,
                                          header_version, context_out)
               : status;
}

rpt_status_t rpt_group_from_mpi_f(rpt_context_t *context, MPI_Fint comm,
                                  rpt_group_t **group_out)
{
    rpt_status_t status = check_started();

    return status == RPT_OK
               ? rpt_group_from_mpi(context, PMPI_Comm_f2c(comm), group_out)
               : status;
}
