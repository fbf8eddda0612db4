/*
 * gangs_mpi.c - communicators of gangs, and the other functions that know MPI
 */
#include "world.h"

#include <repartir/mpi.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int sum_up(rpt_call_t *call, void *user)
{
    rpt_group_t *group = rpt_call_group(call);
    MPI_Comm comm = MPI_COMM_NULL;
    int rank, size, sum = 0, is_main = 0;
    int *slot = user; /* of this rank: the handle that it saw last */

    if (!ranks_are_processes) {
        CHECK_ERROR(RPT_ERR_UNSUPPORTED, rpt_call_mpi_comm(call, &comm));
        return 0;
    }
    if (!CHECK(rpt_call_mpi_comm(call, &comm) == RPT_OK)) {
        return 1;
    }
    MPI_Is_thread_main(&is_main);
    CHECK(any_thread_may_call() || is_main);
    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &size);
    CHECK(rank == rpt_group_rank(group) && size == rpt_group_size(group));
    rank++;
    MPI_Allreduce(&rank, &sum, 1, MPI_INT, MPI_SUM, comm);
    CHECK(sum == size * (size + 1) / 2);
    if (slot != NULL) {
        int handle = (int)MPI_Comm_c2f(comm);

        CHECK(*slot == 0 || *slot == handle);
        *slot = handle;
    }
    return 0;
}

static int no_gang(rpt_call_t *call, void *user)
{
    MPI_Comm comm;

    (void)user;
    CHECK_ERROR(RPT_ERR_STATE, rpt_call_mpi_comm(call, &comm));
    CHECK_ERROR(RPT_ERR_INVALID, rpt_call_mpi_comm(NULL, &comm));
    CHECK_ERROR(RPT_ERR_INVALID, rpt_call_mpi_comm(call, NULL));
    return 0;
}

static _Thread_local int last_handle;

static void register_sum(struct world *w)
{
    last_handle = 0;
    CHECK(rpt_pool_register(w->pool, "sum", sum_up, NULL) == RPT_OK);
    CHECK(rpt_pool_register(w->pool, "sum again", sum_up, &last_handle) ==
          RPT_OK);
    CHECK(rpt_pool_register(w->pool, "no gang", no_gang, NULL) == RPT_OK);
}

static rpt_task_t *gang(const char *function, int n)
{
    rpt_task_t *task = task_new(function, NULL, 0);

    CHECK(rpt_task_set_gang(task, n) == RPT_OK);
    return task;
}

static void sum_in_gangs(struct world *w)
{
    ends(submit(w->pool, task_new("no gang", NULL, 0)), RPT_OUTCOME_OK);
    for (int i = 0; i < 40; i++) {
        submit_quietly(w->pool, gang("sum", 1 + i % w->size));
    }
    wait_all(w->pool);
    CHECK(stats_of(w->pool).by_outcome[RPT_OUTCOME_OK] == 41);
}

static void a_gang_has_a_communicator_of_its_own(void)
{
    drive_with(register_sum, 1, 4, "pool.slots=2", sum_in_gangs);
}

static void sum_again(struct world *w)
{
    for (int i = 0; i < 300; i++) {
        ends(submit(w->pool, gang("sum again", w->size)), RPT_OUTCOME_OK);
    }
}

static void the_next_gang_of_the_same_ranks_has_the_same_communicator(void)
{
    drive_with(register_sum, 1, 4, NULL, sum_again);
}

static void look_at_doors(struct world *w)
{
    rpt_context_t *context = NULL;
    rpt_group_t *group = NULL;

    if (!ranks_are_processes) {
        CHECK_ERROR(RPT_ERR_VERSION,
                    rpt_context_create_mpi_v(MPI_COMM_NULL, NULL, 0, &context));
        /* MPI was never initialised here. */
        CHECK_ERROR(RPT_ERR_STATE, rpt_context_create_mpi_f(
                                       0, NULL, RPT_VERSION_NUMBER, &context));
        CHECK_ERROR(RPT_ERR_STATE, rpt_group_from_mpi_f(w->context, 0, &group));
        CHECK(context == NULL && group == NULL);
        return;
    }
    CHECK_ERROR(RPT_ERR_VERSION,
                rpt_context_create_mpi_v(MPI_COMM_WORLD, NULL, 0, &context));
    CHECK_ERROR(RPT_ERR_INVALID,
                rpt_context_create_mpi(MPI_COMM_WORLD, NULL, NULL));
    CHECK_ERROR(RPT_ERR_INVALID,
                rpt_context_create_mpi(MPI_COMM_NULL, NULL, &context));
    CHECK(context == NULL);
    CHECK_ERROR(RPT_ERR_INVALID,
                rpt_group_from_mpi(NULL, MPI_COMM_WORLD, &group));
    CHECK_ERROR(RPT_ERR_INVALID,
                rpt_group_from_mpi(w->context, MPI_COMM_NULL, &group));
    CHECK_ERROR(RPT_ERR_INVALID,
                rpt_group_from_mpi(w->context, MPI_COMM_WORLD, NULL));
    CHECK(group == NULL);
    CHECK(rpt_group_from_mpi(w->context, MPI_COMM_SELF, &group) == RPT_OK);
    CHECK(rpt_group_size(group) == 1 &&
          rpt_group_world_rank(group, 0) == w->rank);
    /* A pool over a group that came from a communicator. */
    CHECK(pool_open(w, group) == RPT_OK);
    ends(submit(w->pool, task_int("count", w->rank)), RPT_OUTCOME_OK);
    CHECK(rpt_pool_drain(w->pool) == RPT_OK);
    rpt_pool_destroy(w->pool);
    CHECK(count_of(w->rank) == 1);
    rpt_group_destroy(group);
    meet(w);
}

static void the_doors_to_mpi_refuse_what_is_wrong(void)
{
    on_all(1, 2, NULL, look_at_doors);
}

/* As Fortran has them: this rank alone, and all in reverse order. */
static void take_fortran(struct world *w)
{
    rpt_context_t *context = NULL;
    rpt_group_t *group = NULL;
    MPI_Comm reverse;

    if (!ranks_are_processes) {
        return;
    }
    CHECK_ERROR(RPT_ERR_VERSION,
                rpt_context_create_mpi_f(MPI_Comm_c2f(MPI_COMM_SELF), NULL, 0,
                                         &context));
    CHECK_ERROR(RPT_ERR_INVALID,
                rpt_context_create_mpi_f(MPI_Comm_c2f(MPI_COMM_NULL), NULL,
                                         RPT_VERSION_NUMBER, &context));
    CHECK(context == NULL);
    CHECK(rpt_context_create_mpi_f(MPI_Comm_c2f(MPI_COMM_SELF), NULL,
                                   RPT_VERSION_NUMBER, &context) == RPT_OK);
    CHECK(rpt_context_size(context) == 1);
    rpt_context_destroy(context);
    MPI_Comm_split(MPI_COMM_WORLD, 0, -w->rank, &reverse);
    CHECK(rpt_group_from_mpi_f(w->context, MPI_Comm_c2f(reverse), &group) ==
          RPT_OK);
    CHECK(rpt_group_size(group) == w->size &&
          rpt_group_rank(group) == w->size - 1 - w->rank);
    rpt_group_destroy(group);
    MPI_Comm_free(&reverse);
    meet(w);
}

static void communicators_of_fortran_are_taken(void)
{
    on_all(1, 3, NULL, take_fortran);
}

/* Rank r has r + 1 units, numbered from r (r + 1) / 2 on.  The largest task
 * comes first, so that each rank gets the one that takes all it has, and keeps
 * it until all of them run. */
static void count_units(struct world *w)
{
    char line[TEXT_BYTES + 64];
    const char *pipe = scratch_path("pipe");
    rpt_future_t *futures[8];
    int fd;

    CHECK(mkfifo(pipe, 0600) == 0);
    fd = open(pipe, O_RDWR | O_CLOEXEC);
    snprintf(line, sizeof line, "read x <%s; echo $RPT_RESOURCE_TAPE", pipe);
    for (int n = w->size; n > 0; n--) {
        rpt_task_t *task = task_shell(line);

        CHECK(rpt_task_set_resource(task, "tape", n) == RPT_OK);
        futures[n - 1] = submit(w->pool, task);
    }
    wait_running(w->pool, (uint64_t)w->size);
    for (int r = 0; r < w->size; r++) {
        CHECK(write(fd, "a\n", 2) == 2);
    }
    for (int r = 0; r < w->size; r++) {
        const rpt_result_t *result = ended(futures[r], RPT_OUTCOME_OK);
        char text[64];
        int at = 0;

        for (int i = 0; i <= r; i++) {
            at += snprintf(text + at, sizeof text - (size_t)at, "%d%s",
                           r * (r + 1) / 2 + i, i < r ? "," : "\n");
        }
        CHECK(result != NULL && result->rank == r && stdout_is(result, text));
        rpt_future_destroy(futures[r]);
    }
    close(fd);
}

/* Ranks that are threads have the same options. */
static void have_unequal_units(struct world *w)
{
    struct world mine = { .rank = w->rank, .size = w->size };
    rpt_options_t *options;
    char settings[64];

    snprintf(settings, sizeof settings, "pool.slots=1 pool.resources=tape=%d",
             w->rank + 1);
    options = options_with(settings);
    if (CHECK(rpt_context_create_mpi(MPI_COMM_WORLD, options, &mine.context) ==
              RPT_OK)) {
        job(&mine, w->size, count_units);
        rpt_context_destroy(mine.context);
    }
    rpt_options_destroy(options);
}

static void units_are_numbered_through_where_ranks_differ(void)
{
    if (ranks_are_processes) {
        on_all(2, 4, NULL, have_unequal_units);
    }
}

const struct pool_test gangs_mpi_tests[] = {
    TEST(a_gang_has_a_communicator_of_its_own),
    TEST(the_next_gang_of_the_same_ranks_has_the_same_communicator),
    TEST(the_doors_to_mpi_refuse_what_is_wrong),
    TEST(communicators_of_fortran_are_taken),
    TEST_FROM(2, units_are_numbered_through_where_ranks_differ),
    TEST_END,
};
