/*
 * spmd.c - every rank submits, tasks submit tasks, nobody drives
 *
 *   mpicc spmd.c $(pkg-config --cflags --libs repartir) -o spmd
 *   mpirun -n 4 ./spmd
 *
 * Each rank starts with the root of a tree; a task that is a node of depth d
 * submits its three children until the depth is reached.  Nobody knows
 * beforehand where a node is visited, or when the last one is: drain does.
 * Shows: SPMD mode, rpt_call_pool(), tasks without futures.
 */
#include <repartir.h>
#include <repartir/mpi.h>

#include <stdatomic.h>
#include <stdio.h>

enum { DEPTH = 5, CHILDREN = 3 };

static atomic_long n_visited; /* by this process */

static rpt_status_t submit_node(rpt_pool_t *pool, int depth)
{
    rpt_task_t *task = NULL;
    rpt_status_t status = rpt_task_create(&task);

    if (status == RPT_OK) {
        status = rpt_task_set_function(task, "visit", &depth, sizeof depth);
    }
    if (status == RPT_OK) {
        status = rpt_pool_submit(pool, task, NULL);
    }
    rpt_task_destroy(task);
    return status;
}

static int visit(rpt_call_t *call, void *user)
{
    size_t bytes;
    const int *depth = rpt_call_input(call, &bytes);

    (void)user;
    atomic_fetch_add(&n_visited, 1);
    for (int i = 0; *depth < DEPTH && i < CHILDREN; i++) {
        if (submit_node(rpt_call_pool(call), *depth + 1) != RPT_OK) {
            rpt_call_set_message(call, rpt_last_error_text());
            return 1;
        }
    }
    return 0;
}

static rpt_status_t work(rpt_context_t *context)
{
    rpt_pool_t *pool = NULL;
    rpt_status_t status = rpt_pool_create(context, NULL, &pool);

    if (status == RPT_OK) {
        status = rpt_pool_register(pool, "visit", visit, NULL);
    }
    if (status == RPT_OK) {
        status = submit_node(pool, 0);
    }
    if (status == RPT_OK) {
        status = rpt_pool_drain(pool);
    }
    rpt_pool_destroy(pool);
    return status;
}

int main(int argc, char *argv[])
{
    rpt_context_t *context = NULL;
    rpt_status_t status;
    long mine, all = 0, expected = 0, nodes = 1;
    int given, rank, size, failed;

    MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &given);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    status = rpt_context_create_mpi(MPI_COMM_WORLD, NULL, &context);
    if (status == RPT_OK) {
        status = work(context);
    }
    if (status < 0) {
        fprintf(stderr, "%s\n", rpt_last_error_text());
    }
    rpt_context_destroy(context);

    for (int depth = 0; depth <= DEPTH; depth++, nodes *= CHILDREN) {
        expected += size * nodes;
    }
    mine = atomic_load(&n_visited);
    MPI_Allreduce(&mine, &all, 1, MPI_LONG, MPI_SUM, MPI_COMM_WORLD);
    failed = status < 0 || all != expected;
    if (rank == 0) {
        printf("%ld of %ld nodes were visited by %d ranks\n", all, expected,
               size);
    }
    MPI_Finalize();
    return failed;
}
