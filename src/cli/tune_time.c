/*
 * tune_time.c - times each algorithm of an operation
 *
 * An option forces an algorithm, and options belong to a context.  So there are
 * as many contexts as an operation has algorithms at most: context i forces the
 * i-th of each.  Algorithms take turns, so that what disturbs one of them
 * disturbs the others; the median of the rounds counts.
 *
 * Buffers that all can read belong to a context, too: they are of the one whose
 * algorithm reads them; to the others they are memory as any other.
 */
#include "cli/launch.h"
#include "cli/tune.h"

#include <repartir/buffer.h>
#include <repartir/mpi.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    LEAST_ROUNDS = 3,
    USUAL_ROUNDS = 7,
    MOST_ROUNDS = 15,
    MOST_CALLS = 400,
    LINE = 64
};

struct tuner {
    rpt_context_t *plain; /* forces nothing */
    rpt_context_t *contexts[MOST_ALGORITHMS];
    int n_contexts;
    size_t buffer_bytes;
    char *in, *out;        /* of this rank alone */
    rpt_context_t *lender; /* of those that all can read, or NULL */
    void *shared[2];
    char *used_in, *used_out; /* by the series */
};

/* A point while it is measured. */
struct trial {
    struct tuner *tuner;
    char *touched; /* the input */
    size_t touched_bytes;
    int n_plans;
    rpt_plan_t *plans[MOST_ALGORITHMS];
    int n_calls[MOST_ALGORITHMS];
    double rounds[MOST_ALGORITHMS][MOST_ROUNDS];
    double used_s;
};

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* ---- contexts ---- */

/* Every operation that has so many gets its algorithm of this index, and -1
 * forces none. */
static rpt_status_t force(rpt_options_t *options, int index, bool *any_out)
{
    rpt_status_t status = RPT_OK;

    *any_out = false;
    for (int kind = 0; kind < TUNE_KINDS && status == RPT_OK; kind++) {
        const char *name = rpt_coll_algorithm((rpt_coll_kind_t)kind, index);
        char option[64];

        snprintf(option, sizeof option, "coll.%s.algorithm",
                 rpt_coll_name((rpt_coll_kind_t)kind));
        for (char *c = option; *c != '\0'; c++) {
            *c = *c == '-' ? '_' : *c;
        }
        status = rpt_options_set(options, option, name != NULL ? name : "");
        *any_out |= name != NULL;
    }
    return status;
}

static int open_contexts(const struct launch *launch, rpt_options_t *options,
                         struct tuner *tuner, struct fault *fault)
{
    bool any = true;
    int code = CODE_OK;

    /* Neither the rules of before nor a file that is kept plays a part. */
    if (rpt_options_set(options, "coll.rules", "none") != RPT_OK ||
        rpt_options_set(options, "coll.measure", "no") != RPT_OK) {
        return fault_library(fault);
    }
    for (int i = -1; any && code == CODE_OK && i < MOST_ALGORITHMS; i++) {
        if (force(options, i, &any) != RPT_OK) {
            return fault_library(fault);
        }
        if (any || i < 0) {
            any = true;
            code = launch_context(launch, options,
                                  i < 0 ? &tuner->plain : &tuner->contexts[i],
                                  fault);
            tuner->n_contexts += i >= 0 && code == CODE_OK;
        }
    }
    return code;
}

static int take_buffers(struct tuner *tuner, struct fault *fault)
{
    tuner->in = calloc(1, tuner->buffer_bytes);
    tuner->out = calloc(1, tuner->buffer_bytes);
    if (tuner->in == NULL || tuner->out == NULL) {
        fault_set(fault, CODE_SOFTWARE,
                  "no memory for two buffers of %zu bytes",
                  tuner->buffer_bytes);
        fault_hint(fault, "give a smaller --max-bytes");
        return CODE_SOFTWARE;
    }
    return CODE_OK;
}

int tuner_open(const struct launch *launch, rpt_options_t *options,
               size_t max_bytes, struct tuner **tuner_out, struct fault *fault)
{
    struct tuner *tuner = get_memory(sizeof *tuner);
    size_t least = (size_t)launch->size * sizeof(float);
    int code;

    *tuner = (struct tuner){ .buffer_bytes = max_bytes > least ? max_bytes
                                                               : least };
    code = launch_agree(launch, take_buffers(tuner, fault), NULL);
    if (code == CODE_OK) {
        code = open_contexts(launch, options, tuner, fault);
    }
    if (code != CODE_OK) {
        tuner_close(tuner);
        return code;
    }
    *tuner_out = tuner;
    return CODE_OK;
}

static void give_back(struct tuner *tuner)
{
    for (int i = 0; i < 2 && tuner->lender != NULL; i++) {
        if (tuner->shared[i] != NULL) {
            rpt_buffer_free(tuner->lender, tuner->shared[i]);
            tuner->shared[i] = NULL;
        }
    }
    tuner->lender = NULL;
}

void tuner_close(struct tuner *tuner)
{
    if (tuner == NULL) {
        return;
    }
    give_back(tuner);
    for (int i = 0; i < tuner->n_contexts; i++) {
        rpt_context_destroy(tuner->contexts[i]);
    }
    rpt_context_destroy(tuner->plain);
    free(tuner->in);
    free(tuner->out);
    free(tuner);
}

struct tune_layout tuner_layout(const struct tuner *tuner)
{
    return (struct tune_layout){ rpt_context_size(tuner->plain),
                                 rpt_context_n_nodes(tuner->plain) };
}

/* Whether this rank has got them. */
static bool borrow(struct tuner *tuner, rpt_context_t *lender)
{
    bool got = true;

    tuner->lender = lender;
    for (int i = 0; i < 2 && got; i++) {
        got = rpt_buffer_alloc(lender, tuner->buffer_bytes,
                               &tuner->shared[i]) == RPT_OK &&
              rpt_buffer_is_shared(lender, tuner->shared[i]);
    }
    for (int i = 0; i < 2 && got; i++) {
        memset(tuner->shared[i], 0, tuner->buffer_bytes);
    }
    return got;
}

int tuner_take(struct tuner *tuner, const struct tune_series *series,
               bool *taken_out, struct fault *fault)
{
    int reader = tune_reader(series->kind);
    uint8_t mine, all = 0;

    give_back(tuner);
    tuner->used_in = tuner->in;
    tuner->used_out = tuner->out;
    *taken_out = !series->shared;
    if (!series->shared || reader < 0) {
        return CODE_OK;
    }
    mine = borrow(tuner, tuner->contexts[reader]);
    if (rpt_allreduce(rpt_group_world(tuner->plain), &mine, &all, 1,
                      RPT_TYPE_U8, RPT_OP_MIN) != RPT_OK) {
        return fault_library(fault);
    }
    if (all != 0) {
        tuner->used_in = tuner->shared[0];
        tuner->used_out = tuner->shared[1];
        *taken_out = true;
    } else {
        give_back(tuner);
    }
    return CODE_OK;
}

/* ---- timing ---- */

/* So that no cache has the input of the last call. */
static void touch(char *data, size_t bytes)
{
    for (size_t i = 0; i < bytes; i += LINE) {
        data[i] = (char)(data[i] ^ 1);
    }
}

/* Seconds of a call, of the slowest rank. */
static rpt_status_t time_calls(struct trial *trial, int which, int n_calls,
                               double *seconds_out)
{
    rpt_group_t *world = rpt_group_world(trial->tuner->plain);
    rpt_status_t status = rpt_group_barrier(world);
    double mine = 0, slowest = 0;

    for (int i = 0; status == RPT_OK && i < n_calls; i++) {
        double began_s;

        touch(trial->touched, trial->touched_bytes);
        began_s = now_s();
        status = rpt_plan_start(trial->plans[which]);
        if (status == RPT_OK) {
            status = rpt_plan_wait(trial->plans[which]);
        }
        mine += now_s() - began_s;
    }
    if (status == RPT_OK) {
        status = rpt_allreduce(world, &mine, &slowest, 1, RPT_TYPE_F64,
                               RPT_OP_MAX);
    }
    trial->used_s += slowest;
    *seconds_out = slowest / n_calls;
    return status;
}

/* A plan for each algorithm that can do it. */
static rpt_status_t make_plans(struct trial *trial, const rpt_coll_t *coll)
{
    struct tuner *tuner = trial->tuner;
    rpt_status_t status = RPT_OK;

    for (int i = 0; i < tuner->n_contexts && status == RPT_OK &&
                    rpt_coll_algorithm(coll->kind, i) != NULL;
         i++) {
        status = rpt_plan_create(rpt_group_world(tuner->contexts[i]), coll,
                                 &trial->plans[i]);
        if (status == RPT_ERR_UNSUPPORTED) {
            status = RPT_OK;
        } else {
            trial->n_plans++;
        }
    }
    return status;
}

/* How many calls a round has.  The first call of a plan does not count. */
static rpt_status_t count_calls(struct trial *trial, double budget_s)
{
    double share_s = budget_s / (trial->n_plans + 1) / USUAL_ROUNDS;
    rpt_status_t status = RPT_OK;

    for (int i = 0; i < MOST_ALGORITHMS && status == RPT_OK; i++) {
        double seconds = 0;

        if (trial->plans[i] == NULL) {
            continue;
        }
        status = time_calls(trial, i, 1, &seconds);
        if (status == RPT_OK) {
            status = time_calls(trial, i, 2, &seconds);
        } else if (status == RPT_ERR_UNSUPPORTED) { /* not with our buffers */
            rpt_plan_destroy(trial->plans[i]);
            trial->plans[i] = NULL;
            status = RPT_OK;
        }
        trial->n_calls[i] = seconds * MOST_CALLS < share_s ? MOST_CALLS
                            : seconds < share_s ? (int)(share_s / seconds)
                                                : 1;
    }
    return status;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* The used time is the same on all ranks, and so is when they stop. */
static rpt_status_t take_turns(struct trial *trial, double budget_s,
                               struct tune_point *point)
{
    rpt_status_t status = RPT_OK;
    int n = 0;

    while (status == RPT_OK && n < MOST_ROUNDS &&
           (n < LEAST_ROUNDS || trial->used_s < budget_s)) {
        for (int k = 0; k < MOST_ALGORITHMS && status == RPT_OK; k++) {
            int i = n % 2 == 0 ? k : MOST_ALGORITHMS - 1 - k;

            if (trial->plans[i] != NULL) {
                status = time_calls(trial, i, trial->n_calls[i],
                                    &trial->rounds[i][n]);
            }
        }
        n++;
    }
    for (int i = 0; i < MOST_ALGORITHMS; i++) {
        double *rounds = trial->rounds[i];

        qsort(rounds, (size_t)n, sizeof *rounds, compare);
        point->seconds[i] = trial->plans[i] != NULL ? rounds[n / 2] : -1;
    }
    return status;
}

int tuner_time(struct tuner *tuner, rpt_coll_kind_t kind, double budget_s,
               struct tune_point *point, struct fault *fault)
{
    struct trial *trial = get_memory(sizeof *trial);
    const rpt_coll_t coll = { .kind = kind,
                              .in = tuner->used_in,
                              .out = tuner->used_out,
                              .count = point->bytes / sizeof(float),
                              .type = RPT_TYPE_F32,
                              .op = RPT_OP_SUM };
    rpt_status_t status;

    memset(trial, 0, sizeof *trial);
    trial->tuner = tuner;
    trial->touched = kind == RPT_COLL_BROADCAST ? tuner->used_out
                                                : tuner->used_in;
    trial->touched_bytes = point->bytes;
    if (tune_has_blocks(kind) && kind != RPT_COLL_ALLGATHER &&
        kind != RPT_COLL_GATHER) { /* a block for each rank goes in */
        trial->touched_bytes *= (size_t)tuner_layout(tuner).n_ranks;
    }
    status = make_plans(trial, &coll);
    if (status == RPT_OK) {
        status = count_calls(trial, budget_s);
    }
    if (status == RPT_OK) {
        status = take_turns(trial, budget_s, point);
    }
    for (int i = 0; i < MOST_ALGORITHMS; i++) {
        rpt_plan_destroy(trial->plans[i]);
    }
    free(trial);
    return status == RPT_OK ? CODE_OK : fault_library(fault);
}
