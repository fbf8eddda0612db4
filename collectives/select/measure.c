/*
 * measure.c - who measures what things cost, and when
 *
 *   rank 0 and one of its domain, of another domain of its node,
 *   of another node: those that there are                        probe.h
 *   all take the numbers of rank 0, which keeps them             kept.h
 *
 * Ranks that share cores would wait for each other's time slices: they are not
 * measured.  A number that was not found is tried again by later starts, some
 * times.  coll.measure=always takes whatever there is.
 */
#include "collectives/select/measure.h"

#include "collectives/select/kept.h"
#include "collectives/select/policy.h"
#include "collectives/select/probe.h"

#include "base/error.h"
#include "base/log.h"

#include <stdlib.h>

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

/* The ranks that rank 0 measures with; -1: none.  The same on all ranks. */
struct partners {
    int of[RPT_N_REACHES];
};

/* Of those of rank 0's node the last ones: they are likely to be the farthest.
 * A domain of rank 0 alone has none that is nearer than another. */
static void find_on_node(const struct rpt_map *map, int ranks[],
                         int domain_of[], struct partners *found)
{
    bool is_divided;
    int n = 0;

    for (int r = 0; r < rpt__map_size(map); r++) {
        if (rpt__map_node_of(map, r) == rpt__map_node_of(map, 0)) {
            ranks[n++] = r;
        }
    }
    is_divided = rpt__map_divide(map, ranks, n, domain_of);
    for (int i = 1; i < n; i++) {
        bool is_near = !is_divided || domain_of[i] == domain_of[0];

        found->of[is_near ? RPT_REACH_NEAR : RPT_REACH_ACROSS] = ranks[i];
    }
}

static rpt_status_t find_all(const struct rpt_map *map, struct partners *found)
{
    size_t n = (size_t)rpt__map_size(map);
    int *numbers = malloc(2 * n * sizeof *numbers);

    if (numbers == NULL) {
        return rpt__fail_nomem(2 * n * sizeof *numbers);
    }
    find_on_node(map, numbers, numbers + n, found);
    free(numbers);
    for (int r = (int)n - 1; r > 0; r--) {
        if (rpt__map_node_of(map, r) != rpt__map_node_of(map, 0)) {
            found->of[RPT_REACH_FAR] = r;
        }
    }
    return RPT_OK;
}

/* Only those that are wanted and can tell something. */
static rpt_status_t find_partners(const struct rpt_comm *comm,
                                  const struct rpt_policy *policy,
                                  struct partners *found)
{
    const struct rpt_map *map = rpt__comm_map(comm);
    bool shm = rpt__option_switch(rpt__comm_options(comm), RPT_OPT_COMM_SHM);
    rpt_status_t status = RPT_OK;

    *found = (struct partners){ { -1, -1, -1 } };
    if (policy->measures != RPT_MEASURE_NOTHING) {
        status = find_all(map, found);
    }
    for (int reach = 0; reach < RPT_N_REACHES; reach++) {
        int *partner = &found->of[reach];
        bool may = policy->measures == RPT_MEASURE_ALWAYS || *partner < 0 ||
                   (!is_crowded(map, 0) && !is_crowded(map, *partner));

        if (!may || (reach != RPT_REACH_FAR && !shm) ||
            !rpt__probe_is_missing(&policy->numbers, (enum rpt_reach)reach)) {
            *partner = -1;
        }
    }
    return status;
}

/* The partner does not wait for a rank that has failed. */
static rpt_status_t measure_pair(struct rpt_comm *comm, int partner,
                                 enum rpt_reach reach,
                                 struct rpt_numbers *numbers)
{
    const int ranks[] = { 0, partner };
    struct rpt_engine *engine = rpt__comm_engine(comm);
    struct rpt_group *group = NULL;
    rpt_status_t status;

    if (partner < 0 ||
        (rpt__comm_rank(comm) != 0 && rpt__comm_rank(comm) != partner)) {
        return RPT_OK;
    }
    rpt__engine_lock(engine);
    status = rpt__group_from_ranks(comm, ranks, 2, &group);
    rpt__engine_unlock(engine);
    if (status != RPT_OK) {
        return status;
    }
    status = rpt__probe(group, reach,
                        rpt__policy_of(comm)->measures == RPT_MEASURE_ALWAYS,
                        numbers);
    rpt__engine_lock(engine);
    if (status != RPT_OK) {
        rpt__group_fail(group, status);
    }
    rpt__group_destroy(group);
    rpt__engine_unlock(engine);
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
                 ? rpt__group_exchange(world, "the start of the context",
                                       numbers, sizeof *numbers, all)
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

static rpt_status_t measure_pairs(struct rpt_comm *comm,
                                  const struct partners *partners,
                                  struct rpt_numbers *numbers)
{
    rpt_status_t status = RPT_OK;

    for (int i = 0; status == RPT_OK && i < RPT_N_REACHES; i++) {
        status = measure_pair(comm, partners->of[i], (enum rpt_reach)i,
                              numbers);
    }
    return status;
}

static bool has_all(const struct partners *partners,
                    const struct rpt_numbers *numbers)
{
    bool all = true;

    for (int i = 0; i < RPT_N_REACHES; i++) {
        all = all && (partners->of[i] < 0 ||
                      !rpt__probe_is_missing(numbers, (enum rpt_reach)i));
    }
    return all;
}

static rpt_status_t measure_with(struct rpt_group *world,
                                 const struct partners *partners,
                                 struct rpt_policy *policy)
{
    struct rpt_comm *comm = rpt__group_comm(world);
    struct rpt_numbers numbers = policy->numbers;
    rpt_status_t status = measure_pairs(comm, partners, &numbers);

    if (status != RPT_OK) { /* then with the usual ones */
        rpt__log(RPT_LOG_DEBUG, "what things cost was not measured: %s",
                 rpt_last_error()->what);
        numbers = policy->numbers;
    }
    if (!has_all(partners, &numbers)) {
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

rpt_status_t rpt__measure(struct rpt_group *world)
{
    struct rpt_comm *comm = rpt__group_comm(world);
    struct rpt_policy *policy = rpt__comm_brief(comm);
    struct partners partners;
    rpt_status_t status;

    if (policy == NULL) {
        return RPT_OK;
    }
    status = find_partners(comm, policy, &partners);
    if (status != RPT_OK) {
        rpt__engine_lock(rpt__comm_engine(comm));
        rpt__group_fail(world, status);
        rpt__engine_unlock(rpt__comm_engine(comm));
        return status;
    }
    for (int i = 0; i < RPT_N_REACHES; i++) {
        if (partners.of[i] >= 0) {
            return measure_with(world, &partners, policy);
        }
    }
    return RPT_OK;
}
