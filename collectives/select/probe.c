/*
 * probe.c - calls that tell what things cost
 *
 * A probe is a call that a known algorithm does, and the one number that
 * decides its time:
 *
 *      number = (time - cost with 0 for it) / (cost with 1 - cost with 0)
 *
 * where cost is what the algorithm says of itself, in which costs are sums of
 * products.  So a number is by definition what makes the model right at the
 * probe, with all that the engine costs in it.
 *
 * The least of some batches is taken, of the slower rank; of those in which
 * neither lost its core, since what else runs there is not what a call costs.
 * Between hosts any batch is better than none: networks differ by much more
 * than such a batch does.
 */
#include "collectives/select/probe.h"

#include "collectives/algorithm/allgather/allgather.h"
#include "collectives/algorithm/allreduce/allreduce.h"
#include "collectives/algorithm/barrier/barrier.h"
#include "collectives/plan.h"

#include "base/clock.h"
#include "base/error.h"

#include <math.h>
#include <stdlib.h>
#include <sys/resource.h>

/* More than the first of N_BATCHES only while all has used less. */
#define BUDGET_S 8e-3

enum { N_BATCHES = 7, N_STEPS = 256, N_FLAGS = 16, MOST_COUNT = 32768 };

struct probe {
    enum rpt_number number;
    enum rpt_reach reach;
    rpt_coll_kind_t kind;
    const struct rpt_algorithm *algorithm;
    size_t count; /* of f32                    */
    int n_calls;  /* of a batch                */
};

struct pair {
    struct rpt_group *group;
    struct rpt_team *team;
    struct rpt_numbers *numbers;
    enum rpt_reach reach;
    bool insists;
    float *in, *out; /* MOST_COUNT; of an all-gather less */
    double used_s;   /* the same on both                  */
};

/* ---- what no collective is made of alone ---- */

/* A call costs something, too, but with every algorithm: it must not count as
 * a step or a flag, of which some have more than others.  So there are many of
 * them in these. */

static bool always(const struct rpt_case *c)
{
    (void)c;
    return true;
}

static double steps_cost(const struct rpt_case *c, const struct rpt_model *m,
                         size_t bytes)
{
    (void)c;
    (void)bytes;
    return N_STEPS * m->step_s;
}

static void build_steps(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    for (int i = 0; i < N_STEPS; i++) {
        rpt__step_copy(schedule, rpt__output(0), rpt__input(0), c->count);
    }
}

static const struct rpt_algorithm steps = { .size = sizeof steps,
                                            .name = "steps",
                                            .applies = always,
                                            .cost = steps_cost,
                                            .build = build_steps };

static bool has_stages(const struct rpt_case *c)
{
    return c->one_node;
}

static double flags_cost(const struct rpt_case *c, const struct rpt_model *m,
                         size_t bytes)
{
    (void)bytes;
    return N_FLAGS * rpt__flags_cost(c, m);
}

/* Each waits for the flag of the other before it raises the next. */
static void build_flags(const struct rpt_case *c, struct rpt_schedule *schedule)
{
    for (uint32_t k = 1; k <= N_FLAGS; k++) {
        rpt__step_signal(schedule, k);
        rpt__step_wait(schedule, 1 - c->rank, k);
    }
    schedule->n_values = N_FLAGS;
    schedule->free_value = N_FLAGS + 1; /* who is in the next call is done */
    schedule->seen_value = N_FLAGS;
}

static const struct rpt_algorithm flags = { .size = sizeof flags,
                                            .name = "flags",
                                            .applies = has_stages,
                                            .cost = flags_cost,
                                            .build = build_flags };

/* ---- probes ---- */

/* In the order of the numbers: each needs those before it. */
static const struct probe probes[] = {
    { RPT_NUMBER_STEP, RPT_REACH_NEAR, RPT_COLL_ALLREDUCE, &steps, 1, 8 },
    { RPT_NUMBER_FLAG, RPT_REACH_NEAR, RPT_COLL_BARRIER, &flags, 0, 8 },
    { RPT_NUMBER_COPY_BYTE, RPT_REACH_NEAR, RPT_COLL_ALLGATHER,
      &rpt__allgather_staged, 4096, 8 },
    /* Lines that another core has written, and what went past the caches. */
    { RPT_NUMBER_REDUCE_BYTE, RPT_REACH_NEAR, RPT_COLL_ALLREDUCE,
      &rpt__allreduce_flat, 1024, 16 },
    { RPT_NUMBER_REDUCE_BYTE, RPT_REACH_NEAR, RPT_COLL_ALLREDUCE,
      &rpt__allreduce_sliced, MOST_COUNT, 4 },
    { RPT_NUMBER_NEAR_MESSAGE, RPT_REACH_NEAR, RPT_COLL_BARRIER,
      &rpt__barrier_dissemination, 0, 10 },
    { RPT_NUMBER_NEAR_BYTE, RPT_REACH_NEAR, RPT_COLL_ALLREDUCE,
      &rpt__allreduce_ring, MOST_COUNT, 2 },
    { RPT_NUMBER_FAR_MESSAGE, RPT_REACH_FAR, RPT_COLL_BARRIER,
      &rpt__barrier_dissemination, 0, 10 },
    { RPT_NUMBER_FAR_BYTE, RPT_REACH_FAR, RPT_COLL_ALLREDUCE,
      &rpt__allreduce_ring, MOST_COUNT, 2 },
    { RPT_NUMBER_ACROSS_FLAG, RPT_REACH_ACROSS, RPT_COLL_BARRIER, &flags, 0,
      8 },
    { RPT_NUMBER_ACROSS_BYTE, RPT_REACH_ACROSS, RPT_COLL_ALLGATHER,
      &rpt__allgather_staged, 4096, 8 },
};

enum { N_PROBES = sizeof probes / sizeof *probes };

static double cost_with(const struct rpt_plan *plan, const struct probe *probe,
                        struct rpt_numbers numbers, double seconds)
{
    struct rpt_model model;

    numbers.seconds[probe->number] = seconds;
    model = rpt__numbers_model(&numbers, probe->reach != RPT_REACH_FAR);
    return plan->algorithm->cost(&plan->c, &model, plan->combine.element_bytes);
}

/* How often this thread lost its core.  Near ranks answer so soon that it
 * should not have slept, either. */
static long n_switches(enum rpt_reach reach)
{
    struct rusage usage;

    if (getrusage(RUSAGE_THREAD, &usage) != 0) {
        return 0;
    }
    return usage.ru_nivcsw + (reach != RPT_REACH_FAR ? usage.ru_nvcsw : 0);
}

struct batch {
    double seconds;
    double disturbed; /* > 0: it was */
};

static rpt_status_t time_batch(const struct pair *pair, struct rpt_plan *plan,
                               int n_calls, struct batch *batch)
{
    long before = n_switches(pair->reach);
    double began_s = rpt__now_s();
    rpt_status_t status = RPT_OK;

    for (int i = 0; status == RPT_OK && i < n_calls; i++) {
        status = rpt__plan_start(plan);
        if (status == RPT_OK) {
            status = rpt__plan_wait(plan);
        }
    }
    batch->seconds = rpt__now_s() - began_s;
    batch->disturbed = (double)(n_switches(pair->reach) - before);
    return status;
}

/* The larger of both ranks. */
static rpt_status_t agree(struct pair *pair, struct batch *batch)
{
    const rpt_coll_t largest = { .kind = RPT_COLL_ALLREDUCE,
                                 .in = RPT_IN_PLACE,
                                 .out = batch,
                                 .count = 2,
                                 .type = RPT_TYPE_F64,
                                 .op = RPT_OP_MAX };

    return rpt__coll_run(pair->group, &largest);
}

/* INFINITY: no batch counts.  The first call makes connections and touches
 * memory. */
static rpt_status_t time_plan(struct pair *pair, struct rpt_plan *plan,
                              int n_calls, double *seconds_out)
{
    struct batch batch;
    double least = INFINITY, of_any = INFINITY;
    bool takes_any = pair->insists || pair->reach == RPT_REACH_FAR;
    rpt_status_t status = time_batch(pair, plan, 1, &batch);

    for (int i = 0; status == RPT_OK && i < N_BATCHES; i++) {
        if (i > 0 && pair->used_s > BUDGET_S) {
            break;
        }
        status = time_batch(pair, plan, n_calls, &batch);
        if (status == RPT_OK) {
            status = agree(pair, &batch);
        }
        pair->used_s += batch.seconds;
        of_any = fmin(of_any, batch.seconds / n_calls);
        if (batch.disturbed <= 0) {
            least = fmin(least, batch.seconds / n_calls);
        }
    }
    *seconds_out = least == INFINITY && takes_any ? of_any : least;
    return status;
}

static rpt_status_t make_plan(struct pair *pair, const struct probe *probe,
                              struct rpt_plan **plan_out)
{
    const rpt_coll_t coll = { .kind = probe->kind,
                              .in = pair->in,
                              .out = pair->out,
                              .count = probe->count,
                              .type = RPT_TYPE_F32,
                              .op = RPT_OP_SUM };
    rpt_status_t status;

    rpt__engine_lock(pair->team->engine);
    status = rpt__plan_create_with(pair->team, &coll, probe->algorithm,
                                   plan_out);
    if (status == RPT_OK) { /* new pages are not what is measured */
        (*plan_out)->run.stage_stays = true;
    }
    rpt__engine_unlock(pair->team->engine);
    return status;
}

/* What the number should be; NAN: there is no telling. */
static rpt_status_t run_probe(struct pair *pair, const struct probe *probe,
                              double *number_out)
{
    struct rpt_plan *plan = NULL;
    double seconds = INFINITY;
    rpt_status_t status = make_plan(pair, probe, &plan);

    *number_out = (double)NAN;
    if (status == RPT_ERR_UNSUPPORTED) {
        return RPT_OK; /* without shared memory, on both ranks */
    }
    if (status != RPT_OK) {
        return status;
    }
    /* Two ranks are no domains: only we know that they come from two. */
    plan->c.n_across = pair->reach == RPT_REACH_ACROSS;
    status = time_plan(pair, plan, probe->n_calls, &seconds);
    if (status == RPT_OK && seconds < INFINITY) {
        double nothing = cost_with(plan, probe, *pair->numbers, 0);
        double one = cost_with(plan, probe, *pair->numbers, 1) - nothing;

        *number_out = fmax((seconds - nothing) / one, 0);
    }
    rpt__engine_lock(pair->team->engine);
    rpt__plan_drop(plan);
    rpt__engine_unlock(pair->team->engine);
    return status;
}

/* Inside a node a message is copied in and out, and what the probe sends stays
 * in the caches: where more is sent it took four copies and more. */
static double at_least(const struct rpt_numbers *numbers,
                       enum rpt_number number, double found)
{
    return number == RPT_NUMBER_NEAR_BYTE
               ? fmax(found, 4 * numbers->seconds[RPT_NUMBER_COPY_BYTE])
               : found;
}

/* The geometric mean over its probes, when all of them could tell. */
static rpt_status_t find_number(struct pair *pair, enum rpt_number number)
{
    double product = 1, one;
    rpt_status_t status = RPT_OK;
    int n = 0;

    for (int i = 0; i < N_PROBES && status == RPT_OK; i++) {
        if (probes[i].number == number && probes[i].reach == pair->reach) {
            status = run_probe(pair, &probes[i], &one);
            product *= one;
            n++;
        }
    }
    if (status == RPT_OK && n > 0 && !isnan(product)) {
        rpt__numbers_set(
            pair->numbers, number,
            at_least(pair->numbers, number, pow(product, 1.0 / n)));
    }
    return status;
}

/* ---- all of them ---- */

bool rpt__probe_is_missing(const struct rpt_numbers *numbers,
                           enum rpt_reach reach)
{
    for (int i = 0; i < N_PROBES; i++) {
        if (probes[i].reach == reach &&
            !rpt__numbers_has(numbers, probes[i].number)) {
            return true;
        }
    }
    return false;
}

static rpt_status_t take_buffers(struct pair *pair)
{
    pair->in = calloc(MOST_COUNT, sizeof *pair->in);
    pair->out = calloc(MOST_COUNT, sizeof *pair->out);
    return pair->in != NULL && pair->out != NULL
               ? RPT_OK
               : rpt__fail_nomem(2 * MOST_COUNT * sizeof *pair->in);
}

rpt_status_t rpt__probe(struct rpt_group *group, enum rpt_reach reach,
                        bool insists, struct rpt_numbers *numbers)
{
    struct pair pair = {
        .group = group, .numbers = numbers, .reach = reach, .insists = insists
    };
    struct rpt_engine *engine = rpt__comm_engine(rpt__group_comm(group));
    rpt_status_t status;

    rpt__engine_lock(engine);
    status = rpt__team_of(group, &pair.team);
    rpt__engine_unlock(engine);
    if (status == RPT_OK) {
        status = take_buffers(&pair);
    }
    for (int i = 0; status == RPT_OK && i < RPT_N_NUMBERS; i++) {
        if (!rpt__numbers_has(numbers, (enum rpt_number)i)) {
            status = find_number(&pair, (enum rpt_number)i);
        }
    }
    free(pair.in);
    free(pair.out);
    return status;
}
