/*
 * call.c - whether a call is handled, and what becomes of it
 *
 * The decision is made on the operation, the communicator, the operator and the
 * type of a reduction, which are the same on all ranks, and on arguments that
 * no correct program has, which are left to the MPI.
 */
#include "collectives/pmpi/shim.h"

#include <stdatomic.h>
#include <stdio.h>

static const char bad_argument[] = "MPI is to find a bad argument";

static bool pass(const struct rpt_pmpi_call *call, const char *why)
{
    rpt__pmpi_count_passed(call->function, why);
    return false;
}

bool rpt__pmpi_enter(struct rpt_pmpi_call *call, enum rpt_pmpi_function which,
                     MPI_Comm comm, int root)
{
    struct rpt_pmpi_comm *known;
    enum rpt_pmpi_state state = rpt__pmpi_state();

    *call = (struct rpt_pmpi_call){ .function = which,
                                    .comm = comm,
                                    .root = root };
    if (state == RPT_PMPI_OFF) {
        return false;
    }
    if (state == RPT_PMPI_BROKEN) {
        return pass(call, "there is no context");
    }
    known = comm != MPI_COMM_NULL ? rpt__pmpi_comm_of(comm) : NULL;
    if (known == NULL) {
        return pass(call, bad_argument);
    }
    if (known->is_alone || known->why != NULL) {
        return pass(call, known->why);
    }
    if (root < 0 || root >= known->size) {
        return pass(call, bad_argument);
    }
    call->known = known;
    call->rank = known->rank;
    call->size = known->size;
    call->is_root = known->rank == root;
    return true;
}

static bool need_group(struct rpt_pmpi_call *call)
{
    if (!rpt__pmpi_need_group(call->known)) {
        return pass(call, call->known->why);
    }
    call->group = call->known->group;
    return true;
}

bool rpt__pmpi_enter_reduction(struct rpt_pmpi_call *call, int count,
                               MPI_Datatype type, MPI_Op op)
{
    if (count < 0 || type == MPI_DATATYPE_NULL || op == MPI_OP_NULL) {
        return pass(call, bad_argument);
    }
    if (!rpt__pmpi_op(op, &call->op)) {
        return pass(call, "the operator is not one of those that are known");
    }
    if (!rpt__pmpi_type(type, call->op, &call->type)) {
        return pass(call, "there is no such reduction of the type");
    }
    call->bytes = (size_t)count * rpt_type_bytes(call->type);
    return need_group(call);
}

bool rpt__pmpi_enter_move(struct rpt_pmpi_call *call, bool arguments_fit)
{
    return arguments_fit ? need_group(call) : pass(call, bad_argument);
}

int rpt__pmpi_leave(const struct rpt_pmpi_call *call, rpt_status_t status)
{
    static atomic_flag told = ATOMIC_FLAG_INIT;

    if (status >= RPT_OK) {
        rpt__pmpi_count_handled(call->function, call->bytes);
        return MPI_SUCCESS;
    }
    if (!atomic_flag_test_and_set(&told)) {
        fprintf(stderr, "librepartir-pmpi: %s\n", rpt_last_error_text());
    }
    PMPI_Comm_call_errhandler(call->comm, MPI_ERR_OTHER);
    return MPI_ERR_OTHER;
}

int rpt__pmpi_leave_move(const struct rpt_pmpi_call *call, rpt_status_t status,
                         struct rpt_pmpi_side *from, struct rpt_pmpi_side *to)
{
    if (status >= RPT_OK) {
        rpt__pmpi_side_unpack(to);
    }
    rpt__pmpi_side_release(from);
    rpt__pmpi_side_release(to);
    return rpt__pmpi_leave(call, status);
}
