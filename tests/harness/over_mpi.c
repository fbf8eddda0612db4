/*
 * over_mpi.c - the harness, over the ranks of MPI_COMM_WORLD
 */
#include "over_mpi.h"

#include "harness.h"

#include <repartir/mpi.h>

#include <stdio.h>
#include <stdlib.h>

int rpt_test_any(int flag)
{
    int result = 0;

    MPI_Allreduce(&flag, &result, 1, MPI_INT, MPI_LOR, MPI_COMM_WORLD);
    return result;
}

void rpt_test_over_mpi(int *rank_out, int *size_out)
{
    MPI_Comm_rank(MPI_COMM_WORLD, rank_out);
    MPI_Comm_size(MPI_COMM_WORLD, size_out);
    rpt_test_over_ranks(*rank_out, rpt_test_any);
}

rpt_context_t *rpt_test_context(void)
{
    rpt_context_t *context = NULL;

    if (rpt_context_create_mpi(MPI_COMM_WORLD, NULL, &context) != RPT_OK) {
        fprintf(stderr, "%s\n", rpt_last_error_text());
        exit(1);
    }
    return context;
}
