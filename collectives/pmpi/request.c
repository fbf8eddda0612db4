/*
 * request.c - requests of ours, which the MPI knows too
 *
 * Each is a request of the MPI that stays incomplete until we say so.  So every
 * MPI function takes it, beside the MPI's own, and says what MPI wants to be
 * said of null, inactive and completed ones; nothing breaks where a handle goes
 * past us (to Fortran and back, to a tool).  What wait.c has to do is to go on
 * with ours before it asks the MPI.
 *
 *   MPI_I...       a generalized request; MPI calls forget() when it is done
 *                  with it
 *   MPI_..._init   generalized requests end with their completion, so this is a
 *                  persistent receive of nothing from this rank itself; we send
 *                  that when the operation is over.  A spare entry keeps its
 *                  tag.  Each has a group of its own: ranks may start several
 *                  in different orders.
 *
 * The MPI does not complete ours by itself, so nothing waits in the MPI for one
 * that is under way.
 *
 * Cost: a start takes one allocation, a look into a table tells ours from the
 * MPI's.
 */
#include "collectives/pmpi/request.h"

#include <stdatomic.h>
#include <sched.h>
#include <stdlib.h>

/* Of all that follows. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct rpt_pmpi_request *forgotten; /* by the program, and under way */
static struct rpt_pmpi_request *spare;     /* persistent ones */
static int n_tags;
static _Atomic int n_forgotten;

static MPI_Comm self = MPI_COMM_NULL;

/* ---- questions ---- */

bool rpt__pmpi_has_requests(void)
{
    return rpt__pmpi_table_has_some() ||
           atomic_load_explicit(&n_forgotten, memory_order_acquire) > 0;
}

bool rpt__pmpi_request_has_failed(const struct rpt_pmpi_request *request)
{
    return request->status < RPT_OK;
}

static bool is_persistent(const struct rpt_pmpi_request *request)
{
    return request->call.form == RPT_PMPI_PERSISTENT;
}

/* ---- their ends ---- */

static struct rpt_pmpi_request *make(const struct rpt_pmpi_call *call)
{
    struct rpt_pmpi_request *request = NULL;

    if (call->form == RPT_PMPI_PERSISTENT) {
        pthread_mutex_lock(&lock);
        request = spare;
        spare = request != NULL ? request->next : NULL;
        pthread_mutex_unlock(&lock);
    }
    if (request == NULL) {
        request = malloc(sizeof *request);
        if (request == NULL) {
            rpt__pmpi_die("there is no memory for a request");
        }
        pthread_mutex_lock(&lock);
        request->tag = call->form == RPT_PMPI_PERSISTENT ? n_tags++ : 0;
        pthread_mutex_unlock(&lock);
    }
    request->handle = MPI_REQUEST_NULL;
    request->call = *call;
    request->plan = NULL;
    request->status = RPT_OK;
    rpt__pmpi_side_hold(&request->call.from);
    rpt__pmpi_side_hold(&request->call.to);
    rpt__pmpi_comm_hold(call->known);
    return request;
}

/* Gives back all that the operation needed. */
static void let_go(struct rpt_pmpi_request *request)
{
    rpt_plan_destroy(request->plan);
    rpt_group_destroy(request->call.own);
    rpt__pmpi_side_release(&request->call.from);
    rpt__pmpi_side_release(&request->call.to);
    rpt__pmpi_comm_release(request->call.known);
}

/* It is in no list any more, and has let go if it is not persistent. */
static void release(struct rpt_pmpi_request *request)
{
    if (!is_persistent(request)) {
        free(request);
        return;
    }
    let_go(request);
    pthread_mutex_lock(&lock);
    request->next = spare;
    spare = request;
    pthread_mutex_unlock(&lock);
}

/* ---- what the MPI asks of a generalized request ---- */

static int tell_status(void *arg, MPI_Status *status)
{
    (void)arg;
    PMPI_Status_set_elements(status, MPI_BYTE, 0);
    PMPI_Status_set_cancelled(status, 0);
    status->MPI_SOURCE = MPI_UNDEFINED;
    status->MPI_TAG = MPI_UNDEFINED;
    return MPI_SUCCESS;
}

/* No place to call MPI from: it may hold a lock. */
static int forget(void *arg)
{
    struct rpt_pmpi_request *request = arg;

    if (request->handle != MPI_REQUEST_NULL) {
        rpt__pmpi_table_remove(request);
        release(request);
    } /* else the program has forgotten it */
    return MPI_SUCCESS;
}

static int cancel(void *arg, int is_complete)
{
    (void)arg;
    (void)is_complete;
    return MPI_ERR_REQUEST; /* as MPI says of operations of all ranks */
}

/* ---- going on ---- */

static void pack(const struct rpt_pmpi_call *call)
{
    rpt__pmpi_side_pack(&call->from);
    if (call->to.keeps) {
        rpt__pmpi_side_pack(&call->to);
    }
}

static void tell_mpi(MPI_Request handle, bool persistent, int tag)
{
    if (persistent) {
        PMPI_Send(NULL, 0, MPI_BYTE, 0, tag, self);
    } else {
        PMPI_Grequest_complete(handle);
    }
}

/* What it held is gone before the MPI knows, as then it may go at any time. */
static void complete(struct rpt_pmpi_request *request, rpt_status_t status)
{
    bool persistent = is_persistent(request);

    if (status >= RPT_OK) {
        rpt__pmpi_side_unpack(&request->call.to);
    }
    rpt__pmpi_result(&request->call, status);
    atomic_fetch_sub(&request->call.known->n_active, 1);
    if (!persistent) {
        let_go(request);
    }
    if (request->handle != MPI_REQUEST_NULL) {
        tell_mpi(request->handle, persistent, request->tag);
    }
}

bool rpt__pmpi_request_advance(struct rpt_pmpi_request *request)
{
    struct rpt_pmpi_comm *known = request->call.known;
    rpt_status_t before, after;

    pthread_mutex_lock(&known->lock);
    before = after = request->status;
    if (before == RPT_PENDING) {
        after = request->status = rpt_plan_test(request->plan);
    }
    pthread_mutex_unlock(&known->lock);
    if (before == RPT_PENDING && after != RPT_PENDING) {
        complete(request, after);
    }
    return after != RPT_PENDING;
}

void rpt__pmpi_request_finish(struct rpt_pmpi_request *request)
{
    if (request->status == RPT_PENDING) {
        request->status = rpt_plan_wait(request->plan);
        complete(request, request->status);
    }
}

void rpt__pmpi_request_told(MPI_Request handle)
{
    struct rpt_pmpi_request *request = rpt__pmpi_request_of(handle);

    if (request != NULL) { /* the handles of others are gone */
        pthread_mutex_lock(&request->call.known->lock);
        request->status = RPT_OK;
        pthread_mutex_unlock(&request->call.known->lock);
    }
}

/* ---- beginning ---- */

/* Starts the operation: a plan is made, or there. */
static rpt_status_t start(struct rpt_pmpi_request *request)
{
    struct rpt_pmpi_comm *known = request->call.known;
    rpt_status_t status;

    pack(&request->call);
    pthread_mutex_lock(&known->lock);
    atomic_fetch_add(&known->n_active, 1);
    status = is_persistent(request)
                 ? rpt_plan_start(request->plan)
                 : rpt_coll_start(known->group, &request->call.coll,
                                  &request->plan);
    pthread_mutex_unlock(&known->lock);
    if (status != RPT_OK) {
        atomic_fetch_sub(&known->n_active, 1);
        return status;
    }
    request->status = RPT_PENDING;
    rpt__pmpi_count_handled(&request->call);
    return RPT_OK;
}

int rpt__pmpi_start(struct rpt_pmpi_call *call, MPI_Request *request_out)
{
    struct rpt_pmpi_request *request = make(call);
    rpt_status_t status = start(request);

    if (status != RPT_OK) {
        int code = rpt__pmpi_result(call, status);

        *request_out = MPI_REQUEST_NULL;
        let_go(request);
        release(request);
        return code;
    }
    PMPI_Grequest_start(tell_status, forget, cancel, request, &request->handle);
    rpt__pmpi_table_add(request);
    *request_out = request->handle;
    return MPI_SUCCESS;
}

int rpt__pmpi_keep(struct rpt_pmpi_call *call, MPI_Request *request_out)
{
    struct rpt_pmpi_request *request = make(call);
    struct rpt_pmpi_comm *known = call->known;
    rpt_status_t status;

    pthread_mutex_lock(&known->lock);
    status = rpt_plan_create(call->own, &call->coll, &request->plan);
    pthread_mutex_unlock(&known->lock);
    if (status != RPT_OK) {
        int code = rpt__pmpi_result(call, status);

        *request_out = MPI_REQUEST_NULL;
        release(request);
        return code;
    }
    PMPI_Recv_init(NULL, 0, MPI_BYTE, 0, request->tag, self, &request->handle);
    rpt__pmpi_table_add(request);
    *request_out = request->handle;
    return MPI_SUCCESS;
}

int rpt__pmpi_request_start(struct rpt_pmpi_request *request)
{
    rpt_status_t status = start(request);

    return status == RPT_OK ? PMPI_Start(&request->handle)
                            : rpt__pmpi_result(&request->call, status);
}

/* ---- forgotten ones ---- */

static void give_back(struct rpt_pmpi_request *request)
{
    pthread_mutex_lock(&lock);
    request->next = forgotten;
    forgotten = request;
    pthread_mutex_unlock(&lock);
}

int rpt__pmpi_request_free(struct rpt_pmpi_request *request,
                           MPI_Request *handle)
{
    bool is_over = rpt__pmpi_request_advance(request);
    bool persistent = is_persistent(request);
    int tag = request->tag, code;

    if (is_over && !persistent) {
        return PMPI_Request_free(handle);
    }
    rpt__pmpi_table_remove(request);
    request->handle = MPI_REQUEST_NULL;
    if (is_over) {
        release(request);
        return PMPI_Request_free(handle);
    }
    tell_mpi(*handle, persistent, tag);
    code = PMPI_Request_free(handle);
    atomic_fetch_add(&n_forgotten, 1);
    give_back(request);
    return code;
}

static struct rpt_pmpi_request *take_forgotten(void)
{
    struct rpt_pmpi_request *all;

    pthread_mutex_lock(&lock);
    all = forgotten;
    forgotten = NULL;
    pthread_mutex_unlock(&lock);
    return all;
}

void rpt__pmpi_requests_advance(void)
{
    struct rpt_pmpi_request *next;

    if (atomic_load(&n_forgotten) == 0) {
        return;
    }
    for (struct rpt_pmpi_request *r = take_forgotten(); r != NULL; r = next) {
        next = r->next;
        if (rpt__pmpi_request_advance(r)) {
            atomic_fetch_sub(&n_forgotten, 1);
            release(r);
        } else {
            give_back(r);
        }
    }
}

/* ---- start and end ---- */

bool rpt__pmpi_requests_open(void)
{
    return PMPI_Comm_dup(MPI_COMM_SELF, &self) == MPI_SUCCESS;
}

void rpt__pmpi_requests_close(void)
{
    struct rpt_pmpi_request *request;

    while (atomic_load(&n_forgotten) > 0) {
        rpt__pmpi_requests_advance();
        sched_yield();
    }
    /* Persistent ones that the program has not freed. */
    while ((request = rpt__pmpi_table_first()) != NULL) {
        MPI_Request handle = request->handle;

        rpt__pmpi_request_finish(request);
        rpt__pmpi_request_free(request, &handle);
    }
    while ((request = spare) != NULL) {
        spare = request->next;
        free(request);
    }
    if (self != MPI_COMM_NULL) {
        PMPI_Comm_free(&self);
    }
}
