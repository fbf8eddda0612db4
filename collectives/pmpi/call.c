/*
 * call.c - whether a call is handled, and what becomes of it
 *
 * The decision is made on the operation, the communicator, the operator and the
 * type of a reduction, which are the same on all ranks, and on arguments that
 * no correct program has, which are left to the MPI.
 *
 * A call that does not block must not wait for other ranks either, so it cannot
 * make the group of its communicator: that needs a call that blocks, or one
 * that prepares a persistent request.  Which of them came first is the same on
 * all ranks.
 */
#include "collectives/pmpi/shim.h"

#include <stdatomic.h>
#include <stdio.h>

const char rpt__pmpi_bad_argument[] = "MPI is to find a bad argument";

static bool (*const prepare[])(struct rpt_pmpi_call *,
                               const struct rpt_pmpi_args *) = {
#define PREPARE(name, function, text) rpt__pmpi_##function,
    RPT_PMPI_LIST(PREPARE)
#undef PREPARE
};

bool rpt__pmpi_pass(const struct rpt_pmpi_call *call, const char *why)
{
    rpt__pmpi_count_passed(call, why);
    return false;
}

bool rpt__pmpi_prepare(struct rpt_pmpi_call *call,
                       enum rpt_pmpi_function function, enum rpt_pmpi_form form,
                       const struct rpt_pmpi_args *args)
{
    struct rpt_pmpi_comm *known;
    enum rpt_pmpi_state state = rpt__pmpi_state();

    *call = (struct rpt_pmpi_call){ .function = function,
                                    .form = form,
                                    .is_large = args->is_large };
    if (state == RPT_PMPI_OFF) {
        return false;
    }
    if (state == RPT_PMPI_BROKEN) {
        return rpt__pmpi_pass(call, "there is no context");
    }
    if (rpt__pmpi_is_being_freed(args->comm)) {
        return rpt__pmpi_pass(call, "its communicator is being freed");
    }
    known = args->comm != MPI_COMM_NULL ? rpt__pmpi_comm_of(args->comm) : NULL;
    if (known == NULL) {
        return rpt__pmpi_pass(call, rpt__pmpi_bad_argument);
    }
    if (known->is_alone || known->why != NULL) {
        return rpt__pmpi_pass(call, known->why);
    }
    if (args->root < 0 || args->root >= known->size) {
        return rpt__pmpi_pass(call, rpt__pmpi_bad_argument);
    }
    call->known = known;
    call->rank = known->rank;
    call->size = known->size;
    call->is_root = known->rank == args->root;
    call->coll.root = args->root;
    return prepare[function](call, args);
}

bool rpt__pmpi_enter(struct rpt_pmpi_call *call)
{
    if (call->form != RPT_PMPI_BLOCKING && !rpt__pmpi_progresses()) {
        return rpt__pmpi_pass(call, "nobody would go on with it while the "
                                    "program computes");
    }
    if (call->form == RPT_PMPI_STARTED && call->known->group == NULL) {
        return rpt__pmpi_pass(call, "no call that blocks has made the group "
                                    "of the communicator yet");
    }
    if (!rpt__pmpi_need_group(call->known)) {
        return rpt__pmpi_pass(call, call->known->why);
    }
    return call->form != RPT_PMPI_PERSISTENT ||
           rpt__pmpi_make_group(call->known, &call->own) ||
           rpt__pmpi_pass(call, "a group of its own could not be made");
}

/* ---- the blocking form ---- */

static rpt_status_t run_blocks(rpt_group_t *group, const rpt_coll_t *c)
{
    if (c->kind == RPT_COLL_ALLGATHER) {
        return rpt_allgatherv(group, c->in, c->out, c->counts, c->offsets,
                              c->type);
    }
    if (c->kind == RPT_COLL_ALLTOALL) {
        return rpt_alltoallv(group, c->in, c->counts, c->offsets, c->out,
                             c->out_counts, c->out_offsets, c->type);
    }
    return rpt_reduce_scatter(group, c->in, c->out, c->counts, c->type, c->op);
}

static rpt_status_t run(rpt_group_t *group, const rpt_coll_t *c)
{
    if (c->counts != NULL) {
        return run_blocks(group, c);
    }
    switch (c->kind) {
    case RPT_COLL_ALLREDUCE:
        return rpt_allreduce(group, c->in, c->out, c->count, c->type, c->op);
    case RPT_COLL_REDUCE:
        return rpt_reduce(group, c->in, c->out, c->count, c->type, c->op,
                          c->root);
    case RPT_COLL_BROADCAST:
        return rpt_broadcast(group, c->out, c->count, c->type, c->root);
    case RPT_COLL_BARRIER:
        return rpt_barrier(group);
    case RPT_COLL_ALLGATHER:
        return rpt_allgather(group, c->in, c->out, c->count, c->type);
    case RPT_COLL_GATHER:
        return rpt_gather(group, c->in, c->out, c->count, c->type, c->root);
    case RPT_COLL_SCATTER:
        return rpt_scatter(group, c->in, c->out, c->count, c->type, c->root);
    case RPT_COLL_REDUCE_SCATTER:
        return rpt_reduce_scatter_block(group, c->in, c->out, c->count, c->type,
                                        c->op);
    case RPT_COLL_ALLTOALL:
        return rpt_alltoall(group, c->in, c->out, c->count, c->type);
    case RPT_COLL_SCAN:
        return rpt_scan(group, c->in, c->out, c->count, c->type, c->op);
    case RPT_COLL_EXSCAN:
    default:
        return rpt_exscan(group, c->in, c->out, c->count, c->type, c->op);
    }
}

/* While other threads test requests of the group: only the start is theirs to
 * respect. */
static rpt_status_t run_beside_others(struct rpt_pmpi_comm *known,
                                      const rpt_coll_t *coll)
{
    rpt_plan_t *plan = NULL;
    rpt_status_t status;

    pthread_mutex_lock(&known->lock);
    status = rpt_coll_start(known->group, coll, &plan);
    pthread_mutex_unlock(&known->lock);
    if (status == RPT_OK) {
        status = rpt_plan_wait(plan);
        rpt_plan_destroy(plan);
    }
    return status;
}

int rpt__pmpi_run(struct rpt_pmpi_call *call)
{
    struct rpt_pmpi_comm *known = call->known;
    rpt_status_t status;

    rpt__pmpi_side_pack(&call->from);
    if (call->to.keeps) {
        rpt__pmpi_side_pack(&call->to);
    }
    status = atomic_load(&known->n_active) > 0 && rpt__pmpi_has_threads()
                 ? run_beside_others(known, &call->coll)
                 : run(known->group, &call->coll);
    if (status >= RPT_OK) {
        rpt__pmpi_side_unpack(&call->to);
        rpt__pmpi_count_handled(call);
    }
    rpt__pmpi_side_release(&call->from);
    rpt__pmpi_side_release(&call->to);
    rpt__pmpi_requests_advance();
    return rpt__pmpi_result(call, status);
}

int rpt__pmpi_result(const struct rpt_pmpi_call *call, rpt_status_t status)
{
    static atomic_flag told = ATOMIC_FLAG_INIT;

    if (status >= RPT_OK) {
        return MPI_SUCCESS;
    }
    if (!atomic_flag_test_and_set(&told)) {
        /* A thread of the library may have found it, and have its text. */
        fprintf(stderr, "librepartir-pmpi: %s\n",
                rpt_last_error()->status == status ? rpt_last_error_text()
                                                   : rpt_status_text(status));
    }
    PMPI_Comm_call_errhandler(call->known->is_freed ? MPI_COMM_WORLD
                                                    : call->known->comm,
                              MPI_ERR_OTHER);
    return MPI_ERR_OTHER;
}
