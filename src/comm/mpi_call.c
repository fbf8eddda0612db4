/*
 * mpi_call.c - errors of MPI as ours; waiting for MPI with a deadline
 *
 * MPI is called as PMPI_*, so that no tool that wraps MPI, ours included, sees
 * the library's own traffic.
 */
#include "comm/mpi_priv.h"

#include "base/clock.h"
#include "base/error.h"

#include <sched.h>
#include <time.h>

/* An exchange that takes longer gives its core to others meanwhile. */
#define YIELD_S 0.02

rpt_status_t rpt__mpi_status(int error, const char *call)
{
    char text[MPI_MAX_ERROR_STRING] = "";
    int bytes = 0;

    if (error == MPI_SUCCESS) {
        return RPT_OK;
    }
    rpt__fail(RPT_ERR_MPI, "%s failed", call);
    if (PMPI_Error_string(error, text, &bytes) == MPI_SUCCESS) {
        rpt__fail_why("%s", text);
    }
    return RPT_ERR_MPI;
}

rpt_status_t rpt__mpi_finish(MPI_Request *request, double until_s,
                             const char *call)
{
    double began_s = rpt__now_s(), now = began_s;
    int flag = 0, error;

    for (;;) {
        error = PMPI_Test(request, &flag, MPI_STATUS_IGNORE);
        if (error != MPI_SUCCESS || flag) {
            return rpt__mpi_status(error, call);
        }
        now = rpt__now_s();
        if (now >= until_s) {
            return rpt__fail(RPT_ERR_TIMEOUT,
                             "%s did not end: some rank does not take part",
                             call);
        }
        if (now - began_s < YIELD_S) {
            sched_yield();
        } else {
            nanosleep(&(struct timespec){ 0, 100000 }, NULL);
        }
    }
}

bool rpt__mpi_may_call(const struct rpt_mpi_end *end)
{
    int is_main = 0;

    if (end->thread_level >= MPI_THREAD_SERIALIZED) {
        return true;
    }
    return PMPI_Is_thread_main(&is_main) == MPI_SUCCESS && is_main;
}

const char *rpt__mpi_level_name(int level)
{
    return level == MPI_THREAD_MULTIPLE     ? "multiple"
           : level == MPI_THREAD_SERIALIZED ? "serialized"
           : level == MPI_THREAD_FUNNELED   ? "funneled"
                                            : "single";
}
