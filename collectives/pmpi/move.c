/*
 * move.c - the collectives that move data: blocks of one size
 *
 * A rank's arguments that MPI does not look at on this rank are not looked at
 * here either.
 */
#include "collectives/pmpi/shim.h"

static bool fits(int count, MPI_Datatype type)
{
    return count >= 0 && type != MPI_DATATYPE_NULL;
}

int MPI_Barrier(MPI_Comm comm)
{
    struct rpt_pmpi_call call;

    if (!rpt__pmpi_enter(&call, RPT_PMPI_BARRIER, comm, 0) ||
        !rpt__pmpi_enter_move(&call, true)) {
        return PMPI_Barrier(comm);
    }
    return rpt__pmpi_leave(&call, rpt_barrier(call.group));
}

int MPI_Bcast(void *buffer, int count, MPI_Datatype type, int root,
              MPI_Comm comm)
{
    struct rpt_pmpi_call call;
    struct rpt_pmpi_side from = { 0 }, side = { 0 };
    rpt_status_t status;

    if (!rpt__pmpi_enter(&call, RPT_PMPI_BCAST, comm, root) ||
        !rpt__pmpi_enter_move(&call, fits(count, type))) {
        return PMPI_Bcast(buffer, count, type, root, comm);
    }
    rpt__pmpi_side_set(call.is_root ? &from : &side, comm, buffer,
                       (size_t)count, type);
    call.bytes = from.bytes + side.bytes;
    status = rpt_broadcast(call.group,
                           call.is_root ? (void *)rpt__pmpi_side_input(&from)
                                        : rpt__pmpi_side_output(&side, false),
                           call.bytes, RPT_TYPE_U8, root);
    return rpt__pmpi_leave_move(&call, status, &from, &side);
}

/* The input of what may be in place; where it is, the output has it. */
static const void *input_of(struct rpt_pmpi_side *from, MPI_Comm comm,
                            const void *in, size_t count, MPI_Datatype type)
{
    if (in == MPI_IN_PLACE) {
        return RPT_IN_PLACE;
    }
    rpt__pmpi_side_set(from, comm, in, count, type);
    return rpt__pmpi_side_input(from);
}

int MPI_Allgather(const void *in, int in_count, MPI_Datatype in_type, void *out,
                  int out_count, MPI_Datatype out_type, MPI_Comm comm)
{
    struct rpt_pmpi_call call;
    struct rpt_pmpi_side from = { 0 }, to = { 0 };
    const void *input;
    rpt_status_t status;

    if (!rpt__pmpi_enter(&call, RPT_PMPI_ALLGATHER, comm, 0) ||
        !rpt__pmpi_enter_move(
            &call, fits(out_count, out_type) &&
                       (in == MPI_IN_PLACE || fits(in_count, in_type)))) {
        return PMPI_Allgather(in, in_count, in_type, out, out_count, out_type,
                              comm);
    }
    input = input_of(&from, comm, in, (size_t)in_count, in_type);
    rpt__pmpi_side_set(&to, comm, out, (size_t)call.size * (size_t)out_count,
                       out_type);
    call.bytes = to.bytes / (size_t)call.size;
    status = rpt_allgather(call.group, input,
                           rpt__pmpi_side_output(&to, in == MPI_IN_PLACE),
                           call.bytes, RPT_TYPE_U8);
    return rpt__pmpi_leave_move(&call, status, &from, &to);
}

int MPI_Gather(const void *in, int in_count, MPI_Datatype in_type, void *out,
               int out_count, MPI_Datatype out_type, int root, MPI_Comm comm)
{
    struct rpt_pmpi_call call;
    struct rpt_pmpi_side from = { 0 }, to = { 0 };
    const void *input;
    void *output = NULL;

    if (!rpt__pmpi_enter(&call, RPT_PMPI_GATHER, comm, root) ||
        !rpt__pmpi_enter_move(
            &call, (!call.is_root || fits(out_count, out_type)) &&
                       (in == MPI_IN_PLACE || fits(in_count, in_type)))) {
        return PMPI_Gather(in, in_count, in_type, out, out_count, out_type,
                           root, comm);
    }
    input = input_of(&from, comm, in, (size_t)in_count, in_type);
    call.bytes = from.bytes;
    if (call.is_root) {
        rpt__pmpi_side_set(&to, comm, out,
                           (size_t)call.size * (size_t)out_count, out_type);
        call.bytes = to.bytes / (size_t)call.size;
        output = rpt__pmpi_side_output(&to, in == MPI_IN_PLACE);
    }
    return rpt__pmpi_leave_move(
        &call,
        rpt_gather(call.group, input, output, call.bytes, RPT_TYPE_U8, root),
        &from, &to);
}

int MPI_Scatter(const void *in, int in_count, MPI_Datatype in_type, void *out,
                int out_count, MPI_Datatype out_type, int root, MPI_Comm comm)
{
    struct rpt_pmpi_call call;
    struct rpt_pmpi_side from = { 0 }, to = { 0 };
    const void *input = NULL;
    void *output = NULL; /* in place */

    if (!rpt__pmpi_enter(&call, RPT_PMPI_SCATTER, comm, root) ||
        !rpt__pmpi_enter_move(
            &call, (!call.is_root || fits(in_count, in_type)) &&
                       (out == MPI_IN_PLACE || fits(out_count, out_type)))) {
        return PMPI_Scatter(in, in_count, in_type, out, out_count, out_type,
                            root, comm);
    }
    if (out != MPI_IN_PLACE) {
        rpt__pmpi_side_set(&to, comm, out, (size_t)out_count, out_type);
        output = rpt__pmpi_side_output(&to, false);
    }
    call.bytes = to.bytes;
    if (call.is_root) {
        rpt__pmpi_side_set(&from, comm, in,
                           (size_t)call.size * (size_t)in_count, in_type);
        call.bytes = from.bytes / (size_t)call.size;
        input = rpt__pmpi_side_input(&from);
    }
    return rpt__pmpi_leave_move(
        &call,
        rpt_scatter(call.group, input, output, call.bytes, RPT_TYPE_U8, root),
        &from, &to);
}

int MPI_Alltoall(const void *in, int in_count, MPI_Datatype in_type, void *out,
                 int out_count, MPI_Datatype out_type, MPI_Comm comm)
{
    struct rpt_pmpi_call call;
    struct rpt_pmpi_side from = { 0 }, to = { 0 };
    const void *input;
    rpt_status_t status;

    if (!rpt__pmpi_enter(&call, RPT_PMPI_ALLTOALL, comm, 0) ||
        !rpt__pmpi_enter_move(
            &call, fits(out_count, out_type) &&
                       (in == MPI_IN_PLACE || fits(in_count, in_type)))) {
        return PMPI_Alltoall(in, in_count, in_type, out, out_count, out_type,
                             comm);
    }
    input = input_of(&from, comm, in, (size_t)call.size * (size_t)in_count,
                     in_type);
    rpt__pmpi_side_set(&to, comm, out, (size_t)call.size * (size_t)out_count,
                       out_type);
    call.bytes = to.bytes;
    status = rpt_alltoall(call.group, input,
                          rpt__pmpi_side_output(&to, in == MPI_IN_PLACE),
                          to.bytes / (size_t)call.size, RPT_TYPE_U8);
    return rpt__pmpi_leave_move(&call, status, &from, &to);
}
