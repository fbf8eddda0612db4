/*
 * missing.c - a rank does not come, and the others wait or ask in every way
 */
#include "app.h"
#include "harness.h"

#include <sched.h>
#include <stdlib.h>

enum { TAG_GO = 31, N_WAYS = 8 };

static const char *const names[N_WAYS] = {
    "Test", "Testall", "Testany", "Testsome",
    "Wait", "Waitall", "Waitany", "Waitsome",
};

/* Until ours is over: a code that is no success says that it failed. */
static int ask(int way, MPI_Request requests[2])
{
    int code = MPI_SUCCESS, flag = 0, n = 0, index = 0, indices[2];

    while (!flag && code == MPI_SUCCESS) {
        switch (way) {
        case 0:
            code = MPI_Test(&requests[0], &flag, MPI_STATUS_IGNORE);
            break;
        case 1:
            code = MPI_Testall(1, requests, &flag, statuses_ignored());
            break;
        case 2:
            code = MPI_Testany(2, requests, &index, &flag, MPI_STATUS_IGNORE);
            break;
        case 3:
            code = MPI_Testsome(2, requests, &n, indices, statuses_ignored());
            flag = n > 0;
            break;
        case 4:
            return MPI_Wait(&requests[0], MPI_STATUS_IGNORE);
        case 5:
            return MPI_Waitall(1, requests, statuses_ignored());
        case 6:
            return MPI_Waitany(2, requests, &index, MPI_STATUS_IGNORE);
        default:
            return MPI_Waitsome(2, requests, &n, indices, statuses_ignored());
        }
        sched_yield();
    }
    return code;
}

/* A message that comes at the end stands beside the call. */
static void wait_in_vain(MPI_Comm comm, int way)
{
    MPI_Request requests[2];
    int in = world_rank, sum = -1, code;

    MPI_Iallreduce(&in, &sum, 1, MPI_INT, MPI_SUM, comm, &requests[0]);
    MPI_Irecv(NULL, 0, MPI_BYTE, world_size - 1, TAG_GO, MPI_COMM_WORLD,
              &requests[1]);
    code = ask(way, requests);
    if (code == MPI_SUCCESS) {
        printf("  rank %d: MPI_%s gave no error\n", world_rank, names[way]);
    }
    CHECK(code != MPI_SUCCESS);
    MPI_Send(NULL, 0, MPI_BYTE, world_size - 1, TAG_GO, MPI_COMM_WORLD);
    MPI_Waitall(2, requests, statuses_ignored());
}

static void be_missing(void)
{
    for (int r = 0; r < world_size - 1; r++) {
        MPI_Recv(NULL, 0, MPI_BYTE, r, TAG_GO, MPI_COMM_WORLD,
                 MPI_STATUS_IGNORE);
    }
    for (int r = 0; r < world_size - 1; r++) {
        MPI_Send(NULL, 0, MPI_BYTE, r, TAG_GO, MPI_COMM_WORLD);
    }
}

void a_missing_rank_is_told_to_who_waits_or_asks(void)
{
    if (getenv("RPT_COLL_DEADLINE_S") == NULL || world_size < 2) {
        rpt_test_skip("needs a deadline, and 2 ranks");
        return;
    }
    for (int way = 0; way < N_WAYS; way++) {
        MPI_Comm comm;

        MPI_Comm_dup(MPI_COMM_WORLD, &comm);
        MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN);
        MPI_Barrier(comm); /* so that the next call need not agree on more */
        if (world_rank == world_size - 1) {
            be_missing();
        } else {
            wait_in_vain(comm, way);
        }
        MPI_Comm_free(&comm);
    }
}
