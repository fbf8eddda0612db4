/*
 * free.c - MPI_Comm_free and MPI_Comm_disconnect
 *
 * There MPI calls the program's functions for the end of attributes, which may
 * call collectives on the communicator that goes.  An attribute of ours that
 * began meanwhile would never end, and not every MPI bears the question for
 * one.  So what is known of the communicator goes first, and its calls are the
 * MPI's until it is freed.  As all ranks free it together, all decide alike.
 *
 * Only the thread that frees is asked: another one may have the handle of a new
 * communicator already, when this one has not yet returned from the MPI.
 *
 * Cost: each call of a collective looks at a number.
 */
#include "collectives/pmpi/shim.h"

#include <stdatomic.h>

/* A delete function may free another communicator. */
struct freeing {
    MPI_Comm comm;
    const struct freeing *outer;
};

static _Thread_local const struct freeing *innermost;
static _Atomic int n_freeing; /* in all threads */

bool rpt__pmpi_is_being_freed(MPI_Comm comm)
{
    if (atomic_load_explicit(&n_freeing, memory_order_relaxed) == 0) {
        return false;
    }
    for (const struct freeing *f = innermost; f != NULL; f = f->outer) {
        if (f->comm == comm) {
            return true;
        }
    }
    return false;
}

static int free_by(int (*mpi_free)(MPI_Comm *comm), MPI_Comm *comm)
{
    struct freeing freeing = { .outer = innermost };
    int code;

    if (rpt__pmpi_state() != RPT_PMPI_ON || comm == NULL ||
        *comm == MPI_COMM_NULL || rpt__pmpi_is_being_freed(*comm)) {
        return mpi_free(comm);
    }
    rpt__pmpi_comm_forget(*comm);
    freeing.comm = *comm;
    innermost = &freeing;
    atomic_fetch_add(&n_freeing, 1);
    code = mpi_free(comm);
    atomic_fetch_sub(&n_freeing, 1);
    innermost = freeing.outer;
    return code;
}

int MPI_Comm_free(MPI_Comm *comm)
{
    return free_by(PMPI_Comm_free, comm);
}

int MPI_Comm_disconnect(MPI_Comm *comm)
{
    return free_by(PMPI_Comm_disconnect, comm);
}
