/*
 * test_beside.c - what goes on beside a call: another thread that turns the
 * loop, another call of the group
 *
 * A thread can be made to sleep until it is told, whatever time it gave: so a
 * test hangs where only the time would wake it.
 */
#include "job.h"

#include "collectives/engine/team.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int __real_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
                                  const struct timespec *until);
int __wrap_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
                                  const struct timespec *until);

static _Thread_local bool sleeps_until_told;

int __wrap_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
                                  const struct timespec *until)
{
    return sleeps_until_told
               ? pthread_cond_wait(cond, mutex)
               : __real_pthread_cond_timedwait(cond, mutex, until);
}

static struct rpt_team *team_of(rpt_group_t *group)
{
    return rpt__group_attached(group);
}

/* ---- another thread turns the loop ---- */

static _Atomic uint32_t gate, n_inside;
static _Atomic int round_of_0;

static bool is_open(void *arg)
{
    (void)arg;
    if (atomic_load(&n_inside) == 0) {
        count_up(&n_inside);
    }
    return atomic_load(&gate) > 0;
}

static void *turn_the_loop(void *arg)
{
    struct rpt_engine *engine = arg;

    rpt__engine_lock(engine);
    CHECK(rpt__engine_wait(engine, is_open, NULL, -1) == RPT_OK);
    rpt__engine_unlock(engine);
    return NULL;
}

/* Rank 1 comes when rank 0 sleeps, beside the thread that leads. */
static void sleep_beside(rpt_group_t *group)
{
    enum { ROUNDS = 100 };
    struct rpt_engine *engine = rpt__comm_engine(rpt__group_comm(group));
    int rank = rpt_group_rank(group);
    pthread_t thread;

    CHECK(rpt_barrier(group) == RPT_OK);
    if (rank == 0) {
        pthread_create(&thread, NULL, turn_the_loop, engine);
        await(&n_inside, 1);
        sleeps_until_told = true;
    }
    for (int i = 1; i <= ROUNDS; i++) {
        if (rank == 0) {
            atomic_store(&round_of_0, i);
        }
        while (rank == 1 &&
               (atomic_load(&round_of_0) < i ||
                atomic_load(&team_of(group)->slice.head->n_sleeping) == 0)) {
            sched_yield();
        }
        CHECK(rpt_barrier(group) == RPT_OK);
    }
    if (rank == 0) {
        sleeps_until_told = false;
        count_up(&gate);
        rpt__engine_ring(engine);
        pthread_join(thread, NULL);
    }
}

static void who_sleeps_beside_the_loop_sees_its_flag(void)
{
    struct job job = { .fn = sleep_beside };

    gate = n_inside = 0;
    round_of_0 = 0;
    run_job(2, NULL, &job);
}

/* ---- calls that are over ---- */

/* The second call has the first one queued, and is queued itself. */
static void two_at_once(rpt_group_t *group)
{
    int rank = rpt_group_rank(group), sums[2] = { 0 };
    int wanted = rpt_group_size(group) * (rpt_group_size(group) - 1) / 2;
    rpt_coll_t coll = { .kind = RPT_COLL_ALLREDUCE,
                        .in = &rank,
                        .count = 1,
                        .type = RPT_TYPE_I32,
                        .op = RPT_OP_SUM };
    rpt_plan_t *plans[2] = { NULL, NULL };

    for (int i = 0; i < 2; i++) {
        coll.out = &sums[i];
        CHECK(rpt_coll_start(group, &coll, &plans[i]) == RPT_OK);
    }
    for (int i = 0; i < 2; i++) {
        CHECK(rpt_plan_wait(plans[i]) == RPT_OK);
        CHECK(sums[i] == wanted);
        rpt_plan_destroy(plans[i]);
    }
    CHECK(!rpt__team_is_busy(team_of(group)));
}

/* Else every later call would wait for the loop. */
static void a_group_whose_calls_are_over_is_not_busy(void)
{
    static const char *const layouts[][3] = { { NULL },
                                              { "topo.virtual_nodes", "3" } };

    for (size_t k = 0; k < 2; k++) {
        struct job job = { .fn = two_at_once };

        run_job(3, layouts[k], &job);
    }
}

/* ---- a misfit in one of several calls ---- */

/* Rank 0 waits for the second call, when rank 1 sends it a message of another
 * first one.  Rank 2 gives what rank 0 waits for in the first one, late. */
static void one_parts_in_the_first_of_two(rpt_group_t *group)
{
    static const size_t none[3];
    int rank = rpt_group_rank(group), x[3] = { 7, 7, 7 }, y[3];
    size_t out[3] = { rank == 1, 0, 0 };
    const rpt_coll_t first = { .kind = RPT_COLL_BROADCAST,
                               .out = x,
                               .count = 1,
                               .type = RPT_TYPE_I32,
                               .root = 2 };
    const rpt_coll_t second = { .kind = RPT_COLL_ALLREDUCE,
                                .in = x,
                                .out = y,
                                .count = 3,
                                .type = RPT_TYPE_I32,
                                .op = RPT_OP_SUM };
    rpt_plan_t *plans[2] = { NULL, NULL };

    if (rank == 1) {
        await(&gate, 1);
        CHECK(rpt_alltoallv(group, x, out, NULL, y, none, NULL, RPT_TYPE_I32) <=
              RPT_OK);
        return;
    }
    if (rank == 0) {
        CHECK(rpt_coll_start(group, &first, &plans[0]) == RPT_OK);
        CHECK(rpt_coll_start(group, &second, &plans[1]) == RPT_OK);
        count_up(&gate);
        CHECK(rpt_plan_wait(plans[1]) == RPT_ERR_MISMATCH);
        CHECK(rpt_plan_wait(plans[0]) == RPT_ERR_MISMATCH);
        CHECK(strstr(rpt_last_error()->what, "rank 0 calls broadcast") != NULL);
        CHECK(strstr(rpt_last_error()->what, "rank 1 calls alltoall") != NULL);
        rpt_plan_destroy(plans[0]);
        rpt_plan_destroy(plans[1]);
        return;
    }
    while (!rpt__group_is_failed(group)) {
        sched_yield();
    }
    CHECK(rpt_broadcast(group, x, 1, RPT_TYPE_I32, 2) == RPT_ERR_MISMATCH);
}

static void a_misfit_fails_the_call_it_is_in(void)
{
    static const char *const layout[] = { "topo.virtual_nodes", "3", NULL };
    struct job job = { .fn = one_parts_in_the_first_of_two };

    gate = 0;
    run_job(3, layout, &job);
}

/* All give in the first call, and find that out in the second.  Most blocks
 * have never been used. */
static void two_part_in_the_first(rpt_group_t *group)
{
    double *x = calloc(200, sizeof *x), sum;
    int rank = rpt_group_rank(group);
    rpt_status_t first = rpt_broadcast(group, x, 100, RPT_TYPE_F64, rank);
    rpt_status_t second = rpt_allreduce(group, x, &sum, 1, RPT_TYPE_F64,
                                        RPT_OP_SUM);

    CHECK(first == RPT_ERR_MISMATCH || second == RPT_ERR_MISMATCH);
    if (first == RPT_OK) {
        const char *what = rpt_last_error()->what;

        CHECK(strstr(what, "rank 0 calls broadcast of f64") != NULL);
        CHECK(strstr(what, "rank 1 calls broadcast of f64") != NULL);
    }
    free(x);
}

static void a_block_that_nobody_used_is_no_call(void)
{
    struct job job = { .fn = two_part_in_the_first };

    run_job(2, NULL, &job);
}

static const struct rpt_test tests[] = {
    RPT_TEST(who_sleeps_beside_the_loop_sees_its_flag),
    RPT_TEST(a_group_whose_calls_are_over_is_not_busy),
    RPT_TEST(a_misfit_fails_the_call_it_is_in),
    RPT_TEST(a_block_that_nobody_used_is_no_call),
    RPT_TEST_END,
};

int main(int argc, char *argv[])
{
    return rpt_test_main("test_beside", tests, 60, argc, argv);
}
