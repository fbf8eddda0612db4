/*
 * start.c - MPI_Init, MPI_Init_thread and MPI_Finalize
 *
 * The context stands from the end of MPI's start to the beginning of its end.
 * Its ranks are those of MPI_COMM_WORLD.  Where it cannot be made, rank 0 says
 * so and the program runs as without the shim.
 *
 * Cost: at the start what a context costs, the group of MPI_COMM_WORLD, and
 * three small collectives.
 */
#include "collectives/pmpi/shim.h"

#include <stdatomic.h>
#include <stdio.h>

static atomic_int state = RPT_PMPI_OFF;
static rpt_context_t *context;
static bool progresses, has_threads;

enum rpt_pmpi_state rpt__pmpi_state(void)
{
    return (enum rpt_pmpi_state)atomic_load_explicit(&state,
                                                     memory_order_acquire);
}

bool rpt__pmpi_progresses(void)
{
    return progresses;
}

bool rpt__pmpi_has_threads(void)
{
    return has_threads;
}

static bool make_context(void)
{
    int ok = rpt_context_create_mpi(MPI_COMM_WORLD, NULL, &context) == RPT_OK;
    int own[2] = { ok, ok && rpt_context_progresses(context) }, all[2] = { 0 };
    int level = MPI_THREAD_SINGLE;

    if (!ok) {
        context = NULL;
    }
    PMPI_Allreduce(own, all, 2, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
    PMPI_Query_thread(&level);
    progresses = all[1] != 0;
    has_threads = level == MPI_THREAD_MULTIPLE;
    return all[0] != 0;
}

static bool open_all(void)
{
    int own = 0, all = 0;

    if (!make_context()) {
        return false;
    }
    own = rpt__pmpi_comms_open(context) && rpt__pmpi_requests_open() &&
          rpt__pmpi_bytes_open();
    PMPI_Allreduce(&own, &all, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
    return all != 0;
}

static void begin(void)
{
    bool ok = open_all();
    int rank = 0;

    if (!ok) {
        PMPI_Comm_rank(MPI_COMM_WORLD, &rank);
        if (rank == 0) {
            fprintf(stderr,
                    "librepartir-pmpi: there is no context, so all calls go "
                    "to the MPI as they are: %s\n",
                    context != NULL ? "another rank has none"
                                    : rpt_last_error_text());
        }
        rpt__pmpi_requests_close();
        rpt__pmpi_comms_close();
        rpt_context_destroy(context);
        context = NULL;
    }
    rpt__pmpi_settings_read();
    atomic_store(&state, ok ? RPT_PMPI_ON : RPT_PMPI_BROKEN);
}

static void end(void)
{
    if (rpt__pmpi_state() == RPT_PMPI_OFF) {
        return;
    }
    rpt__pmpi_report();
    atomic_store(&state, RPT_PMPI_OFF);
    rpt__pmpi_requests_close();
    rpt__pmpi_comms_close();
    rpt__pmpi_bytes_close();
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
