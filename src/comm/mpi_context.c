/*
 * mpi_context.c - start and end of a context over a communicator
 *
 * Start: duplicate the communicator, find out who is where (mpi_start.c), make
 * the transports, agree that all are up.  End: send what is left, learn how
 * many packets were meant for this rank, take them, meet once more.  All of it
 * has deadlines.  Where a rank did not answer, what only all ranks together
 * could release (the duplicate) is left to MPI_Finalize.
 */
#include "comm/mpi_priv.h"

#include "comm/shm.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the end of an end ---- */

#define REQUEST_LOOK_S 0.0005

struct request_wait {
    MPI_Request request;
    int error;
};

/* Gives true again and again once it has: MPI_Test of no request succeeds. */
static bool is_complete(void *arg)
{
    struct request_wait *wait = arg;
    int flag = 0;

    wait->error = PMPI_Test(&wait->request, &flag, MPI_STATUS_IGNORE);
    return flag || wait->error != MPI_SUCCESS;
}

static rpt_status_t wait_for(struct rpt_comm *comm, struct request_wait *wait,
                             double until_s)
{
    rpt_status_t status;

    /* Nobody rings when an MPI request completes: look again and again. */
    do {
        double left = until_s - rpt__now_s();
        double step = left < REQUEST_LOOK_S ? left : REQUEST_LOOK_S;

        status = rpt__comm_wait(comm, is_complete, wait, step > 0 ? step : 0);
    } while (status == RPT_PENDING && rpt__now_s() < until_s);
    return status != RPT_OK ? status : rpt__mpi_status(wait->error, "MPI_Test");
}

struct drain {
    struct rpt_transport *far;
    uint64_t expected;
};

static bool is_drained(void *arg)
{
    const struct drain *drain = arg;

    return rpt__mpi_transport_received(drain->far) >= drain->expected;
}

/* Nothing may be under way in a communicator that is freed. */
static rpt_status_t take_the_rest(struct rpt_comm *comm,
                                  struct rpt_mpi_end *end, double until_s)
{
    /* On the heap: when ranks are lost, MPI keeps it. */
    struct drain *drain = calloc(1, sizeof *drain);
    struct request_wait wait;
    rpt_status_t status;

    if (drain == NULL) {
        return rpt__fail_nomem(sizeof *drain);
    }
    drain->far = end->far;
    wait.error = PMPI_Ireduce_scatter_block(rpt__mpi_transport_sent(end->far),
                                            &drain->expected, 1, MPI_UINT64_T,
                                            MPI_SUM, end->comm, &wait.request);
    status = rpt__mpi_status(wait.error, "MPI_Ireduce_scatter_block");
    if (status == RPT_OK) {
        status = wait_for(comm, &wait, until_s);
    }
    if (status == RPT_OK) {
        double left = until_s - rpt__now_s();

        status = rpt__comm_wait(comm, is_drained, drain, left > 0 ? left : 0);
        free(drain);
    }
    return status;
}

static rpt_status_t meet_at_the_end(struct rpt_comm *comm,
                                    struct rpt_mpi_end *end, double until_s)
{
    struct request_wait wait;
    rpt_status_t status = rpt__mpi_status(
        PMPI_Ibarrier(end->comm, &wait.request), "MPI_Ibarrier");

    return status == RPT_OK ? wait_for(comm, &wait, until_s) : status;
}

static void end_close(struct rpt_comm *comm)
{
    struct rpt_mpi_end *end = comm->owner;
    double until_s = rpt__now_s() + end->deadline_s;
    rpt_status_t status;

    if (end->lost) {
        return;
    }
    status = rpt__comm_flush(comm, end->deadline_s);
    if (status == RPT_OK && end->far != NULL) {
        status = take_the_rest(comm, end, until_s);
    }
    if (status == RPT_OK) {
        status = meet_at_the_end(comm, end, until_s);
    }
    end->lost = status != RPT_OK;
    if (status == RPT_PENDING) {
        rpt__log(RPT_LOG_WARN,
                 "ranks did not come to destroy the context for %g s",
                 end->deadline_s);
    }
}

static void end_destroy(struct rpt_mpi_end *end)
{
    if (!end->lost && end->comm != MPI_COMM_NULL) {
        PMPI_Comm_free(&end->comm);
    }
    rpt__segment_release(&end->segment);
    rpt__map_destroy(end->map);
    rpt__buf_free(&end->brief);
    rpt__machine_destroy(end->machine);
    rpt_options_destroy(end->options);
    free(end->places);
    free(end);
}

static void end_release(struct rpt_comm *comm)
{
    end_destroy(comm->owner);
}

static bool drive(struct rpt_comm *comm)
{
    const struct rpt_mpi_end *end = comm->owner;
    int flag, error;

    if (!rpt__mpi_may_call(end)) {
        return false;
    }
    if (end->far != NULL && rpt__mpi_transport_is_hot(end->far)) {
        return true; /* that drives MPI */
    }
    error = PMPI_Iprobe(MPI_ANY_SOURCE, RPT_MPI_TAG_NOBODY, end->comm, &flag,
                        MPI_STATUS_IGNORE);
    if (error != MPI_SUCCESS) {
        rpt__mpi_status(error, "MPI_Iprobe");
        rpt__engine_break(comm->engine, RPT_ERR_MPI);
    }
    return true;
}

static const struct rpt_comm_kind mpi_kind = { .close = end_close,
                                               .release = end_release,
                                               .drive = drive };

struct rpt_mpi_end *rpt__mpi_end_of(const struct rpt_comm *comm)
{
    return comm->kind == &mpi_kind ? comm->owner : NULL;
}

/* ---- its beginning ---- */

static rpt_status_t check(MPI_Comm mpi_comm)
{
    int initialized = 0, finalized = 0, inter = 0;
    rpt_status_t status;

    PMPI_Initialized(&initialized);
    PMPI_Finalized(&finalized);
    if (!initialized || finalized) {
        rpt__fail(RPT_ERR_STATE, "MPI is %s",
                  finalized ? "finalized already" : "not initialized");
        rpt__fail_hint("make contexts between MPI_Init_thread and "
                       "MPI_Finalize");
        return RPT_ERR_STATE;
    }
    if (mpi_comm == MPI_COMM_NULL) {
        return rpt__fail(RPT_ERR_INVALID, "the communicator is null");
    }
    status = rpt__mpi_status(PMPI_Comm_test_inter(mpi_comm, &inter),
                             "MPI_Comm_test_inter");
    if (status == RPT_OK && inter) {
        return rpt__fail(RPT_ERR_INVALID,
                         "the communicator is an inter-communicator");
    }
    return status;
}

const char *rpt__comm_mpi_library(void)
{
    static _Thread_local char version[MPI_MAX_LIBRARY_VERSION_STRING];
    int bytes = 0;

    PMPI_Get_library_version(version, &bytes);
    version[strcspn(version, ",\n")] = '\0';
    for (char *c = version; *c != '\0'; c++) {
        *c = *c == '\t' ? ' ' : *c;
    }
    return version;
}

static void describe_library(struct rpt_mpi_end *end)
{
    snprintf(end->text, sizeof end->text, "%s, threads: %s",
             rpt__comm_mpi_library(), rpt__mpi_level_name(end->thread_level));
}

/* The duplicate; non-blocking, because ranks may be missing here already. */
static rpt_status_t duplicate(MPI_Comm mpi_comm, struct rpt_mpi_end *end)
{
    MPI_Comm *copy = malloc(sizeof *copy);
    MPI_Request request;
    rpt_status_t status;

    if (copy == NULL) {
        return rpt__fail_nomem(sizeof *copy);
    }
    status = rpt__mpi_status(PMPI_Comm_idup(mpi_comm, copy, &request),
                             "MPI_Comm_idup");
    if (status == RPT_OK) {
        status = rpt__mpi_finish(&request, rpt__now_s() + end->deadline_s,
                                 "duplicating the communicator");
    }
    if (status == RPT_ERR_TIMEOUT) {
        return status; /* MPI still has `copy` */
    }
    if (status == RPT_OK) {
        end->comm = *copy;
        status = rpt__mpi_status(
            PMPI_Comm_set_errhandler(end->comm, MPI_ERRORS_RETURN),
            "MPI_Comm_set_errhandler");
    }
    free(copy);
    return status;
}

static rpt_status_t add_transports(struct rpt_comm *comm,
                                   struct rpt_mpi_end *end)
{
    const struct rpt_shm_parts rings = { .ops = &rpt__transport_shm,
                                         .segment = &end->segment,
                                         .index = end->place,
                                         .places = end->places };
    struct rpt_transport *transport;
    rpt_status_t status = RPT_OK;

    if (end->has_shm) {
        status = rpt__shm_create(comm, &rings, &transport);
        if (status == RPT_OK) {
            rpt__comm_add_transport(comm, transport);
        }
    }
    if (status == RPT_OK && end->has_far) {
        status = rpt__mpi_transport_create(comm, end, &end->far);
        if (status == RPT_OK) {
            rpt__comm_add_transport(comm, end->far);
        }
    }
    return status;
}

static rpt_status_t make_comm(struct rpt_mpi_end *end,
                              struct rpt_comm **comm_out)
{
    bool is_multiple = end->thread_level == MPI_THREAD_MULTIPLE;
    const struct rpt_comm_parts parts = {
        .kind = &mpi_kind,
        .owner = end,
        .rank = end->rank,
        .size = end->size,
        .n_sharing = end->n_on_host,
        .any_thread = !end->has_far || is_multiple,
        .mpi_any_thread = is_multiple,
        .options = end->options,
        .machine = end->machine,
        .map = end->map,
        .mpi_text = end->text,
        .brief = end->brief.data,
        .bell = rpt__segment_bell(&end->segment, end->place),
        .bell_fd = end->segment.fd,
        .bell_offset = rpt__segment_bell_offset(&end->segment, end->place),
        .segment = &end->segment,
        .places = end->places,
    };
    struct rpt_comm *comm;
    rpt_status_t status = rpt__comm_new(&parts, &comm);

    if (status != RPT_OK) {
        return status;
    }
    status = add_transports(comm, end);
    if (status == RPT_OK && parts.any_thread) {
        status = rpt__engine_start_thread(comm->engine);
    }
    if (status != RPT_OK) {
        rpt__comm_dispose(comm);
        return status;
    }
    *comm_out = comm;
    return RPT_OK;
}

static rpt_status_t begin(struct rpt_mpi_end *end, MPI_Comm mpi_comm,
                          const rpt_options_t *options)
{
    char host[RPT_SEAT_HOST_BYTES] = "";
    rpt_status_t own, status;

    end->comm = MPI_COMM_NULL;
    end->deadline_s = 300;
    PMPI_Comm_rank(mpi_comm, &end->rank);
    PMPI_Comm_size(mpi_comm, &end->size);
    gethostname(host, sizeof host - 1);
    rpt__identify(end->rank, end->size, host);
    own = rpt__options_copy(options, &end->options);
    if (own == RPT_OK) {
        end->deadline_s = rpt__option_seconds(end->options,
                                              RPT_OPT_COMM_INTERNAL_DEADLINE_S);
    }
    status = duplicate(mpi_comm, end);
    if (status == RPT_OK) {
        status = rpt__mpi_status(PMPI_Query_thread(&end->thread_level),
                                 "MPI_Query_thread");
    }
    if (status != RPT_OK) {
        end->lost = true;
        return status;
    }
    return rpt__mpi_start(end, own);
}

rpt_status_t rpt__comm_create_mpi(MPI_Comm mpi_comm,
                                  const rpt_options_t *options,
                                  rpt_brief_fn brief,
                                  struct rpt_comm **comm_out)
{
    struct rpt_comm *comm = NULL;
    struct rpt_mpi_end *end;
    rpt_status_t status = check(mpi_comm);

    if (status != RPT_OK) {
        return status;
    }
    end = calloc(1, sizeof *end);
    if (end == NULL) {
        return rpt__fail_nomem(sizeof *end);
    }
    end->brief_fn = brief;
    status = begin(end, mpi_comm, options);
    if (status == RPT_OK) {
        describe_library(end);
        status = make_comm(end, &comm);
    }
    if (!end->lost) {
        status = rpt__mpi_agree(end, status);
    }
    if (status != RPT_OK) {
        if (comm != NULL) {
            rpt__comm_dispose(comm);
        }
        end_destroy(end);
        return status;
    }
    *comm_out = comm;
    return RPT_OK;
}
