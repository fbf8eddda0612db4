/*
 * start.c - MPI_Init, MPI_Init_thread and MPI_Finalize
 *
 * The context stands from the end of MPI's start to the beginning of its end.
 * Its ranks are those of MPI_COMM_WORLD.  Where it cannot be made, rank 0 says
 * so and the program runs as without the shim.
 *
 * Cost: at the start what a context costs, and two small collectives.
 */
#include "collectives/pmpi/shim.h"

#include <stdatomic.h>
#include <stdio.h>

static atomic_int state = RPT_PMPI_OFF;
static rpt_context_t *context;

enum rpt_pmpi_state rpt__pmpi_state(void)
{
    return (enum rpt_pmpi_state)atomic_load_explicit(&state,
                                                     memory_order_acquire);
}

static void begin(void)
{
    int ok = rpt_context_create_mpi(MPI_COMM_WORLD, NULL, &context) == RPT_OK;
    int all = 0, rank = 0;

    if (!ok) {
        context = NULL;
    } else if (!rpt__pmpi_comms_open(context)) {
        ok = 0;
    }
    PMPI_Allreduce(&ok, &all, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
    if (!all) {
        PMPI_Comm_rank(MPI_COMM_WORLD, &rank);
        if (rank == 0) {
            fprintf(stderr,
                    "librepartir-pmpi: there is no context, so all calls go "
                    "to the MPI as they are: %s\n",
                    ok ? "another rank has none" : rpt_last_error_text());
        }
        rpt__pmpi_comms_close();
        rpt_context_destroy(context);
        context = NULL;
    }
    rpt__pmpi_settings_read();
    atomic_store(&state, all ? RPT_PMPI_ON : RPT_PMPI_BROKEN);
}

static void end(void)
{
    if (rpt__pmpi_state() == RPT_PMPI_OFF) {
        return;
    }
    rpt__pmpi_report();
    atomic_store(&state, RPT_PMPI_OFF);
    rpt__pmpi_comms_close();
    rpt_context_destroy(context);
    context = NULL;
}

int MPI_Init(int *argc, char ***argv)
{
    int code = PMPI_Init(argc, argv);

    if (code == MPI_SUCCESS) {
        begin();
    }
    return code;
}

int MPI_Init_thread(int *argc, char ***argv, int required, int *provided)
{
    int code = PMPI_Init_thread(argc, argv, required, provided);

    if (code == MPI_SUCCESS) {
        begin();
    }
    return code;
}

int MPI_Finalize(void)
{
    end();
    return PMPI_Finalize();
}
