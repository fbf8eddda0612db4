/*
 * context.c - contexts, and what they know of their ranks
 */
#include "api/api.h"

#include "base/error.h"
#include "base/log.h"
#include "collectives/select/policy.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

rpt_status_t rpt__check_version(int header_version)
{
    /* Before 1.0 the minor number changes with the interface. */
    if (header_version / 100 == RPT_VERSION_NUMBER / 100) {
        return RPT_OK;
    }
    rpt__fail(RPT_ERR_VERSION,
              "the program was compiled for librepartir %d.%d, this is %s",
              header_version / 10000, header_version / 100 % 100,
              rpt_version_text());
    rpt__fail_hint("compile it again with the headers of this library, or "
                   "have the loader find the other library");
    return RPT_ERR_VERSION;
}

rpt_status_t rpt__context_wrap(struct rpt_comm *comm,
                               rpt_context_t **context_out)
{
    struct rpt_context *context = calloc(1, sizeof *context);
    rpt_status_t status = context != NULL ? RPT_OK
                                          : rpt__fail_nomem(sizeof *context);

    if (status == RPT_OK) {
        context->comm = comm;
        rpt__engine_lock(rpt__comm_engine(comm));
        status = rpt__group_world(comm, &context->world);
        rpt__engine_unlock(rpt__comm_engine(comm));
    }
    if (status != RPT_OK) {
        free(context);
        rpt__comm_destroy(comm);
        return status;
    }
    if (strcmp(rpt_options_origin(rpt__comm_options(comm), "log.level"),
               "default") != 0) {
        rpt_log_set_level((rpt_log_level_t)rpt__option_integer(
            rpt__comm_options(comm), RPT_OPT_LOG_LEVEL));
    }
    *context_out = context;
    return RPT_OK;
}

rpt_status_t rpt_context_create_local_v(int n_ranks,
                                        const rpt_options_t *options,
                                        int header_version,
                                        rpt_context_t **contexts_out)
{
    struct rpt_comm **comms;
    rpt_context_t **made;
    rpt_options_t *copy = NULL;
    rpt_status_t status = rpt__check_version(header_version);
    int n = 0;

    if (status != RPT_OK) {
        return status;
    }
    RPT_REQUIRE(contexts_out != NULL, "contexts_out is NULL");
    RPT_REQUIRE(n_ranks >= 1 && n_ranks <= 4096, "n_ranks is 1 to 4096");
    comms = calloc((size_t)n_ranks, sizeof *comms);
    made = calloc((size_t)n_ranks, sizeof(rpt_context_t *));
    status = comms != NULL && made != NULL ? rpt__options_copy(options, &copy)
                                           : rpt__fail_nomem(sizeof *comms);
    if (status == RPT_OK) {
        status = rpt__comm_create_local(n_ranks, copy, rpt__policy_brief_local,
                                        comms);
    }
    for (; status == RPT_OK && n < n_ranks; n += status == RPT_OK) {
        status = rpt__context_wrap(comms[n], &made[n]);
        if (status != RPT_OK) {
            for (int r = n + 1; r < n_ranks; r++) {
                rpt__comm_destroy(comms[r]);
            }
        }
    }
    for (int r = 0; status != RPT_OK && r < n; r++) {
        rpt_context_destroy(made[r]);
    }
    if (status == RPT_OK) {
        memcpy(contexts_out, made, (size_t)n_ranks * sizeof(rpt_context_t *));
    }
    rpt_options_destroy(copy);
    free(comms);
    free(made);
    return status;
}

void rpt_context_destroy(rpt_context_t *context)
{
    if (context == NULL) {
        return;
    }
    if (*rpt__comm_checkpoints(context->comm) != NULL) {
        rpt__log(RPT_LOG_ERROR, "a context is not destroyed: checkpoints of it "
                                "are open; call rpt_checkpoint_close() before");
        return;
    }
    rpt__engine_lock(rpt__comm_engine(context->comm));
    rpt__group_destroy(context->world);
    rpt__engine_unlock(rpt__comm_engine(context->comm));
    rpt__comm_destroy(context->comm);
    free(context);
}

/* ---- ranks as threads ---- */

struct local_rank {
    pthread_t thread;
    rpt_context_t *context;
    rpt_local_fn fn;
    void *user;
    rpt_status_t status;
    char *what, *why, *hint;
};

static void *run_rank(void *arg)
{
    struct local_rank *rank = arg;

    rank->status = rank->fn(rank->context, rank->user);
    if (rank->status < 0) {
        const rpt_error_t *error = rpt_last_error();

        rank->what = strdup(error->what);
        rank->why = strdup(error->why);
        rank->hint = strdup(error->hint);
    }
    rpt_context_destroy(rank->context);
    return NULL;
}

/* The error of another thread becomes this one's. */
static void take_error(const struct local_rank *rank, int r, int n_ranks)
{
    rpt_error_t error = { sizeof error,
                          rank->status,
                          r,
                          n_ranks,
                          "",
                          rank->what != NULL ? rank->what : "",
                          rank->why != NULL ? rank->why : "",
                          rank->hint != NULL ? rank->hint : "" };

    rpt__fail_remote(&error);
}

static rpt_status_t join_all(struct local_rank *ranks, int n_started,
                             int n_ranks)
{
    rpt_status_t status = RPT_OK;

    for (int r = 0; r < n_started; r++) {
        pthread_join(ranks[r].thread, NULL);
    }
    for (int r = 0; r < n_started && status == RPT_OK; r++) {
        status = ranks[r].status;
        if (status < 0) {
            take_error(&ranks[r], r, n_ranks);
        }
    }
    for (int r = 0; r < n_started; r++) {
        free(ranks[r].what);
        free(ranks[r].why);
        free(ranks[r].hint);
    }
    return status;
}

rpt_status_t rpt_local_run(int n_ranks, const rpt_options_t *options,
                           rpt_local_fn fn, void *user)
{
    struct local_rank *ranks;
    rpt_context_t **contexts;
    rpt_status_t status;
    int started = 0, error = 0;

    RPT_REQUIRE(fn != NULL, "fn is NULL");
    RPT_REQUIRE(n_ranks >= 1 && n_ranks <= 4096, "n_ranks is 1 to 4096");
    ranks = calloc((size_t)n_ranks, sizeof *ranks);
    contexts = calloc((size_t)n_ranks, sizeof(rpt_context_t *));
    status = ranks != NULL && contexts != NULL
                 ? rpt_context_create_local(n_ranks, options, contexts)
                 : rpt__fail_nomem(sizeof *ranks);
    if (status == RPT_OK) {
        for (; started < n_ranks && error == 0; started += error == 0) {
            ranks[started].context = contexts[started];
            ranks[started].fn = fn;
            ranks[started].user = user;
            error = pthread_create(&ranks[started].thread, NULL, run_rank,
                                   &ranks[started]);
        }
        for (int r = started; r < n_ranks; r++) {
            rpt_context_destroy(contexts[r]);
        }
        status = join_all(ranks, started, n_ranks);
        if (error != 0) {
            status = rpt__fail_errno(RPT_ERR_SYSTEM, error,
                                     "cannot start %d threads", n_ranks);
        }
    }
    free(ranks);
    free(contexts);
    return status;
}

/* ---- what is known of the ranks ---- */

int rpt_context_rank(const rpt_context_t *context)
{
    return context != NULL ? rpt__comm_rank(context->comm) : -1;
}

int rpt_context_size(const rpt_context_t *context)
{
    return context != NULL ? rpt__comm_size(context->comm) : 0;
}

int rpt_context_progresses(const rpt_context_t *context)
{
    return context != NULL &&
           rpt__engine_has_thread(rpt__comm_engine(context->comm));
}

int rpt_context_n_nodes(const rpt_context_t *context)
{
    return context != NULL ? rpt__map_n_nodes(rpt__comm_map(context->comm)) : 0;
}

int rpt_context_node_of(const rpt_context_t *context, int rank)
{
    return context != NULL
               ? rpt__map_node_of(rpt__comm_map(context->comm), rank)
               : -1;
}

const char *rpt_context_host_of(const rpt_context_t *context, int rank)
{
    return context != NULL
               ? rpt__map_host_of(rpt__comm_map(context->comm), rank)
               : NULL;
}

static bool is_rank(const rpt_context_t *context, int rank)
{
    return rank >= 0 && rank < rpt__comm_size(context->comm);
}

rpt_status_t rpt_context_level(const rpt_context_t *context, int rank_a,
                               int rank_b, rpt_level_t *level_out)
{
    RPT_REQUIRE(context != NULL && level_out != NULL, "NULL argument");
    RPT_REQUIRE(is_rank(context, rank_a) && is_rank(context, rank_b),
                "there is no such rank");
    *level_out = rpt__map_level(rpt__comm_map(context->comm), rank_a, rank_b);
    return RPT_OK;
}

rpt_status_t rpt_context_order(const rpt_context_t *context, int rank,
                               int *order_out)
{
    RPT_REQUIRE(context != NULL && order_out != NULL, "NULL argument");
    RPT_REQUIRE(is_rank(context, rank), "there is no such rank");
    rpt__map_order(rpt__comm_map(context->comm), rank, order_out);
    return RPT_OK;
}

rpt_status_t rpt_context_describe(const rpt_context_t *context, char **text_out)
{
    struct rpt_buf text = RPT_BUF_EMPTY;
    struct rpt_comm *comm;

    RPT_REQUIRE(context != NULL && text_out != NULL, "NULL argument");
    comm = context->comm;
    rpt__buf_printf(&text, "librepartir %s\n", rpt_version_text());
    if (rpt__comm_mpi_text(comm)[0] != '\0') {
        rpt__buf_printf(&text, "MPI      %s\n", rpt__comm_mpi_text(comm));
    }
    rpt__policy_describe(rpt__policy_of(comm), &text);
    rpt__map_describe(rpt__comm_map(comm), rpt__comm_machine(comm), &text);
    rpt__buf_u8(&text, 0);
    if (text.failed) {
        rpt__buf_free(&text);
        return rpt__fail_nomem(text.bytes);
    }
    *text_out = text.data;
    return RPT_OK;
}
