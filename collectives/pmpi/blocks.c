/*
 * blocks.c - the collectives that move blocks of different sizes
 */
#include "collectives/pmpi/shim.h"

static bool fit(const int counts[], const int places[], int n,
                MPI_Datatype type)
{
    bool all = counts != NULL && places != NULL && type != MPI_DATATYPE_NULL;

    for (int r = 0; all && r < n; r++) {
        all = counts[r] >= 0;
    }
    return all;
}

int MPI_Allgatherv(const void *in, int in_count, MPI_Datatype in_type,
                   void *out, const int counts[], const int places[],
                   MPI_Datatype out_type, MPI_Comm comm)
{
    struct rpt_pmpi_call call;
    struct rpt_pmpi_side from = { 0 }, to = { 0 };
    const void *input = RPT_IN_PLACE;
    void *output;

    if (!rpt__pmpi_enter(&call, RPT_PMPI_ALLGATHERV, comm, 0) ||
        !rpt__pmpi_enter_move(
            &call, fit(counts, places, call.size, out_type) &&
                       (in == MPI_IN_PLACE ||
                        (in_count >= 0 && in_type != MPI_DATATYPE_NULL)))) {
        return PMPI_Allgatherv(in, in_count, in_type, out, counts, places,
                               out_type, comm);
    }
    rpt__pmpi_side_set_blocks(&to, &call, out, counts, places, out_type);
    if (in != MPI_IN_PLACE) {
        rpt__pmpi_side_set(&from, comm, in, (size_t)in_count, in_type);
        input = rpt__pmpi_side_input(&from);
    }
    call.bytes = to.block_bytes[call.rank];
    output = rpt__pmpi_side_output(&to, in == MPI_IN_PLACE);
    return rpt__pmpi_leave_move(&call,
                                rpt_allgatherv(call.group, input, output,
                                               to.block_bytes, to.block_offsets,
                                               RPT_TYPE_U8),
                                &from, &to);
}

int MPI_Alltoallv(const void *in, const int in_counts[], const int in_places[],
                  MPI_Datatype in_type, void *out, const int counts[],
                  const int places[], MPI_Datatype out_type, MPI_Comm comm)
{
    struct rpt_pmpi_call call;
    struct rpt_pmpi_side from = { 0 }, to = { 0 };
    bool in_place = in == MPI_IN_PLACE;
    const void *input;
    void *output;

    if (!rpt__pmpi_enter(&call, RPT_PMPI_ALLTOALLV, comm, 0) ||
        !rpt__pmpi_enter_move(
            &call,
            fit(counts, places, call.size, out_type) &&
                (in_place || fit(in_counts, in_places, call.size, in_type)))) {
        return PMPI_Alltoallv(in, in_counts, in_places, in_type, out, counts,
                              places, out_type, comm);
    }
    rpt__pmpi_side_set_blocks(&to, &call, out, counts, places, out_type);
    if (in_place) {
        /* The library has no such call: a copy of the output is the input. */
        from.copy = true;
        rpt__pmpi_side_set_blocks(&from, &call, out, counts, places, out_type);
    } else {
        rpt__pmpi_side_set_blocks(&from, &call, in, in_counts, in_places,
                                  in_type);
    }
    call.bytes = from.bytes;
    input = rpt__pmpi_side_input(&from);
    output = rpt__pmpi_side_output(&to, false);
    return rpt__pmpi_leave_move(
        &call,
        rpt_alltoallv(call.group, input, from.block_bytes, from.block_offsets,
                      output, to.block_bytes, to.block_offsets, RPT_TYPE_U8),
        &from, &to);
}
