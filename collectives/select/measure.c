/*
 * measure.c - finds out, once for a host, what things cost there
 *
 * Two ranks of rank 0's node, then rank 0 and one of another node, time some
 * collectives.  A probe is a call that a known algorithm does, and the one
 * number that decides its time:
 *
 *      number = (time - cost with 0 for it) / (cost with 1 - cost with 0)
 *
 * where cost is what the algorithm says of itself, in which costs are sums of
 * products.  So a number is by definition what makes the model right at the
 * probe, with all that the engine costs in it.
 *
 * The least of some batches is taken, of the slower rank; of those in which
 * neither lost its core, since what else runs there is not what a call costs.
 * Without one the number stays as it was, and a later start tries again.  Ranks
 * that share cores are not measured.  coll.measure=always takes whatever there
 * is.
 */
#include "collectives/select/measure.h"

#include "collectives/algorithm/allgather/allgather.h"
#include "collectives/algorithm/allreduce/allreduce.h"
#include "collectives/algorithm/barrier/barrier.h"
#include "collectives/plan.h"
#include "collectives/select/kept.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* More than the first of N_BATCHES only while a pair has used less. */
#define BUDGET_S 8e-3

enum { N_BATCHES = 7, N_STEPS = 256, N_FLAGS = 16, MOST_COUNT = 32768 };

struct probe {
    enum rpt_number number;
    bool near;
    rpt_coll_kind_t kind;
    const struct rpt_algorithm *algorithm;
    size_t count; /* of f32                    */
    int n_calls;  /* of a batch                */
};

struct pair {
    struct rpt_group *group;
    struct rpt_team *team;
    struct rpt_numbers *numbers;
    bool near;
    bool insists;    /* a batch counts, whatever happened     */
    float *in, *out; /* 2 * MOST_COUNT                        */
    double used_s;   /* the same on both                      */
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
    return N_FLAGS * (m->flag_s + c->n_ranks * m->step_s);
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
    schedule->has_seen_all = true;
}

static const struct rpt_algorithm flags = { .size = sizeof flags,
                                            .name = "flags",
                                            .applies = has_stages,
                                            .cost = flags_cost,
                                            .build = build_flags };

/* ---- probes ---- */

/* Each needs the numbers of those before it. */
static const struct probe probes[] = {
    { RPT_NUMBER_STEP, true, RPT_COLL_ALLREDUCE, &steps, 1, 8 },
    { RPT_NUMBER_FLAG, true, RPT_COLL_BARRIER, &flags, 0, 8 },
    { RPT_NUMBER_COPY_BYTE, true, RPT_COLL_ALLGATHER, &rpt__allgather_staged,
      4096, 8 },
    { RPT_NUMBER_REDUCE_BYTE, true, RPT_COLL_ALLREDUCE, &rpt__allreduce_flat,
      1024, 16 },
    { RPT_NUMBER_NEAR_MESSAGE, true, RPT_COLL_BARRIER,
      &rpt__barrier_dissemination, 0, 10 },
    { RPT_NUMBER_NEAR_BYTE, true, RPT_COLL_ALLREDUCE, &rpt__allreduce_ring,
      MOST_COUNT, 2 },
    { RPT_NUMBER_FAR_MESSAGE, false, RPT_COLL_BARRIER,
      &rpt__barrier_dissemination, 0, 10 },
    { RPT_NUMBER_FAR_BYTE, false, RPT_COLL_ALLREDUCE, &rpt__allreduce_ring,
      MOST_COUNT, 2 },
};

enum { N_PROBES = sizeof probes / sizeof *probes };

static double cost_with(const struct rpt_plan *plan, const struct probe *probe,
                        struct rpt_numbers numbers, double seconds)
{
    struct rpt_model model;

    numbers.seconds[probe->number] = seconds;
    model = rpt__numbers_model(&numbers, probe->near);
    return plan->algorithm->cost(&plan->c, &model, plan->combine.element_bytes);
}

/* How often this thread lost its core.  Near ranks answer so soon that it should
 * not have slept, either. */
static long n_switches(bool near)
{
    struct rusage usage;

    if (getrusage(RUSAGE_THREAD, &usage) != 0) {
        return 0;
    }
    return usage.ru_nivcsw + (near ? usage.ru_nvcsw : 0);
}

struct batch {
    double seconds;
    double disturbed; /* > 0: it was */
};

static rpt_status_t time_batch(const struct pair *pair, struct rpt_plan *plan,
                               int n_calls, struct batch *batch)
{
    long before = n_switches(pair->near);
    double began_s = rpt__now_s();
    rpt_status_t status = RPT_OK;

    for (int i = 0; status == RPT_OK && i < n_calls; i++) {
        status = rpt__plan_start(plan);
        if (status == RPT_OK) {
            status = rpt__plan_wait(plan);
        }
    }
    batch->seconds = rpt__now_s() - began_s;
    batch->disturbed = (double)(n_switches(pair->near) - before);
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
    double least = INFINITY;
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
        if (batch.disturbed <= 0 || pair->insists) {
            least = fmin(least, batch.seconds / n_calls);
        }
    }
    *seconds_out = least;
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
    rpt__engine_unlock(pair->team->engine);
    return status;
}

static rpt_status_t run_probe(struct pair *pair, const struct probe *probe)
{
    struct rpt_plan *plan = NULL;
    double seconds, nothing;
    rpt_status_t status = make_plan(pair, probe, &plan);

    if (status == RPT_ERR_UNSUPPORTED) {
        return RPT_OK; /* without shared memory, on both ranks */
    }
    if (status != RPT_OK) {
        return status;
    }
    status = time_plan(pair, plan, probe->n_calls, &seconds);
    if (status == RPT_OK && seconds < INFINITY) {
        nothing = cost_with(plan, probe, *pair->numbers, 0);
        rpt__numbers_set(
            pair->numbers, probe->number,
            (seconds - nothing) /
                (cost_with(plan, probe, *pair->numbers, 1) - nothing));
    }
    rpt__engine_lock(pair->team->engine);
    rpt__plan_drop(plan);
    rpt__engine_unlock(pair->team->engine);
    return status;
}

/* ---- pairs ---- */

/* Whether ranks have to take turns on their cores. */
static bool is_crowded(const struct rpt_map *map, int rank)
{
    const struct rpt_seat *seat = rpt__map_seat(map, rank);
    int on_host = 0, on_cpus = 0;

    for (int r = 0; r < rpt__map_size(map); r++) {
        const struct rpt_seat *other = rpt__map_seat(map, r);

        if (other->host_key == seat->host_key) {
            on_host++;
            on_cpus += other->cpus_key == seat->cpus_key;
        }
    }
    return on_host > seat->n_host_cores || on_cpus > seat->n_cores;
}

static bool is_missing(const struct rpt_numbers *numbers, bool near)
{
    for (int i = 0; i < N_PROBES; i++) {
        if (probes[i].near == near &&
            !rpt__numbers_has(numbers, probes[i].number)) {
            return true;
        }
    }
    return false;
}

/* The rank that rank 0 measures with: the last of its node, or the first of
 * another one; -1: none, or nothing is wanted.  The same on all ranks. */
static int find_partner(const struct rpt_comm *comm,
                        const struct rpt_policy *policy, bool near)
{
    const struct rpt_map *map = rpt__comm_map(comm);
    bool shm = rpt__option_switch(rpt__comm_options(comm), RPT_OPT_COMM_SHM);
    int partner = -1;

    if (policy->measures == RPT_MEASURE_NOTHING || (near && !shm) ||
        !is_missing(&policy->numbers, near)) {
        return -1;
    }
    for (int r = 1; r < rpt__map_size(map) && (near || partner < 0); r++) {
        bool is_near = rpt__map_node_of(map, r) == rpt__map_node_of(map, 0);

        partner = is_near == near ? r : partner;
    }
    if (partner >= 0 && policy->measures != RPT_MEASURE_ALWAYS &&
        (is_crowded(map, 0) || is_crowded(map, partner))) {
        partner = -1;
    }
    return partner;
}

static rpt_status_t make_pair(struct pair *pair, struct rpt_comm *comm,
                              int partner)
{
    const int ranks[] = { 0, partner };
    rpt_status_t status;

    rpt__engine_lock(rpt__comm_engine(comm));
    status = rpt__group_from_ranks(comm, ranks, 2, &pair->group);
    if (status == RPT_OK) {
        status = rpt__team_of(pair->group, &pair->team);
    }
    rpt__engine_unlock(rpt__comm_engine(comm));
    if (status == RPT_OK) {
        pair->in = calloc(2 * MOST_COUNT, sizeof *pair->in);
        pair->out = calloc(2 * MOST_COUNT, sizeof *pair->out);
        if (pair->in == NULL || pair->out == NULL) {
            status = rpt__fail_nomem(2 * MOST_COUNT * sizeof *pair->in);
        }
    }
    return status;
}

/* The partner does not wait for a rank that has failed. */
static void drop_pair(struct pair *pair, struct rpt_comm *comm,
                      rpt_status_t status)
{
    rpt__engine_lock(rpt__comm_engine(comm));
    if (pair->group != NULL && status != RPT_OK) {
        rpt__group_fail(pair->group, status);
    }
    rpt__group_destroy(pair->group);
    rpt__engine_unlock(rpt__comm_engine(comm));
    free(pair->in);
    free(pair->out);
}

static rpt_status_t measure_pair(struct rpt_comm *comm, int partner, bool near,
                                 struct rpt_numbers *numbers)
{
    struct pair pair = { .numbers = numbers, .near = near };
    rpt_status_t status;

    if (partner < 0 ||
        (rpt__comm_rank(comm) != 0 && rpt__comm_rank(comm) != partner)) {
        return RPT_OK;
    }
    pair.insists = rpt__policy_of(comm)->measures == RPT_MEASURE_ALWAYS;
    status = make_pair(&pair, comm, partner);
    for (int i = 0; status == RPT_OK && i < N_PROBES; i++) {
        if (probes[i].near == near &&
            !rpt__numbers_has(numbers, probes[i].number)) {
            status = run_probe(&pair, &probes[i]);
        }
    }
    drop_pair(&pair, comm, status);
    return status;
}

/* ---- all ranks ---- */

static rpt_status_t take_those_of_rank_0(struct rpt_group *world,
                                         struct rpt_numbers *numbers)
{
    size_t n = (size_t)rpt__group_size(world);
    struct rpt_numbers *all = malloc(n * sizeof *all);
    rpt_status_t status;

    rpt__engine_lock(rpt__comm_engine(rpt__group_comm(world)));
    status = all != NULL
                 ? rpt__group_exchange(world, numbers, sizeof *numbers, all)
                 : rpt__group_fail(world, rpt__fail_nomem(n * sizeof *all));
    rpt__engine_unlock(rpt__comm_engine(rpt__group_comm(world)));
    if (status == RPT_OK) {
        *numbers = all[0];
    }
    free(all);
    return status;
}

static void keep(const rpt_options_t *options,
                 const struct rpt_numbers *numbers)
{
    struct rpt_numbers all = RPT_NUMBERS_USUAL;
    char path[RPT_KEPT_PATH_BYTES];

    if (!rpt__kept_find(options, path) || !rpt__kept_may_write(path)) {
        return;
    }
    rpt__kept_read(path, &all); /* of other layouts */
    rpt__numbers_merge(&all, numbers);
    if (rpt__kept_write(path, &all)) {
        rpt__log(RPT_LOG_DEBUG, "what things cost here is kept in %s", path);
    }
}

rpt_status_t rpt__measure(struct rpt_group *world)
{
    struct rpt_comm *comm = rpt__group_comm(world);
    struct rpt_policy *policy = rpt__comm_brief(comm);
    struct rpt_numbers numbers;
    rpt_status_t status;
    int near, far;

    if (policy == NULL) {
        return RPT_OK;
    }
    numbers = policy->numbers;
    near = find_partner(comm, policy, true);
    far = find_partner(comm, policy, false);
    if (near < 0 && far < 0) {
        return RPT_OK;
    }
    status = measure_pair(comm, near, true, &numbers);
    if (status == RPT_OK) {
        status = measure_pair(comm, far, false, &numbers);
    }
    if (status != RPT_OK) { /* then with the usual ones */
        rpt__log(RPT_LOG_DEBUG, "what things cost was not measured: %s",
                 rpt_last_error()->what);
        numbers = policy->numbers;
    }
    if ((near >= 0 && is_missing(&numbers, true)) ||
        (far >= 0 && is_missing(&numbers, false))) {
        numbers.n_tries++;
    }
    status = take_those_of_rank_0(world, &numbers);
    if (status == RPT_OK) {
        policy->numbers = numbers;
        if (rpt__comm_rank(comm) == 0) {
            keep(rpt__comm_options(comm), &numbers);
        }
    }
    return status;
}
