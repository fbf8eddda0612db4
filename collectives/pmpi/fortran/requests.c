/*
 * requests.c - what waits, tests and starts, for Fortran
 *
 * Handles and statuses are converted there and back; an index is one more than
 * in C.
 */
#include "collectives/pmpi/fortran/fortran.h"

#include <stdlib.h>

/* ---- logicals ---- */

static MPI_Fint f_logical(int flag)
{
    return flag ? f_truth("pmpi_initialized_") : 0;
}

/* ---- arrays ---- */

struct requests {
    int n;
    MPI_Fint *theirs;
    MPI_Request *handles;
    MPI_Status *statuses; /* or MPI_STATUSES_IGNORE */
};

static struct requests take(const MPI_Fint *n, MPI_Fint *requests,
                            const MPI_Fint *statuses)
{
    size_t room = *n > 0 ? (size_t)*n : 1;
    struct requests r = { *n, requests, malloc(room * sizeof(MPI_Request)),
                          MPI_STATUSES_IGNORE };
    bool wanted = statuses != &mpi_fortran_statuses_ignore_ && statuses != NULL;

    if (wanted) {
        r.statuses = calloc(room, sizeof(MPI_Status));
    }
    if (r.handles == NULL || (wanted && r.statuses == NULL)) {
        rpt__pmpi_die("there is no memory for requests");
    }
    for (int i = 0; i < r.n; i++) {
        r.handles[i] = PMPI_Request_f2c(requests[i]);
    }
    return r;
}

static void give_back(struct requests *r, int n_statuses, MPI_Fint *statuses)
{
    for (int i = 0; i < r->n; i++) {
        r->theirs[i] = PMPI_Request_c2f(r->handles[i]);
    }
    if (r->statuses != MPI_STATUSES_IGNORE) {
        for (int i = 0; i < n_statuses; i++) {
            PMPI_Status_c2f(&r->statuses[i], &statuses[i * F_STATUS_INTS]);
        }
        free(r->statuses);
    }
    free(r->handles);
}

static MPI_Status *room_for(const MPI_Fint *status, MPI_Status *room)
{
    return status == &mpi_fortran_status_ignore_ || status == NULL
               ? MPI_STATUS_IGNORE
               : room;
}

static void give_status(MPI_Fint *status, MPI_Status *room)
{
    if (room_for(status, room) != MPI_STATUS_IGNORE) {
        PMPI_Status_c2f(room, status);
    }
}

/* ---- one ---- */

void mpi_wait_(MPI_Fint *request, MPI_Fint *status, MPI_Fint *error_out)
{
    MPI_Request handle = PMPI_Request_f2c(*request);
    MPI_Status room = { 0 };
    int code = MPI_Wait(&handle, room_for(status, &room));

    *request = PMPI_Request_c2f(handle);
    give_status(status, &room);
    f_error(error_out, code);
}
BOTH_NAMES(wait)

void mpi_test_(MPI_Fint *request, MPI_Fint *flag_out, MPI_Fint *status,
               MPI_Fint *error_out)
{
    MPI_Request handle = PMPI_Request_f2c(*request);
    MPI_Status room = { 0 };
    int flag = 0, code = MPI_Test(&handle, &flag, room_for(status, &room));

    *flag_out = f_logical(flag);
    if (flag) {
        *request = PMPI_Request_c2f(handle);
        give_status(status, &room);
    }
    f_error(error_out, code);
}
BOTH_NAMES_OF_TEST(test)

void mpi_request_get_status_(MPI_Fint *request, MPI_Fint *flag_out,
                             MPI_Fint *status, MPI_Fint *error_out)
{
    MPI_Status room = { 0 };
    int flag = 0;
    int code = MPI_Request_get_status(PMPI_Request_f2c(*request), &flag,
                                      room_for(status, &room));

    *flag_out = f_logical(flag);
    if (flag) {
        give_status(status, &room);
    }
    f_error(error_out, code);
}
BOTH_NAMES_OF_TEST(request_get_status)

void mpi_request_free_(MPI_Fint *request, MPI_Fint *error_out)
{
    MPI_Request handle = PMPI_Request_f2c(*request);
    int code = MPI_Request_free(&handle);

    *request = PMPI_Request_c2f(handle);
    f_error(error_out, code);
}
BOTH_NAMES(request_free)

void mpi_start_(MPI_Fint *request, MPI_Fint *error_out)
{
    MPI_Request handle = PMPI_Request_f2c(*request);
    int code = MPI_Start(&handle);

    *request = PMPI_Request_c2f(handle);
    f_error(error_out, code);
}
BOTH_NAMES(start)

void mpi_startall_(MPI_Fint *n, MPI_Fint *requests, MPI_Fint *error_out)
{
    struct requests r = take(n, requests, NULL);
    int code = MPI_Startall(r.n, r.handles);

    give_back(&r, 0, NULL);
    f_error(error_out, code);
}
BOTH_NAMES(startall)

/* ---- all ---- */

void mpi_waitall_(MPI_Fint *n, MPI_Fint *requests, MPI_Fint *statuses,
                  MPI_Fint *error_out)
{
    struct requests r = take(n, requests, statuses);
    int code = MPI_Waitall(r.n, r.handles, r.statuses);

    give_back(&r, r.n, statuses);
    f_error(error_out, code);
}
BOTH_NAMES(waitall)

void mpi_testall_(MPI_Fint *n, MPI_Fint *requests, MPI_Fint *flag_out,
                  MPI_Fint *statuses, MPI_Fint *error_out)
{
    struct requests r = take(n, requests, statuses);
    int flag = 0, code = MPI_Testall(r.n, r.handles, &flag, r.statuses);

    *flag_out = f_logical(flag);
    give_back(&r, flag ? r.n : 0, statuses);
    f_error(error_out, code);
}
BOTH_NAMES_OF_TEST(testall)

/* ---- any ---- */

void mpi_waitany_(MPI_Fint *n, MPI_Fint *requests, MPI_Fint *index_out,
                  MPI_Fint *status, MPI_Fint *error_out)
{
    struct requests r = take(n, requests, NULL);
    MPI_Status room = { 0 };
    int index = MPI_UNDEFINED;
    int code = MPI_Waitany(r.n, r.handles, &index, room_for(status, &room));

    *index_out = f_index(index);
    give_back(&r, 0, NULL);
    give_status(status, &room);
    f_error(error_out, code);
}
BOTH_NAMES(waitany)

void mpi_testany_(MPI_Fint *n, MPI_Fint *requests, MPI_Fint *index_out,
                  MPI_Fint *flag_out, MPI_Fint *status, MPI_Fint *error_out)
{
    struct requests r = take(n, requests, NULL);
    MPI_Status room = { 0 };
    int index = MPI_UNDEFINED, flag = 0;
    int code = MPI_Testany(r.n, r.handles, &index, &flag,
                           room_for(status, &room));

    *index_out = f_index(index);
    *flag_out = f_logical(flag);
    give_back(&r, 0, NULL);
    if (flag) {
        give_status(status, &room);
    }
    f_error(error_out, code);
}
BOTH_NAMES_OF_TEST(testany)

/* ---- some ---- */

typedef int some_fn(int n, MPI_Request requests[], int *n_done, int indices[],
                    MPI_Status statuses[]);

static int some(some_fn *fn, struct requests *r, MPI_Fint *n_out,
                MPI_Fint *indices, MPI_Fint *statuses)
{
    int n = 0, code = fn(r->n, r->handles, &n, indices, r->statuses);

    *n_out = n;
    for (int i = 0; i < n; i++) {
        indices[i] = f_index(indices[i]);
    }
    give_back(r, n, statuses);
    return code;
}

void mpi_waitsome_(MPI_Fint *n, MPI_Fint *requests, MPI_Fint *n_out,
                   MPI_Fint *indices, MPI_Fint *statuses, MPI_Fint *error_out)
{
    struct requests r = take(n, requests, statuses);

    f_error(error_out, some(MPI_Waitsome, &r, n_out, indices, statuses));
}
BOTH_NAMES(waitsome)

void mpi_testsome_(MPI_Fint *n, MPI_Fint *requests, MPI_Fint *n_out,
                   MPI_Fint *indices, MPI_Fint *statuses, MPI_Fint *error_out)
{
    struct requests r = take(n, requests, statuses);

    f_error(error_out, some(MPI_Testsome, &r, n_out, indices, statuses));
}
BOTH_NAMES_OF_TEST(testsome)
