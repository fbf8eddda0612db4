/*
 * wait.c - MPI_Wait, MPI_Test and their relatives, for requests of both kinds
 *
 * The MPI knows ours too (request.c), so what it says of an array is right as
 * soon as those of ours that are over have been told to it:
 *
 *   test   goes on with ours once, then asks the MPI
 *   wait   tests, and gives the core away, as long as one of ours is under way
 *          and nothing ends the wait; then the MPI waits for the rest
 *
 * Where all are ours and one thread calls MPI, the library waits, which sleeps.
 *
 * Cost: without requests of ours a look at a number; else a look into a table
 * for each request.
 */
#include "collectives/pmpi/shim.h"

#include <sched.h>
#include <stdlib.h>

/* ---- a look at an array ---- */

struct look {
    int n_pending; /* of ours, under way */
    bool *failed;  /* by index, those of ours that did; NULL: none did */
};

static void note_failure(struct look *look, int n, int i)
{
    if (look->failed == NULL) {
        look->failed = calloc((size_t)n, sizeof(bool));
        if (look->failed == NULL) {
            rpt__pmpi_die("there is no memory for errors");
        }
    }
    look->failed[i] = true;
}

/* Goes on with all of ours; the number of those that are under way. */
static int go_on(struct look *look, int n, const MPI_Request requests[])
{
    look->n_pending = 0;
    for (int i = 0; i < n; i++) {
        struct rpt_pmpi_request *request = rpt__pmpi_request_of(requests[i]);

        if (request == NULL) {
            continue;
        }
        if (!rpt__pmpi_request_advance(request)) {
            look->n_pending++;
        } else if (rpt__pmpi_request_has_failed(request)) {
            note_failure(look, n, i);
        }
    }
    /* Afterwards: who sees a later operation over may count on earlier ones. */
    rpt__pmpi_requests_advance();
    return look->n_pending;
}

static bool may_be_ours(int n, const MPI_Request requests[])
{
    return n > 0 && requests != NULL && rpt__pmpi_has_requests();
}

/* ---- errors of ours, beside what the MPI says ---- */

/* Of those at `indices`, or of all (NULL). */
static int told_in_statuses(struct look *look, int code, int n,
                            const MPI_Request requests[], const int indices[],
                            MPI_Status statuses[])
{
    bool any = false;

    for (int i = 0; look->failed != NULL && i < n; i++) {
        int at = indices != NULL ? indices[i] : i;

        any = any || look->failed[at];
        if (look->failed[at]) {
            rpt__pmpi_request_told(requests[at]);
        }
    }
    for (int i = 0; any && statuses != MPI_STATUSES_IGNORE && i < n; i++) {
        bool failed = look->failed[indices != NULL ? indices[i] : i];

        if (failed || code != MPI_ERR_IN_STATUS) {
            statuses[i].MPI_ERROR = failed ? MPI_ERR_OTHER : MPI_SUCCESS;
        }
    }
    free(look->failed);
    return any ? MPI_ERR_IN_STATUS : code;
}

/* NULL: it is asked for, and stays as it is. */
static int told_of_one(struct look *look, int code,
                       const MPI_Request requests[], int index)
{
    bool failed = look->failed != NULL && index >= 0 && look->failed[index];

    free(look->failed);
    if (failed && requests != NULL) {
        rpt__pmpi_request_told(requests[index]);
    }
    return code == MPI_SUCCESS && failed ? MPI_ERR_OTHER : code;
}

/* ---- one ---- */

int MPI_Test(MPI_Request *request, int *flag, MPI_Status *status)
{
    struct look look = { 0 };
    int code;

    if (!may_be_ours(1, request)) {
        return PMPI_Test(request, flag, status);
    }
    go_on(&look, 1, request);
    code = PMPI_Test(request, flag, status);
    return told_of_one(&look, code, request,
                       code == MPI_SUCCESS && *flag ? 0 : -1);
}

int MPI_Wait(MPI_Request *request, MPI_Status *status)
{
    struct look look = { 0 };
    struct rpt_pmpi_request *ours;
    int code;

    if (!may_be_ours(1, request)) {
        return PMPI_Wait(request, status);
    }
    ours = rpt__pmpi_request_of(*request);
    if (ours != NULL && !rpt__pmpi_has_threads()) {
        rpt__pmpi_request_finish(ours);
    }
    while (go_on(&look, 1, request) > 0) {
        sched_yield();
    }
    code = PMPI_Wait(request, status);
    return told_of_one(&look, code, request, 0);
}

int MPI_Request_get_status(MPI_Request request, int *flag, MPI_Status *status)
{
    struct look look = { 0 };
    int code;

    if (!may_be_ours(1, &request)) {
        return PMPI_Request_get_status(request, flag, status);
    }
    go_on(&look, 1, &request);
    code = PMPI_Request_get_status(request, flag, status);
    return told_of_one(&look, code, NULL, 0);
}

/* ---- all ---- */

int MPI_Testall(int n, MPI_Request requests[], int *flag, MPI_Status statuses[])
{
    struct look look = { 0 };
    int code;

    if (!may_be_ours(n, requests)) {
        return PMPI_Testall(n, requests, flag, statuses);
    }
    go_on(&look, n, requests);
    code = PMPI_Testall(n, requests, flag, statuses);
    return told_in_statuses(&look, code, *flag ? n : 0, requests, NULL,
                            statuses);
}

static bool any_of_mpi(int n, const MPI_Request requests[])
{
    for (int i = 0; i < n; i++) {
        if (requests[i] != MPI_REQUEST_NULL &&
            rpt__pmpi_request_of(requests[i]) == NULL) {
            return true;
        }
    }
    return false;
}

/* Until all of ours are over.  Not all are complete before: the MPI goes on
 * with its own, no more. */
static int wait_for_ours(struct look *look, int n, MPI_Request requests[],
                         MPI_Status statuses[])
{
    bool sleeps = !rpt__pmpi_has_threads() && !any_of_mpi(n, requests);
    int code = MPI_SUCCESS, flag = 0;

    for (int i = 0; i < n; i++) {
        struct rpt_pmpi_request *request = rpt__pmpi_request_of(requests[i]);

        if (request == NULL) {
            continue;
        }
        if (sleeps) {
            rpt__pmpi_request_finish(request);
        }
        while (!rpt__pmpi_request_advance(request)) {
            code = PMPI_Testall(n, requests, &flag, statuses);
            if (code != MPI_SUCCESS) {
                return code;
            }
            sched_yield();
        }
        if (rpt__pmpi_request_has_failed(request)) {
            note_failure(look, n, i);
        }
    }
    rpt__pmpi_requests_advance();
    return code;
}

int MPI_Waitall(int n, MPI_Request requests[], MPI_Status statuses[])
{
    struct look look = { 0 };
    int code;

    if (!may_be_ours(n, requests)) {
        return PMPI_Waitall(n, requests, statuses);
    }
    code = wait_for_ours(&look, n, requests, statuses);
    if (code == MPI_SUCCESS) {
        code = PMPI_Waitall(n, requests, statuses);
    }
    return told_in_statuses(&look, code, n, requests, NULL, statuses);
}

/* ---- any ---- */

int MPI_Testany(int n, MPI_Request requests[], int *index, int *flag,
                MPI_Status *status)
{
    struct look look = { 0 };
    int code;

    if (!may_be_ours(n, requests)) {
        return PMPI_Testany(n, requests, index, flag, status);
    }
    go_on(&look, n, requests);
    code = PMPI_Testany(n, requests, index, flag, status);
    return told_of_one(&look, code, requests, *flag ? *index : -1);
}

int MPI_Waitany(int n, MPI_Request requests[], int *index, MPI_Status *status)
{
    struct look look = { 0 };
    int code = MPI_SUCCESS, flag = 0;

    if (!may_be_ours(n, requests)) {
        return PMPI_Waitany(n, requests, index, status);
    }
    while (go_on(&look, n, requests) > 0 && code == MPI_SUCCESS && !flag) {
        code = PMPI_Testany(n, requests, index, &flag, status);
        if (!flag) {
            sched_yield();
        }
    }
    if (code == MPI_SUCCESS && !flag) {
        code = PMPI_Waitany(n, requests, index, status);
    }
    return told_of_one(&look, code, requests,
                       code == MPI_SUCCESS ? *index : -1);
}

/* ---- some ---- */

int MPI_Testsome(int n, MPI_Request requests[], int *n_done, int indices[],
                 MPI_Status statuses[])
{
    struct look look = { 0 };
    int code;

    if (!may_be_ours(n, requests)) {
        return PMPI_Testsome(n, requests, n_done, indices, statuses);
    }
    go_on(&look, n, requests);
    code = PMPI_Testsome(n, requests, n_done, indices, statuses);
    return told_in_statuses(&look, code, *n_done, requests, indices, statuses);
}

int MPI_Waitsome(int n, MPI_Request requests[], int *n_done, int indices[],
                 MPI_Status statuses[])
{
    struct look look = { 0 };
    int code = MPI_SUCCESS;

    if (!may_be_ours(n, requests)) {
        return PMPI_Waitsome(n, requests, n_done, indices, statuses);
    }
    *n_done = 0;
    while (go_on(&look, n, requests) > 0 && code == MPI_SUCCESS &&
           *n_done == 0) {
        code = PMPI_Testsome(n, requests, n_done, indices, statuses);
        if (*n_done == 0) {
            sched_yield();
        }
    }
    if (code == MPI_SUCCESS && *n_done == 0) {
        code = PMPI_Waitsome(n, requests, n_done, indices, statuses);
    }
    return told_in_statuses(&look, code, *n_done, requests, indices, statuses);
}

/* ---- start and end of requests ---- */

int MPI_Start(MPI_Request *request)
{
    struct rpt_pmpi_request *ours = may_be_ours(1, request)
                                        ? rpt__pmpi_request_of(*request)
                                        : NULL;

    return ours != NULL ? rpt__pmpi_request_start(ours) : PMPI_Start(request);
}

int MPI_Startall(int n, MPI_Request requests[])
{
    int code = MPI_SUCCESS;

    if (!may_be_ours(n, requests)) {
        return PMPI_Startall(n, requests);
    }
    for (int i = 0; i < n && code == MPI_SUCCESS; i++) {
        code = MPI_Start(&requests[i]);
    }
    return code;
}

int MPI_Request_free(MPI_Request *request)
{
    struct rpt_pmpi_request *ours = may_be_ours(1, request)
                                        ? rpt__pmpi_request_of(*request)
                                        : NULL;

    return ours != NULL ? rpt__pmpi_request_free(ours, request)
                        : PMPI_Request_free(request);
}

/* A collective is nothing that MPI lets a program cancel. */
int MPI_Cancel(MPI_Request *request)
{
    if (!may_be_ours(1, request) || rpt__pmpi_request_of(*request) == NULL) {
        return PMPI_Cancel(request);
    }
    PMPI_Comm_call_errhandler(MPI_COMM_WORLD, MPI_ERR_REQUEST);
    return MPI_ERR_REQUEST;
}
