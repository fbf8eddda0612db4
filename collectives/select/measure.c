/*
 * measure.c - who measures what things cost, and when
 *
 *   two ranks of rank 0's node, then rank 0 and one of another   probe.h
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

/* The rank that rank 0 measures with: the last of its node, or the first of
 * another one; -1: none, or nothing is wanted.  The same on all ranks. */
static int find_partner(const struct rpt_comm *comm,
                        const struct rpt_policy *policy, bool near)
{
    const struct rpt_map *map = rpt__comm_map(comm);
    bool shm = rpt__option_switch(rpt__comm_options(comm), RPT_OPT_COMM_SHM);
    int partner = -1;

    if (policy->measures == RPT_MEASURE_NOTHING || (near && !shm) ||
        !rpt__probe_is_missing(&policy->numbers, near)) {
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

/* The partner does not wait for a rank that has failed. */
static rpt_status_t measure_pair(struct rpt_comm *comm, int partner, bool near,
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
    status = rpt__probe(group, near,
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
    if ((near >= 0 && rpt__probe_is_missing(&numbers, true)) ||
        (far >= 0 && rpt__probe_is_missing(&numbers, false))) {
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
